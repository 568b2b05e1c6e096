"""What a resolved batch writes: activities, personal actions and failures. What is written leaves the inbox
by the same statement, so an event is always in exactly one place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from django.utils import timezone

from customers.changes import ActionCounted
from customers.storage import saving
from customers.storage.batch import Batch, RecordChanges
from customers.storage.locking import operation_of
from customers.storage.sql import Script, array, execute, over
from dedup.operations.base import Caller
from dedup.tracking import failures
from dedup.tracking.holders import Holder, StoredValue
from dedup.tracking.resolver.attribution import Action, Attribution
from dedup.tracking.resolver.batch import EventBatch, HeldDevice, WaitingEvent

# Moves events from the inbox to the ledger. `u` has the MaestraID (`origin_id`) and the device's row
# (`identifier_id`) for the events that {matched} picks. `{{rows}}` is left for `over`.
MOVE = """
WITH moved AS (
  DELETE FROM dedup_event e USING {{rows}} WHERE {matched}
  RETURNING e.id, e.uuid, u.origin_id, e.kind, e.occurred_at, u.identifier_id, e.url, e.title, e.properties
)
INSERT INTO customers_activity (uuid, maestra_id, kind, occurred_at, device_id, url, title, properties)
SELECT uuid, origin_id, kind, occurred_at, identifier_id, url, title, properties FROM moved ORDER BY id
ON CONFLICT DO NOTHING
"""
RECORDED_AS = {"origin_id": "bigint", "identifier_id": "bigint"}
MOVE_BY_DEVICE = MOVE.format(
    matched="e.device_kind = u.device_kind AND e.device = u.device AND e.id = ANY(%s::bigint[])"
)
BY_DEVICE = {"device_kind": "smallint", "device": "text", **RECORDED_AS}
MOVE_BY_ID = MOVE.format(matched="e.id = u.event_id")
BY_ID = {"event_id": "bigint", **RECORDED_AS}
DROP = "DELETE FROM dedup_event WHERE id = ANY(%s::bigint[])"


class ByDevice(NamedTuple):
    """A row of `MOVE_BY_DEVICE`: all events of the batch on this device."""

    device_kind: int
    device: str
    origin_id: int
    identifier_id: int


class ById(NamedTuple):
    """A row of `MOVE_BY_ID`; `identifier_id` is None for an event without a device."""

    event_id: int
    origin_id: int
    identifier_id: int | None


def move_clear_devices(batch: EventBatch, devices: Sequence[HeldDevice]) -> int:
    """Write what was done on these devices as done by their holders; how many events."""
    if not devices:
        return 0
    rows = [ByDevice(*held.device, held.holder.origin_id, held.holder.identifier_id) for held in devices]
    sql, arrays = over(MOVE_BY_DEVICE, BY_DEVICE, rows)
    return execute(sql, [*arrays, batch.id_array])


def move_attributed(
    events: Sequence[WaitingEvent], attribution: Attribution, holders: Mapping[StoredValue, Holder]
) -> None:
    """Write the events that belong to somebody, set the failed ones aside, drop the others."""
    failures.set_aside(attribution.failed)
    rows = [
        ById(event.id, origin_id, holders[event.device].identifier_id if event.device else None)
        for event in events
        if (origin_id := attribution.origin_ids.get(event.id))
    ]
    script = Script()
    script.with_rows(MOVE_BY_ID, BY_ID, rows)
    script.execute(DROP, [array("bigint", [event.id for event in events])])
    script.send()


def count_actions(actions: Iterable[Action], caller: Caller) -> None:
    """Count the last action of each MaestraID: activities are personal actions, whatever the point (R29)."""
    last: dict[int, Action] = {}
    for action in actions:
        if action.origin_id not in last or last[action.origin_id].at < action.at:
            last[action.origin_id] = action
    if not last:
        return
    changes = [
        RecordChanges((ActionCounted(customer=primary_id, maestra_id=origin_id, at=at),), at, caller.point.id)
        for origin_id, primary_id, at in sorted(last.values())
    ]
    operation = operation_of("activities", timezone.now(), caller.actor, None, caller.point.id)
    saving.save(Batch(tuple(changes), operation, caller.config.kinds))
