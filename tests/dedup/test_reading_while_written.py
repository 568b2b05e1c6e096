"""What is read without a lock is read again where something moved while it was read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from customers.profile import Profile
from customers.storage import loading as profiles
from dedup.storage import loading
from tests.scenarios.api import ANN, BOB, PHONE, Answer, Project
from tests.scenarios.conftest import project, story

__all__ = ["project", "story"]

ShopMaker = Callable[..., Project]


def in_between(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], Any]) -> None:
    """Happens once it is known who holds a value, and before their profile is read."""
    read, left = profiles.load_profiles, [meanwhile]

    def load_profiles(primary_ids: Sequence[int]) -> dict[int, Profile]:
        if left:
            left.pop()()
        return read(primary_ids)

    for module in (loading, profiles):
        monkeypatch.setattr(module, "load_profiles", load_profiles)


def found_by_email(shop: Project) -> dict[str, Callable[[], Answer]]:
    post = shop.website.post
    named = {"email": ANN}
    return {
        "lookup": lambda: post("customers/lookup/", named),
        "lookup with a key": lambda: post("customers/lookup/", named, **{"Idempotency-Key": "k-1"}),
        "explain": lambda: post("customers/explain/", {"customers": [named, {"email": BOB}]}),
        "preview": lambda: post(
            "customers/preview/", {"operation": "edit", "record": {"lookup": named, "time_zone": "UTC"}}
        ),
        "preview of a merge": lambda: post(
            "customers/preview/", {"operation": "merge", "customers": [named], "resulting": {"email": BOB}}
        ),
    }


@pytest.mark.parametrize("way", ["lookup", "lookup with a key", "explain", "preview", "preview of a merge"])
def test_a_value_that_leaves_its_holder_finds_nobody(
    project: ShopMaker, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """R19: as if it had been asked a moment later."""
    shop = project()
    shop.website.register(email=ANN, crm_id="1")
    shop.website.register(email=BOB)
    ask = found_by_email(shop)[way]
    in_between(monkeypatch, lambda: shop.crm_import.edit({"crm_id": "1"}, email=None))
    answer = ask()
    assert (answer.status, answer.body["code"]) == (404, "customer_not_found")


@pytest.mark.parametrize("way", ["lookup", "lookup with a key", "explain", "preview"])
def test_a_customer_who_is_merged_is_found_where_they_went(
    project: ShopMaker, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """R19, R1: not lost on the way."""
    shop = project()
    ann = shop.website.register(email=ANN, crm_id="1").id
    clo = shop.website.register(mobile_phone=PHONE).id
    shop.website.register(email=BOB)
    ask = found_by_email(shop)[way]
    body = {"customers": [{"maestra_id": ann}], "resulting": {"maestra_id": clo}}
    in_between(monkeypatch, lambda: shop.website.done("customers/merge/", body))
    answer = ask()
    assert answer.status == 200
    assert str(clo) in str(answer.body)


def test_the_page_of_a_customer_who_is_merged_is_that_of_the_merged(
    project: ShopMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R1"""
    shop = project()
    ann, bob = shop.website.register(email=ANN).id, shop.website.register(mobile_phone=PHONE).id
    body = {"customers": [{"maestra_id": ann}], "resulting": {"maestra_id": bob}}
    in_between(monkeypatch, lambda: shop.website.done("customers/merge/", body))
    assert shop.website.get(f"customers/{ann}/").body["maestra_id"] == bob


def test_what_never_holds_still_is_busy(project: ShopMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Section 12: never an error of the program."""
    shop = project()
    shop.website.register(email=ANN)
    monkeypatch.setattr(loading, "load_profiles", lambda _primary_ids: {})
    answer = shop.website.post("customers/lookup/", {"email": ANN})
    assert (answer.status, answer.body["code"]) == (503, "busy")
