"""One import with a worker, a beat and servers of its own, all of which go away in the middle of it.

Nothing depends on how fast anything is: the worker is held by a lock where it is to be struck.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from django.conf import settings

from config import embedded

PATIENCE = 120.0  # seconds
CHUNK = 50
FIRST_USE = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from tests.dedup.imports.importing import *
point = project()
imported(point, [("A", ANN, "", "")])
rows = [(f"C{n % 900}", f"p{n % 700}@example.com" if n != 600 else ANN, "", "Ann") for n in range(1500)]
dry = imported(point, rows, is_dry_run=True)
source = sent(point, rows)
"""
RESULT = """
import django, json
django.setup()
from dedup.models import Import
from dedup.storage.integrity import faults
from tests.dedup.imports.importing import counts, outcomes
_, dry, source = Import.objects.order_by("pk")
same = outcomes(dry) == outcomes(source)
print(json.dumps([source.state, same, counts(dry), counts(source), [str(f) for f in faults()]]))
"""
WAITING = """
SELECT EXISTS (SELECT FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid() AND wait_event_type = 'Lock')
"""
STAGED = "SELECT running_since IS NOT NULL FROM dedup_import ORDER BY id DESC LIMIT 1"
DONE = """
SELECT count(*) FILTER (WHERE worked_at IS NOT NULL), count(*) FROM dedup_importchunk
 WHERE source_id = (SELECT max(id) FROM dedup_import)
"""
ENDED = "SELECT finished_at IS NOT NULL FROM dedup_import ORDER BY id DESC LIMIT 1"


class Site:
    """PostgreSQL, Redis, a worker and beat, in a folder."""

    def __init__(self, data: Path) -> None:
        home = embedded.Home(data)
        self.home = home
        self.postgres, self.redis = embedded.Postgres(home, durable=False), embedded.Redis(home)
        self.processes = ExitStack()
        ours = ("DATABASE_", "REDIS_", "SELFSAME_", "DJANGO_", "PYTEST_")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(ours)},
            "SELFSAME_ENV": "development",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATA_DIR": str(data),
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.redis.url,
            "IMPORT_CHUNK_ROWS": str(CHUNK),
            "C_FORCE_ROOT": "1",
        }

    def python(self, code: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=settings.BASE_DIR,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout

    def celery(self, *arguments: str) -> psutil.Process:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "--app", "config.celery", *arguments, "--loglevel", "ERROR"],
            cwd=settings.BASE_DIR,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.processes.callback(process.wait)
        self.processes.callback(process.kill)
        return psutil.Process(process.pid)

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.postgres.url)

    def asked(self, sql: str) -> Any:
        with self.connect() as connection:
            return connection.execute(sql).fetchone()

    @contextmanager
    def locked(self, sql: str) -> Iterator[None]:
        """Whoever comes to what is locked waits, until the end or until the server is gone."""
        connection = self.connect()
        connection.execute(sql)
        yield
        with suppress(psycopg.OperationalError):
            connection.close()

    def restart_postgres(self) -> None:
        with self.home.locked():
            self.postgres.stop()
            self.postgres.ensure()

    def lose_redis(self) -> None:
        with self.redis.client() as client:
            client.flushdb()
        self.redis.stop()

    def close(self) -> None:
        self.processes.close()
        self.redis.stop()
        self.postgres.stop()
        for folder in (self.home.sockets, self.home.folder):
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def site() -> Iterator[Site]:
    # Not in the usual place, into which PostgreSQL's own user cannot look.
    folder = Path(tempfile.mkdtemp(prefix="selfsame-outages-"))
    folder.chmod(0o711)
    found = Site(folder / "data")
    with found.home.locked():
        found.postgres.ensure()
        found.redis.ensure()
    yield found
    found.close()
    shutil.rmtree(folder)


def until(is_so: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def child_of(worker: psutil.Process) -> psutil.Process:
    """The process of the pool that does the work."""
    until(worker.children)
    return worker.children()[0]


@contextmanager
def restarted(site: Site, worker: psutil.Process) -> Iterator[None]:
    """PostgreSQL was restarted, and the worker, which slept, has come to the customer who is locked."""
    site.restart_postgres()
    with site.locked("SELECT FROM customers_customer ORDER BY id LIMIT 1 FOR UPDATE"):
        worker.resume()
        until(lambda: site.asked(WAITING)[0])
        yield


@pytest.mark.slow
def test_an_import_outlives_its_worker_and_both_servers(site: Site) -> None:
    site.python(FIRST_USE)
    with site.locked("LOCK TABLE dedup_importpiece IN SHARE MODE"):
        parent = site.celery("worker", "--concurrency", "1")
        site.celery("beat")
        until(lambda: site.asked(WAITING)[0])
        worker = child_of(parent)
        worker.suspend()
        assert site.asked(STAGED) == (False,)
    with restarted(site, worker):  # while the file was staged
        done, chunks = site.asked(DONE)
        assert 0 < done < chunks
        worker.suspend()
    with restarted(site, worker):  # while a chunk was worked
        assert site.asked(DONE) == (done, chunks)
        site.lose_redis()
        worker.kill()
    with site.home.locked():
        site.redis.ensure()
    until(lambda: site.asked(ENDED)[0])
    state, is_same, tried, came_to, faults = json.loads(site.python(RESULT))
    assert (state, is_same, came_to, faults) == ("finished", True, tried, [])
