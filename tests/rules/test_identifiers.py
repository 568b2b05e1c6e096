"""Section 1 of the rulebook: identifiers."""

import pytest

from tests.scenarios.api import (
    ANN,
    BOB,
    CARD,
    CARD_2,
    DEVICE,
    EVE,
    HASH,
    NO_MERGE,
    PHONE,
    PHONE_2,
    at,
    mentions,
)

DEVICES = pytest.mark.parametrize("kind", ["device_id", "mobile_device_id"])
UUID = "6F9619FF-8B86-D011-B42D-00CF4FC964FF"


def merged_pair(shop):
    """Two customers merged into the first."""
    one, two = shop.two({"email": ANN, "crm_id": "301"}, {"mobile_phone": PHONE, "crm_id": "103"})
    merged = shop.match(one, two)
    assert merged.merged == [two]
    return one, two, merged.merge_ids[0]


# --- MaestraID ---


def test_every_customer_gets_its_own_maestra_id(project):
    """R1: once, and each later one is higher."""
    shop = project()
    one, two = shop.two({"email": ANN}, {"email": BOB})
    assert two > one


def test_a_maestra_id_is_never_reused(project):
    """R1: not even that of an erased customer."""
    shop = project()
    gone = shop.website.register(email=ANN).id
    shop.website.delete(f"customers/{gone}/")
    assert shop.website.register(email=BOB).id > gone


def test_a_joined_record_leaves_the_customer_its_maestra_id(project):
    """R1, R22: one customer has one MaestraID, and no former ones by a record that never was a customer."""
    shop = project()
    one = shop.website.register(day=1, email=ANN).id
    assert shop.website.register(day=2, email=ANN).customer["former_maestra_ids"] == []
    assert shop.customer(one)["maestra_id"] == one


def test_a_former_maestra_id_finds_the_profile_everywhere(project):
    """R1, R19: in reading, look-up, edit, upsert, authorize, orders, merge and explain."""
    shop = project()
    one, two, _ = merged_pair(shop)
    third = shop.website.register(email=EVE).id
    found = [
        shop.customer(two)["maestra_id"],
        shop.website.lookup(maestra_id=two).id,
        shop.website.edit(two, first_name="Ann").id,
        shop.website.upsert(maestra_id=two, first_name="Ann").id,
        shop.website.authorize(two, DEVICE).id,
        shop.website.order("1", 5, {"maestra_id": two}).id,
        shop.website.merge(two, third, resulting=two).id,
    ]
    assert found == [one] * 7
    assert shop.customer(third)["maestra_id"] == one


def test_after_two_merges_every_former_maestra_id_leads_to_the_primary(project):
    """R1: former ones of former ones too."""
    shop = project()
    one, two = shop.two({"email": ANN}, {"mobile_phone": PHONE})
    three = shop.website.register(day=3, discount_card=CARD).id
    shop.match(two, three, key="match")
    shop.match(one, two, key="again")
    assert [shop.website.finds(maestra_id=n) for n in (one, two, three)] == [one] * 3
    assert sorted(shop.customer(one)["former_maestra_ids"]) == [two, three]


def test_a_former_maestra_id_is_its_own_again_after_undo(project):
    """R1, R46: until it is undone."""
    shop = project()
    _, two, merge = merged_pair(shop)
    shop.website.undo(merge)
    assert (shop.website.finds(maestra_id=two), shop.customer(two)["former_maestra_ids"]) == (two, [])


def test_a_former_maestra_id_finds_nobody_after_erasure(project):
    """R1, R54: until it is erased."""
    shop = project()
    one, two, _ = merged_pair(shop)
    shop.website.delete(f"customers/{one}/")
    assert [shop.website.finds(maestra_id=n) for n in (one, two)] == [None, None]


# --- unique identifiers ---


def test_a_new_value_becomes_current_and_the_old_one_former(project):
    """R2: one current value per kind, and former ones."""
    shop = project()
    ann = shop.website.register(day=1, crm_id="301", website_id="a").id
    shop.website.edit(ann, crm_id="103")
    shop.website.edit(ann, crm_id="205")
    body = shop.profile(ann)
    assert body == {
        "ids": {"crm_id": "205", "website_id": "a"},
        "former_ids": {"crm_id": ["103", "301"]},
    }
    assert [shop.website.finds(crm_id=v) for v in ("301", "103", "205")] == [ann] * 3


@pytest.mark.parametrize("value", ["301", "103"])
def test_a_unique_value_cannot_be_registered_twice(project, value):
    """R2: the former ones included."""
    shop = project()
    ann = shop.website.register(day=1, crm_id="301").id
    shop.website.edit(ann, crm_id="103")
    with shop.refuses("technical_id_not_unique"):
        shop.website.register(crm_id=value, email=BOB)


@pytest.mark.parametrize("value", ["301", "103"])
def test_a_value_the_customer_has_is_a_reference_and_changes_nothing(project, value):
    """R2: current or former."""
    shop = project()
    ann = shop.website.register(day=1, crm_id="301", email=ANN).id
    shop.website.edit(ann, crm_id="103")
    before = shop.profile(ann)
    assert shop.crm_import.edit({"email": ANN}, crm_id=value).status == "unchanged"
    assert shop.crm_import.upsert(crm_id=value).status == "unchanged"
    assert shop.profile(ann) == before


def test_kinds_of_unique_identifiers_are_separate(project):
    """R2: the same text under another kind is another value."""
    shop = project()
    one, two = shop.two({"crm_id": "301"}, {"website_id": "301"})
    assert (shop.website.finds(crm_id="301"), shop.website.finds(website_id="301")) == (one, two)


def test_off_customers_with_different_ids_may_merge(project):
    """R3: the priority customer's value is current, the other goes to history and still finds the profile."""
    shop = project()
    one, _, _ = merged_pair(shop)
    body = shop.profile(one)
    assert (body["ids"], body["former_ids"]) == ({"crm_id": "103"}, {"crm_id": ["301"]})
    assert [shop.website.finds(crm_id=v) for v in ("301", "103")] == [one, one]


def test_off_the_current_value_follows_priority_not_the_maestra_id_nor_the_later_record(project):
    """R3: the earlier customer has an order, so its value stays."""
    shop = project()
    one = shop.website.order("1", 1, {"email": ANN, "crm_id": "301"}).id
    two = shop.website.register(day=9, mobile_phone=PHONE, crm_id="103").id
    shop.match(one, two)
    body = shop.profile(one)
    assert (body["ids"], body["former_ids"]) == ({"crm_id": "301"}, {"crm_id": ["103"]})


def test_on_different_current_values_veto_the_merge(project):
    """R3, R22: and only then."""
    shop = project(kinds={"crm_id": NO_MERGE})
    one, two = shop.two({"email": ANN, "crm_id": "301"}, {"mobile_phone": PHONE, "crm_id": "103"})
    assert shop.match(one, two).merged == []
    assert shop.website.vetoes(one, two) == ["different_unique_ids"]


def test_on_one_side_without_a_value_is_no_veto(project):
    """R3: nothing differs from no value."""
    shop = project(kinds={"crm_id": NO_MERGE})
    one, two = shop.two({"email": ANN, "crm_id": "301"}, {"mobile_phone": PHONE})
    assert shop.match(one, two).merged == [two]


def test_on_only_current_values_are_compared(project):
    """R3: a former value is no veto and no bond."""
    shop = project(kinds={"crm_id": NO_MERGE})
    one, two = shop.two({"email": ANN, "crm_id": "301"}, {"mobile_phone": PHONE})
    shop.website.edit(one, crm_id="103")
    shop.website.edit(two, crm_id="301")
    assert shop.website.vetoes(one, two) == ["different_unique_ids"]


def test_on_a_former_value_finds_nothing_and_may_be_registered_anew(project):
    """R3: history search is off for that kind."""
    shop = project(kinds={"crm_id": NO_MERGE})
    ann = shop.website.register(day=1, crm_id="301", email=ANN).id
    shop.website.edit(ann, crm_id="103")
    assert shop.website.finds(crm_id="301") is None
    with shop.refuses("customer_not_found"):
        shop.website.edit({"crm_id": "301"}, first_name="Ann")
    bob = shop.website.register(crm_id="301", email=BOB)
    assert (bob.status, shop.website.finds(crm_id="301")) == ("created", bob.id)


@pytest.mark.parametrize(("switch", "days"), [(False, [1, 3]), (True, [1])])
def test_on_a_former_value_is_held_by_nobody_from_then_on(project, switch, days):
    """R3: its owner is told for the time before; without the switch it stays its customer's."""
    shop = project(kinds={"crm_id": {"do_not_merge_different": switch}})
    ann = shop.website.register(day=1, crm_id="301", email=ANN).id
    shop.website.edit(ann, day=2, crm_id="103")
    asked = {
        day: shop.admin.get("identifiers/owner/", type="crm_id", value="301", at=at(day)) for day in (1, 3)
    }
    found = {day: answer.body["maestra_id"] for day, answer in asked.items() if answer.status == 200}
    assert found == dict.fromkeys(days, ann)


def test_the_switch_is_each_kinds_own(project):
    """R3: a kind without the switch keeps its history search and does not veto."""
    shop = project(kinds={"crm_id": NO_MERGE})
    one, two = shop.two({"email": ANN, "website_id": "a"}, {"mobile_phone": PHONE, "website_id": "b"})
    assert shop.match(one, two).merged == [two]
    assert shop.website.finds(website_id="a") == one


def test_where_one_value_is_current_and_former_current_wins(project):
    """R3: even where the former holder retired it later than the other got it."""
    shop = project(kinds={"crm_id": NO_MERGE})
    one = shop.website.register(day=1, crm_id="301", email=ANN).id
    shop.website.edit(one, day=2, crm_id="302")
    two = shop.website.register(day=3, crm_id="301", email=BOB).id
    shop.configure(kinds={"crm_id": {"do_not_merge_different": False}})
    assert shop.website.finds(crm_id="301") == two


def test_a_value_stays_among_the_former_ones_of_everyone_who_had_it(project):
    """R3: whoever has it now, and who registers it anew sees nothing of who had it."""
    shop = project(kinds={"crm_id": NO_MERGE})
    one = shop.website.register(day=1, crm_id="301", email=ANN).id
    shop.website.edit(one, day=2, crm_id="302")
    before, history = shop.profile(one), shop.history(one)
    two = shop.website.register(day=3, crm_id="301", email=BOB).id
    assert (shop.profile(one), shop.history(one)) == (before, history)
    assert before["former_ids"] == {"crm_id": ["301"]}
    shop.website.edit(two, day=4, crm_id="303")
    three = shop.website.register(day=5, crm_id="301", email=EVE).id
    formers = [shop.profile(n).get("former_ids", {}) for n in (one, two, three)]
    assert formers == [{"crm_id": ["301"]}, {"crm_id": ["301"]}, {}]
    assert mentions(shop.website.get(f"customers/{one}/export/").body, "301")


def test_a_value_whose_current_holder_is_erased_is_again_that_of_whoever_retired_it_last(project):
    """R3, R54: it stays with those who had it."""
    shop = project(kinds={"crm_id": NO_MERGE})
    one, two = shop.two({"email": ANN, "crm_id": "301"}, {"email": BOB, "crm_id": "9"})
    shop.website.edit(one, crm_id="302")
    shop.website.edit(two, crm_id="301")
    shop.website.edit(two, crm_id="303")
    three = shop.website.register(day=5, crm_id="301", email=EVE).id
    shop.website.delete(f"customers/{three}/")
    shop.configure(kinds={"crm_id": {"do_not_merge_different": False}})
    assert shop.website.finds(crm_id="301") == two
    shop.website.delete(f"customers/{two}/")
    assert shop.website.finds(crm_id="301") == one


def test_a_merge_of_two_who_had_one_value_is_undone_to_both_having_it(project):
    """R3, R46"""
    shop = project(kinds={"crm_id": NO_MERGE})
    one = shop.website.register(day=1, crm_id="301", email=ANN).id
    shop.website.edit(one, day=2, crm_id="302")
    two = shop.website.register(day=3, crm_id="301", mobile_phone=PHONE).id
    before = [shop.profile(n) for n in (one, two)]
    shop.configure(kinds={"crm_id": {"do_not_merge_different": False}})
    merged = shop.match(one, two)
    assert shop.website.finds(crm_id="301") == one
    shop.website.undo(merged.merge_ids[0])
    assert [shop.profile(n) for n in (one, two)] == before
    assert shop.website.finds(crm_id="301") == two


def test_where_a_value_is_former_with_several_the_one_retired_last_is_found(project):
    """R3: not the first holder, not the lower MaestraID."""
    shop = project(kinds={"crm_id": NO_MERGE})
    one = shop.website.register(day=1, crm_id="301", email=ANN).id
    shop.website.edit(one, day=2, crm_id="302")
    two = shop.website.register(day=3, crm_id="301", email=BOB).id
    shop.website.edit(two, day=4, crm_id="303")
    shop.configure(kinds={"crm_id": {"do_not_merge_different": False}})
    assert shop.website.finds(crm_id="301") == two


# --- non-unique identifiers ---


def test_a_non_unique_identifier_moves_to_the_newest_customer(project):
    """R4, R32: when its record cannot merge with the holder; that it moved is in the change history."""
    shop = project()
    one = shop.website.order("1", 1, {"session_key": "s-1", "email": ANN}).id
    two = shop.crm_import.register(day=2, session_key="s-1", email=BOB)
    assert two.moved == [("session_key", "s-1", one, two.id)]
    assert shop.website.finds(session_key="s-1") == two.id
    assert "ids" not in shop.profile(one)
    moves = [
        e for e in shop.history(one, "identifier") if mentions(e, "s-1") and e["related_maestra_id"] == two.id
    ]
    assert len(moves) == 1


def test_a_non_unique_identifier_joins_where_nothing_contradicts(project):
    """R4: it moves only where the two cannot merge."""
    shop = project()
    one = shop.website.register(day=1, session_key="s-1", email=ANN).id
    two = shop.website.register(day=2, session_key="s-1", mobile_phone=PHONE)
    assert (two.id, two.status, two.moved) == (one, "joined", [])


def test_a_customer_may_hold_several_of_one_non_unique_kind(project):
    """R4: a string or a list in a record, a list in a profile."""
    shop = project()
    ann = shop.website.register(email=ANN, session_key=["s-1", "s-2"]).id
    shop.website.edit(ann, session_key="s-3")
    assert sorted(shop.customer(ann)["ids"]["session_key"]) == ["s-1", "s-2", "s-3"]
    assert [shop.website.finds(session_key=f"s-{n}") for n in (1, 2, 3)] == [ann] * 3


def test_a_former_non_unique_value_finds_nobody_and_can_be_registered_again(project):
    """R4: no history search, whatever the switch of other kinds."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, session_key="s-1").id
    shop.website.edit(ann, session_key=None)
    assert shop.website.finds(session_key="s-1") is None
    assert "former_ids" not in shop.profile(ann)
    assert shop.website.register(email=BOB, session_key="s-1").status == "created"


# --- phone, e-mail, card ---


@pytest.mark.parametrize(
    "typed", ["(415) 555-0101", "415-555-0101", "+1 415 555 0101", "1 (415) 555 0101", " 415.555.0101 "]
)
def test_phones_are_compared_as_e164_with_the_default_region(project, typed):
    """R5, R11: however it is typed."""
    shop = project()
    ann = shop.website.register(mobile_phone=typed)
    assert ann.customer["mobile_phones"][0]["value"] == PHONE
    assert shop.website.finds(mobile_phone=PHONE) == ann.id
    assert shop.website.register(mobile_phone=PHONE).id == ann.id


def test_the_default_region_is_the_projects(project):
    """R5: the same digits mean another number elsewhere."""
    shop = project(settings={"default_region": "DE"})
    ann = shop.website.register(mobile_phone="030 901820").id
    assert shop.profile(ann)["mobile_phones"] == {"+4930901820": "primary"}


def test_a_phone_of_possible_length_is_accepted(project):
    """R5: it need not be a number in use."""
    shop = project()
    assert shop.website.register(mobile_phone="+1 (415) 111-1122").status == "created"
    with shop.refuses("validation_error"):
        shop.website.register(mobile_phone="+1 415 11")


@pytest.mark.parametrize(
    ("kind", "value", "veto"),
    [("mobile_phone", PHONE, "email"), ("email", ANN, "mobile_phone"), ("discount_card", CARD, "email")],
)
def test_a_contact_has_one_holder_at_a_time(project, kind, value, veto):
    """R5, R6, R7: of two that cannot merge, one holds it."""
    shop = project()
    own = {"email": (BOB, EVE), "mobile_phone": (PHONE, PHONE_2)}[veto]
    one, two = shop.two({kind: value, veto: own[0]}, {kind: value, veto: own[1]})
    assert [mentions(shop.profile(n), f'"{value}"') for n in (one, two)] == [False, True]


def test_emails_are_compared_without_case(project):
    """R6: the local part too."""
    shop = project()
    ann = shop.website.register(email="Ann@Example.COM").id
    assert shop.website.register(email="aNN@example.com").id == ann
    assert shop.website.finds(email="ANN@EXAMPLE.COM") == ann


def test_email_domains_are_compared_in_idna_form(project):
    """R6: the two spellings of one domain are one."""
    shop = project()
    ann = shop.website.register(email="ann@bücher.example").id
    assert shop.website.finds(email="ann@xn--bcher-kva.example") == ann
    assert shop.website.register(email="ann@xn--bcher-kva.example").id == ann


def test_a_customer_may_hold_several_contacts_of_each_type(project):
    """R7: of e-mails and phones exactly one is primary, the first one of a list."""
    shop = project()
    ann = shop.website.register(
        email=[ANN, BOB], mobile_phone=[PHONE, PHONE_2], discount_card=[CARD, CARD_2]
    ).id
    assert shop.profile(ann) == {
        "emails": {ANN: "primary", BOB: ""},
        "mobile_phones": {PHONE: "primary", PHONE_2: ""},
        "discount_cards": {CARD: "", CARD_2: ""},
    }


def test_a_lost_primary_is_followed_by_the_previous_primary(project):
    """R7: not by the value held longest."""
    shop = project()
    ann = shop.website.register(day=1, email=["first@example.com"], mobile_phone=PHONE).id
    shop.website.edit(ann, day=2, email="second@example.com")
    shop.website.edit(ann, day=3, email="third@example.com")
    shop.website.order("1", 4, {"email": "third@example.com", "mobile_phone": PHONE_2})
    assert shop.profile(ann)["emails"] == {"second@example.com": "primary", "first@example.com": ""}


def test_without_a_previous_primary_the_value_held_longest_follows(project):
    """R7: not the first by alphabet, nor the latest."""
    shop = project()
    ann = shop.website.register(day=1, email=["p@example.com", "z@example.com"], mobile_phone=PHONE).id
    shop.website.edit(ann, day=2, email=["p@example.com", "a@example.com"])
    shop.website.order("1", 3, {"email": "p@example.com", "mobile_phone": PHONE_2})
    assert shop.profile(ann)["emails"] == {"z@example.com": "primary", "a@example.com": ""}


def test_primaries_told_at_one_moment_follow_each_other_in_the_order_told(project):
    """R7: as a batch tells them."""
    shop = project()
    ann = shop.website.register(day=1, email="a@example.com", mobile_phone=PHONE).id
    contacts = ["c@example.com", "d@example.com", "b@example.com"]
    records = [{"lookup": {"maestra_id": ann}, "email": email, "occurred_at": at(2)} for email in contacts]
    shop.website.post("customers/batch/", {"operation": "edit", "records": records})
    shop.website.order("1", 3, {"email": "b@example.com", "mobile_phone": PHONE_2})
    assert shop.profile(ann)["emails"]["d@example.com"] == "primary"
    shop.website.order("2", 4, {"email": "d@example.com", "mobile_phone": PHONE_2})
    assert shop.profile(ann)["emails"] == {"c@example.com": "primary", "a@example.com": ""}


def test_of_values_held_equally_long_the_one_told_earlier_follows(project):
    """R7: not the first by alphabet."""
    shop = project()
    contacts = ["p@example.com", "z@example.com", "a@example.com"]
    ann = shop.website.register(day=1, email=contacts, mobile_phone=PHONE).id
    shop.website.order("1", 3, {"email": "p@example.com", "mobile_phone": PHONE_2})
    assert shop.profile(ann)["emails"] == {"z@example.com": "primary", "a@example.com": ""}


# --- devices ---


@DEVICES
def test_a_customer_has_many_devices(project, kind):
    """R8, R9: each finds the customer."""
    shop = project()
    ann = shop.website.register(email=ANN, **{kind: "d-1"}).id
    shop.website.edit(ann, **{kind: "d-2"})
    shop.website.edit(ann, **{kind: "d-3"})
    assert shop.profile(ann)[f"{kind.removesuffix('_id')}s"] == ["d-1", "d-2", "d-3"]


@DEVICES
def test_a_device_is_attached_to_the_last_identified_customer_and_returns(project, kind):
    """R8, R9, R32: when the earlier one signs in again."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, **{kind: "d-1"}).id
    bob = shop.website.register(day=2, email=BOB, **{kind: "d-1"})
    assert bob.moved == [(kind, "d-1", ann, bob.id)]
    back = shop.website.edit({"email": ANN}, day=3, **{kind: "d-1"})
    assert back.moved == [(kind, "d-1", bob.id, ann)]
    assert shop.website.upsert(day=4, **{kind: "d-1"}).id == ann


@DEVICES
def test_devices_of_two_types_are_different_things(project, kind):
    """R8, R9: the same text as browser and as app device joins nobody."""
    shop = project()
    other = "device_id" if kind == "mobile_device_id" else "mobile_device_id"
    one, two = shop.two({kind: "d-1", "email": ANN}, {other: "d-1", "mobile_phone": PHONE})
    assert one != two


# --- payment card hash ---


def test_several_customers_may_carry_the_same_payment_card_hash(project):
    """R10: it does not move, so the first customer is still found by it."""
    shop = project()
    ann = shop.website.order("1", 1, {"email": ANN, "payment_card_hash": HASH}).id
    bob = shop.website.order("2", 2, {"email": BOB, "payment_card_hash": HASH})
    assert (bob.status, bob.moved, bob.settled) == ("created", [], [])
    third = shop.website.order("3", 3, {"mobile_phone": PHONE, "payment_card_hash": HASH})
    assert (third.id, third.status) == (ann, "joined")


def test_a_payment_card_hash_joins_only_where_nothing_contradicts(project):
    """R10, R41: with its own reason."""
    shop = project()
    ann = shop.website.order("1", 1, {"email": ANN, "payment_card_hash": HASH}).id
    assert shop.website.order("2", 2, {"email": BOB, "payment_card_hash": HASH}).id != ann
    assert shop.website.order("3", 3, {"discount_card": CARD, "payment_card_hash": HASH}).id == ann
    assert shop.reasons(ann) == ["payment_card"]


def test_a_payment_card_hash_never_shows(project):
    """R10: not in an answer, a profile, a history sentence, an export or an explanation."""
    shop = project()
    one = shop.website.order("1", 1, {"email": ANN, "payment_card_hash": HASH})
    two = shop.website.order("2", 2, {"email": BOB, "payment_card_hash": HASH})
    three = shop.website.order("3", 3, {"mobile_phone": PHONE, "payment_card_hash": HASH})
    shown = [one.body, two.body, three.body, shop.everything(), shop.website.explain(one.id, two.id)]
    shown += [shop.website.get(f"customers/{one.id}/export/").body, shop.read(f"customers/{one.id}/related/")]
    assert not mentions(shown, HASH, HASH[:12])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("customers/lookup/", {"payment_card_hash": HASH}),
        ("customers/edit/", {"lookup": {"payment_card_hash": HASH}, "time_zone": "Europe/Berlin"}),
        ("customers/upsert/", {"payment_card_hash": HASH, "email": BOB, "lookup_by": ["payment_card_hash"]}),
        ("customers/merge/", {"customers": [{"payment_card_hash": HASH}], "resulting": {"email": ANN}}),
        ("points/", {"lookup": {"payment_card_hash": HASH}, "amount": 1, "reason": "x", "number": "1"}),
    ],
)
def test_a_payment_card_hash_addresses_nobody_from_outside(project, path, body):
    """R10: in no operation."""
    shop = project()
    shop.website.order("1", 1, {"email": ANN, "payment_card_hash": HASH})
    with shop.refuses("validation_error"):
        shop.website.done(path, body)


def test_a_search_does_not_find_by_payment_card_hash(project):
    """R10: while it does find by e-mail."""
    shop = project()
    ann = shop.website.order("1", 1, {"email": ANN, "payment_card_hash": HASH}).id
    assert (shop.listed(search=ANN), shop.listed(search=HASH)) == ({ann}, set())


# --- normalisation ---


def test_identifiers_are_trimmed_and_case_sensitive(project):
    """R11: AB and ab are two values."""
    shop = project()
    one, two = shop.two({"crm_id": " AB-1 "}, {"crm_id": "ab-1"})
    assert [shop.website.finds(crm_id=v) for v in ("AB-1", " ab-1 ", "Ab-1")] == [one, two, None]


def test_identifiers_are_compared_in_nfc(project):
    """R11: composed and decomposed letters are one."""
    shop = project()
    one = shop.website.register(crm_id="Zoe\u0308").id
    assert shop.website.finds(crm_id="Zoë") == one


def test_json_integers_are_taken_as_decimal_text(project):
    """R11: 301 and "301" are one value; in a look-up too."""
    shop = project()
    one = shop.website.register(crm_id=301, session_key=[7, "8"]).id
    assert shop.customer(one)["ids"] == {"crm_id": "301", "session_key": ["7", "8"]}
    assert [shop.website.finds(crm_id=v) for v in ("301", 301)] == [one, one]
    assert shop.website.finds(session_key=8) == one


@DEVICES
def test_uuid_devices_are_lower_case_and_others_case_sensitive(project, kind):
    """R11: a GUID is the same however it is written."""
    shop = project()
    one = shop.website.upsert(**{kind: UUID}).id
    assert shop.website.upsert(**{kind: UUID.lower()}).id == one
    two = shop.website.upsert(**{kind: "Cookie-A"}).id
    assert shop.website.upsert(**{kind: "cookie-a"}).id != two


@pytest.mark.parametrize(
    ("record", "path"),
    [
        ({"email": "ann at example.com"}, "email"),
        ({"email": ["ann@example.com", "ann@"]}, "email"),
        ({"mobile_phone": "call me"}, "mobile_phone"),
        ({"mobile_phone": {"value": "12"}}, "mobile_phone"),
        ({"crm_id": True}, "crm_id"),
        ({"crm_id": {"a": 1}}, "crm_id"),
        ({"session_key": "a\u0000b"}, "session_key"),
        ({"device_id": ["a"] * 2 + [None]}, "device_id"),
        ({"birth_date": "31.01.1990"}, "birth_date"),
        ({"gender": "femme"}, "gender"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"custom_fields": {"shoe_size": "large"}}, "shoe_size"),
        ({"occurred_at": "2024-01-05T10:00:00"}, "occurred_at"),
    ],
)
def test_a_value_that_cannot_be_normalised_is_an_error_naming_its_place(project, record, path):
    """R11: and nothing of the record is stored."""
    shop = project()
    with shop.refuses("validation_error") as problem:
        shop.website.register(**{"discount_card": CARD, **record})
    assert path in problem.paths
    assert all(error["message"] for error in problem.body["errors"])
    assert shop.website.finds(discount_card=CARD) is None


def test_every_value_at_fault_is_named(project):
    """R11: not only the first."""
    shop = project()
    with shop.refuses("validation_error") as problem:
        shop.website.register(email="x", mobile_phone="y", birth_date="z", crm_id="fine")
    assert len(problem.body["errors"]) == 3
    assert all(name in problem.paths for name in ("email", "mobile_phone", "birth_date"))


def test_a_failed_record_of_a_batch_fails_alone(project):
    """R11: the others are stored."""
    shop = project()
    good, bad, last = shop.website.batch({"email": ANN}, {"email": "x"}, {"email": BOB})
    assert [good["status"], bad["code"], last["status"]] == ["created", "validation_error", "created"]
    assert "email" in bad["errors"][0]["path"]
    assert shop.listed() == {good["maestra_id"], last["maestra_id"]}


# --- block list ---

JUNK = [
    {"type": "email", "value": "junk@example.com"},
    {"type": "mobile_phone", "value": "n.a."},
    {"type": "mobile_phone", "value": PHONE_2},
    {"type": "device_id", "pattern": "^x+$"},
    {"type": "crm_id", "value": "dummy"},
]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("email", "junk@example.com"),
        ("email", "JUNK@example.com"),
        ("mobile_phone", "n.a."),
        ("mobile_phone", "(415) 555-0102"),
        ("device_id", "xxxx"),
        ("crm_id", "dummy"),
    ],
)
def test_a_listed_value_is_dropped_with_a_warning(project, kind, value):
    """R12: checked on the typed value, before it could be invalid, and on the normalised one."""
    shop = project(block_list=JUNK)
    kept = shop.website.register(discount_card=CARD, **{kind: value})
    assert (kept.status, len(kept.warnings)) == ("created", 1)
    assert shop.profile(kept.id) == {"discount_cards": {CARD: ""}}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("email", "test@test.com"),
        ("device_id", "00000000-0000-0000-0000-000000000000"),
        ("device_id", "null"),
        ("session_key", "anonymous"),
        ("crm_id", "null"),
        ("crm_id", "#NAME?"),
        ("crm_id", "########"),
        ("mobile_phone", "+49 000000000"),
        ("mobile_phone", "+44 4444 444444"),
    ],
)
def test_the_list_is_shipped_with_the_usual_junk(project, kind, value):
    """R12: nobody has to think of it."""
    shop = project()
    kept = shop.website.register(discount_card=CARD, **{kind: value})
    assert len(kept.warnings) == 1
    assert shop.profile(kept.id) == {"discount_cards": {CARD: ""}}


def test_placeholders_are_no_names(project):
    """R12: and people called Null are people."""
    shop = project()
    kept = shop.website.register(email=ANN, first_name="N/A", middle_name="-", last_name="Null")
    assert [(w["code"], w["path"]) for w in kept.warnings] == [
        ("blocked_value", "personal.first_name"),
        ("blocked_value", "personal.middle_name"),
    ]
    assert shop.profile(kept.id)["personal"] == {"last_name": "Null"}


def test_a_record_with_no_identifier_left_is_invalid(project):
    """R12: it would be nobody's."""
    shop = project(block_list=JUNK)
    with shop.refuses("validation_error"):
        shop.website.register(email="junk@example.com", first_name="Ann")


def test_a_listed_value_in_a_look_up_finds_nobody(project):
    """R12: in look-up and edit."""
    shop = project(block_list=JUNK)
    assert shop.website.finds(email="junk@example.com") is None
    with shop.refuses("customer_not_found"):
        shop.website.edit({"device_id": "xxx"}, first_name="Ann")


def test_values_stored_before_they_were_listed_stay_held_but_match_and_find_nobody(project):
    """R12: also not through another record that brings them."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, first_name="Ann").id
    shop.configure(block_list=[{"type": "email", "value": ANN}])
    assert shop.website.finds(email=ANN) is None
    other = shop.website.register(day=2, email=ANN, mobile_phone=PHONE)
    assert (other.status, shop.profile(other.id)) == ("created", {"mobile_phones": {PHONE: "primary"}})
    assert shop.profile(ann)["emails"] == {ANN: "primary"}


def test_values_listed_later_are_no_longer_told_as_shared(project):
    """R12: they match nobody, so they explain nothing."""
    shop = project()
    one, two = shop.two({"email": ANN, "mobile_phone": PHONE}, {"email": BOB, "mobile_phone": PHONE})
    assert [value["value"] for value in shop.website.explain(one, two)["shared"]] == [PHONE]
    shop.configure(block_list=[{"type": "mobile_phone", "value": PHONE}])
    explained = shop.website.explain(one, two)
    assert (explained["shared"], explained["priority"]["contact"]) == ([], None)


def test_values_of_other_kinds_are_not_listed_with_it(project):
    """R12: an entry is of a type."""
    shop = project(block_list=JUNK)
    kept = shop.website.register(website_id="dummy")
    assert (kept.warnings, shop.profile(kept.id)) == ([], {"ids": {"website_id": "dummy"}})


def test_who_held_a_value_then_can_be_asked(project):
    """R4, R5: one holder at a time, and the history knows each."""
    shop = project()
    one, two = shop.two({"email": ANN, "mobile_phone": PHONE}, {"email": BOB, "mobile_phone": PHONE})
    asked = {"type": "mobile_phone", "value": PHONE}
    assert (shop.website.finds(mobile_phone=PHONE), one != two) == (two, True)
    assert shop.read("identifiers/owner/", **asked)["maestra_id"] == two
