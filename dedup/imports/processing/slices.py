"""What a worker does when it is woken: work for a while, then let others have the worker, and come back."""

from __future__ import annotations

import time

from django.db import Error as DatabaseError
from django.db import close_old_connections
from structlog.stdlib import get_logger

from customers.redis import waking
from dedup.imports.processing.chunks import step
from dedup.models import ImportChunk, ImportStates

log = get_logger(__name__)

TASK = "dedup.tasks.work_imports"
EXPIRES = 30  # seconds; the schedule has called again long before

SLICE = 10.0  # seconds; then other tasks have their turn
AWAY = 1.0  # seconds to wait for a database that does not answer
TRIES = 5


def wake_after_commit() -> None:
    """Wake a worker once what is to be done is stored."""
    waking.wake_after_commit(TASK, expires=EXPIRES)


def wake_worker() -> bool:
    """Whether a worker was called."""
    return waking.wake(TASK, expires=EXPIRES)


def work_for_a_while() -> None:
    """Take work until there is none, or the time is up and another call is on its way."""
    deadline = time.monotonic() + SLICE
    if _is_enough_for_two():
        wake_worker()
    while _step():
        if time.monotonic() > deadline and wake_worker():
            return


def _is_enough_for_two() -> bool:
    """Each worker that comes calls the next one while there is more than it can take."""
    waiting = ImportChunk.objects.filter(worked_at=None, source__state=ImportStates.RUNNING)
    return len(waiting.values_list("pk")[:2]) == 2


def _step() -> bool:
    """A step, tried again where the database went away meanwhile: what that undid is still to be done."""
    for _ in range(TRIES):
        try:
            return step()
        except DatabaseError:
            log.warning("import_interrupted", exc_info=True)
            close_old_connections()
            time.sleep(AWAY)
    return False
