"""A thousand records at once, against COPY of the rows they left into the same tables.

The rows an operation wrote are found by its transaction, read, and taken out again; then they are copied
back, which leaves what the operation left. Taking rows out of a history asks for a superuser.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from statistics import median

from django.db import connection, transaction

from dedup.engine.record import Operation
from dedup.operations.base import Result
from dedup.operations.records import submit
from tests.benchmarks.measuring import Table, milliseconds
from tests.benchmarks.people import BATCH, Body, edit, numbers, parsed, person, project, register

HEADINGS = ("1000 records", "ms", "records a second", "rows", "COPY ms", "ratio")
NOTES = "COPY: of the same rows into the same tables, in one transaction."
REPETITIONS = 5
# In the order in which rows refer to each other.
TABLES = (
    "customers_operation",
    "customers_customer",
    "customers_customerfacts",
    "customers_identifier",
    "customers_deviceuse",
    "customers_claim",
    "customers_subscription",
    "customers_note",
    "customers_relation",
    "customers_change",
)
COLUMNS = """
SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
 WHERE attrelid = %s::regclass AND attnum > 0 AND attgenerated = '' AND NOT attisdropped
"""
WRITTEN = "SELECT xid::text::bigint FROM customers_operation ORDER BY xid DESC LIMIT 1"
TRANSACTIONS = 1 << 32
"""A row knows the lower half of its transaction's number."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a table as COPY writes them."""

    table: str
    columns: str
    text: bytes
    count: int


def measured() -> Table:
    table = Table("A batch of 1000 records", HEADINGS, notes=NOTES)
    project()
    for name, prepare in PREPARED.items():
        ours: list[float] = []
        copies: list[float] = []
        for _ in range(REPETITIONS):
            operation, bodies = prepare()
            ours.append(submitted(operation, bodies))
            rows = taken_out()
            copies.append(milliseconds(partial(copy, rows)))
        taken, copied = median(ours), median(copies)
        count = sum(some.count for some in rows)
        table.rows.append((name, taken, BATCH / taken * 1000, count, copied, taken / copied))
    return table


def submitted(operation: Operation, bodies: list[Body]) -> float:
    """The milliseconds it takes to decide and store these."""
    records = [parsed(operation, body) for body in bodies]
    answers: list[object] = []
    taken = milliseconds(lambda: answers.extend(submit(project(), records)))
    assert all(isinstance(answer, Result) for answer in answers)
    return taken


def taken_out() -> list[Rows]:
    """What the last operation wrote, deleted from its tables."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(WRITTEN)
        written = cursor.fetchone()[0] % TRANSACTIONS
        rows = [_read(table, written) for table in TABLES]
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table in TABLES:
            cursor.execute(f"DELETE FROM {table} WHERE xmin = '{written}'")
    return [some for some in rows if some.count]


def _read(table: str, written: int) -> Rows:
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS, [table])
        columns = cursor.fetchone()[0]
        with cursor.copy(f"COPY (SELECT {columns} FROM {table} WHERE xmin = '{written}') TO STDOUT") as out:
            text = b"".join(out)
        return Rows(table, columns, text, cursor.rowcount)


def copy(rows: list[Rows]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for some in rows:
            with cursor.copy(f"COPY {some.table} ({some.columns}) FROM STDIN") as into:
                into.write(some.text)


def _new() -> tuple[Operation, list[Body]]:
    return Operation.REGISTER, [person(number) for number in numbers.take(BATCH)]


def _known() -> tuple[Operation, list[Body]]:
    return Operation.UPSERT, [edit(number) for number in register(numbers.take(BATCH))]


def _joining() -> tuple[Operation, list[Body]]:
    """Newsletter forms of known people."""
    people = register(numbers.take(BATCH))
    joins = [{"email": f"p{n}@example.com", "personal": {"middle_name": "Mae"}} for n in people]
    return Operation.REGISTER, joins


PREPARED: Mapping[str, Callable[[], tuple[Operation, list[Body]]]] = {
    "new": _new,
    "known": _known,
    "joining": _joining,
}
