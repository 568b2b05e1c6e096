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
    _mark(caller, left, right, "keep_apart", _keeping_apart)


def lift_apart(caller: Caller, left: int, right: int) -> None:
    """Take back that two customers are never the same, whichever of their MaestraIDs it was said of (R46)."""
    _mark(caller, left, right, "lift_apart", _lifting)


def _keeping_apart(left: Profile, right: Profile, _world: World) -> list[Change]:
    return [
        KeptApart(customer=one.maestra_id, maestra_id=one.maestra_id, other=other.maestra_id, why=Why.RECORD)
        for one, other in ((left, right), (right, left))
    ]


def _lifting(left: Profile, right: Profile, world: World) -> list[Change]:
    pairs = [(x, y) for x in left.maestra_ids for y in right.maestra_ids if frozenset((x, y)) in world.apart]
    sides = [(left.maestra_id, x, y) for x, y in pairs] + [(right.maestra_id, y, x) for x, y in pairs]
    return [
        ApartLifted(customer=customer, maestra_id=own, other=other) for customer, own, other in sorted(sides)
    ]


def _mark(
    caller: Caller,
    left: int,
    right: int,
    kind: str,
    changes_of: Callable[[Profile, Profile, World], list[Change]],
) -> None:
    def work() -> None:
        now = timezone.now()
        keys = [Key(MAESTRA_ID, str(left)), Key(MAESTRA_ID, str(right))]
        loaded = load(wanted_keys(keys), caller.config, lock=True)
        a, b = (find_customer(loaded, key, caller) for key in keys)
        if a.maestra_id == b.maestra_id:
            raise invalid(("customers", _("Both are one profile. Undo their merge first.")))
        changes = changes_of(a, b, loaded.world)
        save(caller, kind, [RecordChanges(tuple(changes), now)], loaded, now)

    in_transaction(work)
