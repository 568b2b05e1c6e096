"""The cells of a row become the record that the API would make of the same data. No database."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.errors import SelfsameError
from customers.normalise import Invalid
from customers.profile import Channel, Key, SubscriptionStatus
from dedup.engine.record import Mode, Operation, Record, SentMembership, SentSubscription
from dedup.engine.warnings import RecordWarning, WarningCode
from dedup.imports.columns.mapping import ColumnMapping
from dedup.imports.columns.options import Options
from dedup.imports.columns.rows import RowReader
from dedup.models import ImportKind
from dedup.parsing import cell_times, cells
from dedup.parsing.draft import UNIDENTIFIED
from dedup.parsing.records import Parser
from dedup.wording import warning_sentence
from tests.dedup.imports.setup import CATALOGUE, CONFIRMING, NOW, POINT, SEGMENTATIONS

CUSTOMERS, ORDERS, SEGMENT, MERGES = ImportKind


@pytest.fixture(autouse=True)
def segmentations(monkeypatch):
    monkeypatch.setattr("dedup.parsing.draft.named_segmentations", lambda: SEGMENTATIONS)


def reader(kind: ImportKind, *targets: str, point=POINT, **options) -> RowReader:
    """One whose columns bear the names of their targets, as "Column <target>"."""
    header = [f"Column {target}" for target in targets]
    return RowReader(kind, header, ColumnMapping(targets), Options(**options), point, CATALOGUE, NOW)


def record(row: dict[str, str], kind: ImportKind = CUSTOMERS, **options) -> Record:
    return reader(kind, *row, **options).record(tuple(row.values()))


def by_api(data, operation=Operation.UPSERT, point=POINT) -> Record:
    return Parser(point, CATALOGUE, NOW).record(operation, data)


def faults(row: dict[str, str], kind: ImportKind = CUSTOMERS, **options) -> dict[str, str]:
    with pytest.raises(SelfsameError) as caught:
        record(row, kind, **options)
    return {error["path"]: error["message"] for error in caught.value.data["errors"]}


WHO = {"email": "ann@example.com"}


def test_a_whole_row_is_the_record_the_api_would_make():
    row = {
        "ids.maestra_id": " 7 ",
        "ids.crm_id": "301",
        "ids.session_key": "abc",
        "email": " Ann@Example.com",
        "mobile_phone": "(415) 555-0122",
        "discount_card": "7 001",
        "device_id": "{6F9619FF-8B86-D011-B42D-00CF4FC964FF}",
        "mobile_device_id": "phone-1",
        "payment_card_hash": "aa11",
        "personal.last_name": "Smith",
        "personal.first_name": " Ann  Mary ",
        "personal.middle_name": "J",
        "personal.birth_date": "31.01.1990",
        "personal.gender": "F",
        "time_zone": "europe/berlin",
        "custom_fields.a_string": "blue",
        "custom_fields.a_integer": "42",
        "custom_fields.a_decimal": "1.234,5",
        "custom_fields.a_boolean": "Yes",
        "custom_fields.a_date": "31 Jan 1990",
        "custom_fields.a_datetime": "2026-01-01 10:00",
        "custom_fields.a_list": "red; blue",
        "subscriptions.email": "yes",
        "subscriptions.sms.news": "unsubscribed",
        "segments.loyalty": "Top gold",
        "occurred_at": "2026-01-02T03:04:05+01:00",
    }
    assert record(row) == by_api(
        {
            "ids": {"maestra_id": 7, "crm_id": "301", "session_key": "abc"},
            "email": " Ann@Example.com",
            "mobile_phone": "(415) 555-0122",
            "discount_card": "7 001",
            "device_id": "{6F9619FF-8B86-D011-B42D-00CF4FC964FF}",
            "mobile_device_id": "phone-1",
            "payment_card_hash": "aa11",
            "personal": {
                "last_name": "Smith",
                "first_name": "Ann Mary",
                "middle_name": "J",
                "birth_date": "1990-01-31",
                "gender": "female",
            },
            "time_zone": "Europe/Berlin",
            "custom_fields": {
                "a_string": "blue",
                "a_integer": 42,
                "a_decimal": "1234.5",
                "a_boolean": True,
                "a_date": "1990-01-31",
                "a_datetime": "2026-01-01T10:00:00Z",
                "a_list": ["red", "blue"],
            },
            "subscriptions": [
                {"channel": "email", "status": "subscribed"},
                {"channel": "sms", "topic": "news", "status": "unsubscribed"},
            ],
            "segments": [{"segmentation": "loyalty", "segment": "top_gold"}],
            "occurred_at": "2026-01-02T03:04:05+01:00",
        }
    )


TYPED = st.sampled_from(
    [
        "",
        " ",
        "Ann",
        "ann@example.com",
        " ANN@EXAMPLE.COM",
        "ann@",
        "junk@example.com",
        "null",
        "+14155550122",
        "(415) 555-0122",
        "555",
        "0",
        "x\ny",
        "\u200b7\xa0",
        "Müller",
        "7",
        "007",
        "é" * 300,
    ]
) | st.text(max_size=8)
FIELDS = {
    "email": ("email",),
    "mobile_phone": ("mobile_phone",),
    "discount_card": ("discount_card",),
    "device_id": ("device_id",),
    "mobile_device_id": ("mobile_device_id",),
    "payment_card_hash": ("payment_card_hash",),
    "ids.crm_id": ("ids", "crm_id"),
    "ids.session_key": ("ids", "session_key"),
    "personal.first_name": ("personal", "first_name"),
    "personal.last_name": ("personal", "last_name"),
    "custom_fields.a_string": ("custom_fields", "a_string"),
    "time_zone": ("time_zone",),
}


@given(st.dictionaries(st.sampled_from(sorted(FIELDS)), TYPED, min_size=1))
def test_no_cell_is_read_otherwise_than_the_api_reads_it(row):
    data: dict[str, Any] = {}
    for target, cell in row.items():
        group, *name = FIELDS[target]
        value = sent_for(target, cell)
        if name:
            data.setdefault(group, {})[name[0]] = value
        else:
            data[group] = value
    patch = pytest.MonkeyPatch()
    with patch.context() as context:
        context.setattr("dedup.parsing.draft.named_segmentations", lambda: SEGMENTATIONS)
        assert outcome(lambda: record(row), "Column ") == outcome(lambda: by_api(data), "")


def sent_for(target: str, cell: str) -> Any:
    """What the API would be sent for a cell: a list where the cell holds several of what may be several."""
    if target in {"ids.crm_id", "time_zone"} or target.startswith(("personal.", "custom_fields.")):
        return cell
    values = cells.several(cell)
    return values if len(values) > 1 else "".join(values)


def outcome(call, prefix: str):
    """The record, or its faults, with paths as the API has them."""
    try:
        made = call()
    except SelfsameError as error:
        found = [(column_of(e["path"], prefix), e["message"]) for e in error.data["errors"]]
        return {(path, UNIDENTIFIED if UNIDENTIFIED in message else message) for path, message in found}
    values = {field.name: getattr(made, field.name) for field in fields(made)}
    values["identifiers"] = sorted(made.identifiers, key=lambda sent: sent.key)
    values["warnings"] = {column_of(warning_sentence(warning), prefix) for warning in made.warnings}
    return values


def column_of(text: str, prefix: str) -> str:
    """A path, or a sentence about one, as the API has it; of a list, the list's."""
    return re.sub(r"\[\d+\]", "", text.removeprefix(prefix))


def test_what_a_text_says_does_not_depend_on_the_rows_above():
    found = reader(CUSTOMERS, "email", "subscriptions.email", "subscriptions.email")
    made = [found.record(("ann@example.com", first, " ")) for first in ("yes", "no", "yes")]
    said = [[sent.status for sent in one.subscriptions] for one in made]
    assert said == [
        [SubscriptionStatus.SUBSCRIBED],
        [SubscriptionStatus.UNSUBSCRIBED],
        [SubscriptionStatus.SUBSCRIBED],
    ]


def test_of_a_value_in_two_columns_the_first_one_is_shown():
    row = ("Ann@Example.com", "ann@example.com")
    (sent,) = reader(CUSTOMERS, "email", "email").record(row).identifiers
    assert (sent.value, sent.raw) == ("ann@example.com", "Ann@Example.com")


def test_an_empty_cell_changes_nothing():
    assert record(
        {**WHO, "personal.first_name": "", "mobile_phone": "  ", "subscriptions.sms": ""}
    ) == by_api(WHO)


@pytest.mark.parametrize("clear", ["%CLEAR%", " %clear% "])
def test_clear_clears_what_null_clears(clear):
    made = record(
        {
            "ids.crm_id": "301",
            "email": clear,
            "ids.ssn": clear,
            "device_id": clear,
            "personal.birth_date": clear,
            "personal.gender": clear,
            "time_zone": clear,
            "custom_fields.a_list": clear,
            "segments.loyalty": clear,
        }
    )
    assert made == by_api(
        {
            "ids": {"crm_id": "301", "ssn": None},
            "email": None,
            "device_id": None,
            "personal": {"birth_date": None, "gender": None},
            "time_zone": None,
            "custom_fields": {"a_list": None},
            "segments": [{"segmentation": "loyalty", "segment": None}],
        }
    )


@pytest.mark.parametrize("target", ["ids.maestra_id", "subscriptions.email", "occurred_at"])
def test_what_cannot_be_cleared_says_so(target):
    assert f"Column {target}" in faults({**WHO, target: "%CLEAR%"})


def test_every_fault_bears_the_name_of_its_column():
    found = faults(
        {
            "email": "ann@",
            "mobile_phone": "12",
            "ids.maestra_id": "x",
            "personal.birth_date": "yesterday",
            "personal.gender": "!",
            "time_zone": "Mars",
            "custom_fields.a_integer": "1,234",
            "custom_fields.a_boolean": "perhaps",
            "subscriptions.email": "perhaps",
            "segments.loyalty": "bronze",
            "occurred_at": "soon",
        }
    )
    assert list(found) == [
        f"Column {target}"
        for target in (
            *(
                "email",
                "mobile_phone",
                "ids.maestra_id",
                "personal.birth_date",
                "personal.gender",
                "time_zone",
            ),
            *(
                "custom_fields.a_integer",
                "custom_fields.a_boolean",
                "subscriptions.email",
                "segments.loyalty",
            ),
            "occurred_at",
        )
    ]
    assert "could stand for thousands" in found["Column custom_fields.a_integer"]


def test_a_row_about_nobody_fails():
    assert faults({"email": "", "personal.first_name": "Ann"}) == {
        "": "At least one identifier is needed, one that is not on the block list."
    }
    [message] = faults({"email": "junk@example.com"}).values()
    assert message.endswith("Column email is on the block list and was left out.")


def test_blocked_values_are_left_out_with_a_warning():
    made = record({"ids.crm_id": "301", "email": "junk@example.com"})
    assert made.warnings == (RecordWarning(WarningCode.BLOCKED_VALUE, "Column email"),)
    assert [sent.kind for sent in made.identifiers] == ["crm_id"]


def test_invalid_values_are_dropped_where_the_import_says_so_and_somebody_is_left():
    row = {"ids.crm_id": "301", "email": "ann@", "personal.birth_date": "never", "mobile_phone": "4155550122"}
    assert set(faults(row)) == {"Column email", "Column personal.birth_date"}
    made = record(row, drop_invalid=True)
    assert [sent.key for sent in made.identifiers] == [
        Key("crm_id", "301"),
        Key("mobile_phone", "+14155550122"),
    ]
    assert made.personal == {}
    assert [(warning.code, warning.path) for warning in made.warnings] == [
        (WarningCode.INVALID_VALUE, "Column email"),
        (WarningCode.INVALID_VALUE, "Column personal.birth_date"),
    ]
    assert "" in faults({"email": "ann@", "mobile_phone": "1"}, drop_invalid=True)


@pytest.mark.parametrize(
    "row", [{"ids.maestra_id": "x"}, {"segments.loyalty": "bronze"}, {"occurred_at": "soon"}]
)
def test_what_tells_who_or_where_is_never_dropped(row):
    assert faults({**WHO, **row}, drop_invalid=True)


def test_several_columns_may_bring_contacts_and_the_first_leads():
    targets = ("mobile_phone", "mobile_phone", "mobile_phone")
    header = ("Mobile", "Phone", "Work")
    made = RowReader(CUSTOMERS, header, ColumnMapping(targets), Options(), POINT, CATALOGUE, NOW).record(
        ("+14155550122", "415-555-0122", "+14155550133")
    )
    assert [sent.value for sent in made.identifiers] == ["+14155550122", "+14155550133"]


def test_contacts_are_confirmed_or_primary_by_their_columns():
    row = {"email.is_confirmed": "yes", "email.is_primary": "1", "email": "ann@example.com"}
    expected = {"email": {"value": "ann@example.com", "is_confirmed": True, "is_primary": True}}
    assert record(row, point=CONFIRMING) == by_api(expected, point=CONFIRMING)
    assert record({**row, "email.is_confirmed": "no", "email.is_primary": ""}, point=CONFIRMING) == by_api(
        WHO, point=CONFIRMING
    )
    assert "not confirmed at this integration point" in faults(row)["Column email.is_confirmed"]
    assert faults({**row, "email.is_confirmed": "perhaps"}) == {
        "Column email.is_confirmed": "Write yes or no."
    }


def test_the_options_reach_the_record():
    made = record(
        {**WHO, "mobile_phone": "030 1234567"},
        lookup_by=("email",),
        mode=Mode.FILL,
        default_region="DE",
        segment=("loyalty", "silver"),
    )
    assert (made.lookup_by, made.mode) == (("email",), Mode.FILL)
    assert made.identifiers[1].value == "+49301234567"
    assert made.memberships == (SentMembership(7, 70),)


def test_a_value_met_again_is_read_as_the_first_time():
    several = reader(CUSTOMERS, "email", "personal.gender", "personal.birth_date", "personal.first_name")
    rows = [("a@example.com", "f", "1990-01-31", "Ann"), ("b@example.com", "unknown", "", "Ann")] * 3
    made = [several.record(row).personal for row in rows]
    assert made[0::2] == [{"gender": "female", "birth_date": date(1990, 1, 31), "first_name": "Ann"}] * 3
    assert made[1::2] == [{"first_name": "Ann"}] * 3


# --- Orders


ORDER = {
    "email": "ann@example.com",
    "order.number": "A-1",
    "order.total": "$1,059.90",
    "order.currency": "usd",
    "order.placed_at": "05/01/2026 09:30 AM",
    "order.status": "paid",
    "order.lines": '[{"sku": "7", "price": 59.9}]',
}


def test_a_row_of_orders_is_the_order_the_api_would_take():
    made = record(ORDER, ORDERS, day_first=True, time_zone="Europe/Berlin")
    sent = by_api(
        {
            "customer": WHO,
            "order": {
                "number": "A-1",
                "total": "1059.90",
                "currency": "USD",
                "placed_at": "2026-01-05T09:30:00+01:00",
                "status": "paid",
                "lines": [{"sku": "7", "price": 59.9}],
            },
        },
        Operation.ORDER,
    )
    assert (made.path, sent.path) == ("", "customer")  # where warnings find the customer's fields
    assert made == replace(sent, path="")


@pytest.mark.parametrize(
    ("target", "value"),
    [
        ("order.number", ""),
        ("order.total", "  "),
        ("order.total", "1.005"),
        ("order.total", "1,005"),
        ("order.currency", "dollars"),
        ("order.placed_at", "05/01/2026"),
        ("order.lines", "{"),
        ("order.lines", "[1]"),
    ],
)
def test_an_order_at_fault_names_the_column(target, value):
    assert list(faults({**ORDER, target: value}, ORDERS)) == sorted(
        {f"Column {target}"} | ({"Column order.placed_at"} if target != "order.placed_at" else set())
    ) or list(faults({**ORDER, target: value}, ORDERS, day_first=True)) == [f"Column {target}"]


# --- Segment members


def test_a_row_of_segment_members_looks_a_customer_up_and_changes_nothing_else():
    made = record({"email": "ann@example.com", "ids.crm_id": "301", "segments.loyalty": "silver"}, SEGMENT)
    assert (made.operation, made.lookup) == (Operation.EDIT, Key("crm_id", "301"))
    assert made.identifiers == ()
    assert made.memberships == (SentMembership(7, 70),)


def test_a_list_of_members_goes_into_the_segment_of_the_options():
    made = record({"ids.crm_id": "", "email": "ANN@example.com"}, SEGMENT, segment=("loyalty", "top_gold"))
    assert (made.lookup, made.memberships) == (Key("email", "ann@example.com"), (SentMembership(7, 71),))


def test_a_member_is_looked_up_in_the_order_of_the_options():
    row = {"email": "ann@example.com", "ids.crm_id": "301", "segments.loyalty": "silver"}
    assert record(row, SEGMENT, lookup_by=("email",)).lookup == Key("email", "ann@example.com")


def test_a_row_without_a_segment_or_without_a_member_fails():
    assert faults({"email": "ann@example.com", "segments.loyalty": ""}, SEGMENT) == {
        "": "The row names no segment."
    }
    assert "" in faults({"email": " ", "segments.loyalty": "silver"}, SEGMENT)
    assert "Column email" in faults({"email": "ann@", "segments.loyalty": "silver"}, SEGMENT)


def test_a_member_on_the_block_list_is_nobody():
    with pytest.raises(SelfsameError, match="No customer"):
        record({"email": "junk@example.com", "segments.loyalty": "silver"}, SEGMENT)


# --- Merges


def merge(row: dict[str, str]):
    return reader(MERGES, *row).merge(tuple(row.values()))


def test_a_row_of_merges_names_who_stays_and_who_goes():
    row = {"resulting.maestra_id": " 7", "merged.maestra_id": "8; 9;8", "merged.email": "ann@example.com"}
    assert merge(row) == (
        Key("maestra_id", "7"),
        [Key("maestra_id", "8"), Key("maestra_id", "9"), Key("email", "ann@example.com")],
    )


@pytest.mark.parametrize(
    ("row", "paths"),
    [
        ({"resulting.crm_id": "", "merged.crm_id": "8"}, ["resulting"]),
        ({"resulting.crm_id": "7", "merged.crm_id": " "}, ["merged"]),
        ({"resulting.maestra_id": "x", "merged.maestra_id": "8"}, ["Column resulting.maestra_id"]),
        ({"resulting.maestra_id": "7", "resulting.crm_id": "8", "merged.crm_id": "9"}, ["resulting"]),
    ],
)
def test_a_merge_at_fault_says_what_is_missing(row, paths):
    with pytest.raises(SelfsameError) as caught:
        merge(row)
    assert [error["path"] for error in caught.value.data["errors"]] == paths


# --- Words


TODAY = date(2026, 1, 5)


@pytest.mark.parametrize(
    "text",
    [
        "1990-01-31",
        "31.01.1990",
        "31/01/1990",
        "01/31/1990",
        "1990/01/31",
        "1990.1.31",
        "19900131",
        "31-1-90",
        "31 Jan 1990",
        "31-JAN-90",
        "January 31, 1990",
        "Jan. 31st 1990",
        "31 january 1990",
        "32904",
        "1990-01-31 00:00:00",
        "1990-01-31T00:00:00Z",
        " 31.1.90 ",
    ],
)
def test_a_day_is_read_in_the_usual_ways(text):
    assert cell_times.day(text, None, TODAY) == date(1990, 1, 31)


def test_a_day_that_could_be_two_is_read_as_chosen_and_refused_without_a_choice():
    assert cell_times.day("02/01/1990", day_first=True, today=TODAY) == date(1990, 1, 2)
    assert cell_times.day("02/01/1990", day_first=False, today=TODAY) == date(1990, 2, 1)
    assert cell_times.day("01/01/1990", None, TODAY) == date(1990, 1, 1)
    assert cell_times.day("02.01.1990", None, TODAY) == date(1990, 1, 2)
    assert cell_times.day("02.01.1990", day_first=False, today=TODAY) == date(1990, 2, 1)
    with pytest.raises(Invalid, match="day_first"):
        cell_times.day("02/01/1990", None, TODAY)


@pytest.mark.parametrize(
    ("text", "year"), [("31/1/25", 2025), ("31/1/26", 1926), ("31/1/70", 1970), ("31/1/00", 2000)]
)
def test_a_short_year_is_the_latest_that_has_been(text, year):
    assert cell_times.day(text, None, TODAY) == date(year, 1, 31)


@pytest.mark.parametrize(
    "text", ["30/02/1990", "1990-13-01", "31 Foo 1990", "1990", "x", "1990-01-31 12:00", "1/2/3"]
)
def test_what_is_no_day_is_refused(text):
    with pytest.raises(Invalid):
        cell_times.day(text, day_first=True, today=TODAY)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-05T10:00:00Z", datetime(2026, 1, 5, 10, tzinfo=UTC)),
        ("2026-01-05 10:00:00+02:00", datetime(2026, 1, 5, 8, tzinfo=UTC)),
        ("2026-01-05 10:00", datetime(2026, 1, 5, 9, tzinfo=UTC)),
        ("05.01.2026 10:00:30", datetime(2026, 1, 5, 9, 0, 30, tzinfo=UTC)),
        ("5/13/2025 12:30 pm", datetime(2025, 5, 13, 10, 30, tzinfo=UTC)),
        ("2026-01-05", datetime(2026, 1, 4, 23, tzinfo=UTC)),
    ],
)
def test_a_time_without_offset_is_of_the_time_zone_chosen(text, expected):
    assert cell_times.instant(text, None, ZoneInfo("Europe/Berlin"), NOW) == expected


@pytest.mark.parametrize("text", ["2026-01-05 25:00", "5/13/2025 13:00 pm", "10:00", "soon"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(Invalid):
        cell_times.instant(text, None, ZoneInfo("UTC"), NOW)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("59.90", "59.90"),
        ("59,90", "59.90"),
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1,234,567", "1234567"),
        ("1 234,5", "1234.5"),
        ("€ 59,90", "59.90"),
        ("1'234.50", "1234.50"),
        ("-5,00", "-5.00"),
        ("7", "7"),
        ("0,1234", "0.1234"),
        ("x,y", "x,y"),
        ("1 2", "1 2"),
    ],
)
def test_a_number_is_read_where_its_comma_means_one_thing(text, plain):
    assert cells.number(text) == plain


def test_a_number_whose_comma_could_mean_two_things_is_refused():
    with pytest.raises(Invalid, match="thousands"):
        cells.number("1,234")


def test_consent_is_read_from_answers_and_statuses():
    for text, status in (
        ("Yes", SubscriptionStatus.SUBSCRIBED),
        ("0", SubscriptionStatus.UNSUBSCRIBED),
        ("Awaiting confirmation", SubscriptionStatus.AWAITING_CONFIRMATION),
        ("opted-out", SubscriptionStatus.UNSUBSCRIBED),
    ):
        made = record({**WHO, "subscriptions.email": text})
        assert made.subscriptions == (SentSubscription(Channel("email"), status),)


def test_amounts_are_exact():
    made = record({**ORDER, "order.placed_at": "", "order.total": "0.10"}, ORDERS)
    assert made.order is not None
    assert made.order.total == Decimal("0.1")
