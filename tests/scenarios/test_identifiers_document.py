"""The identifiers of a customer: that document's examples, and what it says of each type and of privacy."""

import pytest

from tests.scenarios.api import (
    ANN,
    BOB,
    CARD,
    DEVICE,
    HASH,
    NO_MERGE,
    PHONE,
    PHONE_2,
    mentions,
    subscription,
    unsubscribed,
)

PAVEL, IRINA, IVAN, SERGEY = (
    "pavel.petrov@example.com",
    "irina@example.com",
    "ivan@example.com",
    "sergey@example.com",
)
PAVELS_PHONE = "+14151111122"
NEWS = subscription("email")
WEB_PUSH = subscription("web_push")


def pavel_after_his_registration(shop):
    pavel = shop.landing.subscribe(day=1, email=PAVEL, device_id=DEVICE, subscriptions=[NEWS]).id
    customer = {"first_name": "Pavel", "mobile_phone": "+1 (415) 111-1122", "device_id": DEVICE}
    shop.website.order("1", 2, customer)
    return pavel


# --- the types ---


def test_maestra_id_all_are_preserved_on_the_merged_profile(project):
    shop = project()
    one, two = shop.two({"email": ANN}, {"mobile_phone": PHONE})
    shop.match(one, two)
    assert shop.customer(two)["maestra_id"] == one
    assert shop.customer(one)["former_maestra_ids"] == [two]


def test_unique_identifier_cannot_be_registered_twice(project):
    shop = project()
    shop.website.register(day=1, crm_id="301", email=ANN)
    with shop.refuses("technical_id_not_unique"):
        shop.website.register(crm_id="301", mobile_phone=PHONE)


@pytest.mark.parametrize(("kinds", "customers"), [({}, 1), ({"crm_id": NO_MERGE}, 2)])
def test_unique_identifier_whether_different_ones_merge_is_configured(project, kinds, customers):
    shop = project(kinds=kinds)
    one, two = shop.two({"crm_id": "301", "email": ANN}, {"crm_id": "103", "email": ANN})
    assert len({one, two}) == customers


def test_identifier_allows_re_registration_and_transfers(project):
    shop = project()
    first = shop.website.register(day=1, session_key="s-1", email=ANN).id
    second = shop.website.register(day=2, session_key="s-1", email=BOB).id
    assert shop.website.finds(session_key="s-1") == second
    assert shop.profile(first) == {"emails": {ANN: "primary"}}


def test_mobile_phone_belongs_to_one_customer_and_can_move(project):
    shop = project()
    first, second = shop.two({"email": ANN, "mobile_phone": PHONE}, {"email": BOB, "mobile_phone": PHONE})
    assert shop.website.finds(mobile_phone=PHONE) == second
    assert shop.profile(first)["emails"] == {ANN: "primary"}


def test_email_belongs_to_one_customer_and_can_move(project):
    shop = project()
    first, second = shop.two(
        {"email": ANN, "mobile_phone": PHONE},
        {"email": ANN, "mobile_phone": PHONE_2},
    )
    assert shop.website.finds(email=ANN) == second
    assert shop.profile(first)["mobile_phones"] == {PHONE: "primary"}


def test_discount_card_attributes_offline_orders(project):
    shop = project()
    ann = shop.website.register(day=1, email=ANN, discount_card=CARD).id
    assert shop.pos.order("till-1", 2, {"discount_card": CARD}).id == ann
    assert shop.profile(ann)["orders"] == 1


def test_device_one_customer_has_many_and_each_follows_the_latest_sign_in(project):
    shop = project()
    ann, bob = shop.two({"email": ANN, "device_id": "laptop"}, {"email": BOB})
    shop.website.authorize({"email": ANN}, "tablet")
    shop.website.authorize({"email": BOB}, "laptop")
    assert (shop.profile(ann)["devices"], shop.profile(bob)["devices"]) == (["tablet"], ["laptop"])
    shop.website.authorize({"email": ANN}, "laptop")
    assert shop.profile(ann)["devices"] == ["laptop", "tablet"]


def test_mobile_device_behaves_like_a_device(project):
    shop = project()
    ann, bob = shop.two({"email": ANN, "mobile_device_id": "m-1"}, {"email": BOB}, point="app")
    shop.app.edit(bob, mobile_device_id="m-1")
    assert shop.profile(bob)["mobile_devices"] == ["m-1"]
    shop.app.edit(ann, mobile_device_id="m-1")
    assert shop.profile(ann)["mobile_devices"] == ["m-1"]
    assert "mobile_devices" not in shop.profile(bob)


def test_payment_card_hash_merges_without_contradictions_and_identifies_nobody_by_itself(project):
    shop = project()
    first = shop.website.order("1", 1, {"email": ANN, "payment_card_hash": HASH})
    joined = shop.website.order("2", 2, {"mobile_phone": PHONE, "payment_card_hash": HASH})
    assert joined.id == first.id
    with shop.refuses("validation_error"):
        shop.website.lookup(payment_card_hash=HASH)


# --- how they behave during merges ---


def test_without_conflicts_the_profile_inherits_everything_of_both(project):
    shop = project()
    one = shop.website.order("1", 1, {"email": ANN, "device_id": "d-1", "crm_id": "1"}).id
    shop.website.subscribe(maestra_id=one, subscriptions=[NEWS])
    customer = {"mobile_phone": PHONE, "device_id": "d-2", "mobile_device_id": "m-1"}
    two = shop.app.order("2", 2, {**customer, "subscriptions": [WEB_PUSH]}).id
    shop.match(one, two)
    assert shop.profile(one) == {
        "former": [two],
        "ids": {"crm_id": "1"},
        "emails": {ANN: "primary"},
        "mobile_phones": {PHONE: "primary"},
        "devices": ["d-1", "d-2"],
        "mobile_devices": ["m-1"],
        "subscriptions": {"email": "subscribed", "web_push": "subscribed"},
        "orders": 2,
    }


def test_on_a_conflicting_contact_the_stronger_profile_keeps_it_and_the_other_gets_a_note(project):
    shop = project()
    buyer = shop.website.order("1", 1, {"email": ANN, "mobile_phone": PHONE}).id
    visitor = shop.website.register(day=2, email=BOB, mobile_phone=PHONE).id
    assert shop.profile(buyer)["mobile_phones"] == {PHONE: "primary"}
    assert shop.profile(visitor) == {"emails": {BOB: "primary"}, "notes": [buyer]}


# --- the examples ---


def test_example_1_1_landing_page_then_website_registration(project):
    shop = project()
    pavel = pavel_after_his_registration(shop)
    assert shop.profile(pavel) == {
        "emails": {PAVEL: "primary"},
        "mobile_phones": {PAVELS_PHONE: "primary"},
        "devices": [DEVICE],
        "personal": {"first_name": "Pavel"},
        "subscriptions": {"email": "subscribed"},
        "orders": 1,
    }
    assert shop.listed() == {pavel}


def test_example_1_2_shared_device_between_spouses(project):
    shop = project()
    pavel = pavel_after_his_registration(shop)
    irina = shop.website.order("2", 3, {"email": IRINA, "device_id": DEVICE})
    assert irina.moved == [("device_id", DEVICE, pavel, irina.id)]
    assert shop.website.upsert(day=4, device_id=DEVICE).id == irina.id
    shop.website.authorize({"email": PAVEL}, DEVICE)
    assert shop.website.upsert(day=5, device_id=DEVICE).id == pavel


def test_example_1_3_duplicate_phone_on_a_new_submission(project):
    shop = project()
    pavel = pavel_after_his_registration(shop)
    ivan = shop.website.register(day=5, email=IVAN, mobile_phone=PAVELS_PHONE, device_id="ivans")
    assert ivan.settled == [("mobile_phone", pavel, ivan.id, "orders")]
    assert shop.profile(ivan.id) == {"emails": {IVAN: "primary"}, "devices": ["ivans"], "notes": [pavel]}
    (note,) = shop.customer(ivan.id)["notes"]
    assert str(pavel) in note["text"]


def test_example_1_4_order_placed_through_the_call_center(project):
    shop = project()
    pavel = pavel_after_his_registration(shop)
    ordered = shop.call_centre.order("cc-1", 6, {"mobile_phone": "415 111 1122"})
    assert (ordered.id, shop.profile(pavel)["orders"]) == (pavel, 2)


def test_example_2_cross_device_browsing_history(project):
    """The tracked link acts as authorize for Irina on the phone's browser."""
    shop = project()
    irina = shop.landing.subscribe(day=1, email=IRINA, device_id="desktop", subscriptions=[NEWS]).id
    shop.website.authorize({"email": IRINA}, "phone-browser")
    browsing = [shop.website.upsert(day=2, device_id=device).id for device in ("desktop", "phone-browser")]
    assert browsing == [irina, irina]


def test_example_3_profiles_merged_after_a_later_data_update(project):
    shop = project()
    reader = shop.landing.subscribe(day=1, email=SERGEY, device_id="desktop", subscriptions=[NEWS]).id
    buyer = shop.website.order("1", 2, {"email": "sergey.work@example.com", "device_id": "phone-browser"}).id
    edited = shop.website.edit({"email": "sergey.work@example.com"}, day=3, email=SERGEY)
    assert (edited.id, edited.merged) == (reader, [buyer])
    assert shop.profile(reader) == {
        "former": [buyer],
        "emails": {SERGEY: "primary", "sergey.work@example.com": ""},
        "devices": ["desktop", "phone-browser"],
        "subscriptions": {"email": "subscribed"},
        "orders": 1,
    }


def test_example_4_phone_reassignment_after_an_import_conflict(project):
    shop = project()
    ivan = shop.website.subscribe(day=1, email=IVAN, mobile_phone=PHONE, subscriptions=[NEWS]).id
    imported = shop.crm_import.batch(
        {"day": 2, "crm_id": "8", "email": BOB},
        {"day": 2, "crm_id": "9", "email": ANN, "mobile_phone": PHONE},
    )[1]
    new = imported["maestra_id"]
    assert (imported["status"], imported["conflicts"][0]["kept_by"]) == ("created", ivan)
    assert shop.profile(new) == {"ids": {"crm_id": "9"}, "emails": {ANN: "primary"}, "notes": [ivan]}
    assert shop.profile(ivan) == {
        "emails": {IVAN: "primary"},
        "mobile_phones": {PHONE: "primary"},
        "subscriptions": {"email": "subscribed"},
    }


def test_example_5_device_based_consolidation_across_days(project):
    shop = project()
    shop.website.subscribe(day=1, device_id=DEVICE, subscriptions=[WEB_PUSH])
    ivan = shop.website.subscribe(day=2, device_id=DEVICE, email=IVAN, subscriptions=[NEWS]).id
    assert shop.listed() == {ivan}
    assert shop.profile(ivan) == {
        "emails": {IVAN: "primary"},
        "devices": [DEVICE],
        "subscriptions": {"web_push": "subscribed", "email": "subscribed"},
    }


# --- privacy ---


def test_privacy_an_opt_out_is_honoured_across_the_whole_profile(project):
    shop = project()
    one, two = shop.two(
        {"email": ANN, "subscriptions": [NEWS]},
        {"mobile_phone": PHONE, "subscriptions": [subscription("sms")]},
    )
    shop.match(one, two)
    assert shop.website.post(f"customers/{two}/opt_out/", {}).status == 200
    assert unsubscribed(shop.profile(one), "email", "sms")


def test_privacy_a_deletion_is_honoured_across_every_identifier(project):
    shop = project()
    one, two = shop.two({"email": ANN, "crm_id": "1"}, {"mobile_phone": PHONE, "device_id": DEVICE})
    shop.match(one, two)
    assert shop.website.delete(f"customers/{two}/").status == 204
    known = {"email": ANN, "crm_id": "1", "mobile_phone": PHONE, "device_id": DEVICE, "maestra_id": one}
    assert {kind: shop.website.finds(**{kind: value}) for kind, value in known.items()} == dict.fromkeys(
        known
    )


def test_privacy_the_payment_card_hash_is_never_exposed(project):
    shop = project()
    ordered = shop.website.order("1", 1, {"email": ANN, "payment_card_hash": HASH})
    export = shop.website.get(f"customers/{ordered.id}/export/")
    assert export.status == 200
    assert not mentions([ordered.body, shop.everything(), export.body], HASH)
