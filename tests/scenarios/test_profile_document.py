"""How a unified customer profile is built: every example and table of that document, in its order."""

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
    HASH,
    NO_MERGE,
    PHONE,
    PHONE_2,
    at,
    happened,
    mentions,
    moment,
    names_in,
    primary,
    segment,
    subscription,
)

PAUL, LINDA, EVAN, SCOTT = (
    "paul.peterson@example.com",
    "linda.peterson@example.com",
    "evan@example.com",
    "scott@example.com",
)
PAULS_PHONE = "+14155550122"
NEWS = subscription("email", topic="news")
WEB_PUSH = subscription("web_push")


def paul_after_his_first_order(shop):
    """The end of example 1.1, from which 1.2 to 1.4 go on."""
    paul = shop.landing.subscribe(day=1, email=PAUL, device_id="home", subscriptions=[NEWS]).id
    customer = {
        "first_name": "Paul",
        "last_name": "Peterson",
        "mobile_phone": "(415) 555-0122",
        "website_id": 535,
        "device_id": "home",
    }
    shop.website.order("1001", 2, customer)
    return paul


# --- the five principles ---


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("email", ANN),
        ("mobile_phone", PHONE),
        ("discount_card", CARD),
        ("crm_id", "301"),
        ("session_key", "s-1"),
    ],
)
def test_principle_unique_contact_rule(project, kind, value):
    shop = project(kinds={"crm_id": NO_MERGE})
    own = "email" if kind != "email" else "mobile_phone"
    mine, yours = (PHONE_2, "+14155550109") if own == "mobile_phone" else (BOB, "carl@example.com")
    first = shop.website.register(day=1, **{kind: value, own: mine}).id
    second = shop.website.register(day=2, **{own: yours}).id
    if kind == "crm_id":
        with shop.refuses("ambiguous_customer"):
            shop.website.edit(second, crm_id=value)
    else:
        shop.website.edit(second, day=3, **{kind: value})
    holders = [n for n in (first, second) if mentions(shop.profile(n), f'"{value}"')]
    assert len(holders) == 1


def test_principle_match_and_verify(project):
    shop = project()
    first = shop.website.register(day=1, email=ANN)
    second = shop.website.register(day=2, email=ANN, mobile_phone=PHONE)
    assert (second.status, second.id) == ("joined", first.id)
    assert shop.profile(first.id) == {"emails": {ANN: "primary"}, "mobile_phones": {PHONE: "primary"}}


def test_two_contacts_do_not_merge_if_the_email_matches_but_the_phones_differ(project):
    shop = project()
    first, second = shop.two(
        {"email": ANN, "mobile_phone": PHONE},
        {"email": ANN, "mobile_phone": PHONE_2},
    )
    assert first != second
    assert shop.website.vetoes(first, second) == ["different_phones"]


def test_principle_priority_model(project):
    shop = project()
    buyer = shop.website.order("1", 1, {"email": ANN, "mobile_phone": PHONE}).id
    visitor = shop.website.register(day=2, email=BOB, mobile_phone=PHONE)
    assert visitor.settled == [("mobile_phone", buyer, visitor.id, "orders")]


def test_principle_history_preservation(project):
    shop = project()
    one, two = shop.two({"crm_id": "301", "email": ANN}, {"crm_id": "103", "mobile_phone": PHONE})
    shop.match(one, two)
    found = [
        shop.website.finds(**{k: v}) for k, v in [("maestra_id", two), ("crm_id", "301"), ("crm_id", "103")]
    ]
    assert found == [one, one, one]


@pytest.mark.parametrize("point", ["website", "landing", "app", "pos", "call_centre", "crm_import", "admin"])
def test_principle_always_on_engine(project, point):
    shop = project()
    first = shop.api(point).register(day=1, email=ANN)
    assert shop.api(point).register(day=2, email=ANN).id == first.id


# --- examples 1 and 2 of the introduction ---


def test_example_1_web_push_then_newsletter_in_one_browser(project):
    shop = project()
    visitor = shop.website.subscribe(day=1, device_id=DEVICE, subscriptions=[WEB_PUSH])
    reader = shop.website.subscribe(day=2, device_id=DEVICE, email=ANN, subscriptions=[NEWS])
    assert (visitor.status, reader.status, reader.id) == ("created", "joined", visitor.id)
    assert shop.profile(reader.id) == {
        "emails": {ANN: "primary"},
        "devices": [DEVICE],
        "subscriptions": {"web_push": "subscribed", "email/news": "subscribed"},
    }
    assert shop.reasons(reader.id) == ["same_device"]


def test_example_2_newsletter_at_work_then_one_click_order_from_a_phone(project):
    shop = project()
    reader = shop.landing.subscribe(day=1, email=ANN, device_id="work", subscriptions=[NEWS])
    customer = {"email": ANN, "mobile_phone": PHONE, "first_name": "Ann", "device_id": "phone-browser"}
    buyer = shop.website.order("1", 2, customer)
    assert (buyer.status, buyer.id, buyer.status_code) == ("joined", reader.id, 201)
    assert shop.profile(reader.id) == {
        "emails": {ANN: "primary"},
        "mobile_phones": {PHONE: "primary"},
        "devices": ["phone-browser", "work"],
        "personal": {"first_name": "Ann"},
        "subscriptions": {"email/news": "subscribed"},
        "orders": 1,
    }


# --- the table of priority criteria, one test a line; the rival is stronger by every later criterion ---


def test_criterion_1_the_contact_gives_account_access(project):
    shop = project(pos={"mobile_phone": ACCESS})
    owner = shop.pos.register(day=1, email=ANN, mobile_phone=PHONE).id
    rival = shop.website.order("1", 5, {"email": BOB, "mobile_phone": PHONE})
    assert rival.settled == [("mobile_phone", owner, rival.id, "access_by_this_contact")]


def test_criterion_2_the_contact_is_confirmed(project):
    shop = project(app={"mobile_phone": CONFIRM}, landing={"email": ACCESS})
    owner = shop.app.register(day=1, email=ANN, mobile_phone={"value": PHONE, "is_confirmed": True}).id
    rival = shop.landing.order("1", 5, {"email": BOB, "mobile_phone": PHONE})
    assert rival.settled == [("mobile_phone", owner, rival.id, "this_contact_confirmed")]


@pytest.mark.parametrize("flagged", ["email", "discount_card"])
def test_criterion_3_any_contact_or_card_gives_account_access(project, flagged):
    shop = project(landing={flagged: ACCESS})
    owner = shop.landing.register(day=1, email=ANN, mobile_phone=PHONE, discount_card=CARD).id
    rival = shop.website.order("1", 5, {"email": BOB, "mobile_phone": PHONE})
    assert rival.settled == [("mobile_phone", owner, rival.id, "any_account_access")]


@pytest.mark.parametrize("what", ["order", "promo code", "points"])
def test_criterion_4_orders_promo_codes_or_points(project, what):
    shop = project(app={"email": CONFIRM})
    owner = shop.website.register(day=1, email=ANN, mobile_phone=PHONE).id
    if what == "order":
        shop.website.order("1", 1, {"maestra_id": owner})
    elif what == "promo code":
        shop.website.promo_code(owner, "WELCOME")
    else:
        shop.website.points(owner, 10, "p-1")
    rival = shop.app.register(day=5, email={"value": BOB, "is_confirmed": True}, mobile_phone=PHONE)
    assert rival.settled == [("mobile_phone", owner, rival.id, "orders")]


def test_criterion_5_any_confirmed_contact(project):
    shop = project(app={"email": CONFIRM})
    owner = shop.app.register(day=1, email={"value": ANN, "is_confirmed": True}, mobile_phone=PHONE).id
    rival = shop.website.register(day=5, email=BOB, mobile_phone=PHONE)
    assert rival.settled == [("mobile_phone", owner, rival.id, "any_confirmed_contact")]


@pytest.mark.parametrize(("first_day", "second_day", "first_keeps"), [(5, 3, True), (3, 5, False)])
def test_criterion_6_the_latest_personal_activity(project, first_day, second_day, first_keeps):
    shop = project()
    first = shop.website.register(day=first_day, email=ANN, mobile_phone=PHONE).id
    second = shop.website.register(day=second_day, email=BOB, mobile_phone=PHONE)
    keeps, loses = (first, second.id) if first_keeps else (second.id, first)
    assert second.settled == [("mobile_phone", keeps, loses, "last_activity")]


@pytest.mark.parametrize(("first_day", "second_day", "first_keeps"), [(5, 3, True), (3, 5, False)])
def test_criterion_6_the_latest_registration(project, first_day, second_day, first_keeps):
    shop = project()
    first = shop.crm_import.register(day=first_day, email=ANN, mobile_phone=PHONE).id
    second = shop.crm_import.register(day=second_day, email=BOB, mobile_phone=PHONE)
    keeps, loses = (first, second.id) if first_keeps else (second.id, first)
    assert second.settled == [("mobile_phone", keeps, loses, "last_activity")]


def test_if_all_criteria_tie_the_customer_of_longer_standing_keeps_the_contact(project):
    shop = project()
    first = shop.crm_import.register(day=1, email=ANN, mobile_phone=PHONE).id
    second = shop.crm_import.register(day=1, email=BOB, mobile_phone=PHONE)
    assert second.settled == [("mobile_phone", first, second.id, "lower_maestra_id")]


def test_example_a_which_record_keeps_the_phone(project):
    shop = project(pos={"mobile_phone": ACCESS})
    customer_1 = shop.pos.register(day=1, mobile_phone=PHONE, email=ANN).id
    customer_2 = shop.crm_import.upsert(day=2, crm_id="2", mobile_phone=PHONE, email=BOB)
    assert (customer_2.status, customer_2.status_code) == ("created", 201)
    assert customer_2.settled == [("mobile_phone", customer_1, customer_2.id, "access_by_this_contact")]
    assert shop.profile(customer_1) == {
        "emails": {ANN: "primary"},
        "mobile_phones": {PHONE: "primary access"},
    }
    assert shop.profile(customer_2.id) == {
        "emails": {BOB: "primary"},
        "ids": {"crm_id": "2"},
        "notes": [customer_1],
    }


@pytest.mark.parametrize(("first_day", "second_day"), [(3, 5), (5, 3)])
def test_example_b_orders_tie_so_the_latest_activity_decides(project, first_day, second_day):
    shop = project()
    first = shop.website.order("1", first_day, {"email": ANN, "mobile_phone": PHONE}).id
    second = shop.website.order("2", second_day, {"email": BOB, "mobile_phone": PHONE})
    keeps, loses = (first, second.id) if first_day > second_day else (second.id, first)
    assert second.settled == [("mobile_phone", keeps, loses, "last_activity")]
    assert shop.website.finds(mobile_phone=PHONE) == keeps


# --- the table of identifiers ---


@pytest.mark.parametrize("kind", ["mobile_phone", "email", "discount_card"])
def test_identifiers_table_contacts_may_give_access_and_may_move(project, kind):
    values = {"mobile_phone": PHONE, "email": ANN, "discount_card": CARD}
    veto = "email" if kind != "email" else "mobile_phone"
    others = (BOB, "eve@example.com") if veto == "email" else (PHONE, PHONE_2)
    shop = project(pos={kind: ACCESS})
    first = shop.website.register(day=1, **{kind: values[kind], veto: others[0]}).id
    second = shop.pos.register(day=2, **{kind: values[kind], veto: others[1]})
    assert second.settled == [(kind, second.id, first, "access_by_this_contact")]
    assert shop.website.finds(**{kind: values[kind]}) == second.id


@pytest.mark.parametrize("kind", ["session_key", "device_id", "mobile_device_id"])
def test_identifiers_table_ids_and_devices_move_to_the_newest_customer(project, kind):
    shop = project()
    first = shop.website.register(day=1, email=ANN, **{kind: "x-1"}).id
    second = shop.website.register(day=2, email=BOB, **{kind: "x-1"})
    assert second.moved == [(kind, "x-1", first, second.id)]


def test_identifiers_table_only_maestra_ids_and_unique_ids_are_kept_in_history(project):
    shop = project()
    one, two = shop.two(
        {"crm_id": "301", "session_key": "s-1", "email": ANN},
        {"crm_id": "103", "mobile_phone": PHONE},
    )
    shop.match(one, two)
    shop.website.register(day=9, email=BOB, session_key="s-1")
    assert shop.profile(one) == {
        "former": [two],
        "ids": {"crm_id": "103"},
        "former_ids": {"crm_id": ["301"]},
        "emails": {ANN: "primary"},
        "mobile_phones": {PHONE: "primary"},
    }


def test_identifiers_table_a_payment_card_hash_joins_what_does_not_conflict(project):
    shop = project()
    first = shop.website.order("1", 1, {"email": ANN, "payment_card_hash": HASH})
    joined = shop.website.order("2", 2, {"mobile_phone": PHONE, "payment_card_hash": HASH})
    apart = shop.website.order("3", 3, {"email": BOB, "payment_card_hash": HASH})
    assert (joined.id, joined.status, apart.status) == (first.id, "joined", "created")


# --- examples 1.1 to 5 ---


def test_example_1_1_landing_page_then_site_registration(project):
    shop = project()
    paul = paul_after_his_first_order(shop)
    shop.website.authorize({"website_id": 535}, "work")
    assert shop.profile(paul) == {
        "ids": {"website_id": "535"},
        "emails": {PAUL: "primary"},
        "mobile_phones": {PAULS_PHONE: "primary"},
        "devices": ["home", "work"],
        "personal": {"first_name": "Paul", "last_name": "Peterson"},
        "subscriptions": {"email/news": "subscribed"},
        "orders": 1,
    }
    assert shop.reasons(paul) == ["same_device"]
    assert shop.listed() == {paul}


def test_example_1_2_linda_in_the_same_browser(project):
    shop = project()
    paul = paul_after_his_first_order(shop)
    assert shop.website.upsert(day=3, device_id="home").id == paul  # she browses, still taken for Paul
    customer = {"email": LINDA, "first_name": "Linda", "website_id": 536, "device_id": "home"}
    linda = shop.website.order("1002", 4, customer)
    assert linda.status == "created"
    assert linda.moved == [("device_id", "home", paul, linda.id)]
    assert shop.website.upsert(day=5, device_id="home").id == linda.id
    back = shop.website.authorize({"website_id": 535}, "home")
    assert back.moved == [("device_id", "home", linda.id, paul)]
    assert shop.website.upsert(day=6, device_id="home").id == paul
    assert shop.profile(linda.id) == {
        "ids": {"website_id": "536"},
        "emails": {LINDA: "primary"},
        "personal": {"first_name": "Linda"},
        "orders": 1,
    }


def test_example_1_2_without_a_contact_of_her_own_linda_is_taken_for_paul(project):
    shop = project()
    paul = paul_after_his_first_order(shop)
    taken = shop.website.order("1002", 4, {"first_name": "Linda", "device_id": "home"})
    assert (taken.id, taken.status_code) == (paul, 201)


def test_example_1_3_evan_mistypes_pauls_phone(project):
    shop = project()
    paul = paul_after_his_first_order(shop)
    evan = shop.website.register(day=9, email=EVAN, mobile_phone="(415) 555-0122", device_id="evans")
    assert evan.status == "created"
    assert evan.settled == [("mobile_phone", paul, evan.id, "orders")]
    assert shop.profile(evan.id) == {"emails": {EVAN: "primary"}, "devices": ["evans"], "notes": [paul]}
    assert shop.profile(paul)["mobile_phones"] == {PAULS_PHONE: "primary"}


def test_example_1_4_order_by_the_call_centre(project):
    shop = project(crm_import={"lookup_by": ["maestra_id", "mobile_phone"]})
    paul = paul_after_his_first_order(shop)
    imported = shop.crm_import.order("cc-1", 7, {"mobile_phone": "+1 415 555 0122"})
    assert (imported.id, imported.status_code) == (paul, 201)
    assert shop.profile(paul)["orders"] == 2
    assert shop.listed() == {paul}


def test_example_2_unified_browsing_history_across_devices(project):
    """The personal link acts as authorize for Linda on the phone's browser."""
    shop = project()
    linda = shop.landing.subscribe(day=1, email=LINDA, device_id="desktop", subscriptions=[NEWS]).id
    shop.website.upsert(
        day=2, device_id="phone-browser", subscriptions=[WEB_PUSH]
    )  # she has browsed there before
    opened = shop.website.authorize({"email": LINDA}, "phone-browser")
    assert opened.id == linda
    assert shop.profile(linda)["devices"] == ["desktop", "phone-browser"]
    assert shop.website.upsert(day=3, device_id="phone-browser").id == linda
    assert shop.website.upsert(day=3, device_id="desktop").id == linda


def test_example_3_merge_after_editing_data(project):
    shop = project()
    desktop = shop.landing.subscribe(day=1, email=SCOTT, device_id="desktop", subscriptions=[NEWS]).id
    mobile = shop.website.order("1", 2, {"mobile_phone": PHONE, "device_id": "phone-browser"})
    assert mobile.status == "created"
    edited = shop.website.edit({"mobile_phone": PHONE}, day=3, email=SCOTT)
    assert (edited.status, edited.id, edited.merged) == ("changed", desktop, [mobile.id])
    assert len(edited.merge_ids) == 1
    assert shop.profile(desktop) == {
        "former": [mobile.id],
        "emails": {SCOTT: "primary"},
        "mobile_phones": {PHONE: "primary"},
        "devices": ["desktop", "phone-browser"],
        "subscriptions": {"email/news": "subscribed"},
        "orders": 1,
    }
    assert shop.reasons(desktop) == ["matched_exactly"]


def test_example_4_phone_removed_from_one_customer_due_to_a_conflict(project):
    shop = project()
    paul = shop.website.register(day=1, email=PAUL, device_id=DEVICE).id
    evan = shop.landing.subscribe(day=2, email=EVAN, device_id=DEVICE, subscriptions=[NEWS]).id
    call_back = shop.website.register(day=3, mobile_phone=PHONE, device_id=DEVICE)
    assert (call_back.status, call_back.id) == ("joined", evan)  # the device is Evan's by now, not Paul's
    imported = shop.crm_import.upsert(day=4, crm_id="77", email="other@example.com", mobile_phone=PHONE)
    assert imported.settled == [("mobile_phone", evan, imported.id, "last_activity")]
    assert shop.profile(imported.id) == {
        "ids": {"crm_id": "77"},
        "emails": {"other@example.com": "primary"},
        "notes": [evan],
    }
    assert shop.profile(evan)["mobile_phones"] == {PHONE: "primary"}
    assert shop.profile(paul) == {"emails": {PAUL: "primary"}}
    assert [e["related_maestra_id"] for e in shop.history(imported.id, "contact_lost")] == [evan]
    assert imported.id in [e["related_maestra_id"] for e in shop.history(evan)]


def test_example_4_the_phone_moves_to_the_active_customer(project):
    """The import came first: Evan, who is active, takes the phone from the imported customer."""
    shop = project()
    imported = shop.crm_import.upsert(day=1, crm_id="77", email="other@example.com", mobile_phone=PHONE).id
    evan = shop.website.register(day=2, email=EVAN, mobile_phone=PHONE, device_id=DEVICE)
    assert evan.settled == [("mobile_phone", evan.id, imported, "last_activity")]
    assert shop.profile(imported) == {
        "ids": {"crm_id": "77"},
        "emails": {"other@example.com": "primary"},
        "notes": [evan.id],
    }
    assert [e["related_maestra_id"] for e in shop.history(imported, "contact_lost")] == [evan.id]
    assert [e["related_maestra_id"] for e in shop.history(evan.id, "contact_received")] == [imported]


def test_example_5_merge_by_device_id(project):
    shop = project()
    first = shop.website.subscribe(day=1, device_id=DEVICE, subscriptions=[WEB_PUSH])
    second = shop.website.subscribe(day=2, device_id=DEVICE, email=EVAN, subscriptions=[NEWS])
    assert shop.listed() == {first.id}
    assert second.customer == shop.customer(first.id)
    assert shop.profile(first.id) == {
        "emails": {EVAN: "primary"},
        "devices": [DEVICE],
        "subscriptions": {"web_push": "subscribed", "email/news": "subscribed"},
    }


# --- why customers were merged ---


def test_merge_reason_all_data_matched(project):
    shop = project()
    shop.website.register(day=1, email=ANN, mobile_phone=PHONE, device_id=DEVICE)
    again = shop.website.register(day=2, email=ANN, mobile_phone=PHONE, device_id=DEVICE)
    assert shop.reasons(again.id) == ["matched_exactly"]


def test_merge_reason_same_device(project):
    shop = project()
    shop.website.register(day=1, device_id=DEVICE, subscriptions=[WEB_PUSH])
    later = shop.website.register(day=2, device_id=DEVICE, email=ANN)
    assert shop.reasons(later.id) == ["same_device"]


def test_merge_reason_api_with_a_named_priority(project):
    shop = project()
    one, two = shop.two({"email": ANN}, {"mobile_phone": PHONE})
    shop.website.merge(one, two, resulting=two)
    assert shop.reasons(two) == ["api"]


def test_merge_reason_both_confirmed_the_same_contact(project):
    shop = project(app={"mobile_phone": CONFIRM})
    confirmed = {"value": PHONE, "is_confirmed": True}
    first = shop.app.register(day=1, email=ANN, mobile_phone=confirmed)
    second = shop.app.register(day=2, email=BOB, mobile_phone=confirmed)
    assert (second.status, second.id) == ("joined", first.id)
    assert shop.reasons(first.id) == ["both_confirmed"]


# --- the segmentation table ---


def merged_with_segments(shop, first, second):
    one = shop.crm_import.register(day=1, email=ANN, segments=first).id
    two = shop.crm_import.register(day=2, mobile_phone=PHONE, segments=second).id
    shop.match(one, two)
    found = shop.customer(one)["segments"]
    return {s["segmentation"]: (s["segment"], moment(s["since"]).strftime("%Y-%m")) for s in found}


def test_segmentation_table(project):
    found = merged_with_segments(
        project(),
        [
            segment("mailings", "subscribed", "2021-01-01T00:00:00Z"),
            segment("bread", "buys_bread", "2020-01-01T00:00:00Z"),
            segment("loyalty", "level_1", "2021-01-01T00:00:00Z"),
        ],
        [
            segment("mailings", "subscribed", "2019-02-01T00:00:00Z"),
            segment("bread", "buys_bread", "2020-03-01T00:00:00Z"),
            segment("loyalty", "level_2", "2020-08-01T00:00:00Z"),
            segment("opens", "never", "2021-02-01T00:00:00Z"),
        ],
    )
    assert found == {
        "mailings": ("subscribed", "2021-01"),
        "bread": ("buys_bread", "2020-03"),
        "loyalty": ("level_1", "2021-01"),
        "opens": ("never", "2021-02"),
    }


@pytest.mark.parametrize(("first", "second"), [("level_1", "level_2"), ("level_2", "level_1")])
def test_segmentation_if_the_dates_tie_the_higher_segment_id_wins(project, first, second):
    found = merged_with_segments(
        project(),
        [segment("loyalty", first, "2021-01-01T00:00:00Z")],
        [segment("loyalty", second, "2021-01-01T00:00:00Z")],
    )
    assert found == {"loyalty": ("level_2", "2021-01")}


# --- deduplication settings ---


def test_settings_flags_act_on_new_contacts_and_a_reimport_changes_existing_ones(project):
    shop = project()
    old = shop.crm_import.upsert(day=1, crm_id="1", mobile_phone=PHONE).id
    shop.configure(crm_import={"mobile_phone": ACCESS})
    assert shop.profile(old)["mobile_phones"] == {PHONE: "primary"}
    new = shop.crm_import.upsert(day=2, crm_id="2", mobile_phone=PHONE_2).id
    assert shop.profile(new)["mobile_phones"] == {PHONE_2: "primary access"}
    shop.crm_import.upsert(day=3, crm_id="1", mobile_phone=PHONE)
    assert shop.profile(old)["mobile_phones"] == {PHONE: "primary access"}


def test_can_i_forbid_customer_merging(project):
    shop = project(kinds={"crm_id": NO_MERGE})
    one, two = shop.two({"crm_id": "301", "email": ANN}, {"crm_id": "103", "email": ANN})
    assert one != two
    assert shop.website.vetoes(one, two) == ["different_unique_ids"]


# --- personal data ---


def test_on_a_merge_the_whole_set_of_personal_data_comes_from_the_priority_customer(project):
    shop = project()
    one, two = shop.two(
        {
            "email": ANN,
            "first_name": "Ann",
            "last_name": "Older",
            "gender": "female",
            "time_zone": "Europe/Paris",
        },
        {"mobile_phone": PHONE, "first_name": "Anna", "time_zone": "Europe/Berlin"},
    )
    shop.match(one, two)
    body = shop.profile(one)
    assert (body["personal"], body["time_zone"]) == ({"first_name": "Anna"}, "Europe/Berlin")


def test_editing_adds_personal_data_that_does_not_conflict(project):
    shop = project()
    ann = shop.website.register(day=1, email=ANN, first_name="Ann").id
    shop.website.edit(ann, birth_date="1990-01-31", last_name="Smith")
    assert shop.profile(ann)["personal"] == {
        "first_name": "Ann",
        "last_name": "Smith",
        "birth_date": "1990-01-31",
    }


def test_editing_conflicting_personal_data_clears_the_whole_set(project):
    shop = project()
    ann = shop.website.register(
        day=1, email=ANN, first_name="Ann", last_name="Smith", birth_date="1990-01-31"
    ).id
    shop.website.edit(ann, birth_date="1991-02-01")
    assert shop.profile(ann)["personal"] == {"birth_date": "1991-02-01"}


# --- history-ID search ---


def test_history_id_search_301_and_103(project):
    shop = project()
    first = shop.website.register(day=1, crm_id=301, email=ANN)
    second = shop.website.register(day=2, crm_id=103, email=ANN)
    assert (second.status, second.id) == ("joined", first.id)
    shop.website.edit({"crm_id": 301}, day=3, mobile_phone=PHONE)
    assert shop.profile(first.id) == {
        "ids": {"crm_id": "103"},
        "former_ids": {"crm_id": ["301"]},
        "emails": {ANN: "primary"},
        "mobile_phones": {PHONE: "primary"},
    }


def test_priority_does_not_affect_which_maestra_id_stays_primary(project):
    shop = project()
    one, two = shop.two({"crm_id": "301", "email": ANN}, {"crm_id": "103", "mobile_phone": PHONE})
    merged = shop.match(one, two)
    assert (merged.id, merged.customer["ids"]["crm_id"]) == (one, "103")


def test_history_id_search_is_off_where_merging_by_different_ids_is_forbidden(project):
    shop = project(kinds={"crm_id": NO_MERGE})
    ann = shop.website.register(day=1, crm_id="301", email=ANN).id
    shop.website.edit(ann, crm_id="103")
    assert (shop.website.finds(crm_id="103"), shop.website.finds(crm_id="301")) == (ann, None)


# --- reading a customer's history after merging ---


def test_histories_of_merged_customers_are_interleaved_by_time(project):
    shop = project()
    one = shop.website.register(day=1, email=ANN).id
    two = shop.website.register(day=2, mobile_phone=PHONE).id
    shop.website.edit(one, day=3, first_name="Ann")
    shop.website.edit(two, day=4, custom_fields={"city": "Rome"})
    shop.website.edit(one, day=5, crm_id="301")
    shop.match(one, two)
    seen = [
        (e["kind"], e["maestra_id"]) for e in shop.history(one, "personal_data", "custom_fields", "merged")
    ]
    assert seen[:2] == [("personal_data", one), ("custom_fields", two)]
    assert "merged" in [kind for kind, _ in seen]
    everything = {entry["kind"] for entry in shop.history(one)}
    assert {"created", "email", "mobile_phone", "identifier"} <= everything


# --- common errors and their meanings ---


def test_error_technical_ids_must_be_unique(project):
    shop = project(landing={"lookup_by": ["website_id"]})
    shop.website.register(day=1, crm_id="301", email=ANN)
    with shop.refuses("technical_id_not_unique") as problem:
        shop.website.register(crm_id="301", email=BOB)
    assert problem.body["detail"].startswith("Technical IDs must be unique")
    with shop.refuses(
        "technical_id_not_unique"
    ):  # not found by the kind the point looks up by, so it would be made
        shop.landing.upsert(website_id="9", crm_id="301", email=BOB)


@pytest.mark.parametrize(
    ("kind", "value", "word"),
    [("mobile_phone", PHONE, "mobile phone"), ("email", ANN, "e-mail"), ("discount_card", CARD, "card")],
)
def test_error_a_user_with_this_contact_is_already_registered(project, kind, value, word):
    shop = project(pos={kind: ACCESS})
    shop.pos.register(day=1, **{kind: value})
    with shop.refuses("already_registered") as problem:
        shop.pos.register(**{kind: value, "crm_id": "2"})
    assert "already registered" in problem.body["detail"]
    assert word in problem.body["detail"]


def test_error_unable_to_uniquely_determine_the_customer(project):
    shop = project()
    one, two = shop.two({"crm_id": "1", "email": ANN}, {"website_id": "2", "email": BOB})
    with shop.refuses("ambiguous_customer") as problem:
        shop.crm_import.upsert(crm_id="1", website_id="2", first_name="Ann")
    assert problem.body["detail"].startswith("Unable to uniquely determine the customer")
    assert sorted(problem.body["maestra_ids"]) == [one, two]


def test_error_unable_to_determine_because_an_id_lies_in_another_customers_history(project):
    shop = project()
    one, two = shop.two({"crm_id": "1", "email": ANN}, {"website_id": "2", "email": BOB})
    shop.website.edit(one, crm_id="10")
    with shop.refuses("ambiguous_customer") as problem:
        shop.website.edit({"website_id": "2"}, crm_id="1")
    assert sorted(problem.body["maestra_ids"]) == [one, two]


# --- why did a phone number or e-mail disappear ---


def test_why_a_phone_disappeared_another_customer_appeared(project):
    shop = project()
    one, two = shop.two({"email": ANN, "mobile_phone": PHONE}, {"email": BOB, "mobile_phone": PHONE})
    assert shop.related(one) == {two}
    assert shop.related(two) == {one}
    (lost,) = shop.history(one, "contact_lost")
    assert (lost["maestra_id"], lost["related_maestra_id"]) == (one, two)
    assert mentions(lost, PHONE)
    assert mentions(lost, "last_activity")
    assert shop.notes_about(one) == [two]


def test_why_a_phone_disappeared_it_was_removed_in_an_edit(project):
    shop = project()
    ann = shop.website.register(day=1, email=ANN, mobile_phone=PHONE).id
    shop.admin.edit(ann, day=4, mobile_phone=None)
    entry = shop.history(ann, "mobile_phone")[-1]
    assert happened(entry) == moment(at(4))
    assert entry["integration_point"] is not None
    assert shop.related(ann) == set()


def test_priority_example_1_an_order_outranks_mere_opens(project):
    shop = project()
    one = shop.landing.subscribe(day=1, email=ANN, mobile_phone=PHONE, subscriptions=[NEWS]).id
    shop.website.edit(one, day=9, custom_fields={"city": "Rome"})
    two = shop.website.order("1", 5, {"email": BOB, "mobile_phone": PHONE})
    assert two.settled == [("mobile_phone", two.id, one, "orders")]
    assert shop.profile(one) == {
        "emails": {ANN: "primary"},
        "custom_fields": {"city": "Rome"},
        "subscriptions": {"email/news": "subscribed"},
        "notes": [two.id],
    }
    assert shop.profile(two.id)["mobile_phones"] == {PHONE: "primary"}


def test_priority_example_2_personal_activity(project):
    shop = project()
    one = shop.website.register(day=1, email=ANN, mobile_phone=PHONE).id
    shop.website.edit(one, day=2, custom_fields={"city": "Rome"})
    two = shop.crm_import.register(day=5, email=ANN, mobile_phone=PHONE_2)
    assert two.settled == [("email", one, two.id, "last_activity")]
    assert shop.profile(two.id) == {"mobile_phones": {PHONE_2: "primary"}, "notes": [one]}
    assert shop.profile(one)["emails"] == {ANN: "primary"}


# --- the loyalty case study ---


def test_loyalty_case_study_incorrect_integration(project):
    shop = project(pos={"mobile_phone": ACCESS}, website={"email": ACCESS})
    one = shop.pos.register(day=1, mobile_phone=PHONE, email=ANN, discount_card=CARD).id
    shop.pos.points(one, 100, "p-1")
    two = shop.website.register(day=2, email=ANN, discount_card=CARD_2)
    shop.website.points(two.id, 50, "p-2")
    assert two.settled == [("email", two.id, one, "access_by_this_contact")]
    assert shop.website.vetoes(one, two.id) == ["different_account_access"]
    assert shop.profile(one) == {
        "mobile_phones": {PHONE: "primary access"},
        "discount_cards": {CARD: ""},
        "points": 100,
        "notes": [two.id],
    }
    assert shop.profile(two.id) == {
        "emails": {ANN: "primary access"},
        "discount_cards": {CARD_2: ""},
        "points": 50,
    }


def test_loyalty_case_study_without_the_protection_both_would_merge(project):
    shop = project()
    one = shop.pos.register(day=1, mobile_phone=PHONE, email=ANN, discount_card=CARD).id
    shop.pos.points(one, 100, "p-1")
    two = shop.website.register(day=2, email=ANN, discount_card=CARD_2)
    shop.website.points(two.id, 50, "p-2")
    assert two.id == one
    assert shop.profile(one)["points"] == 150


def test_loyalty_case_study_correct_integration(project):
    shop = project(pos={"mobile_phone": ACCESS}, website={"mobile_phone": ACCESS})
    one = shop.pos.register(day=1, mobile_phone=PHONE, email=ANN, discount_card=CARD).id
    with shop.refuses("already_registered"):
        shop.website.register(day=2, mobile_phone=PHONE, email=ANN, discount_card=CARD_2)
    assert shop.website.lookup(mobile_phone=PHONE).id == one


# --- matching contacts didn't merge, why? ---


def test_matching_contacts_did_not_merge_because_unique_ids_differ(project):
    shop = project(kinds={"website_id": NO_MERGE})
    one, two = shop.two(
        {"website_id": "1", "email": ANN, "mobile_phone": PHONE},
        {"website_id": "2", "email": ANN, "mobile_phone": PHONE},
    )
    explained = shop.website.explain(one, two)
    assert names_in(explained["vetoes"], ["different_unique_ids", "different_emails"]) == [
        "different_unique_ids"
    ]
    assert one != two


def test_matching_contacts_did_not_merge_because_account_access_differs(project):
    shop = project(pos={"mobile_phone": ACCESS}, website={"mobile_phone": ACCESS})
    one = shop.pos.register(day=1, mobile_phone=PHONE, email=ANN).id
    two = shop.website.register(day=2, mobile_phone=PHONE_2, email=ANN).id
    assert "different_account_access" in shop.website.vetoes(one, two)


def test_matching_contacts_did_not_merge_because_of_login_by_card(project):
    shop = project(pos={"discount_card": ACCESS})
    one = shop.pos.register(day=1, discount_card=CARD, email=ANN).id
    two = shop.pos.register(day=2, discount_card=CARD_2, email=ANN).id
    assert shop.pos.vetoes(one, two) == ["different_account_access"]


# --- what happens after a merge to custom fields, segments, activity, subscriptions and identifiers ---


def test_custom_fields_come_from_the_priority_customer_and_gaps_are_filled(project):
    shop = project()
    one, two = shop.two(
        {"email": ANN, "custom_fields": {"city": "Rome", "colour": "red"}},
        {"mobile_phone": PHONE, "custom_fields": {"colour": "blue"}},
    )
    shop.match(one, two)
    assert shop.profile(one)["custom_fields"] == {"city": "Rome", "colour": "blue"}


def test_all_activity_history_is_combined(project):
    shop = project()
    one = shop.website.order("1", 1, {"email": ANN}).id
    two = shop.website.order("2", 2, {"mobile_phone": PHONE}).id
    shop.website.promo_code(one, "WELCOME")
    shop.website.points(two, 30, "p-1")
    shop.match(one, two)
    profile = shop.profile(one)
    assert (profile["orders"], profile["promo_codes"], profile["points"]) == (2, 1, 30)
    assert {order["number"] for order in shop.pages(f"customers/{one}/orders/")} == {"1", "2"}


def test_static_segment_of_one_precursor_stays(project):
    found = merged_with_segments(project(), [], [segment("opens", "never", "2021-02-01T00:00:00Z")])
    assert found == {"opens": ("never", "2021-02")}


def test_static_segments_of_one_segmentation_the_later_date_stays(project):
    found = merged_with_segments(
        project(),
        [segment("loyalty", "level_2", "2020-08-01T00:00:00Z")],
        [segment("loyalty", "level_1", "2021-01-01T00:00:00Z")],
    )
    assert found == {"loyalty": ("level_1", "2021-01")}


def test_a_customer_shows_what_happened_before_it_entered_the_database(project):
    shop = project()
    visitor = shop.website.subscribe(day=1, device_id=DEVICE, subscriptions=[WEB_PUSH]).id
    ann = shop.website.register(day=30, email=ANN, device_id=DEVICE_2).id
    signed_in = shop.website.authorize({"email": ANN}, DEVICE)
    assert (signed_in.id, signed_in.merged) == (ann, [visitor])
    push = shop.history(ann, "subscription")[0]
    assert (push["maestra_id"], happened(push)) == (visitor, moment(at(1)))


@pytest.mark.parametrize(
    ("first", "second", "result"),
    [
        ("unsubscribed", "subscribed", "subscribed"),
        ("subscribed", "awaiting_confirmation", "subscribed"),
        ("unsubscribed", "awaiting_confirmation", "awaiting_confirmation"),
    ],
)
@pytest.mark.parametrize("swapped", [False, True])
def test_subscriptions_table(project, first, second, result, swapped):
    shop = project()
    first, second = (second, first) if swapped else (first, second)
    one, two = shop.two(
        {"email": ANN, "subscriptions": [subscription("email", first)]},
        {"mobile_phone": PHONE, "subscriptions": [subscription("email", second)]},
    )
    shop.match(one, two)
    assert shop.profile(one)["subscriptions"] == {"email": result}


def test_identifiers_after_a_merge(project):
    shop = project()
    one, two = shop.two(
        {"crm_id": "1", "website_id": "a", "email": ANN},
        {"crm_id": "2", "website_id": "b", "mobile_phone": PHONE},
    )
    shop.match(one, two)
    assert shop.profile(one) == {
        "former": [two],
        "ids": {"crm_id": "2", "website_id": "b"},
        "former_ids": {"crm_id": ["1"], "website_id": ["a"]},
        "emails": {ANN: "primary"},
        "mobile_phones": {PHONE: "primary"},
    }
    assert shop.crm_import.upsert(crm_id="1", first_name="Ann").id == one
    assert shop.crm_import.upsert(maestra_id=two, first_name="Ann").id == one
    assert primary(shop.customer(one)["emails"]) == [ANN]
