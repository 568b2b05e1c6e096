"""Old anonymous activity goes with its partition; what is somebody's stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from customers.models import Activity
from dedup.models import ForgottenMonth
from dedup.storage.integrity import faults
from dedup.tasks import forget_anonymous_activity, purge_events
from dedup.tracking import retention
from tests.dedup.tracking.sending import BROWSER, PHONE_BROWSER, action, send
from tests.scenarios.api import ANN, Project, at, moment

ShopMaker = Callable[..., Project]
JANUARY = date(2024, 1, 1)
MONTHS = "SELECT customers_activity_months('2024-01-01', '2024-02-28')"


@pytest.fixture
def old_months(story: None) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(MONTHS)
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE customers_activity_2024_01, customers_activity_2024_02")


def partition_of(month: str) -> Any:
    """Its object ID and how many rows are in it."""
    table = f"customers_activity_{month}"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT to_regclass('{table}')::oid, (SELECT count(*) FROM {table})")
        return cursor.fetchone()


def test_a_month_is_written_anew_without_what_is_nobodys_and_its_partition_dropped(
    project: ShopMaker, old_months: None
) -> None:
    """R48: who was anonymous then and is known now keeps everything."""
    shop = project()
    send(shop, action(1), action(2, PHONE_BROWSER), action(33, PHONE_BROWSER))
    shop.website.register(day=3, email=ANN, device_id=BROWSER)
    before = partition_of("2024_01")
    forget_anonymous_activity()
    after = partition_of("2024_01")
    assert (before[1], after[1]) == (2, 1)
    assert before[0] != after[0]
    assert [a.occurred_at for a in Activity.objects.all()] == [moment(at(1))]
    forgotten = {m.month: (m.dropped, m.kept) for m in ForgottenMonth.objects.all()}
    assert (forgotten[JANUARY], forgotten[date(2024, 2, 1)]) == ((1, 1), (1, 0))
    assert faults() == []


def test_a_forgotten_month_takes_late_events_and_is_not_written_again(
    project: ShopMaker, old_months: None
) -> None:
    shop = project()
    ann = shop.website.register(day=0, email=ANN, device_id=BROWSER).id
    retention.forget(JANUARY)
    before = partition_of("2024_01")
    send(shop, action(5), action(5))
    retention.forget_months()
    assert partition_of("2024_01") == (before[0], 2)
    assert len(shop.pages(f"customers/{ann}/activities/")) == 2


def test_what_lies_outside_every_month_goes_too(project: ShopMaker) -> None:
    shop = project()
    send(shop, {**action(1), "occurred_at": "2001-05-05T00:00:00Z"}, action(1, PHONE_BROWSER))
    shop.website.register(email=ANN, device_id=PHONE_BROWSER)
    retention.forget_months()
    assert Activity.objects.get().occurred_at == moment(at(1))


def test_a_setting_of_zero_keeps_it_for_ever(project: ShopMaker, old_months: None, settings: Any) -> None:
    settings.ANONYMOUS_ACTIVITY_MONTHS = 0
    send(project(), action(1))
    assert retention.forget_months() == 0
    assert Activity.objects.count() == 1


def test_where_somebody_writes_the_month_waits_for_another_night(
    project: ShopMaker, old_months: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PATIENCE", "50ms")
    send(project(), action(1))
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("UPDATE customers_activity_2024_01 SET title = 'x'")
            assert retention.forget(JANUARY) == 0
            cursor.execute("COMMIT")
    finally:
        other.close()
    assert Activity.objects.count() == 1
    assert retention.forget(JANUARY) == 1


@pytest.mark.parametrize(
    ("today", "months", "first"),
    [
        (date(2026, 3, 31), 1, date(2026, 2, 1)),
        (date(2026, 1, 1), 1, date(2025, 12, 1)),
        (date(2026, 1, 15), 13, date(2024, 12, 1)),
    ],
)
def test_a_month_is_kept_until_it_ended_so_many_months_ago(today: date, months: int, first: date) -> None:
    assert retention.first_day_kept(today, months) == first


def test_the_months_to_come_are_made_and_resolved_events_are_forgotten(project: ShopMaker) -> None:
    send(project(), {"kind": "page_view", "device_id": BROWSER})
    call_command("activity_months", verbosity=0)
    month = f"{datetime.now(UTC):%Y_%m}"
    assert partition_of(month)[1] == 1
    purge_events()
    assert Activity.objects.count() == 1
