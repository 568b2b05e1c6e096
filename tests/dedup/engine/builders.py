"""Small builders for what the engine decides on, and a memory that keeps what it decided as the tables do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from customers.changes import (
    ApartLifted,
    Change,
    ConfirmationAsked,
    Created,
    Dated,
    Held,
    IdentifiedChanged,
    IdentifierUsed,
    KeptApart,
    Merged,
    Order,
    OrderSaved,
    PointsAdded,
    PromoCodeIssued,
    Unmerged,
    UsedBefore,
    Why,
)
from customers.profile import DEVICES, Category, Holding, Key, Kind, Member, Profile
from customers.transitions import apply
from dedup.engine.merge import merge
from dedup.engine.outcome import Outcome, Refusal
from dedup.engine.reasons import Reason
from dedup.engine.record import Operation, Record, Sent
from dedup.engine.resolve import decide
from dedup.engine.undo import Journal, undo
from dedup.engine.unit_of_work import UnitOfWork
from dedup.engine.world import EarlierUse, Message, World

kinds: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(1, "email", Category.EMAIL),
        Kind(2, "mobile_phone", Category.MOBILE_PHONE),
        Kind(3, "discount_card", Category.DISCOUNT_CARD),
        Kind(4, "device_id", Category.DEVICE),
        Kind(5, "mobile_device_id", Category.MOBILE_DEVICE),
        Kind(100, "crm_id", Category.UNIQUE),
        Kind(101, "passport_id", Category.UNIQUE, do_not_merge_different=True),
        Kind(102, "session_key", Category.IDENTIFIER),
    )
}
LOOKUP_BY = ("maestra_id", "crm_id", "passport_id", "session_key")
CONTACTS_TOO = (*LOOKUP_BY, "email", "mobile_phone", "discount_card")

ANN, BOB, EVE = "ann@example.com", "bob@example.com", "eve@example.com"
PHONE, PHONE_2, PHONE_3 = "+14155550101", "+14155550102", "+14155550103"
CARD, COOKIE, APP, HASH, SESSION = "7001", "cookie-1", "app-1", "hash-1", "session-1"


def day(number: float) -> datetime:
    """Noon of a day of the story, counted from 1."""
    return datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=number - 1)


NOW = day(300)


def key(kind: str, value: str) -> Key:
    return Key(kind, value)


def sent(kind: str, value: str, **flags: bool) -> Sent:
    """An identifier as a record brings it. Flags as of `Sent`."""
    return Sent(kind, value, kinds[kind].category, value, **flags)


def identifiers(**values: Any) -> tuple[Sent, ...]:
    """By kind: a value, a `Sent`, or a list of either."""
    return tuple(
        value if isinstance(value, Sent) else sent(kind, value)
        for kind, given in values.items()
        for value in (given if isinstance(given, list) else [given])
    )


def record(operation: Operation, number: float = 1, /, **values: Any) -> Record:
    """A record of a day. What is the name of an identifier kind is an identifier, the rest as of `Record`."""
    own = {name: value for name, value in values.items() if name not in kinds}
    brought = identifiers(**{name: value for name, value in values.items() if name in kinds})
    return Record(operation, day(number), brought, **{"lookup_by": LOOKUP_BY, **own})


def undated(changes: Iterable[Change]) -> tuple[Change, ...]:
    """The changes less those that tell how young something is (R59)."""
    return tuple(change for change in changes if not isinstance(change, Dated | IdentifierUsed))


def order(number: str = "A-1", number_of_day: float = 1, total: str = "10") -> Order:
    at = day(number_of_day)
    return Order(number=number, total=Decimal(total), currency="EUR", placed_at=at, status="placed")


def holding(kind: str, value: str, origin: int = 1, since: float = 1, **more: Any) -> Holding:
    return Holding(kind, value, kinds[kind].category, value, origin, day(since), **more)


def profile(maestra_id: int = 1, *holdings: Holding, registered: float = 1, **more: Any) -> Profile:
    """A profile with one member, and the first e-mail and phone primary unless another one is."""
    members = more.pop("members", (Member(maestra_id, day(registered)),))
    held: dict[Key, Holding] = {}
    for h in holdings:
        leads = h.kind in ("email", "mobile_phone") and not any(
            o.kind == h.kind and o.is_primary for o in holdings
        )
        first = leads and not any(o.kind == h.kind for o in held.values())
        held[h.key] = replace(h, is_primary=True) if first else h
    return Profile(maestra_id, members, holdings=held, **more)


def world(*profiles: Profile, **more: Any) -> World:
    """A world of these profiles with everything that follows from them."""
    return World(**{
        "kinds": kinds,
        "profiles": {p.maestra_id: p for p in profiles},
        "primary_ids": {m: p.maestra_id for p in profiles for m in p.maestra_ids},
        "holders": holders_of(profiles),
        "card_holders": card_holders(profiles),
        "new_ids": range(1000, 2000),
        **more,
    })  # fmt: skip


def holders_of(profiles: Iterable[Profile]) -> dict[Key, int]:
    """Whom each value finds: of several who had it, the one whose way to have it counts (R3)."""
    had: dict[Key, dict[int, Holding]] = {}
    for p in profiles:
        for k, h in p.holdings.items():
            had.setdefault(k, {})[p.maestra_id] = h
    return {k: max(by, key=lambda number: counts_by(by[number])) for k, by in had.items()}


def counts_by(h: Holding) -> tuple[bool, datetime]:
    return not h.is_former, h.retired_at or h.since


def card_holders(profiles: Iterable[Profile]) -> dict[str, frozenset[int]]:
    found: dict[str, frozenset[int]] = {}
    for p in profiles:
        for card in p.cards:
            found[card] = found.get(card, frozenset()) | {p.maestra_id}
    return found


@dataclass
class Memory:
    """Keeps all profiles over many records from nothing but the changes, as the tables do.

    `identified` is what is noted of each customer, absorbed ones included. `uses` are the devices with the
    MaestraIDs they were ever attached to, `late_uses` those of somebody who is not their holder (R59),
    `journals` the merges not undone, the latest last.
    """

    shared_device_limit: int = 5
    larger_fields: frozenset[str] = frozenset()
    kinds: Mapping[str, Kind] = field(default_factory=lambda: kinds)
    profiles: dict[int, Profile] = field(default_factory=dict)
    identified: dict[int, bool] = field(default_factory=dict)
    uses: set[tuple[Key, int]] = field(default_factory=set)
    apart: set[frozenset[int]] = field(default_factory=set)
    orders: dict[str, tuple[int, Order]] = field(default_factory=dict)
    points: dict[str, int] = field(default_factory=dict)
    promo_codes: dict[str, int] = field(default_factory=dict)
    messages: list[tuple[Key, Message]] = field(default_factory=list)
    late_uses: dict[tuple[Key, datetime], EarlierUse] = field(default_factory=dict)
    journals: list[Journal] = field(default_factory=list)
    next_id: int = 1
    merges: int = 0
    now: datetime = NOW

    def copy(self) -> Memory:
        return replace(
            self,
            profiles=dict(self.profiles),
            identified=dict(self.identified),
            uses=set(self.uses),
            messages=list(self.messages),
            late_uses=dict(self.late_uses),
            apart=set(self.apart),
            orders=dict(self.orders),
            points=dict(self.points),
            promo_codes=dict(self.promo_codes),
            journals=list(self.journals),
        )

    @property
    def primary_ids(self) -> dict[int, int]:
        return {m: primary_id for primary_id, p in self.profiles.items() for m in p.maestra_ids}

    def world(self, new_ids: int = 10) -> World:
        """Everything, as the store would read it."""
        return world(
            *self.profiles.values(),
            kinds=self.kinds,
            larger_fields=self.larger_fields,
            shared_device_limit=self.shared_device_limit,
            device_users=self._device_users(),
            messages=tuple(self.messages),
            uses=dict(self.late_uses),
            apart=frozenset(self.apart),
            orders=dict(self.orders),
            points=dict(self.points),
            promo_codes=dict(self.promo_codes),
            new_ids=range(self.next_id, self.next_id + new_ids),
        )

    def _device_users(self) -> dict[Key, frozenset[int]]:
        primary_ids, users = self.primary_ids, dict[Key, frozenset[int]]()
        for device, maestra_id in self.uses:
            primary_id = primary_ids.get(maestra_id)
            if primary_id is not None and self.profiles[primary_id].is_identified:
                users[device] = users.get(device, frozenset()) | {primary_id}
        return users

    def submit(self, *records: Record) -> list[Outcome | Refusal]:
        """Decide records in one batch and keep what they change."""
        work = UnitOfWork(self.world(len(records)))
        outcomes = [decide(work, record, self.now) for record in records]
        for outcome in outcomes:
            self.store(outcome)
        return outcomes

    def __call__(self, operation: Operation, number: float = 1, /, **values: Any) -> Outcome:
        """One record that must not be refused."""
        (outcome,) = self.submit(record(operation, number, **values))
        assert isinstance(outcome, Outcome), outcome
        return outcome

    def refusal(
        self, operation: Operation, number: float = 1, /, **values: Any
    ) -> tuple[str, dict[str, Any]]:
        """The code and data of a record's refusal, which must leave everything as it was."""
        before = self.copy()
        (refusal,) = self.submit(record(operation, number, **values))
        assert isinstance(refusal, Refusal), refusal
        assert self == before
        return refusal.code.value, dict(refusal.data)

    def merge(self, customers: Sequence[int], resulting: int) -> Outcome | Refusal:
        outcome = merge(self.world(), customers, resulting, Reason.API, self.now)
        self.store(outcome)
        return outcome

    def undo(self) -> Outcome:
        """Take the latest merge back."""
        outcome = undo(self.world(), self.journals[-1], self.now)
        self.store(outcome)
        return outcome

    def keep_apart(self, left: int, right: int) -> None:
        for a, b in ((left, right), (right, left)):
            self._take(KeptApart(customer=a, maestra_id=a, other=b, why=Why.RECORD))

    def lift_apart(self, left: int, right: int) -> None:
        for a, b in ((left, right), (right, left)):
            self._take(ApartLifted(customer=a, maestra_id=a, other=b))

    def store(self, outcome: Outcome | Refusal) -> None:
        if isinstance(outcome, Outcome):
            self.take(outcome.changes)

    def take(self, changes: Iterable[Change]) -> None:
        for change in changes:
            self._take(change)
        self.next_id = max([self.next_id - 1, *self.primary_ids]) + 1

    def _take_remark(self, change: Change) -> None:
        match change:
            case UsedBefore():
                use = EarlierUse(change.maestra_id, change.holder, change.until)
                self.late_uses[change.key, change.at] = use
                if change.category in DEVICES:
                    self.uses.add((change.key, change.maestra_id))
            case ConfirmationAsked():
                message = Message(change.maestra_id, self.now)
                self.messages.append((Key(change.kind, change.value), message))

    def _take(self, change: Change) -> None:
        apply(self.profiles, change)
        self._take_remark(change)
        match change:
            case Held() if change.before is None and change.after.category in DEVICES:
                self.uses.add((change.after.key, change.after.origin))
            case Merged():
                self.merges += 1
                self.journals.append(Journal(self.merges, change.survivor, change.absorbed, change.result))
            case Created():
                self.identified[change.customer] = False
            case IdentifiedChanged():
                self.identified[change.customer] = change.is_identified
            case Unmerged():
                for p in (change.remaining, change.restored):
                    self.identified[p.maestra_id] = p.is_identified
                self.journals = [j for j in self.journals if j.merge_id != change.merge_id]
            case KeptApart():
                self.apart.add(frozenset((change.customer, change.other)))
            case ApartLifted():
                ids, others = (self.profiles[p].maestra_ids for p in (change.customer, change.other))
                self.apart -= {frozenset((a, b)) for a in ids for b in others}
            case OrderSaved():
                self.orders[change.after.number] = (change.maestra_id, change.after)
            case PointsAdded() if change.number:
                self.points[change.number] = change.maestra_id
            case PromoCodeIssued():
                self.promo_codes[change.code] = change.maestra_id
            case _:
                pass
