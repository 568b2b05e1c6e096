"""The change history as it is read: pages over several MaestraIDs, filters, and what the sentences say."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from customers import changes as ch
from customers.changes import Decision, Why
from customers.history import reading
from customers.history.reading import history
from customers.history_kinds import HISTORY_KINDS, history_facts, sentence
from customers.history_kinds.identifiers import KIND_OF
from customers.models import IntegrationPoint, Operation
from customers.profile import (
    Category,
    Channel,
    Claim,
    Holding,
    Key,
    Member,
    Membership,
    Note,
    Personal,
    Profile,
    Subscription,
    SubscriptionStatus,
)
from customers.setup.project_config import project_config
from customers.storage.sql import as_json
from dedup.engine.reasons import Reason
from segments.models import Segment, Segmentation
from tests.customers.storage.saving import NOON, make_kinds, minutes, record, save

pytestmark = pytest.mark.django_db

# As the API promises them.
KINDS = {
    *("created", "personal_data", "email", "mobile_phone", "discount_card", "identifier", "device"),
    *("custom_fields", "subscription", "segment", "confirmed", "contact_lost", "contact_received", "note"),
    *("joined", "merged", "unmerged", "erased", "order", "points", "promo_code"),
}
PHONE = Holding("mobile_phone", "+14155550122", Category.MOBILE_PHONE, "+1 415 555 0122", 7, NOON)
CLAIM = Claim("email", "ann@example.com", Category.EMAIL, "ann@example.com", 7, NOON)
SEVEN: Any = {"customer": 7, "maestra_id": 7}


@pytest.fixture(autouse=True)
def kinds():
    make_kinds()


def zone(maestra_id: int, name: str) -> ch.TimeZoneChanged:
    return ch.TimeZoneChanged(customer=maestra_id, maestra_id=maestra_id, before=None, after=name)


def read(*maestra_ids: int, **asked: Any) -> reading.HistoryPage:
    return history(maestra_ids or (7,), labels=project_config().labels, **asked)


def sentences(*changes: ch.Change) -> list[str]:
    """What the history says of these changes, once their entries have been through the table. A dry run says
    the same of entries that were never stored.
    """
    labels = project_config().labels
    entries = [entry for change in changes for _, entry in history_facts(change)]
    said = [sentence(json.loads(as_json(entry), parse_float=Decimal), labels) for entry in entries]
    assert [sentence(entry, labels) for entry in entries] == said
    return said


def test_every_kind_of_entry_has_a_sentence_a_label_and_a_place_in_the_api():
    """What changes leave behind is of a kind that has a sentence and a name of its own."""
    assert set(HISTORY_KINDS) == KINDS | {"apart", "opt_out", "registered"}
    assert set(KIND_OF.values()) <= set(HISTORY_KINDS)
    assert len({kind.label for kind in HISTORY_KINDS.values()}) == len(HISTORY_KINDS)
    assert all(callable(kind.sentence) for kind in HISTORY_KINDS.values())


def test_an_entry_tells_all_the_api_promises():
    point = IntegrationPoint.objects.create(system_name="website", name="Website", kind="website")
    lost = ch.ContactLost(
        customer=9,
        maestra_id=9,
        kind="mobile_phone",
        value="+14155550122",
        to=7,
        criterion="orders",
        was_held=True,
        pending=False,
    )
    save([record(lost, at=minutes(1))], point=point.pk)
    (item,) = read(9).items
    operation_id = item.pop("operation_id")
    told_at = Operation.objects.get(pk=operation_id).at
    assert item == {
        "at": told_at.isoformat(),
        "occurred_at": "2026-01-05T12:01:00+00:00",
        "kind": "contact_lost",
        "maestra_id": 9,
        "actor": "system",
        "integration_point": "website",
        "reason": "settled",
        "data": {
            "type": "mobile_phone",
            "value": "+14155550122",
            "decided_by": "orders",
            "was_held": True,
            "pending": False,
        },
        "related_maestra_id": 7,
        "sentence": (
            "Mobile phone +14155550122 went to customer 7, "
            "because customer 7 has orders, promo codes or reward points."
        ),
    }


def test_merged_histories_are_interleaved_and_paged_without_a_gap():
    """R40: all of both, by the time they were told, each entry with the MaestraID it happened to."""
    for n in range(6):
        save([record(zone(7 + n % 2, f"A/{n}"), zone(7 + n % 2, f"B/{n}"), at=minutes(9 - n // 2))])
    whole = read(7, 8, limit=100).items
    assert [(i["maestra_id"], i["data"]["after"]["time_zone"]) for i in whole[:5]] == [
        (8, "B/5"),
        (8, "A/5"),
        (7, "B/4"),
        (7, "A/4"),
        (8, "B/3"),
    ]
    for limit in (1, 2, 3, 5):
        paged, after = [], None
        while True:
            page = read(7, 8, limit=limit, after=after)
            assert 0 < len(page.items) <= limit
            paged += page.items
            if (after := page.next) is None:
                break
        assert paged == whole


def test_an_entry_of_a_record_that_told_no_time_happened_when_it_was_told():
    """R40."""
    now = timezone.now()
    save([record(zone(7, "Asia/Tokyo"), at=now)], at=now)
    assert [(item["at"], item["occurred_at"]) for item in read(7).items] == [(now.isoformat(), None)]


def test_history_can_be_limited_to_kinds_and_times():
    """What was told within the times, whenever it happened (R40)."""
    mixed = (
        ch.Created(**SEVEN, registered_at=NOON),
        zone(7, "Asia/Tokyo"),
        ch.PromoCodeIssued(**SEVEN, code="A", issued_at=NOON),
    )
    save([record(*mixed, at=minutes(8))], at=minutes(1))
    save([record(zone(7, "Asia/Seoul"), at=minutes(0))], at=minutes(5))
    assert [i["kind"] for i in read(kinds=["created", "promo_code"]).items] == ["promo_code", "created"]
    assert [i["kind"] for i in read(since=minutes(5)).items] == ["personal_data"]
    assert [i["kind"] for i in read(until=minutes(5), kinds=["personal_data"], limit=1).items] == [
        "personal_data"
    ]
    assert read(until=minutes(1)) == reading.HistoryPage([], None)


def test_what_is_said_of_an_identifier_that_was_used_before_and_of_an_earlier_registration():
    """R59: also where the holder is not known any more"""
    used = ch.UsedBefore(
        **SEVEN,
        key=Key("device_id", "d-1"),
        category=Category.DEVICE,
        at=NOON,
        holder=9,
        holder_origin=9,
        until=minutes(5),
    )
    earlier = ch.RegisteredEarlier(**SEVEN, before=NOON, after=minutes(-60 * 24))
    assert sentences(used, earlier) == [
        "Device d-1 was used; it stays with customer 9, who used it later.",
        "Registered on 2026-01-04, earlier than known before (2026-01-05).",
    ]
    [(_, facts)] = history_facts(used)
    del facts["related"]
    assert sentence(facts, project_config().labels) == (
        "Device d-1 was used; it stays with somebody who used it later."
    )


def test_what_is_said_of_single_values():
    bond = Personal(last_name="Bond", birth_date=date(1990, 1, 31))
    assert sentences(
        ch.Created(**SEVEN, registered_at=NOON),
        ch.PersonalDataChanged(**SEVEN, before=Personal(), after=bond),
        ch.PersonalDataChanged(**SEVEN, before=bond, after=Personal(last_name="Bond-Lee")),
        zone(7, "Asia/Tokyo"),
        ch.CustomFieldsChanged(
            **SEVEN, before={"size": Decimal("41.5"), "vip": True}, after={"size": Decimal("42.5")}
        ),
        ch.OptedOut(**SEVEN, before=None, at=NOON),
        ch.OptedOut(**SEVEN, before=NOON, at=None),
    ) == [
        "The customer was created.",
        "Last name is now “Bond”; birth date is now “1990-01-31”.",
        "Last name changed from “Bond” to “Bond-Lee”; birth date “1990-01-31” was cleared.",
        "Time zone is now “Asia/Tokyo”.",
        "Size changed from “41.5” to “42.5”; vip “yes” was cleared.",
        "The customer refused all communication.",
        "The refusal of all communication was taken back.",
    ]


def test_what_is_said_of_identifiers():
    crm = Holding("crm_id", "301", Category.UNIQUE, "301", 7, NOON)
    pending = replace(PHONE, must_be_confirmed=True)
    confirmed = replace(pending, confirmed_at=NOON)
    assert sentences(
        ch.Held(**SEVEN, before=None, after=replace(pending, gives_access=True)),
        ch.Held(**SEVEN, before=pending, after=confirmed),
        ch.Held(**SEVEN, before=confirmed, after=replace(confirmed, is_primary=True, gives_access=True)),
        ch.Held(**SEVEN, before=None, after=confirmed, why=Why.CONFIRMED, taken_from=9),
        ch.Held(**SEVEN, before=crm, after=replace(crm, is_former=True, retired_at=NOON)),
        ch.Held(**SEVEN, before=crm, after=replace(crm, was_primary_at=NOON)),
        ch.Released(**SEVEN, holding=PHONE, to=9, why=Why.SETTLED),
        ch.Released(**SEVEN, holding=PHONE),
        ch.Claimed(**SEVEN, claim=CLAIM),
        ch.Unclaimed(**SEVEN, claim=CLAIM),
    ) == [
        "Mobile phone +14155550122 was added; awaits confirmation; gives account access.",
        "Mobile phone +14155550122 was confirmed.",
        "Mobile phone +14155550122 became the primary one; gives account access.",
        "Mobile phone +14155550122 came from customer 9.",
        "Mobile phone +14155550122 was confirmed.",
        "CRM ID 301 became a former value.",
        "CRM ID 301 was updated.",
        "Mobile phone +14155550122 went to customer 9.",
        "Mobile phone +14155550122 was removed.",
        "E-mail ann@example.com was given, but this customer does not hold it: it is a claim, "
        "and matches nobody.",
        "E-mail ann@example.com is no longer claimed.",
    ]


def test_what_is_said_of_contested_contacts():
    """R30"""
    contact: Any = {"kind": "email", "value": "ann@example.com", "criterion": "any_account_access"}
    assert sentences(
        ch.ContactLost(**SEVEN, **contact, to=9, was_held=False, pending=True),
        ch.ContactReceived(**SEVEN, **contact, other=9, was_held=True),
        ch.ContactReceived(**SEVEN, **contact, other=9, was_held=False),
        ch.NoteAdded(**SEVEN, note=Note(NOON, 7, "settled", "email", "ann@example.com", 9, "last_activity")),
        ch.NoteAdded(**SEVEN, note=Note(NOON, 7, "not_returned", "email", "ann@example.com")),
    ) == [
        "E-mail ann@example.com stays with customer 9, because customer 9 has account access.",
        "E-mail ann@example.com, given by customer 9 too, stays with this customer, "
        "because they have account access.",
        "E-mail ann@example.com, given by customer 9 too, came to this customer, "
        "because they have account access.",
        "Note: E-mail ann@example.com stays with customer 9, because the last activity of "
        "customer 9 is more recent, or, where neither was ever active, the registration.",
        "Note: E-mail ann@example.com did not come back with the undo: the profile no longer held it.",
    ]


def test_what_is_said_of_joins_merges_and_undoing():
    """R41"""
    seven, nine = (Profile(maestra_id=n, members=(Member(n, NOON),)) for n in (7, 9))
    by_card = Decision(reason=Reason.PAYMENT_CARD, matched=(Key("payment_card_hash", "f00d"),))
    by_mail = Decision(
        reason=Reason.MATCHED_EXACTLY, matched=(CLAIM.key, PHONE.key), priority=9, criterion="orders"
    )
    merged = ch.Merged(**SEVEN, absorbed=nine, survivor=seven, result=seven, decision=by_mail)
    undone = ch.Unmerged(**SEVEN, merge_id=1, restored=nine, remaining=seven)
    said = sentences(
        ch.Joined(**SEVEN, decision=by_card),
        merged,
        replace(merged, decision=Decision(reason=Reason.ADMIN, priority=7)),
        undone,
        ch.KeptApart(**SEVEN, other=9, why=Why.UNDO),
        ch.ApartLifted(**SEVEN, other=9),
        ch.Erased(**SEVEN, maestra_ids=(7,)),
    )
    assert said == [
        "Data that came in joined this customer, because they paid with the same card.",
        "Customer 9 was merged into this one, "
        "because they share E-mail ann@example.com, Mobile phone +14155550122; "
        "customer 9 had priority: they have orders, promo codes or reward points.",
        "Customer 9 was merged into this one, because a member of staff asked for it.",
        "The merge with customer 9 was undone: they are two customers again.",
        "The merge with customer 7 was undone: they are two customers again.",
        "This customer is never to be merged with customer 9.",
        "This customer may be merged with customer 9 again.",
        "The customer was erased.",
    ]
    assert [(owner, facts["related"]) for owner, facts in history_facts(undone)] == [(7, 9), (9, 7)]
    assert "f00d" not in str(history_facts(ch.Joined(**SEVEN, decision=by_card)))


def test_what_is_said_of_consent_and_ledgers():
    order = ch.Order(number="A-1", total=Decimal("59.90"), currency="USD", placed_at=NOON, status="new")
    mail, sms = Channel("email", "news"), Channel("sms")
    subscribed, off = (
        Subscription(SubscriptionStatus.SUBSCRIBED, NOON),
        Subscription(SubscriptionStatus.UNSUBSCRIBED, NOON),
    )
    assert sentences(
        ch.SubscriptionChanged(**SEVEN, channel=mail, before=None, after=subscribed),
        ch.SubscriptionChanged(**SEVEN, channel=sms, before=subscribed, after=off),
        ch.SubscriptionChanged(**SEVEN, channel=sms, before=off, after=None),
        ch.OrderSaved(**SEVEN, before=None, after=order),
        ch.OrderSaved(**SEVEN, before=order, after=replace(order, status="cancelled")),
        ch.OrderSaved(**SEVEN, before=order, after=replace(order, total=Decimal("49.90"))),
        ch.PointsAdded(**SEVEN, number=None, amount=Decimal("-5.00"), reason="gift", at=NOON),
        ch.PointsAdded(**SEVEN, number="P-1", amount=Decimal(3), reason="", at=NOON),
        ch.PromoCodeIssued(**SEVEN, code="SPRING", issued_at=NOON),
    ) == [
        "E-mail (news): subscribed.",
        "SMS: from subscribed to unsubscribed.",
        "SMS: the subscription was removed.",
        "Order A-1 over 59.90 USD was placed.",
        "Order A-1 over 59.90 USD is now “cancelled”.",
        "Order A-1 was updated: 49.90 USD.",
        "-5.00 reward points: gift.",
        "3 reward points.",
        "Promo code SPRING was issued.",
    ]


def test_segments_are_shown_by_name():
    """R52"""
    loyalty = Segmentation.objects.create(system_name="loyalty", name="Loyalty")
    silver, gold = (
        Membership(Segment.objects.create(segmentation=loyalty, system_name=name, name=name).pk, NOON)
        for name in ("silver", "gold")
    )
    steps = [(None, silver), (silver, gold), (gold, None)]
    changes = [
        ch.MembershipChanged(**SEVEN, segmentation=loyalty.pk, before=old, after=new) for old, new in steps
    ]
    save([record(ch.Created(**SEVEN, registered_at=NOON), *changes)])
    assert [item["sentence"] for item in read(kinds=["segment"]).items] == [
        "Left segment gold of loyalty.",
        "Went from segment silver to gold of loyalty.",
        "Is in segment silver of loyalty.",
    ]
    assert read().items[0]["data"]["before"] == {"segment": "gold", "since": "2026-01-05T12:00:00+00:00"}
