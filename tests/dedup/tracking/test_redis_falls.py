"""A real Redis that is full, and one that takes connections and never answers: events are taken in all the
same, in bounded time, and resolved once.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection

from config.embedded import Home, Redis
from dedup.models import Event
from dedup.tracking.resolver.lanes import resolve_waiting
from tests.dedup.tracking.sending import action, whose
from tests.dedup.tracking.working import PATIENCE
from tests.scenarios.api import Project

pytestmark = pytest.mark.slow

SENDS_AND_RESOLVES = """
import json, sys, django
django.setup()
from django.test import Client
from dedup.tracking.resolver.lanes import resolve_waiting
key, body = json.load(sys.stdin)
client = Client(SERVER_NAME="127.0.0.1", headers={"authorization": key})
for _ in range(2):
    print(client.post("/api/v1/activities/", body, content_type="application/json").status_code)
print(resolve_waiting())
"""


@contextmanager
def full(folder: Path) -> Iterator[str]:
    redis = Redis(Home(folder))
    with redis.home.locked():
        redis.ensure()
    try:
        with redis.client() as client:
            client.config_set("maxmemory-policy", "noeviction")
            client.config_set("maxmemory", "1")
        yield redis.url
    finally:
        redis.stop()


@contextmanager
def silent(_folder: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@pytest.mark.parametrize("fallen", [full, silent])
def test_events_are_taken_in_and_resolved_whatever_redis_does(
    project: Callable[..., Project], tmp_path: Path, fallen: Callable[[Path], Any]
) -> None:
    shop = project()
    events = [action(day, uuid=str(uuid4())) for day in range(1, 4)]
    with fallen(tmp_path) as redis:
        said = in_a_process(
            redis, [shop.website.client.defaults["HTTP_AUTHORIZATION"], {"activities": events}]
        )
    assert said == ["202", "202", "6"]
    assert sorted(map(str, whose())) == sorted(event["uuid"] for event in events)
    assert (Event.objects.count(), resolve_waiting()) == (0, 0)


def in_a_process(redis: str, said: Any) -> list[str]:
    """What it prints; a failure where it takes for ever."""
    name = connection.settings_dict["NAME"]
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    done = subprocess.run(
        [sys.executable, "-c", SENDS_AND_RESOLVES],
        input=json.dumps(said),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=PATIENCE,
        cwd=settings.BASE_DIR,
        env={
            **os.environ,
            "SELFSAME_ENV": "development",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": database,
            "REDIS_URL": redis,
        },
    )
    return done.stdout.split()
