"""The closed set of changes a profile can undergo.

A change is at once the write and the history: the engine can alter a profile only by emitting these, the
writers write exactly these, and the same rows are the change history. `customers.transitions` says what each
of them does to a profile, and finds those that lead from one profile to another. Pure, like
`customers.profile`.

`customer` is the primary MaestraID of the profile at the time; `maestra_id` is the MaestraID the change
happened to, under which its history stays for ever (R40).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from customers.profile import (
    Ages,
    Category,
    Channel,
    Claim,
    Holding,
    Key,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Why a join or merge happened and who had priority in it: the evidence that travels with it (R29, R41).

    `reason` and `criterion` are the stored names under which the deciding app registers what is said of them
    (`customers.words`). `matched` are the values shared, hashes of payment cards left out
    (R10). `priority` is the MaestraID that had priority, or None where the incoming record had it.
    """

    reason: str
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
class Dated(Base):
    """How young the single values are from now on (R59). It leaves no sentence."""

    ages: Ages
    why: Why = Why.RECORD


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredEarlier(Base):
    """A record told late shows that the customer was registered earlier than it was known (R59)."""

    before: datetime
    after: datetime


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
class IdentifierUsed(Base):
    """A record named an identifier that the customer holds, later than any before (R59). It leaves no
    sentence.
    """

    key: Key
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedBefore(Base):
    """The customer used an identifier `at` a time that was told late. It stays with `holder`, who used it
    later: again from `until` on, recorded under `holder_origin` (R32, R59).
    """

    key: Key
    category: Category
    at: datetime
    holder: int
    holder_origin: int
    until: datetime


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
    """A subscription began, changed or ended. `is_restated`: the same status was said again by other than the
    person. Its date moves, and nothing is left in the history (R56).
    """

    channel: Channel
    before: Subscription | None
    after: Subscription | None
    why: Why = Why.RECORD
    is_restated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipChanged(Base):
    segmentation: int
    before: Membership | None
    after: Membership | None
    why: Why = Why.RECORD


@dataclass(frozen=True, slots=True, kw_only=True)
class OptedOut(Base):
    """The person refuses every communication from `at` on (R53). `stated` is the reason a colleague gave."""

    before: datetime | None
    at: datetime | None
    why: Why = Why.OPT_OUT
    stated: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionCounted(Base):
    """A personal action later than any before; it leaves no sentence of its own (R29)."""

    at: datetime


@dataclass(frozen=True, slots=True)
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
    """The person was forgotten under every MaestraID of the profile (R54). `stated` is the reason a colleague
    gave.
    """

    maestra_ids: tuple[int, ...] = field(default_factory=tuple)
    stated: str = ""


LedgerChange = ActionCounted | OrderSaved | PointsAdded | PromoCodeIssued
SilentChange = (
    Dated | IdentifierUsed | CardSeen | CardDropped | ActionCounted | IdentifiedChanged | ConfirmationAsked
)
StateChange = (
    PersonalDataChanged
    | TimeZoneChanged
    | CustomFieldsChanged
    | Dated
    | Held
    | Released
    | Claimed
    | Unclaimed
    | SubscriptionChanged
    | MembershipChanged
    | OptedOut
)
RemarkChange = (
    UsedBefore
    | ContactLost
    | ContactReceived
    | Joined
    | KeptApart
    | ApartLifted
    | IdentifiedChanged
    | ConfirmationAsked
)
OwnChange = (
    StateChange
    | RemarkChange
    | LedgerChange
    | RegisteredEarlier
    | IdentifierUsed
    | NoteAdded
    | CardSeen
    | CardDropped
)
Change = Created | OwnChange | Merged | Unmerged | Erased
