"""A merge somebody asked for (R28, R33, R41)."""

from dataclasses import replace

import pytest

from customers.changes import Decision, Held, IdentifiedChanged, Merged, PersonalDataChanged, Why
from customers.profile import Category, Claim, Personal
from dedup.engine.merge import Ranking, rank
from dedup.engine.outcome import OutcomeStatus, Refusal, RefusalCode, Veto
from dedup.engine.reasons import Reason
from dedup.engine.record import Operation
from tests.dedup.engine.builders import (
    ANN,
    BOB,
    COOKIE,
    EVE,
    PHONE,
    PHONE_2,
    Memory,
    day,
    holding,
    key,
    order,
    profile,
    sent,
    undated,
)

REGISTER, ORDER = Operation.REGISTER, Operation.ORDER


@pytest.fixture
def shop():
    return Memory()


def test_the_named_customer_results_and_supplies_the_data(shop):
    """R28, R33"""
    shop(ORDER, 1, email=ANN, order=order(), personal={"last_name": "Strong"})
    shop(REGISTER, 2, mobile_phone=PHONE, personal={"first_name": "Named"})
    outcome = shop.merge([1], 2)
    assert (outcome.status, outcome.customer) == (OutcomeStatus.CHANGED, 2)
    assert outcome.profile.maestra_ids == {1, 2}
    assert outcome.profile.personal == Personal(first_name="Named")
    assert outcome.profile.orders_count == 1


def test_the_changes_of_a_merge(shop):
    """R28, R41"""
    shop(REGISTER, 1, email=ANN)
    shop(REGISTER, 2, email=BOB, personal={"first_name": "Bob"})
    before = dict(shop.profiles)
    outcome = shop.merge([2], 1)
    merged, personal, email = undated(outcome.changes)
    assert merged == Merged(
        customer=1,
        maestra_id=1,
        survivor=before[1],
        absorbed=before[2],
        result=outcome.profile,
        decision=Decision(reason=Reason.API, priority=1),
    )
    assert personal == PersonalDataChanged(
        customer=1, maestra_id=1, before=Personal(), after=Personal(first_name="Bob"), why=Why.MERGE
    )
    assert isinstance(email, Held)
    assert (email.after.value, email.after.is_primary, email.why) == (BOB, False, Why.MERGE)
    assert outcome.merges == (merged,)


def test_different_emails_and_phones_are_overridden_and_both_held(shop):
    """R28"""
    shop(REGISTER, 1, email=ANN, mobile_phone=PHONE)
    shop(REGISTER, 2, email=BOB, mobile_phone=PHONE_2)
    outcome = shop.merge([2], 1)
    assert {h.value: h.is_primary for h in outcome.profile.holdings.values()} == {
        ANN: True,
        PHONE: True,
        BOB: False,
        PHONE_2: False,
    }


def test_other_vetoes_block_with_all_of_them_and_nothing_is_merged(shop):
    """R28: all or none"""
    shop(REGISTER, 1, email=ANN, passport_id="p1")
    shop(REGISTER, 2, mobile_phone=PHONE)
    shop(REGISTER, 3, email=BOB, passport_id="p3")
    shop.keep_apart(1, 3)
    before = shop.copy()
    assert shop.merge([2, 3], 1) == Refusal(
        RefusalCode.MERGE_BLOCKED,
        {
            "reasons": [Veto("apart", ("1",), ("3",)), Veto("different_unique_ids", ("p1",), ("p3",))],
            "maestra_ids": [1, 2, 3],
        },
    )
    assert shop == before


def test_customers_merge_in_the_order_given(shop):
    """R28: the time zone of the first that has one stays"""
    shop(REGISTER, 1, email=ANN)
    shop(REGISTER, 2, mobile_phone=PHONE, time_zone="second")
    shop(REGISTER, 3, discount_card="7001", time_zone="third")
    outcome = shop.merge([3, 2], 1)
    assert [m.absorbed.maestra_id for m in outcome.merges] == [3, 2]
    assert outcome.profile.time_zone == "third"


def test_what_came_with_an_earlier_one_of_them_blocks_a_later_one(shop):
    """R28"""
    shop(REGISTER, 1, email=ANN)
    shop(REGISTER, 2, passport_id="p2")
    shop(REGISTER, 3, passport_id="p3")
    assert shop.merge([2, 3], 1).data["reasons"] == [Veto("different_unique_ids", ("p2",), ("p3",))]


def test_what_blocks_is_told_in_the_order_of_the_vetoes(shop):
    """R22, R28: whoever of several it was found with"""
    shop(REGISTER, 1, email=sent("email", ANN, gives_access=True), passport_id="p1")
    shop(REGISTER, 2, email=sent("email", BOB, gives_access=True))
    shop(REGISTER, 3, passport_id="p3")
    names = [v.name for v in shop.merge([2, 3], 1).data["reasons"]]
    assert names == ["different_unique_ids", "different_account_access"]


def test_account_access_of_different_contacts_blocks(shop):
    """R28"""
    shop(REGISTER, 1, email=sent("email", ANN, gives_access=True))
    shop(REGISTER, 2, email=sent("email", BOB, gives_access=True))
    assert [v.name for v in shop.merge([2], 1).data["reasons"]] == ["different_account_access"]


def test_the_resulting_customer_may_be_in_the_list_and_a_name_may_come_twice(shop):
    """R28"""
    shop(REGISTER, 1, email=ANN)
    shop(REGISTER, 2, mobile_phone=PHONE)
    assert len(shop.merge([1, 2, 2], 1).merges) == 1
    assert shop.merge([1], 1).status is OutcomeStatus.UNCHANGED


def test_a_value_claimed_here_and_held_there_is_what_they_share(shop):
    """R41"""
    shop(REGISTER, 1, email=ANN, mobile_phone=PHONE, personal_action=True)
    shop(REGISTER, 2, email=BOB, mobile_phone=sent("mobile_phone", PHONE, must_be_confirmed=True))
    outcome = shop.merge([2], 1)
    assert outcome.merges[0].decision.matched == (key("mobile_phone", PHONE),)
    assert outcome.profile.claims == {}


def test_a_named_anonymous_customer_becomes_identified(shop):
    """R28, R33"""
    shop(REGISTER, 1, device_id=COOKIE)
    shop(REGISTER, 2, email=EVE)
    outcome = shop.merge([2], 1)
    assert outcome.changes[-1] == IdentifiedChanged(customer=1, maestra_id=1, is_identified=True)


# Who of several has priority


def test_of_several_the_one_that_beats_all_others_is_first(shop):
    """R29: whatever their order"""
    shop(REGISTER, 1, email=ANN)
    shop(ORDER, 2, email=BOB, order=order("1"))
    shop(REGISTER, 3, email=EVE, personal_action=True)
    profiles = [shop.profiles[n] for n in (3, 1, 2)]
    assert rank(profiles) == Ranking(2, {3: "orders", 1: "orders"})
    assert rank(profiles[:2]) == Ranking(3, {1: "last_activity"})
    assert rank(profiles[1:2]) == Ranking(1, {})


def test_they_are_tested_in_the_order_of_their_maestra_ids(shop):
    """R29: confirmed contacts of their own go round in a circle"""
    held = (
        holding("email", ANN, 1, confirmed_at=day(1)),
        holding("mobile_phone", PHONE, 2, confirmed_at=day(1)),
    )
    claim = Claim("email", ANN, Category.EMAIL, ANN, 2, day(1))
    one = profile(1, held[0], registered=1)
    two = replace(profile(2, held[1], registered=2), claims={claim.key: claim})
    assert rank([two, one]) == Ranking(1, {2: "this_contact_confirmed"})


def test_the_contact_that_one_holds_and_the_other_claims_decides(shop):
    """R29: the strongest; what both only claim, and what is no contact, does not"""
    email = holding("email", ANN, 2, confirmed_at=day(1))
    card = holding("discount_card", "7001", 1, confirmed_at=day(1), gives_access=True)
    session = holding("session_key", "s", 1)
    claims = [
        Claim(kind, value, Category.EMAIL, value, 1, day(1))
        for kind, value in (("email", ANN), ("email", BOB))
    ]
    one = replace(profile(1, card, session, registered=1), claims={claim.key: claim for claim in claims})
    claimed = [Claim(h.kind, h.value, h.category, h.raw, 2, day(1)) for h in (card, session)]
    both = [*claimed, Claim("email", BOB, Category.EMAIL, BOB, 2, day(1))]
    two = replace(profile(2, email, registered=2), claims={claim.key: claim for claim in both})
    assert rank([one, two]) == Ranking(2, {1: "this_contact_confirmed"})


def test_without_a_contact_in_common_the_first_two_criteria_do_not_count(shop):
    """R29"""
    one = profile(1, holding("email", ANN, 1, gives_access=True), registered=1)
    two = profile(2, holding("email", BOB, 2), registered=2)
    assert rank([one, two]) == Ranking(1, {2: "any_account_access"})
