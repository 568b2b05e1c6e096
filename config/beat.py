"""Celery's scheduler, which shows that it is alive."""

from typing import Any

from celery.beat import PersistentScheduler
from django.conf import settings

# Touched at each look for tasks that are due, so a few seconds old while beat works.
ALIVE = settings.DATA_DIR / "beat.alive"


class Scheduler(PersistentScheduler):
    def tick(self, *arguments: Any, **options: Any) -> float:
        delay: float = super().tick(*arguments, **options)
        ALIVE.touch()
        return delay
