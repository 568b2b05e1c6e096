"""What a record adds to the ledgers (R29, R54, R57)."""

import pytest

from customers.changes import OrderSaved
from dedup.engine.outcome import Outcome
from dedup.engine.record import Operation
from dedup.engine.resolve import resolve
from tests.dedup.engine.builders import (
    ANN,
    BOB,
    CONTACTS_TOO,
    NOW,
    Memory,
    holding,
    key,
    order,
    profile,
    record,
    undated,
    world,
)

REGISTER, EDIT, ORDER = Operation.REGISTER, Operation.EDIT, Operation.ORDER


@pytest.fixture
def shop():
    return Memory()


def test_an_action_of_the_same_moment_is_not_counted_again(shop):
    """R29"""
    shop(REGISTER, 5, email=ANN, personal_action=True)
    assert shop(EDIT, 5, lookup=key("email", ANN), personal_action=True).changes == ()


def test_an_order_sent_again_as_it_was_changes_nothing(shop):
    """R57"""
    shop(ORDER, 1, email=ANN, order=order())
    outcome = shop(ORDER, 2, email=ANN, order=order(), lookup_by=CONTACTS_TOO)
    assert (outcome.status.value, undated(outcome.changes)) == ("unchanged", ())


def test_the_order_of_an_erased_customer_stays_without_a_person():
    """R54, R57: whoever sends it again"""
    known = world(profile(1, holding("email", ANN)), orders={"A-1": (9, order())})
    again = record(ORDER, 2, email=ANN, order=order(total="30"), lookup_by=CONTACTS_TOO)
    (outcome,) = resolve(known, [again], NOW)
    assert isinstance(outcome, Outcome)
    assert not any(isinstance(change, OrderSaved) for change in outcome.changes)
    assert ([w.code for w in outcome.warnings], outcome.profile.orders_count) == (["order_of_another"], 0)


def test_only_an_order_of_another_customer_is_noted_as_such(shop):
    """R57"""
    shop(ORDER, 1, email=ANN, order=order())
    sent_again = [
        shop(ORDER, 2, email=email, order=order(total=total), lookup_by=CONTACTS_TOO)
        for email, total in ((ANN, "20"), (BOB, "30"))
    ]
    assert [[w.values["number"] for w in outcome.warnings] for outcome in sent_again] == [[], ["A-1"]]
