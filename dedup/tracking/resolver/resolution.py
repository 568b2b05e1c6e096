"""The steps in which a batch of events is resolved, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping

from customers.storage.loading import primary_ids_of
from dedup.operations.base import Caller
from dedup.tracking.holders import Holder, StoredValue, holders_of
from dedup.tracking.resolver.attribution import Action, Attribution
from dedup.tracking.resolver.batch import (
    EventBatch,
    devices_of,
    drop_repeated,
    held_devices,
    remaining_events,
)
from dedup.tracking.resolver.decisions import decide
from dedup.tracking.resolver.earlier_users import reassign_late
from dedup.tracking.resolver.ledger import count_actions, move_attributed, move_clear_devices
from dedup.tracking.resolver.locks import hold_touched
from dedup.tracking.resolver.runs import assign_undisputed, runs_of


def resolve(batch: EventBatch, caller: Caller) -> None:
    """Move every event of the batch to the ledger, to the failures, or away if it is a repetition."""
    waiting = len(batch.event_ids) - drop_repeated(batch)
    hold_touched(batch)
    held = held_devices(batch)
    clear = [device for device in held if device.is_clear]
    waiting -= move_clear_devices(batch, clear)
    actions = [Action(d.holder.origin_id, d.holder.primary_id, d.last_used_at) for d in clear]
    if waiting:
        actions += _resolve_remaining(batch, {device.device: device.holder for device in held}, caller)
    count_actions(actions, caller)


def _resolve_remaining(batch: EventBatch, held: Mapping[StoredValue, Holder], caller: Caller) -> list[Action]:
    """Look at the events that are left one by one, and let the engine decide where there is a decision to
    make. Gives back the actions it did not count.
    """
    events, attribution = remaining_events(batch), Attribution()
    holders = {device: held[device] for device in devices_of(events) & held.keys()}
    named = primary_ids_of({event.maestra_id for event in events if event.maestra_id is not None})
    to_decide = assign_undisputed(events, holders, named, attribution)
    decide(list(runs_of(to_decide, holders, caller)), caller, attribution)
    holders |= holders_of(devices_of(to_decide))
    reassign_late(events, holders, attribution)
    move_attributed(events, attribution, holders)
    return list(attribution.uncounted_actions(events))
