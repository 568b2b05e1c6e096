"""The same key and body give the first answer again, without acting again; also when two arrive at once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from customers.errors import ErrorCode, SelfsameError, invalid
from customers.keyed_hashes import IDEMPOTENCY
from customers.presentation.problem import problem_json
from dedup.api.idempotency import ReplayedRefusal, Reply, forget, maestra_ids_in, once, purge
from dedup.models import IdempotencyKey

BODY = {"email": "ann@example.com", "ids": {"crm_id": "1"}}


class Work:
    """Counts how often it was done."""

    def __init__(self, outcome: Any = None) -> None:
        self.outcome = outcome if outcome is not None else Reply(201, {"maestra_id": 7, "note": "done"})
        self.times = 0

    def __call__(self) -> Reply:
        self.times += 1
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def refused(*arguments: Any) -> SelfsameError:
    with pytest.raises(SelfsameError) as refusal:
        once(*arguments)
    return refusal.value


@pytest.mark.django_db
def test_the_first_answer_is_given_again():
    work = Work()
    assert once("key:1", "a", BODY, work) == Reply(201, {"maestra_id": 7, "note": "done"})
    again = once("key:1", "a", {"ids": {"crm_id": "1"}, "email": "ann@example.com"}, work)
    assert again == Reply(201, {"maestra_id": 7, "note": "done"}, is_replayed=True)
    assert work.times == 1


@pytest.mark.django_db
def test_a_key_that_an_earlier_release_took_gives_its_answer_for_24_hours():
    work = Work()
    once("key:1", "a", BODY, work)
    body = json.dumps(BODY, sort_keys=True, separators=(",", ":"))
    earlier = {"key": IDEMPOTENCY.hashes("a")[1], "body_hash": IDEMPOTENCY.hashes(body)[1]}
    IdempotencyKey.objects.update(**earlier)
    assert once("key:1", "a", BODY, work).is_replayed
    assert refused("key:1", "a", {}, work).code is ErrorCode.IDEMPOTENCY_CONFLICT
    assert work.times == 1
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert not once("key:1", "a", BODY, work).is_replayed


@pytest.mark.django_db
@pytest.mark.parametrize("other", [{"email": "bob@example.com"}, {}, [BODY]])
def test_the_same_key_with_another_body_is_a_conflict(other):
    work = Work()
    once("key:1", "a", BODY, work)
    assert refused("key:1", "a", other, work).code is ErrorCode.IDEMPOTENCY_CONFLICT
    assert work.times == 1


@pytest.mark.django_db
def test_other_keys_and_other_senders_are_others():
    work = Work()
    for scope, key in (("key:1", "a"), ("key:1", "b"), ("key:2", "a")):
        once(scope, key, BODY, work)
    assert work.times == 3


@pytest.mark.django_db
def test_a_refusal_is_given_again_too():
    work = Work(SelfsameError(ErrorCode.AMBIGUOUS_CUSTOMER, "Two of them.", maestra_ids=[1, 2]))
    first, again = (refused("key:1", "a", BODY, work) for _ in range(2))
    assert problem_json(first) == problem_json(again)
    assert (again.code, work.times) == (ErrorCode.AMBIGUOUS_CUSTOMER, 1)
    assert [type(refusal) for refusal in (first, again)] == [SelfsameError, ReplayedRefusal]


@pytest.mark.django_db
def test_a_request_that_could_not_be_understood_uses_no_key_up():
    refused("key:1", "a", BODY, Work(invalid(("email", "No."))))
    assert not IdempotencyKey.objects.exists()
    assert once("key:1", "a", {"email": "mended@example.com"}, Work()).is_replayed is False


@pytest.mark.django_db
@pytest.mark.parametrize("failure", [SelfsameError(ErrorCode.BUSY, "Try again."), RuntimeError("broken")])
def test_what_failed_on_our_side_may_be_tried_again(failure):
    with pytest.raises(type(failure)):
        once("key:1", "a", BODY, Work(failure))
    work = Work()
    once("key:1", "a", BODY, work)
    assert work.times == 1


@pytest.mark.django_db
def test_what_a_refused_operation_did_is_taken_back_but_not_what_it_keeps():
    def work() -> Reply:
        with suppress(ZeroDivisionError), transaction.atomic():
            IdempotencyKey.objects.create(scope="lost", key="k", body_hash="h")
            raise ZeroDivisionError
        IdempotencyKey.objects.create(scope="kept", key="k", body_hash="h")
        raise SelfsameError(ErrorCode.CODE_INVALID, "Wrong.")

    refused("key:1", "a", BODY, work)
    assert set(IdempotencyKey.objects.values_list("scope", flat=True)) == {"key:1", "kept"}


@pytest.mark.django_db
def test_after_a_day_the_key_is_new():
    work = Work()
    once("key:1", "a", BODY, work)
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
    assert once("key:1", "a", {"other": 1}, work).is_replayed is False
    assert work.times == 2


@pytest.mark.django_db
def test_expired_answers_are_deleted():
    once("key:1", "a", BODY, Work())
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=25))
    once("key:1", "b", BODY, Work())
    assert purge() == 1
    assert IdempotencyKey.objects.count() == 1


@pytest.mark.django_db
def test_a_key_has_a_limit():
    assert refused("key:1", "a" * 256, BODY, Work()).code is ErrorCode.VALIDATION_ERROR


@pytest.mark.django_db
def test_neither_key_nor_body_is_stored():
    once("key:1", "ann@example.com", BODY, Work())
    assert "ann" not in repr(IdempotencyKey.objects.values().get())


@pytest.mark.django_db
def test_an_answer_is_blanked_with_the_person_it_shows():
    """R54: and the request is not acted upon anew."""
    work = Work()
    once("key:1", "a", BODY, work)
    once("key:1", "b", BODY, Work(Reply(200, {"maestra_id": 8, "email": "bob@example.com"})))
    forget([7, 70])
    assert refused("key:1", "a", BODY, work).code is ErrorCode.ERASED_PERSON
    assert once("key:1", "b", BODY, work).body == {"maestra_id": 8, "email": "bob@example.com"}
    assert work.times == 1
    row = IdempotencyKey.objects.get(status=409)
    assert (row.maestra_ids, "done" in repr(row.response)) == ([], False)


def test_every_maestra_id_of_an_answer_is_found():
    body = {
        "maestra_id": 1,
        "merged_maestra_ids": [2],
        "merge_ids": [99],
        "customer": {
            "former_maestra_ids": [3],
            "notes": [{"related_maestra_id": 4}],
            "facts": {"orders_count": 98},
        },
        "conflicts": [{"kept_by": 5, "lost_by": None}],
        "moved": [{"from": 6, "to": 7}],
        "results": [{"maestra_ids": [8]}],
    }
    assert sorted(maestra_ids_in(body)) == [1, 2, 3, 4, 5, 6, 7, 8]


@pytest.mark.django_db(transaction=True)
def test_of_two_that_arrive_at_once_one_acts():
    begun, may_end = Event(), Event()

    def slowly() -> Reply:
        begun.set()
        assert may_end.wait(60)
        return Reply(201, {"maestra_id": 7})

    def send(work: Any) -> Reply:
        try:
            return once("key:1", "a", BODY, work)
        finally:
            connection.close()

    second_work = Work()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(send, slowly)
        assert begun.wait(60)
        second = pool.submit(send, second_work)
        assert not second.done()
        may_end.set()
        assert first.result() == Reply(201, {"maestra_id": 7})
        assert second.result() == Reply(201, {"maestra_id": 7}, is_replayed=True)
    assert second_work.times == 0


@pytest.mark.django_db(transaction=True)
def test_if_the_first_of_two_fails_the_second_acts():
    begun, may_end = Event(), Event()

    def failing() -> Reply:
        begun.set()
        assert may_end.wait(60)
        raise RuntimeError

    def send(work: Any) -> Reply:
        try:
            return once("key:1", "a", BODY, work)
        finally:
            connection.close()

    second_work = Work()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(send, failing)
        assert begun.wait(60)
        second = pool.submit(send, second_work)
        may_end.set()
        with pytest.raises(RuntimeError):
            first.result()
        assert second.result().is_replayed is False
    assert second_work.times == 1
