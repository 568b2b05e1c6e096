"""From the tables to profiles, and from profiles to the JSON of the API."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import (
    BlockedValue,
    Claim,
    Customer,
    CustomerFacts,
    CustomField,
    Identifier,
    IdentifierKind,
    Note,
    PaymentCard,
    ProjectSettings,
    Subscription,
)
from customers.presentation.customer import present
from customers.profile import (
    Category,
    Channel,
    Holding,
    Key,
    Kind,
    Member,
    Membership,
    Personal,
    Profile,
    SubscriptionStatus,
)
from customers.profile import Claim as ProfileClaim
from customers.profile import Note as ProfileNote
from customers.profile import Subscription as ProfileSubscription
from customers.setup.project_config import project_config
from customers.storage.loading import load_profiles, primary_ids_of
from segments.models import Membership as MembershipRow
from segments.models import Segment, Segmentation

pytestmark = pytest.mark.django_db


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


def identifier(kind: int, value: str, holder: int | None, **more: Any) -> Identifier:
    held = {"customer_id": holder, "origin_id": holder, "since": day(3)} if holder else {}
    return Identifier.objects.create(**{"kind_id": kind, "value": value, "raw": value, **held, **more})


@pytest.fixture
def kinds() -> dict[str, int]:
    crm = IdentifierKind.objects.create(system_name="crm_id", name="CRM ID", category="unique")
    key = IdentifierKind.objects.create(system_name="session_key", name="Session key", category="identifier")
    return {"crm_id": crm.id, "session_key": key.id}


@pytest.fixture
def gold() -> Segment:
    loyalty = Segmentation.objects.create(system_name="loyalty", name="Loyalty")
    return Segment.objects.create(segmentation=loyalty, system_name="gold", name="Gold")


@pytest.fixture
def ann(kinds: dict[str, int], gold: Segment) -> int:
    """A customer with something of everything, of two MaestraIDs: 1, and 2 that was merged into it."""
    Customer.objects.create(
        id=1,
        profile_id=1,
        registered_at=day(2),
        last_name="Lee",
        first_name="Ann",
        birth_date=date(1990, 1, 31),
        gender="female",
        time_zone="Europe/Berlin",
        custom_fields={"shoe_size": 42, "score": 1.5},
        is_identified=True,
    )
    Customer.objects.create(id=2, profile_id=1, registered_at=day(1), last_name="Frozen", time_zone="UTC")
    CustomerFacts.objects.create(
        customer_id=1, orders_count=1, orders_total=Decimal("59.90"), last_action_at=day(8)
    )
    CustomerFacts.objects.create(customer_id=2, points_count=2, points_balance=30, promo_codes_count=1)
    mobile = identifier(2, "+14155550122", None)
    identifier(1, "ann@example.com", 1, raw="Ann@Example.com", confirmed_at=day(4), gives_access=True)
    identifier(1, "lee@example.com", 1, origin_id=2, is_primary=True, must_be_confirmed=True, since=day(5))
    identifier(3, "7001", 1)
    identifier(kinds["crm_id"], "103", 1, is_unique_kind=True)
    identifier(kinds["crm_id"], "301", 1, is_unique_kind=True, is_former=True, retired_at=day(6), origin_id=2)
    identifier(kinds["crm_id"], "302", 1, is_unique_kind=True, is_former=True, retired_at=day(7), origin_id=2)
    identifier(kinds["session_key"], "x", 1)
    identifier(4, "cookie", 1)
    Claim.objects.create(identifier=mobile, customer_id=1, origin_id=1, raw="(415) 555-0122", since=day(4))
    Claim.objects.create(identifier=mobile, customer_id=1, origin_id=2, since=day(3))
    PaymentCard.objects.create(hash="h", customer_id=1, origin_id=2, since=day(1))
    Subscription.objects.create(customer_id=1, channel="email", status="subscribed", since=day(4))
    Subscription.objects.create(
        customer_id=1, channel="email", topic="news", status="unsubscribed", since=day(5)
    )
    Subscription.objects.create(customer_id=2, channel="sms", status="subscribed", since=day(4))
    MembershipRow.objects.create(
        customer_id=1, segmentation_id=gold.segmentation_id, segment=gold, since=day(6)
    )
    note = {"kind": "mobile_phone", "value": "+14155550122"}
    Note.objects.create(
        maestra_id=2, at=day(3), reason="contact_lost", related=7, decided_by="orders", **note
    )
    Note.objects.create(maestra_id=1, at=day(9), reason="not_returned", **note)
    return 1


def held(kind: str, value: str, category: Category, **more: Any) -> tuple[Key, Holding]:
    facts = {"raw": value, "origin": 1, "since": day(3), **more}
    return Key(kind, value), Holding(kind, value, category, **facts)


def test_a_profile_is_read_whole(ann, gold):
    phone: Any = {"kind": "mobile_phone", "value": "+14155550122"}
    former = {"origin": 2, "is_former": True}
    assert load_profiles([ann]) == {
        1: Profile(
            maestra_id=1,
            members=(
                Member(1, day(2), orders_count=1, orders_total=Decimal("59.90"), last_action_at=day(8)),
                Member(2, day(1), points_count=2, points_balance=Decimal(30), promo_codes_count=1),
            ),
            personal=Personal("Lee", "Ann", None, date(1990, 1, 31), "female"),
            time_zone="Europe/Berlin",
            custom_fields={"shoe_size": 42, "score": Decimal("1.5")},
            holdings=dict(
                [
                    held(
                        "email", "ann@example.com", Category.EMAIL, raw="Ann@Example.com",
                        confirmed_at=day(4), gives_access=True,
                    ),
                    held(
                        "email", "lee@example.com", Category.EMAIL, origin=2, since=day(5),
                        is_primary=True, must_be_confirmed=True,
                    ),
                    held("discount_card", "7001", Category.DISCOUNT_CARD),
                    held("crm_id", "103", Category.UNIQUE),
                    held("crm_id", "301", Category.UNIQUE, retired_at=day(6), **former),
                    held("crm_id", "302", Category.UNIQUE, retired_at=day(7), **former),
                    held("session_key", "x", Category.IDENTIFIER),
                    held("device_id", "cookie", Category.DEVICE),
                ]
            ),
            claims={
                Key(**phone): ProfileClaim(
                    **phone, category=Category.MOBILE_PHONE, raw="(415) 555-0122", origin=1, since=day(4)
                )
            },
            cards={"h": 2},
            subscriptions={
                Channel("email"): ProfileSubscription(SubscriptionStatus.SUBSCRIBED, day(4)),
                Channel("email", "news"): ProfileSubscription(SubscriptionStatus.UNSUBSCRIBED, day(5)),
            },
            memberships={gold.segmentation_id: Membership(gold.id, day(6))},
            notes=(
                ProfileNote(day(3), 2, "contact_lost", **phone, related=7, decided_by="orders"),
                ProfileNote(day(9), 1, "not_returned", **phone),
            ),
        )
    }  # fmt: skip


def test_only_profiles_that_are_there_are_read():
    Customer.objects.create(id=1, profile_id=1, registered_at=day(1))
    Customer.objects.create(id=2, profile_id=1, registered_at=day(1))
    Customer.objects.create(id=3, profile_id=3, registered_at=day(1), erased_at=day(2))
    assert load_profiles([1, 2, 3, 4]) == {1: Profile(1, (Member(1, day(1)), Member(2, day(1))))}
    assert load_profiles([]) == {}


def test_every_maestra_id_leads_to_its_profile():
    """R1"""
    Customer.objects.create(id=1, profile_id=1, registered_at=day(1))
    Customer.objects.create(id=2, profile_id=1, registered_at=day(1))
    Customer.objects.create(id=3, profile_id=3, registered_at=day(1), erased_at=day(2))
    assert primary_ids_of([1, 2, 3, 4]) == {1: 1, 2: 1}


@pytest.mark.parametrize("count", [1, 100, 1000])
def test_any_number_of_profiles_is_one_message(count):
    Customer.objects.bulk_create(
        Customer(id=n, profile_id=n, registered_at=day(1)) for n in range(1, count + 1)
    )
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert len(load_profiles(range(1, count + 1))) == count
    assert len(queries) == 1


def test_a_customer_is_shown_as_the_contract_says(ann):
    contact = {"is_primary": False, "is_confirmed": False, "is_pending": False, "gives_account_access": False}
    assert present(load_profiles([ann])[ann], project_config()) == {
        "maestra_id": 1,
        "former_maestra_ids": [2],
        "registered_at": "2026-01-01T00:00:00+00:00",
        "ids": {"crm_id": "103", "session_key": ["x"]},
        "former_ids": {"crm_id": ["302", "301"]},
        "emails": [
            {**contact, "value": "lee@example.com", "is_primary": True, "is_pending": True},
            {**contact, "value": "ann@example.com", "is_confirmed": True, "gives_account_access": True},
        ],
        "mobile_phones": [],
        "discount_cards": [{**contact, "value": "7001"}],
        "claims": [{"type": "mobile_phone", "value": "+14155550122"}],
        "devices": ["cookie"],
        "mobile_devices": [],
        "personal": {
            "last_name": "Lee",
            "first_name": "Ann",
            "birth_date": "1990-01-31",
            "gender": "female",
        },
        "time_zone": "Europe/Berlin",
        "custom_fields": {"score": 1.5, "shoe_size": 42},
        "subscriptions": [
            {
                "channel": "email",
                "topic": None,
                "status": "subscribed",
                "since": "2026-01-04T00:00:00+00:00",
            },
            {
                "channel": "email",
                "topic": "news",
                "status": "unsubscribed",
                "since": "2026-01-05T00:00:00+00:00",
            },
        ],
        "segments": [{"segmentation": "loyalty", "segment": "gold", "since": "2026-01-06T00:00:00+00:00"}],
        "facts": {
            "orders_count": 1,
            "orders_total": "59.90",
            "points_balance": 30,
            "promo_codes_count": 1,
            "last_activity_at": "2026-01-08T00:00:00+00:00",
        },
        "notes": [
            {
                "at": "2026-01-09T00:00:00+00:00",
                "text": "Mobile phone +14155550122 did not come back with the undo: "
                "the profile no longer held it.",
                "related_maestra_id": None,
            },
            {
                "at": "2026-01-03T00:00:00+00:00",
                "text": "Mobile phone +14155550122 stays with customer 7, because customer 7 has orders, "
                "promo codes or reward points.",
                "related_maestra_id": 7,
            },
        ],
    }


def test_a_customer_that_is_not_stored_is_shown_without_a_maestra_id():
    preview = Profile(maestra_id=1 << 62, members=(Member(1 << 62, day(1)),), is_new=True)
    assert present(preview, project_config()) == {
        "maestra_id": None,
        "former_maestra_ids": [],
        "registered_at": "2026-01-01T00:00:00+00:00",
        "ids": {},
        "former_ids": {},
        "emails": [],
        "mobile_phones": [],
        "discount_cards": [],
        "claims": [],
        "devices": [],
        "mobile_devices": [],
        "personal": {},
        "time_zone": None,
        "custom_fields": {},
        "subscriptions": [],
        "segments": [],
        "facts": {
            "orders_count": 0,
            "orders_total": "0.00",
            "points_balance": 0,
            "promo_codes_count": 0,
            "last_activity_at": None,
        },
        "notes": [],
    }


def test_the_catalogue_is_read_once_and_followed(kinds):
    before = project_config()
    with CaptureQueriesContext(connection) as queries:
        assert project_config() is before
    assert len(queries) == 1

    ProjectSettings.objects.update(default_region="DE", shared_device_limit=3, suppression_list=False)
    CustomField.objects.create(system_name="shoe_size", name="Shoe size", type="integer", merge="larger")
    BlockedValue.objects.create(type="mobile_phone", value="030 1234567")
    IdentifierKind.objects.filter(id=kinds["crm_id"]).update(do_not_merge_different=True)
    now = project_config()

    assert (now.default_region, now.shared_device_limit, now.suppression) == ("DE", 3, False)
    assert now.larger_fields == {"shoe_size"}
    assert now.kinds["crm_id"] == Kind(kinds["crm_id"], "crm_id", Category.UNIQUE, True)
    assert now.kinds_by_id[1] == Kind(1, "email", Category.EMAIL)
    assert now.labels["crm_id"] == "CRM ID"
    assert now.block_list.blocks("mobile_phone", "+49 30 1234567", "+49301234567")


def test_a_pattern_that_came_past_the_forms_does_not_stop_the_service():
    BlockedValue.objects.create(type="email", pattern="(a+)+$")
    assert not project_config().block_list.blocks("email", "aaa@example.com", "aaa@example.com")
