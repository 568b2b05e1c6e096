"""What a customer is: one profile, whole, as plain values.

Pure: nothing here knows of a database, a clock or a setting. The read side fills these values from the
tables, the engine decides on them, and the presenter shows them, so that what was previewed, decided and
displayed is the same thing.

Invariants: a profile has exactly one primary MaestraID and knows every former one as a `Member`; what stands
in a ledger (orders, points, promo codes, actions) stands per member and is only ever summed, never moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple, get_args, get_type_hints

from customers.texts import gettext_noop


class Category(StrEnum):
    """How an identifier kind behaves. The order is the strength in matching, strongest first (R22)."""

    EMAIL = "email"
    MOBILE_PHONE = "mobile_phone"
    DISCOUNT_CARD = "discount_card"
    UNIQUE = "unique"
    IDENTIFIER = "identifier"
    DEVICE = "device"
    MOBILE_DEVICE = "mobile_device"


STRENGTH: Mapping[Category, int] = {category: rank for rank, category in enumerate(Category)}
CONTACTS = frozenset({Category.EMAIL, Category.MOBILE_PHONE, Category.DISCOUNT_CARD})
WITH_PRIMARY = frozenset({Category.EMAIL, Category.MOBILE_PHONE})
DEVICES = frozenset({Category.DEVICE, Category.MOBILE_DEVICE})
MOVABLE = DEVICES | {Category.IDENTIFIER}
"""What moves to the customer of a record that cannot become one with its holder (R32)."""

EMAIL, MOBILE_PHONE, DISCOUNT_CARD = "email", "mobile_phone", "discount_card"
DEVICE, MOBILE_DEVICE = "device_id", "mobile_device_id"
MAESTRA_ID, PAYMENT_CARD = "maestra_id", "payment_card_hash"


@dataclass(frozen=True, slots=True)
class Kind:
    """An identifier kind: the five the system knows, and those the project defines (R2–R9)."""

    id: int
    name: str
    category: Category
    do_not_merge_different: bool = False

    @property
    def searches_history(self) -> bool:
        """Whether a former value still finds its customer (R3)."""
        return self.category is Category.UNIQUE and not self.do_not_merge_different


class Key(NamedTuple):
    """A normalised identifier value: what two records compare."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Holding:
    """An identifier as its one holder has it.

    `origin` is the MaestraID it came to and never changes while it is held. `stored` tells that the value has
    a row already. `was_primary_at` is when it last stopped being the primary (R7). `must_be_confirmed` tells
    that it came through a point that asks for confirmation; without `confirmed_at` it is then pending (R45).
    `used_at` is the time of the latest record of the holder that named it, None where that is `since` (R59).
    """

    kind: str
    value: str
    category: Category
    raw: str
    origin: int
    since: datetime
    is_former: bool = False
    retired_at: datetime | None = None
    is_primary: bool = False
    was_primary_at: datetime | None = None
    must_be_confirmed: bool = False
    confirmed_at: datetime | None = None
    gives_access: bool = False
    point: int | None = None
    used_at: datetime | None = None
    key: Key = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", Key(self.kind, self.value))

    @property
    def is_pending(self) -> bool:
        return self.must_be_confirmed and self.confirmed_at is None

    @property
    def last_used_at(self) -> datetime:
        """How young it is: an older record does not replace it (R59)."""
        return self.used_at or self.since


@dataclass(frozen=True, slots=True)
class Claim:
    """A contact the customer named that somebody else holds, or that awaits its confirmation. It matches
    nobody (R30, R43).
    """

    kind: str
    value: str
    category: Category
    raw: str
    origin: int
    since: datetime
    gives_access: bool = False
    point: int | None = None

    @property
    def key(self) -> Key:
        return Key(self.kind, self.value)


@dataclass(frozen=True, slots=True)
class Personal:
    """The fields that travel as one set (R34, R42). What else has to be said of one more:
    docs/architecture.md.
    """

    last_name: str | None = field(default=None, metadata={"label": gettext_noop("last name")})
    first_name: str | None = field(default=None, metadata={"label": gettext_noop("first name")})
    middle_name: str | None = field(default=None, metadata={"label": gettext_noop("middle name")})
    birth_date: date | None = field(default=None, metadata={"label": gettext_noop("birth date")})
    gender: str | None = field(default=None, metadata={"label": gettext_noop("gender")})

    def __bool__(self) -> bool:
        return self != NOBODY

    def present(self) -> dict[str, Any]:
        """The fields that are known."""
        return {name: value for name in PERSONAL_FIELDS if (value := getattr(self, name)) is not None}


NOBODY = Personal()
PERSONAL_FIELDS: tuple[str, ...] = tuple(f.name for f in fields(Personal))
PERSONAL_TYPES: Mapping[str, type] = {
    name: get_args(hint)[0] for name, hint in get_type_hints(Personal).items()
}
"""Of which type the values of the fields are: `str` or `date`."""
PERSONAL_LABELS: Mapping[str, str] = {f.name: f.metadata["label"] for f in fields(Personal)}
"""What people call the fields, to be translated where they are shown."""


@dataclass(frozen=True, slots=True)
class Ages:
    """How young single values are: the times of the records that last changed them (R59). Custom fields have
    one each, by name. What is not known of has no age, and what was cleared has none either.
    """

    personal: datetime | None = None
    time_zone: datetime | None = None
    custom_fields: Mapping[str, datetime] = field(default_factory=dict)


UNDATED = Ages()


class SubscriptionStatus(StrEnum):
    """Subscription statuses, the strongest first (R37)."""

    SUBSCRIBED = "subscribed"
    AWAITING_CONFIRMATION = "awaiting_confirmation"
    UNSUBSCRIBED = "unsubscribed"


class Channel(NamedTuple):
    """A subscription key. An empty topic is a key of its own (R37)."""

    channel: str
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Subscription:
    status: SubscriptionStatus
    since: datetime


@dataclass(frozen=True, slots=True)
class Membership:
    """The one segment of a segmentation that the customer is in. `segment` is the segment's ID, higher wins a
    tie (R38).
    """

    segment: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """One MaestraID of the profile with what stands under it for ever (R39)."""

    maestra_id: int
    registered_at: datetime
    orders_count: int = 0
    orders_total: Decimal = Decimal(0)
    points_count: int = 0
    points_balance: Decimal = Decimal(0)
    promo_codes_count: int = 0
    last_action_at: datetime | None = None


BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True)
class Note:
    """A remark on the profile: a contact that stayed with somebody else (R30), or that an undo could not
    bring back (R46). One that a person wrote has the reason `BY_HAND`, no kind, and its text as the value.
    """

    at: datetime
    maestra_id: int
    reason: str
    kind: str
    value: str
    related: int | None = None
    decided_by: str | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything known of one customer. `is_new` marks an incoming record that is weighed as a customer but
    not stored.
    """

    maestra_id: int
    members: tuple[Member, ...] = ()
    personal: Personal = NOBODY
    time_zone: str | None = None
    custom_fields: Mapping[str, Any] = field(default_factory=dict)
    holdings: Mapping[Key, Holding] = field(default_factory=dict)
    claims: Mapping[Key, Claim] = field(default_factory=dict)
    cards: Mapping[str, int] = field(default_factory=dict)
    subscriptions: Mapping[Channel, Subscription] = field(default_factory=dict)
    memberships: Mapping[int, Membership] = field(default_factory=dict)
    opted_out_at: datetime | None = None
    notes: tuple[Note, ...] = ()
    ages: Ages = UNDATED
    is_new: bool = False

    @property
    def maestra_ids(self) -> frozenset[int]:
        return frozenset(m.maestra_id for m in self.members)

    @property
    def registered_at(self) -> datetime:
        """The earlier registration of all that were merged (R33)."""
        return min(m.registered_at for m in self.members)

    def age_of_personal(self) -> datetime | None:
        """Since when the personal set is as it is, at the earliest; None where there is none (R59).

        Of values stored before there were times for them, the registration counts, here and below.
        """
        return (self.ages.personal or self.registered_at) if self.personal else None

    def age_of_time_zone(self) -> datetime | None:
        return (self.ages.time_zone or self.registered_at) if self.time_zone else None

    def age_of_field(self, name: str) -> datetime | None:
        if name not in self.custom_fields:
            return None
        return self.ages.custom_fields.get(name) or self.registered_at

    @property
    def last_action_at(self) -> datetime | None:
        """The latest personal action (R29)."""
        return max((m.last_action_at for m in self.members if m.last_action_at), default=None)

    @property
    def orders_count(self) -> int:
        return sum(m.orders_count for m in self.members)

    @property
    def has_commerce(self) -> bool:
        """Orders, promo codes or reward-point movements (R29)."""
        return any(m.orders_count or m.points_count or m.promo_codes_count for m in self.members)

    @property
    def is_identified(self) -> bool:
        """Holds something other than devices and payment card hashes."""
        for holding in self.holdings.values():
            if holding.category not in DEVICES and not holding.is_former:
                return True
        return False

    def held(self, category: Category) -> list[Holding]:
        """What is currently held of a category, former unique values left out."""
        return [h for h in self.holdings.values() if h.category is category and not h.is_former]

    def current(self, kind: str) -> Holding | None:
        """The current value of a unique kind."""
        return next((h for h in self.holdings.values() if h.kind == kind and not h.is_former), None)

    def primary(self, kind: str) -> Holding | None:
        return next((h for h in self.holdings.values() if h.kind == kind and h.is_primary), None)

    def access_contacts(self) -> frozenset[Key]:
        return frozenset(h.key for h in self.holdings.values() if h.gives_access)

    def has_confirmed_contact(self) -> bool:
        return any(h.confirmed_at and h.category in CONTACTS for h in self.holdings.values())


def counting(one: Holding, other: Holding) -> Holding:
    """Which of two ways to have a unique value counts: current before former, then the one retired last, as
    it was told (R3).
    """
    return max(other, one, key=lambda h: (not h.is_former, h.retired_at or h.since))


MICROSECOND = timedelta(microseconds=1)


def next_primary(holdings: Iterable[Holding]) -> Holding | None:
    """Who follows a lost primary among values of one kind, in the order told: the previous primary, else the
    value held longest, by the times of their records, and of these the one told first (R7).
    """
    candidates = [h for h in holdings if not h.is_former]
    previous = [h for h in candidates if h.was_primary_at]
    if previous:
        return max(previous, key=lambda h: (h.was_primary_at, h.value))
    return min(candidates, key=lambda h: h.since, default=None)


def with_primary(holdings: Mapping[Key, Holding], key: Key, at: datetime) -> dict[Key, Holding]:
    """The same holdings with `key` the only primary of its kind; the one before it is remembered (R7).

    What is told within one moment keeps its order: a later primary has a later moment.
    """
    past = [h.was_primary_at for h in holdings.values() if h.kind == key.kind and h.was_primary_at]
    at = max([at, *(earlier + MICROSECOND for earlier in past)])
    result = dict(holdings)
    for other in holdings.values():
        if other.kind == key.kind and other.is_primary and other.key != key:
            result[other.key] = replace(other, is_primary=False, was_primary_at=at)
    if not result[key].is_primary:
        result[key] = replace(result[key], is_primary=True)
    return result


def repaired_primaries(holdings: Mapping[Key, Holding]) -> Mapping[Key, Holding]:
    """Gives every e-mail and phone type that lost its primary the next one (R7). The same mapping where
    nothing is to be repaired.
    """
    led = {h.kind for h in holdings.values() if h.is_primary}
    without_primary = [h for h in holdings.values() if h.category in WITH_PRIMARY and h.kind not in led]
    for kind in dict.fromkeys(h.kind for h in without_primary):
        if next_one := next_primary(h for h in without_primary if h.kind == kind):
            holdings = {**holdings, next_one.key: replace(next_one, is_primary=True)}
    return holdings
