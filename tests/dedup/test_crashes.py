"""Real processes that die in the middle: what was answered is stored, and stored once."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psutil
import pytest
from django.conf import settings
from django.db import connection

from customers.models import Order, PointsMovement
from dedup.models import IdempotencyKey
from dedup.storage.integrity import faults
from tests.scenarios.api import Project
from tests.scenarios.conftest import project, story
from tests.test_quickstart import free_port

__all__ = ["project", "story"]

CLIENTS = 16
CRM_IDS = ("301", "302", "303", "304")
# So many answers are waited for before each blow, and after the last.
BLOWS, BETWEEN = 4, 20
PATIENCE = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Server:
    """Gunicorn with two workers, on the database of the test."""

    url: str
    process: psutil.Process

    def kill_a_worker(self) -> None:
        workers = self.process.children()
        if workers:
            os.kill(random.choice(workers).pid, signal.SIGKILL)


@contextmanager
def server() -> Iterator[Server]:
    name = connection.settings_dict["NAME"]
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    # With the pool of connections that the settings give a server, and tests do without.
    environment = {**os.environ, "DATABASE_URL": database, "DATABASE_POOL_SIZE": "4"}
    address = f"127.0.0.1:{free_port()}"
    options = ["--workers", "2", "--threads", "4", "--bind", address, "--no-control-socket"]
    command = [sys.executable, "-m", "gunicorn", "config.wsgi", *options]
    process = subprocess.Popen(
        command,
        cwd=settings.BASE_DIR,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        serving = Server(f"http://{address}", psutil.Process(process.pid))
        asked(urllib.request.Request(f"{serving.url}/readyz/"))
        yield serving
    finally:
        process.terminate()
        process.wait(PATIENCE)


def asked(request: urllib.request.Request) -> tuple[int, Any]:
    """Status and body of the answer, asked again until there is one other than `busy`."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        # Whoever was to answer may have died, before the answer or in the middle of it.
        with suppress(OSError, http.client.HTTPException):
            status, body = answer_to(request)
            if status != 503:
                return status, body
        time.sleep(0.1)
    raise AssertionError(f"No answer from {request.full_url}")


def answer_to(request: urllib.request.Request) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as refusal:
        return refusal.code, None if refusal.code == 503 else json.load(refusal)


def send(url: str, key: str, path: str, body: Any) -> tuple[int, Any]:
    headers = {
        "Authorization": f"Api-Key {key}",
        "Content-Type": "application/json",
        "Idempotency-Key": uuid4().hex,
    }
    return asked(urllib.request.Request(f"{url}/api/v1/{path}", json.dumps(body).encode(), headers))


def points(number: int) -> dict[str, Any]:
    """Without a number of its own: only the Idempotency-Key keeps it from being added twice."""
    return {"lookup": {"crm_id": CRM_IDS[number % len(CRM_IDS)]}, "amount": number}


def order(number: int) -> dict[str, Any]:
    placed = {"number": str(number), "total": "1.00", "currency": "USD", "placed_at": "2026-01-05T10:00:00Z"}
    customer = {"email": f"person{number % 5}@example.com", "device_id": f"browser-{number % 3}"}
    return {"order": {**placed, "status": "paid", "lines": []}, "customer": customer}


def storm(serving: Server, key: str, blow: Callable[[], object]) -> list[tuple[int, Any]]:
    """What 16 clients are answered, blows falling in the middle."""
    answers: list[tuple[int, Any]] = []
    enough = BETWEEN * (BLOWS + 1)

    def client(first: int) -> None:
        number = first
        while len(answers) < enough:
            number += CLIENTS
            path, body = ("points/", points(number)) if number % 3 else ("orders/", order(number))
            answers.append(send(serving.url, key, path, body))

    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(client, first) for first in range(CLIENTS)]
        for falls in range(BETWEEN, enough, BETWEEN):
            while len(answers) < falls and not all(client.done() for client in clients):
                time.sleep(0.01)
            blow()
        for one in clients:
            one.result()
    return answers


def terminate_connections() -> None:
    """As when a database server stops for its upgrade, or its machine is replaced."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.mark.slow
@pytest.mark.parametrize("fallen", ["a worker", "the connections"])
def test_what_was_answered_before_a_crash_is_stored_and_what_is_sent_again_is_stored_once(
    project: Callable[..., Project], fallen: str
) -> None:
    shop = project()
    for crm_id in CRM_IDS:
        shop.website.upsert(crm_id=crm_id)
    with server() as serving:
        blow = serving.kill_a_worker if fallen == "a worker" else terminate_connections
        answers = storm(serving, shop.keys["website"], blow)
    added = [body for status, body in answers if status == 201]

    assert {status for status, _ in answers} == {201}
    assert len(added) == Order.objects.count() + PointsMovement.objects.count()
    amounts = list(PointsMovement.objects.values_list("amount", flat=True))
    assert len(set(amounts)) == len(amounts)
    assert IdempotencyKey.objects.filter(status=201).count() == len(added)
    assert faults() == []
