"""Records of JSON: the fields of each operation, and the parser that reads them (R11–R17, R44, R57, R58).

A field stands here once. How it is read, described in the OpenAPI schema and imported from files follows. By
tables and plain code, because an import sends every one of its rows through here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.utils import timezone

from customers import normalise
from customers.contact_types import CONTACT_TYPES
from customers.errors import invalid
from customers.profile import DEVICE, MOBILE_DEVICE, PAYMENT_CARD, Key
from customers.setup.integration_points import Point
from customers.setup.project_config import ProjectConfig
from dedup.engine.record import Operation, Record
from dedup.parsing import schemas
from dedup.parsing.circumstances import LookupByField, ModeField, OccurredAtField
from dedup.parsing.commerce import (
    ORDER_PARTS,
    CustomerField,
    IssuedAtField,
    LedgerField,
    OrderField,
    amount,
)
from dedup.parsing.consent import (
    MEMBERSHIP,
    SUBSCRIPTION,
    OptedOutField,
    SegmentsField,
    SubscriptionsField,
    UnsubscribedField,
)
from dedup.parsing.draft import MISSING, UNIDENTIFIED, ParsingContext, RecordDraft, below
from dedup.parsing.fields import RecordField
from dedup.parsing.identifiers import (
    ContactField,
    DeviceField,
    IdsField,
    LookupField,
    PaymentCardField,
    lookup_key,
)
from dedup.parsing.person import PERSONAL, CustomFieldsField, PersonField, TimeZoneField
from dedup.refusals import not_found

Fields = Mapping[str, RecordField]


def _by_name(*fields: RecordField) -> Fields:
    return {field.name: field for field in fields}


IDENTIFIERS = _by_name(
    IdsField("ids", schemas.IDS),
    *(ContactField(type_) for type_ in CONTACT_TYPES),
    DeviceField(DEVICE, "deviceid", "device", "deviceuuid", "cookieid", "cookie"),
    DeviceField(MOBILE_DEVICE, "mobiledeviceid", "mobiledevice", "mobiledeviceuuid", "appdevice"),
    PaymentCardField(PAYMENT_CARD, "paymentcardhash", "paymentcard", "cardhash", "creditcardhash"),
)
SEGMENTS = SegmentsField("segments", MEMBERSHIP)
OCCURRED_AT = OccurredAtField("occurred_at", schemas.HAPPENED_AT)
RECORD: Fields = {
    **IDENTIFIERS,
    **_by_name(
        PersonField("personal", PERSONAL),
        TimeZoneField("time_zone", schemas.TIME_ZONE),
        CustomFieldsField("custom_fields", schemas.ANY_OBJECT),
        SubscriptionsField("subscriptions", SUBSCRIPTION),
        SEGMENTS,
        OCCURRED_AT,
    ),
}
"""What may be said of a customer."""
UPSERT: Fields = {
    **RECORD,
    **_by_name(LookupByField("lookup_by", schemas.LOOKUP_BY), ModeField("mode", schemas.MODE)),
}
LOOKED_UP = _by_name(LookupField("lookup", schemas.LOOKUP), OCCURRED_AT)
ORDER = OrderField("order", ORDER_PARTS)


@dataclass(frozen=True, eq=False)
class RecordType:
    """What an operation takes. `name` is the component in the OpenAPI schema; `required` are the fields it
    cannot do without, `identified_by` the one that must identify somebody, where it is not the record itself.
    """

    name: str
    fields: Fields
    required: tuple[str, ...] = ()
    identified_by: str = ""
    description: str = ""

    @cached_property
    def schema(self) -> schemas.ObjectSchema:
        properties = {field.name: field.schema for field in self.fields.values()}
        return schemas.ObjectSchema(self.name, properties, frozenset(self.required), self.description)


UPSERTED = RecordType("Upsert", UPSERT, description=schemas.ALL_OPTIONAL)
RECORD_TYPES: Mapping[Operation, RecordType] = {
    Operation.REGISTER: RecordType("Record", RECORD, description=schemas.ALL_OPTIONAL),
    Operation.UPSERT: UPSERTED,
    Operation.SUBSCRIBE: UPSERTED,
    Operation.EDIT: RecordType(
        "Edit", {**RECORD, **LOOKED_UP}, ("lookup",), description=schemas.ALL_OPTIONAL
    ),
    Operation.AUTHORIZE: RecordType(
        "Authorize",
        {DEVICE: RECORD[DEVICE], MOBILE_DEVICE: RECORD[MOBILE_DEVICE], **LOOKED_UP},
        ("lookup",),
        identified_by=DEVICE,
    ),
    Operation.ORDER: RecordType(
        "Ordered",
        _by_name(ORDER, CustomerField("customer", UPSERT, UPSERTED.schema)),
        ("order", "customer"),
        identified_by="customer",
    ),
    Operation.POINTS: RecordType(
        "Points",
        {
            **LOOKED_UP,
            **_by_name(
                LedgerField("amount", amount, schemas.AMOUNT),
                LedgerField("reason", normalise.name, schemas.TEXT),
                LedgerField("number", normalise.identifier, schemas.LEDGER_NUMBER),
            ),
        },
        ("lookup", "amount"),
    ),
    Operation.PROMO_CODE: RecordType(
        "PromoCode",
        {
            **LOOKED_UP,
            **_by_name(
                LedgerField("code", normalise.identifier, schemas.LEDGER_NUMBER),
                IssuedAtField("issued_at", schemas.DONE_AT),
            ),
        },
        ("lookup", "code"),
    ),
}
OF_CUSTOMERS: Fields = {
    **RECORD,
    **_by_name(UnsubscribedField("unsubscribed", {}), OptedOutField("opted_out", {})),
}
"""What columns of files can say of a customer: more than the API, which has one way of saying it."""
IMPORTED: Fields = {**OF_CUSTOMERS, **_by_name(ORDER)}
"""The fields that columns of files can be mapped to."""


def parse_record(
    operation: Operation, data: Any, point: Point, config: ProjectConfig, now: datetime, *, path: str = ""
) -> Record:
    """The record of one operation; raises `validation_error` naming every field at fault with its path.

    For a batch make one `Parser`: it reads what it needs of the set-up once.
    """
    return Parser(point, config, now).record(operation, data, path)


def parse_lookup(data: Any, point: Point, config: ProjectConfig, *, path: str = "lookup") -> Key:
    """The one identifier of `{kind: value}`; a value on the block list finds nobody (R12)."""
    return Parser(point, config, timezone.now()).lookup(data, path)


class Parser:
    """Reads the records of one point, by one state of the set-up, at one moment."""

    def __init__(self, point: Point, config: ProjectConfig, now: datetime) -> None:
        self.context = ParsingContext(point, config, now)

    def record(self, operation: Operation, data: Any, path: str = "") -> Record:
        """As `parse_record`."""
        draft = RecordDraft(self.context, operation)
        draft.path = path
        taken = RECORD_TYPES[operation]
        draft.read(path, data, taken.fields)
        for name in taken.required:
            if draft.lacks(name, data) and not draft.is_faulty(below(path, name)):
                draft.fault(below(path, name), MISSING)
        if not draft.errors and not draft.identifies():
            draft.fault(below(path, taken.identified_by) if taken.identified_by else path, UNIDENTIFIED)
        if draft.errors:
            raise invalid(*draft.errors)
        return draft.record()

    def lookup(self, data: Any, path: str) -> Key:
        """As `parse_lookup`."""
        draft = RecordDraft(self.context, Operation.EDIT)
        key = lookup_key(draft, path, data)
        if draft.errors:
            raise invalid(*draft.errors)
        if key is None:
            raise not_found(Key(next(iter(data)), ""))
        return key
