"""Who may not be one (R22, R23, R25, R28)."""

import pytest

from customers.profile import Personal
from dedup.engine.outcome import Veto
from dedup.engine.vetoes import VETOES, confirmed_by_both, upheld, vetoes
from tests.dedup.engine.builders import ANN, BOB, CARD, PHONE, PHONE_2, day, holding, key, profile, world


def between(left, right, **more):
    """The vetoes between two profiles, both ways; names and reasons must not depend on the side."""
    there, back = vetoes(left, right, world(**more)), vetoes(right, left, world(**more))
    assert [v.name for v in there] == [v.name for v in back]
    return there


def test_the_table_is_read_in_the_order_of_the_rule():
    """R22, R27"""
    assert [rule.name for rule in VETOES] == [
        "apart",
        "different_unique_ids",
        "different_account_access",
        "different_emails",
        "different_phones",
    ]


def test_every_veto_is_reported_in_the_order_of_the_table():
    """R22"""
    left = profile(
        1,
        holding("email", ANN, gives_access=True),
        holding("mobile_phone", PHONE),
        holding("passport_id", "p1"),
    )
    right = profile(
        2,
        holding("email", BOB),
        holding("mobile_phone", PHONE_2, gives_access=True),
        holding("passport_id", "p2"),
    )
    assert between(left, right, apart=frozenset({frozenset((1, 2))})) == (
        Veto("apart", ("1",), ("2",)),
        Veto("different_unique_ids", ("p1",), ("p2",)),
        Veto("different_account_access", (ANN,), (PHONE_2,)),
        Veto("different_emails", (ANN,), (BOB,)),
        Veto("different_phones", (PHONE,), (PHONE_2,)),
    )


def test_strangers_with_nothing_in_conflict_have_no_veto():
    """R22"""
    assert between(profile(1, holding("email", ANN)), profile(2, holding("mobile_phone", PHONE))) == ()


def test_apart_holds_between_any_maestra_ids_of_the_two():
    """R22"""
    left = profile(1, members=(*profile(1).members, *profile(5).members))
    right = profile(2, members=(*profile(2).members, *profile(7).members))
    assert between(left, right, apart=frozenset({frozenset((5, 7))})) == (Veto("apart", ("5",), ("7",)),)


def test_apart_says_nothing_of_others():
    """R22"""
    assert between(profile(1), profile(2), apart=frozenset({frozenset((1, 3))})) == ()


def test_different_ids_of_a_strict_kind_are_a_veto():
    """R3, R22"""
    left, right = profile(1, holding("passport_id", "p1")), profile(2, holding("passport_id", "p2"))
    assert between(left, right) == (Veto("different_unique_ids", ("p1",), ("p2",)),)


def test_different_ids_of_a_lenient_kind_are_none():
    """R3, R22"""
    assert between(profile(1, holding("crm_id", "1")), profile(2, holding("crm_id", "2"))) == ()


def test_a_former_id_of_a_strict_kind_is_no_veto():
    """R3, R22"""
    former = holding("passport_id", "p1", is_former=True, retired_at=day(2))
    assert between(profile(1, former), profile(2, holding("passport_id", "p2"))) == ()


def test_all_strict_kinds_that_differ_are_reported():
    """R22"""
    from_world = world().kinds
    strict = {
        **from_world,
        "crm_id": type(from_world["crm_id"])(100, "crm_id", from_world["crm_id"].category, True),
    }
    left = profile(1, holding("crm_id", "1"), holding("passport_id", "p1"))
    right = profile(2, holding("crm_id", "2"), holding("passport_id", "p2"))
    assert between(left, right, kinds=strict) == (Veto("different_unique_ids", ("1", "p1"), ("2", "p2")),)


def test_account_access_by_contacts_of_different_types_is_a_veto():
    """R22"""
    left = profile(1, holding("mobile_phone", PHONE, gives_access=True))
    right = profile(2, holding("email", ANN, gives_access=True))
    assert between(left, right) == (Veto("different_account_access", (PHONE,), (ANN,)),)


def test_account_access_by_different_cards_is_a_veto():
    """R22, R23"""
    left = profile(1, holding("discount_card", "1", gives_access=True))
    right = profile(2, holding("discount_card", "2", gives_access=True))
    assert between(left, right) == (Veto("different_account_access", ("1",), ("2",)),)


def test_account_access_shared_by_one_contact_is_none():
    """R22"""
    shared = holding("mobile_phone", PHONE, gives_access=True)
    left = profile(1, shared, holding("email", ANN, gives_access=True))
    assert between(left, profile(2, shared)) == ()


def test_a_contact_flagged_on_one_side_only_is_not_shared_access():
    """R22"""
    left = profile(1, holding("mobile_phone", PHONE, gives_access=True))
    right = profile(2, holding("mobile_phone", PHONE), holding("email", ANN, gives_access=True))
    assert between(left, right) == (Veto("different_account_access", (PHONE,), (ANN,)),)


@pytest.mark.parametrize(
    ("kind", "one", "two", "name"),
    [("email", ANN, BOB, "different_emails"), ("mobile_phone", PHONE, PHONE_2, "different_phones")],
)
def test_values_of_a_type_that_share_none_are_a_veto(kind, one, two, name):
    """R22"""
    left, right = profile(1, holding(kind, one)), profile(2, holding(kind, two))
    assert between(left, right) == (Veto(name, (one,), (two,)),)
    assert between(left, profile(2, holding(kind, two), holding(kind, one))) == ()


def test_differing_people_are_no_veto():
    """R23"""
    left = profile(
        1,
        holding("discount_card", CARD),
        personal=Personal("A", "B", gender="male"),
        custom_fields={"size": 1},
    )
    right = profile(
        2,
        holding("discount_card", "7002"),
        personal=Personal("X", "Y", gender="female"),
        custom_fields={"size": 2},
    )
    assert between(left, right) == ()


def test_a_named_result_and_a_contact_both_confirmed_outweigh_only_differing_emails_and_phones():
    """R25, R28"""
    found = tuple(Veto(rule.name) for rule in VETOES)
    assert [v.name for v in upheld(found, overridden=True)] == [
        "apart",
        "different_unique_ids",
        "different_account_access",
    ]
    assert upheld(found, overridden=False) == found


def test_a_contact_confirmed_on_both_sides_is_found():
    """R25"""
    confirmed = holding("mobile_phone", PHONE, confirmed_at=day(1))
    left, right = profile(1, confirmed), profile(2, confirmed)
    assert confirmed_by_both(left, right) == key("mobile_phone", PHONE)
    assert confirmed_by_both(left, profile(2, holding("mobile_phone", PHONE))) is None
    assert confirmed_by_both(profile(1), right) is None
