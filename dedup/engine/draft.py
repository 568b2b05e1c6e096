"""The working copy in which a batch of records is decided.

It can be altered only by emitting changes, so nothing can happen without its history, and a record that is
refused leaves no trace: every alteration is logged and can be rolled back.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    PointsAdded,
    PromoCodeIssued,
    Released,
    Unmerged,
    apply,
)
from customers.profile import DEVICES, MAESTRA_ID, Holding, Key, Kind, Profile
from dedup.engine.world import World

K = TypeVar("K")
V = TypeVar("V")
Log = list[tuple["Table[Any, Any]", Any, Any]]
MISSING = object()


class Table(dict[K, V]):
    """A dict whose alterations are logged."""

    def __init__(self, content: Mapping[K, V], log: Log) -> None:
        super().__init__(content)
        self.log = log

    def __setitem__(self, key: K, value: V) -> None:
        self.log.append((self, key, self.get(key, MISSING)))
        super().__setitem__(key, value)

    def __delitem__(self, key: K) -> None:
        self.log.append((self, key, self[key]))
        super().__delitem__(key)

    def restore(self, key: K, old: Any) -> None:
        if old is MISSING:
            super().pop(key, None)
        else:
            super().__setitem__(key, old)


class Draft:
    """What is known, with the changes made so far."""

    def __init__(self, world: World) -> None:
        self._log: Log = []
        self.world = world
        self.changes: list[Change] = []
        self.profiles: Table[int, Profile] = Table(world.profiles, self._log)
        self.heads: Table[int, int] = Table(world.heads, self._log)
        self.holders: Table[Key, int] = Table(world.holders, self._log)
        self.card_holders: Table[str, frozenset[int]] = Table(world.card_holders, self._log)
        self.device_users: Table[Key, frozenset[int]] = Table(world.device_users, self._log)
        self.orders: Table[str, tuple[int, Order]] = Table(world.orders, self._log)
        self.points: Table[str, int] = Table(world.points, self._log)
        self.promo_codes: Table[str, int] = Table(world.promo_codes, self._log)
        known = {head: profile.is_identified for head, profile in world.profiles.items()}
        self.identified: Table[int, bool] = Table(known, self._log)
        self._new_ids = iter(world.new_ids)

    def start(self) -> None:
        """Begin a record: what is emitted from here on is its own."""
        self.changes = []
        self._log.clear()

    def roll_back(self) -> None:
        """Forget everything since `start`."""
        for table, key, old in reversed(self._log):
            table.restore(key, old)
        self.start()

    def new_id(self) -> int:
        return next(self._new_ids)

    def kind(self, name: str) -> Kind:
        return self.world.kinds[name]

    def head(self, maestra_id: int) -> int | None:
        """The primary MaestraID of the profile a MaestraID, current or former, belongs to; None if unknown or
        erased (R1).
        """
        return self.heads.get(maestra_id)

    def holder(self, key: Key) -> Profile | None:
        """The profile that has a value, currently or formerly."""
        origin = self.holders.get(key)
        head = None if origin is None else self.heads.get(origin)
        return None if head is None else self.profiles[head]

    def current_holder(self, key: Key) -> Profile | None:
        """The profile that holds a value now; one that merely retired it does not."""
        profile = self.holder(key)
        return profile if profile and not profile.holdings[key].is_former else None

    def owner(self, key: Key) -> Profile | None:
        """The profile an ID finds: its holder, or where history search is on the one that retired it (R1,
        R3).
        """
        if key.kind == MAESTRA_ID:
            head = self.head(int(key.value))
            return None if head is None else self.profiles[head]
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
        users = {self.heads.get(user, user) for user in self.device_users.get(key, ())}
        identified = [u for u in users if u not in self.profiles or self.profiles[u].is_identified]
        return len(identified) > self.world.shared_device_limit

    def emit(self, change: Change) -> None:
        """Let a change happen."""
        apply(self.profiles, change)
        self.changes.append(change)
        self._index(change)

    def _index(self, change: Change) -> None:  # noqa: PLR0912 - a case for each change
        match change:
            case Created():
                self.heads[change.customer] = change.customer
                self.identified[change.customer] = False
            case IdentifiedChanged():
                self.identified[change.customer] = change.is_identified
                self._index_devices(self.profiles[change.customer])
            case Held():
                self._index_holding(change.after, change.customer)
            case Released():
                if change.holding.key in self.holders:
                    del self.holders[change.holding.key]
            case Merged():
                for maestra_id in change.absorbed.maestra_ids:
                    self.heads[maestra_id] = change.customer
            case Unmerged():
                self._index_restored(change.restored)
            case Erased():
                for maestra_id in change.maestra_ids:
                    del self.heads[maestra_id]
            case CardSeen():
                self.card_holders[change.card] = self.card_holders.get(change.card, frozenset()) | {
                    change.customer
                }
            case OrderSaved():
                self.orders[change.after.number] = (change.maestra_id, change.after)
            case PointsAdded() if change.number:
                self.points[change.number] = change.maestra_id
            case PromoCodeIssued():
                self.promo_codes[change.code] = change.maestra_id
            case _:
                pass

    def note_identified(self) -> None:
        """Emit for every customer touched since `start` whether it became identified, or anonymous again."""
        for customer in sorted({c.customer for c in self.changes} & self.profiles.keys()):
            profile = self.profiles[customer]
            if profile.is_identified != self.identified[customer]:
                self.emit(
                    IdentifiedChanged(
                        customer=customer, maestra_id=customer, is_identified=profile.is_identified
                    )
                )

    def _index_holding(self, holding: Holding, customer: int) -> None:
        self.holders[holding.key] = customer
        if holding.category in DEVICES:
            self.device_users[holding.key] = self.device_users.get(holding.key, frozenset()) | {customer}

    def _index_devices(self, profile: Profile) -> None:
        """Only identified users of a device were read, and this one may not have been (R26)."""
        for holding in profile.holdings.values():
            if holding.category in DEVICES:
                self._index_holding(holding, profile.maestra_id)

    def _index_restored(self, restored: Profile) -> None:
        for maestra_id in restored.maestra_ids:
            self.heads[maestra_id] = restored.maestra_id
        for key in restored.holdings:
            self.holders[key] = restored.maestra_id
        self.identified[restored.maestra_id] = restored.is_identified
