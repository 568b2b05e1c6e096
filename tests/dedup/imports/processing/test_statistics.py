"""A first load does not wait for the statistics that PostgreSQL gathers in its own time."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.setup.integration_points import Point
from dedup.imports.processing import statistics
from tests.dedup.imports.importing import project

FILLED = """
INSERT INTO customers_customer (id, profile_id, registered_at, point_id, is_identified, custom_fields)
SELECT n, n, now(), %s, false, '{}' FROM generate_series(1, %s) n
"""
# What a backend wrote is otherwise told to others within a second.
TELL = "SELECT pg_stat_force_next_flush()"
ROWS = "SELECT reltuples FROM pg_class WHERE relname = 'customers_customer'"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("rows", "are_worthwhile"), [(statistics.FEW, False), (5 * statistics.FEW, True)])
def test_statistics_are_gathered_once_most_rows_are_new(rows: int, are_worthwhile: bool) -> None:
    point: Point = project()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE customers_customer")
        cursor.execute(FILLED, [point.id, rows])
        cursor.execute(TELL)
        statistics.refresh()
        cursor.execute(ROWS)
        assert cursor.fetchone() == (rows if are_worthwhile else 0,)
    with CaptureQueriesContext(connection) as queries:
        statistics.refresh()
    assert len(queries) == 1, "what was just gathered is not gathered again"
