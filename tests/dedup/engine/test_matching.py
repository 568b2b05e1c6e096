"""Whom a record is tested against, and what it brings to the one it joins or merges with (R22, R36, R44)."""

import pytest

from customers.changes import Decision, Held, Joined
from customers.profile import Personal
from dedup.engine.outcome import Outcome
from dedup.engine.reasons import Reason
from dedup.engine.record import Mode, Operation
from dedup.engine.warnings import RecordWarning, WarningCode
from tests.dedup.engine.builders import (
    ANN,
    BOB,
    CARD,
    COOKIE,
    EVE,
    HASH,
    NOW,
    PHONE,
    PHONE_2,
    SESSION,
    Memory,
    day,
    holding,
    key,
    order,
    record,
    sent,
    undated,
)

REGISTER, UPSERT, EDIT, ORDER = Operation.REGISTER, Operation.UPSERT, Operation.EDIT, Operation.ORDER


@pytest.fixture
def shop():
    return Memory()


def by_id(number):
    return key("maestra_id", str(number))


def primaries(profile):
    """Of each e-mail, whether it is the primary."""
    return {h.value: h.is_primary for h in profile.holdings.values() if h.kind == "email"}


def statuses(outcomes):
    """Of those that were not refused."""
    return [outcome.status.value for outcome in outcomes if isinstance(outcome, Outcome)]


# Whom it is tested against


def test_a_customer_is_tested_by_the_strongest_kind_it_shares_whatever_else_it_shares(shop):
    """R22: the session key that comes after the e-mail does not put its holder back"""
    shop(REGISTER, 1, mobile_phone=PHONE, discount_card=sent("discount_card", "1", gives_access=True))
    access = sent("discount_card", "2", gives_access=True)
    shop(REGISTER, 2, email=ANN, session_key=SESSION, discount_card=access)
    outcome = shop(REGISTER, 3, email=ANN, session_key=SESSION, mobile_phone=PHONE)
    assert (outcome.customer, [m.right for m in outcome.blocked_matches]) == (2, [1])


def test_a_payment_card_cleared_earlier_in_a_batch_joins_nobody(shop):
    """R10, R44"""
    shop(REGISTER, 1, email=ANN, cards=(HASH,))
    outcomes = shop.submit(
        record(EDIT, 2, lookup=by_id(1), clears=frozenset({"payment_card_hash"})),
        record(REGISTER, 3, mobile_phone=PHONE, cards=(HASH,)),
    )
    assert [(outcome.status.value, outcome.customer) for outcome in outcomes] == [
        ("unchanged", 1),
        ("created", 2),
    ]


# Joining


def test_a_former_value_that_a_joining_record_brings_stays_a_former_one_of_who_retired_it(shop):
    """R3"""
    shop(REGISTER, 1, email=ANN, passport_id="old")
    shop(EDIT, 2, lookup=by_id(1), passport_id="new")
    shop(REGISTER, 3, email=BOB)
    assert shop(REGISTER, 4, email=BOB, passport_id="old").customer == 2
    assert [{k.value for k in shop.profiles[n].holdings} for n in (1, 2)] == [
        {ANN, "old", "new"},
        {BOB, "old"},
    ]


def test_the_first_of_a_list_leads_where_the_joining_record_has_priority(shop):
    """R14, R36"""
    shop(REGISTER, 1, email=ANN)
    outcome = shop(REGISTER, 2, email=[BOB, ANN], personal_action=True)
    assert primaries(outcome.profile) == {ANN: False, BOB: True}


def test_a_contact_that_joins_without_priority_is_secondary_beside_the_customers_own(shop):
    """R7, R36"""
    shop(REGISTER, 1, email=ANN, personal_action=True)
    outcome = shop(REGISTER, 2, email=[BOB, ANN])
    assert outcome.profile.holdings == {
        key("email", ANN): holding("email", ANN, 1, since=1, is_primary=True, used_at=day(2)),
        key("email", BOB): holding("email", BOB, 1, since=2, is_primary=False),
    }


def test_a_contact_of_a_new_type_joins_as_primary_without_priority_too(shop):
    """R7, R36: at once, not as a change of its own"""
    shop(REGISTER, 1, email=ANN, personal_action=True)
    outcome = shop(REGISTER, 2, email=ANN, mobile_phone=PHONE)
    decision = Decision(
        reason=Reason.MATCHED_EXACTLY, matched=(key("email", ANN),), priority=1, criterion="last_activity"
    )
    new = holding("mobile_phone", PHONE, 1, since=2, is_primary=True)
    assert undated(outcome.changes) == (
        Joined(customer=1, maestra_id=1, decision=decision),
        Held(customer=1, maestra_id=1, before=None, after=new),
    )


def test_fill_gives_personal_data_to_a_customer_that_has_none_and_goes_first(shop):
    """R44"""
    shop(REGISTER, 1, email=ANN, personal_action=True)
    outcome = shop(UPSERT, 2, mode=Mode.FILL, email=ANN, personal={"last_name": "Ray"})
    assert outcome.profile.personal == Personal(last_name="Ray")


# What `fill` ignores


def test_what_fill_ignores_matches_nobody(shop):
    """R44: neither in a record that joins nor in one that edits"""
    shop(REGISTER, 1, email=ANN, discount_card=CARD)
    shop(REGISTER, 1, discount_card="7002", mobile_phone=PHONE)
    for values in ({"email": ANN}, {"maestra_id": 1}):
        outcome = shop(UPSERT, 2, mode=Mode.FILL, discount_card="7002", **values)
        assert (outcome.merges, outcome.conflicts, outcome.moved, outcome.blocked_matches) == ((), (), (), ())
        assert outcome.profile.holdings.keys() == {key("email", ANN), key("discount_card", CARD)}
    assert shop.profiles.keys() == {1, 2}


def test_what_fill_ignores_vetoes_nothing(shop):
    """R44: whom a contact names is the one to be filled in, as in an edit"""
    shop(REGISTER, 1, email=ANN, mobile_phone=PHONE, passport_id="p")
    outcome = shop(UPSERT, 2, mode=Mode.FILL, email=ANN, mobile_phone=PHONE_2, passport_id="q", crm_id="1")
    assert (outcome.status, outcome.customer, shop.profiles.keys()) == ("joined", 1, {1})
    filled = {key("email", ANN), key("mobile_phone", PHONE), key("passport_id", "p"), key("crm_id", "1")}
    assert outcome.profile.holdings.keys() == filled


@pytest.mark.parametrize("shared", [{"device_id": COOKIE}, {"cards": (HASH,)}])
def test_a_record_with_contacts_of_its_own_fills_in_nobody_who_used_the_same_device(shop, shared):
    """R8, R10, R44: it is about somebody else, whose contacts would be lost"""
    shop(REGISTER, 1, email=ANN, **shared)
    outcome = shop(UPSERT, 2, mode=Mode.FILL, email=BOB, **shared)
    assert (outcome.status, outcome.profile.holdings.keys() >= {key("email", BOB)}) == ("created", True)


def test_what_fill_ignores_counts_for_no_priority(shop):
    """R29, R44"""
    shop(REGISTER, 1, email=ANN, mobile_phone=PHONE, personal_action=True)
    access = sent("mobile_phone", PHONE_2, gives_access=True)
    outcome = shop(UPSERT, 2, mode=Mode.FILL, email=ANN, mobile_phone=access)
    (joined,) = (c for c in outcome.changes if isinstance(c, Joined))
    assert (joined.decision.priority, joined.decision.criterion) == (1, "last_activity")


@pytest.mark.parametrize("values", [{"lookup": by_id(1)}, {"email": ANN}], ids=["edits", "joins"])
def test_what_fill_ignores_refuses_nothing(shop, values):
    """R16, R44: though somebody else signs in with it"""
    shop(REGISTER, 1, email=ANN, mobile_phone=PHONE)
    access = sent("mobile_phone", PHONE_2, gives_access=True)
    shop(REGISTER, 1, mobile_phone=access, email=BOB)
    operation = EDIT if "lookup" in values else UPSERT
    assert shop(operation, 2, mode=Mode.FILL, mobile_phone=access, **values).customer == 1
    assert shop.profiles[2].holdings[key("mobile_phone", PHONE_2)].gives_access


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"maestra_id": 1}, "ambiguous_customer"),
        ({"email": ANN, "lookup_by": ("email",)}, "ambiguous_customer"),
        ({"email": ANN, "lookup_by": ()}, "technical_id_not_unique"),
    ],
)
def test_fill_ignores_no_unique_value_of_another_customer(shop, values, code):
    """R2, R17, R44: it says that the record is about somebody else"""
    shop(REGISTER, 1, email=ANN, crm_id="1")
    shop(REGISTER, 1, email=BOB, crm_id="2")
    assert shop.refusal(UPSERT, 2, mode=Mode.FILL, crm_id="2", **values)[0] == code


@pytest.mark.parametrize("values", [{"lookup": by_id(1)}, {"email": ANN}], ids=["edits", "joins"])
def test_what_fill_ignores_moves_nowhere(shop, values):
    """R4, R32, R44"""
    shop(REGISTER, 1, email=ANN, session_key=SESSION)
    shop(REGISTER, 1, email=BOB, session_key="session-2")
    own = {"lookup_by": ()}
    outcome = shop(
        EDIT if "lookup" in values else UPSERT, 2, mode=Mode.FILL, session_key="session-2", **values, **own
    )
    assert (outcome.customer, outcome.moved) == (1, ())
    assert shop.profiles[2].holdings.keys() == {key("email", BOB), key("session_key", "session-2")}


@pytest.mark.parametrize("values", [{"lookup": by_id(1)}, {"discount_card": CARD}], ids=["edits", "joins"])
def test_in_fill_a_held_contact_gets_its_flags_and_stays_secondary(shop, values):
    """R14, R44: even where it is asked for as the primary, by a record with priority"""
    shop(REGISTER, 1, email=[ANN, BOB], discount_card=CARD)
    again = sent("email", BOB, is_primary=True, gives_access=True)
    operation = EDIT if "lookup" in values else UPSERT
    outcome = shop(operation, 2, mode=Mode.FILL, email=again, personal_action=True, **values)
    assert primaries(outcome.profile) == {ANN: True, BOB: False}
    assert outcome.profile.holdings[key("email", BOB)].gives_access


def test_no_confirmation_is_asked_for_what_fill_ignores(shop):
    """R44, R45: though the customer claims it"""
    proven = sent("email", ANN, must_be_confirmed=True, is_confirmed=True)
    shop(REGISTER, 1, email=proven)
    pending = sent("email", BOB, must_be_confirmed=True)
    assert shop(EDIT, 2, lookup=by_id(1), email=pending).profile.claims.keys() == {key("email", BOB)}
    assert shop(EDIT, 3, lookup=by_id(1), mode=Mode.FILL, email=pending).changes == ()


# Merging


def test_the_primary_that_yields_to_a_contact_brought_by_the_record_is_remembered(shop):
    """R7, R36"""
    shop(REGISTER, 1, email=ANN, personal_action=True)
    shop(REGISTER, 2, email=BOB)
    outcome = shop(EDIT, 3, lookup=by_id(1), email=sent("email", BOB, is_primary=True))
    assert [m.decision.priority for m in outcome.merges] == [1]
    assert outcome.profile.holdings == {
        key("email", ANN): holding("email", ANN, 1, since=1, was_primary_at=NOW),
        key("email", BOB): holding("email", BOB, 2, since=2, is_primary=True, used_at=day(3)),
    }


@pytest.mark.parametrize(
    ("is_asked_for", "expected"),
    [(True, {ANN: False, BOB: True, EVE: False}), (False, {ANN: False, BOB: False, EVE: True})],
    ids=["asked for by its flag", "the one new value"],
)
def test_after_a_merge_a_contact_leads_against_priority_only_if_asked_for(shop, is_asked_for, expected):
    """R14, R36, R43: the other customer goes first, whose primary is another one"""
    shop(REGISTER, 1, email=ANN)
    shop(ORDER, 2, email=[EVE, BOB], order=order())
    outcome = shop(EDIT, 3, lookup=by_id(1), email=sent("email", BOB, is_primary=is_asked_for))
    assert [m.decision.priority for m in outcome.merges] == [2]
    assert primaries(outcome.profile) == expected


def test_fill_replaces_no_primary_by_another_contact_held(shop):
    """R44: not even one that is asked for"""
    shop(REGISTER, 1, email=[ANN, BOB])
    outcome = shop(EDIT, 2, lookup=by_id(1), mode=Mode.FILL, email=sent("email", BOB, is_primary=True))
    assert (undated(outcome.changes), primaries(outcome.profile)) == ((), {ANN: True, BOB: False})


# Being new


def test_the_warnings_a_record_came_with_are_those_of_its_outcome(shop):
    """R12"""
    came_with = (RecordWarning(WarningCode.BLOCKED_VALUE, "device_id"),)
    assert shop(REGISTER, 1, email=ANN, warnings=came_with).warnings == came_with


def test_a_new_record_goes_behind_a_customer_of_the_same_moment(shop):
    """R29: it counts as the highest MaestraID"""
    shop(REGISTER, 1, email=ANN, mobile_phone=PHONE)
    outcome = shop(REGISTER, 1, email=BOB, mobile_phone=PHONE)
    assert [(c.kept_by, c.lost_by, c.criterion) for c in outcome.conflicts] == [(1, 2, "lower_maestra_id")]


def test_a_new_anonymous_customer_has_not_become_anonymous(shop):
    """R1, R8: only a change of it is told"""
    outcome = shop(REGISTER, 1, device_id=COOKIE)
    assert [type(change).__name__ for change in outcome.changes] == ["Created", "Held"]


def test_a_customer_identified_earlier_in_a_batch_does_not_become_it_again(shop):
    """R1"""
    first, second = shop.submit(record(REGISTER, 1, email=ANN), record(UPSERT, 2, email=ANN, time_zone="A"))
    told = [[type(change).__name__ for change in undated(outcome.changes)] for outcome in (first, second)]
    assert told == [["Created", "Held", "IdentifiedChanged"], ["Joined", "TimeZoneChanged"]]


def test_one_user_of_a_device_counts_once_in_the_batch_that_makes_them_identified():
    """R26"""
    shop = Memory(shared_device_limit=1)
    outcomes = shop.submit(
        record(REGISTER, 1, email=ANN, device_id=COOKIE),
        record(REGISTER, 2, mobile_phone=PHONE, device_id=COOKIE),
    )
    assert statuses(outcomes) == ["created", "joined"]


def test_a_device_shared_since_earlier_in_a_batch_joins_nobody():
    """R26: its users were identified before"""
    shop = Memory(shared_device_limit=1)
    shop(REGISTER, 1, email=ANN)
    shop(REGISTER, 1, email=BOB)
    outcomes = shop.submit(
        record(EDIT, 2, lookup=by_id(1), device_id=COOKIE),
        record(EDIT, 3, lookup=by_id(2), device_id=COOKIE),
        record(REGISTER, 4, mobile_phone=PHONE, device_id=COOKIE),
    )
    assert statuses(outcomes) == ["changed", "changed", "created"]
