"""Why two customers are one or are not, and what a record would do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from customers.models import Customer, IntegrationPoint, Operation
from dedup.models import ApartPair
from tests.dedup.admin.conftest import EXPLAIN, Send, merged
from tests.html import page
from tests.staff import signed_in

ANN, BOB, PHONE = "ann@example.com", "bob@example.com", "+14155550122"


def explain(client: Client, left: int | str, right: int | str) -> Any:
    return client.get(reverse(EXPLAIN), {"left": left, "right": right})


def mark(client: Client, left: int, right: int, decision: str) -> Any:
    return client.post(reverse(EXPLAIN), {"left": left, "right": right, "decision": decision})


def tried(client: Client, record: object, operation: str = "upsert", point: str = "website") -> Any:
    asked = {
        "operation": operation,
        "point": IntegrationPoint.objects.get(system_name=point).pk,
        "record": record if isinstance(record, str) else json.dumps(record),
    }
    return client.post(reverse("admin:dedup_reviewpair_explain_record"), asked)


# --- two customers ---


def test_two_are_found_by_whatever_identifies_them(send: Send, viewer: Client) -> None:
    ann, bob = send(email=ANN, ids={"crm_id": "A-1"}), send(mobile_phone=PHONE)
    for left in (ann, "A-1", "ANN@example.com"):
        for right in (bob, "(415) 555-0122"):
            assert explain(viewer, left, right).context["explanation"].left.maestra_id == ann


def test_two_are_found_by_name_and_chosen_from_where_several_are(send: Send, viewer: Client) -> None:
    ann = send(email=ANN, personal={"first_name": "José", "last_name": "Ortiz"})
    others = [send(ids={"crm_id": f"C{n}"}, personal={"last_name": "Müller"}) for n in range(12)]
    assert explain(viewer, "ortiz jose", others[0]).context["explanation"].left.maestra_id == ann
    shown = page(explain(viewer, "muller", ann))
    assert shown.values("fault") == ["left"]
    assert shown.values("found") == [str(other) for other in reversed(others[2:])]


def test_whoever_has_the_text_as_an_identifier_is_meant(send: Send, viewer: Client) -> None:
    ann, bob = send(ids={"crm_id": "Bob"}), send(email=BOB, personal={"first_name": "Bob"})
    assert explain(viewer, "Bob", bob).context["explanation"].left.maestra_id == ann


def test_a_former_maestra_id_is_explained_as_its_profile(send: Send, marketer: Client) -> None:
    ann, bob = send(email=ANN), send(email=BOB)
    merged(marketer, ann, bob, resulting=ann)
    shown = explain(marketer, ann, bob)
    assert (shown.context["verdict"], shown.context["explanation"].left.maestra_id) == ("one", ann)
    assert str(bob) in page(shown).one(entry="merged").text


def test_who_is_not_found_or_not_the_only_one_is_told(send: Send, viewer: Client) -> None:
    ann = send(email=ANN, ids={"crm_id": "77"})
    bob = send(email=BOB, ids={"session_key": ["77"]})
    shown = page(explain(viewer, "77", "nobody@example.com"))
    assert shown.values("fault") == ["left", "right"]
    assert shown.values("found") == [str(ann), str(bob)]


def test_every_criterion_is_shown_and_the_one_that_decides(send: Send, viewer: Client) -> None:
    ann = send(email=ANN)
    bob = send("points", lookup={"maestra_id": send(email=BOB)}, amount=5)
    shown = explain(viewer, ann, bob)
    assert page(shown).values("priority") == [str(bob)]
    decides = [(s["criterion"], s["left"], s["right"]) for s in shown.context["steps"] if s["decides"]]
    assert decides == [("orders", "no", "yes")]
    assert page(shown).one(criterion="orders")["decides"] == "right"
    assert len(shown.context["steps"]) == 7


@pytest.mark.parametrize(
    ("times", "endings"),
    [
        (("10:00:01", "10:00:02"), ("10:00:01", "10:00:02")),
        (("10:00:00.000001", "10:00:00.000002"), ("10:00:00.000001", "10:00:00.000002")),
    ],
    ids=["seconds", "microseconds"],
)
def test_times_are_as_exact_as_it_takes_to_see_the_difference(
    send: Send, viewer: Client, times: tuple[str, str], endings: tuple[str, str]
) -> None:
    """R29"""
    ann, bob = (
        send(email=email, occurred_at=f"2026-01-05T{at}Z")
        for email, at in zip((ANN, BOB), times, strict=True)
    )
    (step,) = (s for s in explain(viewer, ann, bob).context["steps"] if s["decides"])
    assert step["criterion"] == "last_activity"
    assert (step["left"].endswith(endings[0]), step["right"].endswith(endings[1])) == (True, True)


def test_what_two_share_and_what_speaks_against_it_is_told(send: Send, marketer: Client) -> None:
    ann, bob = send(email=ANN, mobile_phone=PHONE), send(email=BOB, mobile_phone=PHONE)
    shown = page(explain(marketer, ann, bob))
    shared = shown.one(shared="mobile_phone")
    assert (shared["left"], shared["right"], PHONE in shared.text) == ("lost", "held", True)
    veto = shown.one(veto="different_emails")
    assert veto.values("remedy") == ["name_resulting_customer"]
    assert shown.one(verdict=True)["verdict"] == "only_by_hand"


def test_two_are_held_apart_and_let_together_again(send: Send, marketer: Client) -> None:
    ann, bob = send(email=ANN), send(email=BOB)
    mark(marketer, ann, bob, "apart")
    shown = page(explain(marketer, ann, bob))
    assert shown.values("verdict") == ["blocked"]
    assert ("decision", "lift") in shown.buttons
    mark(marketer, ann, bob, "lift")
    assert ApartPair.objects.get().lifted_at
    assert ("decision", "apart") in page(explain(marketer, ann, bob)).buttons


@pytest.mark.parametrize("decision", ["apart", "lift"])
def test_only_who_may_hold_apart_does(send: Send, viewer: Client, decision: str) -> None:
    ann, bob = send(email=ANN), send(email=BOB)
    assert mark(viewer, ann, bob, decision).status_code == 403
    assert not ApartPair.objects.exists()


def test_contacts_are_masked_for_who_may_not_see_them(send: Send, viewer: Client) -> None:
    ann, bob = send(email=ANN, mobile_phone=PHONE), send(email=BOB, mobile_phone=PHONE)
    text = explain(viewer, ann, bob).content.decode()
    assert "a•••@e•••.com" in text
    assert ANN not in text
    assert PHONE not in text


def test_an_explanation_takes_as_many_queries_whatever_the_profiles_hold(send: Send, viewer: Client) -> None:
    small = [send(device_id="1", email=ANN), send(device_id="2", email=BOB)]
    many = {"ids": {"session_key": [str(n) for n in range(40)]}}
    big = [send(email="eve@example.com", **many), send(email="max@example.com", device_id="3")]
    counts = []
    for pair in (small, small, big):
        with CaptureQueriesContext(connection) as queries:
            explain(viewer, *pair)
        counts.append(len(queries))
    assert counts[1] == counts[2]


# --- a record ---


def test_a_record_is_told_to_join_and_nothing_is_stored(send: Send, marketer: Client) -> None:
    ann = send(email=ANN)
    before = Operation.objects.count()
    shown = page(tried(marketer, {"email": ANN, "personal": {"first_name": "Ann"}}))
    assert shown.values("outcome") == ["joined"]
    assert ANN in shown.one(entry="joined", customer=ann).text
    assert "“Ann”" in shown.one(entry="personal_data", customer=ann).text
    assert Operation.objects.count() == before


def test_who_keeps_a_contested_contact_is_told_by_criterion(send: Send, marketer: Client) -> None:
    ann = send("points", lookup={"maestra_id": send(email=ANN, mobile_phone=PHONE)}, amount=5)
    shown = page(tried(marketer, {"email": BOB, "mobile_phone": PHONE}))
    assert shown.values("outcome") == ["created"]
    conflict = shown.one(conflict="mobile_phone")
    assert (conflict["winner"], conflict["criterion"]) == (str(ann), "orders")
    assert PHONE in conflict.text
    apart = shown.one(apart=True)
    assert apart.values("veto") == ["different_emails"]
    assert apart.values("customer") == [str(ann)]
    assert BOB in apart.text


def test_who_is_not_stored_yet_has_no_number(send: Send, marketer: Client) -> None:
    send(email=ANN, mobile_phone=PHONE)
    text = page(tried(marketer, {"email": BOB, "mobile_phone": PHONE})).text
    assert "46116860184" not in text
    assert Customer.objects.count() == 1


def test_a_refusal_is_told_with_who_is_involved(send: Send, marketer: Client) -> None:
    ann = send(email=ANN, ids={"crm_id": "1"})
    shown = page(tried(marketer, {"ids": {"crm_id": "1"}, "email": "eve@example.com"}, "register"))
    refusal = shown.one(error="technical_id_not_unique")
    assert refusal.values("customer") == [str(ann)]


def test_the_settings_of_the_chosen_point_count(send: Send, marketer: Client) -> None:
    send(point="till", mobile_phone=PHONE)
    record = {"mobile_phone": PHONE, "email": BOB}
    assert page(tried(marketer, record, "register", "till")).values("error") == ["already_registered"]
    assert page(tried(marketer, record, "register", "website")).values("outcome") == ["joined"]


@pytest.mark.parametrize("text", ["{", "[" * 5000])
def test_what_is_not_json_is_an_error_of_the_form(send: Send, marketer: Client, text: str) -> None:
    answer = tried(marketer, text)
    assert (answer.status_code, set(answer.context["form"].errors)) == (200, {"record"})


@pytest.mark.parametrize("record", ["[]", "{}", '{"e-mail": "a@example.com"}'])
def test_what_is_not_a_record_is_refused(send: Send, marketer: Client, record: str) -> None:
    answer = tried(marketer, record)
    assert page(answer).values("error") == ["validation_error"]
    assert answer.context["error"].data["errors"]


def test_a_record_is_explained_masked_to_who_may_not_see_contacts(send: Send, viewer: Client) -> None:
    send(email=ANN, mobile_phone=PHONE)
    html = tried(viewer, {"email": BOB, "mobile_phone": PHONE}).content.decode()
    told = html.split("</form>")[-1]
    assert PHONE not in told
    assert ANN not in told


def test_explaining_needs_the_permission(send: Send) -> None:
    client = signed_in("Viewer")
    client.session.flush()
    assert Client().get(reverse(EXPLAIN)).status_code == 302
    outsider = signed_in()
    outsider_user = outsider.get(reverse("admin:index")).wsgi_request.user
    outsider_user.is_superuser = False
    outsider_user.save()
    assert outsider.get(reverse(EXPLAIN)).status_code == 403
    assert tried(outsider, {"email": ANN}).status_code == 403
