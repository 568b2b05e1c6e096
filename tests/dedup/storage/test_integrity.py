"""What `check_integrity` finds, and what it puts right."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from customers.models import Customer
from dedup.models import ApartPair, IdempotencyKey
from dedup.storage.integrity import faults, repair
from tests.scenarios.api import ANN, BOB, DEVICE, NO_MERGE, PHONE

pytestmark = pytest.mark.django_db


def found() -> dict[str, tuple[str, ...]]:
    return {fault.sentence: fault.examples for fault in faults()}


def run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def test_who_gets_an_id_back_by_an_undo_is_identified(project):
    """R46"""
    shop = project()
    one = shop.website.register(day=1, crm_id="1").id
    two = shop.website.order("1", 2, {"crm_id": "2", "email": BOB}).id
    shop.website.edit(one, day=3, device_id=DEVICE)
    merged = shop.website.edit(two, day=4, device_id=DEVICE)
    shop.website.undo(merged.merge_ids[0])
    assert shop.profile(one)["ids"] == {"crm_id": "1"}
    assert Customer.objects.get(pk=one).is_identified
    assert found() == {}


@pytest.mark.parametrize(
    "breaks",
    [
        "UPDATE customers_customer SET is_identified = NOT is_identified",
        "UPDATE customers_customerfacts SET orders_count = 7, points_balance = 3",
        "INSERT INTO customers_claim (identifier_id, customer_id, origin_id, since)"
        " SELECT id, customer_id, origin_id, since FROM customers_identifier",
        "INSERT INTO dedup_idempotencykey (scope, key, body_hash, created_at)"
        " VALUES ('1', 'k', 'h', now() - interval '1 day')",
    ],
    ids=["identified", "facts", "claims", "requests"],
)
def test_what_follows_from_other_rows_is_repaired(project, breaks):
    shop = project()
    ann = shop.website.order("1", 1, {"email": ANN, "device_id": DEVICE}).id
    before = shop.customer(ann)
    run(breaks)
    (sentence,) = found()
    with pytest.raises(CommandError):
        call_command("check_integrity", stdout=StringIO())
    out = StringIO()
    call_command("check_integrity", "--repair", stdout=out)
    assert sentence in out.getvalue()
    assert (found(), repair(), shop.customer(ann)) == ({}, [], before)


def test_a_request_under_way_is_no_fault():
    IdempotencyKey.objects.create(scope="1", key="k", body_hash="h", created_at=timezone.now())
    assert found() == {}
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=2))
    assert list(found().values()) == [("k",)]


def test_two_held_apart_are_not_one_profile(project):
    """R22, R46"""
    shop = project()
    one, two = shop.two({"email": ANN}, {"mobile_phone": PHONE})
    assert shop.match(one, two).merged == [two]
    ApartPair.objects.create(low_id=one, high_id=two)
    assert list(found().values()) == [(str(one),)]


def test_nothing_is_left_of_an_erased_person(project):
    """R54"""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, first_name="Ann").id
    shop.website.delete(f"customers/{ann}/")
    assert found() == {}
    Customer.objects.filter(pk=ann).update(last_name="Lee")
    assert list(found().values()) == [(str(ann),)]


def test_a_former_id_that_nobody_holds_counts_with_who_retired_it_last(project):
    """R3"""
    shop = project(kinds={"crm_id": NO_MERGE})
    one, two = shop.two({"email": ANN, "crm_id": "1"}, {"email": BOB, "crm_id": "2"})
    shop.website.edit(one, crm_id="3")
    shop.website.edit(two, crm_id="1")
    assert found() == {}
    run("UPDATE customers_identifier SET is_former = true, retired_at = '2020-01-01' WHERE value = '1'")
    assert [examples for sentence, examples in found().items() if "R3" in sentence] == [(str(one),)]
