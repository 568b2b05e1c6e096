"""What pages may send with a public site key, and what nobody can do with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import caches
from django.core.management import CommandError
from django.test import Client

from customers.models import Activity, Customer, IntegrationPoint
from customers.normalise import Invalid
from customers.redis.outage import OUTAGE
from dedup.models import Confirmation, Event, FailedEvent, Merge, Site
from dedup.origins import origin_of
from dedup.tracking.resolver.lanes import resolve_waiting
from tests.dedup.tracking.sending import (
    BROWSER,
    PHONE_BROWSER,
    SHOP,
    SITE_KEY,
    TRACKING,
    identify,
    page,
    site,
)
from tests.scenarios.api import ACCESS, ANN, BOB, CONFIRM, PHONE, Project

ShopMaker = Callable[..., Project]
VIEW = {"kind": "page_view", "url": f"{SHOP}/shoes"}


@pytest.fixture
def shop(project: ShopMaker) -> Project:
    return project(tracking=TRACKING)


def test_a_beacon_is_taken_in_and_answered_202(shop: Project) -> None:
    assert page(VIEW, {"kind": "basket", "properties": {"sku": "42"}}) == (202, {"accepted": 2})
    resolve_waiting()
    assert sorted(Activity.objects.values_list("kind", "url")) == [
        ("basket", ""),
        ("page_view", f"{SHOP}/shoes"),
    ]


@pytest.mark.parametrize("origin", ["https://evil.example", "http://shop.example", "null", None])
def test_only_pages_of_the_sites_origins_may_use_its_key(shop: Project, origin: str | None) -> None:
    assert page(VIEW, origin=origin).status == 403
    assert not Event.objects.exists()


def test_a_wrong_key_or_one_of_a_disabled_site_or_point_is_refused(shop: Project) -> None:
    assert page(VIEW, key="ssp_wrong").status == 401
    site(is_enabled=False)
    assert page(VIEW).status == 401
    site(is_enabled=True)
    IntegrationPoint.objects.update(is_enabled=False)
    assert page(VIEW).status == 401


def test_a_site_key_opens_nothing_else(shop: Project) -> None:
    client = Client(headers={"authorization": f"Api-Key {SITE_KEY}"})
    for path in ("customers/", "customers/1/", "changes/"):
        assert client.get(f"/api/v1/{path}").status_code in (401, 404)
    assert client.post("/api/v1/customers/register/", {}, "application/json").status_code == 401


def test_browsers_are_told_which_pages_may_read_the_answer(shop: Project) -> None:
    def asked(origin: str) -> Any:
        headers = {"origin": origin, "access-control-request-method": "POST"}
        return Client().options(f"/track/?key={SITE_KEY}", headers=headers)

    assert asked(SHOP)["Access-Control-Allow-Origin"] == SHOP
    assert "Access-Control-Allow-Credentials" not in asked(SHOP)
    assert "Access-Control-Allow-Origin" not in asked("https://evil.example")
    answer = Client().get("/api/v1/customers/", headers={"origin": SHOP})
    assert "Access-Control-Allow-Origin" not in answer


def test_faults_are_named_and_refuse_the_whole_request(shop: Project) -> None:
    answer = page(VIEW, {"url": "x", "lookup": {"email": ANN}}, "?", device="my-browser", colour="blue")
    assert answer.status == 400
    assert {e["path"] for e in answer.body["errors"]} == {"device_id", "colour"}
    answer = page(VIEW, {"url": "x", "lookup": {"email": ANN}}, "?", {"kind": "view", "record": {}})
    paths = {e["path"] for e in answer.body["errors"]}
    assert paths == {"events[1].kind", "events[1].lookup", "events[2]", "events[3].record"}
    assert not Event.objects.exists()


def test_too_much_is_too_large(shop: Project) -> None:
    assert page(*[VIEW] * 101).status == 413
    assert page(*[{"kind": "x", "properties": {"text": "y" * 8000}}] * 9).status == 413


def test_an_address_that_sends_too_often_is_told_to_wait(
    shop: Project, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TRACK_REQUESTS_PER_MINUTE = 2
    monkeypatch.setattr(caches["default"], "key_prefix", uuid4().hex)
    monkeypatch.setattr("customers.redis.rate_limit.time.time", lambda: 1_000_000_015.0)
    OUTAGE.end()
    assert [page(VIEW).status for _ in range(3)] == [202, 202, 429]


def test_a_wrong_clock_is_put_right(shop: Project) -> None:
    """An hour fast: what was done five minutes before it was sent, was."""
    now = datetime.now(UTC)
    fast = now + timedelta(hours=1)
    page({**VIEW, "occurred_at": (fast - timedelta(minutes=5)).isoformat()}, sent_at=fast.isoformat())
    resolve_waiting()
    assert abs(Activity.objects.get().occurred_at - (now - timedelta(minutes=5))) < timedelta(minutes=1)


# --- Saying who the visitor is


def test_a_page_identifies_a_visitor_nobody_knows(shop: Project) -> None:
    """R48"""
    page(VIEW, identify(email="Ann@Example.com", personal={"first_name": "Ann"}))
    resolve_waiting()
    ann = shop.website.lookup(email=ANN)
    assert ann.customer["personal"] == {"first_name": "Ann"}
    assert ann.customer["devices"] == [BROWSER]
    assert [a["kind"] for a in shop.pages(f"customers/{ann.id}/activities/")] == ["page_view"]


def test_what_a_page_brings_is_neither_confirmed_nor_account_access_and_nobody_is_written_to(
    project: ShopMaker, mailoutbox: list[Any]
) -> None:
    """R15, R45"""
    shop = project(tracking=TRACKING, website={"email": {**ACCESS, **CONFIRM}})
    page(identify(email=ANN))
    resolve_waiting()
    (email,) = shop.landing.lookup(email=ANN).customer["emails"]
    assert not email["gives_account_access"]
    assert not email["is_confirmed"]
    assert mailoutbox == []
    assert not Confirmation.objects.exists()


@pytest.mark.parametrize(
    ("record", "path"),
    [
        ({"email": {"value": ANN, "is_confirmed": True}}, "email"),
        ({"email": [ANN, BOB]}, "email"),
        ({"email": ANN, "segments": [{"segmentation": "loyalty", "segment": "level_1"}]}, "segments"),
        ({"email": ANN, "subscriptions": [{"channel": "email", "status": "subscribed"}]}, "subscriptions"),
        ({"email": ANN, "custom_fields": {"colour": "blue"}}, "custom_fields"),
        ({"email": ANN, "payment_card_hash": "5f3e"}, "payment_card_hash"),
        ({"email": ANN, "device_id": PHONE_BROWSER}, "device_id"),
        ({"email": ANN, "lookup_by": ["email"]}, "lookup_by"),
        ({"ids": {"crm_id": "301"}}, "ids"),
        ({"ids": {"maestra_id": 1}}, "ids"),
        ({"email": "no address"}, "email"),
        ({"personal": {"first_name": "Ann"}}, ""),
        ("ann", ""),
    ],
)
def test_a_page_may_say_no_more_than_who_it_is(shop: Project, record: Any, path: str) -> None:
    answer = page({"kind": "identify", "record": record})
    assert answer.status == 400
    assert answer.body["errors"][0]["path"] == f"events[0].record{'.' if path else ''}{path}"


def test_nobody_takes_over_a_profile_by_naming_its_contact(shop: Project) -> None:
    """R31: the stranger's browser stays a stranger's, and what it says goes nowhere near the profile."""
    ann = shop.website.register(day=1, email=ANN).id
    before = shop.customer(ann)
    page(VIEW, identify(email=ANN, personal={"last_name": "Evil"}))
    page(identify(mobile_phone=PHONE))
    page(identify(email=ANN, mobile_phone=PHONE))
    resolve_waiting()
    assert shop.customer(ann) == before
    assert not Merge.objects.exists()
    failed = FailedEvent.objects.get()
    assert (failed.code, failed.device) == ("permission_denied", BROWSER)
    stranger = shop.website.lookup(mobile_phone=PHONE).id
    assert stranger != ann
    assert shop.customer(stranger)["devices"] == [BROWSER]


def test_a_page_fills_in_what_is_not_known_and_changes_nothing(shop: Project) -> None:
    """R44"""
    ann = shop.website.register(day=1, email=ANN, first_name="Ann", device_id=BROWSER).id
    page(identify(email=ANN, personal={"first_name": "Eve", "last_name": "Lee"}, time_zone="Europe/Berlin"))
    resolve_waiting()
    known = shop.customer(ann)
    assert known["personal"]["first_name"] == "Ann"
    assert known["devices"] == [BROWSER]


def test_a_site_may_let_its_pages_find_customers(shop: Project) -> None:
    ann = shop.website.register(day=1, email=ANN).id
    site(finds_customers=True)
    page(VIEW, identify(email=ANN))
    resolve_waiting()
    assert shop.customer(ann)["devices"] == [BROWSER]


def test_a_site_may_let_its_pages_send_ids(shop: Project) -> None:
    site(identifies_by_ids=True)
    page(identify(ids={"website_id": "w-1"}))
    assert page(identify(ids={"maestra_id": 1})).status == 400
    resolve_waiting()
    assert shop.customer(Customer.objects.get().pk)["ids"] == {"website_id": "w-1"}


def test_a_page_counts_as_a_personal_action_whatever_the_point(project: ShopMaker) -> None:
    """R29"""
    shop = project(tracking=TRACKING, website={"personal_actions": False})
    page(identify(email=ANN))
    resolve_waiting()
    assert shop.website.lookup(email=ANN).customer["facts"]["last_activity_at"]


# --- Setting up


def test_the_set_up_file_declares_sites_and_may_choose_their_keys(project: ShopMaker) -> None:
    project(
        tracking=[
            {"integration_point": "app", "origins": ["HTTPS://App.Example:443/"], "finds_customers": True}
        ]
    )
    made = Site.objects.get()
    assert (made.point.system_name, made.origins, made.finds_customers) == (
        "app",
        ["https://app.example"],
        True,
    )
    assert made.key.startswith("ssp_")
    project(tracking=[{"integration_point": "app", "enabled": False}])
    changed = Site.objects.get()
    assert (changed.key, changed.origins, changed.is_enabled) == (made.key, made.origins, False)


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ({"integration_point": "shop", "origins": [SHOP]}, "tracking[0].integration_point"),
        ({"integration_point": "app"}, "tracking[0].origins"),
        ({"integration_point": "app", "origins": [f"{SHOP}/page"]}, "tracking[0].origins[0]"),
        ({"integration_point": "app", "origins": [SHOP], "key": "secret"}, "tracking[0].key"),
        ({"integration_point": "app", "origins": [SHOP], "key": SITE_KEY}, "tracking[0].key"),
    ],
)
def test_a_wrong_entry_stops_the_set_up(shop: Project, project: ShopMaker, entry: Any, fault: str) -> None:
    with pytest.raises(CommandError) as error:
        project(tracking=[entry])
    assert fault in str(error.value)


@pytest.mark.parametrize(
    "text",
    ["shop.example", "https://", "https://shop.example/page", "ftp://shop.example", "https://a@shop.example",
     "https://shop.example?x", "https://shop.example\\@evil.example", "javascript:alert(1)", "*",
     "https://shop.example:x"],
)  # fmt: skip
def test_only_an_origin_is_an_origin(text: str) -> None:
    with pytest.raises(Invalid):
        origin_of(text)
