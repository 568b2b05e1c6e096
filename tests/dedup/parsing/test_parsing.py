"""What comes in as JSON becomes a record, or an error that names every field at fault. No database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.block_list import BlockList, BlockListEntry
from customers.changes import Order
from customers.custom_values import CustomType
from customers.errors import SelfsameError
from customers.presentation.problem import problem_json
from customers.profile import Category, Channel, Key, Kind, SubscriptionStatus
from customers.setup.integration_points import STAFF, Point
from customers.setup.project_config import FieldDefinition, ProjectConfig
from dedup.engine.record import (
    Mode,
    Operation,
    PointsMovement,
    PromoCode,
    Record,
    Sent,
    SentMembership,
    SentSubscription,
)
from dedup.engine.warnings import RecordWarning, WarningCode
from dedup.parsing.records import RECORD_TYPES, Parser, parse_lookup, parse_record
from segments.references import NamedSegmentation

NOW = datetime(2026, 1, 5, 10, tzinfo=UTC)
KINDS = (
    Kind(1, "email", Category.EMAIL),
    Kind(2, "mobile_phone", Category.MOBILE_PHONE),
    Kind(3, "discount_card", Category.DISCOUNT_CARD),
    Kind(4, "device_id", Category.DEVICE),
    Kind(5, "mobile_device_id", Category.MOBILE_DEVICE),
    Kind(100, "crm_id", Category.UNIQUE),
    Kind(101, "session_key", Category.IDENTIFIER),
    Kind(102, "website_id", Category.UNIQUE),
)
CUSTOM_FIELDS = [FieldDefinition(of.value, of, larger=False) for of in CustomType]
BLOCKED = [
    BlockListEntry("email", value="junk@example.com"),
    BlockListEntry("device_id", pattern="^x+$"),
    BlockListEntry("*", value="null"),
]
CATALOGUE = ProjectConfig(
    version=1,
    kinds={kind.name: kind for kind in KINDS},
    kinds_by_id={kind.id: kind for kind in KINDS},
    labels={},
    custom_fields={definition.name: definition for definition in CUSTOM_FIELDS},
    larger_fields=frozenset(),
    block_list=BlockList(BLOCKED, lambda _kind, value: value),
    default_region="US",
    shared_device_limit=5,
    suppression=True,
)
POINT = Point(id=9, system_name="website", kind="website", personal_actions=True)
CONFIRMING = replace(
    POINT, must_be_confirmed=frozenset({"email"}), gives_access=frozenset({"email", "mobile_phone"})
)
LOYALTY = {
    "loyalty": NamedSegmentation(7, is_static=True, segments={"silver": 70, "gold": 71}),
    "activity": NamedSegmentation(8, is_static=False, segments={"often": 80}),
}
ANN = Sent("email", "ann@example.com", Category.EMAIL, "ann@example.com")
BY_DEFAULT = ("maestra_id", "crm_id", "website_id", "session_key")


@pytest.fixture(autouse=True)
def segmentations(monkeypatch):
    monkeypatch.setattr("dedup.parsing.draft.named_segmentations", lambda: LOYALTY)


def parsed(data: Any, operation: Operation = Operation.UPSERT, point: Point = POINT) -> Record:
    return parse_record(operation, data, point, CATALOGUE, NOW)


def said(record: Record) -> dict[str, Any]:
    """What a record says beyond an empty one of its operation."""
    empty = Record(
        operation=record.operation, occurred_at=NOW, lookup_by=BY_DEFAULT, personal_action=True, point=9
    )
    changed = {f.name: getattr(record, f.name) for f in fields(Record)}
    return {name: value for name, value in changed.items() if value != getattr(empty, name)}


def with_ann(**more: Any) -> dict[str, Any]:
    """What a record of Ann's e-mail says besides it."""
    found = said(parsed({"email": "ann@example.com", **more}))
    assert found.pop("identifiers") == (ANN,)
    return found


def faults(data: Any, operation: Operation = Operation.UPSERT, point: Point = POINT) -> list[str]:
    """The paths at fault."""
    with pytest.raises(SelfsameError) as refused:
        parsed(data, operation, point)
    assert refused.value.code.value == "validation_error"
    assert all(fault["message"] for fault in refused.value.data["errors"])
    return [fault["path"] for fault in refused.value.data["errors"]]


# --- The whole


EVERYTHING: dict[str, Any] = {
    "ids": {"maestra_id": 7, "crm_id": 301, "session_key": ["a", "b"]},
    "email": " Ann@Example.com",
    "mobile_phone": {"value": "(415) 555-0122", "is_primary": True},
    "discount_card": "7001",
    "device_id": "3F2B8C1E-7D4A-4C58-9B60-1F2E3D4C5B6A",
    "mobile_device_id": "m-1",
    "payment_card_hash": "5f3e",
    "personal": {"first_name": "Ann", "birth_date": "1990-01-31", "gender": "Female"},
    "time_zone": "Europe/Berlin",
    "custom_fields": {"integer": "42"},
    "subscriptions": [{"channel": "email", "topic": "news", "status": "subscribed"}],
    "segments": [{"segmentation": "loyalty", "segment": "gold", "since": "2026-01-01T00:00:00Z"}],
    "occurred_at": "2026-01-04T12:00:00+02:00",
    "lookup_by": ["email"],
    "mode": "fill",
}


def test_a_record_with_everything():
    record = parsed(EVERYTHING)
    device = "3f2b8c1e-7d4a-4c58-9b60-1f2e3d4c5b6a"
    assert replace(record, cards=()) == Record(
        operation=Operation.UPSERT,
        occurred_at=datetime(2026, 1, 4, 10, tzinfo=UTC),
        is_dated=True,
        identifiers=(
            Sent("crm_id", "301", Category.UNIQUE, "301"),
            Sent("session_key", "a", Category.IDENTIFIER, "a"),
            Sent("session_key", "b", Category.IDENTIFIER, "b"),
            replace(ANN, raw=" Ann@Example.com"),
            Sent("mobile_phone", "+14155550122", Category.MOBILE_PHONE, "(415) 555-0122", is_primary=True),
            Sent("discount_card", "7001", Category.DISCOUNT_CARD, "7001"),
            Sent("device_id", device, Category.DEVICE, device.upper()),
            Sent("mobile_device_id", "m-1", Category.MOBILE_DEVICE, "m-1"),
        ),
        maestra_id=7,
        lookup_by=("email",),
        mode=Mode.FILL,
        personal={"first_name": "Ann", "birth_date": date(1990, 1, 31), "gender": "female"},
        time_zone="Europe/Berlin",
        custom_fields={"integer": 42},
        subscriptions=(SentSubscription(Channel("email", "news"), SubscriptionStatus.SUBSCRIBED),),
        memberships=(SentMembership(7, 71, datetime(2026, 1, 1, tzinfo=UTC)),),
        personal_action=True,
        point=9,
    )


def test_every_field_at_fault_is_named_with_its_path():
    wrong = {
        "ids": {"maestra_id": 0, "crm_id": ["1"], "foo": "1"},
        "email": [{"value": "ann", "nice": 1}, "bob"],
        "mobile_phone": {"value": "12"},
        "discount_card": True,
        "personal": {"birth_date": "31.1.1990", "nick": "A"},
        "time_zone": "Mars",
        "custom_fields": {"integer": "x", "unknown": 1},
        "subscriptions": [{"channel": "fax", "status": "yes"}, 5],
        "segments": [
            {"segmentation": "loyalty", "segment": "tin"},
            {"segmentation": "no", "segment": "gold"},
        ],
        "occurred_at": "yesterday",
        "mode": "both",
        "lookup_by": ["payment_card_hash", "maestra_id", {}],
        "extra": 1,
    }
    assert faults(wrong) == [
        "ids.maestra_id",
        "ids.crm_id",
        "ids.foo",
        "email[0].nice",
        "email[1]",
        "mobile_phone.value",
        "discount_card",
        "personal.birth_date",
        "personal.nick",
        "time_zone",
        "custom_fields.integer",
        "custom_fields.unknown",
        "subscriptions[0].channel",
        "subscriptions[0].status",
        "subscriptions[1]",
        "segments[0].segment",
        "segments[1].segmentation",
        "occurred_at",
        "mode",
        "lookup_by[0]",
        "lookup_by[2]",
        "extra",
    ]


def test_the_path_may_begin_elsewhere():
    with pytest.raises(SelfsameError) as refused:
        parse_record(Operation.REGISTER, {"email": "x"}, POINT, CATALOGUE, NOW, path="record")
    assert [fault["path"] for fault in refused.value.data["errors"]] == ["record.email"]


@pytest.mark.parametrize("data", [None, [], "ann@example.com", 5, True])
def test_a_record_is_an_object(data):
    assert faults(data) == [""]


@pytest.mark.parametrize("name", ["ids", "personal", "custom_fields", "subscriptions", "segments"])
@pytest.mark.parametrize("value", [None, 5, "text", True])
def test_what_holds_fields_is_of_its_form(name, value):
    assert faults({"email": "ann@example.com", name: value}) == [name]


def test_lists_have_a_limit():
    assert faults({"email": ["ann@example.com"] * 101}) == ["email"]


LOOKUP = {"lookup": {"maestra_id": 7}}
COMPLETE: dict[Operation, dict[str, Any]] = {
    Operation.UPSERT: EVERYTHING,
    Operation.EDIT: {**LOOKUP, "email": ["ann@example.com", {"value": "bob@example.com"}]},
    Operation.ORDER: {
        "order": {"number": "A-1", "total": "5", "lines": [{"a": [1]}]},
        "customer": EVERYTHING,
    },
    Operation.POINTS: {**LOOKUP, "amount": 5, "reason": "x", "number": 1},
    Operation.PROMO_CODE: {**LOOKUP, "code": "x", "issued_at": "2026-01-03T10:00:00Z"},
}
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
NAMES = sorted({name for taken in RECORD_TYPES.values() for name in taken.fields})


@given(
    st.sampled_from(sorted(RECORD_TYPES)), st.dictionaries(st.sampled_from(NAMES), json_values, max_size=5)
)
def test_any_json_is_a_record_or_a_refusal(operation, data):
    assert_accepted(operation, data)


def assert_accepted(operation: Operation, data: Any) -> None:
    outcome = decided(operation, data)
    if isinstance(outcome, Record):
        assert outcome.occurred_at <= NOW
    else:
        assert outcome["code"] in {"validation_error", "customer_not_found"}
        json.dumps(outcome, ensure_ascii=False).encode()


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where in nested data something stands."""
    yield path
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in inner:
        yield from places(value, (*path, key))


def changed(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The same with something else at one place."""
    if not path:
        return value
    copy = dict(data) if isinstance(data, dict) else list(data)
    copy[path[0]] = changed(copy[path[0]], path[1:], value)
    return copy


@given(st.data(), st.sampled_from(sorted(COMPLETE)), json_values)
def test_anything_at_any_place_is_a_record_or_a_refusal(data, operation, value):
    whole = COMPLETE[operation]
    place = data.draw(st.sampled_from(list(places(whole))))
    assert_accepted(operation, changed(whole, place, value))


def decided(operation: Operation, data: Any) -> Record | dict[str, Any]:
    try:
        return Parser(CONFIRMING, CATALOGUE, NOW).record(operation, data)
    except SelfsameError as refusal:
        return problem_json(refusal)


# --- Identifiers


@pytest.mark.parametrize(
    "empty", [{}, {"email": ""}, {"email": "  "}, {"email": []}, {"personal": {"first_name": "A"}}]
)
def test_a_record_needs_an_identifier(empty):
    assert faults(empty) == [""]


@pytest.mark.parametrize(
    "one", [{"ids": {"maestra_id": 7}}, {"payment_card_hash": "5f3e"}, {"device_id": "d"}]
)
def test_one_identifier_is_enough(one):
    parsed(one)


def test_clearing_alone_identifies_nobody():
    assert faults({"email": None}) == [""]


def test_register_may_not_name_a_maestra_id():
    """R16."""
    assert faults({"ids": {"maestra_id": 7}}, Operation.REGISTER) == ["ids.maestra_id"]


@pytest.mark.parametrize("maestra_id", [0, -1, 2**63, 1.0, "x", "", None, True, [7], "007x"])
def test_a_maestra_id_is_a_whole_number_from_one_on(maestra_id):
    assert "ids.maestra_id" in faults({"ids": {"maestra_id": maestra_id}}) or maestra_id == ""


def test_a_maestra_id_may_be_text():
    assert parsed({"ids": {"maestra_id": "7"}}).maestra_id == 7


@pytest.mark.parametrize("name", ["email", "device_id", "payment_card_hash", "Crm_id", "crm"])
def test_ids_are_kinds_of_the_project(name):
    assert faults({"email": "ann@example.com", "ids": {name: "1"}}) == [f"ids.{name}"]


def test_a_payment_card_is_known_by_its_keyed_hash_only():
    """R10."""
    record = parsed({"email": "ann@example.com", "payment_card_hash": [" 5f3e ", "5f3e"]})
    (card,) = record.cards
    assert len(card) == 64
    assert "5f3e" not in repr(record)


def test_contacts_may_be_a_list_which_keeps_its_order():
    """The engine makes the first one primary."""
    bob = Sent("email", "bob@example.com", Category.EMAIL, "Bob@example.com")
    assert parsed({"email": ["Bob@example.com", "ann@example.com"]}).identifiers == (bob, ANN)


def test_another_of_a_list_may_ask_to_be_primary():
    emails = ["ann@example.com", {"value": "bob@example.com", "is_primary": True}]
    assert [sent.is_primary for sent in parsed({"email": emails}).identifiers] == [False, True]


def test_only_one_can_be_primary():
    emails = [
        {"value": "ann@example.com", "is_primary": True},
        {"value": "bob@example.com", "is_primary": True},
    ]
    assert faults({"email": emails}) == ["email[1].is_primary"]


def test_a_value_sent_twice_counts_once_with_the_flags_of_both():
    emails = ["Ann@example.com", {"value": "ann@example.com", "is_confirmed": True}]
    (sent,) = parsed({"email": emails}, point=CONFIRMING).identifiers
    assert (sent.value, sent.is_primary, sent.is_confirmed) == ("ann@example.com", False, True)


def test_a_card_has_no_primary():
    (sent,) = parsed({"discount_card": [{"value": "7001", "is_primary": True}]}).identifiers
    assert not sent.is_primary


def test_contacts_bear_the_flags_of_the_point():
    """R13."""
    found = parsed({"email": "ann@example.com", "mobile_phone": "+14155550122"}, point=CONFIRMING).identifiers
    assert [(s.kind, s.must_be_confirmed, s.gives_access) for s in found] == [
        ("email", True, True),
        ("mobile_phone", False, True),
    ]


def test_subscribe_ignores_the_flags_of_the_point():
    """R15."""
    record = parsed(
        {"email": {"value": "ann@example.com", "is_confirmed": True}}, Operation.SUBSCRIBE, CONFIRMING
    )
    assert (record.identifiers, record.access_kinds) == ((ANN,), frozenset())
    assert record.warnings == (RecordWarning(WarningCode.CONFIRMATION_LEFT_OUT, "email.is_confirmed"),)


def test_a_confirmed_contact_comes_only_through_a_point_that_confirms():
    phone = {"mobile_phone": {"value": "+14155550122", "is_confirmed": True}}
    assert faults(phone, point=CONFIRMING) == ["mobile_phone.is_confirmed"]
    assert faults({"email": {"value": "ann@example.com", "is_confirmed": True}}) == ["email.is_confirmed"]
    (sent,) = parsed(
        {"email": {"value": "ann@example.com", "is_confirmed": True}}, point=CONFIRMING
    ).identifiers
    assert sent.is_confirmed


@pytest.mark.parametrize("flag", ["is_primary", "is_confirmed"])
@pytest.mark.parametrize("value", ["true", 1, None])
def test_a_flag_is_true_or_false(flag, value):
    assert faults({"email": {"value": "ann@example.com", flag: value}}, point=CONFIRMING) == [f"email.{flag}"]


# --- Block list


def test_a_listed_value_is_left_out_with_a_warning():
    """R12."""
    record = parsed(
        {"email": ["JUNK@example.com", "ann@example.com"], "device_id": "XXX", "ids": {"crm_id": "null"}}
    )
    assert record.identifiers == (ANN,)
    assert record.warnings == tuple(
        RecordWarning(WarningCode.BLOCKED_VALUE, path) for path in ("email[0]", "device_id", "ids.crm_id")
    )


def test_a_listed_value_need_not_be_well_formed():
    """R12: the list is checked first."""
    assert parsed({"email": "ann@example.com", "mobile_phone": "null"}).identifiers == (ANN,)


def test_with_nothing_left_the_record_is_refused():
    """R12."""
    assert faults({"email": "junk@example.com"}) == [""]


@pytest.mark.parametrize("operation", [Operation.EDIT, Operation.AUTHORIZE, Operation.POINTS])
def test_a_listed_value_finds_nobody(operation):
    """R12."""
    needed: dict[Operation, dict[str, Any]] = {
        Operation.AUTHORIZE: {"device_id": "d"},
        Operation.POINTS: {"amount": 1},
    }
    more = needed.get(operation, {})
    with pytest.raises(SelfsameError) as refused:
        parsed({"lookup": {"email": "junk@example.com"}, **more}, operation)
    assert refused.value.code.value == "customer_not_found"


# --- Clearing


def test_null_clears():
    """R44."""
    cleared = with_ann(
        ids={"crm_id": None, "session_key": None},
        mobile_phone=None,
        device_id=None,
        personal={"last_name": None},
        time_zone=None,
        custom_fields={"string": None},
    )
    assert cleared == {
        "clears": frozenset({"crm_id", "session_key", "mobile_phone", "device_id", "time_zone"}),
        "personal": {"last_name": None},
        "custom_fields": {"string": None},
    }


def test_a_contact_whose_value_is_null_clears_too():
    assert with_ann(mobile_phone={"value": None}) == {"clears": frozenset({"mobile_phone"})}


def test_null_in_a_list_is_no_value():
    assert faults({"email": ["ann@example.com", None]}) == ["email[1]"]


def test_a_new_customer_has_nothing_to_clear():
    assert (
        parsed({"email": "ann@example.com", "mobile_phone": None}, Operation.REGISTER).clears == frozenset()
    )


def test_empty_changes_nothing():
    """R44."""
    empty = dict.fromkeys(
        ("mobile_phone", "device_id", "time_zone", "occurred_at", "mode", "payment_card_hash"), ""
    )
    within = {"ids": {"crm_id": ""}, "personal": {"last_name": " "}, "custom_fields": {"integer": ""}}
    assert with_ann(**empty, **within, subscriptions=[], segments=[], discount_card={"value": ""}) == {}


def test_an_unknown_gender_says_nothing():
    assert with_ann(personal={"gender": "unknown"}) == {}


# --- Custom fields, consent, segments


@pytest.mark.parametrize(
    ("custom_type", "sent", "kept"),
    [
        ("string", " a ", "a"),
        ("integer", 42, 42),
        ("decimal", "59.90", Decimal("59.9")),
        ("boolean", "true", True),
        ("date", "2026-01-05", "2026-01-05"),
        ("datetime", "2026-01-05T12:00:00+02:00", "2026-01-05T10:00:00+00:00"),
        ("list", ["a", "b", "a"], ["a", "b"]),
    ],
)
def test_custom_fields_are_kept_as_json_has_them(custom_type, sent, kept):
    assert with_ann(custom_fields={custom_type: sent}) == {"custom_fields": {custom_type: kept}}


def test_no_topic_is_a_key_of_its_own():
    """R37."""
    news = {"channel": "email", "topic": "news", "status": "subscribed"}
    plain = {"channel": "email", "topic": None, "status": "unsubscribed", "since": "2030-01-01T00:00:00Z"}
    assert with_ann(subscriptions=[news, plain, news])["subscriptions"] == (
        SentSubscription(Channel("email", "news"), SubscriptionStatus.SUBSCRIBED),
        SentSubscription(Channel("email"), SubscriptionStatus.UNSUBSCRIBED, NOW),
    )


def test_one_subscription_has_one_status():
    both = [{"channel": "sms", "status": status} for status in ("subscribed", "unsubscribed")]
    assert faults({"email": "ann@example.com", "subscriptions": both}) == ["subscriptions[1]"]


def test_null_takes_the_customer_out_of_a_segmentation():
    """R51."""
    out = [{"segmentation": "loyalty", "segment": None}]
    assert with_ann(segments=out)["memberships"] == (SentMembership(7, None),)


def test_nobody_is_put_into_a_calculated_segment():
    """R51."""
    often = [{"segmentation": "activity", "segment": "often"}]
    assert faults({"email": "ann@example.com", "segments": often}) == ["segments[0].segmentation"]


# --- Time, point


def test_a_time_in_the_future_counts_as_now():
    assert with_ann(occurred_at=(NOW + timedelta(days=1)).isoformat()) == {}


def test_a_time_without_offset_is_refused():
    assert faults({"email": "ann@example.com", "occurred_at": "2026-01-05T10:00:00"}) == ["occurred_at"]


def test_records_of_a_point_may_be_no_personal_actions():
    """R13."""
    assert not parsed({"email": "ann@example.com"}, point=STAFF).personal_action


def test_the_point_says_by_what_customers_are_looked_up():
    """R13."""
    record = parsed({"email": "ann@example.com"}, point=replace(POINT, lookup_by=("email",)))
    assert record.lookup_by == ("email",)


# --- Look-ups


@pytest.mark.parametrize(
    ("lookup", "key"),
    [
        ({"maestra_id": 7}, Key("maestra_id", "7")),
        ({"email": "Ann@Example.com"}, Key("email", "ann@example.com")),
        ({"mobile_phone": "(415) 555-0122"}, Key("mobile_phone", "+14155550122")),
        ({"crm_id": 301}, Key("crm_id", "301")),
        ({"device_id": "d"}, Key("device_id", "d")),
    ],
)
def test_a_lookup_names_one_identifier(lookup, key):
    assert parse_lookup(lookup, POINT, CATALOGUE) == key
    assert parsed({"lookup": lookup}, Operation.EDIT).lookup == key


@pytest.mark.parametrize(
    ("lookup", "path"),
    [
        ({}, "lookup"),
        (None, "lookup"),
        ("ann@example.com", "lookup"),
        ({"email": "ann@example.com", "crm_id": "1"}, "lookup"),
        ({"payment_card_hash": "5f3e"}, "lookup.payment_card_hash"),
        ({"foo": "1"}, "lookup.foo"),
        ({"email": "ann"}, "lookup.email"),
        ({"email": ""}, "lookup.email"),
        ({"email": None}, "lookup.email"),
        ({"email": ["ann@example.com"]}, "lookup.email"),
        ({"maestra_id": "x"}, "lookup.maestra_id"),
    ],
)
def test_a_faulty_lookup_is_refused(lookup, path):
    assert faults({"lookup": lookup}, Operation.EDIT) == [path]


@pytest.mark.parametrize(
    ("operation", "missing"),
    [
        (Operation.EDIT, ["lookup"]),
        (Operation.AUTHORIZE, ["lookup"]),
        (Operation.ORDER, ["order", "customer"]),
        (Operation.POINTS, ["lookup", "amount"]),
        (Operation.PROMO_CODE, ["lookup", "code"]),
    ],
)
def test_what_an_operation_cannot_do_without_is_named(operation, missing):
    assert faults({}, operation) == missing


def test_authorize_takes_a_lookup_and_a_device_and_nothing_else():
    """R21."""
    lookup = {"lookup": {"maestra_id": 7}}
    record = parsed({**lookup, "device_id": "d"}, Operation.AUTHORIZE)
    assert (record.lookup, record.identifiers) == (
        Key("maestra_id", "7"),
        (Sent("device_id", "d", Category.DEVICE, "d"),),
    )
    assert faults(lookup, Operation.AUTHORIZE) == ["device_id"]
    assert faults({**lookup, "device_id": "xxx"}, Operation.AUTHORIZE) == ["device_id"]
    assert faults({**lookup, "device_id": "d", "email": "ann@example.com"}, Operation.AUTHORIZE) == ["email"]


# --- Orders, points, promo codes

ORDER = {
    "number": "A-1",
    "total": "59.90",
    "currency": "usd",
    "placed_at": "2026-01-03T10:00:00Z",
    "status": "paid",
    "lines": [{"sku": "shoe", "price": 59.9}],
}
PLACED = datetime(2026, 1, 3, 10, tzinfo=UTC)


def ordered(order: Any, customer: Any, point: Point = POINT) -> Record:
    return parsed({"order": order, "customer": customer}, Operation.ORDER, point)


def test_an_order_is_an_upsert_of_its_customer_when_it_was_placed():
    """R57."""
    record = ordered(ORDER, {"email": "ann@example.com", "mode": "fill"})
    assert said(record) == {
        "occurred_at": PLACED,
        "is_dated": True,
        "path": "customer",
        "identifiers": (ANN,),
        "mode": Mode.FILL,
        "order": Order(
            number="A-1",
            total=Decimal("59.9"),
            currency="USD",
            placed_at=PLACED,
            status="paid",
            lines=({"sku": "shoe", "price": 59.9},),
        ),
    }


def test_an_order_is_a_personal_action_whatever_the_point():
    """R13: its own time counts then, not that of the record."""
    record = ordered(ORDER, {"email": "ann@example.com", "occurred_at": "2026-01-04T10:00:00Z"}, STAFF)
    assert (record.personal_action, record.occurred_at) == (True, PLACED)


def test_an_order_was_placed_now_where_it_does_not_say():
    order = ordered({"number": 1, "total": 5}, {"email": "ann@example.com"}).order
    assert order == Order(number="1", total=Decimal(5), currency="", placed_at=NOW, status="")


def test_faults_of_an_order_are_named_with_those_of_its_customer():
    order = {
        **ORDER,
        "number": None,
        "total": "5.001",
        "currency": "dollar",
        "lines": [1, {"a": "\0"}],
        "x": 1,
    }
    data = {"order": order, "customer": {"email": "x"}}
    assert faults(data, Operation.ORDER) == [
        "order.x",
        "order.number",
        "order.total",
        "order.currency",
        "order.lines[0]",
        "order.lines[1]",
        "customer.email",
    ]


@pytest.mark.parametrize(
    ("part", "value"),
    [("total", "-0.01"), ("total", -5), ("currency", "ABC"), ("currency", "US"), ("currency", "€")],
)
def test_an_amount_below_zero_and_a_currency_that_there_is_not_are_faults(part, value):
    """R57."""
    assert (
        faults({"order": {**ORDER, part: value}, "customer": {"crm_id": "1"}}, Operation.ORDER)[0]
        == f"order.{part}"
    )


@pytest.mark.parametrize("code", ["eur", " USD ", "XCG", "hrk"])
def test_currencies_are_those_of_the_standard_in_any_case(code):
    """R57: withdrawn ones too, for old orders."""
    order = ordered({**ORDER, "currency": code, "total": "0"}, {"email": "ann@example.com"}).order
    assert order
    assert (order.currency, order.total) == (code.strip().upper(), Decimal(0))


def test_an_order_without_an_identifier_is_nobodys():
    assert faults({"order": ORDER, "customer": {}}, Operation.ORDER) == ["customer"]


def test_points_find_their_customer_by_lookup():
    """R58."""
    data = {"lookup": {"maestra_id": 7}, "amount": -5.5, "reason": "spent", "number": 12}
    assert said(parsed(data, Operation.POINTS)) == {
        "lookup": Key("maestra_id", "7"),
        "points": PointsMovement(Decimal("-5.5"), "spent", "12"),
    }


def test_a_promo_code_counts_when_it_was_issued():
    """R58."""
    data = {"lookup": {"maestra_id": 7}, "code": "SPRING", "issued_at": "2026-01-03T10:00:00Z"}
    assert said(parsed(data, Operation.PROMO_CODE)) == {
        "occurred_at": PLACED,
        "is_dated": True,
        "lookup": Key("maestra_id", "7"),
        "promo_code": PromoCode("SPRING", PLACED),
    }


@pytest.mark.parametrize("amount", ["x", "1e30", True, None, " ", 10**15, 0.001, {}])
def test_an_amount_is_a_number_with_two_digits_after_the_point(amount):
    assert faults({"lookup": {"maestra_id": 7}, "amount": amount}, Operation.POINTS) == ["amount"]
