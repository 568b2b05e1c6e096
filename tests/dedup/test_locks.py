"""Every operation locks all it may touch at once, in MaestraID order, so that nobody waits in a circle.

In each test somebody holds one customer, and then wants what an operation that waits for this customer would
hold if it locked in two rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Event, current_thread, main_thread
from typing import Any

import pytest
from django.db import OperationalError, transaction
from django.utils import timezone

from customers.models import Customer, Identifier, IntegrationPoint
from customers.models import Operation as StoredOperation
from customers.privacy.erasure import erase
from customers.profile import MAESTRA_ID, Key, Profile
from customers.setup.integration_points import point_of
from customers.setup.project_config import project_config
from customers.storage.loading import LOCK_AT_ONCE, load_profiles
from customers.storage.locking import lock
from customers.storage.sql import fetch
from customers.storage.transactions import in_transaction
from dedup.confirmation.confirming import confirm_by_code, report_confirmation
from dedup.engine.record import Operation
from dedup.imports import operations as imports
from dedup.imports.processing import chunks
from dedup.models import Confirmation
from dedup.models import Event as WaitingEvent
from dedup.operations import records
from dedup.operations.base import Caller
from dedup.parsing.records import Parser
from dedup.storage import loading
from dedup.tracking import inbox
from dedup.tracking.resolver.lanes import resolve_waiting
from tests.dedup.imports import importing
from tests.dedup.test_concurrency import PATIENCE, wait_until_somebody_waits, with_a_connection
from tests.scenarios.api import ANN, BOB, CONFIRM, PHONE, Answer, Api, Project
from tests.scenarios.conftest import project, story, texts
from tests.segments.test_members import number

__all__ = ["project", "story", "texts"]

ShopMaker = Callable[..., Project]


@contextmanager
def while_it_waits_for(customer: int, work: Callable[[], Any]) -> Iterator[None]:
    """Within it, the customer is locked and the work has come to wait for that; afterwards it is done."""
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            lock([customer])
            done = pool.submit(with_a_connection, work)
            wait_until_somebody_waits()
            yield
        done.result()


def caller_of(point: str) -> Caller:
    return Caller("system", point_of(IntegrationPoint.objects.get(system_name=point)))


def is_free(*customers: int) -> bool:
    """Raises OperationalError where one of them is locked."""
    return bool(fetch(LOCK_AT_ONCE, [list(customers)]))


def test_a_batch_of_events(project: ShopMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    """R50: whose device it is, and whom another event names."""
    monkeypatch.setattr(inbox, "LANES", 1)
    shop = project()
    low, high = shop.website.register(email=ANN).id, shop.website.register(email=BOB, device_id="d-1").id
    events = [
        {"kind": "page_view", "device_id": "d-1"},
        {"kind": "page_view", "device_id": "d-2", "lookup": {"email": ANN}},
    ]
    assert shop.website.post("activities/", {"activities": events}).status == 202
    with while_it_waits_for(low, resolve_waiting):
        assert is_free(high)
    assert not WaitingEvent.objects.exists()


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k-1"}])
def test_members_put_in_and_taken_out(project: ShopMaker, headers: dict[str, str]) -> None:
    """R51: in one operation."""
    shop = project()
    low, high = (shop.website.register(email=email).id for email in (ANN, BOB))
    path = f"segments/{number('level_1')}/customers/"
    shop.website.post(path, {"put_in": [{"maestra_id": high}]})
    body = {"put_in": [{"maestra_id": low}], "take_out": [{"maestra_id": high}]}
    before = StoredOperation.objects.count()
    with while_it_waits_for(low, partial(Api(shop.keys["website"]).post, path, body, **headers)):
        assert is_free(high)
    assert [row["maestra_id"] for row in shop.website.get(path).body["results"]] == [low]
    assert StoredOperation.objects.count() == before + 1


def people(shop: Project) -> tuple[Caller, list[int]]:
    """Four of them, and who submits."""
    ids = [shop.crm_import.register(crm_id=f"c-{n}").id for n in range(4)]
    return caller_of("crm_import"), ids


def test_the_halves_of_a_batch_in_one_transaction(
    project: ShopMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R17: as under an Idempotency-Key."""
    monkeypatch.setattr(records, "TRIES_OF_A_BATCH", 0)
    caller, (low, *_between, high) = people(project())
    parser = Parser(caller.point, project_config(), timezone.now())
    batch = [parser.record(Operation.UPSERT, {"ids": {"maestra_id": one}}) for one in (high, low)]

    def submitted() -> None:
        with transaction.atomic():
            results = records.submit(caller, batch)
        assert [result.profile.maestra_id for result in results] == [high, low]  # type: ignore[union-attr]

    with while_it_waits_for(low, submitted):
        assert is_free(high)


def test_the_merges_of_an_import(transactional_db: None) -> None:
    """R28: each sees what the one before it did, in one transaction."""
    point = importing.project()
    first = importing.imported(point, [(f"c{n}", "", "", "") for n in range(4)])
    low, _next_to_it, third, high = importing.customers_of(first)
    header = ("Resulting CRM ID", "Merged CRM ID")
    source = importing.sent(point, [("c2", "c3"), ("c0", "c1")], header, kind="merges")
    assert chunks.step_of(source)
    with while_it_waits_for(low or 0, partial(chunks.step_of, imports.find(source.pk))):
        assert is_free(third or 0, high or 0)


def test_the_rows_of_a_chunk_that_are_taken_one_by_one(transactional_db: None) -> None:
    """R17: because the chunk could not be stored as a whole."""
    point = importing.project()
    first = importing.imported(point, [("1", "", "", ""), ("2", "", "", "")])
    low, high = importing.customers_of(first)
    source = importing.sent(point, [("2", "", "", "Bob"), ("1", "", "", "Ann")])
    assert chunks.step_of(source)
    source = imports.find(source.pk)
    one_by_one = partial(chunks._work, source, chunks._submit_one_by_one)
    with while_it_waits_for(low or 0, partial(in_transaction, one_by_one)):
        assert is_free(high or 0)


@pytest.mark.parametrize("by", ["code", "report"])
def test_a_confirmation_locks_the_customer_before_the_code(
    project: ShopMaker, texts: list[tuple[str, str]], by: str
) -> None:
    """R45: as an erasure does, which takes the code away."""
    shop = project(pos={"mobile_phone": CONFIRM})
    ann = shop.pos.register(mobile_phone=PHONE).id
    caller = caller_of("pos")
    customer, contact = Key(MAESTRA_ID, str(ann)), Key("mobile_phone", PHONE)
    ((_phone, text),) = texts
    code = next(word.strip(".") for word in text.split() if word.strip(".").isdigit())
    work = {
        "code": partial(confirm_by_code, caller, customer, contact, code),
        "report": partial(report_confirmation, caller, customer, contact, timezone.now()),
    }
    with while_it_waits_for(ann, work[by]):
        assert Confirmation.objects.select_for_update(nowait=True).get()


def test_an_undo_locks_the_customer_before_the_merge(project: ShopMaker) -> None:
    """R46: as an erasure does, which blanks the merge."""
    shop = project()
    ann, bob = (shop.website.register(email=email).id for email in (ANN, BOB))
    body = {"customers": [{"maestra_id": bob}], "resulting": {"maestra_id": ann}}
    (merge,) = shop.website.done("customers/merge/", body).merge_ids
    undo = partial(Api(shop.keys["website"]).post, f"merges/{merge}/undo/", {})
    with while_it_waits_for(ann, undo):
        assert fetch("SELECT FROM dedup_merge FOR UPDATE NOWAIT")


def test_a_merge_locks_former_maestra_ids_with_the_others(project: ShopMaker) -> None:
    """R1: they are given another primary one. Who found one before it was merged may hold it."""
    shop = project()
    _caller, (former, primary, resulting, _other) = people(shop)

    def merge(merged: int, into: int) -> Answer:
        body = {"customers": [{"maestra_id": merged}], "resulting": {"maestra_id": into}}
        return Api(shop.keys["website"]).post("customers/merge/", body)

    assert merge(former, primary).status == 200
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Customer.objects.select_for_update(no_key=True).get(pk=former)
            done = pool.submit(with_a_connection, partial(merge, primary, resulting))
            wait_until_somebody_waits()
            assert is_free(primary, resulting)
        assert done.result().status == 200


def test_who_was_merged_into_a_customer_while_the_customer_was_waited_for_is_locked_too(
    project: ShopMaker,
) -> None:
    """R1: who holds the former one is not waited for; it is tried again."""
    shop = project()
    _caller, (kept, merged, _third, _last) = people(shop)
    body = {"customers": [{"maestra_id": merged}], "resulting": {"maestra_id": kept}}
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            lock([kept])
            found = pool.submit(with_a_connection, partial(in_transaction, partial(lock, [kept])))
            wait_until_somebody_waits()
            shop.website.done("customers/merge/", body)
        assert found.result() == {kept, merged}


def test_an_erasure_gives_way_to_who_holds_what_it_takes_and_waits_for_the_customer(
    project: ShopMaker,
) -> None:
    """R54: events are locked before their customers, by who resolves them."""
    shop = project()
    ann = shop.website.register(email=ANN).id
    shop.website.post("activities/", {"activities": [{"kind": "page_view", "lookup": {"email": ANN}}]})
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            list(WaitingEvent.objects.select_for_update())
            erased = pool.submit(with_a_connection, partial(erase, ann, actor="system"))
            wait_until_somebody_waits()
            fetch("SELECT set_config('lock_timeout', '500ms', true)")
            lock([ann])
        erased.result()
    assert not WaitingEvent.objects.exists()


def test_a_value_that_falls_free_while_its_holder_is_waited_for_is_locked_too(
    project: ShopMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R5: nobody else may take it until it is decided whose it becomes."""
    shop = project()
    ann = shop.website.register(email=ANN, mobile_phone=PHONE).id
    row = Identifier.objects.get(value=PHONE).pk
    locked, may_go_on = Event(), Event()

    def read(primary_ids: Sequence[int]) -> dict[int, Profile]:
        if current_thread() is not main_thread():
            locked.set()
            assert may_go_on.wait(PATIENCE)
        return load_profiles(primary_ids)

    monkeypatch.setattr(loading, "load_profiles", read)
    body = {"email": BOB, "mobile_phone": PHONE}
    upsert = partial(Api(shop.keys["website"]).post, "customers/upsert/", body)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            lock([ann])
            done = pool.submit(with_a_connection, upsert)
            wait_until_somebody_waits()
            shop.website.edit({"email": ANN}, mobile_phone=None)
        assert locked.wait(PATIENCE)
        with pytest.raises(OperationalError), transaction.atomic():
            Identifier.objects.select_for_update(nowait=True).get(pk=row)
        may_go_on.set()
        assert done.result().status == 201
