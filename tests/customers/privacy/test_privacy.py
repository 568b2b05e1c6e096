"""Opt-out, export and the suppression list (R53–R55); erasure is tested with everything it reaches into, in
tests/dedup/test_erasure.py.
"""

from __future__ import annotations

import hmac
import json
import uuid
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers import keyed_hashes
from customers.changes import (
    CardSeen,
    Change,
    Claimed,
    ContactLost,
    Created,
    CustomFieldsChanged,
    Decision,
    Held,
    Merged,
    Order,
    OrderSaved,
    PersonalDataChanged,
    PointsAdded,
    PromoCodeIssued,
    SubscriptionChanged,
)
from customers.errors import ErrorCode, SelfsameError
from customers.models import Activity, Operation, ProjectSettings, SuppressedValue
from customers.models import Change as ChangeRow
from customers.privacy import suppression
from customers.privacy.export import export, export_in_pieces
from customers.privacy.opt_out import opt_out
from customers.privacy.redaction import ErasedPerson, entries_without, fields_of, image_without
from customers.profile import (
    NOBODY,
    Category,
    Channel,
    Claim,
    Key,
    Personal,
    Profile,
    Subscription,
    SubscriptionStatus,
)
from customers.storage.loading import load_profiles
from customers.transitions import united
from dedup.engine.reasons import Reason
from tests.customers.storage.saving import NOON, holding, make_kinds, minutes, new_ids, record, save

EMAIL, PHONE = Key("email", "ann@example.com"), Key("mobile_phone", "+14155550122")
DEVICE, HANDSET, CARD = Key("device_id", "d-1"), Key("mobile_device_id", "m-1"), Key("discount_card", "7001")
SUBSCRIBED = Subscription(SubscriptionStatus.SUBSCRIBED, NOON)


@pytest.fixture(autouse=True)
def kinds(db: None) -> None:
    make_kinds()


def customer(*keys: Key) -> int:
    (primary_id,) = new_ids(1)
    created = Created(customer=primary_id, maestra_id=primary_id, registered_at=NOON)
    held = [
        Held(customer=primary_id, maestra_id=primary_id, before=None, after=holding(key, primary_id))
        for key in keys
    ]
    save([record(created, *held)])
    return primary_id


def merge(survivor: int, absorbed: int) -> None:
    one, other = stored(survivor), stored(absorbed)
    images = {"survivor": one, "absorbed": other, "result": united(one, other)}
    save(
        [
            record(
                Merged(customer=survivor, maestra_id=survivor, **images, decision=Decision(reason=Reason.API))
            )
        ]
    )


def subscribe(primary_id: int, channel: Channel) -> None:
    change = SubscriptionChanged(
        customer=primary_id, maestra_id=primary_id, channel=channel, before=None, after=SUBSCRIBED
    )
    save([record(change)])


def consents(profile: Profile) -> dict[str, str]:
    return {
        f"{channel} {topic}".strip(): s.status.value for (channel, topic), s in profile.subscriptions.items()
    }


def opted_out(maestra_id: int) -> Profile:
    return opt_out(maestra_id, actor="user:officer")


def stored(primary_id: int) -> Profile:
    return load_profiles([primary_id])[primary_id]


# --- Opt-out


def test_opt_out_acts_on_every_subscription_and_every_contact() -> None:
    """R53"""
    primary_id = customer(EMAIL, PHONE, DEVICE, HANDSET)
    subscribe(primary_id, Channel("email", "news"))
    profile = opted_out(primary_id)
    assert consents(profile) == dict.fromkeys(
        ("email", "email news", "sms", "viber", "call", "web_push", "mobile_push"), "unsubscribed"
    )
    assert profile.opted_out_at is not None
    assert profile == stored(primary_id)


def test_opt_out_refuses_only_channels_by_which_the_customer_can_be_reached() -> None:
    """R53"""
    assert consents(opted_out(customer(EMAIL, CARD))) == {"email": "unsubscribed"}


def test_opt_out_by_a_former_maestra_id_is_in_the_history_of_that_one() -> None:
    """R53, R40"""
    former, primary_id = customer(), customer(EMAIL)
    merge(primary_id, former)
    opted_out(former)
    (row,) = ChangeRow.objects.filter(operation__kind="opt_out")
    assert (row.maestra_id, [entry["kind"] for entry in row.data]) == (former, ["subscription", "opt_out"])
    assert stored(primary_id).opted_out_at is not None


def test_opting_out_again_changes_nothing() -> None:
    """R53"""
    primary_id = customer(EMAIL)
    first, operations = opted_out(primary_id), Operation.objects.count()
    assert (opted_out(primary_id), Operation.objects.count()) == (first, operations)


def test_what_was_subscribed_to_after_an_opt_out_is_refused_by_the_next_one() -> None:
    """R53, R37"""
    primary_id = customer(EMAIL)
    first = opted_out(primary_id)
    subscribe(primary_id, Channel("email"))
    again = opted_out(primary_id)
    dates = [profile.opted_out_at for profile in (first, again)]
    assert dates == sorted({date for date in dates if date})
    assert consents(again) == {"email": "unsubscribed"}


def test_a_customer_who_does_not_exist_is_neither_opted_out_nor_exported() -> None:
    """R53, R55"""
    for work in (opted_out, export, export_in_pieces):
        with pytest.raises(SelfsameError) as caught:
            work(4711)
        assert caught.value.code is ErrorCode.CUSTOMER_NOT_FOUND


# --- Export


def changes_of(primary_id: int, other: int) -> Iterator[Change]:
    who: Any = {"customer": primary_id, "maestra_id": primary_id}
    personal = Personal(last_name="Smith", birth_date=date(1990, 1, 31))
    order = Order(
        number="1001",
        total=Decimal("9.50"),
        currency="EUR",
        placed_at=NOON,
        status="paid",
        lines=({"sku": 1},),
    )
    claim = Claim("discount_card", "7001", Category.DISCOUNT_CARD, "7001", primary_id, NOON)
    yield Created(**who, registered_at=NOON)
    yield Held(**who, before=None, after=holding(EMAIL, primary_id, is_primary=True))
    yield PersonalDataChanged(**who, before=NOBODY, after=personal)
    yield CustomFieldsChanged(**who, before={}, after={"size": Decimal("4.5")})
    yield Claimed(**who, claim=claim)
    yield CardSeen(**who, card="card-hash")
    yield OrderSaved(**who, before=None, after=order)
    yield PointsAdded(**who, number="p1", amount=Decimal(5), reason="gift", at=NOON)
    yield PromoCodeIssued(**who, code="TEN", issued_at=NOON)
    lost: Any = {"kind": "discount_card", "value": "7001", "to": other, "criterion": "orders"}
    yield ContactLost(**who, **lost, was_held=False, pending=True)


def exported_person() -> tuple[int, int]:
    other = customer(CARD)
    (primary_id,) = new_ids(1)
    save([record(*changes_of(primary_id, other))], known=[CARD])
    Activity.objects.create(
        uuid=uuid.UUID(int=1), maestra_id=primary_id, kind="view", occurred_at=minutes(1), url="/a"
    )
    return primary_id, other


def test_an_export_has_everything_stored_about_the_person() -> None:
    """R55"""
    primary_id, other = exported_person()
    found = export(primary_id)
    noon = NOON.isoformat()
    history = found.pop("history")
    single = {
        **dict.fromkeys(("first_name", "middle_name", "gender", "time_zone", "opted_out_at")),
        "last_name": "Smith",
    }
    assert found.pop("customer")["personal"] == {"last_name": "Smith", "birth_date": "1990-01-31"}
    assert found == {
        "maestra_ids": [
            {
                "maestra_id": primary_id,
                "registered_at": noon,
                **single,
                "birth_date": "1990-01-31",
                "custom_fields": {"size": 4.5},
                "subscriptions": [],
            }
        ],
        "identifiers": [
            {
                "type": "email",
                "value": "ann@example.com",
                "as_typed": "ANN@EXAMPLE.COM",
                "came_to_maestra_id": primary_id,
                "integration_point": None,
                "since": noon,
                "is_former": False,
                "retired_at": None,
                "is_primary": True,
                "was_primary_until": None,
                "is_confirmed": False,
                "confirmed_at": None,
                "is_pending": False,
                "gives_account_access": False,
            }
        ],
        "claims": [
            {
                "type": "discount_card",
                "value": "7001",
                "as_typed": "7001",
                "came_to_maestra_id": primary_id,
                "integration_point": None,
                "since": noon,
                "would_give_account_access": False,
            }
        ],
        "orders": [
            {
                "maestra_id": primary_id,
                "number": "1001",
                "total": "9.50",
                "currency": "EUR",
                "placed_at": noon,
                "status": "paid",
                "lines": [{"sku": 1}],
            }
        ],
        "points": [{"maestra_id": primary_id, "number": "p1", "amount": 5.0, "reason": "gift", "at": noon}],
        "promo_codes": [{"maestra_id": primary_id, "code": "TEN", "issued_at": noon}],
        "activities": [
            {
                "maestra_id": primary_id,
                "kind": "view",
                "occurred_at": minutes(1).isoformat(),
                "device_id": None,
                "url": "/a",
                "title": "",
                "properties": {},
            }
        ],
        "related_maestra_ids": [other],
        "memberships": [],
        "merges": [],
        "unresolved_activities": [],
    }
    assert [entry["kind"] for entry in reversed(history)] == [
        *("created", "email", "personal_data", "custom_fields", "discount_card"),
        *("order", "points", "promo_code", "contact_lost"),
    ]
    assert all(entry["sentence"] for entry in history)


def test_an_export_has_no_payment_card_hash() -> None:
    """R55, R10"""
    primary_id, _ = exported_person()
    assert "card-hash" not in json.dumps(export(primary_id))


def test_an_export_covers_what_former_maestra_ids_had() -> None:
    """R55"""
    former, _ = exported_person()
    primary_id = customer(PHONE)
    merge(primary_id, former)
    found = export(primary_id)
    names = {row["maestra_id"]: row["last_name"] for row in found["maestra_ids"]}
    assert names == {former: "Smith", primary_id: None}
    assert [(m["maestra_id"], m["merged_maestra_ids"], m["reason"]) for m in found["merges"]] == [
        (primary_id, [former], "api")
    ]
    assert ([o["number"] for o in found["orders"]], len(found["activities"])) == (["1001"], 1)
    assert {entry["maestra_id"] for entry in found["history"]} == {former, primary_id}


def test_a_long_export_comes_in_pieces_page_by_page() -> None:
    """R55"""
    primary_id = customer(EMAIL)
    Activity.objects.bulk_create(
        Activity(uuid=uuid.UUID(int=n), maestra_id=primary_id, kind="view", occurred_at=minutes(n))
        for n in range(1, 1202)
    )
    with CaptureQueriesContext(connection) as queries:
        pieces = list(export_in_pieces(primary_id))
    found = json.loads("".join(pieces))["activities"]
    assert [item["occurred_at"] for item in found] == [minutes(n).isoformat() for n in range(1201, 0, -1)]
    assert max(map(len, pieces)) < 2000
    assert len(queries) < 30


# --- The suppression list


def test_the_suppression_list_remembers_values_by_kind_and_only_as_keyed_hashes(settings: Any) -> None:
    """R54"""
    suppression.suppress([EMAIL, PHONE], NOON)
    again = Key("discount_card", EMAIL.value)
    assert suppression.find_suppressed([EMAIL, again, DEVICE]) == {EMAIL: NOON}
    stored = set(SuppressedValue.objects.values_list("digest", flat=True))
    assert {len(digest) for digest in stored} == {64}
    assert keyed_hashes.PAYMENT_CARD.hash(EMAIL.value) not in stored
    settings.HASH_KEY = b"another key"
    assert suppression.find_suppressed([EMAIL]) == {}


def test_whom_an_earlier_release_erased_is_still_found(settings: Any) -> None:
    """R54"""
    earlier = hmac.digest(settings.HASH_KEY, b"suppression list", "sha256")
    digest = hmac.new(earlier, f"email\0{EMAIL.value}".encode(), "sha256").hexdigest()
    SuppressedValue.objects.create(digest=digest, at=NOON)
    assert suppression.find_suppressed([EMAIL, PHONE]) == {EMAIL: NOON}


def test_looking_in_the_suppression_list_is_one_statement() -> None:
    """R54"""
    suppression.suppress([EMAIL], NOON)
    many = [EMAIL, *(Key("email", f"{n}@example.com") for n in range(1000))]
    with CaptureQueriesContext(connection) as queries:
        assert suppression.find_suppressed(many) == {EMAIL: NOON}
    assert len(queries) == 1


def test_a_project_without_a_suppression_list_neither_keeps_nor_finds_values() -> None:
    """R54"""
    suppression.suppress([EMAIL], NOON)
    ProjectSettings.objects.update(suppression_list=False)
    suppression.suppress([PHONE], NOON)
    assert suppression.find_suppressed([EMAIL, PHONE]) == {}
    ProjectSettings.objects.update(suppression_list=True)
    assert suppression.find_suppressed([EMAIL, PHONE]) == {EMAIL: NOON}


# --- What remains of entries and images

ADA = ErasedPerson(
    frozenset({7, 8}),
    frozenset({PHONE}),
    fields_of({"last_name": "Smith", "tags": ["a", "b"], "first_name": None}),
)


def left_of(*entries: dict[str, Any], shared_life: bool = False) -> list[dict[str, Any]]:
    return entries_without(entries, ADA, shared_life=shared_life)


def test_an_entry_about_a_value_of_the_person_goes_whole() -> None:
    """R54"""
    phone: dict[str, Any] = {
        "kind": "mobile_phone",
        "type": "mobile_phone",
        "value": PHONE.value,
        "before": None,
        "after": {},
    }
    same_text = {**phone, "type": "crm_id", "kind": "identifier"}
    assert left_of(phone, same_text) == [same_text]


def test_an_entry_about_a_value_of_somebody_else_only_loses_the_link() -> None:
    """R54"""
    came = {"kind": "email", "type": "email", "value": "x@example.com", "related": 7, "after": {}}
    assert left_of(came) == [{"kind": "email", "type": "email", "value": "x@example.com", "after": {}}]


def test_an_entry_about_two_goes_with_the_other_one() -> None:
    """R54"""
    lost = {"kind": "contact_lost", "type": "email", "value": "x@example.com", "related": 8}
    assert left_of(lost, {**lost, "related": 9}) == [{**lost, "related": 9}]


def test_an_entry_about_a_merge_of_others_loses_what_it_says_of_the_person() -> None:
    """R54"""
    matched = [{"type": "mobile_phone", "value": PHONE.value}, {"type": "email", "value": "x@example.com"}]
    merged = {"kind": "merged", "related": 9, "merged_maestra_ids": [8, 9], "matched": matched}
    assert left_of({**merged, "priority_maestra_id": 7, "decided_by": "orders"}) == [
        {**merged, "merged_maestra_ids": [9], "matched": matched[1:]}
    ]


def test_fields_of_the_person_are_removed_where_both_were_one_profile() -> None:
    """R54"""
    mixed = {
        "kind": "personal_data",
        "before": {"last_name": "Smith"},
        "after": {"last_name": "Doe", "gender": "other"},
    }
    tags = {"kind": "custom_fields", "before": {}, "after": {"tags": ["a", "b"]}}
    assert left_of(mixed, tags) == [mixed, tags]
    assert left_of(mixed, tags, shared_life=True) == [{**mixed, "before": {}}]


def test_an_image_loses_the_values_of_the_person() -> None:
    """R54"""
    phone, email = {"kind": "mobile_phone", "value": PHONE.value}, {"kind": "email", "value": "x@example.com"}
    image = {"maestra_id": 9, "holdings": [phone, email], "notes": [phone]}
    assert image_without(image, ADA.keys) == {"maestra_id": 9, "holdings": [email], "notes": []}


def test_the_values_of_an_erasure_leave_the_suppression_list_together() -> None:
    """R54: those of others stay; of a value that was erased twice the later erasure counts."""
    later = minutes(60)
    suppression.suppress([EMAIL, PHONE], NOON)
    suppression.suppress([PHONE, DEVICE], later)
    assert suppression.find_suppressed([EMAIL, PHONE, DEVICE]) == {EMAIL: NOON, PHONE: later, DEVICE: later}
    suppression.release({later})
    assert suppression.find_suppressed([EMAIL, PHONE, DEVICE]) == {EMAIL: NOON}
