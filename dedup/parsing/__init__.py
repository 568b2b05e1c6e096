"""JSON in, records out: the one gate through which data from outside reaches the engine (R11–R17, R44).

By tables and plain code, because an import sends every one of its rows through here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from customers import normalise
from customers.errors import invalid
from customers.profile import DEVICE, DISCOUNT_CARD, EMAIL, MOBILE_DEVICE, MOBILE_PHONE, PAYMENT_CARD, Key
from customers.setup.integration_points import Point
from customers.setup.project_config import ProjectConfig
from dedup.engine.record import Operation, Record
from dedup.parsing.commerce import amount, ledger_field, read_issued_at, read_order
from dedup.parsing.details import (
    read_custom_fields,
    read_lookup_by,
    read_mode,
    read_occurred_at,
    read_personal,
    read_segments,
    read_subscriptions,
    read_time_zone,
)
from dedup.parsing.draft import MISSING, UNIDENTIFIED, Draft, Fields, Setting, below
from dedup.parsing.identifiers import lookup_key, read_cards, read_contact, read_device, read_ids, read_lookup
from dedup.refusals import not_found


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
    """Reads the records of one point, with one catalogue, at one moment."""

    def __init__(self, point: Point, config: ProjectConfig, now: datetime) -> None:
        self.setting = Setting(point, config, now)

    def record(self, operation: Operation, data: Any, path: str = "") -> Record:
        draft = Draft(self.setting, operation)
        draft.read(path, data, FIELDS[operation])
        for name in REQUIRED.get(operation, ()):
            if draft.lacks(name, data) and not draft.is_faulty(below(path, name)):
                draft.fault(below(path, name), MISSING)
        if not draft.errors and not draft.identifies():
            at = below(path, IDENTIFIED_BY[operation]) if operation in IDENTIFIED_BY else path
            draft.fault(at, UNIDENTIFIED)
        if draft.errors:
            raise invalid(*draft.errors)
        return draft.record()

    def lookup(self, data: Any, path: str) -> Key:
        draft = Draft(self.setting, Operation.EDIT)
        key = lookup_key(draft, path, data)
        if draft.errors:
            raise invalid(*draft.errors)
        if key is None:
            raise not_found(Key(next(iter(data)), ""))
        return key


def _read_customer(draft: Draft, path: str, _name: str, value: Any) -> None:
    draft.read(path, value, UPSERT)


DEVICES: Fields = {DEVICE: read_device, MOBILE_DEVICE: read_device}
RECORD: Fields = {
    "ids": read_ids,
    EMAIL: read_contact,
    MOBILE_PHONE: read_contact,
    DISCOUNT_CARD: read_contact,
    **DEVICES,
    PAYMENT_CARD: read_cards,
    "personal": read_personal,
    "time_zone": read_time_zone,
    "custom_fields": read_custom_fields,
    "subscriptions": read_subscriptions,
    "segments": read_segments,
    "occurred_at": read_occurred_at,
}
UPSERT: Fields = {**RECORD, "lookup_by": read_lookup_by, "mode": read_mode}
ABOUT: Fields = {"lookup": read_lookup, "occurred_at": read_occurred_at}
FIELDS: Mapping[Operation, Fields] = {
    Operation.REGISTER: RECORD,
    Operation.UPSERT: UPSERT,
    Operation.SUBSCRIBE: UPSERT,
    Operation.EDIT: {**RECORD, **ABOUT},
    Operation.AUTHORIZE: {**DEVICES, **ABOUT},
    Operation.ORDER: {"order": read_order, "customer": _read_customer},
    Operation.POINTS: {
        **ABOUT,
        "amount": ledger_field(amount),
        "reason": ledger_field(normalise.name),
        "number": ledger_field(normalise.identifier),
    },
    Operation.PROMO_CODE: {**ABOUT, "code": ledger_field(normalise.identifier), "issued_at": read_issued_at},
}
"""What each operation takes, and who reads it."""
REQUIRED: Mapping[Operation, tuple[str, ...]] = {
    Operation.EDIT: ("lookup",),
    Operation.AUTHORIZE: ("lookup",),
    Operation.ORDER: ("order", "customer"),
    Operation.POINTS: ("lookup", "amount"),
    Operation.PROMO_CODE: ("lookup", "code"),
}
IDENTIFIED_BY: Mapping[Operation, str] = {Operation.ORDER: "customer", Operation.AUTHORIZE: DEVICE}
"""The field that must identify somebody, where it is not the record itself."""
