"""What a merged profile is made of (R3, R33-R39)."""

from dataclasses import fields, replace

import pytest

from customers.profile import (
    Channel,
    Claim,
    Member,
    Membership,
    Note,
    Personal,
    Profile,
    Subscription,
    SubscriptionStatus,
)
from customers.transitions import united
from dedup.engine.survivorship import SURVIVORSHIP, MergeSides, both_flags, survive
from tests.dedup.engine.builders import ANN, BOB, CARD, EVE, NOW, PHONE, day, holding, key, kinds, profile

FIRST, OTHER = profile(2), profile(1)
NEWS = Channel("email", "news")


def pair(first, other, larger=frozenset(), survivor=1):
    """The first has priority."""
    stored = {**other.holdings, **({} if first.is_new else first.holdings)}
    return MergeSides(first, other, survivor, stored, larger, NOW)


def of(field, first, other, **more):
    """What becomes of one field."""
    return getattr(survive(pair(first, other, **more)), field)


def both(field, one, two, **more):
    """The same, for either one having priority."""
    return of(field, one, two, **more), of(field, two, one, **more)


def claim(kind, value, origin):
    return Claim(kind, value, kinds[kind].category, value, origin, day(1))


def test_survivorship_names_every_field_of_a_profile():
    """R34-R39: a new field without a policy fails here"""
    assert [policy.field for policy in SURVIVORSHIP] == [f.name for f in fields(Profile)]


def test_a_missing_policy_is_an_error():
    """R34-R39"""
    partial = [policy for policy in SURVIVORSHIP if policy.field != "maestra_id"]
    with pytest.raises(TypeError):
        Profile(**{policy.field: policy.merge(pair(FIRST, OTHER)) for policy in partial})


def test_the_named_survivor_stays_primary_whatever_the_priority():
    """R33"""
    assert of("maestra_id", FIRST, OTHER, survivor=1) == 1
    assert of("maestra_id", FIRST, OTHER, survivor=2) == 2


def test_the_earlier_registration_is_the_profiles():
    """R33"""
    merged = survive(pair(profile(2, registered=5), profile(1, registered=9)))
    assert merged.registered_at == day(5)


def test_members_are_those_of_both_with_their_ledgers():
    """R39"""
    one, two = Member(1, day(1), orders_count=2), Member(2, day(2), points_count=1)
    merged = survive(pair(profile(2, members=(two,)), profile(1, members=(one,))))
    assert merged.members == (one, two)


def test_a_record_adds_no_member():
    """R22"""
    record = replace(profile(0), is_new=True)
    assert survive(pair(record, OTHER)).members == OTHER.members
    assert survive(pair(record, OTHER)).is_new is False


def test_personal_data_is_never_mixed():
    """R34"""
    one = replace(FIRST, personal=Personal(last_name="A"))
    two = replace(OTHER, personal=Personal(last_name="B", first_name="B"))
    assert both("personal", one, two) == (Personal(last_name="A"), Personal(last_name="B", first_name="B"))


def test_the_others_personal_set_counts_only_where_there_is_none():
    """R34"""
    assert of("personal", FIRST, replace(OTHER, personal=Personal(gender="female"))) == Personal(
        gender="female"
    )


def test_the_time_zone_is_the_priority_customers_else_the_others():
    """R34"""
    one, two = replace(FIRST, time_zone="A"), replace(OTHER, time_zone="B")
    assert both("time_zone", one, two) == ("A", "B")
    assert both("time_zone", FIRST, two) == ("B", "B")


def test_custom_fields_are_chosen_one_by_one():
    """R35"""
    one = replace(FIRST, custom_fields={"size": 1, "pet": "cat"})
    two = replace(OTHER, custom_fields={"size": 2, "car": "none"})
    assert both("custom_fields", one, two) == (
        {"size": 1, "pet": "cat", "car": "none"},
        {"size": 2, "pet": "cat", "car": "none"},
    )


def test_a_field_may_keep_the_larger_value():
    """R35"""
    one, two = replace(FIRST, custom_fields={"size": 1}), replace(OTHER, custom_fields={"size": 2})
    assert both("custom_fields", one, two, larger=frozenset({"size"})) == ({"size": 2}, {"size": 2})


def test_all_contacts_are_kept_and_the_primary_is_the_priority_customers():
    """R36"""
    one, two = holding("email", ANN, 2, gives_access=True), holding("email", BOB, 1, confirmed_at=day(3))
    left, right = profile(2, one), profile(1, two)
    assert of("holdings", left, right) == {
        one.key: replace(one, is_primary=True),
        two.key: replace(two, was_primary_at=NOW),
    }
    assert of("holdings", right, left) == {
        one.key: replace(one, was_primary_at=NOW),
        two.key: replace(two, is_primary=True),
    }


def test_a_type_only_one_has_keeps_its_primary():
    """R36"""
    phone = holding("mobile_phone", PHONE, 1)
    assert of("holdings", profile(2, holding("email", ANN, 2)), profile(1, phone))[phone.key].is_primary


def test_of_a_contact_a_record_shares_the_flags_of_both_count():
    """R36"""
    stored = holding("email", ANN, 1, confirmed_at=day(5), must_be_confirmed=True)
    record = replace(
        profile(0, holding("email", ANN, 0, since=9, gives_access=True, confirmed_at=day(9))), is_new=True
    )
    expected = {stored.key: replace(stored, is_primary=True, gives_access=True)}
    assert both("holdings", record, profile(1, stored)) == (expected, expected)


def test_the_priority_customers_unique_id_is_current_and_the_other_goes_to_history():
    """R3, R36"""
    one, two = holding("crm_id", "301", 2), holding("crm_id", "103", 1)

    def retired(h):
        return replace(h, is_former=True, retired_at=NOW)

    left, right = profile(2, one), profile(1, two)
    assert of("holdings", left, right) == {one.key: one, two.key: retired(two)}
    assert of("holdings", right, left) == {one.key: retired(one), two.key: two}


def test_the_only_current_unique_id_stays_current():
    """R3, R36"""
    former = holding("crm_id", "301", 2, is_former=True, retired_at=day(3))
    current = holding("crm_id", "103", 1)
    assert of("holdings", profile(2, former), profile(1, current)) == {
        former.key: former,
        current.key: current,
    }


def test_cards_devices_and_other_identifiers_are_those_of_both():
    """R36"""
    ones = [holding("discount_card", CARD, 2), holding("device_id", "a", 2), holding("session_key", "s", 2)]
    twos = [
        holding("discount_card", "7002", 1),
        holding("device_id", "b", 1),
        holding("mobile_device_id", "m", 1),
    ]
    assert of("holdings", profile(2, *ones), profile(1, *twos)) == {h.key: h for h in (*ones, *twos)}


def test_payment_card_hashes_are_those_of_both():
    """R36"""
    one, two = replace(FIRST, cards={"x": 2, "y": 2}), replace(OTHER, cards={"y": 1, "z": 1})
    assert of("cards", one, two) == {"x": 2, "y": 2, "z": 1}


def test_claims_are_those_of_both_less_what_is_now_held():
    """R36"""
    kept, met = claim("email", EVE, 2), claim("email", BOB, 2)
    one = replace(profile(2), claims={kept.key: kept, met.key: met})
    assert of("claims", one, profile(1, holding("email", BOB, 1))) == {kept.key: kept}


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        (SubscriptionStatus.SUBSCRIBED, SubscriptionStatus.UNSUBSCRIBED, SubscriptionStatus.SUBSCRIBED),
        (
            SubscriptionStatus.SUBSCRIBED,
            SubscriptionStatus.AWAITING_CONFIRMATION,
            SubscriptionStatus.SUBSCRIBED,
        ),
        (
            SubscriptionStatus.AWAITING_CONFIRMATION,
            SubscriptionStatus.UNSUBSCRIBED,
            SubscriptionStatus.AWAITING_CONFIRMATION,
        ),
    ],
)
def test_the_stronger_subscription_stays_whoever_has_priority(one, two, expected):
    """R37"""
    left = replace(FIRST, subscriptions={NEWS: Subscription(one, day(1))})
    right = replace(OTHER, subscriptions={NEWS: Subscription(two, day(9))})
    kept = {NEWS: Subscription(expected, day(1))}
    assert both("subscriptions", left, right) == (kept, kept)


def test_of_equal_subscriptions_the_later_date_stays():
    """R37"""
    left = replace(FIRST, subscriptions={NEWS: Subscription(SubscriptionStatus.SUBSCRIBED, day(1))})
    right = replace(OTHER, subscriptions={NEWS: Subscription(SubscriptionStatus.SUBSCRIBED, day(9))})
    kept = {NEWS: Subscription(SubscriptionStatus.SUBSCRIBED, day(9))}
    assert both("subscriptions", left, right) == (kept, kept)


def test_no_topic_is_a_key_of_its_own():
    """R37"""
    left = replace(
        FIRST, subscriptions={Channel("email"): Subscription(SubscriptionStatus.UNSUBSCRIBED, day(1))}
    )
    right = replace(OTHER, subscriptions={NEWS: Subscription(SubscriptionStatus.SUBSCRIBED, day(9))})
    assert of("subscriptions", left, right) == {**left.subscriptions, **right.subscriptions}


def test_an_opt_out_beats_the_others_subscriptions():
    """R37, R53"""
    left = replace(FIRST, opted_out_at=day(5))
    right = replace(OTHER, subscriptions={NEWS: Subscription(SubscriptionStatus.SUBSCRIBED, day(1))})
    refused = {NEWS: Subscription(SubscriptionStatus.UNSUBSCRIBED, day(5))}
    assert both("subscriptions", left, right) == (refused, refused)
    assert both("opted_out_at", left, right) == (day(5), day(5))


def test_who_opted_out_and_subscribed_anew_is_subscribed():
    """R37, R53"""
    anew = {NEWS: Subscription(SubscriptionStatus.SUBSCRIBED, day(7))}
    left = replace(FIRST, opted_out_at=day(5), subscriptions=anew)
    right = replace(OTHER, subscriptions={NEWS: Subscription(SubscriptionStatus.UNSUBSCRIBED, day(9))})
    assert both("subscriptions", left, right) == (anew, anew)


def test_a_later_opt_out_beats_an_earlier_new_subscription():
    """R37, R53"""
    left = replace(
        FIRST, opted_out_at=day(5), subscriptions={NEWS: Subscription(SubscriptionStatus.SUBSCRIBED, day(7))}
    )
    right = replace(OTHER, opted_out_at=day(9))
    refused = {NEWS: Subscription(SubscriptionStatus.UNSUBSCRIBED, day(9))}
    assert both("subscriptions", left, right) == (refused, refused)
    assert both("opted_out_at", left, right) == (day(9), day(9))


@pytest.mark.parametrize(
    ("one", "two", "kept"),
    [
        (Membership(1, day(2)), Membership(2, day(1)), Membership(1, day(2))),
        (Membership(1, day(1)), Membership(2, day(1)), Membership(2, day(1))),
        (Membership(1, day(1)), Membership(1, day(3)), Membership(1, day(3))),
    ],
    ids=["later date", "same date, higher segment", "same segment, later date"],
)
def test_of_two_memberships_one_stays(one, two, kept):
    """R38"""
    left, right = replace(FIRST, memberships={7: one}), replace(OTHER, memberships={7: two, 8: two})
    assert both("memberships", left, right) == ({7: kept, 8: two}, {7: kept, 8: two})


def test_notes_are_those_of_both_by_time():
    """R40"""
    early, late = Note(day(1), 1, "contact_lost", "email", ANN), Note(day(2), 2, "contact_lost", "email", BOB)
    assert of("notes", replace(FIRST, notes=(late,)), replace(OTHER, notes=(early,))) == (early, late)


def test_what_a_merge_moves_keeps_the_survivors_single_values():
    """R36, R39: survivorship then changes them by changes of their own"""
    survivor = replace(profile(1, holding("email", ANN)), time_zone="A", cards={"x": 1})
    absorbed = replace(profile(2, holding("email", BOB, 2)), time_zone="B", cards={"x": 2, "y": 2})
    assert united(survivor, absorbed) == replace(
        survivor,
        members=(*survivor.members, *absorbed.members),
        holdings={**absorbed.holdings, **survivor.holdings},
        cards={"x": 1, "y": 2},
    )
    assert key("email", BOB) in absorbed.holdings


def test_of_one_contact_the_flags_of_both_and_the_earlier_confirmation_count():
    """R36"""
    stored = holding("email", ANN, 1, confirmed_at=day(5))
    sent_again = holding("email", ANN, 0, since=9, must_be_confirmed=True, confirmed_at=day(9))
    flagged = holding("email", ANN, 0, since=9, gives_access=True, confirmed_at=day(2))
    together = replace(stored, must_be_confirmed=True, gives_access=True, confirmed_at=day(2))
    assert both_flags(stored, sent_again, flagged) == together
    assert both_flags(stored, flagged, sent_again) == together
    unconfirmed = replace(stored, confirmed_at=None)
    assert both_flags(unconfirmed, unconfirmed, unconfirmed) == unconfirmed


def test_a_contact_that_nobody_held_before_is_primary_if_it_is_for_one_side():
    """R36"""
    first = replace(profile(2), holdings={h.key: h for h in [holding("email", ANN, 2)]})
    second = profile(1, holding("email", ANN, 1))
    merged = survive(MergeSides(first, second, 1, {}, frozenset(), NOW))
    assert merged.holdings == {key("email", ANN): holding("email", ANN, 2, is_primary=True)}
