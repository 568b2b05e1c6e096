"""The unit of work in which a batch of records is decided: working copies, and the changes made to them.

The copies can be altered only by emitting changes, so nothing can happen without its history; and a record
that is refused leaves no trace, because every alteration is in the undo log and can be rolled back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, TypeVar

from customers.changes import (
    CardSeen,
    Change,
    Created,
    Erased,
    Held,
    IdentifiedChanged,
    Merged,
    Order,
    OrderSaved,
    OwnChange,
    PointsAdded,
    PromoCodeIssued,
    Released,
    Unmerged,
    UsedBefore,
    Why,
)
from customers.profile import DEVICES, MAESTRA_ID, Category, Holding, Key, Kind, Profile, counting
from customers.transitions import apply, changed, diff
from dedup.engine.world import EarlierUse, Message, World

K = TypeVar("K")
V = TypeVar("V")
Log = list[tuple["Table[Any, Any]", Any, Any]]
MISSING = object()


class Table(dict[K, V]):
    """A dict whose alterations are noted in an undo log."""

    def __init__(self, content: Mapping[K, V], log: Log) -> None:
        super().__init__(content)
        self.log = log

    def __setitem__(self, key: K, value: V) -> None:
        self.log.append((self, key, self.get(key, MISSING)))
        dict.__setitem__(self, key, value)

    def __delitem__(self, key: K) -> None:
        self.log.append((self, key, self[key]))
        super().__delitem__(key)

    def restore(self, key: K, old: Any) -> None:
        if old is MISSING:
            super().pop(key, None)
        else:
            super().__setitem__(key, old)


class UnitOfWork:
    """What is known, as the changes so far have left it."""

    def __init__(self, world: World) -> None:
        self._log: Log = []
        self.world = world
        self.changes: list[Change] = []
        self.profiles: Table[int, Profile] = Table(world.profiles, self._log)
        self.primary_ids: Table[int, int] = Table(world.primary_ids, self._log)
        self.holders: Table[Key, int] = Table(world.holders, self._log)
        self.card_holders: Table[str, frozenset[int]] = Table(world.card_holders, self._log)
        self.device_users: Table[Key, frozenset[int]] = Table(world.device_users, self._log)
        self.uses: Table[tuple[Key, datetime], EarlierUse] = Table(world.uses, self._log)
        self.orders: Table[str, tuple[int, Order]] = Table(world.orders, self._log)
        self.points: Table[str, int] = Table(world.points, self._log)
        self.promo_codes: Table[str, int] = Table(world.promo_codes, self._log)
        self.messages_to: Table[Key, tuple[Message, ...]] = Table({}, self._log)
        self.messages_of: Table[int, tuple[Message, ...]] = Table({}, self._log)
        for key, message in world.messages:
            self.note_message(key, message)
        identified = {primary_id: profile.is_identified for primary_id, profile in world.profiles.items()}
        self.identified: Table[int, bool] = Table(identified, self._log)
        self._new_ids = iter(world.new_ids)

    def start(self) -> None:
        """Begin a record: what is emitted from here on is its own."""
        self.changes = []
        self._log.clear()

    def commit(self) -> None:
        """What was emitted stays. The log refers to the tables and they to it: emptied, it keeps nothing
        alive that otherwise only the garbage collector could free.
        """
        self._log.clear()

    def roll_back(self) -> None:
        """Forget everything since `start`."""
        for table, key, old in reversed(self._log):
            table.restore(key, old)
        self.start()

    def note_message(self, key: Key, message: Message) -> None:
        """A message that was sent to a contact, or is asked for by this batch (R45)."""
        self.messages_to[key] = (*self.messages_to.get(key, ()), message)
        self.messages_of[message.maestra_id] = (*self.messages_of.get(message.maestra_id, ()), message)

    def new_id(self) -> int:
        """A MaestraID for a customer to be created (R1)."""
        return next(self._new_ids)

    def kind(self, name: str) -> Kind:
        return self.world.kinds[name]

    def primary_id(self, maestra_id: int) -> int | None:
        """The primary MaestraID of the profile a MaestraID, current or former, belongs to; None if unknown or
        erased (R1).
        """
        return self.primary_ids.get(maestra_id)

    def holder(self, key: Key) -> Profile | None:
        """The profile that has a value: the one that holds it, else the one that retired it last (R3)."""
        origin = self.holders.get(key)
        if origin is None:
            return None
        primary_id = self.primary_ids.get(origin)
        return None if primary_id is None else self.profiles[primary_id]

    def current_holder(self, key: Key) -> Profile | None:
        """The profile that holds a value now; one that merely retired it does not."""
        if key not in self.holders:
            return None
        profile = self.holder(key)
        return profile if profile and not profile.holdings[key].is_former else None

    def owner(self, key: Key) -> Profile | None:
        """The profile an ID finds: its holder, or where history search is on the one that retired it (R1,
        R3).
        """
        if key.kind == MAESTRA_ID:
            primary_id = self.primary_id(int(key.value))
            return None if primary_id is None else self.profiles[primary_id]
        if key not in self.holders:
            return None
        profile = self.holder(key)
        if profile is None or (profile.holdings[key].is_former and not self.kind(key.kind).searches_history):
            return None
        return profile

    def find(self, key: Key, access_kinds: frozenset[str]) -> Profile | None:
        """Look a customer up; contact kinds that give account access at the point see flagged contacts only
        (R19, R20).
        """
        profile = self.owner(key)
        if profile and key.kind in access_kinds and not profile.holdings[key].gives_access:
            return None
        return profile

    def is_shared(self, key: Key) -> bool:
        """A device that more identified customers used than one household has (R26)."""
        users = {self.primary_ids.get(user, user) for user in self.device_users.get(key, ())}
        identified = [u for u in users if u not in self.profiles or self.profiles[u].is_identified]
        return len(identified) > self.world.shared_device_limit

    def emit(self, change: Change) -> None:
        """Make a change: apply it, and remember it as history."""
        apply(self.profiles, change)
        self._remember(change)

    def emit_diff(self, before: Profile, after: Profile, maestra_id: int, why: Why) -> None:
        """Make all the changes that lead from one state of a customer to another."""
        self.emit_all(diff(before, after, maestra_id, why))

    def emit_all(self, changes: Sequence[OwnChange]) -> None:
        """Make changes in their order; those in a row that concern one customer are applied together."""
        for customer, own in groupby(changes, attrgetter("customer")):
            self.profiles[customer] = changed(self.profiles[customer], *own)
        for change in changes:
            self._remember(change)

    def _remember(self, change: Change) -> None:
        self.changes.append(change)
        index = INDEXES.get(type(change))
        if index:
            index(self, change)

    def note_identified(self) -> None:
        """Emit, for every customer touched since `start`, that it became identified or anonymous again."""
        for customer in sorted({c.customer for c in self.changes if c.customer in self.profiles}):
            is_identified = self.profiles[customer].is_identified
            if is_identified != self.identified[customer]:
                self.emit(
                    IdentifiedChanged(customer=customer, maestra_id=customer, is_identified=is_identified)
                )

    def _index_created(self, change: Created) -> None:
        self.primary_ids[change.customer] = change.customer
        self.identified[change.customer] = False

    def _index_identified(self, change: IdentifiedChanged) -> None:
        """Only identified users of a device were read, and this one may not have been (R26)."""
        self.identified[change.customer] = change.is_identified
        for holding in self.profiles[change.customer].holdings.values():
            if holding.category in DEVICES:
                self._index_device(holding.key, change.customer)

    def _index_held(self, change: Held) -> None:
        holding = change.after
        self._index_value(holding, change.customer)
        if holding.category in DEVICES:
            self._index_device(holding.key, change.customer)

    def _index_device(self, key: Key, customer: int) -> None:
        self.device_users[key] = self.device_users.get(key, frozenset()) | {customer}

    def _index_used_before(self, change: UsedBefore) -> None:
        self.uses[change.key, change.at] = EarlierUse(change.customer, change.holder, change.until)
        if change.category in DEVICES:
            self._index_device(change.key, change.customer)

    def _index_value(self, holding: Holding, customer: int) -> None:
        """The customer is found by the value, unless another one's way to have it counts (R3)."""
        if holding.is_former:
            other = self.holder(holding.key)
            theirs = other.holdings.get(holding.key) if other and other.maestra_id != customer else None
            if theirs and counting(holding, theirs) is theirs:
                return
        self.holders[holding.key] = customer

    def _index_released(self, change: Released) -> None:
        """A unique value goes back to whoever retired it last (R3)."""
        key = change.holding.key
        if key not in self.holders or self.primary_id(self.holders[key]) not in (None, change.customer):
            return
        del self.holders[key]
        if change.holding.category is Category.UNIQUE:
            for profile in self.profiles.values():
                if key in profile.holdings:
                    self._index_value(profile.holdings[key], profile.maestra_id)

    def _index_merged(self, change: Merged) -> None:
        for maestra_id in change.absorbed.maestra_ids:
            self.primary_ids[maestra_id] = change.customer

    def _index_unmerged(self, change: Unmerged) -> None:
        restored = change.restored
        for maestra_id in restored.maestra_ids:
            self.primary_ids[maestra_id] = restored.maestra_id
        for profile in (change.remaining, restored):
            for holding in profile.holdings.values():
                self._index_value(holding, profile.maestra_id)
            # As the move is written: what is current again afterwards may make either of them identified.
            self.identified[profile.maestra_id] = profile.is_identified

    def _index_erased(self, change: Erased) -> None:
        for maestra_id in change.maestra_ids:
            del self.primary_ids[maestra_id]

    def _index_card(self, change: CardSeen) -> None:
        self.card_holders[change.card] = self.card_holders.get(change.card, frozenset()) | {change.customer}

    def _index_order(self, change: OrderSaved) -> None:
        self.orders[change.after.number] = (change.maestra_id, change.after)

    def _index_points(self, change: PointsAdded) -> None:
        if change.number:
            self.points[change.number] = change.maestra_id

    def _index_promo_code(self, change: PromoCodeIssued) -> None:
        self.promo_codes[change.code] = change.maestra_id


INDEXES: Mapping[type, Callable[[UnitOfWork, Any], None]] = {
    Created: UnitOfWork._index_created,
    IdentifiedChanged: UnitOfWork._index_identified,
    Held: UnitOfWork._index_held,
    Released: UnitOfWork._index_released,
    UsedBefore: UnitOfWork._index_used_before,
    Merged: UnitOfWork._index_merged,
    Unmerged: UnitOfWork._index_unmerged,
    Erased: UnitOfWork._index_erased,
    CardSeen: UnitOfWork._index_card,
    OrderSaved: UnitOfWork._index_order,
    PointsAdded: UnitOfWork._index_points,
    PromoCodeIssued: UnitOfWork._index_promo_code,
}
"""What each change alters beside the profiles: by which value, MaestraID or number they are found."""
