"""What was answered 202 is in the ledger once, whose it is, whatever happens on the way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from celery import current_app
from django.core.cache import cache, caches
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisAway

from customers.models import Activity, Customer
from customers.privacy.erasure import erase
from customers.privacy.export import export
from dedup.models import Event, FailedEvent, SeenEvent
from dedup.storage.integrity import faults
from dedup.tracking import failures, inbox, retention
from dedup.tracking.resolver import lanes, resolution
from dedup.tracking.resolver.batch import EventBatch, HeldDevice, held_devices
from dedup.tracking.resolver.lanes import resolve_lane, resolve_waiting
from tests.dedup.tracking.sending import BROWSER, PHONE_BROWSER, TRACKING, action, identify, page, send, whose
from tests.scenarios.api import ANN, BOB, EVE, PHONE, Project, at, moment

ShopMaker = Callable[..., Project]


def waiting(shop: Project, *activities: Any, point: str = "website") -> None:
    """Sent, and not resolved yet."""
    assert shop.api(point).post("activities/", {"activities": list(activities)}).status == 202


def test_an_event_that_is_repeated_is_in_the_ledger_once(project: ShopMaker) -> None:
    shop, event = project(), action(1, uuid=str(uuid4()))
    waiting(shop, event, event)
    waiting(shop, event)
    resolve_waiting()
    send(shop, event)
    assert len(whose()) == Activity.objects.count() == 1


def test_a_repetition_without_a_time_of_its_own_is_one_too(project: ShopMaker) -> None:
    """Its time is that of its arrival, so it is another time than the first."""
    shop, event = project(), {"kind": "page_view", "device_id": BROWSER, "uuid": str(uuid4())}
    send(shop, event)
    send(shop, event)
    assert Activity.objects.count() == 1


def test_a_repetition_after_a_month_is_known_by_its_time(
    project: ShopMaker, pass_time: Callable[[timedelta], None]
) -> None:
    shop, event = project(), action(1, uuid=str(uuid4()))
    send(shop, event)
    pass_time(timedelta(days=40))
    retention.purge()
    assert not SeenEvent.objects.exists()
    send(shop, event)
    assert Activity.objects.count() == 1
    assert faults() == []


def test_without_a_uuid_every_arrival_is_an_event(project: ShopMaker) -> None:
    shop = project()
    send(shop, action(1), action(1))
    assert Activity.objects.count() == 2


def test_a_new_device_is_one_anonymous_customer_registered_with_its_first_action(project: ShopMaker) -> None:
    """R21, R48"""
    shop = project()
    send(shop, action(3), action(2), action(4, PHONE_BROWSER, "app_opened"))
    visitor, other = Customer.objects.order_by("id")
    assert not visitor.is_identified
    assert set(whose().values()) == {visitor.pk, other.pk}
    assert visitor.registered_at == moment(at(2))
    assert moment(shop.customer(visitor.pk)["facts"]["last_activity_at"]) == moment(at(3))


def test_an_action_is_recorded_under_the_maestra_id_its_device_came_to(
    project: ShopMaker,
) -> None:
    """R46: even after a merge."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, device_id=BROWSER).id
    bob = shop.website.register(day=1, mobile_phone=PHONE).id
    shop.website.merge(ann, bob, resulting=bob)
    send(shop, action(2))
    assert list(whose().values()) == [ann]


def test_a_named_customer_has_the_action_and_signs_in_on_its_device(
    project: ShopMaker,
) -> None:
    """R21, R46"""
    shop = project()
    bob = shop.website.register(day=1, email=BOB, device_id=BROWSER).id
    ann = shop.website.register(day=1, email=ANN).id
    shop.website.merge(shop.website.register(day=1, crm_id="301").id, resulting=ann)
    send(shop, action(2), action(3, lookup={"crm_id": "301"}), action(4))
    before, signed_in, after = (
        whose()[u] for u in Activity.objects.order_by("occurred_at").values_list("uuid", flat=True)
    )
    assert before == bob
    assert shop.customer(signed_in)["maestra_id"] == shop.customer(after)["maestra_id"] == ann
    assert shop.customer(ann)["devices"] == [BROWSER]


def test_who_identifies_in_the_middle_takes_over_from_there(project: ShopMaker) -> None:
    """R8, R50: within one batch, and whatever the order of arrival."""
    shop = project(tracking=TRACKING)
    paul = shop.website.register(day=1, email=BOB, device_id=BROWSER).id
    events = [action(2), {**identify(email=ANN), "occurred_at": at(3)}, action(4)]
    for event in events:
        event.pop("device_id", None)
    assert page(*reversed(events)).status == 202
    resolve_waiting()
    linda = shop.website.lookup(email=ANN).id
    assert list(Activity.objects.order_by("occurred_at").values_list("maestra_id", flat=True)) == [
        paul,
        linda,
    ]
    assert shop.customer(linda)["devices"] == [BROWSER]
    assert shop.customer(paul)["devices"] == []


def owners_by_day() -> list[int]:
    return list(Activity.objects.order_by("occurred_at").values_list("maestra_id", flat=True))


def test_a_late_action_is_whose_the_device_was_each_time_it_came_back(project: ShopMaker) -> None:
    """R8, R50"""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, device_id=BROWSER).id
    bob = shop.website.register(day=3, email=BOB, device_id=BROWSER).id
    send(shop, action(5, lookup={"email": ANN}), action(7, lookup={"email": BOB}))
    send(shop, *[action(day) for day in (2, 4, 6, 8)])
    assert owners_by_day() == [ann, bob, ann, ann, bob, bob]


def test_a_late_action_from_before_anybody_was_known_is_the_first_user_s(project: ShopMaker) -> None:
    """R48: had it come in time, it would have been an anonymous customer's who became the first user."""
    shop = project()
    ann = shop.website.register(day=3, email=ANN, device_id=BROWSER).id
    bob = shop.website.register(day=5, email=BOB, device_id=BROWSER).id
    send(shop, action(1), action(6))
    assert owners_by_day() == [ann, bob]


def test_an_event_whose_customer_is_not_found_fails_alone(project: ShopMaker) -> None:
    """R11, R12: also where its look-up is none, or on the block list."""
    shop = project(block_list=[{"type": "email", "value": EVE}])
    ann = shop.website.register(email=ANN).id
    unknown = ({"email": BOB}, {"email": "nobody"}, {"email": EVE}, {"x": "1"})
    lookups = ({"email": ANN}, *unknown, {"maestra_id": ann})
    events = [action(1, None, lookup=lookup) for lookup in lookups]
    answer = shop.website.done("activities/", {"activities": events}).body
    assert [uuid is not None for uuid in answer["uuids"]] == [True, False, False, False, False, True]
    assert answer["accepted"] == 2
    paths = [fault["path"] for fault in answer["failed"]]
    assert [path.partition(".")[0] for path in paths] == [f"activities[{n}]" for n in (1, 2, 3, 4)]
    resolve_waiting()
    assert Activity.objects.filter(maestra_id=ann).count() == 2


def test_events_whose_customers_are_all_unknown_are_refused(project: ShopMaker) -> None:
    shop = project()
    with shop.refuses("validation_error") as problem:
        shop.website.done("activities/", {"activities": [action(1, lookup={"email": ANN})]})
    assert [error["path"] for error in problem.body["errors"]] == ["activities[0].lookup"]
    assert not Event.objects.exists()


def test_a_blocked_device_or_a_field_at_fault_refuses_the_whole_request(project: ShopMaker) -> None:
    """R12: named with their places."""
    shop = project(block_list=[{"type": "device_id", "pattern": "^0+$"}])
    bad = [
        action(1),
        action(1, "000"),
        action(1, None, lookup={"email": ANN}),
        action(1, uuid="7"),
        action(1, None),
        action(1, kind="", occurred_at="yesterday"),
        action(1, lookup={"email": ANN, "crm_id": "1"}),
        action(1, colour="blue"),
    ]
    with shop.refuses("validation_error") as problem:
        shop.website.done("activities/", {"activities": bad})
    assert {error["path"] for error in problem.body["errors"]} == {
        "activities[1].device_id",
        "activities[2].lookup",
        "activities[3].uuid",
        "activities[4]",
        "activities[5].kind",
        "activities[5].occurred_at",
        "activities[6].lookup",
        "activities[7].colour",
    }
    assert not Event.objects.exists()


def test_a_time_in_the_future_counts_as_now(project: ShopMaker) -> None:
    shop = project()
    send(shop, {"kind": "page_view", "device_id": BROWSER, "occurred_at": "2999-01-01T00:00:00Z"})
    assert Activity.objects.get().occurred_at <= timezone.now()


def test_more_than_a_thousand_events_are_too_large_and_a_key_needs_its_scope(project: ShopMaker) -> None:
    shop = project(pos={"scopes": ["write", "read"]})
    with shop.refuses("too_large"):
        shop.website.done("activities/", {"activities": [action(1)] * 1001})
    with shop.refuses("permission_denied"):
        shop.pos.done("activities/", {"activities": [action(1)]})


def test_an_export_has_what_waits_and_what_failed_of_the_person(project: ShopMaker) -> None:
    """R55"""
    shop = project()
    ann = shop.website.register(email=ANN, device_id=BROWSER).id
    shop.website.register(email=BOB, device_id=PHONE_BROWSER)
    waiting(shop, action(1), action(2, None, lookup={"email": ANN}), action(3, PHONE_BROWSER))
    waiting(shop, action(4, lookup={"email": BOB}))
    failures.set_aside({Event.objects.earliest("occurred_at").pk: failures.Failure("unforeseen", "A fault.")})
    found = export(ann)["unresolved_activities"]
    assert [(e["occurred_at"], e["device_id"], e["maestra_id"], e["failed_because"]) for e in found] == [
        (moment(at(2)).isoformat(), None, ann, None),
        (moment(at(1)).isoformat(), BROWSER, None, "A fault."),
    ]


# --- Accidents


def test_without_redis_events_are_taken_in_and_resolved_later(
    project: ShopMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = project()

    def away(*_: Any, **__: Any) -> None:
        raise RedisAway

    monkeypatch.setattr(cache, "add", away)
    monkeypatch.setattr(cache, "delete", away)
    send(shop, action(1))
    assert len(whose()) == 1


def test_a_worker_is_sent_for_once_until_it_wakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caches["default"], "key_prefix", uuid4().hex)
    with patch.object(current_app, "send_task") as send_task:
        inbox.wake()
        inbox.wake()
        inbox.awake()
        inbox.wake()
    assert send_task.call_count == 2


def test_a_batch_that_breaks_off_leaves_everything_in_the_inbox(
    project: ShopMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database goes away at the very end: nothing was done, and the next worker does it all."""
    shop = project()
    waiting(shop, action(1), action(2, PHONE_BROWSER))

    def fall(*_: Any) -> None:
        raise OperationalError("the server closed the connection")

    with monkeypatch.context() as broken:
        broken.setattr(resolution, "count_actions", fall)
        with pytest.raises(OperationalError):
            resolve_waiting()
    assert (Event.objects.count(), Activity.objects.count(), SeenEvent.objects.count()) == (2, 0, 0)
    assert not Customer.objects.exists()
    resolve_waiting()
    assert len(whose()) == 2
    assert faults() == []


def test_one_event_that_cannot_be_resolved_is_set_aside_and_the_others_are_resolved(
    project: ShopMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = project()
    shop.website.register(email=ANN, device_id=BROWSER)
    waiting(shop, *[action(day) for day in range(1, 6)], action(6, kind="poison"))

    def poisoned(batch: EventBatch) -> list[HeldDevice]:
        if Event.objects.filter(pk__in=batch.event_ids, kind="poison").exists():
            raise ZeroDivisionError
        return held_devices(batch)

    monkeypatch.setattr(resolution, "held_devices", poisoned)
    resolve_waiting()
    assert Activity.objects.count() == 5
    failed = FailedEvent.objects.get()
    assert (failed.kind, failed.code, Event.objects.count()) == ("poison", "unforeseen", 0)
    monkeypatch.setattr(resolution, "held_devices", held_devices)
    failures.try_again([failed.pk])
    resolve_waiting()
    assert Activity.objects.count() == 6
    assert not FailedEvent.objects.exists()
    assert faults() == []


def test_a_lane_that_another_worker_resolves_is_left_to_it(project: ShopMaker) -> None:
    shop = project()
    waiting(shop, action(1))
    lane = Event.objects.get().lane
    other = connection.copy()
    try:
        with transaction.atomic(), other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(lanes.LOCK_LANE, [lanes.LOCK_CLASS, lane])
            assert resolve_lane(lane) == 0
            cursor.execute("COMMIT")
    finally:
        other.close()
    assert resolve_lane(lane) == 1


def test_what_waited_when_its_customer_was_erased_is_dropped(project: ShopMaker) -> None:
    """R54"""
    shop = project()
    ann = shop.website.register(email=ANN, device_id=BROWSER).id
    waiting(shop, action(1), action(2, None, lookup={"email": ANN}), action(3, PHONE_BROWSER))
    erase(ann, actor="user:officer")
    assert list(Event.objects.values_list("device", flat=True)) == [PHONE_BROWSER]
    resolve_waiting()
    assert ann not in whose().values()
