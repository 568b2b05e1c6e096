"""Changes bring a profile to exactly the state they say (R40, R46)."""

from dataclasses import fields
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customers.changes import (
    ActionCounted,
    CardSeen,
    Claimed,
    Created,
    Decision,
    Erased,
    Held,
    Merged,
    NoteAdded,
    OrderSaved,
    PointsAdded,
    PromoCodeIssued,
    Released,
    StateChange,
    Unmerged,
    Why,
)
from customers.profile import (
    Channel,
    Claim,
    Key,
    Member,
    Membership,
    Note,
    Personal,
    Profile,
    Subscription,
    SubscriptionStatus,
)
from customers.transitions import DIFFERENCES, apply, diff
from dedup.engine.reasons import Reason
from tests.dedup.engine.builders import ANN, BOB, HASH, day, holding, kinds, order, profile
from tests.dedup.engine.strategies import KEYS

WHO: dict[str, Any] = {"customer": 1, "maestra_id": 1}
MEMBERS = (Member(1, day(1)),)
few_days = st.integers(1, 5).map(day)
holdings = st.builds(
    holding,
    st.just("email"),
    st.sampled_from(["a", "b", "c"]),
    origin=st.just(1),
    since=st.integers(1, 3),
    is_primary=st.booleans(),
    gives_access=st.booleans(),
    confirmed_at=st.none() | few_days,
)
claims = st.builds(
    lambda k, since: Claim(k.kind, k.value, kinds[k.kind].category, k.value, 1, since),
    st.sampled_from(KEYS[:4]),
    few_days,
)
profiles = st.builds(
    Profile,
    st.just(1),
    members=st.just(MEMBERS),
    personal=st.builds(Personal, first_name=st.none() | st.sampled_from("AB")),
    time_zone=st.none() | st.sampled_from("AB"),
    custom_fields=st.dictionaries(st.sampled_from("xyz"), st.integers(0, 2)),
    holdings=st.lists(holdings, max_size=3).map(lambda found: {h.key: h for h in found}),
    claims=st.lists(claims, max_size=3).map(lambda found: {c.key: c for c in found}),
    subscriptions=st.dictionaries(
        st.builds(Channel, st.sampled_from(["email", "sms"])),
        st.builds(Subscription, st.sampled_from(SubscriptionStatus), few_days),
    ),
    memberships=st.dictionaries(st.integers(1, 2), st.builds(Membership, st.integers(1, 2), few_days)),
    opted_out_at=st.none() | few_days,
)


@settings(max_examples=300, derandomize=True, database=None, deadline=None)
@given(before=profiles, after=profiles)
def test_the_difference_of_two_states_leads_from_one_to_the_other(before, after):
    """R40"""
    state = {1: before}
    changes = list(diff(before, after, 1, Why.RECORD))
    for change in changes:
        assert isinstance(change, StateChange)
        apply(state, change)
    assert state == {1: after}
    assert bool(changes) == (before != after)


def test_every_field_can_differ_but_those_that_only_changes_of_their_own_alter():
    names = {f.name for f in fields(Profile)}
    assert names - DIFFERENCES.keys() == {"maestra_id", "members", "cards", "notes", "is_new"}


def applied(*changes, **profiles):
    state = {p.maestra_id: p for p in profiles.values()}
    for change in changes:
        apply(state, change)
    return state


def test_a_created_customer_has_one_member():
    """R1"""
    assert applied(Created(**WHO, registered_at=day(1))) == {1: profile(1)}


def test_an_identifier_is_held_and_released():
    """R4"""
    mine = holding("session_key", "s")
    held = Held(**WHO, before=None, after=mine)
    assert applied(held, first=profile(1)) == {1: profile(1, mine)}
    assert applied(held, Released(**WHO, holding=mine), first=profile(1)) == {1: profile(1)}


def test_a_card_seen_again_keeps_its_first_maestra_id():
    """R10"""
    seen = [CardSeen(customer=1, maestra_id=number, card=HASH) for number in (1, 2)]
    assert applied(*seen, first=profile(1))[1].cards == {HASH: 1}


def test_ledgers_count_under_the_maestra_id_of_the_change():
    """R39"""
    two = profile(1, members=(Member(1, day(1)), Member(2, day(2))))
    who = {"customer": 1, "maestra_id": 2}
    state = applied(
        OrderSaved(**who, before=None, after=order("A", total="10")),
        OrderSaved(**who, before=order("A", total="10"), after=order("A", total="25")),
        PointsAdded(**who, number=None, amount=Decimal(5), reason="welcome", at=day(3)),
        PointsAdded(**who, number="P", amount=Decimal(-2), reason="spent", at=day(3)),
        PromoCodeIssued(**who, code="C", issued_at=day(3)),
        ActionCounted(**who, at=day(5)),
        ActionCounted(**who, at=day(4)),
        first=two,
    )
    assert state[1].members == (
        Member(1, day(1)),
        Member(2, day(2), 1, Decimal(25), 2, Decimal(3), 1, day(5)),
    )


def test_notes_and_claims_are_added():
    """R30"""
    note = Note(day(1), 1, "contact_lost", "email", ANN)
    claim = Claim("email", ANN, kinds["email"].category, ANN, 1, day(1))
    state = applied(NoteAdded(**WHO, note=note), Claimed(**WHO, claim=claim), first=profile(1))
    assert state == {1: profile(1, notes=(note,), claims={Key("email", ANN): claim})}


def test_a_merge_leaves_one_and_its_undo_both():
    """R46"""
    one, two = profile(1, holding("email", ANN)), profile(2, holding("email", BOB, 2))
    merged = Merged(**WHO, survivor=one, absorbed=two, result=one, decision=Decision(reason=Reason.API))
    state = applied(merged, first=one, second=two)
    assert state.keys() == {1}
    assert state[1].maestra_ids == {1, 2}
    apply(state, Unmerged(**WHO, merge_id=1, restored=two, remaining=one))
    assert state == {1: one, 2: two}


def test_an_erased_profile_is_gone():
    """R54"""
    assert applied(Erased(**WHO, maestra_ids=(1,)), first=profile(1)) == {}


@pytest.mark.parametrize("fact", ["orders_count", "points_count", "promo_codes_count"])
def test_any_entry_of_a_ledger_is_commerce(fact):
    """R29"""
    facts: dict[str, Any] = {fact: 1}
    assert profile(1, members=(Member(1, day(1)), Member(2, day(1), **facts))).has_commerce
    assert not profile(1).has_commerce
