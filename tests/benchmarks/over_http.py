"""Eight clients over HTTP against gunicorn with two workers, as in production."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice
from statistics import median, quantiles
from typing import Any

from django.db import connection

from customers.models import IntegrationPoint, Scopes
from customers.setup.integration_points import make_key
from dedup.engine.record import Operation
from tests.benchmarks.bare import Script, captured
from tests.benchmarks.measuring import Table
from tests.benchmarks.people import Body, edit, numbers, person, project, register
from tests.benchmarks.processor import spent
from tests.benchmarks.services import look_up, made_up, submitting

PARTS = ("gunicorn", "PostgreSQL", "clients")
HEADINGS = ("8 clients", "a second", "p50 ms", "p95 ms", "bare a second", "ratio", "aim", *PARTS)
NOTES = (
    "gunicorn, 2 workers of 4 threads, kept connections; the clients share the machine with it.\n"
    "bare: 8 clients that send the statements of the same operation by psycopg alone.\n"
    "gunicorn, PostgreSQL, clients: milliseconds of a processor that each takes for one request."
)
AIMS = {"register": "≥ 250"}
ROUNDS = 3
MOST_A_SECOND = 1500
PATIENCE = 60  # seconds until the server has to answer


@dataclass(slots=True)
class Measured:
    rates: list[float] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    processor: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PARTS, 0.0))

    def take(self, result: dict[str, Any]) -> None:
        self.rates.append(len(result["milliseconds"]) / result["seconds"])
        self.milliseconds += result["milliseconds"]
        self.add("clients", result["processor"])

    def add(self, part: str, seconds: float) -> None:
        self.processor[part] += seconds

    def by_part(self) -> list[float]:
        """Milliseconds of a processor for one request."""
        return [self.processor[part] * 1000 / len(self.milliseconds) for part in PARTS]


def measured(seconds: float) -> Table:
    table = Table("Over HTTP", HEADINGS, notes=NOTES)
    project()
    with server() as (port, pid):
        for name, prepare in PREPARED.items():
            http, bare = Measured(), Measured()
            for _ in range(ROUNDS):
                bodies, script, replays = prepare(int(seconds * MOST_A_SECOND))
                requests = [request(f"customers/{name}/", body) for body in bodies]
                before = spent(pid)
                http.take(clients("http", requests, seconds, port=port))
                for part, taken in spent(pid).items():
                    http.add(part, taken - before[part])
                connection.close()
                bare.take(clients("bare", replays, seconds, is_transaction=script.is_transaction))
            table.rows.append(row(name, http, bare))
    return table


def row(name: str, http: Measured, bare: Measured) -> tuple[str | float, ...]:
    rate, reference = median(http.rates), median(bare.rates)
    p95 = quantiles(http.milliseconds, n=20)[-1]
    p50, aim = median(http.milliseconds), AIMS.get(name, "")
    return name, rate, p50, p95, reference, reference / rate, aim, *http.by_part()


def clients(kind: str, work: list[Any], seconds: float, **options: Any) -> dict[str, Any]:
    job = json.dumps({"kind": kind, "work": work, "seconds": seconds, **options})
    command = [sys.executable, "-m", "tests.benchmarks.clients"]
    done = subprocess.run(command, input=job, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@contextmanager
def server(threads: int = 4) -> Iterator[tuple[int, int]]:
    """Serves on the database of the run, on the port it gives; the other number is its process. Each of the
    two workers has so many threads, and connections to the database.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    address = f"127.0.0.1:{port}"
    options = ["--workers", "2", "--threads", str(threads), "--bind", address, "--log-level", "warning"]
    options += ["--keep-alive", "60"]
    environment = {**os.environ, "DATABASE_POOL_SIZE": str(max(threads, 8)), "LOG_LEVEL": "ERROR"}
    process = subprocess.Popen([sys.executable, "-m", "gunicorn", "config.wsgi", *options], env=environment)
    try:
        wait_for(f"http://{address}/healthz/")
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()


def wait_for(url: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


_keys: list[str] = []


def key() -> str:
    """An API key of the point, made once."""
    if not _keys:
        point = IntegrationPoint.objects.get(system_name=project().point.system_name)
        _keys.append(make_key(point, "benchmarks", list(Scopes)).text)
    return _keys[0]


def request(path: str, body: Body) -> str:
    text = json.dumps(body)
    return (
        f"POST /api/v1/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Api-Key {key()}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n{text}"
    )


Prepared = tuple[list[Body], Script, list[list[str]]]


def _registers(count: int) -> Prepared:
    sample, *people = numbers.take(2 * count + 1)
    script = captured(submitting(Operation.REGISTER, person(sample)), sample)
    replays = [script.about(number, next(made_up), next(made_up)) for number in people[count:]]
    return [person(number) for number in people[:count]], script, replays


def _upserts(count: int) -> Prepared:
    count //= 2
    ids = register(numbers.take(2 * count + 1))
    sample, *people = ids
    script = captured(submitting(Operation.UPSERT, edit(sample)), sample, ids[sample])
    replays = [script.about(number, ids[number], next(made_up)) for number in people[count:]]
    return [edit(number) for number in people[:count]], script, replays


def _lookups(count: int) -> Prepared:
    ids = register(numbers.take(1000))
    sample, *people = ids
    script = captured(look_up(sample), sample, ids[sample])
    replays = [script.about(number, ids[number], next(made_up)) for number in people]
    bodies = [{"email": f"p{number}@example.com"} for number in people]
    return list(islice(cycle(bodies), 2 * count)), script, list(islice(cycle(replays), 2 * count))


PREPARED: dict[str, Callable[[int], Prepared]] = {
    "register": _registers,
    "upsert": _upserts,
    "lookup": _lookups,
}
