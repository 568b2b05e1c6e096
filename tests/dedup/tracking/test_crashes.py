"""A real worker that dies in the middle, a database that drops its connections: what was answered 202 is in
the ledger, once.
"""

from __future__ import annotations

import random
import signal
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection

from customers.models import Activity
from dedup.models import Event, FailedEvent
from dedup.storage.integrity import faults
from dedup.tracking import inbox
from tests.dedup.tracking.sending import action
from tests.dedup.tracking.working import Worker, until, worker
from tests.scenarios.api import Project

pytestmark = pytest.mark.slow

DEVICES = [str(uuid4()) for _ in range(30)]
LOTS, LOT = 12, 250


def terminate_connections(_worker: Worker) -> None:
    """As a restart of the database does."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def kill(worker: Worker) -> None:
    worker.end(signal.SIGKILL)
    worker.start()


@pytest.mark.parametrize("blow", [kill, terminate_connections])
def test_what_was_answered_is_in_the_ledger_once_whatever_falls(
    project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch, blow: Callable[[Worker], None]
) -> None:
    shop, chance, answered = project(), random.Random(7), list[UUID]()
    lots = [some(chance) for _ in range(LOTS)]
    with worker(monkeypatch) as one:
        for number, lot in enumerate(lots):
            answer = shop.website.post("activities/", {"activities": lot})
            assert answer.status == 202
            answered += map(UUID, answer.body["uuids"])
            if number % 4 == 3:
                until(Activity.objects.exists)
                blow(one)
        shop.website.post("activities/", {"activities": lots[0] + lots[-1]})  # not believed to have arrived
        until(partial(is_empty, one))
    assert not FailedEvent.objects.exists()
    assert sorted(Activity.objects.values_list("uuid", flat=True)) == sorted(answered)
    assert faults() == []


def is_empty(worker: Worker) -> bool:
    """Sends for the worker again and again, as the schedule does."""
    worker.send_for(inbox.TASK)
    return not Event.objects.exists()


def some(chance: random.Random) -> list[dict[str, Any]]:
    return [action(chance.uniform(1, 9), chance.choice(DEVICES), uuid=str(uuid4())) for _ in range(LOT)]
