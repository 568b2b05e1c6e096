"""Waking workers when there is something to do. What there is to do stands in the database alone: a call that
is lost costs seconds, until beat looks for itself.
"""

from __future__ import annotations

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError
from structlog.stdlib import get_logger

log = get_logger(__name__)

TASK = "dedup.tasks.work_imports"
EXPIRES = 30  # seconds; beat has called again long before


def wake_after_commit() -> None:
    """Wake a worker once what is to be done is stored."""
    transaction.on_commit(wake_worker, robust=True)


def wake_worker() -> bool:
    """Whether a worker was called."""
    try:
        current_app.send_task(TASK, expires=EXPIRES, retry=False)
    except OperationalError:
        log.warning("worker_not_woken")
        return False
    return True
