"""Section 8 of the rulebook: undo and hold apart."""

import pytest

from tests.scenarios.api import (
    ANN,
    BOB,
    CARD,
    CONFIRM,
    DEVICE,
    DEVICE_2,
    EVE,
    HASH,
    NO_MERGE,
    PHONE,
    PHONE_2,
    at,
    moment,
    segment,
    subscription,
)

FIRST = {
    "email": [ANN, "ann.old@example.com"],
    "crm_id": "1",
    "session_key": ["s-1"],
    "device_id": DEVICE,
    "discount_card": CARD,
    "first_name": "Ann",
    "time_zone": "Europe/Berlin",
    "custom_fields": {"city": "Rome", "shoe_size": 42},
    "subscriptions": [subscription("email"), subscription("sms", "unsubscribed")],
    "segments": [segment("loyalty", "level_1", at(1)), segment("bread", "buys_bread", at(1))],
}
SECOND = {
    "mobile_phone": [PHONE, PHONE_2],
    "crm_id": "2",
    "session_key": ["s-2"],
    "device_id": DEVICE_2,
    "mobile_device_id": "m-2",
    "first_name": "Anna",
    "last_name": "Smith",
    "custom_fields": {"city": "Oslo", "colour": "red"},
    "subscriptions": [subscription("email", "unsubscribed"), subscription("sms")],
    "segments": [segment("loyalty", "level_2", at(2))],
}


def merge(shop, first=None, second=None):
    """Two customers, merged by API into the first: their MaestraIDs, bodies before, and the merge."""
    one, two = shop.two(first or {"email": ANN}, second or {"mobile_phone": PHONE})
    before = [shop.customer(one), shop.customer(two)]
    merged = shop.website.merge(one, two, resulting=one)
    return one, two, before, merged.merge_ids[0]


def bodies(shop, *maestra_ids):
    return [shop.customer(maestra_id) for maestra_id in maestra_ids]


# --- as before ---


def test_both_come_back_as_immediately_before_the_merge(project):
    """R46: every field of both profiles."""
    shop = project()
    one, two, before, merge_id = merge(shop, FIRST, SECOND)
    undone = shop.website.undo(merge_id)
    assert (undone.status_code, undone.status) == (200, "changed")
    assert bodies(shop, one, two) == before


def test_both_come_back_from_a_merge_that_matching_made(project):
    """R46: any merge of two stored customers; also where the higher one had priority."""
    shop = project()
    one, two = shop.two(FIRST, SECOND)
    shop.crm_import.edit(one, session_key="key")
    before = bodies(shop, one, two)
    merged = shop.crm_import.edit(two, session_key="key")
    assert merged.customer["personal"]["first_name"] == "Anna"
    shop.website.undo(merged.merge_ids[0])
    assert bodies(shop, one, two) == before


def test_both_come_back_where_the_named_customer_was_the_higher(project):
    """R46, R28: the lower one was absorbed."""
    shop = project()
    one, two = shop.two(FIRST, SECOND)
    before = bodies(shop, one, two)
    merged = shop.website.merge(one, resulting=two)
    shop.website.undo(merged.merge_ids[0])
    assert bodies(shop, one, two) == before


def test_notes_and_claims_come_back_on_their_sides(project):
    """R46: to whom they belonged."""
    shop = project(app={"mobile_phone": CONFIRM})
    owner = shop.website.order("1", 1, {"email": EVE, "mobile_phone": PHONE}).id
    one = shop.app.register(day=2, email=ANN, mobile_phone=PHONE).id
    two = shop.website.register(day=3, discount_card=CARD).id
    merged = shop.website.merge(one, two, resulting=two)
    shop.website.undo(merged.merge_ids[0])
    assert shop.profile(one) == {
        "emails": {ANN: "primary"},
        "claims": {"mobile_phone": [PHONE]},
        "notes": [owner],
    }
    assert shop.profile(two) == {"discount_cards": {CARD: ""}}


def test_ids_find_their_own_side_again(project):
    """R46: MaestraIDs, unique IDs, contacts, devices."""
    shop = project()
    one, two, _, merge_id = merge(shop, FIRST, SECOND)
    shop.website.undo(merge_id)
    firsts = {"maestra_id": one, "crm_id": "1", "email": ANN, "device_id": DEVICE, "session_key": "s-1"}
    seconds = {
        "maestra_id": two,
        "crm_id": "2",
        "mobile_phone": PHONE,
        "device_id": DEVICE_2,
        "session_key": "s-2",
    }
    assert {shop.website.finds(**{k: v}) for k, v in firsts.items()} == {one}
    assert {shop.website.finds(**{k: v}) for k, v in seconds.items()} == {two}


def test_the_undo_is_in_both_histories(project):
    """R46: an unmerged entry on either side."""
    shop = project()
    one, two, _, merge_id = merge(shop)
    shop.website.undo(merge_id)
    assert [len(shop.history(n, "unmerged")) for n in (one, two)] == [1, 1]
    assert {e["maestra_id"] for e in shop.history(two)} == {two}


def test_a_joined_record_cannot_be_undone(project):
    """R46: it never was a customer, so there is no merge to undo."""
    shop = project()
    one = shop.website.register(day=1, email=ANN).id
    assert shop.website.register(day=2, email=ANN, mobile_phone=PHONE).merge_ids == []
    assert shop.pages(f"customers/{one}/merges/") == []


# --- what changed since ---


def test_single_values_changed_since_keep_the_newer_on_the_survivor(project):
    """R46: the other side gets its own from before."""
    shop = project()
    one, two, before, merge_id = merge(shop, FIRST, SECOND)
    shop.website.edit(
        one,
        personal={"first_name": "New"},
        time_zone="Asia/Tokyo",
        custom_fields={"city": "Bonn"},
        subscriptions=[subscription("email", "unsubscribed")],
        segments=[segment("loyalty", "level_1")],
    )
    shop.website.undo(merge_id)
    body = shop.profile(one)
    assert (body["personal"], body["time_zone"], body["custom_fields"]["city"]) == (
        {"first_name": "New"},
        "Asia/Tokyo",
        "Bonn",
    )
    assert body["subscriptions"] == {"email": "unsubscribed", "sms": "unsubscribed"}
    since = {s["segmentation"]: moment(s["since"]) for s in shop.customer(one)["segments"]}
    assert (since["loyalty"] > moment(at(9)), since["bread"]) == (True, moment(at(1)))
    absorbed = shop.customer(two)
    for field in ("personal", "time_zone", "custom_fields", "subscriptions", "segments"):
        assert absorbed[field] == before[1][field]


def test_values_the_merge_filled_in_go_back_if_they_did_not_change(project):
    """R46: the colour came from the other side."""
    shop = project()
    one, _, _, merge_id = merge(shop, FIRST, SECOND)
    assert shop.profile(one)["custom_fields"] == {"city": "Rome", "shoe_size": 42, "colour": "red"}
    shop.website.edit(one, custom_fields={"shoe_size": 43})
    shop.website.undo(merge_id)
    assert shop.profile(one)["custom_fields"] == {"city": "Rome", "shoe_size": 43}


def test_identifiers_new_since_stay_with_the_survivor(project):
    """R46: they were on neither side."""
    shop = project()
    one, two, _, merge_id = merge(shop)
    shop.website.edit(one, email=BOB, website_id="w")
    shop.website.undo(merge_id)
    assert set(shop.profile(one)["emails"]) == {ANN, BOB}
    assert shop.profile(one)["ids"] == {"website_id": "w"}
    assert shop.profile(two) == {"mobile_phones": {PHONE: "primary"}}


@pytest.mark.parametrize("gone_by", ["cleared", "lost", "registered elsewhere"])
def test_an_identifier_the_profile_no_longer_holds_does_not_return(project, gone_by):
    """R46: and its side gets a note."""
    shop = project()
    one, two, _, merge_id = merge(
        shop, {"email": ANN, "discount_card": CARD}, {"mobile_phone": PHONE, "crm_id": "2"}
    )
    holder = None
    if gone_by == "lost":
        holder = shop.website.order("1", 3, {"email": EVE, "mobile_phone": PHONE}).id
    else:
        shop.website.edit(one, mobile_phone=None)
    if gone_by == "registered elsewhere":
        holder = shop.website.register(email=EVE, mobile_phone=PHONE).id
    shop.website.undo(merge_id)
    body = shop.customer(two)
    assert (body["mobile_phones"], body["ids"]["crm_id"]) == ([], "2")
    assert any(PHONE in note["text"] for note in body["notes"])
    assert shop.website.finds(mobile_phone=PHONE) == holder
    assert set(shop.profile(one)["emails"]) == {ANN}


# --- the ledger ---


def orders_of(shop, maestra_id):
    return sorted(order["number"] for order in shop.pages(f"customers/{maestra_id}/orders/"))


def test_what_was_there_before_the_merge_follows_its_customer(project):
    """R46: orders, points, promo codes and history."""
    shop = project()
    one = shop.website.order("1", 1, {"email": ANN}).id
    two = shop.website.order("2", 2, {"mobile_phone": PHONE}).id
    shop.website.points(one, 100, "p-1")
    shop.website.points(two, 50, "p-2")
    shop.website.promo_code(two, "C")
    merged = shop.match(one, two)
    assert (shop.profile(one)["points"], orders_of(shop, one)) == (150, ["1", "2"])
    shop.website.undo(merged.merge_ids[0])
    assert [orders_of(shop, n) for n in (one, two)] == [["1"], ["2"]]
    assert [shop.profile(n)["points"] for n in (one, two)] == [100, 50]
    assert [shop.customer(n)["facts"]["promo_codes_count"] for n in (one, two)] == [0, 1]


@pytest.mark.parametrize(
    ("customer", "side"),
    [
        ("named primary", 0),
        ("named former", 1),
        ("by the first's e-mail", 0),
        ("by the second's phone", 1),
        ("by the second's id", 1),
        ("by the second's device", 1),
    ],
)
def test_what_arrives_later_bears_the_maestra_id_its_record_named_or_was_found_by(project, customer, side):
    """R46: a former one too; and follows it on undo."""
    shop = project(website={"lookup_by": ["maestra_id", "crm_id", "email", "mobile_phone", "device_id"]})
    one, two, _, merge_id = merge(
        shop, {"email": ANN}, {"mobile_phone": PHONE, "crm_id": "2", "device_id": DEVICE}
    )
    record = {
        "named primary": {"maestra_id": one},
        "named former": {"maestra_id": two},
        "by the first's e-mail": {"email": ANN},
        "by the second's phone": {"mobile_phone": PHONE},
        "by the second's id": {"crm_id": "2"},
        "by the second's device": {"device_id": DEVICE},
    }[customer]
    assert shop.website.order("1", 5, record).id == one
    shop.website.undo(merge_id)
    assert [orders_of(shop, n) for n in (one, two)] == ([["1"], []] if side == 0 else [[], ["1"]])
    facts = [shop.customer(n)["facts"]["orders_count"] for n in (one, two)]
    assert facts == ([1, 0] if side == 0 else [0, 1])


def test_points_given_to_a_former_maestra_id_follow_it(project):
    """R46: so do those given to an identifier of that side."""
    shop = project()
    one, two, _, merge_id = merge(shop)
    shop.website.points(two, 30, "p-1")
    shop.website.points({"mobile_phone": PHONE}, 4, "p-2")
    shop.website.points(one, 500, "p-3")
    shop.website.undo(merge_id)
    assert [shop.profile(n)["points"] for n in (one, two)] == [500, 34]


def test_history_entries_follow_the_maestra_id_they_happened_to(project):
    """R46, R40: each side shows its own after the undo."""
    shop = project()
    one, two, _, merge_id = merge(shop)
    seen = shop.history(two, "created", "mobile_phone")
    shop.website.undo(merge_id)
    assert [e["maestra_id"] for e in seen if e["kind"] == "mobile_phone"] == [two]
    assert {e["maestra_id"] for e in shop.history(one)} == {one}
    assert {e["maestra_id"] for e in shop.history(two)} == {two}


# --- apart from then on ---


def test_the_pair_is_apart_from_then_on(project):
    """R46, R22: matching does not merge it again, nor does a merge asked for."""
    shop = project()
    one, two, _, merge_id = merge(shop)
    shop.website.undo(merge_id)
    assert shop.match(one, two).merged == []
    assert shop.customer(two)["maestra_id"] == two
    with shop.refuses("merge_blocked") as problem:
        shop.website.merge(one, two, resulting=one)
    assert problem.reasons == ["apart"]


def test_a_new_record_that_matches_both_joins_one_of_them_only(project):
    """R46: the pair stays apart."""
    shop = project()
    one, two, _, merge_id = merge(shop)
    shop.website.undo(merge_id)
    joined = shop.website.register(email=ANN, mobile_phone=PHONE)
    assert (joined.id, joined.merged) == (one, [])
    assert shop.customer(two)["maestra_id"] == two


def test_others_are_not_apart(project):
    """R46: only the pair."""
    shop = project()
    one, two, _, merge_id = merge(shop)
    shop.website.undo(merge_id)
    three = shop.website.register(discount_card=CARD).id
    assert (shop.match(one, three).merged, shop.website.vetoes(two, one)) == ([three], ["apart"])


# --- what cannot be undone ---


def test_later_merges_must_be_undone_first(project):
    """R46: merge_blocked says which."""
    shop = project()
    one, two, before, first = merge(shop)
    three = shop.website.register(discount_card=CARD).id
    second = shop.website.merge(one, three, resulting=one).merge_ids[0]
    with shop.refuses("merge_blocked") as problem:
        shop.website.undo(first)
    assert problem.reasons == ["later_merges"]
    assert str(second) in str(problem.body["reasons"]) + str(problem.body)
    shop.website.undo(second)
    shop.website.undo(first)
    assert bodies(shop, one, two) == before


def test_a_merge_of_the_profile_into_another_is_a_later_merge_too(project):
    """R46: merges of the profile, on whichever side it was."""
    shop = project()
    one, _, _, first = merge(shop)
    three = shop.website.register(discount_card=CARD).id
    shop.website.merge(one, three, resulting=three)
    with shop.refuses("merge_blocked") as problem:
        shop.website.undo(first)
    assert problem.reasons == ["later_merges"]


def test_merges_of_other_profiles_are_no_hindrance(project):
    """R46: later merges of the profile only."""
    shop = project()
    one, two, before, first = merge(shop)
    three = shop.website.register(discount_card=CARD).id
    four = shop.website.register(email=EVE).id
    shop.website.merge(three, four, resulting=three)
    shop.website.undo(first)
    assert bodies(shop, one, two) == before


def test_a_merge_cannot_be_undone_twice(project):
    """R46: already_undone."""
    shop = project()
    *_, merge_id = merge(shop)
    shop.website.undo(merge_id)
    with shop.refuses("merge_blocked") as problem:
        shop.website.undo(merge_id)
    assert problem.reasons == ["already_undone"]


def test_a_merge_of_an_erased_profile_cannot_be_undone(project):
    """R46, R54: erased."""
    shop = project()
    one, _, _, merge_id = merge(shop)
    shop.website.delete(f"customers/{one}/")
    with shop.refuses("merge_blocked") as problem:
        shop.website.undo(merge_id)
    assert problem.reasons == ["erased"]


def test_an_unknown_merge_is_not_found(project):
    """R46: 404."""
    shop = project()
    with shop.refuses("not_found"):
        shop.website.undo(987_654_321)


def test_the_payment_card_hash_returns_to_its_side(project):
    """R46, R10: it joins that side alone."""
    shop = project(kinds={"crm_id": NO_MERGE})
    one = shop.website.register(day=1, email=ANN).id
    two = shop.website.order("1", 2, {"mobile_phone": PHONE, "payment_card_hash": HASH}).id
    merged = shop.website.merge(one, two, resulting=one)
    shop.website.undo(merged.merge_ids[0])
    assert shop.website.order("2", 3, {"discount_card": CARD, "payment_card_hash": HASH}).id == two
