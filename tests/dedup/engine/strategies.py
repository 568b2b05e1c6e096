"""Random records of a small world: few values, so that they meet; every operation, flag and setting.

What a record carries besides its identifiers is drawn whole from a list: every draw costs time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import combinations
from typing import Any

from hypothesis import strategies as st

from customers.profile import CONTACTS, MAESTRA_ID, WITH_PRIMARY, Category, Channel, Key, SubscriptionStatus
from dedup.engine.record import (
    Mode,
    Operation,
    PointsMovement,
    PromoCode,
    Record,
    Sent,
    SentMembership,
    SentSubscription,
)
from tests.dedup.engine.builders import CONTACTS_TOO, LOOKUP_BY, day, kinds, order

VALUES: Mapping[str, tuple[str, ...]] = {
    "email": ("ann@x", "bob@x", "eve@x"),
    "mobile_phone": ("+1", "+2", "+3"),
    "discount_card": ("7001", "7002"),
    "device_id": ("cookie-1", "cookie-2"),
    "mobile_device_id": ("app-1",),
    "crm_id": ("c1", "c2", "c3"),
    "passport_id": ("p1", "p2"),
    "session_key": ("s1", "s2"),
}
KEYS = [Key(kind, value) for kind, values in VALUES.items() for value in values]
LOOKUPS = [*KEYS, *(Key(MAESTRA_ID, str(number)) for number in range(1, 7) for _ in range(2))]
TYPES = sorted(category.value for category in CONTACTS)
FLAGGED = [frozenset(some) for n in (0, 0, 1, 2, 3) for some in combinations(TYPES, n)]
POINTS = [(confirming, accessing) for confirming in FLAGGED for accessing in FLAGGED]
"""The contact types that must be confirmed, and those that give account access."""
RECORDED = [op for op in Operation if op is not Operation.CONFIRM]
BY_LOOKUP = {Operation.EDIT, Operation.AUTHORIZE, Operation.POINTS, Operation.PROMO_CODE}
LEDGER_ONLY = {Operation.POINTS, Operation.PROMO_CODE}

EXTRAS: list[dict[str, Any]] = [
    *({} for _ in range(12)),
    {"personal": {"first_name": "A", "last_name": "A"}},
    {"personal": {"first_name": "B"}, "custom_fields": {"size": 2}},
    {"personal": {"last_name": "B"}},
    {"personal": {"first_name": None}, "custom_fields": {"size": None}},
    {"custom_fields": {"size": 1}, "time_zone": "Asia/Tokyo"},
    {"time_zone": "Europe/Berlin"},
    *({"subscriptions": (SentSubscription(Channel("email", ""), status),)} for status in SubscriptionStatus),
    {"subscriptions": (SentSubscription(Channel("email", "news"), SubscriptionStatus.SUBSCRIBED, day(3)),)},
    *({"memberships": (SentMembership(1, segment),)} for segment in (1, 2, None)),
    *({"cards": (card,)} for card in ("hash-1", "hash-2", "hash-1")),
]
EDITS: list[dict[str, Any]] = [
    *({} for _ in range(8)),
    *({"mode": Mode.FILL} for _ in range(3)),
    *({"clears": frozenset({kind})} for kind in VALUES),
    {"clears": frozenset({"time_zone", "email"})},
    *({"maestra_id": number} for number in (1, 2, 3)),
]

flags = st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans())


@st.composite
def records(draw: st.DrawFn) -> Record:
    """Any record that the parser could let through."""
    operation = draw(st.sampled_from(RECORDED))
    number, serial = draw(st.tuples(st.integers(1, 20), st.integers(1, 3)))
    confirming, accessing = draw(st.sampled_from(POINTS))
    if operation is Operation.SUBSCRIBE:
        confirming = accessing = frozenset()
    personal, by_contacts, is_confirmed, asks = draw(flags)
    values: dict[str, Any] = {
        "access_kinds": accessing,
        "lookup_by": CONTACTS_TOO if by_contacts else LOOKUP_BY,
        "personal_action": personal or operation is Operation.ORDER,
        **ledger(operation, number, serial),
    }
    if operation in BY_LOOKUP:
        values["lookup"] = draw(st.sampled_from(LOOKUPS))
    if operation not in LEDGER_ONLY:
        chosen = draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=4, unique=True))
        values["identifiers"] = brought(chosen, confirming, accessing, is_confirmed=is_confirmed, asks=asks)
        values.update(draw(st.sampled_from(EXTRAS)))
    if operation in (Operation.EDIT, Operation.UPSERT):
        values.update(draw(st.sampled_from(EDITS)))
    return without_contradiction(Record(operation, day(number), **values))


def brought(
    chosen: list[Key],
    confirming: frozenset[str],
    accessing: frozenset[str],
    *,
    is_confirmed: bool,
    asks: bool,
) -> tuple[Sent, ...]:
    """Each value once, of a unique kind one. The first of several e-mails or phones is to be the primary;
    a single one is where the sender asks for it.
    """
    first = {key.kind: key for key in reversed(chosen)}
    return tuple(
        Sent(
            key.kind,
            key.value,
            kinds[key.kind].category,
            key.value,
            is_primary=key == first[key.kind] and leads(key, chosen, asks=asks),
            is_confirmed=is_confirmed and key.kind in confirming,
            must_be_confirmed=key.kind in confirming,
            gives_access=key.kind in accessing,
        )
        for key in chosen
        if kinds[key.kind].category is not Category.UNIQUE or key == first[key.kind]
    )


def leads(key: Key, chosen: list[Key], *, asks: bool) -> bool:
    several = sum(other.kind == key.kind for other in chosen) > 1
    return kinds[key.kind].category in WITH_PRIMARY and (several or asks)


def without_contradiction(record: Record) -> Record:
    """Nothing is sent and cleared in one record."""
    sent = {s.kind for s in record.identifiers} | ({"time_zone"} if record.time_zone else set())
    return replace(record, clears=record.clears - sent)


def ledger(operation: Operation, number: int, serial: int) -> dict[str, Any]:
    """The order, points or promo code of the operations that bring one."""
    match operation:
        case Operation.ORDER:
            return {"order": order(f"A-{serial}", number)}
        case Operation.POINTS:
            return {"points": PointsMovement(Decimal(5), "welcome", f"P-{serial}")}
        case Operation.PROMO_CODE:
            return {"promo_code": PromoCode(f"C-{serial}", day(number))}
        case _:
            return {}
