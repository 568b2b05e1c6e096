"""Taking a merge back (R46), clause by clause."""

from dataclasses import replace
from decimal import Decimal

import pytest

from customers.changes import KeptApart, OptedOut, Unmerged, Why
from customers.profile import (
    Channel,
    Membership,
    Note,
    Personal,
    Subscription,
    SubscriptionStatus,
)
from dedup.engine.record import Operation, PointsMovement, SentMembership, SentSubscription
from dedup.engine.undo import Journal
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
    kinds,
    order,
    profile,
    sent,
)

REGISTER, EDIT, ORDER, CONFIRM = Operation.REGISTER, Operation.EDIT, Operation.ORDER, Operation.CONFIRM
NEWS = Channel("email", "news")


def subscription(status):
    return (SentSubscription(NEWS, status),)


def full(number, *, email, phone, crm_id, status):
    """A customer with something of everything."""
    return {
        "email": [sent("email", email, is_primary=True), f"second-{email}"],
        "mobile_phone": phone,
        "crm_id": crm_id,
        "device_id": f"cookie-{number}",
        "cards": (HASH,),
        "personal": {"last_name": f"Name {number}"},
        "time_zone": f"Zone {number}",
        "custom_fields": {"size": number},
        "subscriptions": subscription(status),
        "memberships": (SentMembership(1, number),),
    }


@pytest.fixture
def shop():
    """Two customers with something of everything, not merged yet."""
    memory = Memory()
    memory(
        REGISTER, 1, **full(1, email=ANN, phone=PHONE, crm_id="301", status=SubscriptionStatus.UNSUBSCRIBED)
    )
    memory(
        REGISTER,
        2,
        passport_id="p",
        **full(2, email=BOB, phone=PHONE_2, crm_id="302", status=SubscriptionStatus.SUBSCRIBED),
    )
    return memory


def by_id(number):
    return key("maestra_id", str(number))


def held(memory, maestra_id):
    return {k.value for k, h in memory.profiles[maestra_id].holdings.items() if not h.is_former}


def test_undone_at_once_both_are_exactly_as_before(shop):
    """R46: whichever results"""
    for survivor, absorbed in ((1, 2), (2, 1)):
        memory = shop.copy()
        memory.merge([absorbed], survivor)
        memory.undo()
        assert memory.profiles == shop.profiles


def test_the_pair_is_apart_until_a_person_lifts_it(shop):
    """R22, R46"""
    shop.merge([2], 1)
    outcome = shop.undo()
    assert outcome.changes[-2:] == (
        KeptApart(customer=1, maestra_id=1, other=2, why=Why.UNDO),
        KeptApart(customer=2, maestra_id=2, other=1, why=Why.UNDO),
    )
    assert [v.name for v in shop.merge([2], 1).data["reasons"]] == ["apart"]
    shop.lift_apart(1, 2)
    assert shop.merge([2], 1).customer == 1


def test_claims_and_payment_cards_both_had_come_back_to_both():
    """R46"""
    shop = Memory()
    shop(REGISTER, 1, email=EVE, mobile_phone=PHONE, passport_id="p", personal_action=True)
    for number, email in ((2, ANN), (3, BOB)):
        claimed = sent("mobile_phone", PHONE, must_be_confirmed=True)
        shop(REGISTER, number, email=email, mobile_phone=claimed, cards=(HASH,))
    before = dict(shop.profiles)
    assert all(before[number].claims and before[number].cards for number in (2, 3))
    shop.merge([3], 2)
    shop.undo()
    assert shop.profiles == before


def test_a_claim_on_what_the_other_held_comes_back():
    """R46"""
    shop = Memory()
    shop(REGISTER, 1, email=ANN, mobile_phone=PHONE, personal_action=True)
    shop(REGISTER, 2, email=BOB, mobile_phone=sent("mobile_phone", PHONE, must_be_confirmed=True))
    before = dict(shop.profiles)
    shop.merge([2], 1)
    assert shop.profiles[1].claims == {}
    shop.undo()
    assert shop.profiles == before


def test_a_claim_does_not_come_back_on_what_was_cleared_since():
    """R44, R46"""
    shop = Memory()
    shop(REGISTER, 1, email=ANN, mobile_phone=PHONE, personal_action=True)
    shop(REGISTER, 2, email=BOB, mobile_phone=sent("mobile_phone", PHONE, must_be_confirmed=True))
    shop.merge([2], 1)
    shop(EDIT, 3, lookup=by_id(1), clears=frozenset({"mobile_phone"}))
    shop.undo()
    assert shop.profiles[2].claims == {}


def test_single_values_changed_since_keep_the_newer_value_on_the_survivor(shop):
    """R46"""
    before = shop.profiles[2]
    shop.merge([2], 1)
    shop(
        EDIT, 5, lookup=by_id(1), personal={"last_name": "New"}, time_zone="New", custom_fields={"size": 9},
        subscriptions=subscription(SubscriptionStatus.AWAITING_CONFIRMATION),
        memberships=(SentMembership(1, 3),),
    )  # fmt: skip
    shop.undo()
    survivor = shop.profiles[1]
    assert (survivor.personal, survivor.time_zone, survivor.custom_fields) == (
        Personal(last_name="New"),
        "New",
        {"size": 9},
    )
    assert survivor.subscriptions == {NEWS: Subscription(SubscriptionStatus.AWAITING_CONFIRMATION, day(5))}
    assert survivor.memberships == {1: Membership(3, day(5))}
    assert shop.profiles[2] == before


def test_one_custom_field_changed_since_does_not_keep_the_others():
    """R46"""
    shop = Memory()
    shop(REGISTER, 1, email=ANN)
    shop(REGISTER, 2, mobile_phone=PHONE, custom_fields={"size": 1, "pet": "cat"})
    shop.merge([2], 1)
    shop(EDIT, 3, lookup=by_id(1), custom_fields={"size": 2})
    shop.undo()
    assert (shop.profiles[1].custom_fields, shop.profiles[2].custom_fields) == (
        {"size": 2},
        {"size": 1, "pet": "cat"},
    )


def test_a_primary_chosen_since_stays_primary_on_the_survivor(shop):
    """R46"""
    shop.merge([2], 1)
    shop(EDIT, 3, lookup=by_id(1), email=EVE)
    shop.undo()
    assert shop.profiles[1].primary("email").value == EVE
    assert shop.profiles[2].primary("email").value == BOB


def test_a_primary_chosen_since_that_goes_to_the_other_side_leads_neither(shop):
    """R46: the other gets its own before"""
    shop.merge([2], 1)
    shop(EDIT, 3, lookup=key("email", BOB), email=EVE)
    shop.undo()
    assert shop.profiles[1].primary("email").value == ANN
    assert shop.profiles[2].primary("email").value == BOB
    assert EVE in held(shop, 2)


def test_an_identifier_cleared_since_does_not_return_and_the_side_gets_a_note(shop):
    """R46"""
    shop.merge([2], 1)
    shop(EDIT, 3, lookup=by_id(1), clears=frozenset({"mobile_phone"}))
    shop.undo()
    assert not {PHONE, PHONE_2} & (held(shop, 1) | held(shop, 2))
    assert shop.profiles[1].notes == (Note(NOW, 1, "not_returned", "mobile_phone", PHONE),)
    assert shop.profiles[2].notes == (Note(NOW, 2, "not_returned", "mobile_phone", PHONE_2),)


def test_an_identifier_lost_since_does_not_return_and_the_side_gets_a_note(shop):
    """R46"""
    shop.merge([2], 1)
    winner = sent("mobile_phone", PHONE_2, must_be_confirmed=True, is_confirmed=True)
    assert shop(REGISTER, 3, email=EVE, mobile_phone=winner).customer == 3
    shop.undo()
    assert PHONE_2 in held(shop, 3)
    assert shop.profiles[2].notes[-1] == Note(NOW, 2, "not_returned", "mobile_phone", PHONE_2)


def test_an_identifier_cleared_and_registered_anew_with_the_other_side_stays_there(shop):
    """R46"""
    shop.merge([2], 1)
    shop(EDIT, 3, lookup=by_id(1), clears=frozenset({"device_id"}))
    shop(EDIT, 4, lookup=by_id(1), device_id="cookie-2")
    shop.undo()
    assert "cookie-2" in held(shop, 1)
    assert shop.profiles[2].notes == (Note(NOW, 2, "not_returned", "device_id", "cookie-2"),)


def test_a_unique_id_the_merge_retired_is_current_again(shop):
    """R3, R46"""
    shop.merge([2], 1)
    assert shop.profiles[1].current("crm_id").value == "301"
    shop.undo()
    assert [shop.profiles[number].current("crm_id").value for number in (1, 2)] == ["301", "302"]


def test_a_newer_unique_id_stays_current_on_the_side_it_came_to(shop):
    """R2, R46: and retires nothing on the other"""
    for side, current in ((1, ["303", "302"]), (2, ["301", "303"])):
        memory = shop.copy()
        memory.merge([2], 1)
        memory(EDIT, 3, lookup=by_id(side), crm_id="303")
        memory.undo()
        assert [memory.profiles[number].current("crm_id").value for number in (1, 2)] == current


def test_a_unique_id_cleared_since_stays_in_history(shop):
    """R44, R46"""
    shop.merge([2], 1)
    shop(EDIT, 3, lookup=by_id(1), clears=frozenset({"crm_id"}))
    shop.undo()
    assert shop.profiles[1].current("crm_id") is None
    assert shop.profiles[1].holdings[key("crm_id", "301")].is_former


def test_flags_that_came_with_the_merge_go_with_it():
    """R46"""
    shop = Memory()
    shop(REGISTER, 1, email=ANN)
    shop(REGISTER, 2, mobile_phone=PHONE)
    before = shop.profiles[2]
    brought = sent("mobile_phone", PHONE, must_be_confirmed=True, is_confirmed=True, gives_access=True)
    assert shop(EDIT, 3, lookup=by_id(1), mobile_phone=brought).merges
    shop.undo()
    phone = before.holdings[key("mobile_phone", PHONE)]
    assert shop.profiles[2] == replace(before, holdings={phone.key: replace(phone, used_at=day(3))})


def test_flags_set_since_stay(shop):
    """R46"""
    shop.merge([2], 1)
    confirmed = sent("email", BOB, must_be_confirmed=True, is_confirmed=True, gives_access=True)
    shop(CONFIRM, 3, lookup=by_id(1), email=confirmed)
    shop.undo()
    back = shop.profiles[2].holdings[key("email", BOB)]
    assert (back.gives_access, back.must_be_confirmed, back.confirmed_at) == (True, True, day(3))


@pytest.mark.parametrize(
    ("lookup", "origin_id"),
    [
        (by_id(2), 2),
        (by_id(1), 1),
        (key("email", BOB), 2),
        (key("mobile_phone", PHONE), 1),
    ],
    ids=["a former MaestraID", "the primary", "what came to the former", "what came to the primary"],
)
def test_what_was_written_since_follows_the_maestra_id_it_bears(shop, lookup, origin_id):
    """R46"""
    shop.merge([2], 1)
    points = PointsMovement(Decimal(5), "welcome")
    shop(Operation.POINTS, 3, lookup=lookup, points=points)
    shop(EDIT, 3, lookup=lookup, session_key=SESSION, cards=("new",))
    shop.undo()
    other = 3 - origin_id
    assert [shop.profiles[n].members[0].points_balance for n in (origin_id, other)] == [5, 0]
    assert [SESSION in held(shop, n) for n in (origin_id, other)] == [True, False]
    assert ["new" in shop.profiles[n].cards for n in (origin_id, other)] == [True, False]


def test_an_order_stays_with_the_maestra_id_it_came_to(shop):
    """R39, R46"""
    shop.merge([2], 1)
    shop(ORDER, 3, maestra_id=2, order=order("since"))
    shop.undo()
    assert [shop.profiles[number].orders_count for number in (1, 2)] == [0, 1]


def test_an_order_sent_again_after_the_undo_is_the_same_one(shop):
    """R46, R57"""
    shop.merge([2], 1)
    shop(ORDER, 3, maestra_id=2, order=order("since"))
    shop.undo()
    shop(ORDER, 4, maestra_id=2, order=order("since", total="99"))
    assert [shop.profiles[number].members[0].orders_total for number in (1, 2)] == [0, 99]


def test_notes_written_since_stay_with_the_maestra_id_they_bear(shop):
    """R30, R46"""
    shop(REGISTER, 3, email=EVE, discount_card=sent("discount_card", CARD, gives_access=True))
    shop.merge([2], 1)
    shop(EDIT, 4, lookup=by_id(2), discount_card=CARD)
    shop.undo()
    assert [[n.reason for n in shop.profiles[number].notes] for number in (1, 2)] == [[], ["contact_lost"]]


def test_a_refusal_of_all_messages_since_holds_for_both(shop):
    """R46, R53"""
    shop.merge([2], 1)
    shop.take([OptedOut(customer=1, maestra_id=1, before=None, at=day(5))])
    shop.undo()
    refused = Subscription(SubscriptionStatus.UNSUBSCRIBED, day(5))
    assert [shop.profiles[number].opted_out_at for number in (1, 2)] == [day(5), day(5)]
    assert shop.profiles[2].subscriptions == {NEWS: refused}


def test_merges_are_undone_from_the_latest_on():
    """R46"""
    shop = Memory()
    for number, email in enumerate((ANN, BOB, EVE), 1):
        shop(REGISTER, number, email=email, device_id=f"{COOKIE}-{number}", session_key=f"s-{number}")
    states = [dict(shop.profiles)]
    shop.merge([2], 1)
    states.append(dict(shop.profiles))
    shop.merge([3], 1)
    shop.undo()
    assert shop.profiles == states[1]
    shop.undo()
    assert shop.profiles == states[0]


def test_an_absorbed_profile_comes_back_with_all_its_maestra_ids(shop):
    """R1, R46"""
    shop(REGISTER, 3, email=EVE)
    shop.merge([2], 3)
    before = dict(shop.profiles)
    shop.merge([3], 1)
    assert shop.primary_ids == {1: 1, 2: 1, 3: 1}
    shop.undo()
    assert (shop.primary_ids, shop.profiles) == ({1: 1, 2: 3, 3: 3}, before)


def test_after_an_undo_a_device_in_use_does_not_bring_them_together_again(shop):
    """R22, R46"""
    shop.merge([2], 1)
    shop.undo()
    outcome = shop(EDIT, 5, lookup=by_id(1), device_id="cookie-2")
    assert (outcome.merges, outcome.blocked_matches[0].vetoes[0].name) == ((), "apart")
    assert outcome.moved[0].taker == 1


def test_a_former_id_does_not_become_current_where_the_current_one_was_cleared():
    """R3, R46"""
    shop = Memory()
    shop(REGISTER, 1, crm_id="301", email=ANN)
    shop(EDIT, 2, lookup=by_id(1), crm_id="302")
    shop(REGISTER, 3, mobile_phone=PHONE)
    shop.merge([2], 1)
    shop(EDIT, 4, lookup=by_id(1), clears=frozenset({"crm_id"}))
    shop.undo()
    assert shop.profiles[1].current("crm_id") is None


def test_a_customer_that_gets_its_id_back_is_identified_again():
    """R46: though all it is left with is a device and a former ID"""
    shop = Memory()
    shop(REGISTER, 1, crm_id="1")
    shop(ORDER, 2, crm_id="2", email=BOB, order=order())
    shop(EDIT, 3, lookup=by_id(1), device_id=COOKIE)
    assert shop(EDIT, 4, lookup=by_id(2), device_id=COOKIE).merges
    shop.undo()
    assert not shop.profiles[1].holdings[key("crm_id", "1")].is_former
    assert shop.identified == {1: True, 2: True}


def test_the_unique_ids_of_either_side_decide_what_an_undo_reads():
    """R3, R46"""
    former = holding("passport_id", "p", 2, is_former=True, retired_at=day(2))
    sides = profile(1, holding("crm_id", "301"), holding("email", ANN)), profile(2, former)
    journal = Journal(1, survivor=sides[0], absorbed=sides[1], result=profile(1))
    assert journal.unique_ids() == {key("crm_id", "301"), key("passport_id", "p")}


def test_an_id_registered_elsewhere_since_the_merge_comes_back_as_a_former_one(strict):
    """R3, R46: with a note, though the side has the value still among its former ones"""
    shop = Memory()
    shop(REGISTER, 1, email=ANN, crm_id="301")
    shop(REGISTER, 2, mobile_phone=PHONE, crm_id="103")
    shop.merge([2], 1)
    (retired,) = (h for h in shop.profiles[1].holdings.values() if h.is_former)
    shop.kinds = strict
    shop(REGISTER, 3, email=BOB, crm_id=retired.value)
    shop.undo()
    (side,) = (p for p in shop.profiles.values() if retired.origin in p.maestra_ids)
    assert side.holdings[retired.key].is_former
    assert [(n.reason, n.value) for n in side.notes] == [("not_returned", retired.value)]


def test_both_sides_of_an_undone_merge_keep_a_former_id_that_both_had(strict):
    """R3, R46"""
    shop = Memory(kinds=strict)
    shop(REGISTER, 1, email=ANN, crm_id="old")
    shop(EDIT, 2, lookup=by_id(1), crm_id="a")
    shop(REGISTER, 3, email=BOB, crm_id="old")
    shop(EDIT, 4, lookup=by_id(2), crm_id="b", clears=frozenset({"email"}))
    before = dict(shop.profiles)
    shop.kinds = kinds
    shop.merge([2], 1)
    assert {h.value: h.is_former for h in shop.profiles[1].holdings.values() if h.kind == "crm_id"} == {
        "old": True, "a": False, "b": True,
    }  # fmt: skip
    shop.undo()
    assert shop.profiles == before


@pytest.fixture
def strict():
    """All the kinds, with the switch of the CRM ID on."""
    return {**kinds, "crm_id": replace(kinds["crm_id"], do_not_merge_different=True)}


def test_claims_on_what_a_third_customer_holds_are_split_without_a_change_of_their_own():
    """R46"""
    shop = Memory()
    shop(REGISTER, 1, email=EVE, mobile_phone=[PHONE, PHONE_2], personal_action=True)
    for number, email, phone in ((2, ANN, PHONE), (3, BOB, PHONE_2)):
        shop(REGISTER, number, email=email, mobile_phone=sent("mobile_phone", phone, must_be_confirmed=True))
    before = dict(shop.profiles)
    shop.merge([3], 2)
    outcome = shop.undo()
    assert [list(before[n].claims) for n in (2, 3)] == [
        [key("mobile_phone", PHONE)],
        [key("mobile_phone", PHONE_2)],
    ]
    assert shop.profiles == before
    (split,) = (change for change in outcome.changes if isinstance(change, Unmerged))
    assert (split.restored.claims, split.remaining.claims) == (before[3].claims, before[2].claims)


def test_what_the_survivor_got_where_it_had_nothing_goes_back():
    """R46"""
    shop = Memory()
    shop(REGISTER, 1, email=ANN)
    shop(REGISTER, 2, mobile_phone=PHONE, personal={"last_name": "Ray"}, time_zone="Europe/Rome")
    before = dict(shop.profiles)
    shop.merge([2], 1)
    assert (shop.profiles[1].personal, shop.profiles[1].time_zone) == (Personal("Ray"), "Europe/Rome")
    shop.undo()
    assert shop.profiles == before


@pytest.mark.parametrize("opted_out", [1, 2], ids=["of the survivor", "of the absorbed"])
def test_a_refusal_of_all_messages_before_the_merge_stays_with_its_side(shop, opted_out):
    """R46, R53"""
    shop.take([OptedOut(customer=opted_out, maestra_id=opted_out, before=None, at=day(3))])
    before = dict(shop.profiles)
    shop.merge([2], 1)
    assert shop.profiles[1].opted_out_at == day(3)
    shop.undo()
    assert shop.profiles == before


def test_a_primary_that_came_back_yields_to_the_one_chosen_since_and_is_remembered():
    """R7, R46"""
    shop = Memory()
    both = sent("mobile_phone", PHONE, is_confirmed=True)
    shop(REGISTER, 1, email=ANN, mobile_phone=both)
    shop(ORDER, 2, email=BOB, order=order())
    assert shop(EDIT, 3, lookup=by_id(2), mobile_phone=both).merges
    shop(EDIT, 4, lookup=by_id(1), email=EVE)
    shop.undo()
    emails = [h for h in shop.profiles[1].holdings.values() if h.kind == "email"]
    assert {h.value: (h.is_primary, h.was_primary_at) for h in emails} == {
        ANN: (False, NOW),
        EVE: (True, None),
    }
