"""A real worker, in a process of its own, on the database of the test and a queue of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from celery import current_app
from django.conf import settings
from django.db import connection

from customers.redis import waking

PATIENCE = 90.0  # seconds; nothing is expected to take them


@dataclass(slots=True)
class Worker:
    """`queue` is where it is sent for."""

    queue: str = field(default_factory=lambda: f"test-{uuid4().hex}")
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        name = connection.settings_dict["NAME"]
        database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
        options = ["--pool", "solo", "--queues", self.queue, "--loglevel", "ERROR", "--without-mingle"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "celery", "--app", "config.celery", "worker", *options],
            cwd=settings.BASE_DIR,
            env={**os.environ, "DATABASE_URL": database, "C_FORCE_ROOT": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def send_for(self, task: str, **_: Any) -> bool:
        current_app.send_task(task, queue=self.queue)
        return True

    def end(self, by: signal.Signals = signal.SIGTERM) -> None:
        if self.process:
            self.process.send_signal(by)
            self.process.wait(PATIENCE)
            self.process = None


@contextmanager
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """What is taken in wakes this worker, and no other test's."""
    one = Worker()
    monkeypatch.setattr(waking, "wake", one.send_for)
    one.start()
    try:
        yield one
    finally:
        one.end()
        with current_app.connection_for_write() as broker:
            broker.default_channel.queue_delete(one.queue)  # type: ignore[attr-defined]


def until(condition: Callable[[], Any]) -> Any:
    """What the condition gives as soon as it gives anything."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, "It did not come to pass"
        time.sleep(0.05)
    return found
