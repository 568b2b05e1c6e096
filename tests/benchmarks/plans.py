"""How the database answers among many customers: the plans of what is asked most.

Every statement that a step sends is explained with the values it was sent with. A table read from end to end
is flagged, but for those that hold a project's set-up and stay small; rows read in vain tell of an index that
was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial

from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dedup.engine.record import Operation
from dedup.operations.records import submit_one
from tests.benchmarks.filling import PHONES, fill, full_name
from tests.benchmarks.measuring import Table, Work
from tests.benchmarks.over_http import key
from tests.benchmarks.people import edit, numbers, parsed, person, project

HEADINGS = ("step", "statements", "ms", "pages read", "read in vain", "sequential scans")
SMALL = 1000  # rows
ROWS = "SELECT relname, greatest(reltuples, 0) FROM pg_class WHERE relname = ANY(%s)"
EXPLAINED = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")


class TakenBack(Exception):  # noqa: N818 - it is no error
    """Ends a transaction that was only looked at."""


def explained(customers: int) -> Table:
    project()
    made = fill(customers)
    table = Table(f"Query plans among {customers:,} customers", HEADINGS)
    steps = _steps(made[len(made) // 2 // 15 * 15])
    for name, work in steps.items():
        table.rows.append(_explained(name, work))
    return table


def _steps(maestra_id: int) -> Mapping[str, Work]:
    """What is asked of a customer, who has an order and activities, or of the list."""
    get = partial(_get, Client(SERVER_NAME="127.0.0.1", headers={"authorization": f"Api-Key {key()}"}))
    known = {"email": f"known{maestra_id}@example.com", "device_id": f"browser-{maestra_id}"}
    new = person(numbers.take(1)[0])
    submit = partial(_submit, Operation.UPSERT)
    return {
        "register, new": partial(_submit, Operation.REGISTER, new),
        "upsert, known": lambda: submit({**edit(0), "ids": {"crm_id": f"known-{maestra_id}"}, **known}),
        "profile": lambda: get(f"customers/{maestra_id}/"),
        "history": lambda: get(f"customers/{maestra_id}/history/"),
        "orders": lambda: get(f"customers/{maestra_id}/orders/"),
        "activities": lambda: get(f"customers/{maestra_id}/activities/"),
        "sessions": lambda: get(f"customers/{maestra_id}/sessions/"),
        "merges": lambda: get(f"customers/{maestra_id}/merges/"),
        "related": lambda: get(f"customers/{maestra_id}/related/"),
        "list": lambda: get("customers/"),
        "list, deep": lambda: get(_deep(get)),
        "search by MaestraID": lambda: get("customers/", search=str(maestra_id)),
        "search by e-mail": lambda: get("customers/", search=known["email"]),
        "search by phone": lambda: get("customers/", search=f"+1415{maestra_id + PHONES}"),
        "search by last name": lambda: get("customers/", search="Silva12"),
        "search by both names": lambda: get("customers/", search=full_name(maestra_id)),
        "search by part of an e-mail": lambda: get("customers/", search=known["email"][:-8]),
        "search by domain": lambda: get("customers/", search="example.com"),
        "search by last digits": lambda: get("customers/", search=f"-{(maestra_id + PHONES) % 10_000:04}"),
        "search, nobody": lambda: get("customers/", search="nobody has this"),
        "filter by orders": lambda: get("customers/", has_orders="true"),
        "filter by subscription": lambda: get("customers/", subscription="email"),
        "filter by registration": lambda: get("customers/", registered_after="2026-01-01T00:00:00Z"),
        "filter by activity": lambda: get("customers/", active_after="2026-01-01T00:00:00Z"),
    }


def _get(client: Client, path: str, **parameters: str) -> dict[str, object]:
    response = client.get(path if path.startswith("http") else f"/api/v1/{path}", parameters or None)
    assert response.status_code == 200, response.content
    found: dict[str, object] = response.json()
    return found


def _deep(get: Callable[..., dict[str, object]]) -> str:
    return str(get("customers/")["next"])


def _submit(operation: Operation, body: dict[str, object]) -> None:
    submit_one(project(), parsed(operation, body))


def _explained(name: str, work: Work) -> tuple[str | float, ...]:
    """The plans of a step, printed, and what they come to."""
    plans = [(sql, _plan(sql)) for sql in _statements(work)]
    for sql, plan in plans:
        print(f"\n=== {name}\n{sql.strip()}\n\n{plan}")  # noqa: T201 - it is a command
    texts = "\n".join(plan for _, plan in plans)
    scanned = ", ".join(sorted(set(_large(re.findall(r"Seq Scan on (\w+)", texts))))) or "none"
    taken = sum(_numbers(r"Execution Time: ([\d.]+)", texts))
    in_vain = max(_numbers(r"Rows Removed by Filter: (\d+)", texts), default=0)
    return name, len(plans), taken, _pages(texts), int(in_vain), scanned


def _statements(work: Work) -> Iterator[str]:
    """What a step sends, one by one. What it changes is taken back, so that it can be explained as well."""
    with CaptureQueriesContext(connection) as queries, suppress(TakenBack), transaction.atomic():
        work()
        raise TakenBack
    for query in queries:
        for sql in re.split(r";\s*\n", query["sql"]):
            if sql.strip().startswith(EXPLAINED):
                yield sql


def _plan(sql: str) -> str:
    with suppress(TakenBack), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {sql}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
        raise TakenBack
    return plan


def _numbers(pattern: str, text: str) -> Iterator[float]:
    return map(float, re.findall(pattern, text))


def _pages(text: str) -> int:
    """Pages the statements touched, by their outermost nodes."""
    tops = re.findall(r"^ (?: ?)Buffers: shared (.*)$", text, re.MULTILINE)
    return sum(int(n) for top in tops for n in re.findall(r"(?:hit|read)=(\d+)", top))


def _large(tables: list[str]) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(ROWS, [tables])
        return (name for name, rows in cursor.fetchall() if rows > SMALL)
