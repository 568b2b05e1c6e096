"""What operations answer over HTTP: statuses, shapes, refusals. What they decide is tested with the rules."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from customers.models import Customer
from customers.storage.loading import load_profiles
from dedup.models import IdempotencyKey
from tests.scenarios.api import Answer

ANN, BOB = "ann@example.com", "bob@example.com"
PHONE = "+14155550122"
WHEN = "2026-01-05T10:00:00+00:00"


def refusal(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.body["code"]


def test_the_whole_answer(shop):
    answer = shop.website.post(
        "customers/register/",
        {
            "email": ANN,
            "ids": {"crm_id": "1", "session_key": ["b", "a"]},
            "personal": {"first_name": "Ann", "birth_date": "1990-01-31"},
            "time_zone": "Europe/Berlin",
            "custom_fields": {"weight": "59.90", "seen": WHEN},
            "subscriptions": [{"channel": "email", "topic": "news", "status": "subscribed"}],
            "segments": [{"segmentation": "loyalty", "segment": "gold"}],
            "payment_card_hash": "5f3e",
            "device_id": "null",
            "occurred_at": WHEN,
        },
    )
    ann = answer.body["maestra_id"]
    assert answer.status == 201
    assert answer.body == {
        "status": "created",
        "maestra_id": ann,
        "merged_maestra_ids": [],
        "merge_ids": [],
        "conflicts": [],
        "moved": [],
        "warnings": [
            {
                "code": "blocked_value",
                "detail": "device_id is on the block list and was left out.",
                "path": "device_id",
            }
        ],
        "customer": {
            "maestra_id": ann,
            "former_maestra_ids": [],
            "registered_at": WHEN,
            "ids": {"crm_id": "1", "session_key": ["a", "b"]},
            "former_ids": {},
            "emails": [
                {
                    "value": ANN,
                    "is_primary": True,
                    "is_confirmed": False,
                    "is_pending": False,
                    "gives_account_access": False,
                }
            ],
            "mobile_phones": [],
            "discount_cards": [],
            "claims": [],
            "devices": [],
            "mobile_devices": [],
            "personal": {"first_name": "Ann", "birth_date": "1990-01-31"},
            "time_zone": "Europe/Berlin",
            "custom_fields": {"seen": WHEN, "weight": 59.9},
            "subscriptions": [{"channel": "email", "topic": "news", "status": "subscribed", "since": WHEN}],
            "segments": [{"segmentation": "loyalty", "segment": "gold", "since": WHEN}],
            "facts": {
                "orders_count": 0,
                "orders_total": "0.00",
                "points_balance": 0,
                "promo_codes_count": 0,
                "last_activity_at": WHEN,
            },
            "notes": [],
        },
    }
    assert shop.website.get(f"customers/{ann}/").body == answer.body["customer"]


def test_custom_fields_sent_again_change_nothing(shop):
    """A decimal and a time are compared as they are stored."""
    record = {
        "ids": {"crm_id": "1"},
        "custom_fields": {"weight": "59.90", "seen": "2026-01-05T12:00:00+02:00"},
    }
    ann = shop.website.post("customers/upsert/", record).body["maestra_id"]
    assert shop.website.post("customers/upsert/", record).body["status"] == "unchanged"
    assert load_profiles([ann])[ann].custom_fields["weight"] == Decimal("59.9")


def test_statuses_of_records(shop):
    post = shop.website.post
    ann = post("customers/register/", {"email": ANN}).body["maestra_id"]
    answers = [
        post("customers/register/", {"email": ANN}),
        post("customers/upsert/", {"email": BOB}),
        post("customers/upsert/", {"ids": {"maestra_id": ann}, "mobile_phone": PHONE}),
        post("customers/edit/", {"lookup": {"email": ANN}}),
        post("customers/lookup/", {"email": ANN}),
        post("customers/subscribe/", {"email": "eve@example.com", "subscriptions": []}),
        post("customers/authorize/", {"lookup": {"email": ANN}, "device_id": "d"}),
    ]
    assert [(answer.status, answer.body["status"]) for answer in answers] == [
        (200, "joined"),
        (201, "created"),
        (200, "changed"),
        (200, "unchanged"),
        (200, "unchanged"),
        (201, "created"),
        (200, "changed"),
    ]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("orders/", {"order": {"number": "1", "total": 5}, "customer": {"email": ANN}}),
        ("points/", {"lookup": {"email": ANN}, "amount": 5, "number": "1"}),
        ("promo_codes/", {"lookup": {"email": ANN}, "code": "1"}),
    ],
)
def test_an_entry_of_a_ledger_is_created_once(shop, path, body):
    shop.website.post("customers/register/", {"email": ANN})
    assert [shop.website.post(path, body).status for _ in range(2)] == [201, 200]
    facts = shop.website.post("customers/lookup/", {"email": ANN}).body["customer"]["facts"]
    assert facts["orders_count"] + facts["points_balance"] / 5 + facts["promo_codes_count"] == 1


def test_the_answer_names_conflicts_and_moves(shop):
    post = shop.website.post
    one = post("customers/register/", {"email": ANN, "mobile_phone": PHONE, "device_id": "d"}).body[
        "maestra_id"
    ]
    body = post("customers/register/", {"email": BOB, "mobile_phone": PHONE, "device_id": "d"}).body
    two = body["maestra_id"]
    assert body["conflicts"] == [
        {
            "type": "mobile_phone",
            "value": PHONE,
            "kept_by": two,
            "lost_by": one,
            "decided_by": "last_activity",
            "pending": False,
        }
    ]
    assert body["moved"] == [{"type": "device_id", "value": "d", "from": one, "to": two}]


def test_a_merge_and_its_undo(shop):
    post = shop.website.post
    one, two = (post("customers/register/", {"email": email}).body["maestra_id"] for email in (ANN, BOB))
    merged = post("customers/merge/", {"customers": [{"email": BOB}], "resulting": {"maestra_id": one}}).body
    (merge_id,) = merged["merge_ids"]
    assert (merged["maestra_id"], merged["merged_maestra_ids"]) == (one, [two])
    assert merged["customer"]["former_maestra_ids"] == [two]
    (listed,) = shop.website.get(f"customers/{two}/merges/").body["results"]
    times = {"at": listed["at"], "undone_at": None}
    assert listed == {
        "merge_id": merge_id,
        "maestra_id": one,
        "merged_maestra_id": two,
        "merged_maestra_ids": [two],
        "reason": "api",
        "matched": [],
        "priority_maestra_id": one,
        "decided_by": None,
        "actor": listed["actor"],
        **times,
    }
    undone = post(f"merges/{merge_id}/undo/", {})
    assert (undone.status, undone.body["customer"]["former_maestra_ids"]) == (200, [])
    again = post(f"merges/{merge_id}/undo/", {})
    assert (refusal(again), again.body["reasons"]) == ((409, "merge_blocked"), ["already_undone"])
    assert shop.website.get(f"customers/{two}/merges/").body["results"][0]["undone_at"]


def test_a_merge_refuses_what_changed_since_its_preview(shop):
    post = shop.website.post
    for email in (ANN, BOB):
        post("customers/register/", {"email": email})
    merge = {"customers": [{"email": ANN}], "resulting": {"email": BOB}}
    token = post("customers/preview/", {"operation": "merge", **merge}).body["preview_token"]
    post("customers/edit/", {"lookup": {"email": ANN}, "personal": {"first_name": "Ann"}})
    assert refusal(post("customers/merge/", {**merge, "preview_token": token})) == (409, "stale_preview")
    empty: tuple[object, ...] = ("", "  ", 0.5, [])
    for none in empty:
        refused = refusal(post("customers/merge/", {**merge, "preview_token": none}))
        assert refused == (400, "validation_error"), none
    token = post("customers/preview/", {"operation": "merge", **merge}).body["preview_token"]
    assert post("customers/merge/", {**merge, "preview_token": token}).status == 200


def test_a_preview_of_a_new_customer_has_no_maestra_id_and_writes_nothing(shop):
    post = shop.website.post
    one = post("customers/register/", {"email": ANN, "mobile_phone": PHONE, "device_id": "d"}).body[
        "maestra_id"
    ]
    record = {"email": BOB, "mobile_phone": PHONE, "device_id": "d"}
    body = post("customers/preview/", {"operation": "register", "record": record}).body
    assert (body["status"], body["maestra_id"], body["customer"]["maestra_id"]) == ("created", None, None)
    assert [(c["kept_by"], c["lost_by"]) for c in body["conflicts"]] == [(None, one)]
    assert [(m["from"], m["to"]) for m in body["moved"]] == [(one, None)]
    assert [email["value"] for email in body["customer"]["emails"]] == [BOB]
    assert body["preview_token"]
    assert list(Customer.objects.values_list("id", flat=True)) == [one]


@pytest.mark.parametrize(
    ("operation", "record"),
    [
        ("edit", {"lookup": {"email": ANN}, "time_zone": "Europe/Berlin"}),
        ("order", {"order": {"number": "1", "total": 1}, "customer": {"email": ANN}}),
        ("points", {"lookup": {"email": ANN}, "amount": 1}),
    ],
)
def test_every_operation_can_be_previewed(shop, operation, record):
    ann = shop.website.post("customers/register/", {"email": ANN}).body["maestra_id"]
    before = shop.website.get(f"customers/{ann}/").body
    answer = shop.website.post("customers/preview/", {"operation": operation, "record": record})
    assert (answer.status, answer.body["maestra_id"]) == (200, ann)
    assert shop.website.get(f"customers/{ann}/").body == before


def test_a_batch_answers_each_record_in_its_place(shop):
    records = [{"email": ANN}, {"email": "x"}, 5, {"email": ANN}, {"ids": {"maestra_id": 10**15}}]
    answer = shop.website.post("customers/batch/", {"operation": "upsert", "records": records})
    assert answer.status == 200
    told = [(item.get("code"), item["status"]) for item in answer.body["results"]]
    assert told == [
        (None, "created"),
        ("validation_error", 400),
        ("validation_error", 400),
        (None, "joined"),
        ("customer_not_found", 404),
    ]
    assert answer.body["results"][1]["errors"][0]["path"] == "email"


def test_a_batch_may_be_empty_but_not_too_large(shop):
    post = shop.website.post
    assert post("customers/batch/", {"operation": "upsert", "records": []}).body == {"results": []}
    large = {"operation": "upsert", "records": [{}] * 1001}
    assert refusal(post("customers/batch/", large)) == (413, "too_large")


def test_explain(shop):
    post = shop.website.post
    one = post("customers/register/", {"email": ANN, "ids": {"strict_id": "1"}, "occurred_at": WHEN}).body[
        "maestra_id"
    ]
    two = post("customers/register/", {"email": ANN, "ids": {"strict_id": "2"}, "occurred_at": WHEN}).body[
        "maestra_id"
    ]
    body = post("customers/explain/", {"customers": [{"maestra_id": one}, {"maestra_id": two}]}).body
    assert {key: body[key] for key in ("customers", "is_one_customer", "can_merge_by_request")} == {
        "customers": [one, two],
        "is_one_customer": False,
        "can_merge_by_request": False,
    }
    assert [(s["type"], s["value"]) for s in body["shared"]] == [("email", ANN)]
    assert [(v["name"], v["values"]) for v in body["vetoes"]] == [("different_unique_ids", [["1"], ["2"]])]
    assert [remedy["name"] for remedy in body["remedies"]] == ["allow_different_ids"]
    assert [c["name"] for c in body["priority"]["criteria"]] == [
        "access_by_this_contact",
        "this_contact_confirmed",
        "any_account_access",
        "orders",
        "any_confirmed_contact",
        "last_activity",
        "lower_maestra_id",
    ]
    assert (body["priority"]["maestra_id"], body["priority"]["decided_by"]) == (one, "lower_maestra_id")
    assert body["priority"]["criteria"][-1]["values"] == [one, two]
    assert body["priority"]["criteria"][-2]["values"] == [{"acted": True, "at": WHEN}] * 2


def test_a_customer_explained_to_itself_is_one(shop):
    shop.website.post("customers/register/", {"email": ANN, "mobile_phone": PHONE})
    body = shop.website.post(
        "customers/explain/", {"customers": [{"email": ANN}, {"mobile_phone": PHONE}]}
    ).body
    assert (body["is_one_customer"], body["vetoes"], body["priority"]["maestra_id"]) == (True, [], None)
    assert body["became_one"] == []


def test_an_explanation_says_what_made_two_one_customer(shop):
    post = shop.website.post
    post("customers/register/", {"email": ANN, "ids": {"crm_id": "1"}})
    post("customers/register/", {"email": ANN, "ids": {"crm_id": "2"}})
    post("customers/register/", {"mobile_phone": PHONE})
    post("customers/upsert/", {"ids": {"crm_id": "2"}, "mobile_phone": PHONE})
    body = post("customers/explain/", {"customers": [{"crm_id": "1"}, {"mobile_phone": PHONE}]}).body
    assert [(entry["kind"], entry["reason"]) for entry in body["became_one"]] == [
        ("merged", "matched_exactly"),
        ("joined", "matched_exactly"),
    ]
    assert PHONE in body["became_one"][0]["sentence"]
    assert ANN in body["became_one"][1]["sentence"]


def test_opt_out_and_erasure(shop):
    ann = shop.website.post(
        "customers/register/", {"email": ANN, "subscriptions": [{"channel": "email", "status": "subscribed"}]}
    ).body["maestra_id"]
    answers = [shop.website.post(f"customers/{ann}/opt_out/", {}) for _ in range(2)]
    assert [(a.status, a.body["status"]) for a in answers] == [(200, "changed"), (200, "unchanged")]
    assert [s["status"] for s in answers[0].body["customer"]["subscriptions"] if s["channel"] == "email"] == [
        "unsubscribed"
    ]
    assert shop.website.get(f"customers/{ann}/export/").body["customer"]["maestra_id"] == ann
    assert shop.website.delete(f"customers/{ann}/").status == 204
    for path in ("", "history/", "orders/", "export/"):
        assert refusal(shop.website.get(f"customers/{ann}/{path}")) == (404, "customer_not_found")
    assert refusal(shop.website.delete(f"customers/{ann}/")) == (404, "customer_not_found")


# --- What is refused before anything is decided


@pytest.mark.parametrize(
    ("path", "body", "paths"),
    [
        ("customers/lookup/", {}, [""]),
        ("customers/lookup/", {"email": "x"}, ["email"]),
        ("customers/merge/", {}, ["customers", "resulting"]),
        (
            "customers/merge/",
            {"customers": [{"email": "x"}, {}], "resulting": {"foo": 1}, "preview_token": 1.5, "by": 1},
            ["by", "customers[0].email", "customers[1]", "resulting.foo", "preview_token"],
        ),
        ("customers/merge/", {"customers": [], "resulting": {"email": ANN}}, ["customers"]),
        ("customers/explain/", {"customers": [{"email": ANN}]}, ["customers"]),
        (
            "customers/explain/",
            {"customers": [{"email": "x"}, {"email": "y"}]},
            ["customers[0].email", "customers[1].email"],
        ),
        ("customers/confirm/", {}, ["lookup", "contact", "code"]),
        ("customers/confirm/", {"token": ""}, ["token"]),
        ("customers/confirm/", {"token": "x", "code": "1"}, ["code"]),
        (
            "customers/confirm/",
            {"lookup": {"email": ANN}, "contact": {"crm_id": 1}, "confirmed_at": "now"},
            ["contact", "confirmed_at"],
        ),
        (
            "customers/confirm/",
            {"lookup": {"email": ANN}, "contact": {"email": ANN}, "code": "1", "confirmed_at": WHEN},
            ["code"],
        ),
        ("customers/batch/", {"operation": "merge", "records": 5}, ["operation", "records"]),
        ("customers/batch/", {"operation": "confirm", "records": []}, ["operation"]),
        ("customers/preview/", {"operation": "register"}, ["record"]),
        ("customers/preview/", {"operation": "register", "record": {"email": "x"}}, ["record.email"]),
        ("customers/preview/", {"operation": "merge"}, ["customers", "resulting"]),
        ("merges/1/undo/", {"force": True}, ["force"]),
        ("merges/1/undo/", [], [""]),
        ("customers/1/opt_out/", {"why": "x"}, ["why"]),
    ],
)
def test_every_field_at_fault_is_named(shop, path, body, paths):
    answer = shop.website.post(path, body)
    assert refusal(answer) == (400, "validation_error")
    assert [fault["path"] for fault in answer.body["errors"]] == paths


@pytest.mark.parametrize("number", [0, 1, 2**63, 10**40])
def test_a_merge_that_is_not_there(shop, number):
    assert refusal(shop.website.post(f"merges/{number}/undo/", {})) == (404, "not_found")


@pytest.mark.parametrize(
    "body", ["", "{", "nonsense", '{"email": NaN}', "[" * 5000, '{"email": "\\ud800"}', '"\\u0000"']
)
def test_what_is_no_json_is_refused(shop, body):
    assert refusal(shop.website.post("customers/register/", body)) == (400, "validation_error")


def test_only_json_is_read(shop):
    client: Client = shop.website.client
    response = client.post("/api/v1/customers/register/", {"email": ANN})
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


def test_a_body_has_a_limit(shop, settings):
    settings.MAX_BODY_SIZE = 100
    assert refusal(shop.website.post("customers/register/", {"email": "a" * 100})) == (413, "too_large")


def test_one_record_has_a_lower_limit_than_many(shop, settings):
    settings.MAX_RECORD_SIZE = 100
    record = {"email": "a" * 100}
    assert refusal(shop.website.post("customers/register/", record)) == (413, "too_large")
    batch = {"operation": "register", "records": [record]}
    assert shop.website.post("customers/batch/", batch).status == 200


def test_a_batch_lists_as_many_faults_as_one_record_but_one_of_each(shop):
    record = {f"unknown{number}": 1 for number in range(60)}
    answer = shop.website.post("customers/batch/", {"operation": "register", "records": [record] * 3})
    results = answer.body["results"]
    assert [len(result["errors"]) for result in results] == [60, 40, 1]
    assert [result.get("more_errors") for result in results] == [None, 20, 59]


def test_a_look_up_by_a_listed_value_finds_nobody(shop):
    """R12."""
    assert refusal(shop.website.post("customers/lookup/", {"email": "test@test.com"})) == (
        404,
        "customer_not_found",
    )
    merge = {"customers": [{"email": "test@test.com"}], "resulting": {"maestra_id": 1}}
    assert refusal(shop.website.post("customers/merge/", merge)) == (404, "customer_not_found")


# --- Idempotency over HTTP


def test_a_request_sent_twice_acts_once(shop):
    key = {"Idempotency-Key": "one"}
    order = {"order": {"number": "1", "total": 5}, "customer": {"email": ANN}}
    first = shop.website.post("orders/", order, **key)
    again = shop.website.post("orders/", order, **key)
    assert (again.status, again.body) == (201, first.body)
    assert refusal(shop.website.post("orders/", {**order, "customer": {"email": BOB}}, **key)) == (
        409,
        "idempotency_conflict",
    )
    other_point = shop.app.post("orders/", order, **key)
    assert other_point.status == 200
    stored: Any = IdempotencyKey.objects.order_by("id").first()
    assert stored.maestra_ids == [first.body["maestra_id"]]
    assert json.loads(json.dumps(stored.response)) == first.body


def test_a_refusal_sent_twice_is_refused_alike(shop):
    key = {"Idempotency-Key": "one"}
    first = shop.website.post("customers/lookup/", {"email": ANN}, **key)
    shop.website.post("customers/register/", {"email": ANN})
    again = shop.website.post("customers/lookup/", {"email": ANN}, **key)
    assert (refusal(again), again.body) == ((404, "customer_not_found"), first.body)


def test_the_same_key_at_another_address_is_a_conflict(shop):
    key = {"Idempotency-Key": "one"}
    shop.website.post("customers/register/", {"email": ANN}, **key)
    assert refusal(shop.website.post("customers/upsert/", {"email": ANN}, **key)) == (
        409,
        "idempotency_conflict",
    )
