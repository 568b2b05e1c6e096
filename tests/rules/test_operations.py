"""Section 3 of the rulebook: operations."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.scenarios.api import (
    ACCESS,
    ANN,
    BOB,
    CARD,
    CONFIRM,
    DEVICE,
    DEVICE_2,
    EVE,
    NO_MERGE,
    PHONE,
    PHONE_2,
    PHONE_3,
    at,
    moment,
    subscription,
)

NOBODY = 987_654_321
VALUES = {"email": ANN, "mobile_phone": PHONE, "discount_card": CARD}
CONTACTS = pytest.mark.parametrize("kind", list(VALUES))


# --- register ---


def test_register_makes_a_customer(project):
    """R16: 201, and the answer has the whole customer."""
    shop = project()
    ann = shop.website.register(email=ANN, first_name="Ann")
    assert (ann.status_code, ann.status) == (201, "created")
    assert ann.customer == shop.customer(ann.id)
    assert (ann.merged, ann.merge_ids, ann.body["conflicts"], ann.moved, ann.warnings) == ([], [], [], [], [])


def test_register_then_deduplicates(project):
    """R16, R22: 200 where the record joined a stored customer."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN).id
    again = shop.website.register(day=2, email=ANN, mobile_phone=PHONE)
    assert (again.status_code, again.status, again.id) == (200, "joined", ann)


def test_register_always_starts_from_a_new_customer(project):
    """R16: a weaker identifier that finds somebody does not make it an edit of him."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, session_key="s").id
    other = shop.website.register(day=2, email=BOB, session_key="s")
    assert other.status == "created"
    assert shop.profile(ann)["emails"] == {ANN: "primary"}


def test_register_may_not_name_a_maestra_id(project):
    """R16: even that of a stored customer."""
    shop = project()
    ann = shop.website.register(email=ANN).id
    with shop.refuses("validation_error") as problem:
        shop.website.register(maestra_id=ann, email=ANN)
    assert "maestra_id" in problem.paths


@pytest.mark.parametrize("value", ["301", "103"])
def test_register_with_an_existing_unique_value_is_refused(project, value):
    """R16, R2: current or former, even where everything else matches too."""
    shop = project()
    ann = shop.website.register(day=1, crm_id="301", email=ANN).id
    shop.website.edit(ann, crm_id="103")
    with shop.refuses("technical_id_not_unique"):
        shop.website.register(crm_id=value, email=ANN)


@CONTACTS
def test_register_of_an_account_access_contact_twice_is_refused(project, kind):
    """R16: always, though the record could join its holder."""
    shop = project(pos={kind: ACCESS})
    shop.pos.register(day=1, **{kind: VALUES[kind]})
    with shop.refuses("already_registered"):
        shop.pos.register(**{kind: VALUES[kind]}, crm_id="1")


@CONTACTS
def test_an_edit_that_brings_anothers_account_access_contact_is_refused(project, kind):
    """R16: always, though the two could merge."""
    shop = project(pos={kind: ACCESS})
    shop.pos.register(day=1, **{kind: VALUES[kind]})
    other = shop.website.register(day=2, crm_id="2").id
    with shop.refuses("already_registered"):
        shop.pos.edit(other, **{kind: VALUES[kind]})


@CONTACTS
def test_an_upsert_that_found_another_customer_is_refused_the_account_access_contact(project, kind):
    """R16: always, though the two could merge."""
    shop = project(pos={kind: ACCESS})
    shop.pos.register(day=1, **{kind: VALUES[kind]})
    shop.website.register(day=2, crm_id="2")
    with shop.refuses("already_registered"):
        shop.pos.upsert(crm_id="2", **{kind: VALUES[kind]})


def test_an_upsert_that_found_nobody_may_join_the_holder(project):
    """R16: no veto keeps it from that."""
    shop = project(pos={"mobile_phone": ACCESS})
    ann = shop.pos.register(day=1, mobile_phone=PHONE).id
    joined = shop.pos.upsert(day=2, mobile_phone=PHONE, crm_id="9")
    assert (joined.status, joined.id) == ("joined", ann)


def test_an_order_that_found_nobody_may_join_the_holder(project):
    """R16, R57: likewise."""
    shop = project(pos={"mobile_phone": ACCESS})
    ann = shop.pos.register(day=1, mobile_phone=PHONE).id
    assert shop.pos.order("1", 2, {"mobile_phone": PHONE, "email": ANN}).id == ann


def test_an_upsert_that_a_veto_keeps_from_joining_is_refused(project):
    """R16: the e-mails differ."""
    shop = project(pos={"mobile_phone": ACCESS})
    shop.pos.register(day=1, mobile_phone=PHONE, email=ANN)
    with shop.refuses("already_registered"):
        shop.pos.upsert(day=2, mobile_phone=PHONE, email=BOB)


def test_an_order_that_a_veto_keeps_from_joining_is_refused(project):
    """R16, R57: and the order is not stored."""
    shop = project(pos={"mobile_phone": ACCESS})
    shop.pos.register(day=1, mobile_phone=PHONE, email=ANN)
    with shop.refuses("already_registered"):
        shop.pos.order("1", 2, {"mobile_phone": PHONE, "email": BOB})
    assert shop.website.order("1", 3, {"email": EVE}).status_code == 201


def test_the_same_contact_without_the_flag_is_an_ordinary_match(project):
    """R16: the holder is not registered with it."""
    shop = project(pos={"mobile_phone": ACCESS})
    ann = shop.website.register(day=1, mobile_phone=PHONE).id
    joined = shop.pos.register(day=2, mobile_phone=PHONE, email=ANN)
    assert (joined.status, joined.id) == ("joined", ann)
    assert shop.profile(ann)["mobile_phones"] == {PHONE: "primary access"}


def test_a_point_that_gives_no_access_does_not_refuse(project):
    """R16: only where the point makes the contact account access."""
    shop = project(pos={"mobile_phone": ACCESS})
    ann = shop.pos.register(day=1, mobile_phone=PHONE).id
    assert shop.website.register(day=2, mobile_phone=PHONE).id == ann


def test_ones_own_account_access_contact_may_be_sent_again(project):
    """R16: another customer must hold it."""
    shop = project(pos={"mobile_phone": ACCESS})
    ann = shop.pos.register(day=1, mobile_phone=PHONE, crm_id="1").id
    assert shop.pos.edit(ann, mobile_phone=PHONE, first_name="Ann").id == ann
    assert shop.pos.upsert(crm_id="1", mobile_phone=PHONE, first_name="Anna").id == ann


# --- errors in their order ---


def test_validation_comes_before_not_found(project):
    """R11, R18: the order of errors."""
    shop = project()
    with shop.refuses("validation_error"):
        shop.website.edit(NOBODY, email="x")


def test_validation_comes_before_an_erased_person_and_that_before_all_else(project):
    """R11, R54, R17, R18: the order of errors."""
    shop = project()
    gone = shop.website.register(email=ANN).id
    shop.website.client.delete(f"/api/v1/customers/{gone}/")
    shop.two({"crm_id": "1"}, {"website_id": "2"})
    with shop.refuses("validation_error"):
        shop.crm_import.upsert(email=ANN, mobile_phone="x")
    with shop.refuses("erased_person"):
        shop.crm_import.upsert(maestra_id=NOBODY, email=ANN)
    with shop.refuses("erased_person"):
        shop.crm_import.edit(NOBODY, email=ANN)
    with shop.refuses("erased_person"):
        shop.crm_import.upsert(crm_id="1", website_id="2", email=ANN)
    with shop.refuses("erased_person"):
        shop.crm_import.register(crm_id="1", email=ANN)


def test_not_found_comes_before_ambiguous(project):
    """R17: the order of errors."""
    shop = project()
    shop.two({"crm_id": "1"}, {"website_id": "2"})
    with shop.refuses("customer_not_found"):
        shop.website.upsert(maestra_id=NOBODY, crm_id="1", website_id="2")


def test_ambiguous_comes_before_already_registered(project):
    """R16, R17: the order of errors."""
    shop = project(pos={"mobile_phone": ACCESS})
    shop.two({"crm_id": "1"}, {"website_id": "2"})
    shop.pos.register(mobile_phone=PHONE)
    with shop.refuses("ambiguous_customer"):
        shop.pos.edit({"crm_id": "1"}, website_id="2", mobile_phone=PHONE)


def test_technical_id_comes_before_already_registered(project):
    """R16: the order of errors."""
    shop = project(pos={"mobile_phone": ACCESS})
    shop.pos.register(day=1, mobile_phone=PHONE, crm_id="1")
    with shop.refuses("technical_id_not_unique"):
        shop.pos.register(mobile_phone=PHONE, crm_id="1")


# --- upsert ---


@pytest.mark.parametrize("by", [{"crm_id": "1"}, {"website_id": "a"}, {"crm_id": "1", "website_id": "a"}])
def test_upsert_edits_the_one_customer_its_ids_find(project, by):
    """R17: 200, changed."""
    shop = project()
    ann = shop.website.register(day=1, crm_id="1", website_id="a").id
    edited = shop.website.upsert(day=2, **by, email=ANN)
    assert (edited.status_code, edited.status, edited.id) == (200, "changed", ann)


def test_upsert_by_ids_of_two_customers_is_ambiguous(project):
    """R17: with the IDs in conflict; nothing changes."""
    shop = project()
    one, two = shop.two({"crm_id": "1"}, {"website_id": "2"})
    with shop.refuses("ambiguous_customer") as problem:
        shop.website.upsert(crm_id="1", website_id="2", email=ANN)
    assert sorted(problem.body["maestra_ids"]) == [one, two]


def test_upsert_is_ambiguous_even_if_one_id_is_a_former_one(project):
    """R17: former IDs count as their customer's."""
    shop = project()
    one, two = shop.two({"crm_id": "1"}, {"website_id": "2"})
    shop.website.edit(one, crm_id="10")
    with shop.refuses("ambiguous_customer"):
        shop.website.upsert(crm_id="1", website_id="2", email=ANN)
    with shop.refuses("ambiguous_customer"):
        shop.website.upsert(maestra_id=two, crm_id="1", email=ANN)


def test_two_ids_of_one_merged_profile_are_not_ambiguous(project):
    """R17: both find the same customer."""
    shop = project()
    one, two = shop.two({"crm_id": "1", "email": ANN}, {"crm_id": "2", "mobile_phone": PHONE})
    shop.match(one, two)
    assert shop.website.upsert(maestra_id=two, crm_id="1", first_name="Ann").id == one


def test_upsert_with_an_unknown_id_is_as_register_though_a_weaker_identifier_finds_somebody(project):
    """R17: they meet the record in section 4, where the e-mails differ."""
    shop = project()
    ann = shop.website.register(day=1, crm_id="1", session_key="s", email=ANN).id
    other = shop.website.upsert(day=2, crm_id="2", session_key="s", email=BOB)
    assert (other.status_code, other.status) == (201, "created")
    assert other.moved == [("session_key", "s", ann, other.id)]
    assert shop.profile(ann) == {"ids": {"crm_id": "1"}, "emails": {ANN: "primary"}}


def test_upsert_with_an_unknown_id_joins_where_nothing_contradicts(project):
    """R17, R22: the weaker identifier's customer takes the record in."""
    shop = project()
    ann = shop.website.register(day=1, session_key="s", email=ANN).id
    joined = shop.website.upsert(day=2, crm_id="2", session_key="s")
    assert (joined.status_code, joined.status, joined.id) == (200, "joined", ann)


@pytest.mark.parametrize("first", ["mobile_phone", "email"])
def test_without_ids_the_kinds_of_lookup_by_decide_in_their_order(project, first):
    """R17: the first that finds somebody."""
    second = "email" if first == "mobile_phone" else "mobile_phone"
    shop = project(landing={"lookup_by": ["crm_id", first, second]}, kinds={"crm_id": NO_MERGE})
    by_phone, by_email = shop.two(
        {"mobile_phone": PHONE, "crm_id": "1"},
        {"email": ANN, "mobile_phone": PHONE_2, "crm_id": "2"},
    )
    found = shop.landing.upsert(mobile_phone=PHONE, email=ANN, first_name="Ann")
    assert found.id == {"mobile_phone": by_phone, "email": by_email}[first]
    assert found.customer["personal"]["first_name"] == "Ann"


def test_without_ids_a_kind_that_finds_nobody_leaves_it_to_the_next(project):
    """R17: the first that finds somebody decides."""
    shop = project(landing={"lookup_by": ["mobile_phone", "email"]})
    ann = shop.website.register(day=1, email=ANN).id
    found = shop.landing.upsert(mobile_phone=PHONE, email=ANN)
    assert (found.id, found.status) == (ann, "changed")


def test_without_ids_and_nobody_found_upsert_is_as_register(project):
    """R17: 201."""
    shop = project(landing={"lookup_by": ["email"]})
    assert shop.landing.upsert(email=ANN).status_code == 201


def test_a_maestra_id_is_always_looked_up(project):
    """R17: whatever lookup_by says."""
    shop = project(landing={"lookup_by": ["email"]})
    ann = shop.website.register(day=1, crm_id="1").id
    assert shop.landing.upsert(maestra_id=ann, email=ANN).id == ann
    with shop.refuses("customer_not_found"):
        shop.landing.upsert(maestra_id=NOBODY, email=BOB)


@pytest.mark.parametrize("operation", ["upsert", "subscribe"])
def test_an_unknown_maestra_id_is_not_found(project, operation):
    """R17: in any record; nobody is made."""
    shop = project()
    with shop.refuses("customer_not_found"):
        getattr(shop.website, operation)(maestra_id=NOBODY, email=ANN, subscriptions=[subscription("email")])


def test_an_order_with_an_unknown_maestra_id_is_not_found(project):
    """R17, R57: nor is the order stored."""
    shop = project()
    with shop.refuses("customer_not_found"):
        shop.website.order("1", 1, {"maestra_id": NOBODY})
    assert shop.website.order("1", 1, {"email": ANN}).status_code == 201


def test_an_unknown_unique_value_outside_lookup_by_becomes_the_found_customers(project):
    """R17: the customer is found by e-mail, the ID is data."""
    shop = project(landing={"lookup_by": ["email"]})
    ann = shop.website.register(day=1, email=ANN).id
    assert shop.landing.upsert(email=ANN, crm_id="1").customer["ids"] == {"crm_id": "1"}
    assert shop.website.finds(crm_id="1") == ann


@pytest.mark.parametrize("former", [False, True])
def test_a_unique_value_of_another_customer_is_ambiguous_in_an_upsert(project, former):
    """R17: though lookup_by does not name its kind."""
    shop = project(landing={"lookup_by": ["email"]})
    one, two = shop.two({"email": ANN}, {"crm_id": "2"})
    if former:
        shop.website.edit(two, crm_id="20")
    with shop.refuses("ambiguous_customer") as problem:
        shop.landing.upsert(email=ANN, crm_id="2")
    assert sorted(problem.body["maestra_ids"]) == [one, two]


@pytest.mark.parametrize("former", [False, True])
def test_a_unique_value_of_another_customer_is_ambiguous_in_an_edit(project, former):
    """R17, R18: never a silent move."""
    shop = project()
    one, two = shop.two({"email": ANN}, {"crm_id": "2"})
    if former:
        shop.website.edit(two, crm_id="20")
    with shop.refuses("ambiguous_customer") as problem:
        shop.website.edit({"email": ANN}, crm_id="2")
    assert sorted(problem.body["maestra_ids"]) == [one, two]


def test_a_maestra_id_of_another_customer_is_ambiguous_in_an_edit(project):
    """R17: the record names one, the look-up finds another."""
    shop = project()
    _, two = shop.two({"email": ANN}, {"email": BOB})
    with shop.refuses("ambiguous_customer"):
        shop.website.edit({"email": ANN}, maestra_id=two)


def test_a_former_value_is_nobodys_where_history_search_is_off(project):
    """R17, R3: it becomes the found customer's."""
    shop = project(kinds={"crm_id": NO_MERGE})
    one, two = shop.two({"email": ANN}, {"crm_id": "2", "email": BOB})
    shop.website.edit(two, crm_id="20")
    assert shop.website.edit({"email": ANN}, crm_id="2").customer["ids"] == {"crm_id": "2"}
    assert shop.website.finds(crm_id="2") == one


# --- edit, look-up, authorize ---


def test_edit_changes_the_customer_its_lookup_finds(project):
    """R18: 200."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, crm_id="1").id
    lookups = [{"email": ANN}, {"crm_id": "1"}, {"maestra_id": ann}]
    for number, lookup in enumerate(lookups):
        edited = shop.website.edit(lookup, custom_fields={"shoe_size": number})
        assert (edited.status_code, edited.status, edited.id) == (200, "changed", ann)


@pytest.mark.parametrize("lookup", [{}, {"email": ANN, "crm_id": "1"}, {"no_such_kind": "1"}])
def test_edit_names_exactly_one_lookup_identifier(project, lookup):
    """R18: neither none nor two, though both would find him."""
    shop = project()
    shop.website.register(day=1, email=ANN, crm_id="1")
    with shop.refuses("validation_error"):
        shop.website.edit(lookup, first_name="Ann")


@pytest.mark.parametrize(
    "lookup", [{"email": ANN}, {"crm_id": "1"}, {"device_id": "d"}, {"maestra_id": NOBODY}]
)
def test_edit_of_nobody_creates_nothing(project, lookup):
    """R18: customer_not_found, whatever the record brings."""
    shop = project()
    shop.website.register(email=BOB)
    with shop.refuses("customer_not_found"):
        shop.website.edit(lookup, mobile_phone=PHONE)
    assert shop.website.finds(mobile_phone=PHONE) is None


def test_lookup_finds_by_any_one_identifier(project):
    """R19: and changes nothing."""
    shop = project()
    known = {
        "email": ANN,
        "mobile_phone": PHONE,
        "discount_card": CARD,
        "device_id": DEVICE,
        "mobile_device_id": "m",
        "crm_id": "1",
        "session_key": "s",
    }
    ann = shop.website.register(day=1, **known).id
    with shop.nothing_changes():
        found = [shop.website.lookup(**{kind: value}) for kind, value in {**known, "maestra_id": ann}.items()]
    assert [(o.status_code, o.status, o.id) for o in found] == [(200, "unchanged", ann)] * 8
    assert found[0].customer == shop.customer(ann)


def test_lookup_finds_by_former_ids(project):
    """R19, R1, R2: former ones included."""
    shop = project()
    one, two = shop.two({"crm_id": "1", "email": ANN}, {"crm_id": "2", "mobile_phone": PHONE})
    shop.match(one, two)
    assert [shop.website.finds(crm_id="1"), shop.website.finds(maestra_id=two)] == [one, one]


@pytest.mark.parametrize(
    "identifier", [{}, {"email": ANN, "crm_id": "1"}, {"no_such_kind": "1"}, {"email": "x"}]
)
def test_lookup_takes_one_valid_identifier(project, identifier):
    """R19: else validation_error."""
    shop = project()
    shop.website.register(email=ANN, crm_id="1")
    with shop.refuses("validation_error"):
        shop.website.lookup(**identifier)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("customers/lookup/", {"mobile_phone": PHONE}),
        ("customers/edit/", {"lookup": {"mobile_phone": PHONE}, "time_zone": "Europe/Berlin"}),
        ("customers/authorize/", {"lookup": {"mobile_phone": PHONE}, "device_id": "d"}),
        (
            "customers/confirm/",
            {"lookup": {"mobile_phone": PHONE}, "contact": {"mobile_phone": PHONE}, "confirmed_at": at(3)},
        ),
        ("customers/merge/", {"customers": [{"mobile_phone": PHONE}], "resulting": {"crm_id": "1"}}),
        ("customers/explain/", {"customers": [{"mobile_phone": PHONE}, {"crm_id": "1"}]}),
        ("points/", {"lookup": {"mobile_phone": PHONE}, "amount": 5, "reason": "x", "number": "1"}),
        ("promo_codes/", {"lookup": {"mobile_phone": PHONE}, "code": "C", "issued_at": at(3)}),
    ],
)
def test_where_a_contact_type_gives_access_only_flagged_contacts_are_seen(project, path, body):
    """R20: in every look-up by that type; a flagged one is found."""
    shop = project(pos={"mobile_phone": {**ACCESS, **CONFIRM}})
    shop.two({"mobile_phone": PHONE}, {"crm_id": "1"})
    with shop.refuses("customer_not_found"):
        shop.pos.done(path, body)
    shop.pos.edit(shop.website.finds(mobile_phone=PHONE), mobile_phone=PHONE)
    assert shop.pos.post(path, body).status in (200, 201)


def test_an_upsert_by_contact_sees_only_flagged_contacts(project):
    """R20, R17: found it is an edit; unseen it is as register, and joins."""
    shop = project(pos={"mobile_phone": ACCESS, "lookup_by": ["mobile_phone"]})
    ann = shop.website.register(day=1, mobile_phone=PHONE).id
    unseen = shop.pos.upsert(day=2, mobile_phone=PHONE)
    seen = shop.pos.upsert(day=3, mobile_phone=PHONE, first_name="Ann")
    assert [(o.status, o.id) for o in (unseen, seen)] == [("joined", ann), ("changed", ann)]


def test_a_search_with_a_key_sees_only_flagged_contacts(project):
    """R20: through another point the value is found."""
    shop = project(pos={"mobile_phone": ACCESS})
    ann = shop.website.register(mobile_phone=PHONE).id
    (through_pos, through_site) = (
        {c["maestra_id"] for c in api.get("customers/", search=PHONE).body["results"]}
        for api in (shop.pos, shop.website)
    )
    assert (through_pos, through_site) == (set(), {ann})


def test_a_hidden_contact_cannot_be_told_from_none_by_a_reported_confirmation(project):
    """R20: neither held nor claimed, as far as this point is told; another point knows it."""
    shop = project(pos={"mobile_phone": {**ACCESS, **CONFIRM}})
    ann = shop.website.register(mobile_phone=PHONE, crm_id="1").id
    for phone in (PHONE, "+14155550199"):
        with shop.refuses("code_invalid"):
            shop.pos.confirm(ann, 2, mobile_phone=phone)


def test_a_look_up_costs_the_same_for_a_hidden_contact_as_for_none(project):
    """R20: the profile behind it is not even read."""
    shop = project(pos={"mobile_phone": ACCESS})
    shop.website.register(mobile_phone=PHONE)
    counts = []
    for phone in ("+14155550199", PHONE, "+14155550199"):
        with CaptureQueriesContext(connection) as queries:
            assert shop.pos.finds(mobile_phone=phone) is None
        counts.append(len(queries))
    assert len(set(counts[1:])) == 1


def test_a_preview_of_a_record_is_for_keys_that_may_write(project):
    """R20: it shows whom the record would join, also by a contact that looking up does not find."""
    shop = project(pos={"mobile_phone": ACCESS, "scopes": ["read"]}, landing={"scopes": ["write"]})
    ann = shop.website.register(mobile_phone=PHONE).id
    bob = shop.website.register(email=BOB).id
    record = {"operation": "register", "record": {"mobile_phone": PHONE}}
    with shop.refuses("permission_denied"):
        shop.pos.preview(**record)
    assert shop.landing.preview(**record)["maestra_id"] == ann
    merge = {"operation": "merge", "customers": [{"maestra_id": bob}], "resulting": {"maestra_id": ann}}
    assert shop.pos.preview(**merge)["maestra_id"] == ann
    with shop.refuses("permission_denied"):
        shop.landing.preview(**merge)


def test_other_types_and_ids_are_looked_up_as_ever(project):
    """R20: only by that type."""
    shop = project(pos={"mobile_phone": ACCESS})
    ann = shop.website.register(email=ANN, mobile_phone=PHONE, crm_id="1").id
    assert [shop.pos.finds(email=ANN), shop.pos.finds(crm_id="1"), shop.pos.finds(maestra_id=ann)] == [
        ann
    ] * 3


def test_a_contact_flagged_elsewhere_is_seen(project):
    """R20: the flag counts, not the point that set it."""
    shop = project(pos={"mobile_phone": ACCESS}, app={"mobile_phone": ACCESS})
    ann = shop.app.register(mobile_phone=PHONE).id
    assert shop.pos.finds(mobile_phone=PHONE) == ann


def test_authorize_makes_the_device_the_customers(project):
    """R21: as edit, with the device as the record."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN).id
    signed_in = shop.website.authorize({"email": ANN}, DEVICE)
    assert (signed_in.status_code, signed_in.status, signed_in.id) == (200, "changed", ann)
    assert shop.profile(ann)["devices"] == [DEVICE]
    with shop.refuses("customer_not_found"):
        shop.website.authorize({"email": BOB}, DEVICE)


def test_authorize_merges_the_devices_anonymous_customer(project):
    """R21, R22: nothing contradicts."""
    shop = project()
    visitor = shop.website.upsert(day=1, device_id=DEVICE).id
    ann = shop.website.register(day=2, email=ANN).id
    assert shop.website.authorize({"email": ANN}, DEVICE).merged == [visitor]
    assert shop.customer(visitor)["maestra_id"] == ann


def test_authorize_moves_the_device_from_a_customer_it_cannot_join(project):
    """R21, R32: the e-mails differ."""
    shop = project()
    ann, bob = shop.two({"email": ANN, "device_id": DEVICE}, {"email": BOB})
    assert shop.website.authorize({"email": BOB}, DEVICE).moved == [("device_id", DEVICE, ann, bob)]


@pytest.mark.parametrize("operation", ["register", "upsert", "subscribe"])
@pytest.mark.parametrize("kind", ["device_id", "mobile_device_id"])
def test_a_record_with_devices_only_is_an_edit_of_the_devices_customer(project, operation, kind):
    """R21: in any operation, register too."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, **{kind: "d"}).id
    push = {"subscriptions": [subscription("web_push")]}
    edited = getattr(shop.website, operation)(day=2, **{kind: "d"}, **push)
    assert (edited.status_code, edited.status, edited.id) == (200, "changed", ann)
    assert shop.reasons(ann) == []


def test_an_order_with_a_device_only_is_the_devices_customers(project):
    """R21, R57: in any operation."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, device_id=DEVICE).id
    assert shop.website.order("1", 2, {"device_id": DEVICE}).id == ann
    assert shop.profile(ann)["orders"] == 1


def test_a_record_with_an_unknown_device_only_makes_an_anonymous_customer(project):
    """R21: which the next one finds."""
    shop = project()
    visitor = shop.website.register(day=1, device_id=DEVICE)
    again = shop.website.register(day=2, device_id=DEVICE, subscriptions=[subscription("web_push")])
    assert (visitor.status_code, visitor.status) == (201, "created")
    assert (again.status_code, again.id) == (200, visitor.id)


def test_a_record_with_a_shared_device_only_is_still_its_customers(project):
    """R21, R26: though the device joins nobody any more."""
    shop = project(settings={"shared_device_limit": 1})
    shop.two({"email": ANN, "device_id": DEVICE}, {"email": BOB})
    bob = shop.website.authorize({"email": BOB}, DEVICE).id
    assert shop.website.upsert(device_id=DEVICE, subscriptions=[subscription("web_push")]).id == bob


# --- subscribe ---


def test_subscribe_makes_or_finds_the_customer(project):
    """R56: an upsert; 201 created, else 200."""
    shop = project()
    first = shop.landing.subscribe(day=1, email=ANN, subscriptions=[subscription("email")])
    second = shop.landing.subscribe(day=2, email=ANN, subscriptions=[subscription("sms", topic="sale")])
    by_id = shop.landing.subscribe(day=3, maestra_id=first.id, subscriptions=[subscription("viber")])
    assert [o.status_code for o in (first, second, by_id)] == [201, 200, 200]
    assert shop.profile(first.id)["subscriptions"] == {
        "email": "subscribed",
        "sms/sale": "subscribed",
        "viber": "subscribed",
    }


@pytest.mark.parametrize("operation", ["register", "upsert", "subscribe", "edit"])
@pytest.mark.parametrize("status", ["awaiting_confirmation", "unsubscribed"])
def test_statuses_a_record_names_are_set_as_sent(project, operation, status):
    """R56: on the profile it ends in, though a merge of stored customers would keep `subscribed`."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, subscriptions=[subscription("email")]).id
    send = {"day": 2, "subscriptions": [subscription("email", status)]}
    if operation == "edit":
        shop.website.edit(ann, **send)
    else:
        assert getattr(shop.website, operation)(email=ANN, **send).id == ann
    assert shop.profile(ann)["subscriptions"] == {"email": status}


def test_a_record_that_makes_stored_customers_merge_still_sets_its_status(project):
    """R56, R37: the record's status is set on the profile it ends in."""
    shop = project()
    one, two = shop.two(
        {"email": ANN, "subscriptions": [subscription("email")]},
        {"mobile_phone": PHONE, "subscriptions": [subscription("email")]},
    )
    edited = shop.website.edit(two, email=ANN, subscriptions=[subscription("email", "unsubscribed")])
    assert (edited.id, edited.merged) == (one, [two])
    assert shop.profile(one)["subscriptions"] == {"email": "unsubscribed"}


def test_subscriptions_stay_with_the_customer_who_loses_a_contact(project):
    """R56: the winner gets none."""
    shop = project()
    one = shop.landing.subscribe(day=1, email=ANN, mobile_phone=PHONE, subscriptions=[subscription("sms")]).id
    two = shop.website.order("1", 2, {"email": BOB, "mobile_phone": PHONE}).id
    assert shop.profile(one)["subscriptions"] == {"sms": "subscribed"}
    assert shop.profile(two) == {
        "emails": {BOB: "primary"},
        "mobile_phones": {PHONE: "primary"},
        "orders": 1,
    }


def test_topics_are_subscribed_one_by_one(project):
    """R56, R37: no topic is a key of its own."""
    shop = project()
    ann = shop.website.subscribe(
        email=ANN,
        subscriptions=[subscription("email"), subscription("email", topic="news"), subscription("sms")],
    ).id
    shop.website.subscribe(maestra_id=ann, subscriptions=[subscription("email", "unsubscribed")])
    assert shop.profile(ann)["subscriptions"] == {
        "email": "unsubscribed",
        "email/news": "subscribed",
        "sms": "subscribed",
    }


# --- orders, points, promo codes ---


def test_an_order_makes_or_finds_its_customer(project):
    """R57: an upsert of the order's customer."""
    shop = project()
    first = shop.website.order("1", 1, {"crm_id": "1", "email": ANN}, total="59.90")
    second = shop.website.order("2", 2, {"crm_id": "1"}, total="10.10")
    assert [(o.status_code, o.status, o.id) for o in (first, second)] == [
        (201, "created", first.id),
        (201, "changed", first.id),
    ]
    facts = shop.customer(first.id)["facts"]
    assert (facts["orders_count"], float(facts["orders_total"])) == (2, 70.0)


def test_the_order_counts_before_anything_is_decided(project):
    """R57, R29: the customer wins the phone by the order that brings it."""
    shop = project()
    rival = shop.website.register(day=9, email=ANN, mobile_phone=PHONE).id
    shop.website.register(day=1, email=BOB, crm_id="2")
    two = shop.website.order("1", 5, {"crm_id": "2", "mobile_phone": PHONE})
    assert two.settled == [("mobile_phone", two.id, rival, "orders")]


def test_the_order_counts_at_placed_at(project):
    """R57, R29: both have orders; the import arrives later, but its order was placed earlier."""
    shop = project()
    one = shop.website.order("1", 5, {"email": ANN, "mobile_phone": PHONE}).id
    two = shop.crm_import.order("2", 3, {"day": None, "email": BOB, "mobile_phone": PHONE})
    assert two.settled == [("mobile_phone", one, two.id, "last_activity")]
    assert moment(shop.customer(two.id)["facts"]["last_activity_at"]) == moment(at(3))


def test_an_order_number_sent_again_updates_the_order(project):
    """R57: 200, counted once."""
    shop = project()
    ann = shop.website.order("1", 1, {"email": ANN}, total="10.00").id
    again = shop.website.order("1", 1, {"email": ANN}, total="12.50")
    assert (again.status_code, again.id, again.warnings) == (200, ann, [])
    facts = shop.customer(ann)["facts"]
    assert (facts["orders_count"], float(facts["orders_total"])) == (1, 12.5)


def test_an_updated_order_stays_with_its_first_customer(project):
    """R57: with a warning if the record found another."""
    shop = project()
    ann = shop.website.order("1", 1, {"crm_id": "1"}).id
    bob = shop.website.register(day=1, crm_id="2").id
    again = shop.website.order("1", 2, {"crm_id": "2"}, total="99.00")
    assert (again.status_code, len(again.warnings)) == (200, 1)
    assert float(shop.customer(ann)["facts"]["orders_total"]) == 99.0
    assert shop.customer(bob)["facts"]["orders_count"] == 0


def test_cancelled_orders_count_for_priority(project):
    """R57, R29: somebody who once ordered is a customer."""
    shop = project()
    one = shop.website.order("1", 1, {"email": ANN, "mobile_phone": PHONE}, status="cancelled").id
    two = shop.website.register(day=5, email=BOB, mobile_phone=PHONE)
    assert two.settled == [("mobile_phone", one, two.id, "orders")]


def test_points_and_promo_codes_find_their_customer_by_lookup(project):
    """R58: as in edit; nobody is made."""
    shop = project()
    ann = shop.website.register(email=ANN, crm_id="1").id
    assert [
        shop.website.points({"crm_id": "1"}, 5, "p").id,
        shop.website.promo_code({"email": ANN}, "C").id,
    ] == [ann] * 2
    assert (shop.profile(ann)["points"], shop.profile(ann)["promo_codes"]) == (5, 1)
    with shop.refuses("customer_not_found"):
        shop.website.points({"crm_id": "9"}, 5, "q")
    with shop.refuses("customer_not_found"):
        shop.website.promo_code({"email": BOB}, "D")
    with shop.refuses("validation_error"):
        shop.website.points({"crm_id": "1", "email": ANN}, 5, "q")


def test_a_number_or_code_sent_again_changes_nothing(project):
    """R58: 201 the first time, 200 then."""
    shop = project()
    ann = shop.website.register(email=ANN).id
    firsts = [shop.website.points(ann, 5, "p"), shop.website.promo_code(ann, "C")]
    with shop.nothing_changes():
        again = [shop.website.points(ann, 500, "p"), shop.website.promo_code(ann, "C", day=9)]
    assert [o.status_code for o in (*firsts, *again)] == [201, 201, 200, 200]


def test_a_number_or_code_of_another_customer_is_invalid(project):
    """R58: it is not moved."""
    shop = project()
    ann, bob = shop.two({"email": ANN}, {"email": BOB})
    shop.website.points(ann, 5, "p")
    shop.website.promo_code(ann, "C")
    with shop.refuses("validation_error"):
        shop.website.points(bob, 5, "p")
    with shop.refuses("validation_error"):
        shop.website.promo_code(bob, "C")


def test_points_may_be_spent(project):
    """R58: amounts add up to the balance."""
    shop = project()
    ann = shop.website.register(email=ANN).id
    for number, amount in enumerate((100, -30, 5)):
        shop.website.points(ann, amount, f"p-{number}")
    assert shop.profile(ann)["points"] == 75


def test_a_batch_gives_what_one_by_one_gives(project):
    """R17: records of one batch see each other, in order."""
    shop = project()
    records = [
        {"day": 1, "crm_id": "1", "email": ANN},
        {"day": 2, "crm_id": "1", "mobile_phone": PHONE},
        {"day": 3, "email": ANN, "discount_card": CARD},
        {"day": 4, "crm_id": "2", "email": BOB, "mobile_phone": PHONE},
        {"day": 5, "device_id": DEVICE_2, "mobile_phone": PHONE_3},
    ]
    results = shop.website.batch(*records)
    first = results[0]["maestra_id"]
    assert [r["status"] for r in results] == ["created", "changed", "joined", "created", "created"]
    assert [r["maestra_id"] == first for r in results] == [True, True, True, False, False]
    assert shop.profile(first) == {
        "ids": {"crm_id": "1"},
        "emails": {ANN: "primary"},
        "discount_cards": {CARD: ""},
        "notes": [results[3]["maestra_id"]],
    }


def test_a_confirming_point_registers_contacts_as_pending(project):
    """R16, R45: held, but not confirmed."""
    shop = project(app={"mobile_phone": CONFIRM})
    ann = shop.app.register(mobile_phone=PHONE, email=ANN)
    assert shop.profile(ann.id) == {"emails": {ANN: "primary"}, "mobile_phones": {PHONE: "primary pending"}}
