"""Recalculations while others work on the same customers."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import connection, transaction
from django.utils import timezone

from customers.models import Change, Customer
from customers.redis import waking
from segments import recalculation
from segments.models import Membership, Segment, States
from segments.recalculation import ask, run_waiting
from tests.segments.segmentations import MEN, NOON, WOMEN, members, people, segmentation


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waking, "wake", lambda *_, **__: True)


def test_two_workers_at_once_do_it_once_and_wait_for_nobody(story: None) -> None:
    people(["male"] * 50)
    sexes = segmentation("sexes", men=MEN)
    asked = ask(sexes)
    at_start = threading.Barrier(2)

    def work() -> None:
        at_start.wait()
        try:
            run_waiting()
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _n in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    asked.refresh_from_db()
    assert (asked.state, asked.entered) == (States.DONE, 50)
    assert Change.objects.count() == len(members()) == 50


def test_a_recalculation_waits_for_who_is_changed_and_then_sees_it(story: None) -> None:
    """The profile is locked by an operation that puts the customer elsewhere; both keep their history."""
    people(["male"])
    sexes = segmentation("sexes", men=MEN, women=WOMEN)
    plan = recalculation.plan_of(sexes, timezone.now())
    wanted = recalculation.differing(plan).part(0, 10)
    asked = ask(sexes)
    asked.started_at = timezone.now()

    def work() -> None:
        recalculation.write_batch(asked, wanted, NOON)
        connection.close()

    worker = threading.Thread(target=work)
    with transaction.atomic():
        Customer.objects.select_for_update().get(pk=1)
        worker.start()
        _wait_until_locked()
        women = Segment.objects.get(system_name="women")
        Membership.objects.create(customer_id=1, segmentation=sexes, segment=women, since=NOON)
    worker.join()
    assert members() == {1: "men"}
    entry = Change.objects.get().data[0]
    assert entry["before"]["segment"] == women.pk


WAITING = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


def _wait_until_locked() -> None:
    waiting, deadline = False, time.monotonic() + 60
    while not waiting:
        assert time.monotonic() < deadline, "nobody waits"
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(WAITING)
            waiting = cursor.fetchone()[0] > 0
