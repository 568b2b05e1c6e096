"""Celery's scheduler, and how one can tell that it is at work."""

from typing import Any

from celery.beat import PersistentScheduler
from django.conf import settings

# Its age is that of the last look for tasks that are due, a few seconds as long as beat works.
ALIVE = settings.DATA_DIR / "beat.alive"


class Scheduler(PersistentScheduler):
    def tick(self, *arguments: Any, **options: Any) -> float:
        delay: float = super().tick(*arguments, **options)
        ALIVE.touch()
        return delay
