"""Section 6 of the rulebook: what a merged profile is made of.

`shop.match` merges two stored customers without adding an action; the priority customer is then the one
with the later last activity.
"""

import pytest

from tests.scenarios.api import (
    ACCESS,
    ANN,
    BOB,
    CARD,
    CARD_2,
    CONFIRM,
    DEVICE,
    DEVICE_2,
    EVE,
    HASH,
    PHONE,
    PHONE_2,
    at,
    mentions,
    moment,
    primary,
    segment,
    subscription,
    unsubscribed,
)

NAMES = {
    "last_name": "Smith",
    "first_name": "Ann",
    "middle_name": "B.",
    "birth_date": "1990-01-31",
    "gender": "female",
}
FIELDS = pytest.mark.parametrize("field", list(NAMES))


def merged(shop, first, second):
    """The profile of two merged customers; the second has priority by its later action."""
    one, two = shop.two({"email": ANN, **first}, {"mobile_phone": PHONE, **second})
    assert shop.match(one, two).merged == [two]
    return shop.customer(one)


# --- MaestraID and registration ---


@pytest.mark.parametrize("first_has_priority", [True, False])
def test_the_lower_maestra_id_stays_primary_whatever_the_priority(project, first_has_priority):
    """R33: also where the other is the one edited."""
    shop = project()
    one = shop.website.register(day=9 if first_has_priority else 1, email=ANN).id
    two = shop.website.register(day=5, mobile_phone=PHONE).id
    assert (shop.match(two, one).id, shop.customer(two)["maestra_id"]) == (one, one)


def test_an_identified_customers_maestra_id_goes_before_an_anonymous_ones(project):
    """R33: though the anonymous one is lower."""
    shop = project()
    visitor = shop.website.upsert(day=1, device_id=DEVICE).id
    ann = shop.website.register(day=2, email=ANN).id
    assert ann > visitor
    signed_in = shop.website.authorize({"email": ANN}, DEVICE)
    assert (signed_in.id, signed_in.merged, signed_in.customer["former_maestra_ids"]) == (
        ann,
        [visitor],
        [visitor],
    )


def test_of_two_anonymous_customers_the_lower_stays(project):
    """R33: nobody is identified."""
    shop = project()
    one = shop.website.upsert(day=1, device_id=DEVICE).id
    two = shop.app.upsert(day=2, mobile_device_id="m").id
    assert shop.website.edit({"device_id": DEVICE}, mobile_device_id="m").merged == [two]
    assert shop.customer(two)["maestra_id"] == one


def test_in_a_merge_by_api_the_named_one_stays(project):
    """R33, R28: the higher one."""
    shop = project()
    one, two = shop.two({"email": ANN}, {"mobile_phone": PHONE})
    assert shop.website.merge(one, resulting=two).customer["former_maestra_ids"] == [one]


@pytest.mark.parametrize(("first", "second"), [(1, 5), (5, 1)])
def test_the_registration_date_is_the_earlier(project, first, second):
    """R33: whoever stays."""
    found = merged(project(), {"day": first}, {"day": second})["registered_at"]
    assert moment(found) == moment(at(1))


# --- personal data ---


@FIELDS
def test_personal_data_are_the_priority_customers_whole_set(project, field):
    """R34: one field of theirs, and all the other's five are gone."""
    other = {**NAMES, "first_name": "Other", "gender": "other"}
    body = merged(project(), other, {field: NAMES[field]})
    assert {key: value for key, value in body["personal"].items() if value} == {field: NAMES[field]}


def test_where_the_priority_customer_has_none_the_others_whole_set_is_taken(project):
    """R34: only then."""
    body = merged(project(), NAMES, {"time_zone": "Asia/Tokyo"})
    assert (body["personal"], body["time_zone"]) == (NAMES, "Asia/Tokyo")


@pytest.mark.parametrize(
    ("first", "second", "result"),
    [
        ("Europe/Berlin", "Asia/Tokyo", "Asia/Tokyo"),
        ("Europe/Berlin", None, "Europe/Berlin"),
        (None, "Asia/Tokyo", "Asia/Tokyo"),
    ],
)
def test_the_time_zone_is_the_priority_customers_else_the_others(project, first, second, result):
    """R34: on its own, not with the set."""
    zones = [{"time_zone": zone} if zone else {} for zone in (first, second)]
    body = merged(project(), {**zones[0], "first_name": "Ann"}, {**zones[1], "first_name": "Bob"})
    assert (body["time_zone"], body["personal"]["first_name"]) == (result, "Bob")


# --- custom fields ---


@pytest.mark.parametrize(
    ("first", "second", "result"),
    [
        ({"city": "Rome"}, {"city": "Oslo"}, {"city": "Oslo"}),
        ({"city": "Rome", "colour": "red"}, {"city": "Oslo"}, {"city": "Oslo", "colour": "red"}),
        ({"city": "Rome"}, {}, {"city": "Rome"}),
        ({"shoe_size": 45}, {"shoe_size": 38}, {"shoe_size": 45}),
        ({"shoe_size": 38}, {"shoe_size": 45}, {"shoe_size": 45}),
        ({"shoe_size": 100}, {"shoe_size": 9}, {"shoe_size": 100}),
        ({}, {"shoe_size": 38}, {"shoe_size": 38}),
    ],
)
def test_custom_fields(project, first, second, result):
    """R35: the priority customer's, gaps filled by the other's; the larger where the field says so."""
    body = merged(project(), {"custom_fields": first}, {"custom_fields": second})
    assert {key: value for key, value in body["custom_fields"].items() if value is not None} == result


# --- identifiers ---


def test_unique_identifiers_follow_priority_and_go_to_history(project):
    """R36, R3: of each kind."""
    body = merged(project(), {"crm_id": "1", "website_id": "a"}, {"crm_id": "2"})
    assert (body["ids"]["crm_id"], body["ids"]["website_id"], body["former_ids"]["crm_id"]) == (
        "2",
        "a",
        ["1"],
    )


def test_former_ids_of_both_stay_former(project):
    """R36, R2: all of them find the profile."""
    shop = project()
    one, two = shop.two({"email": ANN, "crm_id": "1"}, {"mobile_phone": PHONE, "crm_id": "3"})
    shop.crm_import.edit(one, crm_id="2")
    shop.crm_import.edit(two, crm_id="4")
    shop.match(one, two)
    assert shop.profile(one)["former_ids"] == {"crm_id": ["1", "2", "3"]}
    assert [shop.website.finds(crm_id=str(n)) for n in (1, 2, 3, 4)] == [one] * 4


def test_all_identifiers_of_both_are_held(project):
    """R36: with one primary of each type, the priority customer's."""
    shop = project()
    one, two = shop.two(
        {
            "email": [ANN, BOB],
            "mobile_phone": PHONE,
            "discount_card": CARD,
            "device_id": DEVICE,
            "mobile_device_id": "m-1",
            "session_key": ["s-1"],
        },
        {
            "email": EVE,
            "mobile_phone": PHONE_2,
            "discount_card": CARD_2,
            "device_id": DEVICE_2,
            "mobile_device_id": "m-2",
            "session_key": ["s-2"],
        },
    )
    shop.website.merge(one, two, resulting=two)
    body = shop.profile(two)
    assert {**body, "ids": {"session_key": sorted(body["ids"]["session_key"])}} == {
        "former": [one],
        "ids": {"session_key": ["s-1", "s-2"]},
        "emails": {ANN: "", BOB: "", EVE: "primary"},
        "mobile_phones": {PHONE: "", PHONE_2: "primary"},
        "discount_cards": {CARD: "", CARD_2: ""},
        "devices": sorted([DEVICE, DEVICE_2]),
        "mobile_devices": ["m-1", "m-2"],
    }


def test_flags_and_confirmations_are_kept(project):
    """R36: of each contact, on either side."""
    shop = project(pos={"mobile_phone": ACCESS}, app={"email": CONFIRM})
    one = shop.pos.register(day=1, mobile_phone=PHONE).id
    two = shop.app.register(day=2, email={"value": ANN, "is_confirmed": True}).id
    shop.match(one, two)
    body = shop.profile(one)
    assert (body["mobile_phones"], body["emails"]) == ({PHONE: "primary access"}, {ANN: "primary confirmed"})


def test_payment_card_hashes_of_both_are_kept(project):
    """R36: each still joins."""
    shop = project()
    hashes = [HASH, HASH[::-1]]
    one = shop.website.order("1", 1, {"email": ANN, "payment_card_hash": hashes[0]}).id
    two = shop.website.order("2", 2, {"mobile_phone": PHONE, "payment_card_hash": hashes[1]}).id
    shop.match(one, two)
    found = [
        shop.website.order(str(n), n, {"crm_id": str(n), "payment_card_hash": h}).id
        for n, h in enumerate(hashes, 3)
    ]
    assert found == [one, one]


def test_without_a_value_of_the_priority_customer_the_others_primary_stays_primary(project):
    """R36, R7: exactly one."""
    body = merged(project(), {"email": [ANN, BOB]}, {})
    assert primary(body["emails"]) == [ANN]


def test_claims_of_both_are_kept_less_what_is_now_held(project):
    """R36: what the profile holds it need not claim."""
    shop = project(app={"mobile_phone": CONFIRM})
    one = shop.website.order("1", 1, {"email": ANN, "mobile_phone": PHONE}).id
    shop.website.order("2", 1, {"email": EVE, "mobile_phone": PHONE_2})
    two = shop.app.register(day=2, email=BOB, mobile_phone=[PHONE, PHONE_2]).id
    assert shop.profile(two)["claims"] == {"mobile_phone": [PHONE, PHONE_2]}
    shop.website.merge(one, two, resulting=one)
    body = shop.profile(one)
    assert (body["claims"], set(body["mobile_phones"])) == ({"mobile_phone": [PHONE_2]}, {PHONE})


# --- subscriptions ---

ORDER = ("subscribed", "awaiting_confirmation", "unsubscribed")


@pytest.mark.parametrize("first", ORDER)
@pytest.mark.parametrize("second", ORDER)
def test_subscriptions(project, first, second):
    """R37: subscribed beats awaiting confirmation beats unsubscribed, whatever the priority and the dates."""
    subscribed = [{"subscriptions": [subscription("email", status)]} for status in (first, second)]
    body = merged(project(), *subscribed)
    assert [s["status"] for s in body["subscriptions"]] == [min(first, second, key=ORDER.index)]


def test_subscriptions_are_compared_per_channel_and_topic(project):
    """R37: no topic is a key of its own."""
    shop = project()
    one, two = shop.two(
        {"email": ANN, "subscriptions": [subscription("email"), subscription("sms", "unsubscribed", "sale")]},
        {
            "mobile_phone": PHONE,
            "subscriptions": [
                subscription("email", "unsubscribed", "news"),
                subscription("sms", topic="sale"),
                subscription("sms", "unsubscribed", "news"),
            ],
        },
    )
    shop.match(one, two)
    assert shop.profile(one)["subscriptions"] == {
        "email": "subscribed",
        "email/news": "unsubscribed",
        "sms/sale": "subscribed",
        "sms/news": "unsubscribed",
    }


@pytest.mark.parametrize("opted_out", ["first", "second"])
def test_an_opt_out_beats_every_status_of_a_merge(project, opted_out):
    """R37, R53: on either side."""
    shop = project()
    one, two = shop.two(
        {"email": ANN, "subscriptions": [subscription("email")]},
        {"mobile_phone": PHONE, "subscriptions": [subscription("email"), subscription("sms")]},
    )
    shop.website.post(f"customers/{one if opted_out == 'first' else two}/opt_out/", {})
    shop.match(one, two)
    assert unsubscribed(shop.profile(one), "email", "sms")


def test_after_an_opt_out_the_person_may_subscribe_anew(project):
    """R37: until then."""
    shop = project()
    one = shop.website.subscribe(
        day=1, email=ANN, subscriptions=[subscription("email"), subscription("sms")]
    ).id
    shop.website.post(f"customers/{one}/opt_out/", {})
    shop.website.subscribe(maestra_id=one, subscriptions=[subscription("email")])
    found = shop.profile(one)["subscriptions"]
    assert (found["email"], found["sms"]) == ("subscribed", "unsubscribed")


# --- segments ---


@pytest.mark.parametrize(
    ("first", "second", "result"),
    [
        (("level_1", 5), ("level_2", 3), ("level_1", 5)),
        (("level_1", 3), ("level_2", 5), ("level_2", 5)),
        (("level_2", 4), ("level_1", 4), ("level_2", 4)),
        (("level_1", 4), ("level_2", 4), ("level_2", 4)),
        (("level_1", 3), ("level_1", 5), ("level_1", 5)),
        (("level_1", 5), ("level_1", 3), ("level_1", 5)),
        (("level_2", 3), None, ("level_2", 3)),
        (None, ("level_2", 3), ("level_2", 3)),
    ],
)
def test_segments_of_one_segmentation(project, first, second, result):
    """R38: the later date, on a tie the higher segment ID; one side alone is kept."""
    sides = [{"segments": [segment("loyalty", s[0], at(s[1]))]} if s else {} for s in (first, second)]
    (found,) = merged(project(), *sides)["segments"]
    assert (found["segment"], moment(found["since"])) == (result[0], moment(at(result[1])))


def test_segmentations_are_compared_one_by_one(project):
    """R38: segmentations only one side has are kept."""
    shop = project()
    one, two = shop.two(
        {"email": ANN, "segments": [segment("loyalty", "level_1", at(9)), segment("opens", "never", at(1))]},
        {
            "mobile_phone": PHONE,
            "segments": [segment("loyalty", "level_2", at(3)), segment("bread", "buys_bread")],
        },
    )
    shop.match(one, two)
    assert shop.profile(one)["segments"] == {"loyalty": "level_1", "opens": "never", "bread": "buys_bread"}


def test_the_date_of_a_membership_is_its_since_else_the_records_time(project):
    """R38: so is a subscription's."""
    shop = project()
    one = shop.website.register(
        day=4,
        email=ANN,
        segments=[segment("loyalty", "level_1", at(2)), segment("opens", "never")],
        subscriptions=[subscription("email"), subscription("sms", since=at(3))],
    )
    since = {s["segmentation"]: moment(s["since"]) for s in one.customer["segments"]}
    since |= {s["channel"]: moment(s["since"]) for s in one.customer["subscriptions"]}
    days = {"loyalty": 2, "opens": 4, "email": 4, "sms": 3}
    assert since == {name: moment(at(day)) for name, day in days.items()}


# --- ledgers and history ---


def test_orders_points_and_promo_codes_of_both_add_up(project):
    """R39: all of both."""
    shop = project()
    one = shop.website.order("1", 1, {"email": ANN}, total="59.90").id
    two = shop.website.order("2", 2, {"mobile_phone": PHONE}, total="40.10").id
    for number, (maestra_id, amount) in enumerate([(one, 100), (two, 50), (two, -20)]):
        shop.website.points(maestra_id, amount, f"p-{number}")
    shop.website.promo_code(one, "A")
    shop.website.promo_code(two, "B")
    shop.match(one, two)
    facts = shop.customer(one)["facts"]
    assert (
        facts["orders_count"],
        float(facts["orders_total"]),
        float(facts["points_balance"]),
        facts["promo_codes_count"],
        moment(facts["last_activity_at"]) >= moment(at(2)),
    ) == (2, 100.0, 130.0, 2, True)
    assert {o["number"] for o in shop.pages(f"customers/{two}/orders/")} == {"1", "2"}


def test_histories_are_interleaved_as_they_were_told_under_the_maestra_id_each_happened_to(project):
    """R40: all of both."""
    shop = project()
    one, two = shop.two({"email": ANN}, {"mobile_phone": PHONE})
    for day, maestra_id in [(3, two), (4, one), (5, two)]:
        shop.website.edit(maestra_id, day=day, custom_fields={"shoe_size": day})
    before = {n: len(shop.history(n)) for n in (one, two)}
    shop.match(one, two)
    fields = [e["maestra_id"] for e in shop.history(one, "custom_fields")]
    assert fields[:3] == [two, one, two]
    times = [moment(e["at"]) for e in shop.pages(f"customers/{one}/history/")]
    assert times == sorted(times, reverse=True)
    assert len(shop.history(one)) >= sum(before.values())
    assert shop.history(two) == shop.history(one)


# --- the reason ---


def test_reason_matched_exactly(project):
    """R41: a contact or ID; with the values that matched, what decided, and who caused it."""
    shop = project()
    one, two = shop.two({"email": ANN}, {"mobile_phone": PHONE})
    shop.website.edit(two, day=3, email=ANN)
    (entry,) = shop.history(one, "merged")
    assert (entry["reason"], entry["related_maestra_id"]) == ("matched_exactly", two)
    assert (mentions(entry, ANN), mentions(entry, "last_activity")) == (True, True)
    assert entry["integration_point"]
    assert entry["operation_id"]


@pytest.mark.parametrize(
    ("beside", "reason"), [({}, "same_device"), ({"session_key": "s"}, "matched_exactly")]
)
def test_reason_same_device_is_for_devices_alone(project, beside, reason):
    """R41: an ID that matched too makes it an exact match."""
    shop = project()
    one = shop.website.register(day=1, email=ANN, device_id=DEVICE, mobile_device_id="m", **beside).id
    shop.website.register(day=2, mobile_phone=PHONE, device_id=DEVICE, mobile_device_id="m", **beside)
    assert shop.reasons(one) == [reason]


def test_reason_payment_card(project):
    """R41, R10: without the hash among the values."""
    shop = project()
    one = shop.website.order("1", 1, {"email": ANN, "payment_card_hash": HASH}).id
    shop.website.order("2", 2, {"mobile_phone": PHONE, "payment_card_hash": HASH})
    (entry,) = shop.history(one, "joined")
    assert (entry["reason"], mentions(entry, HASH)) == ("payment_card", False)


def test_reason_api(project):
    """R41: with the named priority."""
    shop = project()
    one, two = shop.two({"email": ANN}, {"mobile_phone": PHONE})
    shop.website.merge(one, resulting=two)
    (entry,) = shop.history(two, "merged")
    assert (entry["reason"], entry["related_maestra_id"]) == ("api", one)


def test_reason_both_confirmed(project):
    """R41, R25: for a merge of stored customers."""
    shop = project(app={"mobile_phone": CONFIRM})
    one = shop.app.register(day=1, email=ANN, mobile_phone={"value": PHONE, "is_confirmed": True}).id
    two = shop.app.register(day=2, email=BOB, mobile_phone=PHONE).id
    shop.app.confirm(two, 3, mobile_phone=PHONE)
    (entry,) = shop.history(one, "merged")
    assert entry["reason"] == "both_confirmed"
