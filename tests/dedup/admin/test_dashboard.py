"""The first page: what there is to do, to whom it concerns, without counting a table."""

from __future__ import annotations

from copy import deepcopy
from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from customers.models import Customer
from dedup.admin import dashboard
from dedup.admin.charts import HEIGHT, chart
from dedup.admin.dashboard import Figure, Series, Tile, counted, in_index, register_series, register_tile
from dedup.models import Confirmation, Merge, ReviewPair
from tests.dedup.admin.conftest import Send, merged
from tests.html import page as shown_page
from tests.staff import signed_in

ANN, PHONE = "ann@example.com", "+14155550122"


@pytest.fixture(autouse=True)
def uncached(settings: Any) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}


def test_what_was_counted_is_kept_for_a_minute(send: Send, marketer: Client, settings: Any) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()
    assert shown(marketer)["customers"] == 0
    send(email=ANN)
    assert shown(marketer)["customers"] == 0
    cache.clear()
    assert shown(marketer)["customers"] == 1


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is gone after it."""
    monkeypatch.setattr(dashboard, "PARTS", deepcopy(dashboard.PARTS))


def shown(client: Client) -> dict[str, int]:
    tiles = client.get(reverse("admin:index")).context["tiles"]
    return {one["tile"].slug: one["figure"].number for one in tiles}


def test_it_tells_how_many_there_are_and_what_awaits_somebody(send: Send, marketer: Client) -> None:
    send(email=ANN, mobile_phone=PHONE)
    send(email="bob@example.com", mobile_phone=PHONE)
    send(device_id="browser-1")
    assert shown(marketer).items() >= {"customers": 2, "review": 1}.items()
    pair = ReviewPair.objects.get()
    assert shown_page(marketer.get(reverse("admin:index"))).values("pair") == [str(pair.pk)]


def test_the_last_days_are_drawn_and_told_as_a_table(send: Send, marketer: Client) -> None:
    merged(marketer, send(email=ANN), send(mobile_phone=PHONE))
    page = marketer.get(reverse("admin:index"))
    totals = {one.slug: one.total for one in page.context["charts"]}
    assert totals.items() >= {"customers": 2, "merges": 1, "conflicts": 0}.items()
    assert {len(one.bars) for one in page.context["charts"]} == {dashboard.DAYS}
    drawn = {chart["chart"]: chart["total"] for chart in shown_page(page).all(chart=True)}
    assert (drawn["merges"], drawn["conflicts"]) == ("1", "0")


def test_a_conflict_that_was_reviewed_is_still_drawn(send: Send, marketer: Client) -> None:
    send(email=ANN, mobile_phone=PHONE)
    send(email="bob@example.com", mobile_phone=PHONE)
    assert ReviewPair.objects.update(status="seen") == 1
    answer = marketer.get(reverse("admin:index"))
    assert {chart.slug: chart.total for chart in answer.context["charts"]}["conflicts"] == 1
    assert shown(marketer)["review"] == 0


def test_what_is_older_than_the_chart_is_left_out(send: Send, marketer: Client) -> None:
    long_ago = timezone.now() - timedelta(days=dashboard.DAYS + 1)
    Customer.objects.filter(pk=send(email=ANN)).update(registered_at=long_ago)
    charts = {one.slug: one for one in marketer.get(reverse("admin:index")).context["charts"]}
    assert charts["customers"].total == 0


def test_each_sees_what_concerns_them(send: Send) -> None:
    send(email=ANN)
    parts = {"merges", "reviews", "search"}
    viewer = signed_in("Viewer").get(reverse("admin:index"))
    assert set(shown_page(viewer).values("part")) == parts
    nobody = User.objects.create_user("nobody", is_staff=True)
    client = Client()
    client.force_login(nobody)
    page = client.get(reverse("admin:index"))
    assert (page.context["tiles"], page.context["charts"]) == ([], [])
    assert shown_page(page).values("part") == []


def test_what_was_not_sent_is_a_failure(send: Send) -> None:
    ann = send(email=ANN)
    identifier = Customer.objects.get(pk=ann).identifiers.get()
    late = timezone.now() - dashboard.LATE - timedelta(minutes=1)
    for asked_at in (late, timezone.now()):
        Confirmation.objects.create(identifier=identifier, maestra_id=ann, kind="link", asked_at=asked_at)
    page = signed_in("Integrator").get(reverse("admin:index"))
    (tile,) = [one for one in page.context["tiles"] if one["tile"].slug == "confirmations"]
    assert (tile["figure"].number, tile["level"]) == (1, "failure")


@pytest.mark.usefixtures("registry")
def test_other_apps_add_their_parts(marketer: Client) -> None:
    failed = Tile("failed", "Failed files", "dedup.view_merge", "/admin/", lambda: Figure(3), "failure", 5)
    register_tile(failed)
    register_tile(Tile("hidden", "Hidden", "dedup.view_nothing", "/admin/", lambda: Figure(3)))
    register_series(Series("files", "Files", "dedup.view_merge", Merge.objects.all, "at", 5))
    page = marketer.get(reverse("admin:index"))
    assert page.context["tiles"][0]["tile"].slug == "failed"
    assert page.context["charts"][0].slug == "files"
    assert "hidden" not in shown_page(page).values("tile")


def test_counts_stop_at_a_limit_and_are_estimated_beyond_it(send: Send) -> None:
    for n in range(4):
        send(email=f"{n}@example.com")
    customers = Customer.objects.filter(is_head=True, is_identified=True, erased_at=None)
    assert counted(customers, up_to=4) == Figure(4)
    assert counted(customers, up_to=3) == Figure(3, is_about=True)
    assert in_index(customers, "customer_identified") == Figure(4)


def test_a_large_number_is_the_database_s_own_estimate(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(4):
        send(email=f"{n}@example.com")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE pg_class SET reltuples = 1234 WHERE oid = 'customer_identified'::regclass")
    monkeypatch.setattr(dashboard, "counted", lambda rows: counted(rows, up_to=3))
    customers = Customer.objects.filter(is_head=True, is_identified=True, erased_at=None)
    assert in_index(customers, "customer_identified") == Figure(1234, is_about=True)


def test_it_takes_as_many_queries_whatever_there_is_and_no_count_is_unbounded(
    send: Send, marketer: Client
) -> None:
    counts = []
    for n in range(3):
        send(email=f"{n}@example.com", mobile_phone=PHONE)
        with CaptureQueriesContext(connection) as queries:
            marketer.get(reverse("admin:index"))
        counts.append(len(queries))
    assert counts[1] == counts[2]
    counting = [query["sql"] for query in queries if "COUNT(" in query["sql"]]
    assert counting
    assert [sql for sql in counting if "LIMIT" not in sql and ">=" not in sql] == []


def test_the_tallest_bar_fills_the_picture_and_a_single_one_can_be_seen() -> None:
    days = [(date(2026, 1, 1) + timedelta(days=n), number) for n, number in enumerate([0, 1, 1000])]
    bars = chart("x", "X", days).bars
    assert [bar.height for bar in bars] == [0, 2, HEIGHT]
    assert [bar.y + bar.height for bar in bars] == [HEIGHT] * 3
