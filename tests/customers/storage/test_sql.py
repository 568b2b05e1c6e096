"""Statements, rows and arrays: one way each."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import DataError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from customers.storage.sql import (
    COPY_FROM,
    Overtaken,
    Script,
    Table,
    array,
    ask,
    execute,
    fetch,
    fetch_row,
    fetch_value,
    over,
)
from customers.storage.transactions import lost_a_race
from tests.dedup.test_concurrency import wait_until_somebody_waits, with_a_connection

pytestmark = pytest.mark.django_db

NUMBERS = "SELECT n FROM generate_series(1, %s) AS n"
AT = datetime(2026, 3, 1, 12, 30, 0, 125, UTC)


def test_rows_a_row_and_a_value_are_fetched() -> None:
    assert fetch(NUMBERS, [3]) == [(1,), (2,), (3,)]
    assert fetch_row(NUMBERS, [3]) == (1,)
    assert fetch_value(NUMBERS, [3]) == 1


def test_where_there_is_no_row_there_is_none() -> None:
    assert (fetch(NUMBERS, [0]), fetch_row(NUMBERS, [0]), fetch_value(NUMBERS, [0])) == ([], None, None)


def test_without_parameters_a_per_cent_sign_is_one() -> None:
    assert fetch_value("SELECT 'a' LIKE 'a%'") is True


def test_moments_are_read_with_their_time_zone() -> None:
    assert fetch_value("SELECT %s::timestamptz", [AT]) == AT


def test_a_statement_tells_how_many_rows_it_touched() -> None:
    assert execute("CREATE TEMPORARY TABLE numbers (n int) ON COMMIT DROP") <= 0
    assert execute("INSERT INTO numbers SELECT generate_series(1, 3)") == 3
    assert execute("DELETE FROM numbers WHERE n > %(n)s", {"n": 1}) == 2


def test_questions_are_asked_in_one_message() -> None:
    with CaptureQueriesContext(connection) as queries:
        assert ask([(NUMBERS, [2]), ("SELECT %(x)s::text", {"x": "a;b"})]) == [[(1,), (2,)], [("a;b",)]]
    assert len(queries) == 1


def test_a_script_that_touches_other_rows_than_expected_was_overtaken() -> None:
    script = Script()
    script.execute("UPDATE customers_projectsettings SET id = id WHERE id = %s", [1], expected=2)
    with pytest.raises(Overtaken):
        script.send()


@pytest.mark.parametrize("count", [1, COPY_FROM])
def test_whichever_way_rows_are_sent_a_unique_violation_is_the_same_error(count: int) -> None:
    """Also where psycopg raises it past Django's wrapper, which is at the end of a COPY."""
    table = Table("customers_suppressedvalue", {"digest": "text", "at": "timestamptz"})

    def write() -> None:
        script = Script()
        script.insert(table, [("same", AT)] * (count + 1))
        script.send()

    with pytest.raises(IntegrityError) as error, transaction.atomic():
        write()
    assert lost_a_race(error.value)


@pytest.mark.parametrize(
    ("of", "values"),
    [
        ("bigint", [1, -(2**63), 2**63 - 1]),
        ("smallint", [1, None, 3]),
        ("integer", range(3)),
        ("text", ["a", None, "", "NULL", 'quo"te', "back\\slash", "com,ma", "{brace}", "new\nline"]),
        ("jsonb", ['{"a": "\\"b\\""}', None]),
        ("numeric", [Decimal("1.50"), None]),
        ("boolean", [True, False, None]),
        ("date", [date(2026, 1, 2), None]),
        ("timestamptz", [AT, None]),
        ("text", []),
        ("bigint", []),
    ],
)
def test_an_array_holds_what_was_put_into_it(of: str, values: Sequence[Any]) -> None:
    (rows,) = ask([(f"SELECT v FROM unnest(%s::{of}[]) AS v", [array(of, values)])])
    assert [value for (value,) in rows] == list(values)


def test_rows_go_over_as_an_array_for_each_column() -> None:
    sql, params = over("SELECT * FROM {rows}", {"n": "bigint", "t": "text"}, [(1, "a"), (2, None)])
    assert len(params) == 2
    assert fetch(sql, params) == [(1, "a"), (2, None)]


PAST = "SELECT count(*) FROM customers_suppressedvalue"
GATE = 4711


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_all_questions_of_a_message_see_one_moment() -> None:
    with ThreadPoolExecutor(1) as pool, psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [GATE])
        waits_between = [(PAST, []), ("SELECT pg_advisory_xact_lock(%s)", [GATE]), (PAST, [])]
        asked = pool.submit(with_a_connection, partial(ask, waits_between))
        wait_until_somebody_waits()
        other.execute("INSERT INTO customers_suppressedvalue (digest, at) VALUES ('a', now())")
        other.commit()
        before, _gate, after = asked.result()
    assert (before, after) == ([(0,)], [(0,)])


@pytest.mark.django_db(transaction=True)
def test_a_fault_in_a_message_leaves_no_transaction_open() -> None:
    with pytest.raises(DataError):
        ask([("SELECT 1", []), ("SELECT 1 / 0", [])])
    assert fetch_value("SELECT 2") == 2
