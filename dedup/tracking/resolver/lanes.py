"""Batches from the lanes of the inbox, each resolved in one transaction or not at all.

A lane is resolved by one worker at a time, which keeps the order of each device's events: leaving the inbox,
remembering the UUIDs and writing the ledger commit together.
"""

from __future__ import annotations

from functools import partial

from django.db import OperationalError
from structlog.stdlib import get_logger

from customers.errors import ErrorCode, SelfsameError
from customers.models import IntegrationPoint
from customers.setup.integration_points import point_of
from customers.setup.project_config import project_config
from customers.storage.sql import ask
from customers.storage.transactions import in_transaction
from dedup.operations.base import Caller
from dedup.tracking import failures
from dedup.tracking.inbox import LANES, awake
from dedup.tracking.resolver import resolution
from dedup.tracking.resolver.batch import EventBatch, head_of_lane

BATCH = 4000
"""Most events of one transaction: as long as it lasts, their customers are locked."""
TRIES = 3
LOCK_CLASS = 0x53454C46
"""Tells our advisory locks from those of other programs."""

LOCK_LANE = "SELECT pg_try_advisory_xact_lock(%s, %s)"

log = get_logger(__name__)


def resolve_waiting() -> int:
    """Resolve what is in the inbox, except lanes that another worker is at; how many events."""
    awake()
    return sum(resolve_lane(lane) for lane in range(LANES))


def resolve_lane(lane: int) -> int:
    """Resolve what waits in one lane; how many events. A batch that cannot be resolved is halved, until the
    one event at fault is set aside; one whose customers others are busy with is left for the next time.
    """
    resolved, limit = 0, BATCH
    while True:
        try:
            done = in_transaction(partial(_resolve_head, lane, limit), TRIES)
        except OperationalError:
            raise
        except Exception as error:
            if limit == 1 and _is_busy(error):
                return resolved
            if limit == 1:
                _set_aside_head(lane, error)
            log.warning("events_not_resolved", lane=lane, limit=limit, error=type(error).__name__)
            limit = max(1, limit // 2)
            continue
        if not done:
            return resolved
        resolved, limit = resolved + done, min(BATCH, limit * 2)


def lock_lane(lane: int) -> bool:
    """Keep other workers out of the lane until the transaction ends; False where one of them has it."""
    (((is_ours,),),) = ask([(LOCK_LANE, [LOCK_CLASS, lane])])
    return bool(is_ours)


def _resolve_head(lane: int, limit: int) -> int:
    batch = _next_batch(lane, limit)
    if batch is None:
        return 0
    config = project_config()
    point = point_of(IntegrationPoint.objects.get(pk=batch.point_id))
    resolution.resolve(batch, Caller("system", point, read_with=config))
    return len(batch.event_ids)


def _next_batch(lane: int, limit: int) -> EventBatch | None:
    return head_of_lane(lane, limit) if lock_lane(lane) else None


def _is_busy(error: Exception) -> bool:
    return isinstance(error, SelfsameError) and error.code is ErrorCode.BUSY


def _set_aside_head(lane: int, error: Exception) -> None:
    def work() -> None:
        if batch := _next_batch(lane, 1):
            failures.set_aside(dict.fromkeys(batch.event_ids, failures.unforeseen(error)))

    in_transaction(work)
