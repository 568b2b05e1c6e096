"""Reading customers over HTTP: one, lists with filters, histories and ledgers in pages."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Activity, BlockedValue, Identifier
from customers.queries import timelines
from tests.dedup.api.conftest import shop
from tests.scenarios.api import Answer, Api

__all__ = ["shop"]

ANN, BOB, EVE = "ann@example.com", "bob@example.com", "eve@example.com"
PHONE = "+14155550122"


def day(number: int) -> str:
    return (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)).isoformat()


def refusal(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.body["code"]


def registered(api: Api, **record: Any) -> int:
    return int(api.post("customers/register/", {"occurred_at": day(1), **record}).body["maestra_id"])


def listed(api: Api, path: str = "customers/", **query: Any) -> list[int]:
    answer = api.get(path, **query)
    assert answer.status == 200, answer.body
    return [customer["maestra_id"] for customer in answer.body["results"]]


def pages(api: Api, path: str, **query: Any) -> list[list[Any]]:
    """All pages, one after the other."""
    body = api.get(path, **query).body
    found = [body["results"]]
    while body["next"]:
        url = urlsplit(body["next"])
        body = api.client.get(f"{url.path}?{url.query}").json()
        found.append(body["results"])
    return found


def merge(api: Api, one: int, other: int) -> None:
    body = {"customers": [{"maestra_id": other}], "resulting": {"maestra_id": one}}
    assert api.post("customers/merge/", body).status == 200


# --- One customer


def test_a_former_id_finds_the_customer(shop):
    """R1."""
    one, two = registered(shop.website, email=ANN), registered(shop.website, email=BOB)
    merge(shop.website, one, two)
    assert shop.website.get(f"customers/{two}/").body == shop.website.get(f"customers/{one}/").body


@pytest.mark.parametrize("maestra_id", [0, 1, 2**63, 10**40])
@pytest.mark.parametrize(
    "part", ["", "history/", "related/", "activities/", "sessions/", "orders/", "merges/", "export/"]
)
def test_nobody_has_that_number(shop, maestra_id, part):
    assert refusal(shop.website.get(f"customers/{maestra_id}/{part}")) == (404, "customer_not_found")


def test_what_is_no_number_is_no_address(shop):
    assert refusal(shop.website.get("customers/x/")) == (404, "not_found")


# --- Lists


def test_customers_are_listed_the_newest_first_in_pages(shop):
    ids = [registered(shop.website, email=f"{n}@example.com") for n in range(5)]
    found = pages(shop.website, "customers/", limit=2)
    assert [[customer["maestra_id"] for customer in page] for page in found] == [
        ids[:2:-1],
        ids[2:0:-1],
        ids[:1],
    ]
    assert found[0][0] == shop.website.get(f"customers/{ids[4]}/").body


def test_a_page_takes_the_same_queries_whatever_it_shows(shop):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            listed(shop.website)
        return len(captured)

    registered(shop.website, email=ANN)
    few = queries()
    for n in range(20):
        registered(shop.website, email=f"{n}@example.com", mobile_phone=f"+1415555{n:04}")
    assert queries() == few


def test_merged_and_erased_customers_are_not_listed(shop):
    one, two, three = (registered(shop.website, email=email) for email in (ANN, BOB, EVE))
    merge(shop.website, one, two)
    shop.website.delete(f"customers/{three}/")
    assert listed(shop.website) == [one]


def test_filters(shop):
    ann = registered(
        shop.website,
        email=ANN,
        occurred_at=day(2),
        subscriptions=[
            {"channel": "email", "status": "subscribed"},
            {"channel": "sms", "topic": "news", "status": "unsubscribed"},
            {"channel": "call", "topic": "news", "status": "subscribed"},
        ],
        segments=[{"segmentation": "loyalty", "segment": "gold"}],
    )
    bob = registered(shop.website, email=BOB, occurred_at=day(5))
    device = registered(shop.website, device_id="d", occurred_at=day(1))
    order = {"number": "1", "total": 5, "placed_at": day(7)}
    shop.website.post("orders/", {"order": order, "customer": {"email": BOB}})
    expected = {
        "segment=loyalty/gold": [ann],
        f"segment={shop.gold}": [ann],
        "segment=gold": [ann],
        "subscription=email": [ann],
        "subscription=email/news": [],
        "subscription=sms/news": [],
        "subscription=call": [ann],
        "subscription=call/": [],
        "subscription=call/news": [ann],
        "has_orders=true": [bob],
        "has_orders=False": [device, ann],
        "is_identified=1": [bob, ann],
        f"registered_after={day(2)}": [bob],
        f"registered_before={day(2)}": [device],
        f"active_after={day(5)}": [bob],
        f"active_before={day(2)}": [device],
        f"search={ANN}": [ann],
        f"search=bob&registered_after={day(1)}": [bob],
        f"search=tom&registered_after={day(1)}": [],
    }
    found = {
        query: listed(shop.website, **dict(part.split("=", 1) for part in query.split("&")))
        for query in expected
    }
    assert found == expected


@pytest.mark.parametrize("text", ["nix", "loyalty/tin", "tin/gold", "9999999999999999999999", "/"])
def test_a_segment_that_there_is_not_is_refused(shop, text):
    answer = shop.website.get("customers/", segment=text)
    assert refusal(answer) == (400, "validation_error")
    assert [error["path"] for error in answer.body["errors"]] == ["segment"]


@pytest.mark.parametrize(
    "path", ["customers/", "customers/{}/", "customers/{}/orders/", "segmentations/", "customers/{}/export/"]
)
def test_a_parameter_that_nobody_reads_is_refused(shop, path):
    ann = registered(shop.website, email=ANN)
    answer = shop.website.get(path.format(ann), segmnt="gold")
    assert refusal(answer) == (400, "validation_error")
    assert [error["path"] for error in answer.body["errors"]] == ["segmnt"]


def test_every_address_answers_what_may_be_done_there(shop):
    ann = registered(shop.website, email=ANN)
    for path in (
        "customers/",
        f"customers/{ann}/",
        f"segments/{shop.gold}/customers/",
        "orders/",
        "imports/",
    ):
        answer = shop.website.client.options(f"/api/v1/{path}")
        assert (answer.status_code, "OPTIONS" in answer["Allow"]) == (200, True), path


def test_filters_look_at_all_maestra_ids_of_a_profile(shop):
    one = registered(shop.website, email=ANN, occurred_at=day(5))
    two = registered(shop.website, email=BOB, occurred_at=day(2))
    order = {"number": "1", "total": 5, "placed_at": day(9)}
    shop.website.post("orders/", {"order": order, "customer": {"email": BOB}})
    merge(shop.website, one, two)
    assert listed(shop.website, has_orders="true", active_after=day(8), registered_before=day(3)) == [one]
    assert listed(shop.website, registered_after=day(4)) == []


@pytest.mark.parametrize(
    "query",
    [
        {"foo": "1"},
        {"has_orders": "perhaps"},
        {"registered_after": "yesterday"},
        {"active_after": "0001-01-01T00:00:00+23:59"},
        {"subscription": "fax"},
        {"limit": "0"},
        {"limit": "1001"},
        {"limit": "x"},
        {"cursor": "x"},
        {"cursor": "cD1hYmM="},
        {"cursor": "cD05OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5"},
    ],
)
def test_a_wrong_filter_is_refused_and_not_passed_over(shop, query):
    status, code = refusal(shop.website.get("customers/", **query))
    assert (status, code) in [(400, "validation_error"), (404, "not_found")]


def test_customers_of_a_segment(shop):
    segments = [{"segmentation": "loyalty", "segment": "gold"}]
    ann = registered(shop.website, email=ANN, segments=segments)
    registered(shop.website, email=BOB)
    assert listed(shop.website, f"segments/{shop.gold}/customers/") == [ann]
    assert listed(shop.website, f"segments/{shop.gold}/customers/", has_orders="true") == []
    for missing in (0, 2**63):
        assert refusal(shop.website.get(f"segments/{missing}/customers/")) == (404, "not_found")


def test_segmentations(shop):
    assert shop.website.get("segmentations/").body["results"] == [
        {
            "id": shop.loyalty,
            "system_name": "loyalty",
            "name": "Loyalty",
            "kind": "static",
            "segments": [{"id": shop.gold, "system_name": "gold", "name": "Gold"}],
        }
    ]


# --- Search


def test_whatever_is_known_of_a_customer_finds_it(shop):
    ann = registered(
        shop.website,
        email=ANN,
        mobile_phone=PHONE,
        discount_card="7001",
        ids={"crm_id": "A1", "session_key": "s1"},
        device_id="3f2b8c1e-7d4a-4c58-9b60-1f2e3d4c5b6a",
        personal={"first_name": "Ann", "last_name": "Fleming"},
    )
    registered(shop.website, email=BOB, personal={"first_name": "Bob", "last_name": "O'Neil_%"})
    asked = (
        str(ann), ANN, " ANN@example.com ", "(415) 555-0122", "7001", "A1", "s1",
        "3F2B8C1E-7D4A-4C58-9B60-1F2E3D4C5B6A", "fle", "ANN", "ann fle", "fleming ann",
    )  # fmt: skip
    assert {text: listed(shop.website, search=text) for text in asked} == {text: [ann] for text in asked}
    nothing = ("a1", "leming", "_", "%", "ann bob", "9" * 30, "x" * 5000)
    assert {text: listed(shop.website, search=text) for text in nothing} == {text: [] for text in nothing}


def test_former_ids_find_the_customer_where_history_is_searched(shop):
    """R1, R3."""
    one = registered(shop.website, email=ANN, ids={"crm_id": "A1"})
    two = registered(shop.website, email=BOB, ids={"crm_id": "A2"})
    merge(shop.website, one, two)
    shop.website.post("customers/edit/", {"lookup": {"maestra_id": one}, "ids": {"strict_id": "S1"}})
    shop.website.post("customers/edit/", {"lookup": {"maestra_id": one}, "ids": {"strict_id": "S2"}})
    found = {text: listed(shop.website, search=text) for text in (str(two), "A1", "A2", "S1", "S2")}
    assert found == {str(two): [one], "A1": [one], "A2": [one], "S1": [], "S2": [one]}


def test_a_search_with_a_key_sees_what_its_point_sees(shop):
    """R20."""
    plain = registered(shop.website, email=ANN, mobile_phone=PHONE)
    assert listed(shop.website, search=PHONE) == [plain]
    assert listed(shop.app, search=PHONE) == listed(shop.app, search=PHONE[-4:]) == []
    assert listed(shop.website, search=PHONE[-4:]) == [plain]
    assert listed(shop.app, search=ANN) == listed(shop.app, search=ANN[:3]) == [plain]
    shop.app.post("customers/edit/", {"lookup": {"email": ANN}, "mobile_phone": PHONE})
    assert listed(shop.app, search=PHONE) == [plain]


def test_a_listed_value_finds_nobody(shop):
    """R12."""
    registered(shop.website, email=ANN)
    BlockedValue.objects.create(type="email", value=ANN)
    assert listed(shop.website, search=ANN) == []


# --- Timelines


def test_the_history_in_pages_by_kind_and_time(shop):
    ann = registered(shop.website, email=ANN, personal={"first_name": "Ann"})
    edit = {"lookup": {"email": ANN}, "mobile_phone": PHONE, "occurred_at": day(3)}
    shop.website.post("customers/edit/", edit)
    path = f"customers/{ann}/history/"
    whole = shop.website.get(path).body["results"]
    assert {entry["kind"] for entry in whole} == {"created", "email", "personal_data", "mobile_phone"}
    assert whole[0]["kind"] == "mobile_phone"
    assert set(whole[0]) == {
        "at", "occurred_at", "kind", "maestra_id", "operation_id", "actor", "integration_point", "reason",
        "data", "related_maestra_id", "sentence",
    }  # fmt: skip
    assert [entry for page in pages(shop.website, path, limit=1) for entry in page] == whole
    kinds = [entry["kind"] for entry in shop.website.get(f"{path}?kind=email&kind=created").body["results"]]
    assert sorted(kinds) == ["created", "email"]
    told_at = whole[0]["at"]
    later = [entry for entry in whole if entry["at"] == told_at]
    assert {entry["occurred_at"] for entry in later} == {day(3)}
    assert {entry["occurred_at"] for entry in whole if entry not in later} == {day(1)}
    assert shop.website.get(path, since=told_at).body["results"] == later
    assert shop.website.get(path, until=told_at).body["results"] == whole[len(later) :]
    assert shop.website.client.get(f"/api/v1/{path}?since={told_at}").json()["results"] == later


@pytest.mark.parametrize(
    "query",
    [{"kind": "x"}, {"since": "x"}, {"cursor": "x"}, {"cursor": "WzEsMl0="}, {"limit": "-1"}, {"sort": "at"}],
)
def test_a_wrong_parameter_of_a_timeline_is_refused(shop, query):
    ann = registered(shop.website, email=ANN)
    assert refusal(shop.website.get(f"customers/{ann}/history/", **query)) == (400, "validation_error")


def test_orders_of_all_maestra_ids_the_newest_first(shop):
    one, two = registered(shop.website, email=ANN), registered(shop.website, email=BOB)
    for number, (email, at) in enumerate([(ANN, 2), (BOB, 3), (ANN, 4)]):
        order = {
            "number": f"n{number}",
            "total": "5.5",
            "currency": "usd",
            "placed_at": day(at),
            "lines": [{"a": 1}],
        }
        shop.website.post("orders/", {"order": order, "customer": {"email": email}})
    merge(shop.website, one, two)
    found = pages(shop.website, f"customers/{one}/orders/", limit=2)
    assert [[(o["number"], o["maestra_id"]) for o in page] for page in found] == [
        [("n2", one), ("n1", two)],
        [("n0", one)],
    ]
    assert found[0][1] == {
        "maestra_id": two,
        "number": "n1",
        "total": "5.50",
        "currency": "USD",
        "placed_at": day(3),
        "status": "",
        "lines": [{"a": 1}],
    }


def acted(maestra_id: int, minute: int, device: int | None = None) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    Activity.objects.create(
        uuid=uuid.uuid4(),
        maestra_id=maestra_id,
        kind="view",
        occurred_at=at,
        device_id=device,
        url=f"/{minute}",
        properties={"n": minute},
    )


def test_activities_and_sessions(shop):
    """R47: pauses of at most thirty minutes, on one device."""
    one, two = (
        registered(shop.website, email=ANN, device_id="d"),
        registered(shop.website, email=BOB, device_id="e"),
    )
    merge(shop.website, one, two)
    d, e = (Identifier.objects.get(value=value).pk for value in "de")
    for maestra_id, minute, device in [
        (one, 0, d),
        (one, 30, d),
        (two, 31, e),
        (one, 61, d),
        (two, 70, d),
        (one, 5, None),
    ]:
        acted(maestra_id, minute, device)
    activities = [a for page in pages(shop.website, f"customers/{two}/activities/", limit=4) for a in page]
    assert [(a["url"], a["maestra_id"], a["device_id"]) for a in activities] == [
        ("/70", two, "d"),
        ("/61", one, "d"),
        ("/31", two, "e"),
        ("/30", one, "d"),
        ("/5", one, None),
        ("/0", one, "d"),
    ]
    assert activities[0]["properties"] == {"n": 70}
    sessions = [s for page in pages(shop.website, f"customers/{one}/sessions/", limit=3) for s in page]
    shown = [
        (s["device_id"], s["started_at"][11:16], s["ended_at"][11:16], s["actions_count"]) for s in sessions
    ]
    assert shown == [
        ("d", "01:01", "01:10", 2),
        ("e", "00:31", "00:31", 1),
        ("d", "00:00", "00:30", 2),
        (None, "00:05", "00:05", 1),
    ]
    assert sessions[0]["maestra_ids"] == sorted([one, two])


def test_a_session_of_many_actions_is_whole_on_its_page_and_on_no_other(shop, monkeypatch):
    """R47: however few actions are read at first."""
    monkeypatch.setattr(timelines, "ACTIONS_OF_A_SESSION", 1)
    one = registered(shop.website, email=ANN, device_id="d")
    device = Identifier.objects.get(value="d").pk
    for minute in [*range(0, 300, 20), *range(350, 950, 25), 1000]:
        acted(one, minute, device)
    for minute in (360, 900):
        acted(one, minute, None)
    sessions = [s for page in pages(shop.website, f"customers/{one}/sessions/", limit=1) for s in page]
    shown = [(s["ended_at"][11:16], s["actions_count"]) for s in sessions]
    assert shown == [("16:40", 1), ("15:25", 24), ("15:00", 1), ("06:00", 1), ("04:40", 15)]


# --- Related customers, and who held a value


def test_related_customers_are_shown_as_they_are_today(shop):
    """R30."""
    one = registered(shop.website, email=ANN, mobile_phone=PHONE)
    two = registered(shop.website, email=BOB, mobile_phone=PHONE, occurred_at=day(2))
    three = registered(shop.website, email=EVE)
    expected = {"type": "mobile_phone", "value": PHONE, "decided_by": "last_activity", "at": day(2)}
    (of_one,) = shop.website.get(f"customers/{one}/related/").body["results"]
    (of_two,) = shop.website.get(f"customers/{two}/related/").body["results"]
    assert of_one == {"maestra_id": two, "is_kept": False, **expected}
    assert of_two == {"maestra_id": one, "is_kept": True, **expected}
    merge(shop.website, three, two)
    (of_one,) = shop.website.get(f"customers/{one}/related/").body["results"]
    assert of_one["maestra_id"] == three
    merge(shop.website, three, one)
    assert shop.website.get(f"customers/{three}/related/").body["results"] == []


def owner(api: Api, at: str | None = None, kind: str = "mobile_phone", value: str = PHONE) -> Any:
    answer = api.get("identifiers/owner/", type=kind, value=value, **({"at": at} if at else {}))
    return answer.body["maestra_id"] if answer.status == 200 else refusal(answer)


NOBODY = (404, "customer_not_found")


def test_who_held_a_value_then(shop):
    one = registered(shop.website, email=ANN, mobile_phone=PHONE, occurred_at=day(1))
    two = registered(shop.website, email=BOB, mobile_phone=PHONE, occurred_at=day(3))
    shop.website.post(
        "customers/edit/", {"lookup": {"email": BOB}, "mobile_phone": None, "occurred_at": day(5)}
    )
    three = registered(shop.website, email=EVE, mobile_phone=PHONE, occurred_at=day(7))
    asked = {n: owner(shop.website, day(n)) for n in (0, 1, 2, 3, 4, 5, 6, 7, 8)}
    assert asked == {0: NOBODY, 1: one, 2: one, 3: two, 4: two, 5: NOBODY, 6: NOBODY, 7: three, 8: three}
    assert owner(shop.website) == three
    assert owner(shop.website, value="(415) 555-0122") == three


def test_who_held_a_value_then_is_told_with_the_maestra_id_of_today(shop):
    one, two = registered(shop.website, email=ANN), registered(shop.website, email=BOB)
    merge(shop.website, one, two)
    body = shop.website.get("identifiers/owner/", type="email", value=BOB, at=day(2)).body
    assert body == {"type": "email", "value": BOB, "maestra_id": one, "held_as": two}


def test_a_claim_is_no_holding(shop):
    """R30."""
    one = registered(shop.website, email=ANN, occurred_at=day(1))
    shop.website.post(
        "customers/confirm/", {"lookup": {"email": ANN}, "contact": {"email": ANN}, "confirmed_at": day(1)}
    )
    registered(shop.forms, email=BOB, mobile_phone=PHONE, occurred_at=day(2))
    shop.forms.post("customers/upsert/", {"mobile_phone": PHONE, "email": ANN, "occurred_at": day(3)})
    assert owner(shop.website, day(4), "email", ANN) == one


def test_who_held_a_value_is_asked_as_a_look_up(shop):
    """R12, R20."""
    one = registered(shop.website, email=ANN, mobile_phone=PHONE)
    assert (owner(shop.website), owner(shop.app)) == (one, NOBODY)
    assert owner(shop.website, kind="email", value="test@test.com") == NOBODY


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"type": "email"},
        {"type": "foo", "value": "1"},
        {"type": "maestra_id", "value": "1"},
        {"type": "payment_card_hash", "value": "1"},
        {"type": "email", "value": ANN, "at": "then"},
        {"type": "email", "value": "test@test.com", "at": "then"},
        {"type": "email", "value": ANN, "when": "now"},
    ],
)
def test_a_question_for_an_owner_is_checked(shop, query):
    assert refusal(shop.website.get("identifiers/owner/", **query)) == (400, "validation_error")
