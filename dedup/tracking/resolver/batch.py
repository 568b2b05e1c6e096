"""A batch of waiting events, as one transaction reads it from the inbox."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.utils import timezone

from customers.storage.sql import array, ask, execute
from dedup.tracking.holders import Holder, StoredValue

# The events at the head of a lane, as far as they came through the same point, so that the engine can
# decide on them as that point. They are locked, so that an erasure waits for them.
HEAD_OF_LANE = """
SELECT id, point_id FROM dedup_event
 WHERE lane = %(lane)s
   AND point_id = (SELECT point_id FROM dedup_event WHERE lane = %(lane)s ORDER BY id LIMIT 1)
 ORDER BY id LIMIT %(limit)s FOR UPDATE
"""
# Remembers the UUIDs of the batch and deletes each event whose UUID was remembered before, by an earlier
# batch (no row in `new`) or by an earlier event of this one (`arrival` > 1). UUIDs are written in order, so
# that two workers never wait for each other.
DROP_REPEATED = """
WITH batch AS (
  SELECT id, uuid, row_number() OVER (PARTITION BY uuid ORDER BY id) AS arrival
    FROM dedup_event WHERE id = ANY(%(ids)s::bigint[])
), new AS (
  INSERT INTO dedup_seenevent (uuid, seen_on)
  SELECT uuid, %(today)s FROM batch WHERE arrival = 1 ORDER BY uuid
  ON CONFLICT DO NOTHING RETURNING uuid
)
DELETE FROM dedup_event e USING batch b LEFT JOIN new n ON n.uuid = b.uuid
 WHERE e.id = b.id AND (n.uuid IS NULL OR b.arrival > 1)
"""
# One row for each device of the batch that somebody holds, with what the batch did on it. The holder is
# clear where no event of it names a customer and all of them happened since nobody else used the device.
HELD_DEVICES = """
WITH used AS (
  SELECT device_kind AS kind, device AS value, min(occurred_at) AS first, max(occurred_at) AS last,
         bool_and(maestra_id IS NULL AND record IS NULL) AS is_plain
    FROM dedup_event WHERE id = ANY(%(ids)s::bigint[]) AND device_kind IS NOT NULL
   GROUP BY 1, 2
)
SELECT u.kind, u.value, u.last, u.is_plain AND u.first >= s.since, i.id, i.customer_id, i.origin_id, s.since
  FROM used u JOIN customers_identifier i ON i.kind_id = u.kind AND i.value = u.value
 CROSS JOIN LATERAL (
   SELECT greatest(i.since, max(since)) AS since FROM customers_deviceuse WHERE identifier_id = i.id
 ) s
 WHERE i.customer_id IS NOT NULL
 ORDER BY u.kind, u.value
"""
REMAINING = """
SELECT id, kind, occurred_at, device_kind, device, maestra_id, record::text FROM dedup_event
 WHERE id = ANY(%(ids)s::bigint[]) ORDER BY occurred_at, id
"""


class EventBatch(NamedTuple):
    """Events that one transaction resolves; all came through the point."""

    point_id: int
    event_ids: list[int]

    @property
    def id_array(self) -> str:
        """The IDs as an array literal for SQL."""
        return array("bigint", self.event_ids)


class HeldDevice(NamedTuple):
    """A device of the batch that somebody holds. `last_used_at` is its last event in the batch; where
    `is_clear`, everything the batch did on it was done by its present holder.
    """

    device: StoredValue
    last_used_at: datetime
    is_clear: bool
    holder: Holder


class WaitingEvent(NamedTuple):
    """An event of the inbox, without the columns that only the ledger needs."""

    id: int
    kind: str
    occurred_at: datetime
    device_kind: int | None
    device_value: str
    maestra_id: int | None
    record: str | None
    """What a page said about its visitor, as JSON; only an identify call has it."""

    @property
    def device(self) -> StoredValue | None:
        return None if self.device_kind is None else StoredValue(self.device_kind, self.device_value)

    @property
    def is_plain(self) -> bool:
        """Whether it names nobody: it belongs to whoever the device belonged to."""
        return self.maestra_id is None and self.record is None


def head_of_lane(lane: int, limit: int) -> EventBatch | None:
    """The next events of the lane, locked; None where it is empty."""
    (rows,) = ask([(HEAD_OF_LANE, {"lane": lane, "limit": limit})])
    return EventBatch(rows[0][1], [row[0] for row in rows]) if rows else None


def drop_repeated(batch: EventBatch) -> int:
    """Delete the events that were resolved before and remember the others; how many were deleted."""
    return execute(DROP_REPEATED, {"ids": batch.id_array, "today": timezone.now().date()})


def held_devices(batch: EventBatch) -> list[HeldDevice]:
    """The devices of the batch that have a holder."""
    (rows,) = ask([(HELD_DEVICES, {"ids": batch.id_array})])
    return [
        HeldDevice(StoredValue(kind, value), last, is_clear, Holder(*holder))
        for kind, value, last, is_clear, *holder in rows
    ]


def remaining_events(batch: EventBatch) -> list[WaitingEvent]:
    """The events of the batch that are still in the inbox, in the order in which they happened."""
    (rows,) = ask([(REMAINING, {"ids": batch.id_array})])
    return [WaitingEvent(*row) for row in rows]


def devices_of(events: Iterable[WaitingEvent]) -> set[StoredValue]:
    return {event.device for event in events if event.device}
