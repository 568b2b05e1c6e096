"""The whole decision on a record (R16, R21-R32, R43-R45, R56-R58)."""

import weakref
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from customers.changes import (
    ActionCounted,
    ConfirmationAsked,
    ContactLost,
    ContactReceived,
    Created,
    Decision,
    Held,
    IdentifiedChanged,
    Joined,
    Merged,
    NoteAdded,
    OrderSaved,
    Released,
    Why,
)
from customers.profile import Ages, Channel, Membership, Note, Personal, Subscription, SubscriptionStatus
from dedup.engine.outcome import BlockedMatch, Conflict, Move, Outcome, Veto
from dedup.engine.reasons import Reason
from dedup.engine.record import Mode, Operation, PointsMovement, PromoCode, SentMembership, SentSubscription
from dedup.engine.resolve import decide
from dedup.engine.unit_of_work import UnitOfWork
from tests.dedup.engine.builders import (
    ANN,
    APP,
    BOB,
    CARD,
    CONTACTS_TOO,
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
    record,
    sent,
    undated,
)

REGISTER, UPSERT, EDIT, AUTHORIZE = Operation.REGISTER, Operation.UPSERT, Operation.EDIT, Operation.AUTHORIZE
ORDER, CONFIRM, SUBSCRIBE = Operation.ORDER, Operation.CONFIRM, Operation.SUBSCRIBE


@pytest.fixture
def shop():
    return Memory()


def by_id(number):
    return key("maestra_id", str(number))


def flagged(kind, value, **more):
    return sent(kind, value, gives_access=True, **more)


def confirmed(kind, value, **more):
    return sent(kind, value, must_be_confirmed=True, is_confirmed=True, **more)


def pending(kind, value, **more):
    return sent(kind, value, must_be_confirmed=True, **more)


def held(memory, maestra_id):
    """What a customer holds now, by kind."""
    found: dict[str, set[str]] = {}
    for h in memory.profiles[maestra_id].holdings.values():
        if not h.is_former:
            found.setdefault(h.kind, set()).add(h.value)
    return found


def segments(profile):
    """Segments by segmentation."""
    return {segmentation: membership.segment for segmentation, membership in profile.memberships.items()}


def kinds_of(changes):
    return [type(change) for change in changes]


# Register, join and merge


def test_a_new_record_becomes_a_customer_with_all_it_brought(shop):
    """R1, R16"""
    outcome = shop(REGISTER, 1, email=ANN, crm_id="1", device_id=COOKIE)
    assert outcome.status.value == "created"
    assert kinds_of(outcome.changes) == [Created, Held, Held, Held, IdentifiedChanged]
    assert held(shop, 1) == {"email": {ANN}, "crm_id": {"1"}, "device_id": {COOKIE}}


def test_a_record_that_joins_takes_no_maestra_id(shop):
    """R22, R41"""
    shop(REGISTER, 1, email=ANN)
    outcome = shop(REGISTER, 2, email=ANN, mobile_phone=PHONE)
    decision = Decision(
        reason=Reason.MATCHED_EXACTLY, matched=(key("email", ANN),), priority=None, criterion="last_activity"
    )
    new = holding("mobile_phone", PHONE, 1, since=2, is_primary=True)
    assert undated(outcome.changes) == (
        Joined(customer=1, maestra_id=1, decision=decision),
        Held(customer=1, maestra_id=1, before=None, after=new),
    )
    assert (outcome.status.value, shop.profiles.keys()) == ("joined", {1})


def test_a_record_that_matches_two_makes_them_one(shop):
    """R22, R33"""
    shop(REGISTER, 1, email=ANN)
    shop(REGISTER, 2, mobile_phone=PHONE)
    outcome = shop(REGISTER, 3, email=ANN, mobile_phone=PHONE)
    assert [(m.customer, m.absorbed.maestra_id) for m in outcome.merges] == [(1, 2)]
    assert (outcome.status.value, held(shop, 1)) == ("joined", {"email": {ANN}, "mobile_phone": {PHONE}})


def test_the_strongest_kind_is_tested_first(shop):
    """R22: with the phone's holder merged, the e-mail's would be vetoed, so the order shows"""
    shop(REGISTER, 1, mobile_phone=PHONE, discount_card=flagged("discount_card", "1"))
    shop(REGISTER, 2, email=ANN, discount_card=flagged("discount_card", "2"))
    outcome = shop(REGISTER, 3, mobile_phone=PHONE, email=ANN)
    assert outcome.customer == 2
    assert [(k.left, k.right, k.vetoes[0].name) for k in outcome.blocked_matches] == [
        (2, 1, "different_account_access")
    ]


def test_within_a_kind_the_lower_maestra_id_is_tested_first(shop):
    """R22"""
    shop(REGISTER, 1, session_key="a", discount_card=flagged("discount_card", "1"))
    shop(REGISTER, 2, session_key="b", discount_card=flagged("discount_card", "2"))
    outcome = shop(REGISTER, 3, session_key=["b", "a"])
    assert outcome.customer == 1
    assert outcome.moved == (Move(key("session_key", "b"), 2, 1),)


def test_a_former_match_goes_on_with_the_merged_profile(shop):
    """R22: what the second candidate contradicts came with the first one only"""
    shop(REGISTER, 1, email=ANN, passport_id="p1")
    shop(REGISTER, 2, mobile_phone=PHONE, passport_id="p2")
    outcome = shop(REGISTER, 3, email=ANN, mobile_phone=PHONE)
    assert outcome.blocked_matches == (
        BlockedMatch(1, 2, (key("mobile_phone", PHONE),), (Veto("different_unique_ids", ("p1",), ("p2",)),)),
    )


def test_an_edit_that_brings_the_contact_of_another_merges_them(shop):
    """R22: both then have the contact"""
    shop(REGISTER, 1, email=ANN)
    shop(REGISTER, 2, email=BOB)
    outcome = shop(EDIT, 3, lookup=by_id(2), email=ANN)
    assert [(m.customer, m.absorbed.maestra_id) for m in outcome.merges] == [(1, 2)]
    assert {h.value: h.is_primary for h in outcome.profile.holdings.values()} == {ANN: True, BOB: False}


def test_an_identified_customers_maestra_id_stays_before_an_anonymous_ones(shop):
    """R33"""
    shop(REGISTER, 1, device_id=COOKIE)
    shop(REGISTER, 2, email=ANN)
    outcome = shop(AUTHORIZE, 3, lookup=key("email", ANN), device_id=COOKIE)
    assert [(m.customer, m.absorbed.maestra_id, m.decision.reason) for m in outcome.merges] == [
        (2, 1, Reason.SAME_DEVICE)
    ]


def test_a_payment_card_joins_where_nothing_contradicts_and_is_not_told(shop):
    """R10, R41"""
    shop(REGISTER, 1, email=ANN, cards=(HASH,))
    outcome = shop(ORDER, 2, mobile_phone=PHONE, cards=(HASH,), order=order())
    joined = next(c for c in outcome.changes if isinstance(c, Joined))
    assert (joined.decision.reason, joined.decision.matched) == (Reason.PAYMENT_CARD, ())
    assert held(shop, 1) == {"email": {ANN}, "mobile_phone": {PHONE}}


def test_two_customers_that_may_not_merge_carry_the_same_payment_card(shop):
    """R10"""
    shop(REGISTER, 1, email=ANN, cards=(HASH,))
    shop(REGISTER, 2, email=BOB, cards=(HASH,))
    assert {primary_id: p.cards for primary_id, p in shop.profiles.items()} == {1: {HASH: 1}, 2: {HASH: 2}}


def test_a_personal_set_that_joins_follows_priority(shop):
    """R22, R34"""
    shop(REGISTER, 1, email=ANN, personal={"last_name": "Old"}, personal_action=True)
    outcome = shop(REGISTER, 2, email=ANN, personal={"first_name": "New"})
    assert outcome.profile.personal == Personal(last_name="Old")
    outcome = shop(REGISTER, 2, email=ANN, personal={"first_name": "New"}, personal_action=True)
    assert outcome.profile.personal == Personal(first_name="New")


# What may not merge


def test_a_phone_contested_by_different_emails_stays_with_the_stronger(shop):
    """R22, R29, R30"""
    shop(REGISTER, 1, email=ANN, mobile_phone=PHONE, personal_action=True)
    outcome = shop(REGISTER, 2, email=BOB, mobile_phone=PHONE)
    the_phone = key("mobile_phone", PHONE)
    note = Note(NOW, 2, "contact_lost", *the_phone, 1, "last_activity")
    assert outcome.conflicts == (Conflict(the_phone, 1, 2, "last_activity", False),)
    told = {"kind": "mobile_phone", "value": PHONE, "criterion": "last_activity"}
    assert outcome.changes[-4:-1] == (
        ContactLost(customer=2, maestra_id=2, to=1, was_held=False, pending=False, **told),
        NoteAdded(customer=2, maestra_id=2, note=note),
        ContactReceived(customer=1, maestra_id=1, other=2, was_held=True, **told),
    )
    assert outcome.blocked_matches == (
        BlockedMatch(2, 1, (the_phone,), (Veto("different_emails", (BOB,), (ANN,)),)),
    )
    assert (held(shop, 1), held(shop, 2)) == ({"email": {ANN}, "mobile_phone": {PHONE}}, {"email": {BOB}})


def test_the_winner_takes_the_phone_with_its_own_flags(shop):
    """R30: the loser's next phone becomes primary (R7)"""
    shop(REGISTER, 1, email=ANN, mobile_phone=[sent("mobile_phone", PHONE, is_primary=True), PHONE_2])
    outcome = shop(REGISTER, 2, email=BOB, mobile_phone=confirmed("mobile_phone", PHONE))
    taken = outcome.profile.holdings[key("mobile_phone", PHONE)]
    assert taken == holding(
        "mobile_phone", PHONE, 2, since=2, is_primary=True, must_be_confirmed=True, confirmed_at=day(2)
    )
    assert outcome.conflicts == (Conflict(taken.key, 2, 1, "this_contact_confirmed", False),)
    assert shop.profiles[1].primary("mobile_phone").value == PHONE_2
    assert not shop.profiles[1].claims


def test_a_loser_keeps_a_claim_where_its_point_asks_for_confirmation(shop):
    """R30"""
    shop(REGISTER, 1, email=ANN, mobile_phone=pending("mobile_phone", PHONE))
    outcome = shop(REGISTER, 2, email=BOB, mobile_phone=confirmed("mobile_phone", PHONE))
    assert outcome.conflicts[0].pending
    assert shop.profiles[1].claims.keys() == {key("mobile_phone", PHONE)}
    shop.now = day(301)
    outcome = shop(REGISTER, 3, email=EVE, mobile_phone=pending("mobile_phone", PHONE))
    assert outcome.conflicts == (Conflict(key("mobile_phone", PHONE), 2, 3, "this_contact_confirmed", True),)
    assert shop.profiles[3].claims.keys() == {key("mobile_phone", PHONE)}
    assert any(isinstance(c, ConfirmationAsked) for c in outcome.changes)


def test_a_claim_matches_nobody(shop):
    """R30"""
    shop(REGISTER, 1, email=ANN, mobile_phone=PHONE, personal_action=True)
    shop(REGISTER, 2, email=BOB, mobile_phone=pending("mobile_phone", PHONE))
    outcome = shop(REGISTER, 3, mobile_phone=PHONE)
    assert outcome.customer == 1


def test_the_note_is_not_written_again_for_the_same_contact_and_holder(shop):
    """R30"""
    shop(REGISTER, 1, email=ANN, mobile_phone=PHONE, personal_action=True)
    shop(REGISTER, 2, email=BOB, mobile_phone=PHONE)
    again = shop(REGISTER, 3, email=BOB, mobile_phone=PHONE)
    assert again.conflicts == (Conflict(key("mobile_phone", PHONE), 1, 2, "last_activity", False),)
    assert kinds_of(undated(again.changes)) == [Joined]
    assert len(shop.profiles[2].notes) == 1


def test_a_contact_that_moves_again_is_told_in_both_histories_again(shop):
    """R30: only the note is not written twice"""
    shop(ORDER, 1, email=ANN, mobile_phone=PHONE, order=order("1"))
    shop(ORDER, 2, email=BOB, mobile_phone=PHONE, order=order("2", 2))
    shop(EDIT, 3, lookup=by_id(1), mobile_phone=PHONE, personal_action=True)
    again = shop(EDIT, 4, lookup=by_id(2), mobile_phone=PHONE, personal_action=True)
    told = [c for c in again.changes if isinstance(c, ContactLost | ContactReceived)]
    assert [(type(c), c.customer, c.was_held) for c in told] == [
        (ContactLost, 1, True),
        (ContactReceived, 2, False),
    ]
    assert [len(shop.profiles[n].notes) for n in (1, 2)] == [1, 1]


def test_contests_are_decided_before_any_is_settled(shop):
    """R30: the card that decides is itself lost"""
    shop(REGISTER, 1, email=ANN, mobile_phone=PHONE, discount_card=CARD)
    outcome = shop(REGISTER, 2, email=BOB, mobile_phone=PHONE, discount_card=confirmed("discount_card", CARD))
    assert [(c.key.kind, c.kept_by, c.criterion) for c in outcome.conflicts] == [
        ("mobile_phone", 2, "any_confirmed_contact"),
        ("discount_card", 2, "this_contact_confirmed"),
    ]


def test_account_access_is_never_taken_from_its_holder(shop):
    """R31: whatever else speaks for the other"""
    shop(REGISTER, 1, email=ANN, mobile_phone=flagged("mobile_phone", PHONE))
    shop(ORDER, 2, email=BOB, order=order())
    outcome = shop(
        EDIT, 3, lookup=key("email", BOB), lookup_by=(), mobile_phone=confirmed("mobile_phone", PHONE)
    )
    assert [(c.kept_by, c.lost_by, c.criterion) for c in outcome.conflicts] == [
        (1, 2, "access_by_this_contact")
    ]
    assert shop.profiles[1].holdings[key("mobile_phone", PHONE)].gives_access


def test_account_access_is_not_taken_by_a_confirmed_claim_with_account_access_either(shop):
    """R31, R45"""
    shop(REGISTER, 1, email=confirmed("email", ANN), passport_id="p")
    shop(EDIT, 2, lookup=by_id(1), email=pending("email", BOB, gives_access=True))
    shop(REGISTER, 3, email=flagged("email", BOB), passport_id="q")
    outcome = shop(CONFIRM, 4, lookup=by_id(1), email=confirmed("email", BOB, gives_access=True))
    assert [(c.kept_by, c.lost_by, c.criterion) for c in outcome.conflicts] == [
        (2, 1, "access_by_this_contact")
    ]
    assert outcome.profile.claims.keys() == {key("email", BOB)}


def test_a_contact_confirmed_on_both_sides_merges_different_emails(shop):
    """R25, R41"""
    shop(REGISTER, 1, email=ANN, mobile_phone=confirmed("mobile_phone", PHONE))
    outcome = shop(REGISTER, 2, email=BOB, mobile_phone=confirmed("mobile_phone", PHONE))
    (joined,) = (c for c in outcome.changes if isinstance(c, Joined))
    assert joined.decision.reason is Reason.BOTH_CONFIRMED
    assert held(shop, 1) == {"email": {ANN, BOB}, "mobile_phone": {PHONE}}


def test_the_first_three_vetoes_hold_against_a_contact_both_confirmed(shop):
    """R25, R29"""
    shop(REGISTER, 1, passport_id="p", mobile_phone=confirmed("mobile_phone", PHONE))
    outcome = shop(
        REGISTER, 2, passport_id="q", mobile_phone=confirmed("mobile_phone", PHONE), personal_action=True
    )
    assert [(c.kept_by, c.criterion) for c in outcome.conflicts] == [(2, "last_activity")]


def test_a_record_that_would_be_nobody_between_two_customers_is_ambiguous(shop):
    """R24"""
    shop(REGISTER, 1, email=ANN, mobile_phone=PHONE, personal_action=True)
    shop(REGISTER, 2, email=BOB, mobile_phone=PHONE_2, personal_action=True)
    values = {"email": ANN, "mobile_phone": PHONE_2}
    code, data = shop.refusal(REGISTER, 1, **values, device_id=COOKIE, cards=(HASH,))
    assert (code, data["maestra_ids"]) == ("ambiguous_customer", [1, 2])
    assert shop(REGISTER, 1, **values, crm_id="3").status.value == "created"


def test_register_refuses_a_contact_another_signs_in_with(shop):
    """R16: though nothing keeps the two from being one"""
    shop(REGISTER, 1, mobile_phone=flagged("mobile_phone", PHONE), email=ANN)
    assert shop.refusal(REGISTER, 2, mobile_phone=flagged("mobile_phone", PHONE), session_key=SESSION) == (
        "already_registered",
        {"maestra_ids": [1], "keys": [key("mobile_phone", PHONE)]},
    )


@pytest.mark.parametrize("operation", [REGISTER, UPSERT])
def test_a_record_that_would_be_nobody_is_ambiguous_before_it_is_already_registered(shop, operation):
    """R16, R24: the order of errors"""
    shop(REGISTER, 1, email=flagged("email", ANN), mobile_phone=PHONE_2, personal_action=True)
    shop(REGISTER, 1, email=flagged("email", BOB), mobile_phone=PHONE, personal_action=True)
    brought = {"email": flagged("email", ANN), "mobile_phone": PHONE}
    assert shop.refusal(operation, 2, **brought)[0] == "ambiguous_customer"


def test_a_veto_makes_an_upsert_of_an_account_contact_already_registered(shop):
    """R16"""
    shop(REGISTER, 1, email=ANN, mobile_phone=flagged("mobile_phone", PHONE))
    code, data = shop.refusal(UPSERT, 2, email=BOB, mobile_phone=flagged("mobile_phone", PHONE))
    assert (code, data) == ("already_registered", {"maestra_ids": [1], "keys": [key("mobile_phone", PHONE)]})
    assert shop(UPSERT, 2, mobile_phone=flagged("mobile_phone", PHONE)).customer == 1


def test_it_is_already_registered_even_if_the_upsert_joined_somebody_else(shop):
    """R16"""
    shop(REGISTER, 1, email=ANN, mobile_phone=flagged("mobile_phone", PHONE))
    shop(REGISTER, 2, email=BOB)
    code, data = shop.refusal(ORDER, 3, email=BOB, mobile_phone=flagged("mobile_phone", PHONE), order=order())
    assert (code, data["maestra_ids"]) == ("already_registered", [1])


# Devices


def test_a_device_moves_to_the_last_identified_customer_and_returns(shop):
    """R8, R32"""
    shop(REGISTER, 1, email=ANN, device_id=COOKIE)
    outcome = shop(REGISTER, 2, email=BOB, device_id=COOKIE)
    assert outcome.moved == (Move(key("device_id", COOKIE), 1, 2),)
    outcome = shop(AUTHORIZE, 3, lookup=by_id(1), device_id=COOKIE)
    assert outcome.moved == (Move(key("device_id", COOKIE), 2, 1),)
    assert [(type(c), c.customer, c.why) for c in outcome.changes] == [
        (Released, 2, Why.MOVED),
        (Held, 1, Why.MOVED),
    ]


def test_an_anonymous_customer_takes_no_device_from_an_identified_one(shop):
    """R8"""
    shop(REGISTER, 1, email=ANN, device_id=COOKIE)
    shop(REGISTER, 2, mobile_device_id=APP)
    shop.keep_apart(1, 2)
    outcome = shop(EDIT, 3, lookup=by_id(2), device_id=COOKIE)
    assert (outcome.moved, held(shop, 1)["device_id"]) == ((), {COOKIE})


def test_an_identifier_that_moves_lets_the_device_move_too(shop):
    """R8, R32: whatever their order in the record"""
    shop(REGISTER, 1, email=ANN, device_id=COOKIE, session_key=SESSION)
    shop(REGISTER, 2, mobile_device_id=APP)
    shop.keep_apart(1, 2)
    outcome = shop(EDIT, 3, lookup=by_id(2), device_id=COOKIE, session_key=SESSION)
    assert {m.key.kind for m in outcome.moved} == {"session_key", "device_id"}


def test_a_record_of_devices_only_is_an_edit_of_the_devices_customer(shop):
    """R21"""
    shop(REGISTER, 1, email=ANN, device_id=COOKIE)
    outcome = shop(REGISTER, 2, device_id=COOKIE, mobile_device_id=APP, time_zone="A")
    assert (outcome.status.value, outcome.customer, outcome.profile.time_zone) == ("changed", 1, "A")
    assert held(shop, 1)["mobile_device_id"] == {APP}


def test_a_device_shared_by_too_many_joins_nobody_but_attaches():
    """R26"""
    shop = Memory(shared_device_limit=2)
    for number, email in enumerate((ANN, BOB, EVE), 1):
        shop(REGISTER, number, email=email, device_id=COOKIE)
    outcome = shop(REGISTER, 4, mobile_phone=PHONE, device_id=COOKIE)
    assert outcome.status.value == "created"
    assert outcome.moved == (Move(key("device_id", COOKIE), 3, 4),)
    assert shop(REGISTER, 5, device_id=COOKIE).customer == 4


def test_users_of_a_device_that_merged_count_once():
    """R26"""
    shop = Memory(shared_device_limit=2)
    for number, email in enumerate((ANN, BOB, EVE), 1):
        shop(REGISTER, number, email=email, device_id=COOKIE)
    shop.merge([2], 1)
    assert shop(REGISTER, 4, mobile_phone=PHONE, device_id=COOKIE).status.value == "joined"


def test_a_shared_device_is_no_reason_beside_a_payment_card():
    """R26, R41"""
    shop = Memory(shared_device_limit=1)
    shop(REGISTER, 1, email=ANN, device_id=COOKIE)
    shop(REGISTER, 2, email=BOB, device_id=COOKIE, cards=(HASH,))
    outcome = shop(REGISTER, 3, mobile_phone=PHONE, device_id=COOKIE, cards=(HASH,))
    (joined,) = (c for c in outcome.changes if isinstance(c, Joined))
    assert (joined.decision.reason, joined.decision.matched) == (Reason.PAYMENT_CARD, ())


def test_an_anonymous_user_of_a_device_counts_once_identified_in_one_batch_as_well():
    """R26"""
    shop = Memory(shared_device_limit=1)
    shop(REGISTER, 1, device_id=COOKIE)
    single = shop.copy()
    steps = [
        {"email": ANN, "device_id": COOKIE},
        {"email": BOB, "device_id": COOKIE},
        {"mobile_phone": PHONE, "device_id": COOKIE},
    ]
    one_by_one = [single(REGISTER, 2, **step).customer for step in steps]
    from_batch = shop.submit(*(record(REGISTER, 2, **step) for step in steps))
    assert [o.customer for o in from_batch if isinstance(o, Outcome)] == one_by_one == [1, 2, 3]


# Identifiers


def test_a_new_unique_id_retires_the_one_before_it(shop):
    """R2"""
    shop(REGISTER, 1, crm_id="301")
    outcome = shop(EDIT, 2, lookup=by_id(1), crm_id="302")
    assert outcome.profile.current("crm_id").value == "302"
    assert outcome.profile.holdings[key("crm_id", "301")] == holding(
        "crm_id", "301", 1, is_former=True, retired_at=NOW
    )


@pytest.mark.parametrize("kind", ["crm_id", "passport_id"])
def test_a_unique_id_the_customer_has_or_had_changes_nothing(shop, kind):
    """R2"""
    shop(REGISTER, 1, **{kind: "301"})
    shop(EDIT, 2, lookup=by_id(1), **{kind: "302"})
    for value in ("301", "302"):
        assert undated(shop(EDIT, 3, lookup=by_id(1), **{kind: value}).changes) == ()


def test_a_former_id_of_a_strict_kind_that_is_registered_anew_stays_with_who_had_it(shop):
    """R3"""
    shop(REGISTER, 1, passport_id="p")
    shop(EDIT, 2, lookup=by_id(1), passport_id="q")
    outcome = shop(REGISTER, 3, passport_id="p")
    assert (outcome.status.value, held(shop, 2), held(shop, 1)) == (
        "created",
        {"passport_id": {"p"}},
        {"passport_id": {"q"}},
    )
    assert shop.profiles[1].holdings[key("passport_id", "p")].is_former


def test_of_all_who_had_an_id_the_current_holder_is_found_else_who_retired_it_last(shop):
    """R3: once the switch is off again"""
    passport = kinds["passport_id"]
    for number in (1, 2, 3):
        shop(REGISTER, number, passport_id="p", email=f"{number}@example.com")
        if number < 3:
            shop.now += timedelta(hours=1)
            shop(EDIT, number, lookup=by_id(number), passport_id=f"q{number}")
    shop.kinds = {**kinds, "passport_id": replace(passport, do_not_merge_different=False)}
    assert shop(UPSERT, 4, passport_id="p").customer == 3
    shop.kinds = kinds
    shop(EDIT, 5, lookup=by_id(3), clears=frozenset({"passport_id"}))
    shop.kinds = {**kinds, "passport_id": replace(passport, do_not_merge_different=False)}
    assert shop(UPSERT, 6, passport_id="p").customer == 2


def test_an_identifier_moves_to_the_newest_customer_that_cannot_merge_with_its_holder(shop):
    """R4, R32"""
    shop(REGISTER, 1, email=ANN, session_key=SESSION)
    outcome = shop(REGISTER, 2, email=BOB, session_key=SESSION)
    assert outcome.moved == (Move(key("session_key", SESSION), 1, 2),)


# Editing and confirming


def test_a_new_contact_becomes_primary_and_the_old_one_stays(shop):
    """R43"""
    shop(REGISTER, 1, email=ANN)
    outcome = shop(EDIT, 2, lookup=by_id(1), email=BOB)
    assert {h.value: h.is_primary for h in outcome.profile.holdings.values()} == {ANN: False, BOB: True}
    outcome = shop(EDIT, 3, lookup=by_id(1), email=ANN)
    assert undated(outcome.changes) == ()
    outcome = shop(EDIT, 4, lookup=by_id(1), email=sent("email", ANN, is_primary=True))
    assert {h.value: h.is_primary for h in outcome.profile.holdings.values()} == {ANN: True, BOB: False}


def test_a_held_contact_sent_again_by_a_record_that_joins_stays_secondary(shop):
    """R14: unless it is asked for"""
    shop(REGISTER, 1, email=[ANN, BOB])
    outcome = shop(REGISTER, 2, email=BOB, personal_action=True)
    assert outcome.profile.primary("email").value == ANN
    outcome = shop(REGISTER, 3, email=sent("email", BOB, is_primary=True))
    assert outcome.profile.primary("email").value == BOB


def test_a_contact_that_joins_as_secondary_was_never_primary(shop):
    """R7: after the primary comes what was held longest"""
    shop(REGISTER, 1, email=[ANN, BOB], personal_action=True)
    outcome = shop(REGISTER, 2, email=[EVE, ANN])
    assert outcome.profile.primary("email").value == ANN
    assert outcome.profile.holdings[key("email", EVE)].was_primary_at is None


def test_a_contact_that_waits_leaves_another_one_primary_that_was_asked_for(shop):
    """R43: the first of the list becomes primary, the new one waits"""
    shop(REGISTER, 1, email=[confirmed("email", ANN), confirmed("email", BOB)])
    outcome = shop(EDIT, 2, lookup=by_id(1), email=[pending("email", BOB), pending("email", EVE)])
    assert outcome.profile.primary("email").value == BOB
    assert outcome.profile.claims.keys() == {key("email", EVE)}


def test_nothing_is_sent_to_a_card(shop):
    """R45: only links and codes are sent, to e-mails and phones"""
    contacts = {kind: pending(kind, value) for kind, value in (("discount_card", CARD), ("email", ANN))}
    outcome = shop(REGISTER, 1, **contacts)
    assert [c.kind for c in outcome.changes if isinstance(c, ConfirmationAsked)] == ["email"]


def test_a_contact_to_be_confirmed_waits_beside_a_confirmed_primary_and_matches_nobody(shop):
    """R43, R45"""
    shop(REGISTER, 1, email=confirmed("email", ANN))
    shop(REGISTER, 2, email=BOB)
    outcome = shop(EDIT, 3, lookup=by_id(1), email=pending("email", BOB))
    assert (outcome.merges, outcome.conflicts, outcome.blocked_matches) == ((), (), ())
    assert outcome.profile.claims.keys() == {key("email", BOB)}
    assert outcome.changes[-1] == ConfirmationAsked(customer=1, maestra_id=1, kind="email", value=BOB)


def test_a_confirmed_claim_becomes_the_primary_where_its_value_is_free(shop):
    """R43, R45"""
    shop(REGISTER, 1, email=confirmed("email", ANN))
    shop(EDIT, 2, lookup=by_id(1), email=pending("email", BOB))
    outcome = shop(CONFIRM, 3, lookup=by_id(1), email=confirmed("email", BOB), personal_action=True)
    assert outcome.profile.claims == {}
    assert outcome.profile.primary("email").value == BOB
    assert outcome.profile.last_action_at == day(3)


def test_a_claim_is_not_promoted_when_its_value_becomes_free(shop):
    """R45"""
    shop(REGISTER, 1, email=ANN, mobile_phone=PHONE, personal_action=True)
    shop(REGISTER, 2, email=BOB, mobile_phone=pending("mobile_phone", PHONE))
    shop(EDIT, 3, lookup=by_id(1), clears=frozenset({"mobile_phone"}), time_zone="A")
    assert held(shop, 2) == {"email": {BOB}}
    shop(EDIT, 4, lookup=by_id(2), mobile_phone=PHONE)
    assert (held(shop, 2)["mobile_phone"], shop.profiles[2].claims) == ({PHONE}, {})


def test_confirming_a_held_contact_marks_it(shop):
    """R45"""
    shop(REGISTER, 1, email=pending("email", ANN))
    assert shop.profiles[1].holdings[key("email", ANN)].is_pending
    outcome = shop(CONFIRM, 2, lookup=by_id(1), email=confirmed("email", ANN))
    assert outcome.profile.holdings[key("email", ANN)].confirmed_at == day(2)


def test_confirming_a_claim_settles_it_again(shop):
    """R29, R45"""
    shop(REGISTER, 1, email=ANN, passport_id="p", mobile_phone=PHONE, personal_action=True)
    shop(REGISTER, 2, email=BOB, passport_id="q", mobile_phone=pending("mobile_phone", PHONE))
    assert "mobile_phone" not in held(shop, 2)
    outcome = shop(CONFIRM, 3, lookup=by_id(2), mobile_phone=confirmed("mobile_phone", PHONE))
    assert outcome.conflicts == (Conflict(key("mobile_phone", PHONE), 2, 1, "this_contact_confirmed", False),)
    assert (held(shop, 2)["mobile_phone"], shop.profiles[2].claims) == ({PHONE}, {})


def test_clearing_takes_a_type_with_its_claims(shop):
    """R44"""
    shop(REGISTER, 1, email=confirmed("email", ANN), crm_id="1", passport_id="p", device_id=COOKIE)
    shop(EDIT, 2, lookup=by_id(1), email=pending("email", BOB))
    outcome = shop(
        EDIT, 3, lookup=by_id(1), clears=frozenset({"email", "crm_id", "passport_id", "device_id"})
    )
    assert outcome.profile.claims == {}
    assert outcome.profile.holdings == {
        key("crm_id", "1"): holding("crm_id", "1", 1, is_former=True, retired_at=NOW)
    }
    assert not outcome.profile.is_identified


def test_account_access_is_cleared_on_purpose(shop):
    """R31, R44"""
    shop(REGISTER, 1, mobile_phone=flagged("mobile_phone", PHONE))
    shop(EDIT, 2, lookup=by_id(1), clears=frozenset({"mobile_phone"}))
    assert shop(REGISTER, 3, mobile_phone=flagged("mobile_phone", PHONE)).customer == 2


def test_a_cleared_primary_is_followed_by_a_new_one_in_the_same_record(shop):
    """R7, R44"""
    shop(REGISTER, 1, email=ANN)
    outcome = shop(EDIT, 2, lookup=by_id(1), clears=frozenset({"email"}), email=BOB)
    assert {h.value: h.is_primary for h in outcome.profile.holdings.values()} == {BOB: True}


def test_a_lost_primary_is_followed_by_the_previous_one_else_the_one_held_longest(shop):
    """R7"""
    shop(REGISTER, 1, passport_id="p", mobile_phone=PHONE)
    shop(EDIT, 2, lookup=by_id(1), mobile_phone=PHONE_2)
    shop(REGISTER, 3, passport_id="q", mobile_phone=confirmed("mobile_phone", PHONE_2))
    assert shop.profiles[1].primary("mobile_phone").value == PHONE


def test_fill_sets_only_what_is_empty_and_ignores_what_conflicts(shop):
    """R44"""
    shop(REGISTER, 1, email=ANN, crm_id="1", personal={"last_name": "A"})
    shop(REGISTER, 2, email=BOB, passport_id="b")
    outcome = shop(
        EDIT, 3, lookup=by_id(1), mode=Mode.FILL, email=[BOB, EVE], crm_id="9", mobile_phone=PHONE,
        personal={"last_name": "A", "first_name": "F"}, clears=frozenset({"email"}),
    )  # fmt: skip
    assert held(shop, 1) == {"email": {ANN}, "crm_id": {"1"}, "mobile_phone": {PHONE}}
    assert outcome.profile.personal == Personal(last_name="A", first_name="F")
    assert shop.profiles[2].holdings.keys() == {key("email", BOB), key("passport_id", "b")}


def test_fill_replaces_nothing_of_the_customer_it_joins_either(shop):
    """R44: what is empty is filled, though the record has priority"""
    own = {"custom_fields": {"size": 1}, "memberships": (SentMembership(1, 11),), "time_zone": "Asia/Tokyo"}
    shop(REGISTER, 1, email=ANN, discount_card=CARD, crm_id="1", personal={"first_name": "Ann"}, **own)
    joined = shop(
        UPSERT, 2, email=[ANN, BOB], mobile_phone=PHONE, crm_id="2", mode=Mode.FILL, personal_action=True,
        personal={"first_name": "Ann", "last_name": "Ray"}, custom_fields={"size": 2, "pet": "cat"},
        memberships=(SentMembership(1, 12), SentMembership(2, 21)), time_zone="Europe/Berlin",
    )  # fmt: skip
    p = joined.profile
    assert (joined.status, held(shop, 1)) == (
        "joined",
        {"email": {ANN}, "discount_card": {CARD}, "mobile_phone": {PHONE}, "crm_id": {"1"}},
    )
    assert (p.personal, p.custom_fields, p.time_zone) == (
        Personal("Ray", "Ann"),
        {"size": 1, "pet": "cat"},
        "Asia/Tokyo",
    )
    assert segments(p) == {1: 11, 2: 21}


def test_fill_leaves_a_membership_as_it_is(shop):
    """R44"""
    shop(REGISTER, 1, email=ANN, memberships=(SentMembership(1, 11),))
    sent_again = (SentMembership(1, 12), SentMembership(2, 21))
    outcome = shop(EDIT, 2, lookup=by_id(1), mode=Mode.FILL, memberships=sent_again)
    assert segments(outcome.profile) == {1: 11, 2: 21}


def test_a_held_contact_sent_through_a_point_with_flags_gets_them(shop):
    """R14"""
    shop(REGISTER, 1, email=ANN)
    shop(REGISTER, 2, email=flagged("email", ANN))
    assert shop.profiles[1].holdings[key("email", ANN)].gives_access
    shop(SUBSCRIBE, 3, email=ANN)
    assert shop.profiles[1].holdings[key("email", ANN)].gives_access


# Orders, points, statuses


def test_the_order_counts_before_anything_is_decided(shop):
    """R29, R57"""
    shop(REGISTER, 1, email=ANN, mobile_phone=PHONE, personal_action=True)
    outcome = shop(ORDER, 1, email=BOB, mobile_phone=PHONE, order=order())
    assert outcome.conflicts == (Conflict(key("mobile_phone", PHONE), 2, 1, "orders", False),)
    assert outcome.profile.orders_count == 1


def test_an_order_sent_again_is_updated_and_stays_with_its_first_customer(shop):
    """R57"""
    shop(ORDER, 1, email=ANN, order=order(total="10"), lookup_by=CONTACTS_TOO)
    outcome = shop(ORDER, 2, email=BOB, order=order(total="30"), lookup_by=CONTACTS_TOO)
    assert [(w.code, w.values) for w in outcome.warnings] == [("order_of_another", {"number": "A-1"})]
    assert {
        primary_id: (p.orders_count, p.members[0].orders_total) for primary_id, p in shop.profiles.items()
    } == {
        1: (1, Decimal(30)),
        2: (0, Decimal(0)),
    }


def test_what_an_order_sent_again_does_not_say_stays(shop):
    """R57, R44: absent changes nothing."""
    first = replace(order(total="10"), currency="USD", status="paid", lines=({"name": "Shoes"},))
    shop(ORDER, 1, email=ANN, order=first)
    again = replace(first, total=Decimal(12), currency="", status="", lines=())
    outcome = shop(ORDER, 1, email=ANN, order=again, lookup_by=CONTACTS_TOO)
    saved = [c.after for c in outcome.changes if isinstance(c, OrderSaved)]
    assert saved == [replace(first, total=Decimal(12))]


def test_an_order_is_the_customers_action_at_its_own_time(shop):
    """R57: not when the record was sent."""
    outcome = shop(ORDER, 9, email=ANN, order=replace(order(), placed_at=day(4)))
    assert outcome.profile.last_action_at == day(4)


def test_the_order_of_another_customer_is_no_action_of_who_sends_it_again(shop):
    """R57: it stays with its first customer."""
    shop(ORDER, 1, email=ANN, order=order())
    assert shop(ORDER, 2, email=BOB, order=order(total="30")).profile.last_action_at is None


def test_clearing_the_payment_card_forgets_its_hash(shop):
    """R44"""
    shop(REGISTER, 1, email=ANN, cards=(HASH,))
    outcome = shop(EDIT, 2, lookup=by_id(1), clears=frozenset({"payment_card_hash"}))
    assert outcome.profile.cards == {}
    assert shop(REGISTER, 3, email=BOB, cards=(HASH,)).profile.maestra_id == 2


def test_last_activity_never_goes_back(shop):
    """R29"""
    shop(REGISTER, 5, email=ANN, personal_action=True)
    outcome = shop(EDIT, 3, lookup=by_id(1), time_zone="A", personal_action=True)
    assert not any(isinstance(c, ActionCounted) for c in outcome.changes)
    assert outcome.profile.last_action_at == day(5)
    outcome = shop(EDIT, 6, lookup=by_id(1), time_zone="A", personal_action=True)
    assert (outcome.status.value, outcome.changes) == (
        "unchanged",
        (ActionCounted(customer=1, maestra_id=1, at=day(6)),),
    )


def test_a_number_or_code_sent_again_changes_nothing_and_is_nobody_elses(shop):
    """R58"""
    shop(REGISTER, 1, email=ANN)
    shop(REGISTER, 1, email=BOB)
    points = {"points": PointsMovement(Decimal(5), "welcome", "P-1")}
    promo = {"promo_code": PromoCode("C-1", day(1))}
    for operation, values in ((Operation.POINTS, points), (Operation.PROMO_CODE, promo)):
        assert shop(operation, 2, lookup=by_id(1), **values).status.value == "changed"
        assert shop(operation, 3, lookup=by_id(1), **values).changes == ()
        assert shop.refusal(operation, 4, lookup=by_id(2), **values)[0] == "validation_error"
    member = shop.profiles[1].members[0]
    assert (member.points_count, member.points_balance, member.promo_codes_count) == (1, 5, 1)


def test_points_without_a_number_count_each_time(shop):
    """R58"""
    shop(REGISTER, 1, email=ANN)
    for _ in range(2):
        shop(Operation.POINTS, 2, lookup=by_id(1), points=PointsMovement(Decimal(5), "welcome"))
    assert shop.profiles[1].members[0].points_balance == 10


def test_subscriptions_stay_with_who_loses_a_contact(shop):
    """R56"""
    news = Channel("sms", "news")
    subscribed = {"subscriptions": (SentSubscription(news, SubscriptionStatus.SUBSCRIBED),)}
    shop(REGISTER, 1, email=ANN, mobile_phone=PHONE, **subscribed)
    outcome = shop(REGISTER, 2, email=BOB, mobile_phone=confirmed("mobile_phone", PHONE))
    assert (outcome.profile.subscriptions, shop.profiles[1].subscriptions) == (
        {},
        {news: Subscription(SubscriptionStatus.SUBSCRIBED, day(1))},
    )


def test_a_status_is_set_as_sent_on_the_profile_the_record_ends_in(shop):
    """R37, R56"""
    news = Channel("email", "news")
    shop(REGISTER, 1, email=ANN, subscriptions=(SentSubscription(news, SubscriptionStatus.SUBSCRIBED),))
    outcome = shop(
        REGISTER, 2, email=ANN, subscriptions=(SentSubscription(news, SubscriptionStatus.UNSUBSCRIBED),)
    )
    assert outcome.profile.subscriptions == {news: Subscription(SubscriptionStatus.UNSUBSCRIBED, day(2))}


def test_a_segment_follows_its_date_in_a_join_and_in_an_edit(shop):
    """R38, R52, R59"""

    def gold(number):
        return {"memberships": (SentMembership(1, 2, day(number)),)}

    shop(REGISTER, 1, email=ANN, memberships=(SentMembership(1, 1, day(5)),))
    assert shop(REGISTER, 2, email=ANN, **gold(3)).profile.memberships == {1: Membership(1, day(5))}
    assert shop(EDIT, 2, lookup=by_id(1), **gold(3)).profile.memberships == {1: Membership(1, day(5))}
    assert shop(EDIT, 2, lookup=by_id(1), **gold(8)).profile.memberships == {1: Membership(2, day(8))}
    assert shop(EDIT, 2, lookup=by_id(1), **gold(9)).profile.memberships == {1: Membership(2, day(8))}
    out = (SentMembership(1, None),)
    assert shop(EDIT, 2, lookup=by_id(1), memberships=out).profile.memberships == {1: Membership(2, day(8))}
    assert shop(EDIT, 8, lookup=by_id(1), memberships=out).profile.memberships == {}


def test_what_a_record_writes_bears_the_maestra_id_whose_identifier_found_the_profile(shop):
    """R46"""
    shop(REGISTER, 1, email=ANN)
    shop(REGISTER, 2, mobile_phone=PHONE)
    shop.merge([2], 1)
    outcome = shop(EDIT, 3, lookup=key("mobile_phone", PHONE), discount_card=CARD)
    [held] = [c for c in undated(outcome.changes) if isinstance(c, Held)]
    assert (held.customer, held.maestra_id, held.after.origin) == (1, 2, 2)
    outcome = shop(REGISTER, 4, mobile_phone=PHONE, session_key=SESSION)
    assert outcome.profile.holdings[key("session_key", SESSION)].origin == 2


def test_a_merge_keeps_why_it_was_made(shop):
    """R41"""
    shop(REGISTER, 1, email=ANN, personal_action=True)
    shop(REGISTER, 2, mobile_phone=PHONE, device_id=COOKIE)
    outcome = shop(EDIT, 3, lookup=by_id(2), email=ANN)
    (merged,) = (c for c in outcome.changes if isinstance(c, Merged))
    assert merged.decision == Decision(
        reason=Reason.MATCHED_EXACTLY, matched=(key("email", ANN),), priority=1, criterion="last_activity"
    )


def test_a_refused_record_leaves_the_batch_as_it_was(shop):
    """R16, R24"""
    shop(REGISTER, 1, email=ANN, crm_id="1")
    first, second, third = shop.submit(
        record(REGISTER, email=BOB), record(REGISTER, crm_id="1", email=EVE), record(REGISTER, email=EVE)
    )
    assert (first.customer, second.code.value, third.customer) == (2, "technical_id_not_unique", 3)


def test_what_was_decided_on_needs_no_garbage_collector(shop):
    shop(REGISTER, 1, email=ANN)
    work = UnitOfWork(shop.world())
    decide(work, record(REGISTER, email=BOB), NOW)
    decide(work, record(UPSERT, email=ANN, time_zone="A"), NOW)
    profiles = weakref.ref(work.profiles)
    del work
    assert profiles() is None


def test_the_profile_before_and_after_differ_by_the_record_alone(shop):
    """R22"""
    shop(REGISTER, 1, email=ANN)
    before = shop.profiles[1]
    outcome = shop(REGISTER, 2, email=ANN, time_zone="A")
    ann = before.holdings[key("email", ANN)]
    assert outcome.profile == replace(
        before,
        time_zone="A",
        ages=Ages(time_zone=day(2)),
        holdings={ann.key: replace(ann, used_at=day(2))},
    )
