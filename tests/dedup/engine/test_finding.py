"""Whom a record is about (R16-R21, R58)."""

import pytest

from customers.profile import Member
from dedup.engine.finding import Subject, find_subject
from dedup.engine.outcome import Refused
from dedup.engine.record import Operation
from dedup.engine.unit_of_work import UnitOfWork
from tests.dedup.engine.builders import (
    ANN,
    APP,
    BOB,
    CONTACTS_TOO,
    COOKIE,
    PHONE,
    SESSION,
    day,
    holding,
    key,
    profile,
    record,
    sent,
    world,
)

REGISTER, UPSERT, EDIT, AUTHORIZE = Operation.REGISTER, Operation.UPSERT, Operation.EDIT, Operation.AUTHORIZE
TWO_IDS = (Member(1, day(1)), Member(5, day(1)))
FIRST = profile(
    1,
    holding("email", ANN),
    holding("crm_id", "301", 5),
    holding("crm_id", "103", 1, is_former=True, retired_at=day(2)),
    holding("passport_id", "old", 1, is_former=True, retired_at=day(2)),
    holding("device_id", COOKIE),
    members=TWO_IDS,
)
SECOND = profile(
    2,
    holding("mobile_phone", PHONE, 2, gives_access=True),
    holding("crm_id", "302", 2),
    holding("session_key", SESSION, 2),
)
WORLD = world(FIRST, SECOND)


def find(operation, **values):
    return find_subject(UnitOfWork(WORLD), record(operation, **values))


def refused(operation, **values):
    with pytest.raises(Refused) as caught:
        find(operation, **values)
    refusal = caught.value.refusal
    return refusal.code.value, dict(refusal.data)


def by_id(number):
    return key("maestra_id", str(number))


def test_register_finds_nobody_by_contacts():
    """R16"""
    assert find(REGISTER, email=ANN) is None


@pytest.mark.parametrize("crm_id", ["301", "103"], ids=["current", "former"])
def test_register_refuses_a_unique_value_that_exists(crm_id):
    """R2, R16"""
    assert refused(REGISTER, crm_id=crm_id) == (
        "technical_id_not_unique",
        {"maestra_ids": [1], "keys": [key("crm_id", crm_id)]},
    )


def test_a_former_value_of_a_strict_kind_may_be_registered_anew():
    """R3"""
    assert find(REGISTER, passport_id="old") is None


def test_an_edit_refuses_a_contact_another_signs_in_with():
    """R16"""
    flagged = sent("mobile_phone", PHONE, gives_access=True)
    assert refused(EDIT, lookup=by_id(1), mobile_phone=flagged)[0] == "already_registered"
    assert find(EDIT, lookup=by_id(2), mobile_phone=flagged) == Subject(2, 2)
    assert refused(UPSERT, crm_id="301", mobile_phone=flagged)[0] == "already_registered"


def test_an_upsert_that_found_nobody_may_still_join_whom_the_contact_belongs_to():
    """R16"""
    assert find(UPSERT, mobile_phone=sent("mobile_phone", PHONE, gives_access=True)) is None


def test_the_technical_id_goes_before_already_registered():
    """R16: the order of errors"""
    flagged = sent("mobile_phone", PHONE, gives_access=True)
    assert refused(REGISTER, crm_id="301", mobile_phone=flagged)[0] == "technical_id_not_unique"


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"crm_id": "301"}, Subject(1, 5)),
        ({"crm_id": "103"}, Subject(1, 1)),
        ({"maestra_id": 5}, Subject(1, 5)),
        ({"maestra_id": 1, "crm_id": "301"}, Subject(1, 1)),
        ({"crm_id": "302", "email": ANN}, Subject(2, 2)),
        ({"crm_id": "999", "session_key": SESSION}, None),
        ({"passport_id": "old", "session_key": SESSION}, None),
        ({"session_key": SESSION}, Subject(2, 2)),
        ({"email": ANN}, None),
        ({"email": ANN, "lookup_by": CONTACTS_TOO}, Subject(1, 1)),
        ({"email": ANN, "session_key": SESSION, "lookup_by": CONTACTS_TOO}, Subject(2, 2)),
        ({"email": ANN, "session_key": SESSION, "lookup_by": ("email", "session_key")}, Subject(1, 1)),
        ({"email": [BOB, ANN], "lookup_by": CONTACTS_TOO}, Subject(1, 1)),
    ],
)
def test_upsert_looks_up_by_ids_first_and_weaker_kinds_in_order(values, found):
    """R17, R46: what is written has the MaestraID named, else the origin of what found the profile"""
    assert find(UPSERT, **values) == found


@pytest.mark.parametrize(
    "values",
    [
        {"crm_id": "301", "maestra_id": 2},
        {"crm_id": "103", "maestra_id": 2},
        {"session_key": SESSION, "crm_id": "301", "lookup_by": ("session_key",)},
        {"email": ANN, "crm_id": "302", "lookup_by": ("email",)},
    ],
    ids=["two IDs", "one of them former", "an ID not looked up by", "the ID of another"],
)
def test_upsert_refuses_ids_of_different_customers(values):
    """R17"""
    code, data = refused(UPSERT, **values)
    assert (code, data["maestra_ids"]) == ("ambiguous_customer", [1, 2])


def test_an_edit_refuses_ids_of_others():
    """R17"""
    assert refused(EDIT, lookup=by_id(1), crm_id="302") == (
        "ambiguous_customer",
        {"maestra_ids": [1, 2], "keys": [key("crm_id", "302")]},
    )
    assert refused(EDIT, lookup=by_id(2), maestra_id=5)[0] == "ambiguous_customer"


def test_a_maestra_id_of_nobody_is_not_found_in_any_record():
    """R17"""
    assert refused(UPSERT, maestra_id=9, crm_id="301") == ("customer_not_found", {"key": by_id(9)})
    assert refused(EDIT, lookup=by_id(1), maestra_id=9) == ("customer_not_found", {"key": by_id(9)})


@pytest.mark.parametrize(
    ("lookup", "found"),
    [
        (by_id(5), Subject(1, 5)),
        (key("email", ANN), Subject(1, 1)),
        (key("crm_id", "103"), Subject(1, 1)),
        (key("device_id", COOKIE), Subject(1, 1)),
    ],
)
def test_an_edit_finds_by_one_identifier_former_ones_too(lookup, found):
    """R1, R3, R18, R19"""
    assert find(EDIT, lookup=lookup) == found


@pytest.mark.parametrize("lookup", [by_id(9), key("email", BOB), key("passport_id", "old")])
def test_an_edit_of_nobody_is_not_found(lookup):
    """R3, R18"""
    assert refused(EDIT, lookup=lookup) == ("customer_not_found", {"key": lookup})


@pytest.mark.parametrize(
    "operation", [EDIT, AUTHORIZE, Operation.CONFIRM, Operation.POINTS, Operation.PROMO_CODE]
)
def test_at_a_point_with_account_access_only_flagged_contacts_are_seen(operation):
    """R20"""
    sees = {"access_kinds": frozenset({"email", "mobile_phone"})}
    assert refused(operation, lookup=key("email", ANN), **sees)[0] == "customer_not_found"
    assert find(operation, lookup=key("mobile_phone", PHONE), **sees) == Subject(2, 2)


def test_an_upsert_by_contact_sees_only_flagged_ones_too():
    """R20"""
    assert find(UPSERT, email=ANN, lookup_by=("email",), access_kinds=frozenset({"email"})) is None


@pytest.mark.parametrize("operation", [REGISTER, UPSERT, Operation.SUBSCRIBE])
def test_a_record_of_devices_only_is_about_whoever_uses_the_device(operation):
    """R21"""
    assert find(operation, device_id=COOKIE) == Subject(1, 1)
    assert find(operation, mobile_device_id=APP) is None
    assert find(operation, mobile_device_id=APP, device_id=COOKIE) == Subject(1, 1)
    assert find(REGISTER, device_id=COOKIE, cards=("hash",)) is None


def test_ids_of_two_customers_are_ambiguous():
    """R17: naming both, and the IDs in conflict"""
    assert refused(UPSERT, crm_id="301", maestra_id=2) == (
        "ambiguous_customer",
        {"maestra_ids": [1, 2], "keys": [by_id(2), key("crm_id", "301")]},
    )
    assert refused(UPSERT, crm_id=["301", "302"]) == (
        "ambiguous_customer",
        {"maestra_ids": [1, 2], "keys": [key("crm_id", "301"), key("crm_id", "302")]},
    )


def test_the_browser_goes_before_the_app():
    """R21"""
    app = profile(3, holding("email", BOB, 3), holding("mobile_device_id", APP, 3))
    work = UnitOfWork(world(FIRST, SECOND, app))
    for devices in (
        {"mobile_device_id": APP, "device_id": COOKIE},
        {"device_id": COOKIE, "mobile_device_id": APP},
    ):
        assert find_subject(work, record(UPSERT, **devices)) == Subject(1, 1)
    assert find_subject(work, record(UPSERT, mobile_device_id=APP)) == Subject(3, 3)
