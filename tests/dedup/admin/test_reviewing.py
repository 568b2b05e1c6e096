"""The review queue: pairs that share a value and may not merge, one after the other."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from customers.privacy.erasure import erase
from dedup.models import ApartPair, ReviewPair
from tests.dedup.admin.conftest import Send, merged
from tests.html import page
from tests.staff import address, signed_in

PHONE = "+14155550122"


@pytest.fixture
def pairs(send: Send) -> list[ReviewPair]:
    """Three pairs, the newest first: each new customer gives the phone of the first customer."""
    send(email="ann@example.com", mobile_phone=PHONE)
    for name in ("bob", "eve", "max"):
        send(email=f"{name}@example.com", mobile_phone=PHONE)
    return list(ReviewPair.objects.order_by("-at", "-pk"))


def page_of(pair: ReviewPair) -> str:
    return address(ReviewPair, "change", pair.pk)


def decide(client: Client, pair: ReviewPair, decision: str) -> str:
    """Where a decision leads."""
    answer = client.post(reverse("admin:dedup_reviewpair_decide", args=[pair.pk]), {"decision": decision})
    return answer.headers["Location"]


def listed(client: Client, **query: str) -> list[int]:
    return [pair.pk for pair in client.get(address(ReviewPair), query).context["cl"].result_list]


def test_what_awaits_review_comes_first_the_newest_on_top(pairs: list[ReviewPair], marketer: Client) -> None:
    decide(marketer, pairs[1], "seen")
    assert listed(marketer) == [pairs[0].pk, pairs[2].pk]
    assert listed(marketer, status="seen") == [pairs[1].pk]
    assert listed(marketer, status="all") == [pair.pk for pair in pairs]


def test_the_queue_is_filtered_by_reason_and_by_what_is_shared(
    pairs: list[ReviewPair], marketer: Client
) -> None:
    assert listed(marketer, veto="different_emails") == [pair.pk for pair in pairs]
    assert listed(marketer, veto="different_phones") == []
    assert listed(marketer, shared="mobile_phone") == [pair.pk for pair in pairs]
    assert listed(marketer, shared="email") == []


def test_a_pair_is_explained_with_what_can_be_decided(pairs: list[ReviewPair], marketer: Client) -> None:
    shown = page(marketer.get(page_of(pairs[0])))
    (pair,) = shown.all(pair=pairs[0].pk)
    assert PHONE in pair.text
    assert [card["customer"] for card in shown.all(customer=True) if card.tag == "div"] == [
        str(pairs[0].low_id),
        str(pairs[0].high_id),
    ]
    assert shown.values("veto") == ["different_emails"]
    assert shown.buttons >= {("decision", "apart"), ("decision", "seen")}
    assert shown.values("action") == ["merge", "next"]


def test_a_decision_leads_to_the_next_pair_and_the_last_one_to_the_list(
    pairs: list[ReviewPair], marketer: Client
) -> None:
    assert decide(marketer, pairs[0], "seen") == page_of(pairs[1])
    assert decide(marketer, pairs[1], "apart") == page_of(pairs[2])
    assert decide(marketer, pairs[2], "seen") == address(ReviewPair)
    held = ApartPair.objects.get()
    assert (held.low_id, held.high_id) == (pairs[1].low_id, pairs[1].high_id)
    assert listed(marketer) == []


def test_below_the_last_pair_comes_the_first_one_again(pairs: list[ReviewPair], marketer: Client) -> None:
    assert decide(marketer, pairs[2], "seen") == page_of(pairs[0])


def test_a_merge_closes_the_pair_and_leads_on(pairs: list[ReviewPair], marketer: Client) -> None:
    ids = (pairs[0].low_id, pairs[0].high_id)
    answer = merged(marketer, *ids, review=pairs[0].pk)
    assert pairs[0].pk not in listed(marketer)
    assert page_of(pairs[1]) in page(marketer.get(answer.headers["Location"])).links
    assert page(marketer.get(page_of(pairs[0]))).values("verdict") == ["one"]


def test_a_pair_of_somebody_who_was_erased_leaves_the_queue(
    pairs: list[ReviewPair], marketer: Client
) -> None:
    erase(pairs[0].high_id, actor="system")
    assert pairs[0].pk not in listed(marketer, status="all")
    assert marketer.get(page_of(pairs[0])).status_code == 404


@pytest.mark.parametrize("role", ["Viewer", "Integrator", "Privacy officer"])
def test_who_may_not_decide_looks_only(pairs: list[ReviewPair], role: str) -> None:
    client = signed_in(role)
    shown = page(client.get(page_of(pairs[0])))
    assert shown.buttons & {("decision", "apart"), ("decision", "seen")} == set()
    assert shown.values("action") == ["next"]
    for decision in ("seen", "apart"):
        url = reverse("admin:dedup_reviewpair_decide", args=[pairs[0].pk])
        assert client.post(url, {"decision": decision}).status_code == 403
    assert ReviewPair.objects.get(pk=pairs[0].pk).status == "open"


def test_contacts_are_masked_for_who_may_not_see_them(pairs: list[ReviewPair], viewer: Client) -> None:
    for where in (address(ReviewPair), page_of(pairs[0])):
        text = viewer.get(where).content.decode()
        assert PHONE not in text
        assert "@example.com" not in text
        assert "+1•••22" in text


def test_pairs_held_apart_are_let_together_only_when_asked_twice(
    pairs: list[ReviewPair], marketer: Client
) -> None:
    decide(marketer, pairs[0], "apart")
    pair = ApartPair.objects.get()
    data = {"action": "lift", "_selected_action": pair.pk}
    marketer.post(address(ApartPair), data)
    assert ApartPair.objects.get().lifted_at is None
    marketer.post(address(ApartPair), {**data, "confirmed": "yes"})
    assert ApartPair.objects.get().lifted_at


def test_explaining_is_a_line_of_its_own_in_the_sidebar(pairs: list[ReviewPair], marketer: Client) -> None:
    explain = reverse("admin:dedup_reviewpair_explain")
    for where, lit in ((page_of(pairs[0]), address(ReviewPair)), (explain, explain)):
        groups = marketer.get(where).context["sidebar_navigation"]
        assert [str(item["link"]) for group in groups for item in group["items"] if item["active"]] == [lit]
