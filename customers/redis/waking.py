"""Waking a worker when there is something to do.

What there is to do stands in the database alone. A call that is lost costs seconds: the schedule looks by
itself.
"""

from __future__ import annotations

from functools import partial

from celery import current_app
from django.core.cache import cache
from django.db import transaction

from customers.redis.outage import unless_away


def wake_after_commit(task: str, *, expires: float | None = None, debounce: int = 0) -> None:
    """Wake a worker for the task once what it is to do is stored. See `wake`."""
    transaction.on_commit(partial(wake, task, expires=expires, debounce=debounce), robust=True)


def wake(task: str, *, expires: float | None = None, debounce: int = 0) -> bool:
    """Call a worker for the task of this name, and say whether one is coming.

    Args:
        expires: seconds after which the call is worth nothing, because the schedule has made another.
        debounce: seconds in which one call is enough, unless a worker says meanwhile that it is `awake`.
    """
    return unless_away(partial(_call, task, expires, debounce), otherwise=False)


def _call(task: str, expires: float | None, debounce: int) -> bool:
    if not debounce or cache.add(_called(task), 1, timeout=debounce):
        current_app.send_task(task, expires=expires, retry=False)
    return True


def awake(task: str) -> None:
    """A worker begins the task: for what comes from now on, it must be called again."""
    unless_away(partial(cache.delete, _called(task)), otherwise=False)


def _called(task: str) -> str:
    return f"called:{task}"
