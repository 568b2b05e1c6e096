"""One incoming piece of data, validated and normalised: all the engine knows of the outside (R11, R13)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from customers.changes import Order
from customers.profile import Category, Channel, Key, SubscriptionStatus
from dedup.engine.warnings import RecordWarning


class Operation(StrEnum):
    """What the sender asked for. An order is an upsert of its customer (R57), subscribe one without contact
    flags (R15).
    """

    REGISTER = "register"
    UPSERT = "upsert"
    EDIT = "edit"
    AUTHORIZE = "authorize"
    SUBSCRIBE = "subscribe"
    ORDER = "order"
    CONFIRM = "confirm"
    POINTS = "points"
    PROMO_CODE = "promo_code"


class Mode(StrEnum):
    """`fill` sets only what is empty and ignores what conflicts (R44)."""

    OVERWRITE = "overwrite"
    FILL = "fill"


@dataclass(frozen=True, slots=True)
class Sent:
    """One identifier the record brings, with the flags its integration point gives it (R13–R15).

    `raw` is the value as typed. `is_confirmed`: brought confirmed (R25). `is_primary`: the sender asks for it
    (R14).
    """

    kind: str
    value: str
    category: Category
    raw: str
    is_primary: bool = False
    is_confirmed: bool = False
    must_be_confirmed: bool = False
    gives_access: bool = False
    key: Key = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", Key(self.kind, self.value))


@dataclass(frozen=True, slots=True)
class SentSubscription:
    """A status the record names. `since` is its own date, where it has one; `path` is where it stands in what
    was sent.
    """

    channel: Channel
    status: SubscriptionStatus
    since: datetime | None = None
    path: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class SentMembership:
    """A segment the record names; `segment` None takes the customer out of the segmentation (R51). `since`
    and `path` are as of `SentSubscription`.
    """

    segmentation: int
    segment: int | None
    since: datetime | None = None
    path: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class PointsMovement:
    amount: Decimal
    reason: str
    number: str | None = None


@dataclass(frozen=True, slots=True)
class PromoCode:
    code: str
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class Record:
    """`occurred_at` is never in the future. `is_dated` tells that the record itself said so; of another it
    is when it was read. `is_activity`: it says no more than that somebody was active. `maestra_id` is the one
    named among `ids`; `lookup` the one identifier of an edit, a MaestraID as `Key("maestra_id", "7")`.
    `access_kinds` are the contact kinds by which this point sees flagged contacts only (R20). `personal`,
    `custom_fields`: a value of None clears that field; `clears` names identifier kinds, and `time_zone`, to
    clear (R44). `cards` are payment card hashes, already keyed (R10). `opted_out_at` is since when the person
    refuses everything (R53). `personal_action`: the customer did it. `is_passive_order`: it is one only as an
    order, which came through a point whose records are none. `is_order_only`: it updates a known order and
    touches nobody (R54). `may_resubscribe`: False where the sender leaves out whoever refused. `path` is
    where in what was sent these fields stand.
    """

    operation: Operation
    occurred_at: datetime
    identifiers: tuple[Sent, ...] = ()
    cards: tuple[str, ...] = ()
    maestra_id: int | None = None
    lookup: Key | None = None
    lookup_by: tuple[str, ...] = ()
    access_kinds: frozenset[str] = frozenset()
    mode: Mode = Mode.OVERWRITE
    personal: Mapping[str, Any] = field(default_factory=dict)
    time_zone: str | None = None
    custom_fields: Mapping[str, Any] = field(default_factory=dict)
    clears: frozenset[str] = frozenset()
    subscriptions: tuple[SentSubscription, ...] = ()
    memberships: tuple[SentMembership, ...] = ()
    opted_out_at: datetime | None = None
    may_resubscribe: bool = True
    personal_action: bool = False
    is_passive_order: bool = False
    is_order_only: bool = False
    order: Order | None = None
    points: PointsMovement | None = None
    promo_code: PromoCode | None = None
    point: int | None = None
    is_dated: bool = False
    is_activity: bool = False
    path: str = ""
    warnings: tuple[RecordWarning, ...] = ()

    @property
    def is_by_person(self) -> bool:
        """Whether what it says of the customer is the customer's own word (R54, R56)."""
        return self.personal_action and not self.is_passive_order
