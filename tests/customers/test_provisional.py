"""Customers that do not exist yet, and what is said of them."""

from itertools import islice

import pytest

from customers.history_kinds import sentence
from customers.presentation.customer import present
from customers.profile import Member, Profile
from customers.provisional import NO_MAESTRA_ID, is_provisional, provisional_ids, stored_id
from customers.setup.project_config import project_config
from customers.storage.loading import HIGHEST_MAESTRA_ID
from customers.words import customer_label
from tests.dedup.engine.builders import day


def test_their_numbers_are_beyond_all_that_are_drawn() -> None:
    first, second = islice(provisional_ids(), 2)
    assert [is_provisional(n) for n in (NO_MAESTRA_ID, 1, first - 1, first, second)] == [
        True,
        False,
        False,
        True,
        True,
    ]
    assert first <= HIGHEST_MAESTRA_ID
    assert [stored_id(n) for n in (first, 7)] == [None, 7]
    assert len(list(provisional_ids())) == 1_000_000


def test_they_are_called_by_what_they_are() -> None:
    """R30"""
    first = next(provisional_ids())
    assert [customer_label(n) for n in (first, 7)] == ["the new customer", "customer 7"]
    facts = {
        "kind": "contact_received",
        "type": "email",
        "value": "a@b.cd",
        "related": first,
        "decided_by": "orders",
        "was_held": True,
    }
    rest = "too, stays with this customer, because they have orders, promo codes or reward points."
    assert sentence(facts, {"email": "E-mail"}) == f"E-mail a@b.cd, given by the new customer {rest}"
    by_line = sentence(facts, {}, lambda n: {first: "the new customer of line 3"}[n])
    assert by_line == f"email a@b.cd, given by the new customer of line 3 {rest}"


def test_a_sentence_about_one_begins_with_a_capital() -> None:
    """R41"""
    facts = {
        "kind": "merged",
        "related": next(provisional_ids()),
        "matched": (),
        "reason": "payment_card",
        "priority_maestra_id": None,
    }
    said = "The new customer was merged into this one, because they paid with the same card."
    assert sentence(facts, {}) == said


@pytest.mark.django_db
def test_they_have_no_maestra_id_in_an_answer() -> None:
    maestra_id = next(provisional_ids())
    shown = present(Profile(maestra_id=maestra_id, members=(Member(maestra_id, day(1)),)), project_config())
    assert (shown["maestra_id"], shown["former_maestra_ids"]) == (None, [])
