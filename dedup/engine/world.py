"""The part of the world that a batch of records can touch, as it was read. Nothing alters it: a `UnitOfWork`
works on copies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from customers.changes import Order
from customers.profile import Key, Kind, Profile

IdPair = frozenset[int]
"""Two MaestraIDs."""


class EarlierUse(NamedTuple):
    """Of a device or plain identifier at a time of the past: who counted as its user, and when its present
    holder used it next, as far as activity tells (R50, R59). Both customers by a MaestraID of theirs.
    """

    user: int | None
    holder: int
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Message:
    """A link or code that was sent, or is to be, for a MaestraID, and the wrong codes that were tried for it
    (R45).
    """

    maestra_id: int
    at: datetime
    wrong_codes: int = 0


@dataclass(frozen=True, slots=True)
class World:
    """All that a decision may depend on.

    `primary_ids` leads from any MaestraID, former ones too, to its profile; an erased one is absent.
    `holders` leads from a value to the profile that has it, currently or formerly. `device_users` are the
    MaestraIDs of identified customers a device was ever attached to; one more than the limit is enough to
    tell that it is shared. `uses` are those of devices and plain identifiers at the times of records that may
    have been told late. `apart` are pairs that are never to be merged. `new_ids` are MaestraIDs drawn for
    customers to be created. `orders`, `points`, `promo_codes` lead from a number or code the records name to
    the MaestraID it stands under. `messages` are those lately sent to contacts that must be confirmed, and
    those of the customers themselves.
    """

    kinds: Mapping[str, Kind]
    larger_fields: frozenset[str] = frozenset()
    shared_device_limit: int = 5
    profiles: Mapping[int, Profile] = field(default_factory=dict)
    primary_ids: Mapping[int, int] = field(default_factory=dict)
    holders: Mapping[Key, int] = field(default_factory=dict)
    card_holders: Mapping[str, frozenset[int]] = field(default_factory=dict)
    device_users: Mapping[Key, frozenset[int]] = field(default_factory=dict)
    uses: Mapping[tuple[Key, datetime], EarlierUse] = field(default_factory=dict)
    apart: frozenset[IdPair] = frozenset()
    orders: Mapping[str, tuple[int, Order]] = field(default_factory=dict)
    points: Mapping[str, int] = field(default_factory=dict)
    promo_codes: Mapping[str, int] = field(default_factory=dict)
    messages: Sequence[tuple[Key, Message]] = ()
    new_ids: Iterable[int] = ()
