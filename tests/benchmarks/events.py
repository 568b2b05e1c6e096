"""Events from the inbox to the ledger, against COPY of the ledger rows they left.

The devices are known, as nearly all are: of customers of the base, several events each, in the order of a
busy hour. Beside it, what it takes to take the events in, and devices that nobody has seen before, which
the engine makes customers of.
"""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from statistics import median
from uuid import uuid4

from django.db import connection, transaction
from django.utils import timezone

from customers.profile import DEVICE, Key
from customers.setup.project_config import project_config
from dedup.tracking.event_reader import NewEvent
from dedup.tracking.inbox import EVENTS, append
from tests.benchmarks.filling import fill
from tests.benchmarks.measuring import Table, milliseconds
from tests.benchmarks.people import project

HEADINGS = ("events", "taken in a second", "resolved a second", "COPY a second", "ratio", "aim", "memory MB")
NOTES = (
    "resolved: from the inbox to the ledger, by two workers; memory: the most that either had.\n"
    "COPY: of the same ledger rows into the ledger, in one transaction."
)
REPETITIONS = 3
WORKERS = 2
WORKER = """
import resource, django
django.setup()
from customers.garbage_collection import freeze_gc
from dedup.tracking.resolver.lanes import resolve_waiting
freeze_gc()
print("ready", flush=True)
input()
resolve_waiting()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)
"""
LOT = 1000
"""Events of one request."""
TAKE_OUT = "DELETE FROM customers_activity WHERE id > %s"
COPIED = "uuid, maestra_id, kind, occurred_at, device_id, url, title, properties"


def measured(events: int) -> Table:
    table = Table("Events", HEADINGS, notes=NOTES)
    project()
    known = [f"browser-{maestra_id}" for maestra_id in fill(events // 5)]
    table.rows.append(row("of known devices", "≥ 15,000", known, events))
    table.rows.append(row("of new devices", "", [], events // 5))
    return table


def row(name: str, aim: str, devices: Sequence[str], count: int) -> tuple[str | float, ...]:
    taken: list[float] = []
    resolved: list[float] = []
    copied: list[float] = []
    most = 0.0
    for _ in range(REPETITIONS):
        newest = last_id()
        taken.append(milliseconds(partial(take_in, some_events(devices, count))))
        seconds, memory = worked()
        resolved.append(seconds * 1000)
        most = max(most, memory)
        assert last_id() - newest >= count
        copied.append(milliseconds(partial(copy_in, taken_out(newest))))
    a_second = [count / median(times) * 1000 for times in (taken, resolved, copied)]
    return name, *a_second, a_second[2] / a_second[1], aim, most


def worked() -> tuple[float, float]:
    """The seconds that processes of their own take for what waits, and the most megabytes that one had."""
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(WORKERS)
    ]
    for worker in workers:
        assert heard(worker) == "ready"
    kilobytes: list[float] = []
    taken = milliseconds(lambda: kilobytes.extend(let_go(workers)))
    return taken / 1000, max(kilobytes) / 1000


def let_go(workers: Sequence[subprocess.Popen[str]]) -> list[float]:
    for worker in workers:
        assert worker.stdin
        worker.stdin.write("\n")
        worker.stdin.flush()
    used = [float(heard(worker)) for worker in workers]
    for worker in workers:
        worker.communicate()
    return used


def heard(worker: subprocess.Popen[str]) -> str:
    assert worker.stdout
    return worker.stdout.readline().strip()


def some_events(devices: Sequence[str], count: int) -> list[NewEvent]:
    """Page views, a millisecond after another, of these devices, or each of a new one."""
    chance, now = random.Random(count), timezone.now()
    return [
        NewEvent(
            uuid4(),
            "page_view",
            now + timedelta(milliseconds=number),
            Key(DEVICE, chance.choice(devices) if devices else str(uuid4())),
            url=f"https://shop.example/shoes/{number % 997}?from=list",
            title="Running shoes",
            properties={"price": "59.90", "colour": "blue"},
        )
        for number in range(count)
    ]


def take_in(events: Sequence[NewEvent]) -> None:
    point = project().point.id
    assert point
    for start in range(0, len(events), LOT):
        append(events[start : start + LOT], point, project_config())


def last_id() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM customers_activity")
        return int(cursor.fetchone()[0])


def taken_out(newest: int) -> bytes:
    """The rows beyond, as COPY writes them, deleted from the ledger."""
    selected = f"SELECT {COPIED} FROM customers_activity WHERE id > {newest} ORDER BY id"
    with transaction.atomic(), connection.cursor() as cursor:
        with cursor.copy(f"COPY ({selected}) TO STDOUT") as out:
            text = b"".join(out)
        cursor.execute(TAKE_OUT, [newest])
    with connection.cursor() as cursor:
        cursor.execute("VACUUM customers_activity")
        cursor.execute(f"VACUUM {EVENTS.name}")
    return text


def copy_in(text: bytes) -> None:
    with (
        transaction.atomic(),
        connection.cursor() as cursor,
        cursor.copy(f"COPY customers_activity ({COPIED}) FROM STDIN") as into,
    ):
        into.write(text)
