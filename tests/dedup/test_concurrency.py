"""Many clients at the same instant on few values, each with a connection of its own."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from customers.models import Customer
from customers.setup.project_config import project_config
from customers.storage.sql import COPY_FROM, fetch_value
from dedup.engine.record import Operation
from dedup.imports import operations
from dedup.imports.processing import chunks
from dedup.imports.processing.chunks import step_of
from dedup.operations.base import Caller
from dedup.operations.records import submit
from dedup.parsing.records import Parser
from dedup.storage.integrity import faults
from tests.dedup.imports import importing
from tests.scenarios.api import ACCESS, Answer, Api, Project
from tests.scenarios.conftest import project, story

__all__ = ["project", "story"]

CLIENTS = 16
PATIENCE = 60.0  # seconds
WAITING = """
SELECT EXISTS (
  SELECT FROM pg_locks l JOIN pg_database d ON d.datname = current_database()
   WHERE NOT l.granted AND (l.database = d.oid OR l.locktype = 'transactionid')
)
"""
EMAILS = [f"person{n}@example.com" for n in range(8)]
PHONES = [f"+1415555010{n}" for n in range(8)]
DEVICES = [f"browser-{n}" for n in range(4)]
ACCEPTED: dict[int, set[str | None]] = {
    200: {None},
    201: {None},
    404: {"customer_not_found"},
    409: {"technical_id_not_unique", "already_registered", "ambiguous_customer", "merge_blocked"},
}


def at_once(works: list[Callable[[], Any]]) -> list[Any]:
    """Each in a thread and with a connection of its own, all starting together."""
    ready = Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        ready.wait()
        return with_a_connection(work)

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def with_a_connection(work: Callable[[], Any]) -> Any:
    """In a thread, which has a connection of its own."""
    try:
        return work()
    finally:
        connections.close_all()


def wait_until_somebody_waits() -> None:
    """For a lock, in the database."""
    deadline = time.monotonic() + PATIENCE
    while not fetch_value(WAITING):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def some_request(api: Api, chance: random.Random) -> Answer:
    record = {
        "email": chance.choice(EMAILS),
        "mobile_phone": chance.choice(PHONES),
        "device_id": chance.choice(DEVICES),
        "ids": {"crm_id": str(chance.randrange(12))},
    }
    for name in chance.sample(sorted(record), chance.randrange(3)):
        del record[name]
    match chance.randrange(4):
        case 0:
            return api.post("customers/register/", record)
        case 1:
            return api.post("customers/edit/", {"lookup": {"email": chance.choice(EMAILS)}, **record})
        case 2:
            named = [{"email": email} for email in chance.sample(EMAILS, 2)]
            return api.post("customers/merge/", {"customers": named[:1], "resulting": named[1]})
        case _:
            return api.post("customers/upsert/", record)


def is_accepted(answer: Answer) -> bool:
    return answer.body.get("code") in ACCEPTED.get(answer.status, set())


def test_sixteen_clients_on_few_values_get_valid_answers_and_leave_one_holder_a_value(
    project: Callable[..., Project],
) -> None:
    """R2, R5, R6, R22: what the database holds is what some order of the requests would have left."""
    shop = project(pos={"mobile_phone": ACCESS})
    keys = [shop.keys[("website", "pos", "landing", "crm_import")[n % 4]] for n in range(CLIENTS)]

    def client(n: int) -> list[Answer]:
        api, chance = Api(keys[n]), random.Random(n)
        return [some_request(api, chance) for _ in range(20)]

    answers = [a for some in at_once([partial(client, n) for n in range(CLIENTS)]) for a in some]
    assert [a for a in answers if not is_accepted(a)] == []
    assert Counter(a.status for a in answers)[200] > CLIENTS
    assert faults() == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), count(DISTINCT (kind_id, value)) FROM customers_identifier")
        assert len(set(cursor.fetchone())) == 1


@pytest.mark.parametrize(("flags", "statuses"), [({}, [200, 201]), (ACCESS, [201, 409])])
def test_two_clients_that_register_the_same_new_phone_at_once_get_one_customer(
    project: Callable[..., Project], flags: dict[str, bool], statuses: list[int]
) -> None:
    """R5, R16: one creates, the other joins, or is refused where the phone gives account access."""
    shop = project(pos={"mobile_phone": flags})
    for phone in PHONES:
        register = partial(Api(shop.keys["pos"]).post, "customers/register/", {"mobile_phone": phone})
        assert sorted(answer.status for answer in at_once([register, register])) == statuses
    assert faults() == []


@pytest.mark.parametrize("keys", [True, False])
def test_clients_that_post_the_same_new_customers_at_once_all_get_an_answer(
    project: Callable[..., Project], keys: bool
) -> None:
    """R6, R17: there are so many that they are copied in, where a value that somebody else has just stored is
    noticed at the very end.
    """
    shop = project()
    records = [{"email": f"new{n}@example.com"} for n in range(2 * COPY_FROM)]
    body = {"operation": "upsert", "records": records}

    def client(n: int) -> Answer:
        key = {"Idempotency-Key": str(n)} if keys else {}
        return Api(shop.keys["website"]).post("customers/batch/", body, **key)

    answers = at_once([partial(client, n) for n in range(8)])
    assert {a.status for a in answers} == {200}
    assert {result["code"] for a in answers for result in a.body["results"] if "code" in result} == set()
    assert len({tuple(result["maestra_id"] for result in a.body["results"]) for a in answers}) == 1
    assert Customer.objects.count() == len(records)
    assert faults() == []


def test_a_chunk_of_an_import_that_meets_new_customers_of_somebody_else_is_decided_again_as_a_whole(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R17: it waits for who was faster, and finds what they stored."""
    point = importing.project()
    emails = [f"new{n}@example.com" for n in range(2 * COPY_FROM)]
    source = importing.sent(point, [("", email, "", "Ann") for email in emails])
    assert step_of(source)  # stages it
    source = operations.find(source.pk)
    parser = Parser(point, project_config(), timezone.now())
    records = [parser.record(Operation.UPSERT, {"email": email}) for email in emails]
    monkeypatch.setattr(chunks, "_submit_one_by_one", None)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            submit(Caller("system", point), records)
            chunk = pool.submit(with_a_connection, partial(step_of, source))
            wait_until_somebody_waits()
        assert chunk.result()
    assert set(importing.outcomes(source)) == {"joined"}
    assert Customer.objects.count() == len(emails)


def test_the_same_idempotency_key_at_once_acts_once(project: Callable[..., Project]) -> None:
    """R16: the second arrival waits for the first and is given its answer."""
    shop = project()
    order = {"number": "A-1", "total": "5", "currency": "USD", "placed_at": "2026-01-01T00:00:00Z"}
    body = {"order": order, "customer": {"email": EMAILS[0]}}
    send = partial(Api(shop.keys["website"]).post, "orders/", body, **{"Idempotency-Key": "one"})
    answers = at_once([send] * 8)
    assert {a.status for a in answers} == {201}
    assert len({a.body["maestra_id"] for a in answers}) == 1
    assert faults() == []
