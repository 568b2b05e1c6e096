"""Contacts that give account access: that document's three rules, look-ups and worked examples."""

import pytest

from tests.scenarios.api import (
    ACCESS,
    ANN,
    BOB,
    CARD,
    DEVICE,
    PHONE,
    PHONE_2,
    at,
    subscription,
)

VALUES = {"email": ANN, "mobile_phone": PHONE, "discount_card": CARD}
KINDS = pytest.mark.parametrize("kind", list(VALUES))


@KINDS
def test_the_flag_can_be_carried_by_each_type_of_contact(project, kind):
    shop = project(pos={kind: ACCESS})
    outcome = shop.pos.register(day=1, **VALUES)
    flagged = {
        list_name: [contact["gives_account_access"] for contact in outcome.customer[list_name]]
        for list_name in ("emails", "mobile_phones", "discount_cards")
    }
    assert flagged == {f"{name}s": [name == kind] for name in VALUES}


@KINDS
def test_rule_1_a_contact_that_gives_access_is_never_overwritten(project, kind):
    veto = "email" if kind != "email" else "mobile_phone"
    mine, yours = ("me@example.com", BOB) if veto == "email" else (PHONE_2, "+14155550109")
    shop = project(pos={kind: ACCESS})
    member = shop.pos.register(day=1, **{kind: VALUES[kind], veto: mine}).id
    rival = shop.website.order("1", 9, {kind: VALUES[kind], veto: yours})
    assert rival.settled == [(kind, member, rival.id, "access_by_this_contact")]
    assert shop.pos.lookup(**{kind: VALUES[kind]}).id == member


def test_rule_1_the_flag_survives_a_merge_whatever_the_priority(project):
    shop = project(pos={"mobile_phone": ACCESS})
    member = shop.pos.register(day=1, mobile_phone=PHONE).id
    buyer = shop.website.order("1", 9, {"email": ANN}).id
    shop.match(member, buyer)
    assert shop.profile(member)["mobile_phones"] == {PHONE: "primary access"}


@KINDS
def test_rule_2_re_registering_with_the_same_contact_is_blocked(project, kind):
    shop = project(pos={kind: ACCESS})
    shop.pos.register(day=1, **{kind: VALUES[kind]})
    with shop.refuses("already_registered"):
        shop.pos.register(day=2, **{kind: VALUES[kind]})


def test_rule_3_account_access_of_different_types_prevents_the_merge(project):
    shop = project(pos={"mobile_phone": ACCESS}, website={"email": ACCESS})
    by_phone = shop.pos.register(day=1, mobile_phone=PHONE, discount_card=CARD).id
    by_email = shop.website.register(day=2, email=ANN, discount_card=CARD)
    assert by_email.id != by_phone
    assert shop.pos.vetoes(by_phone, by_email.id) == ["different_account_access"]


@pytest.mark.parametrize("kind", ["email", "mobile_phone", "discount_card"])
def test_lookups_see_only_flagged_contacts(project, kind):
    shop = project(pos={kind: ACCESS})
    plain = shop.website.register(day=1, **{kind: VALUES[kind]}).id
    assert (shop.pos.finds(**{kind: VALUES[kind]}), shop.website.finds(**{kind: VALUES[kind]})) == (
        None,
        plain,
    )
    shop.pos.edit(plain, **{kind: VALUES[kind]})
    assert shop.pos.finds(**{kind: VALUES[kind]}) == plain


def test_example_1_customer_without_account_access(project):
    shop = project(pos={"mobile_phone": ACCESS})
    ann = shop.website.register(day=1, mobile_phone="+1 555 123 1212", email=ANN).id
    with shop.refuses("customer_not_found"):
        shop.pos.lookup(mobile_phone="+1 555 123 1212")
    enrolled = shop.pos.register(day=2, mobile_phone="+1 555 123 1212")
    assert (enrolled.status_code, enrolled.status, enrolled.id) == (200, "joined", ann)
    assert shop.profile(ann) == {
        "emails": {ANN: "primary"},
        "mobile_phones": {"+15551231212": "primary access"},
    }
    assert shop.pos.lookup(mobile_phone="+1 555 123 1212").id == ann
    assert shop.listed() == {ann}


def test_example_2_re_registering_a_protected_contact(project):
    shop = project(pos={"mobile_phone": ACCESS})
    shop.pos.register(day=1, mobile_phone="+1 555 123 1111")
    with shop.refuses("already_registered"):
        shop.pos.register(mobile_phone="+1 555 123 1111", occurred_at=at(2))


def test_example_3_newsletter_subscription_on_a_protected_email(project):
    client = "client@maestra.io"
    shop = project(website={"email": ACCESS})
    member = shop.website.register(day=1, email=client).id
    reader = shop.landing.subscribe(
        day=2, email=client, device_id=DEVICE, subscriptions=[subscription("email")]
    )
    assert (reader.status_code, reader.id) == (200, member)
    assert shop.profile(member) == {
        "emails": {client: "primary access"},
        "devices": [DEVICE],
        "subscriptions": {"email": "subscribed"},
    }
