"""Told late: late data completes and never overwrites (R59)."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customers.changes import RegisteredEarlier, UsedBefore
from customers.profile import Ages, Membership, Personal
from dedup.engine.outcome import Outcome
from dedup.engine.record import Mode, Operation, Record, SentMembership
from dedup.engine.resolve import decide
from dedup.engine.unit_of_work import UnitOfWork
from dedup.engine.warnings import RecordWarning, WarningCode
from dedup.engine.world import EarlierUse
from tests.dedup.engine.builders import (
    ANN,
    APP,
    BOB,
    CARD,
    CONTACTS_TOO,
    COOKIE,
    EVE,
    NOW,
    PHONE,
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

REGISTER, UPSERT, EDIT = Operation.REGISTER, Operation.UPSERT, Operation.EDIT
ORDER, AUTHORIZE, POINTS = Operation.ORDER, Operation.AUTHORIZE, Operation.POINTS
ID_1 = key("maestra_id", "1")
SMITH: dict[str, Any] = {"last_name": "Smith", "first_name": "Ann"}
LEE: dict[str, Any] = {"last_name": "Lee", "first_name": "Ann"}


@pytest.fixture
def shop() -> Memory:
    return Memory()


def decided(work: UnitOfWork, late: Record) -> Outcome:
    outcome = decide(work, late, NOW)
    assert isinstance(outcome, Outcome)
    return outcome


def older(outcome: Outcome) -> tuple[str, ...] | None:
    """The fields of the warning that older data was left out, None where there is none."""
    found = [w.fields for w in outcome.warnings if w.code is WarningCode.OLDER_DATA]
    return found[0] if found else None


def primary(outcome: Outcome, kind: str = "email") -> str | None:
    held = outcome.profile.primary(kind)
    return held.value if held else None


# Single values


def test_an_older_edit_fills_a_personal_set_and_contradicts_none(shop):
    """R42, R44"""
    shop(REGISTER, 5, email=ANN, personal=SMITH)
    outcome = shop(EDIT, 3, lookup=ID_1, personal=LEE)
    assert outcome.profile.personal == Personal(**SMITH)
    assert older(outcome) == ("personal.last_name",)
    outcome = shop(EDIT, 3, lookup=ID_1, personal={"gender": "female", "first_name": "Ann"})
    assert outcome.profile.personal == Personal(**SMITH, gender="female")
    assert (older(outcome), outcome.profile.ages.personal) == (None, day(5))
    assert shop(EDIT, 5, lookup=ID_1, personal=LEE).profile.personal == Personal(**LEE)


def test_a_personal_set_is_as_young_as_the_record_that_last_changed_it(shop):
    shop(REGISTER, 1, email=ANN, personal=SMITH)
    shop(EDIT, 9, lookup=ID_1, personal=SMITH)
    assert shop.profiles[1].ages.personal == day(1)
    shop(EDIT, 4, lookup=ID_1, personal={"gender": "female"})
    assert shop.profiles[1].ages.personal == day(4)


def test_clearing_has_no_age_and_clears_only_what_is_not_younger(shop):
    """R44"""
    shop(REGISTER, 5, email=ANN, personal=SMITH, time_zone="A", custom_fields={"size": 1})
    cleared = {"personal": dict.fromkeys(SMITH), "custom_fields": {"size": None}}
    outcome = shop(EDIT, 3, lookup=ID_1, clears=frozenset({"time_zone"}), **cleared)
    assert (undated(outcome.changes), older(outcome)) == (
        (RegisteredEarlier(customer=1, maestra_id=1, before=day(5), after=day(3)),),
        ("personal.last_name", "personal.first_name", "time_zone", "custom_fields.size"),
    )
    outcome = shop(EDIT, 8, lookup=ID_1, clears=frozenset({"time_zone"}), **cleared)
    assert outcome.profile.ages == Ages()
    late = shop(EDIT, 6, lookup=ID_1, personal=LEE, time_zone="B", custom_fields={"size": 2})
    assert (late.profile.personal, late.profile.time_zone) == (Personal(**LEE), "B")
    assert (late.profile.custom_fields, older(late)) == ({"size": 2}, None)


def test_each_custom_field_has_an_age_of_its_own(shop):
    shop(REGISTER, 2, email=ANN, custom_fields={"size": 1, "city": "Rome"})
    shop(EDIT, 6, lookup=ID_1, custom_fields={"size": 2})
    outcome = shop(EDIT, 4, lookup=ID_1, custom_fields={"size": 3, "city": "Oslo", "vip": True})
    assert outcome.profile.custom_fields == {"size": 2, "city": "Oslo", "vip": True}
    assert outcome.profile.ages.custom_fields == {"size": day(6), "city": day(4), "vip": day(4)}
    assert older(outcome) == ("custom_fields.size",)


def test_an_older_time_zone_is_left_out(shop):
    shop(REGISTER, 5, email=ANN, time_zone="A")
    outcome = shop(EDIT, 3, lookup=ID_1, time_zone="B")
    assert (outcome.profile.time_zone, older(outcome)) == ("A", ("time_zone",))


def test_an_older_record_joins_as_if_the_stored_side_had_priority(shop):
    """R34, R35"""
    shop(REGISTER, 5, email=ANN, personal=SMITH, time_zone="A", custom_fields={"size": 1})
    brought = {"personal": LEE, "time_zone": "B", "custom_fields": {"size": 2, "city": "Rome"}}
    outcome = shop(ORDER, 3, email=ANN, order=order(number_of_day=3), **brought)
    assert (outcome.status.value, outcome.profile.personal) == ("joined", Personal(**SMITH))
    assert (outcome.profile.time_zone, outcome.profile.custom_fields) == ("A", {"size": 1, "city": "Rome"})
    assert older(outcome) == ("personal.last_name", "time_zone", "custom_fields.size")
    younger = shop(ORDER, 6, email=ANN, order=order("A-2", 6), lookup_by=(), **brought)
    assert younger.profile.personal in (Personal(**SMITH), Personal(**LEE))


def test_the_larger_value_of_a_field_is_kept_whenever_it_was_told(shop):
    """R35"""
    shop.larger_fields = frozenset({"size"})
    shop(REGISTER, 5, email=ANN, custom_fields={"size": 1})
    outcome = shop(REGISTER, 3, email=ANN, custom_fields={"size": 7})
    assert outcome.profile.custom_fields == {"size": 7}
    assert outcome.profile.ages.custom_fields == {"size": day(3)}


def test_what_fill_ignores_is_not_told_as_older(shop):
    """R44"""
    shop(REGISTER, 5, email=ANN, personal=SMITH)
    assert older(shop(EDIT, 3, lookup=ID_1, mode=Mode.FILL, personal=LEE)) is None


def test_of_values_without_an_age_the_registration_counts(shop):
    """As they were stored before ages were kept."""
    shop(REGISTER, 5, email=ANN, personal=SMITH, custom_fields={"size": 1})
    shop.profiles[1] = replace(shop.profiles[1], ages=Ages())
    outcome = shop(EDIT, 4, lookup=ID_1, personal=LEE, custom_fields={"size": 2})
    assert (outcome.profile.personal, outcome.profile.custom_fields) == (Personal(**SMITH), {"size": 1})
    outcome = shop(EDIT, 4.5, lookup=ID_1, personal=LEE, custom_fields={"size": 2})
    assert (outcome.profile.personal, outcome.profile.custom_fields) == (Personal(**SMITH), {"size": 1})
    shop.profiles[1] = replace(shop.profiles[1], ages=Ages())
    outcome = shop(EDIT, 6, lookup=ID_1, personal=LEE, custom_fields={"size": 2})
    assert (outcome.profile.personal, outcome.profile.custom_fields) == (Personal(**LEE), {"size": 2})


def test_merged_values_are_as_young_as_where_they_came_from(shop):
    """R34, R35, R46: and so they are when the merge is undone"""
    shop(REGISTER, 2, email=ANN, personal=SMITH, custom_fields={"size": 1})
    shop(REGISTER, 4, email=BOB, time_zone="A", custom_fields={"size": 2, "city": "Rome"})
    before = dict(shop.profiles)
    ages = shop.merge([2], 1).profile.ages
    assert ages == Ages(day(2), day(4), {"size": day(2), "city": day(4)})
    shop(EDIT, 6, lookup=ID_1, personal=LEE)
    shop.undo()
    assert shop.profiles[1].ages == replace(before[1].ages, personal=day(6))
    assert shop.profiles[2].ages == before[2].ages


# Contacts and unique IDs


@pytest.mark.parametrize("asks", [False, True])
def test_a_contact_becomes_no_primary_over_a_younger_one(shop, asks):
    """R14, R43: even if asked"""
    shop(REGISTER, 5, email=ANN)
    outcome = shop(EDIT, 3, lookup=ID_1, email=sent("email", BOB, is_primary=asks))
    assert (primary(outcome), older(outcome)) == (ANN, ("email",))
    assert key("email", BOB) in outcome.profile.holdings
    assert primary(shop(EDIT, 5, lookup=ID_1, email=sent("email", BOB, is_primary=True))) == BOB


def test_a_contact_is_as_young_as_the_latest_record_that_named_it(shop):
    shop(REGISTER, 1, email=ANN)
    shop(EDIT, 9, lookup=key("email", ANN), discount_card=CARD)
    shop(EDIT, 7, lookup=ID_1, email=ANN)
    assert shop.profiles[1].holdings[key("email", ANN)] == holding(
        "email", ANN, since=1, is_primary=True, used_at=day(9)
    )
    assert primary(shop(EDIT, 8, lookup=ID_1, email=BOB)) == ANN
    assert primary(shop(EDIT, 10, lookup=ID_1, email=EVE)) == EVE


def test_a_joining_contact_becomes_no_primary_over_a_younger_one(shop):
    """R36"""
    shop(REGISTER, 5, email=ANN, mobile_phone=PHONE)
    outcome = shop(ORDER, 3, email=[BOB, ANN], mobile_phone=PHONE, order=order(number_of_day=3))
    assert (outcome.status.value, primary(outcome)) == ("joined", ANN)


def test_a_contact_that_comes_with_a_merge_becomes_no_primary_over_a_younger_one(shop):
    """R36"""
    shop(REGISTER, 1, crm_id="1", personal_action=True)
    shop(REGISTER, 5, email=[ANN, BOB])
    outcome = shop(EDIT, 3, lookup=key("crm_id", "1"), email=sent("email", BOB, is_primary=True))
    assert (len(outcome.merges), primary(outcome)) == (1, ANN)


def test_an_older_unique_id_goes_to_the_former_ones(shop):
    """R2, R3"""
    shop(REGISTER, 5, email=ANN, crm_id="new")
    outcome = shop(EDIT, 3, lookup=ID_1, crm_id="old")
    assert outcome.profile.current("crm_id").value == "new"
    assert older(outcome) == ("ids.crm_id",)
    former = outcome.profile.holdings[key("crm_id", "old")]
    assert (former.is_former, former.retired_at, former.since) == (True, NOW, day(3))
    assert (
        shop(EDIT, 6, lookup=key("crm_id", "old"), crm_id="newest").profile.current("crm_id").value
        == "newest"
    )


def test_an_older_unique_id_that_joins_goes_to_the_former_ones(shop):
    """R3: whoever has priority"""
    shop(REGISTER, 5, email=ANN, crm_id="new")
    outcome = shop(ORDER, 3, email=ANN, crm_id="old", order=order(number_of_day=3))
    assert (outcome.status.value, outcome.profile.current("crm_id").value) == ("joined", "new")
    assert outcome.profile.holdings[key("crm_id", "old")].is_former


def test_an_older_record_clears_no_younger_identifier(shop):
    """R44"""
    shop(REGISTER, 2, email=ANN, crm_id="1", discount_card=CARD)
    shop(EDIT, 6, lookup=ID_1, email=BOB)
    outcome = shop(EDIT, 4, lookup=ID_1, clears=frozenset({"email", "crm_id"}))
    assert {h.value for h in outcome.profile.holdings.values() if not h.is_former} == {BOB, CARD}
    assert (older(outcome), primary(outcome)) == (("email",), BOB)


def test_flags_and_confirmations_are_always_taken(shop):
    """R14"""
    shop(REGISTER, 5, email=ANN)
    brought = sent("email", ANN, gives_access=True, must_be_confirmed=True, is_confirmed=True)
    held = shop(EDIT, 3, lookup=ID_1, email=brought).profile.holdings[key("email", ANN)]
    assert (held.gives_access, held.confirmed_at) == (True, day(3))


def test_a_contact_won_from_a_younger_holder_is_held_from_now_on(shop):
    """R29, R30: the contest is decided by priority; who held it before did so until now"""
    shop(REGISTER, 5, email=ANN, mobile_phone=PHONE)
    outcome = shop(ORDER, 3, email=BOB, mobile_phone=PHONE, order=order(number_of_day=3))
    won = outcome.profile.holdings[key("mobile_phone", PHONE)]
    assert ([c.kept_by for c in outcome.conflicts], won.since, won.last_used_at) == ([2], NOW, day(3))
    outcome = shop(REGISTER, 6, email=EVE, mobile_phone=PHONE, personal_action=True)
    assert [c.kept_by for c in outcome.conflicts] == [2]


# Devices and plain identifiers


@pytest.mark.parametrize("kind", ["device_id", "mobile_device_id", "session_key"])
def test_what_its_identified_holder_used_later_stays(shop, kind):
    """R8, R26, R32: the other counts as its user until the holder's next use"""
    shop(REGISTER, 1, email=ANN, **{kind: "d"})
    shop(EDIT, 9, lookup=ID_1, **{kind: "d"})
    late = {"email": BOB, kind: "d"}
    outcome = shop(REGISTER, 5, **late)
    path = kind if kind != "session_key" else "ids.session_key"
    assert (outcome.moved, older(outcome)) == ((), (path,))
    assert key(kind, "d") in shop.profiles[1].holdings
    used = next(c for c in outcome.changes if isinstance(c, UsedBefore))
    assert (used.customer, used.at, used.holder, used.until) == (2, day(5), 1, day(9))
    assert not [c for c in shop(EDIT, 4, lookup=ID_1, **{kind: "d"}).changes if isinstance(c, UsedBefore)]
    again = shop(EDIT, 9, lookup=key("email", BOB), **{kind: "d"})
    assert [(m.giver, m.taker) for m in again.moved] == [(1, 2)]


def test_a_device_stays_with_whom_activity_shows_to_have_used_it_later(shop):
    """R50"""
    shop(REGISTER, 1, email=ANN, device_id=COOKIE)
    late = record(REGISTER, 5, email=BOB, device_id=COOKIE)
    uses = {(key("device_id", COOKIE), day(5)): EarlierUse(user=1, holder=1, next_at=day(7))}
    outcome = decided(UnitOfWork(replace(shop.world(), uses=uses)), late)
    assert (outcome.moved, older(outcome)) == ((), ("device_id",))
    assert [c.until for c in outcome.changes if isinstance(c, UsedBefore)] == [day(7)]
    told = {(key("device_id", COOKIE), day(5)): EarlierUse(user=1, holder=99, next_at=day(7))}
    outcome = decided(UnitOfWork(replace(shop.world(), uses=told)), late)
    assert [(m.giver, m.taker) for m in outcome.moved] == [(1, 2)]


def test_who_counts_as_the_user_at_that_time_already_is_not_told_again(shop):
    shop(REGISTER, 1, email=ANN, device_id=COOKIE)
    shop(EDIT, 9, lookup=ID_1, device_id=COOKIE)
    shop(REGISTER, 2, email=BOB)
    late = record(EDIT, 5, lookup=key("email", BOB), device_id=COOKIE)
    first, second = shop.submit(late, late)
    assert [type(c) for c in undated(first.changes)] == [UsedBefore]
    assert undated(second.changes) == ()
    uses = {(key("device_id", COOKIE), day(5)): EarlierUse(user=2, holder=1, next_at=day(7))}
    outcome = decided(UnitOfWork(replace(shop.world(), uses=uses)), late)
    assert undated(outcome.changes) == ()


def test_a_device_of_an_anonymous_customer_moves_whenever_it_was_used(shop):
    """R8"""
    shop(REGISTER, 9, device_id=COOKIE)
    shop(REGISTER, 3, email=ANN)
    shop.keep_apart(1, 2)
    outcome = shop(EDIT, 5, lookup=key("email", ANN), device_id=COOKIE)
    assert [(m.giver, m.taker) for m in outcome.moved] == [(1, 2)]


def test_a_late_user_counts_for_sharing_a_device(shop):
    """R26"""
    shop.shared_device_limit = 1
    shop(REGISTER, 1, email=ANN, device_id=COOKIE)
    shop(EDIT, 9, lookup=ID_1, device_id=COOKIE)
    _late, outcome = shop.submit(
        record(REGISTER, 5, email=BOB, device_id=COOKIE), record(REGISTER, 10, device_id=COOKIE, email=EVE)
    )
    assert (outcome.status.value, outcome.blocked_matches) == ("created", ())


def test_whom_a_device_matches_is_its_present_customer_however_old_the_record(shop):
    """R21, R22"""
    shop(REGISTER, 9, email=ANN, device_id=COOKIE)
    assert shop(UPSERT, 3, device_id=COOKIE, time_zone="A").customer == 1
    assert shop(REGISTER, 3, discount_card=CARD, device_id=COOKIE).status.value == "joined"


# Registration and memberships


def test_a_record_makes_the_registration_earlier_and_an_activity_or_a_code_does_not(shop):
    """R33"""
    shop(REGISTER, 5, email=ANN)
    shop(UPSERT, 3, email=ANN, lookup_by=CONTACTS_TOO, personal_action=True, is_activity=True)
    shop(POINTS, 3, lookup=ID_1)
    assert shop.profiles[1].registered_at == day(5)
    outcome = shop(EDIT, 4, lookup=ID_1, time_zone="A")
    assert (outcome.profile.registered_at, outcome.changes[0]) == (
        day(4),
        RegisteredEarlier(customer=1, maestra_id=1, before=day(5), after=day(4)),
    )
    assert shop(REGISTER, 2, email=ANN).profile.registered_at == day(2)
    assert shop(EDIT, 3, lookup=ID_1, time_zone="B").profile.registered_at == day(2)


def test_the_registration_is_of_the_maestra_id_that_found_the_profile(shop):
    """R46: an undo gives it back with it"""
    shop(REGISTER, 5, email=ANN)
    shop(REGISTER, 6, email=BOB)
    shop.merge([2], 1)
    shop(EDIT, 3, lookup=key("email", BOB), time_zone="A")
    shop.undo()
    assert [shop.profiles[n].registered_at for n in (1, 2)] == [day(5), day(3)]


def test_an_older_segment_is_left_out_and_told(shop):
    """R38"""
    shop(REGISTER, 5, email=ANN, memberships=(SentMembership(1, 1),))
    for operation in (EDIT, REGISTER):
        who = {"lookup": ID_1} if operation is EDIT else {"email": ANN}
        outcome = shop(operation, 3, memberships=(SentMembership(1, 2, path="segments[0]"),), **who)
        assert (outcome.profile.memberships, older(outcome)) == ({1: Membership(1, day(5))}, ("segments[0]",))


def test_a_warning_names_where_its_fields_stood(shop):
    shop(REGISTER, 5, email=ANN, personal=SMITH)
    outcome = shop(EDIT, 3, lookup=ID_1, personal=LEE, path="customer")
    assert outcome.warnings == (
        RecordWarning(WarningCode.OLDER_DATA, fields=("customer.personal.last_name",)),
    )


# In whatever order it is told


@pytest.mark.parametrize("order_told", list(permutations((1, 2, 3))))
def test_a_story_told_in_any_order_ends_the_same(shop, order_told):
    """With a whole personal set each time, as R42 asks for."""
    shop(REGISTER, 0, crm_id="1")
    for number in order_told:
        shop(
            EDIT,
            number,
            lookup=key("crm_id", "1"),
            personal={"last_name": f"L{number}", "first_name": f"F{number}"},
            time_zone=f"Z{number}",
            custom_fields={"size": number, f"only{number}": True},
            email=f"{number}@x",
            session_key=SESSION,
            mobile_device_id=APP,
        )
    p = shop.profiles[1]
    assert p.personal == Personal("L3", "F3")
    assert (p.time_zone, p.primary("email").value) == ("Z3", "3@x")
    assert p.custom_fields == {"size": 3, "only1": True, "only2": True, "only3": True}
    assert p.ages == Ages(day(3), day(3), {"size": day(3), **{f"only{n}": day(n) for n in (1, 2, 3)}})
    assert p.holdings[key("session_key", SESSION)].last_used_at == day(3)


told = st.fixed_dictionaries({
    "fields": st.dictionaries(st.sampled_from(["a", "b", "c"]), st.just(0), min_size=1),
    "zone": st.booleans(),
    "personal": st.booleans(),
})  # fmt: skip


@given(story=st.lists(told, min_size=2, max_size=6), data=st.data())
@settings(max_examples=150, deadline=None, derandomize=True, database=None)
def test_single_values_do_not_depend_on_the_order_of_telling(story, data):
    """Each record has values of its own, so that none repeats what is there."""
    records = [
        record(
            EDIT,
            number,
            lookup=ID_1,
            custom_fields=dict.fromkeys(one["fields"], number),
            time_zone=f"Z{number}" if one["zone"] else None,
            personal={"last_name": f"L{number}", "gender": f"G{number}"} if one["personal"] else {},
        )
        for number, one in enumerate(story, 1)
    ]
    ends = []
    for chosen in (records, data.draw(st.permutations(records))):
        memory = Memory()
        memory(REGISTER, 0, crm_id="1")
        for one in chosen:
            memory.submit(one)
        p = memory.profiles[1]
        ends.append((p.personal, p.time_zone, p.custom_fields, p.ages))
    assert ends[0] == ends[1]
