"""What operations do beyond the decision itself."""

from collections.abc import Callable

from customers.setup.integration_points import STAFF
from dedup.operations.apart import keep_apart, lift_apart
from dedup.operations.base import Caller
from tests.scenarios.api import ANN, BOB, EVE, Project
from tests.scenarios.conftest import project, story

__all__ = ["project", "story"]

STAFF_MEMBER = Caller(actor="user:ann", point=STAFF)


def test_lifting_reaches_a_pair_held_apart_under_a_former_maestra_id(project: Callable[..., Project]) -> None:
    """R46: a person can lift that two are apart, also after one of them was merged away."""
    shop = project()
    ann, bob, eve = (shop.website.register(email=email).id for email in (ANN, BOB, EVE))
    keep_apart(STAFF_MEMBER, bob, eve)
    shop.website.merge(bob, resulting=ann)
    assert shop.website.vetoes(ann, eve)[0] == "apart"
    lift_apart(STAFF_MEMBER, eve, ann)
    assert shop.website.vetoes(ann, eve) == ["different_emails"]


def test_keeping_apart_is_told_in_both_histories(project: Callable[..., Project]) -> None:
    """R22: whoever opens either profile sees that somebody said so."""
    shop = project()
    ann, bob = (shop.website.register(email=email).id for email in (ANN, BOB))
    keep_apart(STAFF_MEMBER, ann, bob)
    others = {
        one: [entry["related_maestra_id"] for entry in shop.history(one, "apart")] for one in (ann, bob)
    }
    assert others == {ann: [bob], bob: [ann]}


def test_a_segment_taken_away_by_a_record_that_joins_is_gone(project: Callable[..., Project]) -> None:
    """R51, R44: null takes the customer out, whether the record found or joined them."""
    shop = project()
    ann = shop.website.register(email=ANN, segments=[{"segmentation": "loyalty", "segment": "level_1"}]).id
    shop.website.upsert(email=ANN, segments=[{"segmentation": "loyalty", "segment": None}])
    assert shop.customer(ann)["segments"] == []
