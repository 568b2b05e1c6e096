"""Merging by hand: what is confirmed is what was seen, and what matters most is told first."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from customers.models import Customer, Operation
from customers.privacy.erasure import erase
from customers.storage.loading import load_profiles
from dedup.models import Merge
from tests.dedup.admin.conftest import NEW, Send, confirm, merged, preview
from tests.html import page
from tests.staff import address, signed_in

ANN, BOB, PHONE = "ann@example.com", "bob@example.com", "+14155550122"
NEWS = {"channel": "email", "topic": "news"}


def test_two_customers_are_merged_in_two_posts(send: Send, marketer: Client) -> None:
    ann, bob = send(email=ANN), send(email=BOB, personal={"first_name": "Bob"})
    shown = preview(marketer, ann, bob)
    assert not Merge.objects.exists()
    answer = confirm(marketer, shown)
    merge = Merge.objects.get()
    assert answer.headers["Location"] == address(Merge, "change", merge.pk)
    assert (merge.survivor_id, merge.absorbed_id, merge.reason) == (bob, ann, "admin")
    assert merge.operation.actor == "user:Marketer"
    assert page(marketer.get(answer.headers["Location"])).all(action="undo")


def test_priority_is_shown_with_its_criterion(send: Send, marketer: Client) -> None:
    ann = send(email=ANN)
    bob = send("points", lookup={"maestra_id": send(email=BOB)}, amount=5)
    choice = page(marketer.get(reverse(NEW), {"customer": [ann, bob]})).one(priority=bob)
    assert choice.one(over=ann)["criterion"] == "orders"


def test_the_resulting_customer_can_be_named(send: Send, marketer: Client) -> None:
    ann, bob = send(email=ANN), send(email=BOB)
    merged(marketer, ann, bob, resulting=ann)
    assert Merge.objects.get().survivor_id == ann


def test_the_preview_tells_where_values_come_from_and_what_is_lost(send: Send, marketer: Client) -> None:
    ann = send(email=ANN, personal={"first_name": "Ann"}, ids={"crm_id": "1"})
    bob = send(email=BOB, personal={"first_name": "Bob"}, ids={"crm_id": "2"})
    shown = page(preview(marketer, ann, bob, resulting=ann))
    assert "Bob" in shown.one(remark="lost", customer=bob, field="personal first_name").text
    assert "2" in shown.one(remark="retires", customer=bob, field="holdings crm_id").text
    (name,) = (row for row in shown.all(field="personal first_name") if row.tag == "tr")
    assert name.values("sources") == [str(ann)]
    assert name.values("policy") == ["personal"]


def test_a_refusal_that_ends_is_told_before_everything_else(send: Send, marketer: Client) -> None:
    ann = send(email=ANN, subscriptions=[{**NEWS, "status": "unsubscribed"}])
    bob = send(email=BOB, subscriptions=[{**NEWS, "status": "subscribed"}])
    shown = page(preview(marketer, ann, bob))
    remark = shown.one(remark="unsubscribed_to_subscribed", customer=ann, field="subscriptions email news")
    assert "decision-danger" in remark.attributes["class"]
    elements = list(shown.below())
    assert elements.index(remark) < elements.index(shown.all(role=True)[0])


def test_whose_account_opens_on_whose_data_is_told_first(send: Send, marketer: Client) -> None:
    till, ann = send(point="till", mobile_phone=PHONE), send(email=ANN)
    shown = page(preview(marketer, till, ann))
    signs_in, opens = shown.one(remark="signs_in", customer=till), shown.one(remark="account_opens")
    assert opens["customer"] == str(ann)
    assert PHONE in signs_in.text
    assert PHONE in opens.text
    elements = list(shown.below())
    assert elements.index(signs_in) < elements.index(opens) < elements.index(shown.all(role=True)[0])


def test_a_stale_preview_is_refused_and_shows_what_is_new(send: Send, marketer: Client) -> None:
    ann, bob = send(email=ANN), send(email=BOB)
    shown = preview(marketer, ann, bob)
    send("edit", lookup={"email": ANN}, personal={"last_name": "Lee"})
    again = confirm(marketer, shown)
    assert page(again).all(stale=True)
    assert [row["field"] for row in page(again).all(new=True)] == ["personal last_name"]
    assert not Merge.objects.exists()
    assert confirm(marketer, again).status_code == 302
    assert Merge.objects.count() == 1


def test_a_blocked_merge_shows_every_reason_and_what_would_help(send: Send, marketer: Client) -> None:
    one = send(point="till", mobile_phone=PHONE)
    two = send(point="till", mobile_phone="+14155550144")
    (veto,) = page(preview(marketer, one, two)).all(veto=True)
    assert veto["veto"] == "different_account_access"
    assert set(veto.values("customer")) == {str(one), str(two)}
    assert PHONE in veto.one(customer=one).text
    assert veto.values("remedy") == ["share_account_access"]
    assert not Merge.objects.exists()


def test_what_became_blocked_meanwhile_is_shown_and_not_merged(send: Send, marketer: Client) -> None:
    ann, bob = send(email=ANN), send(email=BOB)
    shown = preview(marketer, ann, bob)
    marketer.post(reverse("admin:dedup_reviewpair_explain"), {"left": ann, "right": bob, "decision": "apart"})
    assert page(confirm(marketer, shown)).values("veto") == ["apart"]
    assert not Merge.objects.exists()


def test_three_customers_merge_in_one_step(send: Send, marketer: Client) -> None:
    ids = [send(email=ANN), send(email=BOB), send(mobile_phone=PHONE)]
    answer = merged(marketer, *ids, resulting=ids[1])
    assert set(load_profiles([ids[1]])[ids[1]].maestra_ids) == set(ids)
    assert Operation.objects.filter(kind="merge").count() == 1
    detail = page(marketer.get(answer.headers["Location"]))
    assert detail.values("also-merged") in ([str(ids[0])], [str(ids[2])])


def test_of_three_all_merge_or_none(send: Send, marketer: Client) -> None:
    ids = [send(email=ANN), send(point="till", mobile_phone=PHONE)]
    ids.append(send(point="till", mobile_phone="+14155550144"))
    assert page(preview(marketer, *ids)).all(blocked=True)
    assert not Merge.objects.exists()


def test_anonymous_customers_can_be_merged(send: Send, marketer: Client) -> None:
    one, two = send(device_id="one"), send(device_id="two")
    assert merged(marketer, one, two).status_code == 302
    assert Merge.objects.count() == 1


def test_a_former_maestra_id_stands_for_its_profile(send: Send, marketer: Client) -> None:
    ann, bob, eve = send(email=ANN), send(email=BOB), send(mobile_phone=PHONE)
    merged(marketer, ann, bob, resulting=ann)
    answer = marketer.get(reverse(NEW), {"customer": [bob, eve]})
    assert answer.context["ids"] == [ann, eve]
    (remark,) = answer.context["remarks"]
    assert str(bob) in remark
    assert page(answer).values("remove") == [str(ann), str(eve)]
    assert page(marketer.get(reverse(NEW), {"customer": [ann, bob]})).all(too_few=True)


def test_who_is_not_there_is_told(send: Send, marketer: Client) -> None:
    ann, gone = send(email=ANN), send(email=BOB)
    erase(gone, actor="system")
    for missing in (gone, 999_999):
        answer = marketer.get(reverse(NEW), {"customer": [ann, missing]})
        (remark,) = answer.context["remarks"]
        assert str(missing) in remark
        assert remark in page(answer).text
    assert len(preview(marketer, ann, gone).context["remarks"]) == 2
    assert marketer.get(reverse(NEW), {"customer": ["x", "-1", "9" * 30]}).status_code == 200


@pytest.mark.parametrize("term", ["bob@EXAMPLE.com", "Bo", "crm-2"])
def test_customers_are_added_by_whatever_identifies_them(send: Send, marketer: Client, term: str) -> None:
    ann = send(email=ANN)
    bob = send(email=BOB, personal={"first_name": "Bob"}, ids={"crm_id": "crm-2"})
    assert page(searched(marketer, ann, term)).values("add") == [str(bob)]
    assert page(searched(marketer, bob, term)).all(nobody=True)


def searched(client: Client, picked: int, term: str) -> Any:
    return client.get(reverse(NEW), {"customer": str(picked), "q": term})


def test_customers_chosen_in_the_list_are_led_to_the_merge(send: Send, marketer: Client) -> None:
    ids = [send(email=ANN), send(email=BOB)]
    data = {"action": "merge_chosen", "_selected_action": ids}
    answer = marketer.post(address(Customer), data)
    assert answer.headers["Location"] == f"{reverse(NEW)}?customer={ids[0]}&customer={ids[1]}"


@pytest.mark.parametrize("role", ["Viewer", "Integrator", "Privacy officer"])
def test_only_who_may_merge_sees_or_does_it(send: Send, role: str) -> None:
    ids, client = [send(email=ANN), send(email=BOB)], signed_in(role)
    assert client.get(reverse(NEW)).status_code == 403
    assert preview(client, *ids).status_code == 403
    data = {"customer": ids, "resulting": ids[0], "step": "confirm", "token": ""}
    assert client.post(reverse(NEW), data).status_code == 403
    assert not Merge.objects.exists()


def test_a_merge_is_refused_without_the_token_of_its_preview(send: Send, marketer: Client) -> None:
    ids = [send(email=ANN), send(email=BOB)]
    data = {"customer": ids, "resulting": ids[0], "step": "confirm"}
    assert page(marketer.post(reverse(NEW), data)).all(stale=True)
    assert not Merge.objects.exists()


def test_a_preview_takes_as_many_queries_whatever_the_profiles_hold(send: Send, marketer: Client) -> None:
    small = [send(email=ANN), send(email=BOB)]
    big = [
        send(
            email=[f"{name}{n}@example.com" for n in range(40)],
            ids={"session_key": [f"{name}-{n}" for n in range(40)]},
        )
        for name in ("eve", "max")
    ]
    counts = []
    for pair in (small, small, big):
        with CaptureQueriesContext(connection) as queries:
            assert preview(marketer, *pair).status_code == 200
        counts.append(len(queries))
    assert counts[1] == counts[2]
