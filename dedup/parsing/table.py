"""The fields of records, and what each operation takes (R11–R17, R44, R57, R58).

A field stands here once. How it is read, described in the OpenAPI schema and imported from files follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from django.utils.translation import gettext_noop as _

from customers import normalise
from customers.profile import DEVICE, MOBILE_DEVICE, PAYMENT_CARD, Category
from dedup.engine.record import Mode, Operation
from dedup.parsing.circumstances import LookupByField, ModeField, OccurredAtField
from dedup.parsing.commerce import (
    ORDER_PARTS,
    CustomerField,
    IssuedAtField,
    LedgerField,
    OrderField,
    amount,
)
from dedup.parsing.consent import MEMBERSHIP, SUBSCRIPTION, SegmentsField, SubscriptionsField
from dedup.parsing.fields import RecordField
from dedup.parsing.identifiers import ContactField, DeviceField, IdsField, LookupField, PaymentCardField
from dedup.parsing.person import PERSONAL, CustomFieldsField, PersonField, TimeZoneField
from dedup.parsing.schemas import (
    AMOUNT,
    ANY_OBJECT,
    IDS,
    LOOKUP,
    MOMENT,
    SHORT_TEXT,
    TEXT,
    Choices,
    ObjectSchema,
    described,
    nullable,
)

Fields = Mapping[str, RecordField]


def _by_name(*fields: RecordField) -> Fields:
    return {field.name: field for field in fields}


IDENTIFIERS = _by_name(
    IdsField("ids", IDS),
    ContactField(Category.EMAIL, _("E-mail"), "email", "emailaddress", "mail", "mailaddress", "eaddress"),
    ContactField(
        Category.MOBILE_PHONE,
        _("Mobile phone"),
        *("mobilephone", "mobile", "cellphone", "cell", "phone", "phonenumber", "telephone", "tel", "msisdn"),
        *("mobilenumber", "phonemobile", "handy"),
    ),
    ContactField(
        Category.DISCOUNT_CARD,
        _("Discount card"),
        *("discountcard", "card", "cardnumber", "loyaltycard", "bonuscard", "clubcard"),
    ),
    DeviceField(DEVICE, "deviceid", "device", "deviceuuid", "cookieid", "cookie"),
    DeviceField(MOBILE_DEVICE, "mobiledeviceid", "mobiledevice", "mobiledeviceuuid", "appdevice"),
    PaymentCardField(PAYMENT_CARD, "paymentcardhash", "paymentcard", "cardhash", "creditcardhash"),
)
SEGMENTS = SegmentsField("segments", MEMBERSHIP)
OCCURRED_AT = OccurredAtField("occurred_at", described(MOMENT, "When it happened; now where it is not said."))
RECORD: Fields = {
    **IDENTIFIERS,
    **_by_name(
        PersonField("personal", PERSONAL),
        TimeZoneField("time_zone", described(nullable(TEXT), "A name of the IANA list.")),
        CustomFieldsField("custom_fields", ANY_OBJECT),
        SubscriptionsField("subscriptions", SUBSCRIPTION),
        SEGMENTS,
        OCCURRED_AT,
    ),
}
"""What may be said of a customer."""
UPSERT: Fields = {
    **RECORD,
    **_by_name(
        LookupByField(
            "lookup_by",
            {
                "type": "array",
                "items": TEXT,
                "description": "Identifier kinds, in place of the integration point's.",
            },
        ),
        ModeField("mode", Choices(list(Mode), "`fill` sets only what is empty and ignores what conflicts.")),
    ),
}
LOOKED_UP = _by_name(LookupField("lookup", LOOKUP), OCCURRED_AT)
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
    def schema(self) -> ObjectSchema:
        properties = {field.name: field.schema for field in self.fields.values()}
        return ObjectSchema(self.name, properties, frozenset(self.required), self.description)


ALL_OPTIONAL = (
    "Everything optional, at least one identifier. Null clears, what is absent or empty changes nothing."
)
UPSERTED = RecordType("Upsert", UPSERT, description=ALL_OPTIONAL)
RECORD_TYPES: Mapping[Operation, RecordType] = {
    Operation.REGISTER: RecordType("Record", RECORD, description=ALL_OPTIONAL),
    Operation.UPSERT: UPSERTED,
    Operation.SUBSCRIBE: UPSERTED,
    Operation.EDIT: RecordType("Edit", {**RECORD, **LOOKED_UP}, ("lookup",), description=ALL_OPTIONAL),
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
                LedgerField("amount", amount, AMOUNT),
                LedgerField("reason", normalise.name, TEXT),
                LedgerField(
                    "number",
                    normalise.identifier,
                    described(SHORT_TEXT, "Unique; sent again it changes nothing."),
                ),
            ),
        },
        ("lookup", "amount"),
    ),
    Operation.PROMO_CODE: RecordType(
        "PromoCode",
        {
            **LOOKED_UP,
            **_by_name(
                LedgerField(
                    "code",
                    normalise.identifier,
                    described(SHORT_TEXT, "Unique; sent again it changes nothing."),
                ),
                IssuedAtField("issued_at", described(MOMENT, "Now where it is not said.")),
            ),
        },
        ("lookup", "code"),
    ),
}
IMPORTED: Fields = {field.name: field for field in (*RECORD.values(), ORDER) if field.is_importable}
"""The fields that columns of files can be mapped to."""
