"""The steps in which a batch of events is resolved, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from customers.storage.loading import primary_ids_of
from customers.storage.locking import lock
from dedup.operations.base import Caller
from dedup.tracking.holders import Holder, StoredValue, holders_of
from dedup.tracking.resolver.attribution import Action, Attribution
from dedup.tracking.resolver.batch import (
    EventBatch,
    HeldDevice,
    devices_of,
    drop_repeated,
    held_devices,
    remaining_events,
)
from dedup.tracking.resolver.decisions import decide
from dedup.tracking.resolver.earlier_users import reassign_late
from dedup.tracking.resolver.ledger import count_actions, move_attributed, move_clear_devices
from dedup.tracking.resolver.runs import assign_undisputed, runs_of


def resolve(batch: EventBatch, caller: Caller) -> None:
    """Move every event of the batch to the ledger, to the failures, or away if it is a repetition."""
    waiting = len(batch.event_ids) - drop_repeated(batch)
    held = held_devices(batch)
    clear = _still_held([device for device in held if device.is_clear])
    waiting -= move_clear_devices(batch, clear)
    actions = [Action(d.holder.origin_id, d.holder.primary_id, d.last_used_at) for d in clear]
    if waiting:
        actions += _resolve_remaining(batch, {device.device: device.holder for device in held}, caller)
    count_actions(actions, caller)


def _still_held(devices: Sequence[HeldDevice]) -> list[HeldDevice]:
    """Those whose holder is still what was read, under lock."""
    unchanged = _lock_unchanged({held.holder.origin_id: held.holder.primary_id for held in devices})
    return [held for held in devices if held.holder.origin_id in unchanged]


def _resolve_remaining(batch: EventBatch, held: Mapping[StoredValue, Holder], caller: Caller) -> list[Action]:
    """Look at the events that are left one by one, and let the engine decide where there is a decision to
    make. Gives back the actions it did not count.
    """
    events, attribution = remaining_events(batch), Attribution()
    held = {device: held[device] for device in devices_of(events) & held.keys()}
    named = primary_ids_of({event.maestra_id for event in events if event.maestra_id is not None})
    unchanged = _lock_unchanged(named | {holder.origin_id: holder.primary_id for holder in held.values()})
    holders = {device: holder for device, holder in held.items() if holder.origin_id in unchanged}
    named = {maestra_id: primary_id for maestra_id, primary_id in named.items() if maestra_id in unchanged}
    to_decide = assign_undisputed(events, holders, named, attribution)
    decide(list(runs_of(to_decide, holders, caller)), caller, attribution)
    reassign_late(events, holders, attribution)
    move_attributed(events, attribution, holders | holders_of(devices_of(to_decide)))
    return list(attribution.uncounted_actions(events))


def _lock_unchanged(primary_ids: Mapping[int, int]) -> set[int]:
    """Lock the profiles of these MaestraIDs until the transaction ends; gives back the MaestraIDs that still
    belong to the profile they were read with.
    """
    if not primary_ids:
        return set()
    lock(set(primary_ids.values()))
    now = primary_ids_of(primary_ids)
    return {maestra_id for maestra_id, primary_id in primary_ids.items() if now.get(maestra_id) == primary_id}
