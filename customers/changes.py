"""The closed set of changes a profile can undergo.

A change is at once the write and the history: the engine can alter a profile only by emitting these, the
writers write exactly these, and the same rows are the change history. `apply` says what each of them does to
profiles, `diff` finds the changes that lead from one profile to another. Pure, like `customers.profile`.

`customer` is the primary MaestraID of the profile at the time; `maestra_id` is the MaestraID the change
happened to, under which its history stays for ever (R40).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
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
            profiles[change.customer] = changed(profiles[change.customer], change)


def changed(p: Profile, change: OwnChange) -> Profile:  # noqa: PLR0911, PLR0912 - a case for each change
    """The profile after a change that concerns no other."""
    match change:
        case PersonalDataChanged():
            return replace(p, personal=change.after)
        case TimeZoneChanged():
            return replace(p, time_zone=change.after)
        case CustomFieldsChanged():
            kept = {name: value for name, value in p.custom_fields.items() if name not in change.before}
            return replace(p, custom_fields={**kept, **change.after})
        case Held():
            return replace(p, holdings={**p.holdings, change.after.key: change.after})
        case Released():
            return replace(p, holdings=without(p.holdings, change.holding.key))
        case Claimed():
            return replace(p, claims={**p.claims, change.claim.key: change.claim})
        case Unclaimed():
            return replace(p, claims=without(p.claims, change.claim.key))
        case SubscriptionChanged():
            return replace(p, subscriptions=put(p.subscriptions, change.channel, change.after))
        case MembershipChanged():
            return replace(p, memberships=put(p.memberships, change.segmentation, change.after))
        case OptedOut():
            return replace(p, opted_out_at=change.at)
        case NoteAdded():
            return replace(p, notes=(*p.notes, change.note))
        case CardSeen():
            return replace(p, cards={change.card: change.maestra_id, **p.cards})
        case CardDropped():
            return replace(p, cards=without(p.cards, change.card))
        case ActionCounted() | OrderSaved() | PointsAdded() | PromoCodeIssued():
            return replace(p, members=tuple(counted(m, change) for m in p.members))
        case ContactLost() | ContactReceived() | Joined() | KeptApart() | ApartLifted():
            return p
        case IdentifiedChanged() | ConfirmationAsked():
            return p
        case _:
            assert_never(change)


def counted(member: Member, change: LedgerChange) -> Member:
    """The member's facts with one more entry in its ledger."""
    if member.maestra_id != change.maestra_id:
        return member
    match change:
        case ActionCounted():
            latest = max(filter(None, (member.last_action_at, change.at)))
            return replace(member, last_action_at=latest)
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


def diff(before: Profile, after: Profile, maestra_id: int, why: Why) -> Iterator[StateChange]:
    """The changes that lead from one state of a profile to another. Ledgers and notes only ever grow, so they
    are not compared.
    """
    who = _Who(customer=before.maestra_id, maestra_id=maestra_id)
    if before.personal != after.personal:
        yield PersonalDataChanged(**who, before=before.personal, after=after.personal, why=why)
    if before.time_zone != after.time_zone:
        yield TimeZoneChanged(**who, before=before.time_zone, after=after.time_zone, why=why)
    old, new = _apart(before.custom_fields, after.custom_fields)
    if old or new:
        yield CustomFieldsChanged(**who, before=old, after=new, why=why)
    yield from _diff_holdings(before, after, who, why)
    yield from _diff_claims(before, after, who, why)
    yield from _diff_consent(before, after, who, why)
    lost, won = _apart(before.memberships, after.memberships)
    for segmentation in sorted({**lost, **won}):
        was, now = lost.get(segmentation), won.get(segmentation)
        yield MembershipChanged(**who, segmentation=segmentation, before=was, after=now, why=why)


def _diff_holdings(before: Profile, after: Profile, who: _Who, why: Why) -> Iterator[StateChange]:
    lost, won = _apart(before.holdings, after.holdings)
    for key, holding in lost.items():
        if key not in won:
            yield Released(**who, holding=holding, why=why)
    for key, holding in won.items():
        yield Held(**who, before=lost.get(key), after=holding, why=why)


def _diff_claims(before: Profile, after: Profile, who: _Who, why: Why) -> Iterator[StateChange]:
    lost, won = _apart(before.claims, after.claims)
    for key, claim in lost.items():
        if key not in won:
            yield Unclaimed(**who, claim=claim, why=why)
    for claim in won.values():
        yield Claimed(**who, claim=claim, why=why)


def _diff_consent(before: Profile, after: Profile, who: _Who, why: Why) -> Iterator[StateChange]:
    if before.opted_out_at != after.opted_out_at:
        yield OptedOut(**who, before=before.opted_out_at, at=after.opted_out_at, why=why)
    lost, won = _apart(before.subscriptions, after.subscriptions)
    for channel in sorted({**lost, **won}):
        was, now = lost.get(channel), won.get(channel)
        yield SubscriptionChanged(**who, channel=channel, before=was, after=now, why=why)


class _Who(TypedDict):
    customer: int
    maestra_id: int


def _apart(before: Mapping[K, V], after: Mapping[K, V]) -> tuple[dict[K, V], dict[K, V]]:
    """What of two mappings differs: the old entries and the new ones."""
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
