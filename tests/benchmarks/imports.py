"""An import by two workers, against COPY of the rows it left and against django-import-export.

COPY: the rows that the import left in the tables of customers, taken out, vacuumed, and copied back in
chunks. Each is a transaction with one look-up of its values, with the same indexes and constraints; by one
process, and by as many connections as there are workers. Known rows leave next to nothing: they are held
against COPY of what the same rows left before. django-import-export: the same file into one plain model,
row by row and in its bulk mode. Nothing but the import decides who is who.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from django.conf import settings
from django.db import connection, models, transaction
from import_export import resources
from tablib import Dataset

from customers import garbage_collection
from dedup.imports import operations
from dedup.imports.columns.options import Options
from dedup.imports.processing.staging import stage
from dedup.imports.reports import progress
from dedup.models import ImportKind, ImportStates
from tests.benchmarks.batches import COLUMNS, TABLES, Rows
from tests.benchmarks.filling import fill
from tests.benchmarks.measuring import Table
from tests.benchmarks.people import project

WORKERS = 2
HEADINGS = (
    "rows",
    "rows/s",
    "staged in s",
    "worked in s",
    "memory MB",
    "COPY rows/s",
    "ratio",
    f"{WORKERS} COPYs rows/s",
    "ratio",
)
HEADER = "CrmID,Email,MobilePhone,FirstName,LastName,IsSubscribedByEmail"
CHUNK = 1000
WORK = """
import django
django.setup()
from customers import garbage_collection
from dedup.imports.processing.chunks import step
garbage_collection.freeze_gc()
print(flush=True)
input()
while step():
    pass
"""
"""A worker as Celery starts it: it says that it is up, and waits to be woken."""
CUSTOMER_OF = {
    "customers_customer": "id",
    "customers_customerfacts": "customer_id",
    "customers_identifier": "origin_id",
    "customers_subscription": "customer_id",
    "customers_change": "maestra_id",
}
"""What rows of a table are sorted by, so that those of a customer are copied together."""
LOOK_UP = """
SELECT count(i.id) FROM unnest(%s::smallint[], %s::text[]) AS u (kind, value)
  JOIN customers_identifier i ON i.kind_id = u.kind AND i.value = u.value
"""


@dataclass
class Chunk:
    """Rows of some customers by table, and the identifiers among them."""

    shares: list[tuple[Rows, bytes]]
    kinds: list[int] = field(default_factory=list)
    values: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for rows, text in self.shares:
            if rows.table == "customers_identifier":
                kind, value = map(rows.columns.split(", ").index, ("kind_id", "value"))
                cells = [line.split("\t") for line in text.decode().splitlines()]
                self.kinds, self.values = [int(row[kind]) for row in cells], [row[value] for row in cells]


class Plain(models.Model):
    """What django-import-export fills."""

    crm_id = models.CharField(unique=True)
    email = models.CharField(db_index=True)
    mobile_phone = models.CharField(db_index=True)
    first_name = models.CharField()
    last_name = models.CharField()
    subscribed = models.CharField()

    class Meta:
        app_label = "dedup"
        db_table = "benchmark_plain"

    def __str__(self) -> str:
        return self.crm_id


class PlainResource(resources.ModelResource):  # type: ignore[misc]  # untyped
    class Meta:
        model = Plain
        import_id_fields = ("crm_id",)


class BulkResource(resources.ModelResource):  # type: ignore[misc]
    class Meta(PlainResource.Meta):
        use_bulk = True
        batch_size = CHUNK
        skip_diff = True
        skip_html_diff = True


def measured(rows: int, customers: int) -> list[Table]:
    """A first load; more rows among so many customers; and the same file again."""
    table = Table(f"An import of {rows} rows by {WORKERS} workers", HEADINGS, notes=str(__doc__))
    point = project().point
    assert point.id
    garbage_collection.freeze_gc()  # as a worker does, which stages the file
    with TemporaryDirectory() as folder:
        first = _file(Path(folder) / "first.csv", rows, 1_000_000)
        copies = _add(table, "first load", first)
        if customers:
            fill(customers)
            copies = _add(table, f"into {customers} customers", _file(first, rows, 2_000_000))
        _add(table, "known rows", first, copies)
        return [table, _plain(first)]


def _file(path: Path, rows: int, start: int) -> Path:
    lines = (
        f"f{n},f{n}@example.com,+1212{2_000_000 + n},Ann{n % 5000},Lee{n},true"
        for n in range(start, start + rows)
    )
    path.write_text("\n".join([HEADER, *lines]))
    return path


def _add(table: Table, name: str, path: Path, copies: tuple[float, ...] = ()) -> tuple[float, ...]:
    """A line for an import of the file. Returns COPY's rows a second, measured unless they are given."""
    before = _last_transaction()
    speed, *rest = _import(path)
    copies = copies or _copied_again(before)
    held_against = [figure for copied in copies for figure in (copied, speed / copied)]
    table.rows.append((name, speed, *rest, *held_against))
    return copies


def _import(path: Path) -> tuple[float, ...]:
    """Rows a second, seconds of staging and of working, a worker's MB."""
    with path.open("rb") as file:
        source = operations.start(
            point=project().point,
            actor="system",
            user_id=None,
            file=file,
            name=path.name,
            kind=ImportKind.CUSTOMERS,
            options=Options(),
        )
    staging = _seconds(lambda: stage(source.pk))
    working, memory = _work()
    assert progress(operations.find(source.pk)).state == ImportStates.FINISHED
    rows = progress(operations.find(source.pk)).done
    return rows / (staging + working), staging, working, memory


def _work() -> tuple[float, float]:
    """The seconds two workers need that are up already, and the megabytes of the larger one."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-c", WORK]
    start = partial(subprocess.Popen, command, cwd=settings.BASE_DIR, env=environment, text=True)
    workers = [start(stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(WORKERS)]
    for worker in workers:
        assert worker.stdout
        worker.stdout.readline()
    memory: list[float] = []
    return _seconds(lambda: _wake(workers, memory)), max(memory)


def _wake(workers: list[subprocess.Popen[str]], memory: list[float]) -> None:
    for worker in workers:
        assert worker.stdin
        worker.stdin.write("\n")
        worker.stdin.flush()
    while any(worker.poll() is None for worker in workers):
        memory += [_megabytes(worker.pid) for worker in workers if worker.poll() is None]
        time.sleep(0.2)


def _megabytes(pid: int) -> float:
    try:
        return float(psutil.Process(pid).memory_info().rss) / 2**20
    except psutil.NoSuchProcess:
        return 0.0


def _last_transaction() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint %% (1::bigint << 32)", [])
        return int(cursor.fetchone()[0])


def _copied_again(after: int) -> tuple[float, ...]:
    """Customers a second that COPY writes of what transactions since then left: by one, and by several."""
    written = [rows for table in TABLES if (rows := _written(table, after))]
    customers = next(rows.count for rows in written if rows.table == "customers_customer")
    chunks = _chunks([rows for rows in written if rows.table in CUSTOMER_OF], -(-customers // CHUNK))
    # The operations, which all others refer to, come first.
    every_operation = Chunk([(rows, rows.text) for rows in written if rows.table not in CUSTOMER_OF])
    speeds = []
    for at_once in (1, WORKERS):
        _take_out([rows.table for rows in written], after)
        speeds.append(customers / _seconds(lambda n=at_once: _copy(every_operation, chunks, n)))  # type: ignore[misc]
    return tuple(speeds)


def _written(table: str, after: int) -> Rows | None:
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS, [table])
        (columns,) = cursor.fetchone()
        rows = f"{table} WHERE xmin::text::bigint > {after} ORDER BY {CUSTOMER_OF.get(table, '1')}"
        with cursor.copy(f"COPY (SELECT {columns} FROM {rows}) TO STDOUT") as out:
            text = b"".join(out)
        return Rows(table, columns, text, cursor.rowcount) if cursor.rowcount else None


def _take_out(tables: list[str], after: int) -> None:
    """Take rows out, and every trace of them."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table in tables:
            cursor.execute(f"DELETE FROM {table} WHERE xmin::text::bigint > %s", [after])
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM ANALYZE {', '.join(tables)}")


def _copy(first: Chunk, chunks: list[Chunk], at_once: int) -> None:
    _copy_in(first)
    with ThreadPoolExecutor(at_once, initializer=connection.ensure_connection) as threads:
        list(threads.map(_copy_in, chunks))


def _copy_in(chunk: Chunk) -> None:
    """One transaction with one look-up."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOOK_UP, [chunk.kinds, chunk.values])
        for rows, text in chunk.shares:
            with cursor.copy(f"COPY {rows.table} ({rows.columns}) FROM STDIN") as into:
                into.write(text)


def _chunks(written: list[Rows], count: int) -> list[Chunk]:
    lines = {rows.table: rows.text.splitlines(keepends=True) for rows in written}
    return [
        Chunk([(rows, b"".join(_share(lines[rows.table], number, count))) for rows in written])
        for number in range(count)
    ]


def _share(lines: list[bytes], number: int, count: int) -> list[bytes]:
    size = -(-len(lines) // count)
    return lines[number * size : (number + 1) * size]


def _plain(path: Path) -> Table:
    table = Table("django-import-export, one plain model", ("mode", "rows/s"))
    with connection.schema_editor() as editor:
        editor.create_model(Plain)
    names = [field.name for field in Plain._meta.fields if field.name != "id"]
    for mode, resource in {"row by row": PlainResource, "bulk": BulkResource}.items():
        Plain._default_manager.all().delete()
        data = Dataset(headers=names).load(io.StringIO(path.read_text()), format="csv")
        data.headers = names
        taken = _seconds(lambda r=resource, d=data: r().import_data(d, raise_errors=True))  # type: ignore[misc]
        table.rows.append((mode, len(data) / taken))
    return table


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
