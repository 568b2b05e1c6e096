"""The inbox: a request with events is answered only after they are stored here.

What is in the inbox is resolved sooner or later, and once, whether Redis and the workers are up or not.
Redis only wakes the workers sooner.
"""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

from django.db import transaction

from customers.redis import waking
from customers.setup.project_config import ProjectConfig
from customers.storage.sql import Row, Script, Table, as_json
from dedup.tracking.addresses import with_clean_addresses, without_secrets
from dedup.tracking.event_reader import NewEvent

LANES = 8
"""Events are resolved by at most this many workers at once."""
TASK = "dedup.tasks.resolve_events"
NAP = 10
"""Seconds after which a worker is called although none was heard to begin since the last time."""

EVENTS = Table(
    "dedup_event",
    {
        "lane": "smallint",
        "uuid": "uuid",
        "point_id": "bigint",
        "kind": "text",
        "occurred_at": "timestamptz",
        "device_kind": "smallint",
        "device": "text",
        "maestra_id": "bigint",
        "url": "text",
        "title": "text",
        "properties": "jsonb",
        "record": "jsonb",
        "named": "jsonb",
    },
)


def append(events: Sequence[NewEvent], point: int, config: ProjectConfig) -> None:
    """Store these events until they are resolved. They are safe as soon as the transaction commits."""
    script = Script()
    with transaction.atomic():
        script.insert(EVENTS, [_row(event, point, config) for event in events])
        script.send()
        waking.wake_after_commit(TASK, debounce=NAP)


def _row(event: NewEvent, point: int, config: ProjectConfig) -> Row:
    device = event.device
    return (
        lane_of(event),
        event.uuid,
        point,
        event.kind,
        event.occurred_at,
        config.kinds[device.kind].id if device else None,
        device.value if device else "",
        event.maestra_id,
        without_secrets(event.url),
        event.title,
        as_json(with_clean_addresses(event.properties)),
        None if event.record is None else as_json(event.record),
        as_json(event.named),
    )


def lane_of(event: NewEvent) -> int:
    """The lane of the event's device, or of its customer: their events are resolved one after another."""
    whose = event.device.value if event.device else str(event.maestra_id)
    return crc32(whose.encode()) % LANES


def wake() -> None:
    """Call a worker, unless one is on its way."""
    waking.wake(TASK, debounce=NAP)


def awake() -> None:
    """A worker says that it looks into the inbox from now on: for later events one is to be called again."""
    waking.awake(TASK)
