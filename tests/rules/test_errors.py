"""Section 12 of the rulebook: errors.

`shop.refuses` checks each one's status, its form, and that nothing changed.
"""

import pytest

from tests.scenarios.api import (
    ACCESS,
    ANN,
    BOB,
    CONFIRM,
    PHONE,
    PHONE_2,
    Api,
    subscription,
)


@pytest.mark.parametrize(
    ("record", "path"),
    [
        ({"email": ANN, "e_mail": BOB}, "e_mail"),
        ({"email": ANN, "ids": {"no_such_id": "1"}}, "no_such_id"),
        ({"email": {"value": ANN, "primary": True}}, "primary"),
        ({"email": ANN, "personal": {"nickname": "A"}}, "nickname"),
        ({"email": ANN, "custom_fields": {"no_such_field": 1}}, "no_such_field"),
        ({"email": ANN, "subscriptions": [{"channel": "pigeon", "status": "subscribed"}]}, "channel"),
        ({"email": ANN, "subscriptions": [{"channel": "email", "status": "maybe"}]}, "status"),
        ({"email": ANN, "subscriptions": [{"channel": "email"}]}, "status"),
        ({"email": ANN, "segments": [{"segmentation": "no_such", "segment": "gold"}]}, "segment"),
        ({"email": ANN, "segments": [{"segmentation": "loyalty", "segment": "no_such"}]}, "segment"),
    ],
)
def test_unknown_keys_kinds_and_channels_are_invalid(project, record, path):
    """R11: every field at fault, with its path."""
    shop = project()
    with shop.refuses("validation_error") as problem:
        shop.website.done("customers/register/", record)
    assert path in problem.paths


@pytest.mark.parametrize("body", ["{", "[]", '"text"', "null", "", '{"email": NaN}'])
def test_what_is_no_json_object_is_invalid(project, body):
    """R11: never a server error."""
    shop = project()
    with shop.refuses("validation_error"):
        shop.website.done("customers/register/", body)


def test_a_record_without_an_identifier_is_invalid(project):
    """R11: it would be nobody's."""
    shop = project()
    for operation in (shop.website.register, shop.website.upsert, shop.website.subscribe):
        with shop.refuses("validation_error"):
            operation(first_name="Ann", subscriptions=[subscription("email")])


def test_two_keys_in_a_lookup_are_invalid(project):
    """R18, R19: wherever a look-up is."""
    shop = project()
    shop.website.register(email=ANN, mobile_phone=PHONE)
    two = {"email": ANN, "mobile_phone": PHONE}
    for path, body in [
        ("customers/lookup/", two),
        ("customers/edit/", {"lookup": two, "time_zone": "Europe/Berlin"}),
        ("customers/authorize/", {"lookup": two, "device_id": "d"}),
        ("customers/merge/", {"customers": [two], "resulting": {"email": ANN}}),
        ("customers/explain/", {"customers": [two, {"email": ANN}]}),
        ("promo_codes/", {"lookup": two, "code": "C"}),
    ]:
        with shop.refuses("validation_error"):
            shop.website.done(path, body)


def test_is_confirmed_at_a_point_that_does_not_confirm_is_invalid(project):
    """R45: for that type."""
    shop = project(app={"email": CONFIRM})
    with shop.refuses("validation_error"):
        shop.app.register(email=ANN, mobile_phone={"value": PHONE, "is_confirmed": True})


def test_not_authenticated_and_permission_denied(project):
    """R13: 401 without a good key, 403 without the scope."""
    shop = project(landing={"scopes": ["read"]})
    with shop.refuses("not_authenticated"):
        Api(None).register(email=ANN)
    with shop.refuses("permission_denied"):
        shop.landing.register(email=ANN)


def test_another_resource_is_not_found(project):
    """R19: a customer is `customer_not_found`, anything else `not_found`."""
    shop = project()
    missing = [shop.website.get("customers/987654321/"), shop.website.get("no_such_page/")]
    assert [(a.status, a.body["code"]) for a in missing] == [(404, "customer_not_found"), (404, "not_found")]


def test_technical_id_not_unique_says_so(project):
    """R2, R16: with the sentence integrators know."""
    shop = project()
    shop.website.register(crm_id="1")
    with shop.refuses("technical_id_not_unique") as problem:
        shop.website.register(crm_id="1")
    assert "Technical IDs must be unique" in problem.body["detail"]


def test_already_registered_says_so(project):
    """R16: with the sentence integrators know, advising what to do."""
    shop = project(pos={"mobile_phone": ACCESS})
    shop.pos.register(mobile_phone=PHONE)
    with shop.refuses("already_registered") as problem:
        shop.pos.register(mobile_phone=PHONE)
    assert "A user with this mobile phone is already registered" in problem.body["detail"]


def test_ambiguous_customer_says_so_with_the_ids_in_conflict(project):
    """R17, R24: with the sentence integrators know."""
    shop = project()
    one, two = shop.two({"crm_id": "1"}, {"website_id": "2"})
    with shop.refuses("ambiguous_customer") as problem:
        shop.website.upsert(crm_id="1", website_id="2")
    assert "Unable to uniquely determine the customer" in problem.body["detail"]
    assert sorted(problem.body["maestra_ids"]) == [one, two]


def test_errors_do_not_tell_a_contact_of_another_customer(project):
    """R17, R24: only MaestraIDs are in conflict."""
    shop = project()
    shop.two({"email": ANN, "mobile_phone": PHONE_2}, {"email": BOB, "mobile_phone": PHONE})
    with shop.refuses("ambiguous_customer") as problem:
        shop.crm_import.register(email=ANN, mobile_phone=PHONE)
    assert BOB not in str(problem.body)
    assert PHONE_2 not in str(problem.body)


def test_the_same_key_and_body_give_the_first_answer_again(project):
    """R16: without acting again."""
    shop = project()
    body = {"email": ANN, "mobile_phone": PHONE}
    first = shop.website.post("customers/register/", body, **{"Idempotency-Key": "k-1"})
    with shop.nothing_changes():
        again = shop.website.post("customers/register/", body, **{"Idempotency-Key": "k-1"})
    assert (first.status, again) == (201, first)
    assert (
        shop.website.post("customers/register/", body, **{"Idempotency-Key": "k-2"}).body["status"]
        == "joined"
    )


def test_a_refusal_is_given_again_too(project):
    """R16: the first answer, whatever it was."""
    shop = project()
    ann = shop.website.register(crm_id="1").id
    body = {"crm_id": "1"}
    refused = [
        shop.website.post("customers/register/", {"ids": body}, **{"Idempotency-Key": "k-1"})
        for _ in range(2)
    ]
    assert [a.status for a in refused] == [409, 409]
    assert refused[0].body["code"] == refused[1].body["code"] == "technical_id_not_unique"
    assert shop.listed() == {ann}


@pytest.mark.parametrize(("body", "status"), [({"email": ANN}, 201), ({"ids": {"crm_id": "1"}}, 409)])
def test_only_an_answer_that_is_given_again_says_so(project, body, status):
    """R16: whether it was done or refused."""
    shop = project()
    shop.crm_import.register(crm_id="1")
    answers = [
        shop.website.client.post(
            "/api/v1/customers/register/", body, "application/json", headers={"Idempotency-Key": "k-1"}
        )
        for _ in range(2)
    ]
    assert [a.status_code for a in answers] == [status, status]
    assert [a.headers.get("Idempotency-Replayed") for a in answers] == [None, "true"]


def test_what_could_not_be_understood_may_be_mended_under_the_same_key(project):
    """R11: it was no answer yet."""
    shop = project()
    key = {"Idempotency-Key": "k-1"}
    assert shop.website.post("customers/register/", {"email": "no address"}, **key).status == 400
    assert shop.website.post("customers/register/", {"email": ANN}, **key).status == 201


def test_the_same_key_with_another_body_is_a_conflict(project):
    """R16: idempotency_conflict."""
    shop = project()
    shop.website.post("customers/register/", {"email": ANN}, **{"Idempotency-Key": "k-1"})
    with shop.refuses("idempotency_conflict"):
        shop.website.done("customers/register/", {"email": BOB}, **{"Idempotency-Key": "k-1"})


def test_keys_of_two_points_are_not_mixed_up(project):
    """R13: each point has its own."""
    shop = project()
    answers = [
        api.post("customers/register/", {"email": email}, **{"Idempotency-Key": "k-1"}).body["status"]
        for api, email in ((shop.website, ANN), (shop.app, BOB))
    ]
    assert answers == ["created", "created"]


def test_a_batch_over_its_limit_is_too_large(project):
    """R11: a thousand is not."""
    shop = project()
    records = [{"email": f"p{number}@example.com"} for number in range(1001)]
    with shop.refuses("too_large"):
        shop.website.done("customers/batch/", {"operation": "upsert", "records": records})
    assert (
        shop.website.post("customers/batch/", {"operation": "upsert", "records": records[:3]}).status == 200
    )


def test_a_body_over_its_limit_is_too_large(project):
    """R11: before it is read."""
    shop = project()
    with shop.refuses("too_large"):
        shop.website.done("customers/register/", {"email": ANN, "personal": {"first_name": "a" * 30_000_000}})
