"""Marking two customers as never the same (R22, R46)."""

from __future__ import annotations

from collections.abc import Callable

from django.utils import timezone
from django.utils.translation import gettext as _

from customers.changes import ApartLifted, Change, KeptApart, Why
from customers.errors import invalid
from customers.profile import MAESTRA_ID, Key, Profile
from customers.storage.batch import RecordChanges
from customers.storage.transactions import in_transaction
from dedup.engine.world import World
from dedup.operations.base import Caller, save
from dedup.operations.lookups import find_customer
from dedup.storage.loading import load, wanted_keys


def keep_apart(caller: Caller, left: int, right: int) -> None:
    """Mark two customers as never the same (R22)."""

    def changes(a: Profile, b: Profile, _world: World) -> list[Change]:
        pairs = [(a.maestra_id, b.maestra_id), (b.maestra_id, a.maestra_id)]
        return [KeptApart(customer=one, maestra_id=one, other=two, why=Why.RECORD) for one, two in pairs]

    _mark(caller, left, right, "keep_apart", changes)


def lift_apart(caller: Caller, left: int, right: int) -> None:
    """Take back that two customers are never the same, whichever of their MaestraIDs it was said of (R46)."""

    def changes(a: Profile, b: Profile, world: World) -> list[Change]:
        pairs = [(x, y) for x in a.maestra_ids for y in b.maestra_ids if frozenset((x, y)) in world.apart]
        sides = [(a.maestra_id, x, y) for x, y in pairs] + [(b.maestra_id, y, x) for x, y in pairs]
        return [
            ApartLifted(customer=primary_id, maestra_id=one, other=two)
            for primary_id, one, two in sorted(sides)
        ]

    _mark(caller, left, right, "lift_apart", changes)


def _mark(
    caller: Caller,
    left: int,
    right: int,
    kind: str,
    changes: Callable[[Profile, Profile, World], list[Change]],
) -> None:
    def work() -> None:
        now = timezone.now()
        keys = [Key(MAESTRA_ID, str(left)), Key(MAESTRA_ID, str(right))]
        loaded = load(wanted_keys(keys), caller.config, lock=True)
        a, b = (find_customer(loaded, key, caller) for key in keys)
        if a.maestra_id == b.maestra_id:
            raise invalid(("customers", _("Both are one profile. Undo their merge first.")))
        made = changes(a, b, loaded.world)
        save(caller, kind, [RecordChanges(tuple(made), now)], loaded, now)

    in_transaction(work)
