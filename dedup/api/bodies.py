"""Bodies of requests that are no record, read as strictly: every field at fault is named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from customers import normalise
from customers.contact_types import CONTACT_NAMES
from customers.errors import ErrorCode, SelfsameError, invalid
from customers.normalise import Invalid
from customers.profile import Key
from dedup.engine.record import Operation
from dedup.parsing.records import Parser

MERGE = "merge"
BATCH_LIMIT = 1000
MERGE_LIMIT = 100
TEXT_LIMIT = 500
RECORDED = tuple(operation for operation in Operation if operation is not Operation.CONFIRM)
"""Operations that take a record."""


class Body:
    """The object of a request. Faults are collected and raised together by `check`."""

    def __init__(
        self, data: Any, required: Iterable[str], optional: Iterable[str] = (), path: str = ""
    ) -> None:
        self.path = path
        self.errors: list[tuple[str, str]] = []
        self.refused: SelfsameError | None = None
        if not isinstance(data, dict):
            raise invalid((path, _("It must be an object, in curly brackets.")))
        self.data: Mapping[str, Any] = data
        known = {*required, *optional}
        for name in data.keys() - known:
            shown = name[:100].encode("ascii", "backslashreplace").decode()
            self.fault(shown, _("There is no such field. Look for a typing error."))
        for name in required:
            if data.get(name) in (None, ""):
                self.fault(name, _("It is missing."))

    def at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def fault(self, name: str, message: str) -> None:
        self.errors.append((self.at(name), message))

    def check(self) -> None:
        if self.errors:
            raise invalid(*self.errors)
        if self.refused:
            raise self.refused

    def has(self, name: str) -> bool:
        return self.data.get(name) not in (None, "")

    def text(self, name: str) -> str:
        value = self.data.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**20:
            value = str(value)
        if value in (None, ""):
            return ""
        if isinstance(value, str) and len(value) <= TEXT_LIMIT:
            return value.strip()
        self.fault(name, _("It must be a text."))
        return ""

    def lookup(self, parser: Parser, name: str, value: Any) -> Key | None:
        """One `{kind: value}`. A value on the block list finds nobody, once all else is right."""
        try:
            return parser.lookup(value, self.at(name))
        except SelfsameError as error:
            if error.code is ErrorCode.VALIDATION_ERROR:
                self.errors += [(item["path"], item["message"]) for item in error.data["errors"]]
            else:
                self.refused = error
        return None

    def lookups(self, parser: Parser, name: str, limit: int) -> list[Key]:
        value = self.data.get(name)
        if not isinstance(value, list) or not 0 < len(value) <= limit:
            self.fault(name, _("It must be a list of 1 to %(limit)d identifiers.") % {"limit": limit})
            return []
        found = [self.lookup(parser, f"{name}[{index}]", item) for index, item in enumerate(value)]
        return [key for key in found if key]


def one_of(names: Iterable[str]) -> str:
    """What is wrong with a name that is none of these."""
    return _("It is one of: %(names)s.") % {"names": ", ".join(names)}


@dataclass(frozen=True, slots=True)
class Merging:
    customers: list[Key]
    resulting: Key
    preview_token: str | None


def merging(data: Any, parser: Parser, *more: str) -> Merging:
    """Customers to merge and the one that results; `more` are fields somebody else reads."""
    body = Body(data, ("customers", "resulting"), ("preview_token", *more))
    customers = body.lookups(parser, "customers", MERGE_LIMIT) if body.has("customers") else []
    resulting = body.lookup(parser, "resulting", data["resulting"]) if body.has("resulting") else None
    sent = data.get("preview_token")
    token = body.text("preview_token") or None
    if isinstance(sent, str) and not sent.strip():
        body.fault("preview_token", _("Take it from the preview, or leave it out to merge without one."))
    body.check()
    assert resulting
    return Merging(customers, resulting, token)


def pair(data: Any, parser: Parser) -> tuple[Key, Key]:
    """Two customers to be explained."""
    body = Body(data, ("customers",))
    if body.has("customers") and (not isinstance(data["customers"], list) or len(data["customers"]) != 2):
        body.fault("customers", _("Name exactly two customers."))
    keys = body.lookups(parser, "customers", 2) if not body.errors else []
    body.check()
    return keys[0], keys[1]


@dataclass(frozen=True, slots=True)
class Batch:
    operation: Operation
    records: list[Any]


def batch(data: Any) -> Batch:
    """Up to 1000 records of one operation; more is `too_large`."""
    body = Body(data, ("operation", "records"))
    operation = operation_of(body)
    records = data.get("records")
    if body.has("records") and not isinstance(records, list):
        body.fault("records", _("It must be a list, in square brackets."))
    body.check()
    assert operation
    if len(records) > BATCH_LIMIT:
        detail = _("A batch takes up to %(limit)d records. Send them in several.")
        raise SelfsameError(ErrorCode.TOO_LARGE, detail % {"limit": BATCH_LIMIT})
    return Batch(operation, records)


def operation_of(body: Body, *more: str) -> Operation | None:
    """The operation a body names, None where it is one of `more` or a fault."""
    name = body.data.get("operation")
    if isinstance(name, str) and name in RECORDED:
        return Operation(name)
    if body.has("operation") and name not in more:
        body.fault("operation", one_of((*RECORDED, *more)))
    return None


@dataclass(frozen=True, slots=True)
class ByToken:
    token: str


@dataclass(frozen=True, slots=True)
class ByCode:
    lookup: Key
    contact: Key
    code: str


@dataclass(frozen=True, slots=True)
class Reported:
    lookup: Key
    contact: Key
    confirmed_at: datetime


def confirming(data: Any, parser: Parser) -> ByToken | ByCode | Reported:
    """A token; or a contact of a customer with the code sent to it, or with the time the integrator confirmed
    it (R45).
    """
    if isinstance(data, dict) and "token" in data:
        body = Body(data, ("token",))
        token = body.text("token")
        body.check()
        return ByToken(token)
    body = Body(data, ("lookup", "contact"), ("code", "confirmed_at"))
    lookup = body.lookup(parser, "lookup", data["lookup"]) if body.has("lookup") else None
    contact = body.lookup(parser, "contact", data["contact"]) if body.has("contact") else None
    if contact and contact.kind not in CONTACT_NAMES:
        body.fault("contact", one_of(CONTACT_NAMES))
    if body.has("code") == body.has("confirmed_at"):
        body.fault(
            "code", _("Send either the code, or confirmed_at where you confirmed the contact yourself.")
        )
    code, confirmed_at = body.text("code"), _moment(body, parser)
    body.check()
    assert lookup
    assert contact
    return Reported(lookup, contact, confirmed_at) if confirmed_at else ByCode(lookup, contact, code)


def _moment(body: Body, parser: Parser) -> datetime | None:
    if not body.has("confirmed_at"):
        return None
    try:
        return min(normalise.event_moment(body.data["confirmed_at"]), parser.context.now)
    except Invalid as error:
        body.fault("confirmed_at", error.message(_))
        return None
