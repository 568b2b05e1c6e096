"""How a record changes single values (R14, R42-R44)."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from customers.profile import PERSONAL_FIELDS, Personal
from dedup.engine.editing import (
    edited_fields,
    edited_personal,
    edited_time_zone,
    heeded,
    reflagged,
    replaced_personal,
    requested_primary,
    waits_for_confirmation,
)
from dedup.engine.record import Mode, Operation
from tests.dedup.engine.builders import ANN, BOB, EVE, PHONE, day, holding, key, profile, record, sent

OVERWRITE, FILL = Mode.OVERWRITE, Mode.FILL
EDIT = Operation.EDIT
BORN = date(1990, 1, 31)
STORED = Personal(last_name="Ray", first_name="Ann")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, STORED),
        ({"middle_name": "M"}, Personal("Ray", "Ann", "M")),
        ({"first_name": "Ann", "birth_date": BORN}, Personal("Ray", "Ann", None, BORN)),
        ({"first_name": "Bob"}, Personal(first_name="Bob")),
        ({"first_name": "Bob", "gender": "male"}, Personal(first_name="Bob", gender="male")),
        ({"first_name": None}, Personal(last_name="Ray")),
        ({"first_name": None, "gender": "female"}, Personal("Ray", gender="female")),
        ({"first_name": None, "last_name": "Roe"}, Personal(last_name="Roe")),
        ({"first_name": None, "last_name": None}, Personal()),
    ],
    ids=[
        "nothing sent", "an addition", "the same and an addition", "a contradiction", "with an addition",
        "a field cleared", "cleared and added", "cleared beside a contradiction", "all cleared",
    ],
)  # fmt: skip
def test_personal_data_is_added_to_or_replaced_whole(given, expected):
    """R42, R44"""
    assert edited_personal(STORED, given, OVERWRITE) == expected


@pytest.mark.parametrize(
    ("stored", "given"),
    [
        ("Lee", "LEE"),
        ("O'Brien", "O\u2019Brien"),
        ("D\u2019Arcy", "d'arcy"),
        ("Smith-Jones", "Smith\u2010Jones"),
        ("Anne\u2013Marie", "anne-marie"),
        ("Jos\u00e9", "Jose\u0301"),
        ("Wei\u00df", "WEISS"),
    ],
)
def test_another_form_of_a_name_contradicts_nothing_and_the_stored_one_stays(stored, given):
    """R42"""
    current = Personal(last_name=stored, birth_date=BORN)
    assert edited_personal(current, {"last_name": given}, OVERWRITE) == current
    added = edited_personal(current, {"last_name": given, "first_name": "Ann"}, OVERWRITE)
    assert added == Personal(last_name=stored, first_name="Ann", birth_date=BORN)
    assert edited_personal(current, {"last_name": given}, FILL) == current


@pytest.mark.parametrize("given", ["Lea", "Jose", "OBrien", "Leeson"])
def test_another_name_contradicts(given):
    """R42"""
    current = Personal(last_name="Jos\u00e9" if given == "Jose" else "O'Brien", birth_date=BORN)
    assert edited_personal(current, {"last_name": given}, OVERWRITE) == Personal(last_name=given)


def test_a_set_sent_with_every_field_is_taken_in_the_form_it_is_sent_in():
    """R42"""
    whole = {"last_name": "LEE", "first_name": None, "middle_name": None, "birth_date": BORN, "gender": None}
    stored = Personal("Lee", birth_date=BORN)
    assert edited_personal(stored, whole, OVERWRITE) == replace(stored, last_name="LEE")


def test_what_went_is_named_where_a_sent_value_contradicts():
    """R42"""
    stored = Personal("Ray", "Ann", birth_date=BORN)
    cases: list[tuple[dict[str, Any], tuple[str, ...]]] = [
        ({"last_name": "Roe"}, ("last_name", "first_name", "birth_date")),
        ({"last_name": "Roe", "first_name": "Ann"}, ("last_name", "birth_date")),
        ({"last_name": None}, ()),
        ({"middle_name": "M"}, ()),
        ({**dict.fromkeys(PERSONAL_FIELDS), "last_name": "Roe"}, ()),
    ]
    for given, gone in cases:
        after = edited_personal(stored, given, OVERWRITE)
        assert replaced_personal(stored, after, given) == gone


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"middle_name": "M", "last_name": None}, Personal("Ray", "Ann", "M")),
        ({"first_name": "Ann", "middle_name": "M"}, Personal("Ray", "Ann", "M")),
        (
            {**dict.fromkeys(PERSONAL_FIELDS), "first_name": "ANN", "middle_name": "M"},
            Personal("Ray", "Ann", "M"),
        ),
        ({"first_name": "Bob", "middle_name": "M"}, STORED),
        ({"last_name": "Ray", "first_name": "Bob", "birth_date": BORN}, STORED),
    ],
    ids=[
        "an addition",
        "the same and an addition",
        "another form, and every field sent",
        "a contradiction and an addition",
        "among what is the same",
    ],
)
def test_fill_adds_a_set_of_personal_data_that_contradicts_nothing_or_none_of_it(given, expected):
    """R44"""
    assert edited_personal(STORED, given, FILL) == expected


def test_fill_heeds_no_new_value_of_a_kind_the_customer_has():
    """R14, R44: what is held is sent again, a device is added, a former ID is none that is had"""
    stored = profile(1, holding("email", ANN), holding("crm_id", "1", is_former=True, retired_at=day(2)))
    given = {"email": [ANN, BOB], "crm_id": "2", "mobile_phone": [PHONE], "device_id": ["c-1", "c-2"]}
    counting = heeded(record(EDIT, mode=FILL, **given), stored)
    assert counting == record(EDIT, mode=FILL, **{**given, "email": ANN})
    assert heeded(record(EDIT, mode=OVERWRITE, **given), stored) == record(EDIT, mode=OVERWRITE, **given)


def test_custom_fields_are_set_cleared_or_filled():
    """R44"""
    stored = {"size": 1, "pet": "cat"}
    given = {"size": 2, "pet": None, "car": "none", "bike": None}
    assert edited_fields(stored, given, OVERWRITE) == {"size": 2, "car": "none"}
    assert edited_fields(stored, given, FILL) == {"size": 1, "pet": "cat", "car": "none"}
    assert edited_fields(stored, {}, OVERWRITE) == stored


@pytest.mark.parametrize(
    ("current", "values", "expected"),
    [
        ("A", {}, "A"),
        ("A", {"time_zone": "B"}, "B"),
        ("A", {"clears": frozenset({"time_zone"})}, None),
        ("A", {"time_zone": "B", "mode": FILL}, "A"),
        (None, {"time_zone": "B", "mode": FILL}, "B"),
        ("A", {"clears": frozenset({"time_zone"}), "mode": FILL}, "A"),
    ],
)
def test_a_time_zone_is_set_cleared_or_filled(current, values, expected):
    """R44"""
    sent = record(EDIT, **values)
    assert edited_time_zone(current, sent, sent.mode) == expected


def test_a_contact_sent_again_gets_flags_and_loses_none():
    """R14"""
    plain = holding("email", ANN, is_primary=True)
    flagged = reflagged(
        plain, sent("email", ANN, gives_access=True, must_be_confirmed=True, is_confirmed=True), day(5)
    )
    assert flagged == replace(plain, gives_access=True, must_be_confirmed=True, confirmed_at=day(5))
    assert reflagged(flagged, sent("email", ANN), day(9)) == flagged
    assert reflagged(flagged, sent("email", ANN, is_confirmed=True), day(9)) == flagged


@pytest.mark.parametrize(
    ("confirmed", "brought", "waits"),
    [
        (True, sent("email", BOB, must_be_confirmed=True), True),
        (False, sent("email", BOB, must_be_confirmed=True), False),
        (True, sent("email", BOB), False),
        (True, sent("email", BOB, must_be_confirmed=True, is_confirmed=True), False),
        (True, sent("email", ANN, must_be_confirmed=True), False),
        (True, sent("mobile_phone", PHONE, must_be_confirmed=True), False),
    ],
    ids=[
        "to be confirmed",
        "primary unconfirmed",
        "plain point",
        "brought confirmed",
        "held",
        "another type",
    ],
)
def test_only_a_new_contact_to_be_confirmed_waits_while_the_primary_is_confirmed(confirmed, brought, waits):
    """R43"""
    stored = profile(1, holding("email", ANN, confirmed_at=day(1) if confirmed else None))
    assert waits_for_confirmation(stored, brought) is waits


@pytest.mark.parametrize(
    ("emails", "wanted"),
    [
        ([BOB], BOB),
        ([ANN], None),
        ([sent("email", ANN, is_primary=True)], ANN),
        ([sent("email", BOB, is_primary=True), EVE], BOB),
        ([ANN, sent("email", EVE, is_primary=True)], EVE),
        ([], None),
    ],
    ids=["new", "held", "held and asked for", "first of a list", "another of a list", "none"],
)
def test_a_new_contact_becomes_primary_and_a_held_one_when_asked(emails, wanted):
    """R14, R43"""
    found = requested_primary(profile(1, holding("email", ANN)), record(EDIT, email=emails), "email")
    assert found == (key("email", wanted) if wanted else None)
