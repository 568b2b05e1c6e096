"""An import by two workers, against COPY of the rows it left and against django-import-export.

COPY: the rows that the import left in the tables of customers, copied back in chunks by one process, with the
same indexes and one look-up of each chunk's values. django-import-export: the same file into one plain model,
row by row and in its bulk mode. Nothing but the import decides who is who.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from django.conf import settings
from django.db import connection, models, transaction
from import_export import resources
from tablib import Dataset

from dedup.imports import operations
from dedup.imports.mapping import ImportKind
from dedup.imports.models import Import, ImportStates
from dedup.imports.options import Options
from dedup.imports.reports import progress
from dedup.imports.staging import stage
from tests.benchmarks.batches import COLUMNS, TABLES, Rows
from tests.benchmarks.filling import fill
from tests.benchmarks.measuring import Table
from tests.benchmarks.people import project

HEADINGS = ("rows", "rows/s", "staged in s", "worked in s", "COPY rows/s", "ratio", "memory MB")
HEADER = "CrmID,Email,MobilePhone,FirstName,LastName,IsSubscribedByEmail"
WORKERS = 2
CHUNK = 1000
WORK = "import django; django.setup(); from dedup.imports.working import work_for_a_while as w; w()"
LOOK_UP = "SELECT count(*) FROM customers_identifier WHERE kind_id = 1 AND value = ANY(%s)"


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
    with TemporaryDirectory() as folder:
        first = _file(Path(folder) / "first.csv", rows, 1_000_000)
        table.rows.append(("first load", *_import(first)))
        if customers:
            fill(customers)
            table.rows.append((f"into {customers} customers", *_import(_file(first, rows, 2_000_000))))
        table.rows.append(("known rows", *_import(first)))
        return [table, _plain(first)]


def _file(path: Path, rows: int, start: int) -> Path:
    lines = (
        f"f{n},f{n}@example.com,+1212{2_000_000 + n},Ann{n % 5000},Lee{n},true"
        for n in range(start, start + rows)
    )
    path.write_text("\n".join([HEADER, *lines]))
    return path


def _import(path: Path) -> tuple[float, ...]:
    """Rows a second, seconds of staging and of working, COPY's rows a second, the ratio, a worker's MB."""
    before = _last_transaction()
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
    memory: list[float] = []
    working = _seconds(lambda: _work(source, memory))
    rows = progress(operations.find(source.pk)).done
    copied = rows / _copy_again(before)
    speed = rows / (staging + working)
    return speed, staging, working, copied, speed / copied, max(memory)


def _work(source: Import, memory: list[float]) -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
    while Import.objects.get(pk=source.pk).state == ImportStates.RUNNING:
        workers = [
            subprocess.Popen([sys.executable, "-c", WORK], cwd=settings.BASE_DIR, env=environment)
            for _ in range(WORKERS)
        ]
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


def _copy_again(after: int) -> float:
    """The seconds it takes to copy back what transactions since then left, by chunks of their rows."""
    with transaction.atomic(), connection.cursor() as cursor:
        written = [rows for table in TABLES if (rows := _written(table, after))]
        cursor.execute("SET LOCAL session_replication_role = replica")
        for rows in written:
            cursor.execute(f"DELETE FROM {rows.table} WHERE xmin::text::bigint > %s", [after])
    return _seconds(lambda: _copy(written))


def _written(table: str, after: int) -> Rows | None:
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS, [table])
        (columns,) = cursor.fetchone()
        where = f"xmin::text::bigint > {after}"
        with cursor.copy(f"COPY (SELECT {columns} FROM {table} WHERE {where}) TO STDOUT") as out:
            text = b"".join(out)
        return Rows(table, columns, text, cursor.rowcount) if cursor.rowcount else None


def _copy(written: list[Rows]) -> None:
    """Chunk after chunk, each in a transaction with one look-up; first what the others refer to."""
    referred = [rows for rows in written if rows.table in TABLES[:2]]
    _copy_chunks(referred)
    _copy_chunks([rows for rows in written if rows not in referred])


def _copy_chunks(written: list[Rows]) -> None:
    lines = {rows.table: rows.text.splitlines(keepends=True) for rows in written}
    chunks = -(-max((rows.count for rows in written), default=0) // CHUNK)
    for number in range(chunks):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(LOOK_UP, [[f"f{number}-{n}" for n in range(3 * CHUNK)]])
            for rows in written:
                share = -(-len(lines[rows.table]) // chunks)
                with cursor.copy(f"COPY {rows.table} ({rows.columns}) FROM STDIN") as into:
                    into.write(b"".join(lines[rows.table][number * share : (number + 1) * share]))


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
