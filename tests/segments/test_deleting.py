"""Segments and segmentations that are deleted: who was in them, and what referred to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from customers.redis import waking
from segments import members, profile_part, recalculation
from segments.models import Membership, Segment, Segmentation
from tests.scenarios.api import ANN, BOB, segment
from tests.segments.segmentations import segmentation
from tests.staff import levels

SignIn = Callable[..., Client]


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waking, "wake", lambda *_, **__: True)


def page(name: str, of: type[Segment | Segmentation] = Segment, kind: str = "delete") -> str:
    model = of._meta.model_name
    return reverse(f"admin:segments_{model}_{kind}", args=[of.objects.get(system_name=name).pk])


def other_asking_for(name: str) -> Segmentation:
    return segmentation("other", asking={"all": [{"type": "segment", "segment": name}]})


def test_a_deleted_segment_is_left_by_its_members(project: Any, signed_in: SignIn) -> None:
    shop = project()
    ann = shop.website.register(email=ANN, segments=[segment("loyalty", "level_1")]).id
    client, address = signed_in("Marketer"), page("level_1")
    assert client.get(address).context["object"].system_name == "level_1"
    assert Segment.objects.filter(system_name="level_1").exists()
    assert client.post(address).status_code == 302
    assert not Segment.objects.filter(system_name="level_1").exists()
    assert not shop.customer(ann)["segments"]
    assert len(shop.history(ann, "segment")) == 2


def test_the_history_goes_on_calling_a_deleted_segment_by_its_names(
    project: Any, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R52: in a process that never knew it, too."""
    shop = project()
    ann = shop.website.register(email=ANN, segments=[segment("loyalty", "level_1")]).id
    signed_in("Marketer").post(page("loyalty", Segmentation))
    assert not Segmentation.objects.filter(system_name="loyalty").exists()
    monkeypatch.setattr(profile_part, "cached_names", {})
    told = [entry["sentence"] for entry in shop.history(ann, "segment")]
    assert told == ["Is in segment level_1 of loyalty.", "Left segment level_1 of loyalty."]


def test_a_merge_is_undone_though_its_segments_are_gone(project: Any, signed_in: SignIn) -> None:
    shop = project()
    ann = shop.website.register(email=ANN, segments=[segment("loyalty", "level_1")]).id
    bob = shop.website.register(email=BOB, segments=[segment("loyalty", "level_2")]).id
    merge = shop.website.merge(ann, bob, resulting=ann).merge_ids[0]
    client = signed_in("Marketer")
    client.post(page("level_1"))
    client.post(page("level_2"))
    assert not Membership.objects.exists()
    shop.website.undo(merge)
    assert shop.customer(bob)["maestra_id"] == bob
    assert not Membership.objects.exists()


def test_a_condition_that_refers_to_it_is_named_and_says_so(project: Any, signed_in: SignIn) -> None:
    project()
    other_asking_for("loyalty/level_1")
    client = signed_in("Marketer")
    assert f'href="{page("asking", kind="change")}"' in client.get(page("level_1")).content.decode()
    assert page("asking", kind="change") not in client.get(page("level_2")).content.decode()
    client.post(page("level_1"))
    assert "level_1" in client.get(page("asking", kind="change")).context["problems"][0]


def test_a_segmentation_goes_with_its_segments(project: Any, signed_in: SignIn) -> None:
    shop = project()
    ann = shop.website.register(email=ANN, segments=[segment("loyalty", "level_1")]).id
    other = other_asking_for("loyalty/level_1")
    recalculation.ask(other)
    recalculation.run_waiting()
    assert Membership.objects.filter(segmentation=other).count() == 1
    client = signed_in("Marketer")
    assert [s.system_name for s in client.get(page("other", Segmentation)).context["segments"]] == ["asking"]
    client.post(page("other", Segmentation))
    assert not Segmentation.objects.filter(system_name="other").exists()
    assert list(shop.profile(ann)["segments"]) == ["loyalty"]


def test_one_with_too_many_members_is_not_deleted(
    project: Any, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = project()
    shop.website.register(email=ANN, segments=[segment("loyalty", "level_1")])
    monkeypatch.setattr(members, "MOST_LEAVING", 0)
    answer = signed_in("Marketer").post(page("level_1"), follow=True)
    assert levels(answer) == ["error"]
    assert Membership.objects.count() == 1


def test_only_who_may_change_one_deletes_it(project: Any, signed_in: SignIn) -> None:
    project()
    client = signed_in("Viewer")
    assert client.get(page("level_1")).status_code == 403
    assert client.post(page("level_1")).status_code == 403
    assert client.post(page("loyalty", Segmentation)).status_code == 403
