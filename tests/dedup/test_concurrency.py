"""Many clients at the same instant on few values, each with a connection of its own."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections

from dedup.storage.integrity import faults
from tests.scenarios.api import ACCESS, Answer, Api, Project
from tests.scenarios.conftest import project, story

__all__ = ["project", "story"]

CLIENTS = 16
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
        try:
            ready.wait()
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


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
