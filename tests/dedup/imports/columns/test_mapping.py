"""Columns find their fields by name, or are told by hand. No database."""

from __future__ import annotations

import json

import pytest

from customers.errors import SelfsameError
from dedup.engine.record import Mode
from dedup.imports.columns.mapping import (
    ColumnMapping,
    look_alikes,
    read_mapping,
    recognise,
    require_usable,
    targets,
    unmapped,
)
from dedup.imports.columns.options import Options
from dedup.models import ImportKind
from tests.dedup.imports.setup import CATALOGUE, CONFIRMING, POINT, SEGMENTATIONS

CUSTOMERS, ORDERS, SEGMENT, MERGES = ImportKind


def recognised(kind, *header, point=None) -> tuple[str | None, ...]:
    return recognise(kind, header, CATALOGUE, SEGMENTATIONS, point).targets


def chosen(kind, data, point=None) -> ColumnMapping:
    return read_mapping(kind, tuple(data), data, CATALOGUE, SEGMENTATIONS, point)


def faults(call) -> list[tuple[str, str]]:
    with pytest.raises(SelfsameError) as caught:
        call()
    return [(error["path"], error["message"]) for error in caught.value.data["errors"]]


@pytest.mark.parametrize(
    ("target", "spellings"),
    [
        ("email", ["Email", "e-mail", "E_MAIL", "EMAIL ADDRESS", "Mail", "CustomerEmail", "email"]),
        ("mobile_phone", ["MobilePhone", "phone", "Mobile phone", "Tel.", "PHONE_NUMBER", "Cell"]),
        ("discount_card", ["DiscountCard", "Loyalty card no", "discount card number"]),
        ("ids.crm_id", ["CrmID", "crm id", "CRM_ID", "ids.crm_id", "Customer number", "customer_crm_id"]),
        ("ids.ssn", ["SSN", "SSN_NUMBER"]),
        ("ids.maestra_id", ["MaestraID", "maestra_id"]),
        ("device_id", ["DeviceID", "device uuid", "Cookie"]),
        ("personal.birth_date", ["BirthDate", "date of birth", "DOB", "DATE_OF_BIRTH", "Birthday"]),
        (
            "personal.last_name",
            ["Last name", "Surname", "family_name", "PRIMARY_NAME_LAST", "personal.last_name"],
        ),
        ("personal.first_name", ["FirstName", "first name", "Given Name", "PRIMARY_NAME_FIRST"]),
        ("personal.gender", ["Gender", "Sex"]),
        ("time_zone", ["TimeZone", "time zone", "tz"]),
        (
            "subscriptions.email",
            ["IsSubscribedByEmail", "email opt-in", "EmailSubscribed", "subscribed to email"],
        ),
        ("subscriptions.sms", ["IsSubscribedBySms", "sms_opt_in"]),
        ("subscriptions.email.news", ["subscriptions.email.news", "IsSubscribedByEmail: news"]),
        ("segments.loyalty", ["loyalty", "Segment", "Loyalty segment"]),
        ("custom_fields.a_integer", ["a_integer", "Shoe size", "ShoeSize"]),
        ("email.is_confirmed", ["IsEmailConfirmed", "email_confirmed", "Email verified"]),
        ("mobile_phone.is_confirmed", ["IsMobilePhoneConfirmed", "phone confirmed"]),
        ("personal.full_name", ["Full name", "Name"]),
        ("unsubscribed.email", ["HasOptedOutOfEmail", "Email Opt Out", "Unsubscribed"]),
        ("unsubscribed.call", ["Do not call", "DoNotCall"]),
        ("opted_out", ["Opted out", "Do not contact"]),
        ("subscriptions.email.since", ["Email opt-in time"]),
        (None, ["Address", "", "id", "activity", "IsActive", "Home phone", "Fax"]),
    ],
)
def test_a_column_is_recognised_in_many_spellings(target, spellings):
    assert {spelling: recognised(CUSTOMERS, spelling)[0] for spelling in spellings} == dict.fromkeys(
        spellings, target
    )


def test_of_two_columns_the_one_that_says_it_better_is_taken():
    assert recognised(CUSTOMERS, "Customer e-mail", "Email", "Phone", "Mobile") == (
        *(None, "email", None, "mobile_phone"),
    )
    assert recognised(CUSTOMERS, "Home phone", "Email 2", "Email", "Phone") == (
        *(None, "email", "email", "mobile_phone"),
    )


def test_a_full_name_is_not_taken_beside_its_parts():
    assert recognised(CUSTOMERS, "Name", "Last name") == (None, "personal.last_name")
    assert recognised(CUSTOMERS, "Name", "E-mail") == ("personal.full_name", "email")


def test_columns_that_look_like_a_contact_and_are_not_used_are_told():
    def told(*header: str) -> list[str]:
        mapping = recognise(CUSTOMERS, header, CATALOGUE, SEGMENTATIONS)
        return look_alikes(CUSTOMERS, header, mapping, CATALOGUE, SEGMENTATIONS)

    (left,) = told("Phone", "Mobile", "Note")
    assert "“Phone”" in left
    assert "“Mobile”" in left
    assert told("Phone", "Email", "Note") == []
    assert len(told("Home phone", "Business phone", "Mobile phone")) == 2


def test_a_confirmation_is_recognised_only_where_the_point_asks_for_one():
    header = ("Email", "IsEmailConfirmed")
    assert recognised(CUSTOMERS, *header, point=POINT) == ("email", None)
    assert recognised(CUSTOMERS, *header, point=CONFIRMING) == ("email", "email.is_confirmed")


def test_the_columns_of_orders_are_recognised():
    header = ("OrderID", "Amount", "Currency", "Order date", "Status", "Phone", "Comment")
    assert recognised(ORDERS, *header) == (
        *("order.number", "order.total", "order.currency", "order.placed_at", "order.status"),
        *("mobile_phone", None),
    )


def test_the_columns_of_segment_members_and_merges_are_recognised():
    assert recognised(SEGMENT, "E-mail", "Loyalty", "First name") == ("email", "segments.loyalty", None)
    assert recognised(MERGES, "Resulting ID", "IDs to merge") == ("resulting.maestra_id", "merged.maestra_id")
    assert recognised(MERGES, "Primary CRM ID", "Duplicate crm_id") == ("resulting.crm_id", "merged.crm_id")


@pytest.mark.parametrize("kind", ImportKind)
def test_every_target_can_be_chosen_and_is_recognised_by_its_own_name(kind):
    offered = targets(kind, CATALOGUE, SEGMENTATIONS)
    names = [target.name for target in offered]
    assert len(set(names)) == len(names)
    assert all(target.label and target.group for target in offered)
    assert recognised(kind, *names) == tuple(names)
    assert chosen(kind, {name: name for name in names}).targets == tuple(names)


def test_a_mapping_by_hand_is_kept_by_column_name_and_fits_other_orders():
    mapping = chosen(CUSTOMERS, {"A": "email", "B": None, "C": "subscriptions.sms.news"})
    saved = json.loads(json.dumps(mapping.to_json(("A", "B", "C"))))
    again = read_mapping(CUSTOMERS, ("C", "D", "A", "B"), saved, CATALOGUE, SEGMENTATIONS)
    assert again.targets == ("subscriptions.sms.news", None, "email", None)
    assert unmapped(("C", "D", "A", "B"), again) == ("D", "B")


def test_two_columns_for_one_field_are_refused_and_both_named():
    found = faults(
        lambda: chosen(CUSTOMERS, {"First": "personal.first_name", "Given": "personal.first_name"})
    )
    assert found == [("Given", "The columns “First” and “Given” both go to First name. Use one of them.")]


def test_several_columns_may_hold_phones_or_addresses():
    mapping = chosen(CUSTOMERS, {"Phone": "mobile_phone", "Mobile": "mobile_phone", "Key": "ids.session_key"})
    assert mapping.targets == ("mobile_phone", "mobile_phone", "ids.session_key")


@pytest.mark.parametrize(
    "target", ["nothing", "ids.loyalty", "subscriptions.fax", "segments.activity", 7, "subscriptions.email."]
)
def test_a_field_that_is_not_there_is_refused(target):
    assert faults(lambda: chosen(CUSTOMERS, {"A": target}))[0][0] == "A"


def test_a_column_that_is_not_in_the_file_is_refused():
    call = lambda: read_mapping(CUSTOMERS, ("A",), {"B": "email"}, CATALOGUE, SEGMENTATIONS)  # noqa: E731
    assert faults(call) == [("B", "The file has no such column.")]


def test_confirmations_are_refused_where_the_point_does_not_ask_for_them():
    data = {"A": "email", "B": "email.is_confirmed"}
    assert faults(lambda: chosen(CUSTOMERS, data, POINT))[0][0] == "B"
    assert chosen(CUSTOMERS, data, CONFIRMING).targets == ("email", "email.is_confirmed")


@pytest.mark.parametrize(
    ("kind", "found", "options", "missing"),
    [
        (CUSTOMERS, ("personal.first_name", None), Options(), "No column tells who"),
        (CUSTOMERS, (None, None), Options(), "No column tells who"),
        (ORDERS, ("email", "order.total"), Options(), "order number"),
        (ORDERS, ("order.number", "order.total"), Options(), "No column tells who"),
        (SEGMENT, ("email",), Options(), "Choose the segment"),
        (MERGES, ("resulting.maestra_id",), Options(), "customers to merge"),
    ],
)
def test_columns_that_make_no_record_are_refused_before_anything_runs(kind, found, options, missing):
    [(path, message)] = faults(lambda: require_usable(kind, ColumnMapping(found), options))
    assert path == "mapping"
    assert missing in message


def test_columns_that_make_records_are_usable():
    require_usable(CUSTOMERS, ColumnMapping(("ids.crm_id", None)), Options())
    require_usable(ORDERS, ColumnMapping(("email", "order.total", "order.number")), Options())
    require_usable(SEGMENT, ColumnMapping(("email",)), Options(segment=("loyalty", "silver")))
    require_usable(MERGES, ColumnMapping(("resulting.maestra_id", "merged.crm_id")), Options())


# --- Options


def read_options(**data) -> Options:
    return Options.read(data, CATALOGUE, SEGMENTATIONS)


def test_options_are_read_from_forms_and_bodies_alike():
    form = read_options(
        lookup_by="crm_id, email", mode="fill", drop_invalid="yes", day_first="false", default_region="de",
        time_zone="europe/berlin", segment="loyalty.silver", encoding="windows-1252", delimiter="tab",
    )  # fmt: skip
    assert form == Options(
        lookup_by=("crm_id", "email"),
        mode=Mode.FILL,
        drop_invalid=True,
        day_first=False,
        default_region="DE",
        time_zone="Europe/Berlin",
        segment=("loyalty", "silver"),
        encoding="cp1252",
        delimiter="\t",
    )
    assert Options.read(json.loads(json.dumps(form.to_json())), CATALOGUE, SEGMENTATIONS) == form


def test_what_is_empty_stays_as_by_default():
    assert read_options(lookup_by="", mode="", day_first=None, segment="") == Options()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lookup_by", "fax"),
        ("lookup_by", 7),
        ("mode", "clear"),
        ("drop_invalid", "perhaps"),
        ("default_region", "XX"),
        ("time_zone", "Mars"),
        ("segment", "loyalty.bronze"),
        ("segment", "activity.often"),
        ("segment", ["loyalty"]),
        ("encoding", "klingon"),
        ("delimiter", "ab"),
        ("speed", "fast"),
    ],
)
def test_an_option_at_fault_is_named(name, value):
    assert faults(lambda: read_options(**{name: value}))[0][0] == f"options.{name}"
