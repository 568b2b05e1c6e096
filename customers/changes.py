"""The closed set of changes a profile can undergo.

A change is at once the write and the history: the engine can alter a profile only by emitting these, the
writers write exactly these, and the same rows are the change history. `apply` says what each of them does to
profiles, `diff` finds the changes that lead from one profile to another. Pure, like `customers.profile`.

`customer` is the primary MaestraID of the profile at the time; `maestra_id` is the MaestraID the change
happened to, under which its history stays for ever (R40).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypedDict, TypeVar, assert_never

from customers.profile import (
    Channel,
    Claim,
    Holding,
    Key,
    Member,
    Membership,
    Note,
    Personal,
    Profile,
    Subscription,
)


class Why(StrEnum):
    """What made a change happen."""

    RECORD = "record"
    MERGE = "merge"
    UNDO = "undo"
    SETTLED = "settled"
    MOVED = "moved"
    CLEARED = "cleared"
    CONFIRMED = "confirmed"
    OPT_OUT = "opt_out"
    RECALCULATED = "recalculated"


class Reason(StrEnum):
    """Why two were taken for one person (R41)."""

    MATCHED_EXACTLY = "matched_exactly"
    SAME_DEVICE = "same_device"
    PAYMENT_CARD = "payment_card"
    API = "api"
    ADMIN = "admin"
    BOTH_CONFIRMED = "both_confirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Why a join or merge happened and who had priority in it: the evidence that travels with it (R29, R41).

    `matched` are the values shared, hashes of payment cards left out (R10). `priority` is the MaestraID that
    had priority, or None where the incoming record had it. `criterion` is the one of R29 that decided.
    """

    reason: Reason
    matched: tuple[Key, ...] = ()
    priority: int | None = None
    criterion: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    customer: int
    maestra_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Created(Base):
    """A new customer with its MaestraID (R1)."""

    registered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalDataChanged(Base):
    before: Personal
    after: Personal
    why: Why = Why.RECORD


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeZoneChanged(Base):
    before: str | None
    after: str | None
    why: Why = Why.RECORD


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomFieldsChanged(Base):
    """Only the fields that differ; a field missing in `after` was cleared."""

    before: Mapping[str, Any]
    after: Mapping[str, Any]
    why: Why = Why.RECORD


@dataclass(frozen=True, slots=True, kw_only=True)
class Held(Base):
    """The customer holds the identifier as `after`: new to it (`before` is None), or with other flags, or
    retired to history.
    """

    before: Holding | None
    after: Holding
    taken_from: int | None = None
    why: Why = Why.RECORD


@dataclass(frozen=True, slots=True, kw_only=True)
class Released(Base):
    """The customer no longer holds the identifier; `to` has it now, or nobody."""

    holding: Holding
    to: int | None = None
    why: Why = Why.CLEARED


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed(Base):
    claim: Claim
    why: Why = Why.RECORD


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclaimed(Base):
    claim: Claim
    why: Why = Why.CLEARED


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactLost(Base):
    """The customer named a contact that stays with, or went to, `to` (R30)."""

    kind: str
    value: str
    to: int
    criterion: str
    was_held: bool
    pending: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactReceived(Base):
    """The customer kept, or was given, a contact that `other` named too (R30)."""

    kind: str
    value: str
    other: int
    criterion: str
    was_held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteAdded(Base):
    note: Note


@dataclass(frozen=True, slots=True, kw_only=True)
class CardSeen(Base):
    """A payment card hash came with the customer's data (R10). It leaves no sentence in the history."""

    card: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardDropped(Base):
    """A payment card hash was cleared from the customer's data (R44). It leaves no sentence either."""

    card: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionChanged(Base):
    channel: Channel
    before: Subscription | None
    after: Subscription | None
    why: Why = Why.RECORD


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipChanged(Base):
    segmentation: int
    before: Membership | None
    after: Membership | None
    why: Why = Why.RECORD


@dataclass(frozen=True, slots=True, kw_only=True)
class OptedOut(Base):
    """The person refuses every communication from `at` on (R53)."""

    before: datetime | None
    at: datetime | None
    why: Why = Why.OPT_OUT


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionCounted(Base):
    """A personal action later than any before; it leaves no sentence of its own (R29)."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order; `placed_at` is the moment of the purchase, `total` is in `currency` units."""

    number: str
    total: Decimal
    currency: str
    placed_at: datetime
    status: str
    lines: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSaved(Base):
    """An order was placed, or sent again under its number (R57)."""

    before: Order | None
    after: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsAdded(Base):
    """A reward-point movement (R58)."""

    number: str | None
    amount: Decimal
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoCodeIssued(Base):
    code: str
    issued_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifiedChanged(Base):
    """The customer became identified, or anonymous again; derived from what it holds, so it leaves no
    sentence.
    """

    is_identified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationAsked(Base):
    """A link or code is to be sent for a pending contact after commit (R45). It leaves no history."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined(Base):
    """An incoming record that was never a customer became part of this one (R22)."""

    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged(Base):
    """`absorbed` became part of `customer`. The images are what undo needs (R46)."""

    absorbed: Profile
    survivor: Profile
    result: Profile
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmerged(Base):
    """A merge was undone: `restored` is a customer of its own again, `remaining` is what the survivor keeps
    (R46).
    """

    merge_id: int
    restored: Profile
    remaining: Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptApart(Base):
    """A person said, or an undo implies, that the two are never the same (R22, R46)."""

    other: int
    why: Why


@dataclass(frozen=True, slots=True, kw_only=True)
class ApartLifted(Base):
    """A person took back that the two are never the same (R46)."""

    other: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased(Base):
    """The person was forgotten under every MaestraID of the profile (R54)."""

    maestra_ids: tuple[int, ...] = field(default_factory=tuple)


LedgerChange = ActionCounted | OrderSaved | PointsAdded | PromoCodeIssued
SilentChange = CardSeen | CardDropped | ActionCounted | IdentifiedChanged | ConfirmationAsked
StateChange = (
    PersonalDataChanged
    | TimeZoneChanged
    | CustomFieldsChanged
    | Held
    | Released
    | Claimed
    | Unclaimed
    | SubscriptionChanged
    | MembershipChanged
    | OptedOut
)
RemarkChange = (
    ContactLost | ContactReceived | Joined | KeptApart | ApartLifted | IdentifiedChanged | ConfirmationAsked
)
OwnChange = StateChange | RemarkChange | LedgerChange | NoteAdded | CardSeen | CardDropped
Change = Created | OwnChange | Merged | Unmerged | Erased

K = TypeVar("K")
V = TypeVar("V")


def apply(profiles: dict[int, Profile], change: Change) -> None:
    """Bring `profiles` (by primary MaestraID) to the state after `change`."""
    match change:
        case Created():
            member = Member(change.maestra_id, change.registered_at)
            profiles[change.customer] = Profile(maestra_id=change.customer, members=(member,))
        case Merged():
            del profiles[change.absorbed.maestra_id]
            profiles[change.customer] = united(change.survivor, change.absorbed)
        case Unmerged():
            profiles[change.restored.maestra_id] = change.restored
            profiles[change.customer] = change.remaining
        case Erased():
            del profiles[change.customer]
        case _:
            before = profiles[change.customer]
            after = changed(before, change)
            if after is not before:
                profiles[change.customer] = after


def changed(profile: Profile, *changes: OwnChange) -> Profile:
    """The profile after changes that concern no other."""
    sketch = None
    for change in changes:
        alter = ALTERATIONS[type(change)]
        if alter is not None:
            sketch = sketch or Sketch(profile)
            alter(sketch, change)
    return sketch.profile() if sketch else profile


class Sketch:
    """A profile while changes happen to it. Its mappings are replaced, never altered."""

    __slots__ = tuple(f.name for f in fields(Profile))

    def __init__(self, p: Profile) -> None:
        self.maestra_id = p.maestra_id
        self.members = p.members
        self.personal = p.personal
        self.time_zone = p.time_zone
        self.custom_fields = p.custom_fields
        self.holdings = p.holdings
        self.claims = p.claims
        self.cards = p.cards
        self.subscriptions = p.subscriptions
        self.memberships = p.memberships
        self.opted_out_at = p.opted_out_at
        self.notes = p.notes
        self.is_new = p.is_new

    def profile(self) -> Profile:
        """In the order of the fields, which is the fastest way to make one."""
        return Profile(
            self.maestra_id,
            self.members,
            self.personal,
            self.time_zone,
            self.custom_fields,
            self.holdings,
            self.claims,
            self.cards,
            self.subscriptions,
            self.memberships,
            self.opted_out_at,
            self.notes,
            self.is_new,
        )


def _personal(s: Sketch, c: PersonalDataChanged) -> None:
    s.personal = c.after


def _time_zone(s: Sketch, c: TimeZoneChanged) -> None:
    s.time_zone = c.after


def _custom_fields(s: Sketch, c: CustomFieldsChanged) -> None:
    kept = {name: value for name, value in s.custom_fields.items() if name not in c.before}
    s.custom_fields = {**kept, **c.after}


def _held(s: Sketch, c: Held) -> None:
    s.holdings = {**s.holdings, c.after.key: c.after}


def _released(s: Sketch, c: Released) -> None:
    s.holdings = without(s.holdings, c.holding.key)


def _claimed(s: Sketch, c: Claimed) -> None:
    s.claims = {**s.claims, c.claim.key: c.claim}


def _unclaimed(s: Sketch, c: Unclaimed) -> None:
    s.claims = without(s.claims, c.claim.key)


def _subscription(s: Sketch, c: SubscriptionChanged) -> None:
    s.subscriptions = put(s.subscriptions, c.channel, c.after)


def _membership(s: Sketch, c: MembershipChanged) -> None:
    s.memberships = put(s.memberships, c.segmentation, c.after)


def _opted_out(s: Sketch, c: OptedOut) -> None:
    s.opted_out_at = c.at


def _note(s: Sketch, c: NoteAdded) -> None:
    s.notes = (*s.notes, c.note)


def _card(s: Sketch, c: CardSeen) -> None:
    s.cards = {c.card: c.maestra_id, **s.cards}


def _card_dropped(s: Sketch, c: CardDropped) -> None:
    s.cards = without(s.cards, c.card)


def _ledger(s: Sketch, c: LedgerChange) -> None:
    s.members = tuple([counted(m, c) if m.maestra_id == c.maestra_id else m for m in s.members])


ALTERATIONS: Mapping[type, Callable[[Sketch, Any], None] | None] = {
    PersonalDataChanged: _personal,
    TimeZoneChanged: _time_zone,
    CustomFieldsChanged: _custom_fields,
    Held: _held,
    Released: _released,
    Claimed: _claimed,
    Unclaimed: _unclaimed,
    SubscriptionChanged: _subscription,
    MembershipChanged: _membership,
    OptedOut: _opted_out,
    NoteAdded: _note,
    CardSeen: _card,
    CardDropped: _card_dropped,
    ActionCounted: _ledger,
    OrderSaved: _ledger,
    PointsAdded: _ledger,
    PromoCodeIssued: _ledger,
    ContactLost: None,
    ContactReceived: None,
    Joined: None,
    KeptApart: None,
    ApartLifted: None,
    IdentifiedChanged: None,
    ConfirmationAsked: None,
}
"""What each change does to the profile it concerns; None where that is nothing."""


def counted(member: Member, change: LedgerChange) -> Member:
    """The member's facts with one more entry in its ledger."""
    match change:
        case ActionCounted():
            last = member.last_action_at
            return acted(member, max(last, change.at) if last else change.at)
        case OrderSaved():
            before = change.before
            return replace(
                member,
                orders_count=member.orders_count + (before is None),
                orders_total=member.orders_total + change.after.total - (before.total if before else 0),
            )
        case PointsAdded():
            return replace(
                member,
                points_count=member.points_count + 1,
                points_balance=member.points_balance + change.amount,
            )
        case PromoCodeIssued():
            return replace(member, promo_codes_count=member.promo_codes_count + 1)
        case _:
            assert_never(change)


def acted(member: Member, at: datetime) -> Member:
    """The member with another last action. Made in the order of its fields, which is fastest."""
    return Member(
        member.maestra_id,
        member.registered_at,
        member.orders_count,
        member.orders_total,
        member.points_count,
        member.points_balance,
        member.promo_codes_count,
        at,
    )


def united(survivor: Profile, absorbed: Profile) -> Profile:
    """What a merge moves, and nothing else: MaestraIDs with their ledgers, identifiers, claims, cards and
    notes.

    The survivor's single values stay; the engine's survivorship then changes them by changes of their own.
    """
    return replace(
        survivor,
        members=tuple(sorted((*survivor.members, *absorbed.members), key=lambda m: m.maestra_id)),
        holdings={**absorbed.holdings, **survivor.holdings},
        claims={**absorbed.claims, **survivor.claims},
        cards={**absorbed.cards, **survivor.cards},
        notes=tuple(sorted((*survivor.notes, *absorbed.notes), key=lambda n: n.at)),
    )


def diff(before: Profile, after: Profile, maestra_id: int, why: Why) -> list[StateChange]:
    """The changes that lead from one state of a profile to another. Ledgers and notes only ever grow, so they
    are not compared.
    """
    who = _Who(customer=before.maestra_id, maestra_id=maestra_id)
    found: list[StateChange] = []
    if before.personal != after.personal:
        found.append(PersonalDataChanged(**who, before=before.personal, after=after.personal, why=why))
    if before.time_zone != after.time_zone:
        found.append(TimeZoneChanged(**who, before=before.time_zone, after=after.time_zone, why=why))
    if before.custom_fields != after.custom_fields:
        old, new = _apart(before.custom_fields, after.custom_fields)
        found.append(CustomFieldsChanged(**who, before=old, after=new, why=why))
    if before.holdings != after.holdings:
        found += _diff_holdings(before, after, who, why)
    if before.claims != after.claims:
        found += _diff_claims(before, after, who, why)
    if before.opted_out_at != after.opted_out_at:
        found.append(OptedOut(**who, before=before.opted_out_at, at=after.opted_out_at, why=why))
    if before.subscriptions != after.subscriptions:
        found += _diff_subscriptions(before, after, who, why)
    if before.memberships != after.memberships:
        found += _diff_memberships(before, after, who, why)
    return found


def _diff_holdings(before: Profile, after: Profile, who: _Who, why: Why) -> list[StateChange]:
    lost, won = _apart(before.holdings, after.holdings)
    released = [Released(**who, holding=holding, why=why) for key, holding in lost.items() if key not in won]
    held = [Held(**who, before=lost.get(key), after=holding, why=why) for key, holding in won.items()]
    return [*released, *held]


def _diff_claims(before: Profile, after: Profile, who: _Who, why: Why) -> list[StateChange]:
    lost, won = _apart(before.claims, after.claims)
    dropped = [Unclaimed(**who, claim=claim, why=why) for key, claim in lost.items() if key not in won]
    return [*dropped, *(Claimed(**who, claim=claim, why=why) for claim in won.values())]


def _diff_subscriptions(before: Profile, after: Profile, who: _Who, why: Why) -> list[StateChange]:
    lost, won = _apart(before.subscriptions, after.subscriptions)
    return [
        SubscriptionChanged(**who, channel=channel, before=lost.get(channel), after=won.get(channel), why=why)
        for channel in sorted({**lost, **won})
    ]


def _diff_memberships(before: Profile, after: Profile, who: _Who, why: Why) -> list[StateChange]:
    lost, won = _apart(before.memberships, after.memberships)
    return [
        MembershipChanged(**who, segmentation=number, before=lost.get(number), after=won.get(number), why=why)
        for number in sorted({**lost, **won})
    ]


class _Who(TypedDict):
    customer: int
    maestra_id: int


def _apart(before: Mapping[K, V], after: Mapping[K, V]) -> tuple[dict[K, V], dict[K, V]]:
    """What of two mappings differs: the old entries and the new ones."""
    if not before:
        return {}, dict(after)
    old = {k: v for k, v in before.items() if k not in after or after[k] != v}
    new = {k: v for k, v in after.items() if k not in before or before[k] != v}
    return old, new


def put(mapping: Mapping[K, V], key: K, value: V | None) -> dict[K, V]:
    """The mapping with `key` set, or without it where the value is None."""
    rest = {k: v for k, v in mapping.items() if k != key}
    return rest if value is None else {**rest, key: value}


def without(mapping: Mapping[K, V], key: K) -> dict[K, V]:
    """The mapping less `key`."""
    return put(mapping, key, None)
