"""What can be asked of a profile, as data: a closed set of conditions, and groups of them (R51).

Stored as JSON, `{"version": 1, "all": [{"type": "orders_count", "op": "at_least", "value": 3}, …]}`: a group
is `all`, `any` or `none` of a list, a condition is its `type` with its fields. Each field says by its reader
what may stand in it, which is also what the builder in the admin is made of. What a condition names
(identifier kinds, custom fields, points, segments) it names by system name; whether that exists is for
`segments.references` to say. Pure.
"""

# ruff: noqa: RUF009 - the readers of fields are immutable
from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _

from customers.contact_types import CONTACT_NAMES
from customers.errors import invalid
from customers.profile import PERSONAL_FIELDS, SubscriptionStatus
from segments.readers import (
    Amount,
    Choice,
    Period,
    Reader,
    Reference,
    Refers,
    Scalar,
    Text,
    Time,
    UnreadableError,
    Whole,
)

VERSION = 1
MOST_CONDITIONS = 100
DEEPEST = 8

Fault = tuple[str, str]
"""Where in the condition, as in `all[0].value`, and what is wrong there."""


class Mode(StrEnum):
    """How a group takes its conditions."""

    ALL = "all"
    ANY = "any"
    NONE = "none"


class Op(StrEnum):
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    EXACTLY = "exactly"


class Ask(StrEnum):
    """What can be asked of a custom field."""

    KNOWN = "known"
    IS = "is"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"


class State(StrEnum):
    """What can be asked of a contact."""

    HELD = "held"
    CONFIRMED = "confirmed"
    PENDING = "pending"
    GIVES_ACCESS = "gives_access"


COUNT = Whole(0, 1_000_000_000)
AMOUNT = Amount()
PERIOD = Time()
OPS = Choice(tuple(Op))
ANY_CONTACT = "any"


def needed(reader: Reader) -> Any:
    return field(metadata={"reader": reader})


def optional(reader: Reader) -> Any:
    return field(default=None, metadata={"reader": reader})


# --- The conditions


@dataclass(frozen=True, slots=True)
class Contact:
    """Holds a contact of the type, or of any, in this state. Claims do not count."""

    contact: str = needed(Choice((ANY_CONTACT, *CONTACT_NAMES)))
    state: str = needed(Choice(tuple(State)))


@dataclass(frozen=True, slots=True)
class Identified:
    """Holds something other than devices and payment card hashes."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """Currently holds an identifier of the kind."""

    kind: str = needed(Reference(Refers.IDENTIFIER_KIND))


@dataclass(frozen=True, slots=True)
class Subscribed:
    """Has a subscription of the channel in this status: on the topic; an empty topic is the one without."""

    channel: str = needed(Choice(("email", "sms", "web_push", "mobile_push", "viber", "call")))
    status: str = needed(Choice(tuple(SubscriptionStatus)))
    topic: str | None = optional(Text(may_be_empty=True))


@dataclass(frozen=True, slots=True)
class OptedOut:
    """Opted out of everything (R53)."""


@dataclass(frozen=True, slots=True)
class OrdersCount:
    """So many orders, placed within the period if there is one. Cancelled ones count (R57)."""

    op: str = needed(OPS)
    value: int = needed(COUNT)
    period: Period | None = optional(PERIOD)


@dataclass(frozen=True, slots=True)
class OrdersTotal:
    """Orders that come to so much, whatever their currency."""

    op: str = needed(OPS)
    value: Decimal = needed(AMOUNT)
    period: Period | None = optional(PERIOD)


@dataclass(frozen=True, slots=True)
class LastOrder:
    """The latest order was placed within the period."""

    period: Period = needed(PERIOD)


@dataclass(frozen=True, slots=True)
class ActivityCount:
    """So many activities, of the kind, on pages whose address contains the text, within the period."""

    op: str = needed(OPS)
    value: int = needed(COUNT)
    kind: str | None = optional(Text())
    page: str | None = optional(Text())
    period: Period | None = optional(PERIOD)


@dataclass(frozen=True, slots=True)
class LastAction:
    """The latest personal action was within the period."""

    period: Period = needed(PERIOD)


@dataclass(frozen=True, slots=True)
class PointsBalance:
    op: str = needed(OPS)
    value: Decimal = needed(AMOUNT)


@dataclass(frozen=True, slots=True)
class PromoCodesCount:
    op: str = needed(OPS)
    value: int = needed(COUNT)


@dataclass(frozen=True, slots=True)
class Custom:
    """A custom field is known, or compares with the value. Parts of a text are looked for without case."""

    field: str = needed(Reference(Refers.CUSTOM_FIELD))
    op: str = needed(Choice(tuple(Ask)))
    value: str | int | float | bool | None = optional(Scalar())


@dataclass(frozen=True, slots=True)
class Gender:
    gender: str = needed(Choice(("male", "female", "other", "unknown")))


@dataclass(frozen=True, slots=True)
class Known:
    """A field of the personal data, or the time zone, is known."""

    field: str = needed(Choice((*PERSONAL_FIELDS, "time_zone")))


@dataclass(frozen=True, slots=True)
class Birthday:
    """The next birthday is at most so many days from today (UTC); 0 is today."""

    days: int = needed(Whole(0, 366))


@dataclass(frozen=True, slots=True)
class Age:
    """So many whole years old today (UTC)."""

    op: str = needed(OPS)
    value: int = needed(Whole(0, 150))


@dataclass(frozen=True, slots=True)
class Registered:
    """Registered within the period (R33: the earlier of all that were merged)."""

    period: Period = needed(PERIOD)


@dataclass(frozen=True, slots=True)
class RegisteredThrough:
    """The registration came through the integration point."""

    point: str = needed(Reference(Refers.POINT))


@dataclass(frozen=True, slots=True)
class InSegment:
    """Is in a segment of another segmentation."""

    segment: str = needed(Reference(Refers.SEGMENT))


Condition = (
    Contact
    | Identified
    | Identifier
    | Subscribed
    | OptedOut
    | OrdersCount
    | OrdersTotal
    | LastOrder
    | ActivityCount
    | LastAction
    | PointsBalance
    | PromoCodesCount
    | Custom
    | Gender
    | Known
    | Birthday
    | Age
    | Registered
    | RegisteredThrough
    | InSegment
)


@dataclass(frozen=True, slots=True)
class Group:
    """All, any or none of the conditions in it, of which there is at least one."""

    mode: Mode
    conditions: tuple[Node, ...]


Node = Condition | Group

TYPES: Mapping[str, type[Condition]] = {
    "identified": Identified,
    "contact": Contact,
    "identifier": Identifier,
    "subscription": Subscribed,
    "opted_out": OptedOut,
    "orders_count": OrdersCount,
    "orders_total": OrdersTotal,
    "last_order": LastOrder,
    "points_balance": PointsBalance,
    "promo_codes_count": PromoCodesCount,
    "activity_count": ActivityCount,
    "last_action": LastAction,
    "gender": Gender,
    "age": Age,
    "birthday": Birthday,
    "known": Known,
    "custom_field": Custom,
    "registered": Registered,
    "registered_through": RegisteredThrough,
    "segment": InSegment,
}
"""The closed set, by the names that are stored."""
NAMES: Mapping[type[Condition], str] = {condition: name for name, condition in TYPES.items()}


def reader_of(condition: type[Condition], name: str) -> Reader:
    """What may stand in a field."""
    reader: Reader = next(f.metadata["reader"] for f in fields(condition) if f.name == name)
    return reader


def required(condition: type[Condition]) -> tuple[str, ...]:
    return tuple(f.name for f in fields(condition) if f.default is MISSING)


def parse(data: object) -> Group:
    """A whole condition. Raises `validation_error` with every fault at its path."""
    faults: list[Fault] = []
    node = None
    if isinstance(data, dict):
        if data.get("version", VERSION) != VERSION:
            faults.append(("version", _("This version knows conditions of version 1 only.")))
        node = _group({key: value for key, value in data.items() if key != "version"}, "", faults, 0)
    else:
        faults.append(("", _("A condition is an object with all, any or none.")))
    if node and sum(1 for _c in conditions_of(node)) > MOST_CONDITIONS:
        message = _("There are too many conditions: at most %(limit)s.") % {"limit": MOST_CONDITIONS}
        faults.append(("", message))
    if faults or node is None:
        raise invalid(*faults)
    return node


def parse_node(data: object) -> Node:
    """A group or a single condition. Raises `validation_error`."""
    faults: list[Fault] = []
    node = _node(data, "", faults, 0)
    if faults or node is None:
        raise invalid(*faults)
    return node


def _node(data: object, path: str, faults: list[Fault], depth: int) -> Node | None:
    if isinstance(data, dict) and "type" in data:
        return _condition(data, path, faults)
    if isinstance(data, dict):
        return _group(data, path, faults, depth)
    faults.append((path, _("A condition is an object with a type, or with all, any or none.")))
    return None


def _group(data: Mapping[str, object], path: str, faults: list[Fault], depth: int) -> Group | None:
    match list(data.items()):
        case [(mode, [_, *_] as entries)] if mode in list(Mode) and depth < DEEPEST:
            inside = f"{path}.{mode}" if path else str(mode)
            nodes = [_node(e, f"{inside}[{n}]", faults, depth + 1) for n, e in enumerate(entries)]
            return Group(Mode(mode), tuple(node for node in nodes if node is not None))
        case [(mode, [])] if mode in list(Mode):
            faults.append((path, _("The group is empty. Add a condition, or remove the group.")))
        case _ if depth >= DEEPEST:
            faults.append((path, _("The groups are nested too deep.")))
        case _:
            faults.append((path, _("A group is one of all, any or none, with a list of conditions.")))
    return None


def _condition(data: Mapping[str, object], path: str, faults: list[Fault]) -> Condition | None:
    kind = TYPES.get(str(data["type"]))
    if kind is None:
        faults.append((_at(path, "type"), _("There is no such condition. There are: %s.") % ", ".join(TYPES)))
        return None
    known = {f.name for f in fields(kind)}
    wrong = [
        (_at(path, str(key)), _("There is no such field.")) for key in data if key not in {"type", *known}
    ]
    given = {name: data[name] for name in known if data.get(name) is not None}
    wrong += [(_at(path, name), _("It is missing.")) for name in required(kind) if name not in given]
    values: dict[str, Any] = {}
    for name, value in given.items():
        try:
            values[name] = reader_of(kind, name).read(value)
        except UnreadableError as fault:
            wrong.append((_at(path, name), str(fault)))
    faults += sorted(wrong)
    return None if wrong else kind(**values)


def _at(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def conditions_of(node: Node, path: str = "") -> Iterator[tuple[str, Condition]]:
    """The single conditions with their paths, in order."""
    if not isinstance(node, Group):
        yield path, node
        return
    inside = f"{path}.{node.mode}" if path else str(node.mode)
    for number, inner in enumerate(node.conditions):
        yield from conditions_of(inner, f"{inside}[{number}]")


def references_of(condition: Condition) -> Iterator[tuple[str, Refers, str]]:
    """What a condition names: the field that names it, what it is, and its system name."""
    for f in fields(condition):
        reader = f.metadata["reader"]
        if isinstance(reader, Reference):
            yield f.name, reader.to, getattr(condition, f.name)


def segments_of(node: Node) -> set[str]:
    """The segments a condition depends on, as `segmentation/segment`."""
    return {c.segment for _path, c in conditions_of(node) if isinstance(c, InSegment)}


def stored_form(group: Group) -> dict[str, Any]:
    """The condition as it is stored."""
    return {"version": VERSION, **as_data(group)}


def as_data(node: Node) -> dict[str, Any]:
    if isinstance(node, Group):
        return {node.mode.value: [as_data(inner) for inner in node.conditions]}
    values = {f.name: _plain(value) for f in fields(node) if (value := getattr(node, f.name)) is not None}
    return {"type": NAMES[type(node)], **values}


def _plain(value: object) -> object:
    match value:
        case Period(last_days=int(days)):
            return {"last_days": days}
        case Period(earlier_than_days=int(days)):
            return {"earlier_than_days": days}
        case Period():
            ends = {"from": value.since, "to": value.until}
            return {name: day.isoformat() for name, day in ends.items() if day}
        case Decimal():
            return f"{value:f}"
        case _:
            return value
