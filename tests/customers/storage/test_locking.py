"""What only one worker does at a time."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from django.db import DatabaseError, connection, transaction

from customers.storage.locking import Work, alone

HOLDERS = """
SELECT l.pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database
 WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.classid = %s AND l.objid = %s
"""
"""In this database: the tests run in several at once, on one server."""
ON = 77

pytestmark = pytest.mark.django_db(transaction=True)


def holders() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(HOLDERS, [Work.STAGING, ON])
        return [pid for (pid,) in cursor.fetchall()]


def test_only_one_does_it_at_a_time() -> None:
    with alone(Work.STAGING, ON) as first, alone(Work.STAGING, ON) as second:
        assert (first, second) == (True, False)
    with alone(Work.STAGING, ON) as later:
        assert later


def test_other_work_and_work_on_something_else_go_on_beside_it() -> None:
    with ExitStack() as works:
        assert works.enter_context(alone(Work.STAGING, ON))
        assert works.enter_context(alone(Work.STAGING, ON + 1))
        assert works.enter_context(alone(Work.RECALCULATION, ON))


def test_a_failure_within_it_leaves_no_lock() -> None:
    with pytest.raises(DatabaseError), alone(Work.STAGING, ON), transaction.atomic():
        connection.cursor().execute("SELECT 1 / 0")
    assert holders() == []


def test_a_lost_connection_of_the_work_leaves_no_lock() -> None:
    """The server ends it; the work fails, and whoever comes next is alone."""
    with pytest.raises(DatabaseError), alone(Work.STAGING, ON):
        connection.cursor().execute("SELECT pg_terminate_backend(pg_backend_pid())")
    connection.close()
    assert holders() == []
    with alone(Work.STAGING, ON) as next_one:
        assert next_one


def test_a_lost_connection_of_the_lock_gives_it_back_and_does_not_disturb_the_work() -> None:
    with alone(Work.STAGING, ON):
        (pid,) = holders()
        connection.cursor().execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        with alone(Work.STAGING, ON) as next_one:
            assert next_one
