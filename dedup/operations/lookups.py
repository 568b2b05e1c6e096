"""Finding customers by an identifier (R19, R20)."""

from __future__ import annotations

from collections.abc import Sequence

from customers.profile import Key, Profile
from dedup.engine.outcome import Outcome, OutcomeStatus
from dedup.engine.unit_of_work import UnitOfWork
from dedup.operations.base import Caller, Result
from dedup.refusals import not_found
from dedup.storage.loading import Loaded, load, wanted_keys


def lookup(caller: Caller, key: Key) -> Result:
    """The customer an identifier finds at this point (R19, R20). Raises `customer_not_found`."""
    loaded = load(wanted_keys([key], caller.point.gives_access), caller.config, lock=False)
    profile = find_customer(loaded, key, caller)
    return Result(Outcome(OutcomeStatus.UNCHANGED, profile), profile)


def primary_ids_found(caller: Caller, keys: Sequence[Key]) -> list[int | None]:
    """The primary MaestraIDs of many customers, found as `lookup` finds one, with as many statements; None
    where a key finds nobody.
    """
    work = UnitOfWork(load(wanted_keys(keys, caller.point.gives_access), caller.config, lock=False).world)
    found = (work.find(key, caller.point.gives_access) for key in keys)
    return [profile.maestra_id if profile else None for profile in found]


def find_customer(loaded: Loaded, key: Key, caller: Caller) -> Profile:
    """The customer that an identifier finds among what was loaded. Raises `customer_not_found`."""
    profile = UnitOfWork(loaded.world).find(key, caller.point.gives_access)
    if profile is None:
        raise not_found(key)
    return profile
