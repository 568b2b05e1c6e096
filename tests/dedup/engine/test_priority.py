"""Who goes first (R29). Who shall lose is stronger by every criterion after the one that is tested."""

from dataclasses import replace

import pytest

from customers.profile import Member
from dedup.engine.priority import CRITERIA, Verdict, contact_in_question, decide_priority
from tests.dedup.engine.builders import ANN, CARD, COOKIE, PHONE, day, holding, key, profile

THE_PHONE = key("mobile_phone", PHONE)


def member(maestra_id=1, registered=1, **facts):
    return Member(maestra_id, day(registered), **facts)


def customer(maestra_id=1, *holdings, registered=1, **facts):
    return profile(maestra_id, *holdings, members=(member(maestra_id, registered, **facts),))


def phone(**flags):
    return holding("mobile_phone", PHONE, **flags)


def email(**flags):
    return holding("email", ANN, **flags)


ACTIVE = {"registered": 9, "orders_count": 1, "last_action_at": day(9)}
SIDES = pytest.mark.parametrize("swapped", [False, True], ids=["left", "right"])


def decided(winner, loser, swapped, contact=THE_PHONE):
    """The criterion by which the winner goes first, whichever side it stands on."""
    verdict = decide_priority(loser, winner, contact) if swapped else decide_priority(winner, loser, contact)
    assert verdict.left_first is not swapped
    return verdict.criterion


def test_the_table_is_read_in_the_order_of_the_rule():
    """R29"""
    assert [criterion.name for criterion in CRITERIA] == [
        "access_by_this_contact",
        "this_contact_confirmed",
        "any_account_access",
        "orders",
        "any_confirmed_contact",
        "last_activity",
        "lower_maestra_id",
    ]


@SIDES
def test_access_by_this_contact_goes_before_everything(swapped):
    """R29"""
    winner = customer(2, phone(gives_access=True))
    loser = customer(1, phone(confirmed_at=day(1)), email(gives_access=True, confirmed_at=day(1)), **ACTIVE)
    assert decided(winner, loser, swapped) == "access_by_this_contact"


@SIDES
def test_this_contact_confirmed_goes_before_access_by_another(swapped):
    """R29"""
    winner = customer(2, phone(confirmed_at=day(1)))
    loser = customer(1, phone(), email(gives_access=True, confirmed_at=day(1)), **ACTIVE)
    assert decided(winner, loser, swapped) == "this_contact_confirmed"


@SIDES
def test_access_by_another_contact_goes_before_orders(swapped):
    """R29"""
    winner = customer(2, phone(), holding("discount_card", CARD, gives_access=True))
    loser = customer(1, phone(), email(confirmed_at=day(1)), **ACTIVE)
    assert decided(winner, loser, swapped) == "any_account_access"


@SIDES
@pytest.mark.parametrize("fact", ["orders_count", "points_count", "promo_codes_count"])
def test_orders_points_and_promo_codes_go_before_other_confirmations(swapped, fact):
    """R29, R57: cancelled orders count, for the engine knows no other"""
    winner = customer(2, phone(), **{fact: 1})
    loser = customer(1, phone(), email(confirmed_at=day(1)), registered=9, last_action_at=day(9))
    assert decided(winner, loser, swapped) == "orders"


@SIDES
def test_more_orders_are_no_more_than_one(swapped):
    """R29"""
    winner = customer(1, phone(), orders_count=1)
    assert decided(winner, customer(2, phone(), orders_count=9), swapped) == "lower_maestra_id"


@SIDES
def test_any_confirmed_contact_goes_before_activity(swapped):
    """R29"""
    winner = customer(2, phone(), email(confirmed_at=day(1)))
    assert (
        decided(winner, customer(1, phone(), registered=9, last_action_at=day(9)), swapped)
        == "any_confirmed_contact"
    )


@SIDES
def test_the_later_activity_goes_before_the_lower_maestra_id(swapped):
    """R29"""
    winner = customer(2, phone(), registered=1, last_action_at=day(5))
    assert (
        decided(winner, customer(1, phone(), registered=9, last_action_at=day(4)), swapped) == "last_activity"
    )


@SIDES
def test_some_activity_goes_before_none_however_late_the_registration(swapped):
    """R29"""
    winner = customer(2, phone(), registered=1, last_action_at=day(2))
    assert decided(winner, customer(1, phone(), registered=9), swapped) == "last_activity"


@SIDES
def test_without_activity_the_later_registration_goes_first(swapped):
    """R29"""
    assert decided(customer(2, phone(), registered=9), customer(1, phone()), swapped) == "last_activity"


@SIDES
def test_equal_registrations_do_not_matter_once_both_acted_at_once(swapped):
    """R29"""
    acted = {"last_action_at": day(5)}
    assert (
        decided(customer(1, registered=1, **acted), customer(2, registered=9, **acted), swapped)
        == "lower_maestra_id"
    )


@SIDES
def test_the_lower_maestra_id_makes_the_order_total(swapped):
    """R29"""
    assert decided(customer(1, phone()), customer(2, phone()), swapped) == "lower_maestra_id"


@SIDES
def test_a_record_not_stored_counts_as_the_highest_maestra_id(swapped):
    """R29"""
    assert decided(customer(7), replace(customer(0), is_new=True), swapped) == "lower_maestra_id"


def test_without_a_contact_in_question_the_first_two_criteria_do_not_apply():
    """R29"""
    left = customer(1, phone(gives_access=True, confirmed_at=day(1)))
    right = customer(2, email(gives_access=True), orders_count=1)
    assert decide_priority(left, right, None) == Verdict(left_first=False, criterion="orders")


def test_facts_of_all_members_count():
    """R29, R39"""
    two = profile(1, phone(), members=(member(1), member(3, last_action_at=day(4), promo_codes_count=1)))
    assert decide_priority(two, customer(2, phone()), THE_PHONE) == Verdict(
        left_first=True, criterion="orders"
    )


def test_the_contact_in_question_is_the_strongest_that_matched():
    """R29"""
    holder = customer(1, phone(), holding("device_id", COOKIE), holding("session_key", "s"))
    device, session = key("device_id", COOKIE), key("session_key", "s")
    assert contact_in_question([THE_PHONE, session, device], customer(2), holder) == THE_PHONE
    assert contact_in_question([session, device], customer(2), holder) is None


def test_a_customer_is_not_weighed_against_itself():
    """R29"""
    with pytest.raises(AssertionError, match=r"^two different customers have different MaestraIDs$"):
        decide_priority(customer(1), customer(1), None)


def test_the_contact_in_question_may_be_on_either_side():
    """R29"""
    assert contact_in_question([THE_PHONE], customer(1, phone()), customer(2)) == THE_PHONE
    assert contact_in_question([THE_PHONE], customer(1), customer(2, phone())) == THE_PHONE
    assert contact_in_question([THE_PHONE], customer(1), customer(2)) is None
