"""Taking a merge back: what returns to whom is shown first, and a refusal says what to do."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from customers.privacy.erasure import erase
from customers.storage.loading import load_profiles
from dedup.models import ApartPair, Merge
from tests.dedup.admin.conftest import Send, merged
from tests.html import page
from tests.staff import address, signed_in

ANN, BOB, PHONE = "ann@example.com", "bob@example.com", "+14155550122"


def undo_page(merge_id: int) -> str:
    return reverse("admin:dedup_merge_undo", args=[merge_id])


@pytest.fixture
def pair(send: Send, marketer: Client) -> tuple[int, int]:
    """Two that were merged, the first resulting."""
    ann = send(email=ANN, personal={"first_name": "Ann"})
    bob = send(email=BOB, personal={"first_name": "Bob"})
    merged(marketer, ann, bob, resulting=ann)
    return ann, bob


def undo(client: Client, shown: Any) -> Any:
    context = shown.context
    return client.post(undo_page(context["entry"].pk), {"token": context["token"], "seen": context["seen"]})


def test_an_undo_is_previewed_and_then_done(pair: tuple[int, int], marketer: Client) -> None:
    ann, bob = pair
    merge = Merge.objects.get()
    shown = marketer.get(undo_page(merge.pk))
    results = [(column["customer"], column.text) for column in page(shown).all(role="after")]
    assert [maestra_id for maestra_id, _text in results] == [str(ann), str(bob)]
    assert [text.split()[-1] for _maestra_id, text in results] == ["Ann", "Bob"]
    assert Merge.objects.get().undone_at is None
    assert undo(marketer, shown).headers["Location"] == address(Merge, "change", merge.pk)
    assert load_profiles([bob])[bob].personal.first_name == "Bob"
    pair_held = ApartPair.objects.get()
    assert (pair_held.low_id, pair_held.high_id) == (ann, bob)
    assert page(marketer.get(address(Merge, "change", merge.pk))).all(undone=True)


def test_what_changed_since_is_said_to_stay(pair: tuple[int, int], send: Send, marketer: Client) -> None:
    send("edit", lookup={"email": ANN}, personal={"first_name": "Anna"})
    shown = page(marketer.get(undo_page(Merge.objects.get().pk)))
    remark = shown.one(remark="changed_since", field="personal first_name", customer=pair[0])
    assert "Anna" in remark.text


def test_what_does_not_come_back_is_told(pair: tuple[int, int], send: Send, marketer: Client) -> None:
    send("edit", lookup={"email": ANN}, email=None)
    shown = page(marketer.get(undo_page(Merge.objects.get().pk)))
    assert [remark for remark in shown.all(remark="not_returned") if BOB in remark.text]


def test_an_undo_of_something_stale_shows_it_anew(
    pair: tuple[int, int], send: Send, marketer: Client
) -> None:
    shown = marketer.get(undo_page(Merge.objects.get().pk))
    send("edit", lookup={"email": ANN}, personal={"last_name": "Lee"})
    again = undo(marketer, shown)
    assert [row["field"] for row in page(again).all(new=True)] == ["personal last_name"]
    assert Merge.objects.get().undone_at is None
    assert undo(marketer, again).status_code == 302


def test_later_merges_are_named_with_links_to_their_undo(
    pair: tuple[int, int], send: Send, marketer: Client
) -> None:
    first = Merge.objects.get()
    merged(marketer, pair[0], send(mobile_phone=PHONE), resulting=pair[0])
    later = Merge.objects.exclude(pk=first.pk).get()
    answer = marketer.get(undo_page(first.pk))
    assert page(answer).values("undo-first") == [str(later.pk)]
    assert undo_page(later.pk) in page(answer).links
    undo(marketer, marketer.get(undo_page(later.pk)))
    assert page(marketer.get(undo_page(first.pk))).all(role="after")


def test_a_merge_is_undone_once(pair: tuple[int, int], marketer: Client) -> None:
    merge = Merge.objects.get()
    shown = marketer.get(undo_page(merge.pk))
    undo(marketer, shown)
    assert len(page(undo(marketer, shown)).all(refused=True)) == 1
    assert ApartPair.objects.count() == 1


def test_what_was_erased_is_not_brought_back_nor_shown(pair: tuple[int, int], marketer: Client) -> None:
    erase(pair[0], actor="system")
    merge = Merge.objects.get()
    detail = page(marketer.get(address(Merge, "change", merge.pk)))
    assert detail.all(erased=True)
    assert ANN not in detail.text
    assert not detail.all(action="undo")
    assert page(marketer.get(undo_page(merge.pk))).all(refused=True)


@pytest.mark.parametrize("role", ["Viewer", "Integrator", "Privacy officer"])
def test_who_may_not_undo_sees_the_merge_only(pair: tuple[int, int], role: str) -> None:
    client, merge = signed_in(role), Merge.objects.get()
    detail = client.get(address(Merge, "change", merge.pk))
    assert (detail.status_code, page(detail).all(action="undo")) == (200, [])
    assert client.get(undo_page(merge.pk)).status_code == 403
    assert client.post(undo_page(merge.pk), {"token": ""}).status_code == 403
    assert Merge.objects.get().undone_at is None


def test_contacts_are_masked_for_who_may_not_see_them(pair: tuple[int, int], viewer: Client) -> None:
    for where in (address(Merge, "change", Merge.objects.get().pk), address(Merge)):
        text = viewer.get(where).content.decode()
        assert ANN not in text
        assert BOB not in text


def test_the_profile_leads_to_its_merges_and_on(pair: tuple[int, int], marketer: Client) -> None:
    tab = reverse("admin:customers_customer_tab", args=[pair[0], "merges"])
    links = page(marketer.get(tab)).links
    assert undo_page(Merge.objects.get().pk) in links
    assert f"{reverse('admin:dedup_merge_new')}?customer={pair[0]}" in links


def test_a_merge_that_is_none_is_not_found(marketer: Client) -> None:
    assert marketer.get(undo_page(999)).status_code == 404
    assert marketer.get(address(Merge, "change", 999)).status_code == 404
