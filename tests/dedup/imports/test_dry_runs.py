"""A dry run tells exactly what a run then does, and keeps nothing."""

from __future__ import annotations

import random
from typing import Any

import pytest

from customers.errors import SelfsameError
from customers.models import Subscription
from customers.setup.integration_points import Point
from dedup.imports.operations import find
from dedup.imports.processing import staging
from dedup.imports.reports import examples_of, report_rows
from dedup.models import ImportStates
from dedup.storage.integrity import faults
from tests.dedup.imports.importing import (
    ANN,
    BOB,
    CLO,
    PHONE,
    PHONE_2,
    count,
    counts,
    imported,
    outcomes,
    project,
    sent,
    tried,
    worked,
)
from tests.dedup.imports.processing.test_chunks import HEAD, people

pytestmark = pytest.mark.django_db
SUBSCRIBING = ("CrmID", "Email", "MobilePhone", "subscriptions.email")
WRITTEN = (
    "customers_customer",
    "customers_identifier",
    "customers_change",
    "customers_operation",
    "dedup_merge",
)


@pytest.fixture
def point() -> Point:
    return project()


def test_nothing_is_kept_of_it(point: Point) -> None:
    imported(point, [("1", ANN, PHONE, "Ann")])
    before = [count(table) for table in WRITTEN]
    dry = imported(point, [("1", BOB, "", ""), ("2", ANN, "", ""), ("", "x", "", "")], is_dry_run=True)
    assert dry.state == ImportStates.FINISHED
    assert [count(table) for table in WRITTEN] == before
    merges = imported(
        point, [("1", "2")], ("Resulting CRM ID", "Merged CRM ID"), kind="merges", is_dry_run=True
    )
    assert outcomes(merges) == ["customer_not_found"]
    assert [count(table) for table in WRITTEN] == before


@pytest.mark.parametrize(("seed", "size"), [(1, 7), (2, 1000)])
def test_it_tells_what_a_run_then_does(point: Point, settings: Any, seed: int, size: int) -> None:
    settings.IMPORT_CHUNK_ROWS = size
    imported(point, people(random.Random(seed + 10), 25), HEAD)
    dry = imported(point, people(random.Random(seed), 50), HEAD, is_dry_run=True)
    run = tried(dry)
    assert outcomes(run) == outcomes(dry)
    assert counts(run) == counts(dry)
    assert run.result["differences"] == {"count": 0, "rows": []}
    assert len(counts(dry)) > 4
    assert faults() == []


def test_merges_are_told_as_they_would_follow_each_other(point: Point) -> None:
    imported(point, [("1", ANN, "", ""), ("2", BOB, "", ""), ("3", CLO, "", "")])
    rows = [("1", "2"), ("3", "2"), ("1", "3")]
    dry = imported(point, rows, ("Resulting CRM ID", "Merged CRM ID"), kind="merges", is_dry_run=True)
    assert (outcomes(dry), count("dedup_merge")) == (["changed", "changed", "unchanged"], 0)
    run = tried(dry)
    assert (outcomes(run), count("dedup_merge")) == (outcomes(dry), 2)
    assert counts(run) == counts(dry)


def test_its_examples_say_what_would_happen_to_whom(point: Point) -> None:
    source = imported(point, [("1", ANN, PHONE, "Ann")])
    assert source.state == ImportStates.FINISHED
    dry = imported(
        point, [("2", BOB, PHONE, "Bob"), ("1", "", PHONE_2, ""), ("", "x", "", "")], is_dry_run=True
    )
    found = examples_of(dry)
    assert set(found) == {"created", "changed", "contacts_moved", "failed:validation_error"}
    (moved,) = found["contacts_moved"]
    assert (moved["line"], moved["maestra_id"]) == (2, None)
    assert any(
        f"Mobile phone {PHONE} went to the new customer of line 2," in said for said in moved["sentences"]
    )
    (changed,) = found["changed"]
    assert changed["maestra_id"]
    assert f"Mobile phone {PHONE_2} was added." in changed["sentences"]


def test_its_examples_come_in_the_order_of_the_file(point: Point, settings: Any) -> None:
    """The first and third row share a phone, so that one chunk has both."""
    settings.IMPORT_CHUNK_ROWS = 2
    rows = [("1", ANN, PHONE, ""), ("2", CLO, "", ""), ("3", BOB, PHONE, "")]
    dry = imported(point, rows, is_dry_run=True)
    assert [example["line"] for example in examples_of(dry)["created"]] == [2, 3, 4]


def test_it_counts_people_who_had_unsubscribed(point: Point) -> None:
    rows = [("1", ANN, "", "unsubscribed"), ("2", BOB, "", "unsubscribed"), ("3", CLO, "", "subscribed")]
    imported(point, rows, SUBSCRIBING, mapping={"subscriptions.email": "subscriptions.email"})
    again = [(crm, email, "2026-01-05T11:00:00Z", "subscribed") for crm, email, _phone, _ in rows[1:]]
    header = ("CrmID", "Email", "subscriptions.email.since", "subscriptions.email")
    dry = imported(point, again, header, is_dry_run=True)
    assert counts(dry)["resubscribed"] == 1
    assert [example["line"] for example in examples_of(dry)["resubscribed"]] == [2]


@pytest.mark.parametrize(
    ("newer", "since", "status", "told"),
    [
        (None, "2026-01-05T11:00:00Z", "subscribed", None),
        (True, "2026-01-05T11:00:00Z", "subscribed", None),
        (False, "2026-01-05T11:00:00Z", "unsubscribed", "kept_unsubscribed"),
        (True, "2026-01-05T09:00:00Z", "unsubscribed", "kept_unsubscribed"),
        (True, "", "unsubscribed", "kept_unsubscribed"),
    ],
)
def test_a_newer_consent_is_proven_by_its_date_and_only_where_it_is_wanted(
    point: Point, newer: bool | None, since: str, status: str, told: str | None
) -> None:
    """R56: who stays unsubscribed is counted and listed."""
    imported(point, [("1", ANN, "no")], ("CrmID", "Email", "subscriptions.email"))
    header = ("CrmID", "Email", "subscriptions.email", "subscriptions.email.since")
    again = imported(point, [("1", ANN, "yes", since)], header, newer_consents=newer)
    assert Subscription.objects.get().status == status
    assert counts(again).get("kept_unsubscribed", 0) == (told is not None)
    assert [bool(row.reason) for row in report_rows(again)] == [told is not None]


def test_newer_consents_need_their_dates(point: Point) -> None:
    """R56"""
    with pytest.raises(SelfsameError) as refused:
        sent(point, [("1", ANN, "yes")], ("CrmID", "Email", "subscriptions.email"), newer_consents=True)
    assert [fault["path"] for fault in refused.value.data["errors"]] == ["options.newer_consents"]


def test_a_run_tells_where_reality_came_out_different(point: Point) -> None:
    dry = imported(point, [("1", ANN, "", ""), ("2", BOB, "", "")], is_dry_run=True)
    imported(point, [("2", CLO, "", "")])
    run = tried(dry)
    (different,) = run.result["differences"]["rows"]
    assert (different["line"], different["expected"]["outcome"]) == (3, "created")
    assert different["actual"]["outcome"] == "changed"


def test_rows_that_hang_together_are_decided_as_one_however_many(point: Point, settings: Any) -> None:
    settings.IMPORT_CHUNK_ROWS = 2
    rows = [("1", f"p{n}@example.com", "", f"N{n}") for n in range(7)]
    dry = imported(point, rows, is_dry_run=True)
    run = tried(dry)
    assert (dry.chunks.count(), run.chunks.count()) == (1, 4)
    assert outcomes(run) == outcomes(dry)


def test_where_they_are_too_many_it_says_that_it_is_approximate(
    point: Point, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.IMPORT_CHUNK_ROWS = 2
    monkeypatch.setattr(staging, "DECIDED_AT_ONCE", 3)
    dry = imported(point, [("1", "", "", f"N{n}") for n in range(7)], is_dry_run=True)
    assert "approximate" in dry.warnings[0]


def test_only_a_finished_dry_run_can_be_run(point: Point) -> None:
    source = sent(point, [("1", ANN, "", "")], is_dry_run=True)
    with pytest.raises(SelfsameError, match="finished"):
        tried(source)
    done = imported(point, [("1", ANN, "", "")])
    with pytest.raises(SelfsameError, match="dry run"):
        tried(done)
    assert worked(find(source.pk)).state == ImportStates.FINISHED
