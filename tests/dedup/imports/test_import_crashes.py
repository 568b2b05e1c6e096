"""Workers that die and servers that go away in the middle of an import: it ends as if nothing had been.

A worker is a process of its own. It is held where it is to be struck by a lock that this process has, so that
nothing depends on how fast anything is.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from celery import current_app
from django.conf import settings
from django.db import connection, transaction
from kombu.exceptions import OperationalError

from customers.models import Customer
from dedup import tasks
from dedup.imports.operations import find
from dedup.imports.processing import slices
from dedup.imports.processing.staging import stage
from dedup.imports.reports import progress, report_rows
from dedup.models import Import, ImportStates
from dedup.storage.integrity import faults
from tests.dedup.imports.importing import ANN, counts, imported, project, sent
from tests.scenarios.conftest import story

__all__ = ["story"]

PATIENCE = 120.0  # seconds
WORK = "import django; django.setup(); from dedup.imports.processing.slices import work_for_a_while as w; w()"
ROWS = [("1", ANN, "", "Ann"), *[(str(n), f"p{n % 9}@example.com", "", f"N{n}") for n in range(2, 30)]]
WAITING = """
SELECT pid FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND wait_event_type = 'Lock'
"""


def worker() -> subprocess.Popen[bytes]:
    """A process that works imports on the database of the test, until there is nothing left."""
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    environment = {
        **os.environ,
        "DATABASE_URL": database.geturl(),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "IMPORT_CHUNK_ROWS": str(settings.IMPORT_CHUNK_ROWS),
    }
    return subprocess.Popen([sys.executable, "-c", WORK], cwd=settings.BASE_DIR, env=environment)


@contextmanager
def held(sql: str, *parameters: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A worker that waits for a lock which this process has; let go at the end."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
        process = worker()
        waiting_workers()
        yield process


def waiting_workers() -> list[int]:
    """The backends of workers that wait for a lock, once there are any."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # it is kept for a whole transaction
            cursor.execute(WAITING)
            if pids := [pid for (pid,) in cursor.fetchall()]:
                return pids
        time.sleep(0.02)
    raise AssertionError("No worker came to where it was to wait")


def ended(process: subprocess.Popen[bytes]) -> int:
    return process.wait(PATIENCE)


def kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    ended(process)


def terminate(process: subprocess.Popen[bytes]) -> None:
    """Takes its connection away, as a server that is restarted does; the worker lives on."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s) pid", [waiting_workers()])
    assert process.poll() is None


@pytest.fixture
def undisturbed(story: None, settings: Any) -> Any:
    """A project with one customer, and what the file comes to where nothing is in its way."""
    settings.IMPORT_CHUNK_ROWS = 5
    point = project()
    imported(point, [("1", ANN, "", "")])
    dry = imported(point, ROWS, is_dry_run=True)
    return point, counts(dry)


@pytest.mark.slow
@pytest.mark.parametrize("blow", [kill, terminate])
@pytest.mark.parametrize("place", ["a chunk", "staging"])
def test_an_import_that_was_struck_ends_as_if_nothing_had_been(
    undisturbed: Any, blow: Callable[..., None], place: str
) -> None:
    point, expected = undisturbed
    source = sent(point, ROWS)
    if place == "a chunk":
        stage(source.pk)
        lock = ("SELECT FROM customers_customer WHERE id = %s FOR UPDATE", Customer.objects.get().pk)
    else:
        lock = ("SELECT FROM dedup_import WHERE id = %s FOR UPDATE", source.pk)
    with held(*lock) as process:
        blow(process)
    second = worker()
    assert [ended(process), ended(second)] == [-9 if blow is kill else 0, 0]
    source = find(source.pk)
    assert source.state == ImportStates.FINISHED
    assert counts(source) == expected
    assert len(list(report_rows(source))) == len(ROWS)
    assert faults() == []


def test_calls_that_were_lost_are_made_good_by_beat(
    undisturbed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_given: Any, **_more: Any) -> None:
        raise OperationalError("Redis is away")

    point, expected = undisturbed
    monkeypatch.setattr(current_app, "send_task", away)
    source = sent(point, ROWS)
    assert not slices.wake_worker()
    called = settings.CELERY_BEAT_SCHEDULE["imports"]
    assert (called["task"], called["schedule"]) == (slices.TASK, 5.0)
    tasks.work_imports()
    assert counts(find(source.pk)) == expected


def test_workers_share_the_chunks_and_each_row_takes_effect_once(undisturbed: Any) -> None:
    point, expected = undisturbed
    source = sent(point, ROWS)
    stage(source.pk)
    workers = [worker() for _ in range(2)]
    assert [ended(process) for process in workers] == [0, 0]
    source = Import.objects.get(pk=source.pk)
    assert (counts(source), progress(source).done) == (expected, len(ROWS))
    assert faults() == []
