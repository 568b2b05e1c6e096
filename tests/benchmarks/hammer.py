"""Many clients on few values: what they get done, and how often they stand in each other's way.

Everything that a shop sends strikes the same fifty values, over HTTP against gunicorn as in production, while
workers resolve the events that come in. The rounds differ in what is mixed in; each has a server and values
of its own.
"""

from __future__ import annotations

import http.client
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from statistics import median, quantiles
from uuid import uuid4

from django.db import connection
from django.utils import timezone

from dedup.engine.record import Operation
from segments.models import Segment, Segmentation
from tests.benchmarks.measuring import Table
from tests.benchmarks.over_http import key, server
from tests.benchmarks.people import Body, project, submit_all

HEADINGS = (
    "24 clients on 50 values",
    "a second",
    "ratio",
    "p50 ms",
    "p99 ms",
    "deadlocks",
    "rolled back",
    "5xx",
)
NOTES = (
    "gunicorn, 2 workers of 12 threads, and two workers that resolve events; the clients share the machine.\n"
    "ratio: how many times as many the first mix gets done in a second; the aim is ≤ 1.3.\n"
    "p50, p99: of upserts. deadlocks, rolled back: as PostgreSQL counts them; refusals are rolled back too."
)
CLIENTS = 24
REPETITIONS = 2
RESOLVERS = 2
THREADS = 12
# Fifty values in all.
EMAILS, PHONES, DEVICES, CRM_IDS = 20, 12, 12, 6
SHARE = 0.06
EVENTS = 20
"""Events of one request with activities."""
MEMBERS = 10
"""Customers that one request puts in, and as many that it takes out."""
RESOLVER = """
import time, django
django.setup()
from contextlib import suppress
from customers.errors import SelfsameError
from dedup.tracking.resolver.lanes import resolve_waiting
while True:
    with suppress(SelfsameError):
        resolve_waiting()
    time.sleep(0.1)
"""
# A round begins after the counts of the one before have come in.
COUNTED = "SELECT deadlocks, xact_rollback FROM pg_stat_database WHERE datname = current_database()"
Request = tuple[str, Body]
Maker = Callable[["Mix"], Request]


@dataclass(frozen=True, slots=True)
class Mix:
    """The values of a round, and what chooses among them."""

    number: int
    segment: int
    chance: random.Random

    def emails(self) -> list[str]:
        return [f"person{n}@round{self.number}.example" for n in range(EMAILS)]

    def email(self) -> str:
        return self.chance.choice(self.emails())

    def device(self) -> str:
        return f"browser-{self.number}-{self.chance.randrange(DEVICES)}"

    def record(self) -> Body:
        """Of some of the values, never of none."""
        whole = {
            "email": self.email(),
            "mobile_phone": f"+1415555{self.number}1{self.chance.randrange(PHONES):02}",
            "device_id": self.device(),
            "ids": {"crm_id": f"c-{self.number}-{self.chance.randrange(CRM_IDS)}"},
        }
        left_out = self.chance.sample(sorted(whole), self.chance.randrange(3))
        return {name: value for name, value in whole.items() if name not in left_out}


@dataclass(slots=True)
class Taken:
    """What the clients of a round saw."""

    done: int = 0
    failed: int = 0
    deadlocks: int = 0
    rolled_back: int = 0
    upserts: list[float] = field(default_factory=list)

    def take(self, path: str, status: int, milliseconds: float) -> None:
        if status >= http.client.INTERNAL_SERVER_ERROR:
            self.failed += 1
            return
        self.done += 1
        if path == "customers/upsert/":
            self.upserts.append(milliseconds)

    def figures(self) -> tuple[float, ...]:
        """Those of the table that are no rates."""
        p99 = quantiles(self.upserts, n=100)[-1]
        return median(self.upserts), p99, self.deadlocks, self.rolled_back, self.failed


def upsert(mix: Mix) -> Request:
    return "customers/upsert/", mix.record()


def register(mix: Mix) -> Request:
    return "customers/register/", mix.record()


def edit(mix: Mix) -> Request:
    return "customers/edit/", {"lookup": {"email": mix.email()}, **mix.record()}


def merge(mix: Mix) -> Request:
    return "customers/merge/", {"customers": [{"email": mix.email()}], "resulting": {"email": mix.email()}}


def look_up(mix: Mix) -> Request:
    return "customers/lookup/", {"email": mix.email()}


def order(mix: Mix) -> Request:
    placed = {"number": uuid4().hex, "total": "5", "currency": "USD", "placed_at": timezone.now().isoformat()}
    return "orders/", {"order": placed, "customer": mix.record()}


def activities(mix: Mix) -> Request:
    """On a device, by somebody who is named, or both, and some of them late."""
    events = []
    for _ in range(EVENTS):
        at = timezone.now() - timedelta(seconds=mix.chance.choice((0, 0, 0, 3600)))
        event: Body = {"kind": "page_view", "occurred_at": at.isoformat()}
        if mix.chance.random() < 0.8:
            event["device_id"] = mix.device()
        if "device_id" not in event or mix.chance.random() < 0.2:
            event["lookup"] = {"email": mix.email()}
        events.append(event)
    return "activities/", {"activities": events}


def segment(mix: Mix) -> Request:
    named = {name: [{"email": mix.email()} for _ in range(MEMBERS)] for name in ("put_in", "take_out")}
    return f"segments/{mix.segment}/customers/", named


ORDINARY: Mapping[Maker, float] = {upsert: 55, register: 15, edit: 10, order: 10, look_up: 7, merge: 3}
ROUNDS: Mapping[str, Mapping[Maker, float]] = {
    "operations alone": {},
    "6 % activities": {activities: SHARE},
    "6 % posts to segments": {segment: SHARE},
    "both": {activities: SHARE, segment: SHARE},
}


def measured(seconds: float) -> Table:
    table = Table("Hammered", HEADINGS, notes=NOTES)
    project()
    seen: dict[str, Taken] = {name: Taken() for name in ROUNDS}
    for number, (name, mixed_in) in enumerate([*ROUNDS.items()] * REPETITIONS, start=1):
        hammer(number, mixed_in, seconds, seen[name])
    rates = {name: taken.done / seconds / REPETITIONS for name, taken in seen.items()}
    reference = max(islice(rates.values(), 1))
    for name, taken in seen.items():
        table.rows.append((name, rates[name], reference / rates[name], *taken.figures()))
    return table


def counted() -> tuple[int, int]:
    """Deadlocks and transactions that were rolled back until now, by connections that have ended."""
    with connection.cursor() as cursor:
        cursor.execute(COUNTED)
        deadlocks, rolled_back = cursor.fetchone()
    connection.close()
    return deadlocks, rolled_back


def hammer(number: int, mixed_in: Mapping[Maker, float], seconds: float, taken: Taken) -> None:
    """One round, added to what was taken before."""
    segment_id, api_key, before = prepared(number), key(), counted()
    with server(THREADS) as (port, _pid), resolvers():
        until = time.perf_counter() + seconds

        def client(one: int) -> None:
            mix = Mix(number, segment_id, random.Random(number * CLIENTS + one))
            for path, status, milliseconds in answers(port, api_key, requests(mix, mixed_in), until):
                taken.take(path, status, milliseconds)

        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(client, range(CLIENTS)))
    deadlocks, rolled_back = counted()
    taken.deadlocks += deadlocks - before[0]
    taken.rolled_back += rolled_back - before[1]


def prepared(number: int) -> int:
    """The segment of the round, and somebody for each of its e-mail addresses."""
    mix = Mix(number, 0, random.Random())
    submit_all(Operation.REGISTER, [{"email": email} for email in mix.emails()])
    segmentation = Segmentation.objects.create(system_name=f"hammer{number}", name="Hammer", kind="static")
    return Segment.objects.create(segmentation=segmentation, system_name="struck", name="Struck").pk


def requests(mix: Mix, mixed_in: Mapping[Maker, float]) -> Iterator[Request]:
    makers, weights = list(ORDINARY), list(ORDINARY.values())
    while True:
        extra = [maker for maker, share in mixed_in.items() if mix.chance.random() < share]
        (maker,) = extra[:1] or mix.chance.choices(makers, weights)
        yield maker(mix)


def answers(
    port: int, api_key: str, requests: Iterator[Request], until: float
) -> Iterator[tuple[str, int, float]]:
    """Path, status and milliseconds of each, over a kept connection, to the end."""
    headers = {"Authorization": f"Api-Key {api_key}", "Content-Type": "application/json"}
    kept = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for path, body in requests:
        start = time.perf_counter()
        if start > until:
            break
        kept.request("POST", f"/api/v1/{path}", json.dumps(body), headers)
        answer = kept.getresponse()
        answer.read()
        yield path, answer.status, (time.perf_counter() - start) * 1000
    kept.close()


@contextmanager
def resolvers() -> Iterator[None]:
    """Workers that take events from the inbox as they come."""
    processes = [subprocess.Popen([sys.executable, "-c", RESOLVER]) for _ in range(RESOLVERS)]
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
            process.wait()
