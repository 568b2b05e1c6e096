"""What each type of condition means, said a second time: person by person, in plain Python. The statement of
`segments.conditions.query` must find the same people.

One more type of condition has its entry in `MEANINGS`: how to make one up, and who meets it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from segments.conditions.base import Condition
from segments.conditions.context import ConditionContext
from segments.conditions.custom_fields import ASKS, Custom
from segments.conditions.fields import Period
from segments.conditions.tree import Group, Mode, Node
from tests.segments.people import ACTIONS, CHANNELS, FIELDS, KINDS, NOW, PAGES, STATUSES, TOPICS, Part, Person


class Inventor:
    """Makes conditions up."""

    def __init__(self, seed: int, context: ConditionContext) -> None:
        self.random, self.context = random.Random(seed), context

    def condition(self, name: str) -> dict[str, Any]:
        return {"type": name, **MEANINGS[name].invented(self)}

    def node(self, depth: int = 0) -> dict[str, Any]:
        if depth == 3 or self.random.random() < 0.4:
            return self.condition(self.pick(MEANINGS))
        inside = [self.node(depth + 1) for _n in range(self.random.randint(1, 3))]
        return {self.pick(["all", "any", "none"]): inside}

    def pick(self, options: Any) -> Any:
        return self.random.choice(list(options))

    def maybe(self, **values: Any) -> dict[str, Any]:
        return values if self.random.random() < 0.5 else {}

    def maybe_period(self) -> dict[str, Any]:
        return self.maybe(period=self.period())

    def period(self) -> dict[str, Any]:
        days = {"from": "2026-01-30", "to": "2026-02-28"}
        chosen: dict[str, Any] = self.pick(
            [
                {self.pick(["last_days", "earlier_than_days"]): self.pick([1, 7, 30, 90, 400])},
                self.pick([days, {"from": "2026-02-22"}, {"to": "2026-01-30"}]),
            ]
        )
        return chosen

    def compared(self, *values: Any) -> dict[str, Any]:
        return {"op": self.pick(["at_least", "at_most", "exactly"]), "value": self.pick(values)}

    def custom(self) -> dict[str, Any]:
        name = self.pick(FIELDS)
        op = self.pick(ASKS[self.context.custom_types[name]])
        if op == "known":
            return {"field": name, "op": op.value}
        wanted = {"likes": ["tea", "rye"], "colour": ["red", "Red", "50%", "%"]}.get(name, FIELDS[name][1])
        value = self.pick(wanted)
        return {"field": name, "op": op.value, "value": str(value) if name == "score" else value}


@dataclass(frozen=True)
class Meaning:
    """`invented` makes up the fields of a condition, `meets` says whether a person meets one."""

    invented: Callable[[Inventor], dict[str, Any]]
    meets: Callable[[Person, Any], bool]


def meets(p: Person, node: Node) -> bool:
    match node:
        case Group(Mode.ALL, inside):
            return all(meets(p, inner) for inner in inside)
        case Group(Mode.ANY, inside):
            return any(meets(p, inner) for inner in inside)
        case Group(Mode.NONE, inside):
            return not any(meets(p, inner) for inner in inside)
    assert isinstance(node, Condition)
    return MEANINGS[node.name].meets(p, node)


# --- Contacts and identifiers


def has_contact(p: Person, c: Any) -> bool:
    states = [flags for kind, *flags in p.held if c.contact in ("any", kind)]
    return any(is_in_state(c.state, *flags) for flags in states)


def is_in_state(state: str, must_be_confirmed: bool, confirmed: bool, gives_access: bool) -> bool:
    return {
        "held": True,
        "confirmed": confirmed,
        "pending": must_be_confirmed and not confirmed,
        "gives_access": gives_access,
    }[state]


def has_identifier(p: Person, c: Any) -> bool:
    return c.kind in p.ids or c.kind in {held[0] for held in p.held}


def is_subscribed(p: Person, c: Any) -> bool:
    return any(
        (channel, status) == (c.channel, c.status) and c.topic in (None, topic)
        for (channel, topic), status in p.subscriptions.items()
    )


# --- Orders, loyalty and activity


def orders(p: Person) -> list[tuple[datetime, Decimal]]:
    return [order for part in p.parts for order in part.orders]


def activities(p: Person, c: Any) -> int:
    return sum(
        c.kind in (None, kind) and (c.page or "") in url and is_within(at, c.period)
        for part in p.parts
        for at, kind, url in part.actions
    )


def last_is_within(moments: list[datetime], period: Period) -> bool:
    return bool(moments) and is_within(max(moments), period)


# --- Personal data


def age(born: date) -> int:
    today = NOW.date()
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def has_birthday_within(born: date | None, days: int) -> bool:
    return born is not None and any(
        is_birthday(born, NOW.date() + timedelta(days=n)) for n in range(days + 1)
    )


def is_birthday(born: date, day: date) -> bool:
    if (born.month, born.day) == (2, 29) and (day.month, day.day) == (2, 28):
        return not (day.year % 4 == 0 and (day.year % 100 or day.year % 400 == 0))
    return (born.month, born.day) == (day.month, day.day)


def meets_custom(p: Person, c: Custom) -> bool:  # noqa: PLR0911 - one for each question
    if c.field not in p.custom_fields:
        return False
    have, kind = p.custom_fields[c.field], FIELDS[c.field][0]
    wanted: Any = c.value
    if kind in ("integer", "decimal") and wanted is not None:
        have, wanted = Decimal(have), Decimal(str(wanted))
    if kind == "datetime" and wanted is not None:
        have, wanted = datetime.fromisoformat(have), datetime.fromisoformat(wanted)
    match c.op:
        case "known":
            return True
        case "is":
            return bool(have == wanted)
        case "at_least":
            return bool(have >= wanted)
        case "at_most":
            return bool(have <= wanted)
        case "starts_with":
            return bool(have.lower().startswith(wanted.lower()))
    return wanted in have if kind == "list" else wanted.lower() in have.lower()


# --- Registration


def first_part(p: Person) -> Part:
    return min(p.parts, key=lambda part: (part.registered_at, part.id))


# --- Comparisons


def compares(number: Any, c: Any) -> bool:
    match c.op:
        case "at_least":
            return bool(number >= c.value)
        case "at_most":
            return bool(number <= c.value)
    return bool(number == c.value)


def is_within(at: datetime, period: Period | None) -> bool:
    match period:
        case None:
            return True
        case Period(last_days=int(days)):
            return at >= NOW - timedelta(days=days)
        case Period(earlier_than_days=int(days)):
            return at < NOW - timedelta(days=days)
    return (period.since is None or at.date() >= period.since) and (
        period.until is None or at.date() <= period.until
    )


MEANINGS: Mapping[str, Meaning] = {
    "identified": Meaning(lambda _i: {}, lambda p, _c: p.is_identified),
    "contact": Meaning(
        lambda i: {
            "contact": i.pick(["any", *KINDS]),
            "state": i.pick(["held", "confirmed", "pending", "gives_access"]),
        },
        has_contact,
    ),
    "identifier": Meaning(
        lambda i: {"kind": i.pick(["crm_id", "session_key", "device_id", "email"])}, has_identifier
    ),
    "subscription": Meaning(
        lambda i: {
            "channel": i.pick([*CHANNELS, "viber"]),
            "status": i.pick(STATUSES),
            **i.maybe(topic=i.pick(TOPICS)),
        },
        is_subscribed,
    ),
    "opted_out": Meaning(lambda _i: {}, lambda p, _c: p.opted_out),
    "orders_count": Meaning(
        lambda i: {**i.compared(0, 1, 2, 4), **i.maybe_period()},
        lambda p, c: compares(sum(is_within(at, c.period) for at, _total in orders(p)), c),
    ),
    "orders_total": Meaning(
        lambda i: {**i.compared("0", "5.5", 20, "25.50"), **i.maybe_period()},
        lambda p, c: compares(sum(total for at, total in orders(p) if is_within(at, c.period)), c),
    ),
    "last_order": Meaning(
        lambda i: {"period": i.period()},
        lambda p, c: last_is_within([at for at, _total in orders(p)], c.period),
    ),
    "points_balance": Meaning(
        lambda i: i.compared(-3, 0, 10),
        lambda p, c: compares(sum(part.points for part in p.parts if part.orders), c),
    ),
    "promo_codes_count": Meaning(
        lambda i: i.compared(0, 1, 2),
        lambda p, c: compares(sum(part.promo_codes for part in p.parts if part.orders), c),
    ),
    "activity_count": Meaning(
        lambda i: {
            **i.compared(0, 1, 3),
            **i.maybe(kind=i.pick(ACTIONS)),
            **i.maybe(page=i.pick(["shoes", "50%", *PAGES[:1]])),
            **i.maybe_period(),
        },
        lambda p, c: compares(activities(p, c), c),
    ),
    "last_action": Meaning(
        lambda i: {"period": i.period()},
        lambda p, c: last_is_within(
            [part.last_action_at for part in p.parts if part.last_action_at], c.period
        ),
    ),
    "gender": Meaning(
        lambda i: {"gender": i.pick(["male", "female", "other"])},
        lambda p, c: bool(p.personal["gender"] == c.gender),
    ),
    "age": Meaning(
        lambda i: i.compared(18, 19, 30, 36),
        lambda p, c: bool(born := p.personal["birth_date"]) and compares(age(born), c),
    ),
    "birthday": Meaning(
        lambda i: {"days": i.pick([0, 1, 5, 300, 365])},
        lambda p, c: has_birthday_within(p.personal["birth_date"], c.days),
    ),
    "known": Meaning(
        lambda i: {"field": i.pick(["last_name", "birth_date", "gender", "time_zone", "middle_name"])},
        lambda p, c: p.personal.get(c.field) is not None,
    ),
    "custom_field": Meaning(lambda i: i.custom(), meets_custom),
    "registered": Meaning(
        lambda i: {"period": i.period()},
        lambda p, c: is_within(first_part(p).registered_at, c.period),
    ),
    "registered_through": Meaning(
        lambda i: {"point": i.pick(["shop", "till"])}, lambda p, c: bool(first_part(p).point == c.point)
    ),
    "segment": Meaning(
        lambda i: {"segment": i.pick(["level/silver", "level/gold"])},
        lambda p, c: bool(c.segment == f"level/{p.segment}"),
    ),
}
