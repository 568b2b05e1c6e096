"""A database that is restarted, and one that is away, seen from every door."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import NamedTuple

import pytest
from django.conf import settings

from tests.dedup.imports.test_import_outages import Site, site, until
from tests.test_quickstart import free_port

__all__ = ["site"]

POOL = 4
ORIGIN = "https://shop.example"
FIRST_USE = f"""
import django
django.setup()
from datetime import datetime, timezone
from django.core.management import call_command
call_command("migrate", verbosity=0)
from customers.models import IntegrationPoint, Scopes
from customers.setup.integration_points import make_key
from dedup.models import Site
from dedup.tracking.links import Link, address_of
point = IntegrationPoint.objects.create(system_name="website", name="Website", kind="website")
Site.objects.create(point=point, origins=["{ORIGIN}"], key="ssp_key")
link = Link(1, point.pk, "{ORIGIN}/sale", "", datetime(2099, 1, 1, tzinfo=timezone.utc))
print(make_key(point, "test", list(Scopes)).text, address_of(link).partition("/r/")[2])
"""
VISIT = b'{"device_id": "3f2b8c1e-7d4a-4c58-9b60-1f2e3d4c5b6a", "events": [{"kind": "page_view"}]}'


class Said(NamedTuple):
    status: int
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Server:
    port: int
    key: str
    link: str

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Said:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, {n.replace("_", "-"): v for n, v in headers.items()})
            response = connection.getresponse()
            response.read()
            return Said(response.status, dict(response.getheaders()))
        finally:
            connection.close()

    def register(self, number: int) -> int:
        body = b'{"email": "p%d@example.com"}' % number
        headers = {"Authorization": f"Api-Key {self.key}", "Content_Type": "application/json"}
        return self.ask("POST", "/api/v1/customers/register/", body, **headers).status

    def doors(self) -> dict[str, tuple[str, str, bytes, dict[str, str]]]:
        key = {"Authorization": f"Api-Key {self.key}", "Content_Type": "application/json"}
        page = {"Origin": ORIGIN, "Content_Type": "text/plain"}
        asking = {"Origin": ORIGIN, "Access_Control_Request_Method": "POST"}
        return {
            "api": ("POST", "/api/v1/customers/lookup/", b'{"maestra_id": 1}', key),
            "tracker": ("POST", "/track/?key=ssp_key", VISIT, page),
            "preflight": ("OPTIONS", "/track/?key=ssp_key", b"", asking),
            "link": ("GET", f"/r/{self.link}", b"", {}),
            "confirmation": ("POST", "/confirm/token/", b"", {}),
            "admin": ("GET", "/admin/", b"", {"Cookie": "sessionid=0123456789abcdef0123456789abcdef"}),
            "probe": ("GET", "/readyz/", b"", {}),
        }

    def answers(self) -> dict[str, Said]:
        """Of all doors, knocked at together."""
        doors = self.doors()
        with ThreadPoolExecutor(len(doors)) as pool:
            said = pool.map(lambda door: self.ask(door[0], door[1], door[2], **door[3]), doors.values())
            return dict(zip(doors, said, strict=True))


@contextmanager
def serving(site: Site) -> Iterator[Server]:
    key, link = site.python(FIRST_USE).split()
    server = Server(free_port(), key, link)
    address = f"127.0.0.1:{server.port}"
    command = [sys.executable, "-m", "gunicorn", "config.wsgi", "--workers", "1", "--threads", "8"]
    process = subprocess.Popen(
        [*command, "--bind", address, "--no-control-socket"],
        cwd=settings.BASE_DIR,
        env={**site.environment, "DATABASE_POOL_SIZE": str(POOL), "PATH": os.environ["PATH"]},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: is_ready(server))
        yield server
    finally:
        process.terminate()
        process.wait(60)


def is_ready(server: Server) -> bool:
    with suppress(OSError):
        return server.ask("GET", "/readyz/").status == 200
    return False


@pytest.mark.slow
def test_a_restart_of_the_database_costs_no_answer_and_without_it_every_door_says_when_to_come_again(
    site: Site,
) -> None:
    with serving(site) as server:
        with ThreadPoolExecutor(2 * POOL) as pool:
            assert set(pool.map(server.register, range(8 * POOL))) == {201}
        site.restart_postgres()
        # One after the other, so that each takes another of the connections that were lost.
        assert [server.register(100 + n) for n in range(2 * POOL)] == [201] * 2 * POOL

        with site.home.locked():
            site.postgres.stop()
        away = server.answers()
        assert {door: said.status for door, said in away.items()} == dict.fromkeys(away, 503)
        assert {door for door, said in away.items() if int(said.headers.get("Retry-After", 0)) < 1} == set()

        with site.home.locked():
            site.postgres.ensure()
        until(lambda: is_ready(server))
        assert {said.status for said in server.answers().values()}.isdisjoint({500, 503})
