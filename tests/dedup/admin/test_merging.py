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
from tests.dedup.admin.conftest import NEW, Send, confirm, merged, preview, text_of
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
    assert "Undo…" in text_of(marketer.get(answer.headers["Location"]))


def test_priority_is_told_with_its_criterion(send: Send, marketer: Client) -> None:
    ann = send(email=ANN)
    bob = send("points", lookup={"maestra_id": send(email=BOB)}, amount=5)
    text = text_of(marketer.get(reverse(NEW), {"customer": [ann, bob]}))
    assert f"By priority: customer {bob} Before customer {ann}: Has orders, promo codes" in text


def test_the_resulting_customer_can_be_named(send: Send, marketer: Client) -> None:
    ann, bob = send(email=ANN), send(email=BOB)
    merged(marketer, ann, bob, resulting=ann)
    assert Merge.objects.get().survivor_id == ann


def test_the_preview_tells_where_values_come_from_and_what_is_lost(send: Send, marketer: Client) -> None:
    ann = send(email=ANN, personal={"first_name": "Ann"}, ids={"crm_id": "1"})
    bob = send(email=BOB, personal={"first_name": "Bob"}, ids={"crm_id": "2"})
    text = text_of(preview(marketer, ann, bob, resulting=ann))
    assert f"First name “Bob” of customer {bob} is not kept." in text
    assert f"CRM ID 2 of customer {bob} becomes a former one, which still finds the profile." in text
    assert f"Ann from customer {ann} The whole set of the priority customer" in text


def test_a_refusal_that_ends_is_told_before_everything_else(send: Send, marketer: Client) -> None:
    ann = send(email=ANN, subscriptions=[{**NEWS, "status": "unsubscribed"}])
    bob = send(email=BOB, subscriptions=[{**NEWS, "status": "subscribed"}])
    text = text_of(preview(marketer, ann, bob))
    told = f"E-mail (news): customer {ann} was unsubscribed and becomes subscribed."
    assert 0 < text.index(told) < text.index("Side by side")
    assert "decision-danger" in preview(marketer, ann, bob).content.decode()


def test_whose_account_opens_on_whose_data_is_told_first(send: Send, marketer: Client) -> None:
    till, ann = send(point="till", mobile_phone=PHONE), send(email=ANN)
    text = text_of(preview(marketer, till, ann))
    signs_in = text.index(f"Customer {till} signs in with Mobile phone {PHONE}.")
    opens = text.index(f"Customer {ann} does not sign in. Whoever signs in with Mobile phone {PHONE}")
    assert signs_in < opens < text.index("Side by side")


def test_a_stale_preview_is_refused_and_shows_what_is_new(send: Send, marketer: Client) -> None:
    ann, bob = send(email=ANN), send(email=BOB)
    shown = preview(marketer, ann, bob)
    send("edit", lookup={"email": ANN}, personal={"last_name": "Lee"})
    again = confirm(marketer, shown)
    assert "a customer changed after you looked" in text_of(again)
    assert "Last name new" in text_of(again)
    assert "E-mail new" not in text_of(again)
    assert not Merge.objects.exists()
    assert confirm(marketer, again).status_code == 302
    assert Merge.objects.count() == 1


def test_a_blocked_merge_shows_every_reason_and_what_would_help(send: Send, marketer: Client) -> None:
    one = send(point="till", mobile_phone=PHONE)
    two = send(point="till", mobile_phone="+14155550144")
    text = text_of(preview(marketer, one, two))
    assert "Both sign in with contacts of their own and share none of them." in text
    assert f"Customer {one}: Mobile phone {PHONE}" in text
    assert "One contact that gives account access must be held by both, or cleared on one side." in text
    assert not Merge.objects.exists()


def test_what_became_blocked_meanwhile_is_shown_and_not_merged(send: Send, marketer: Client) -> None:
    ann, bob = send(email=ANN), send(email=BOB)
    shown = preview(marketer, ann, bob)
    marketer.post(reverse("admin:dedup_reviewpair_explain"), {"left": ann, "right": bob, "decision": "apart"})
    text = text_of(confirm(marketer, shown))
    assert 'Somebody marked the two "never merge", or undid their merge.' in text
    assert not Merge.objects.exists()


def test_three_customers_merge_in_one_step(send: Send, marketer: Client) -> None:
    ids = [send(email=ANN), send(email=BOB), send(mobile_phone=PHONE)]
    answer = merged(marketer, *ids, resulting=ids[1])
    assert set(load_profiles([ids[1]])[ids[1]].maestra_ids) == set(ids)
    assert Operation.objects.filter(kind="merge").count() == 1
    assert f"customer {ids[0]}" in text_of(marketer.get(answer.headers["Location"]))


def test_of_three_all_merge_or_none(send: Send, marketer: Client) -> None:
    ids = [send(email=ANN), send(point="till", mobile_phone=PHONE)]
    ids.append(send(point="till", mobile_phone="+14155550144"))
    assert "These customers cannot be merged as they are." in text_of(preview(marketer, *ids))
    assert not Merge.objects.exists()


def test_anonymous_customers_can_be_merged(send: Send, marketer: Client) -> None:
    one, two = send(device_id="one"), send(device_id="two")
    assert merged(marketer, one, two).status_code == 302
    assert Merge.objects.count() == 1


def test_a_former_maestra_id_stands_for_its_profile(send: Send, marketer: Client) -> None:
    ann, bob, eve = send(email=ANN), send(email=BOB), send(mobile_phone=PHONE)
    merged(marketer, ann, bob, resulting=ann)
    text = text_of(marketer.get(reverse(NEW), {"customer": [bob, eve]}))
    assert f"{bob} is a former MaestraID of customer {ann}." in text
    assert f"Leave customer {ann} out" in text
    text = text_of(marketer.get(reverse(NEW), {"customer": [ann, bob]}))
    assert "Add at least one more customer." in text


def test_who_is_not_there_is_told(send: Send, marketer: Client) -> None:
    ann, gone = send(email=ANN), send(email=BOB)
    erase(gone, actor="system")
    for missing in (gone, 999_999):
        text = text_of(marketer.get(reverse(NEW), {"customer": [ann, missing]}))
        assert f"Customer {missing} does not exist or was erased." in text
    assert "Choose at least two customers." in text_of(preview(marketer, ann, gone))
    assert marketer.get(reverse(NEW), {"customer": ["x", "-1", "9" * 30]}).status_code == 200


@pytest.mark.parametrize("term", ["bob@EXAMPLE.com", "Bo", "crm-2"])
def test_customers_are_added_by_whatever_identifies_them(send: Send, marketer: Client, term: str) -> None:
    ann = send(email=ANN)
    bob = send(email=BOB, personal={"first_name": "Bob"}, ids={"crm_id": "crm-2"})
    text = text_of(searched(marketer, ann, term))
    assert f"Add customer {bob}" in text
    assert f"Add customer {ann}" not in text
    assert "Nobody else is found" in text_of(searched(marketer, bob, term))


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
    assert "Nothing was done" in text_of(marketer.post(reverse(NEW), data))
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
