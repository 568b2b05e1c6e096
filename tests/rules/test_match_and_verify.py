"""Section 4 of the rulebook: match and verify."""

from itertools import pairwise

import pytest
from django.core.management.base import CommandError

from tests.scenarios.api import (
    ACCESS,
    ANN,
    BOB,
    CARD,
    CARD_2,
    CONFIRM,
    DEVICE,
    EVE,
    HASH,
    NO_MERGE,
    PHONE,
    PHONE_2,
    PHONE_3,
    mentions,
    names_in,
)

STRENGTH = {
    "email": ANN,
    "mobile_phone": PHONE,
    "discount_card": CARD,
    "session_key": "s-1",
    "device_id": DEVICE,
    "mobile_device_id": "m-1",
    "payment_card_hash": HASH,
}
MATCHES = pytest.mark.parametrize("kind", list(STRENGTH))
CONFIRMED_PHONE = {"value": PHONE, "is_confirmed": True}


# --- joining and merging ---


@MATCHES
def test_a_record_joins_the_customer_who_holds_what_it_brought(project, kind):
    """R22: no veto, so one profile, without a MaestraID of the record's own."""
    shop = project()
    one = shop.website.register(day=1, **{kind: STRENGTH[kind], "crm_id": "1"}).id
    joined = shop.website.register(day=2, **{kind: STRENGTH[kind], "website_id": "2"})
    assert (joined.status_code, joined.status, joined.id) == (200, "joined", one)
    assert (joined.merged, joined.merge_ids, joined.customer["former_maestra_ids"]) == ([], [], [])
    assert joined.customer["ids"] == {**joined.customer["ids"], "crm_id": "1", "website_id": "2"}


def test_a_newsletter_form_filled_in_by_a_known_customer_leaves_one_profile(project):
    """R22: and the next new customer's MaestraID is the only other one."""
    shop = project()
    one = shop.website.register(day=1, email=ANN).id
    shop.landing.upsert(day=2, email=ANN, first_name="Ann")
    shop.landing.register(day=3, email=ANN, mobile_phone=PHONE)
    assert shop.listed() == {one}


def test_a_join_shows_in_the_history(project):
    """R22, R41: a joined entry with its reason beside the field entries."""
    shop = project()
    one = shop.website.register(day=1, email=ANN).id
    shop.website.register(day=2, email=ANN, mobile_phone=PHONE)
    (joined,) = shop.history(one, "joined")
    assert (joined["reason"], joined["maestra_id"]) == ("matched_exactly", one)
    assert len(shop.history(one, "mobile_phone")) == 1
    assert shop.history(one, "merged") == []


def test_a_join_follows_the_survivorship_of_a_merge_not_of_an_edit(project):
    """R22, R34: the record counts as a customer with what it brought."""
    shop = project()
    one = shop.website.order("1", 1, {"email": ANN, "first_name": "Ann"}).id
    shop.website.register(day=2, email=ANN, last_name="Smith", custom_fields={"city": "Rome"})
    assert shop.profile(one)["personal"] == {"first_name": "Ann"}
    assert shop.profile(one)["custom_fields"] == {"city": "Rome"}


@MATCHES
def test_two_stored_customers_that_an_edit_joins_do_merge(project, kind):
    """R22: with a merge in the journal."""
    shop = project()
    one = shop.website.register(day=1, crm_id="1", **{kind: STRENGTH[kind]}).id
    two = shop.website.register(day=2, website_id="2").id
    edited = shop.website.edit(two, day=3, **{kind: STRENGTH[kind]})
    assert (edited.status, edited.id, edited.merged, len(edited.merge_ids)) == ("changed", one, [two], 1)
    assert len(shop.pages(f"customers/{one}/merges/")) == 1


@pytest.mark.parametrize(("stronger", "weaker"), list(pairwise(STRENGTH)))
def test_the_stronger_kind_is_tested_first(project, stronger, weaker):
    """R22: its holder takes the record, though the other has the lower MaestraID; then the IDs veto him."""
    shop = project(kinds={"crm_id": NO_MERGE})
    by_weaker = shop.website.register(day=1, crm_id="1", **{weaker: STRENGTH[weaker]}).id
    by_stronger = shop.website.register(day=2, crm_id="2", **{stronger: STRENGTH[stronger]}).id
    joined = shop.website.register(day=3, **{kind: STRENGTH[kind] for kind in (stronger, weaker)})
    assert (joined.id, joined.merged) == (by_stronger, [])
    assert shop.customer(by_weaker)["maestra_id"] == by_weaker


@pytest.mark.parametrize("kind", ["email", "mobile_phone", "discount_card", "session_key"])
def test_within_a_kind_the_lower_maestra_id_is_tested_first(project, kind):
    """R22: whatever the order in the record."""
    values = {"email": [BOB, ANN], "mobile_phone": [PHONE_2, PHONE]}.get(kind, ["2", "1"])
    shop = project(kinds={"crm_id": NO_MERGE})
    one, two = shop.two({"crm_id": "1", kind: values[1]}, {"crm_id": "2", kind: values[0]})
    joined = shop.website.register(day=3, **{kind: values})
    assert (joined.id, joined.merged) == (one, [])
    assert shop.customer(two)["maestra_id"] == two


def test_the_lower_maestra_id_is_tested_first_among_carriers_of_a_hash(project):
    """R22, R10: several may carry the same."""
    shop = project()
    one = shop.website.order("1", 1, {"email": ANN, "payment_card_hash": HASH}).id
    shop.website.order("2", 2, {"email": BOB, "payment_card_hash": HASH})
    assert shop.website.order("3", 3, {"mobile_phone": PHONE, "payment_card_hash": HASH}).id == one


def test_a_record_merges_all_whom_it_joins(project):
    """R22: no veto, merge, and go on."""
    shop = project()
    one, two = shop.two({"email": ANN}, {"mobile_phone": PHONE})
    three = shop.website.register(day=3, discount_card=CARD).id
    joined = shop.website.register(day=4, email=ANN, mobile_phone=PHONE, discount_card=CARD)
    assert (joined.status, joined.id, joined.merged) == ("joined", one, [two, three])
    assert shop.profile(one) == {
        "former": [two, three],
        "emails": {ANN: "primary"},
        "mobile_phones": {PHONE: "primary"},
        "discount_cards": {CARD: ""},
    }


def test_the_merged_profile_is_the_subject_of_the_next_test(project):
    """R22: the third customer is vetoed by what the first brought in, not by the record."""
    shop = project(kinds={"crm_id": NO_MERGE})
    one, two = shop.two({"email": ANN, "crm_id": "1"}, {"mobile_phone": PHONE})
    three = shop.website.register(day=3, discount_card=CARD, crm_id="3").id
    joined = shop.website.register(day=4, email=ANN, mobile_phone=PHONE, discount_card=CARD)
    assert (joined.id, joined.merged) == (one, [two])
    assert [(c[0], {c[1], c[2]}) for c in joined.settled] == [("discount_card", {one, three})]


def test_only_those_are_met_who_hold_what_the_record_brought(project):
    """R22: one hop; what a merged-in customer holds brings in nobody else."""
    shop = project()
    one = shop.website.order("1", 1, {"email": ANN, "payment_card_hash": HASH}).id
    two = shop.website.order("2", 2, {"email": BOB, "payment_card_hash": HASH}).id
    shop.website.edit(two, email=None)
    assert shop.website.register(day=4, email=ANN, mobile_phone=PHONE).merged == []
    assert {shop.customer(n)["maestra_id"] for n in (one, two)} == {one, two}


# --- vetoes ---


def test_veto_apart_after_an_undo(project):
    """R22, R46: what a person undid is not done again."""
    shop = project()
    one, two = shop.two({"email": ANN}, {"mobile_phone": PHONE})
    shop.website.undo(shop.match(one, two).merge_ids[0])
    assert shop.website.edit(two, email=ANN).merged == []
    assert shop.website.vetoes(one, two) == ["apart"]


def test_veto_apart_holds_for_any_maestra_id_of_either_profile(project):
    """R22: two was held apart from one; three, which two is merged into, is so too."""
    shop = project()
    one, two = shop.two({"email": ANN}, {"mobile_phone": PHONE})
    shop.website.undo(shop.match(one, two).merge_ids[0])
    three = shop.website.register(day=3, discount_card=CARD).id
    shop.website.merge(two, three, resulting=three)
    assert shop.website.vetoes(one, three) == ["apart"]
    with shop.refuses("merge_blocked") as problem:
        shop.website.merge(one, three, resulting=one)
    assert problem.reasons == ["apart"]


def test_veto_different_unique_ids(project):
    """R22, R3: both have a current value of a kind with the switch, and they differ."""
    shop = project(kinds={"crm_id": NO_MERGE})
    one = shop.website.register(day=1, email=ANN, crm_id="1").id
    two = shop.website.register(day=2, email=ANN, crm_id="2")
    assert two.status == "created"
    assert shop.website.vetoes(one, two.id) == ["different_unique_ids"]


def test_veto_different_account_access_of_one_type(project):
    """R22: both have account-access contacts and share none; a common plain card does not help."""
    shop = project(pos={"mobile_phone": ACCESS})
    one = shop.pos.register(day=1, mobile_phone=PHONE, discount_card=CARD).id
    two = shop.pos.register(day=2, mobile_phone=PHONE_2, discount_card=CARD).id
    assert shop.website.vetoes(one, two) == ["different_account_access", "different_phones"]


@pytest.mark.parametrize(("first", "second"), [("mobile_phone", "email"), ("email", "discount_card")])
def test_veto_different_account_access_of_different_types(project, first, second):
    """R22: phone against e-mail is this case too."""
    values = {"mobile_phone": PHONE, "email": ANN, "discount_card": CARD}
    shop = project(pos={first: ACCESS}, landing={second: ACCESS})
    one = shop.pos.register(day=1, session_key="s", **{first: values[first]}).id
    two = shop.landing.register(day=2, session_key="s", **{second: values[second]})
    assert (two.status, shop.website.vetoes(one, two.id)) == ("created", ["different_account_access"])


def test_account_access_on_one_side_only_is_no_veto(project):
    """R22: both must have it."""
    shop = project(pos={"mobile_phone": ACCESS})
    one = shop.pos.register(day=1, mobile_phone=PHONE, discount_card=CARD).id
    assert shop.website.register(day=2, email=ANN, discount_card=CARD).id == one


def test_a_contact_shared_but_flagged_on_one_side_is_not_shared_account_access(project):
    """R22: shared means flagged on both sides."""
    shop = project(pos={"mobile_phone": ACCESS}, landing={"email": ACCESS})
    one = shop.pos.register(day=1, mobile_phone=PHONE).id
    two = shop.landing.register(day=2, mobile_phone=PHONE, email=ANN)
    assert (two.status, two.settled) == (
        "created",
        [("mobile_phone", one, two.id, "access_by_this_contact")],
    )


def test_a_contact_flagged_on_both_sides_is_shared_account_access(project):
    """R22: more of them on one side does not matter."""
    shop = project(pos={"mobile_phone": ACCESS, "discount_card": ACCESS})
    one = shop.pos.register(day=1, mobile_phone=PHONE).id
    joined = shop.pos.upsert(day=2, mobile_phone=PHONE, discount_card=CARD)
    assert (joined.status, joined.id) == ("joined", one)


@pytest.mark.parametrize(
    ("kind", "values", "veto"),
    [("email", (ANN, BOB), "different_emails"), ("mobile_phone", (PHONE, PHONE_2), "different_phones")],
)
def test_veto_different_contacts(project, kind, values, veto):
    """R22: both hold values of the type and share none."""
    shop = project()
    one = shop.website.register(day=1, discount_card=CARD, **{kind: values[0]}).id
    two = shop.website.register(day=2, discount_card=CARD, **{kind: values[1]})
    assert (two.status, shop.website.vetoes(one, two.id)) == ("created", [veto])


@pytest.mark.parametrize("kind", ["email", "mobile_phone"])
def test_one_shared_value_of_the_type_is_enough(project, kind):
    """R22: though each side has others too."""
    a, b, c = {"email": (ANN, BOB, EVE), "mobile_phone": (PHONE, PHONE_2, PHONE_3)}[kind]
    shop = project()
    one = shop.website.register(day=1, **{kind: [a, b]}).id
    assert shop.website.register(day=2, **{kind: [c, b]}).id == one


@pytest.mark.parametrize("kind", ["email", "mobile_phone"])
def test_a_type_held_on_one_side_only_is_no_veto(project, kind):
    """R22: both must hold values of it."""
    shop = project()
    one = shop.website.register(day=1, discount_card=CARD).id
    value = {"email": ANN, "mobile_phone": PHONE}[kind]
    assert shop.website.register(day=2, discount_card=CARD, **{kind: value}).id == one


def test_an_edit_is_judged_with_what_it_brings(project):
    """R22: the e-mail it adds is shared, so the e-mails do not differ."""
    shop = project()
    one, two = shop.two({"email": ANN}, {"email": BOB})
    assert shop.website.edit(two, email=ANN).merged == [two]
    assert shop.customer(two)["maestra_id"] == one


def test_a_claim_matches_nobody_and_vetoes_nothing(project):
    """R22: only held values count."""
    shop = project(app={"mobile_phone": CONFIRM})
    owner = shop.website.order("1", 1, {"email": ANN, "mobile_phone": PHONE}).id
    claimant = shop.app.register(day=2, email=BOB, mobile_phone=PHONE).id
    assert shop.profile(claimant)["claims"] == {"mobile_phone": [PHONE]}
    other = shop.website.register(day=3, discount_card=CARD, mobile_phone=PHONE_2).id
    assert shop.match(claimant, other).merged == [other]
    assert shop.website.register(day=4, mobile_phone=PHONE).id == owner


def test_all_vetoes_are_named_in_their_order(project):
    """R22: not only the first."""
    shop = project(kinds={"crm_id": NO_MERGE}, pos={"mobile_phone": ACCESS}, landing={"email": ACCESS})
    one, two = shop.two({"email": ANN}, {"discount_card": CARD})
    shop.website.undo(shop.match(one, two).merge_ids[0])
    shop.pos.edit(one, crm_id="1", mobile_phone=PHONE)
    shop.landing.edit(two, crm_id="2", email=BOB, mobile_phone=PHONE_2)
    assert shop.website.vetoes(one, two) == [
        "apart",
        "different_unique_ids",
        "different_account_access",
        "different_emails",
        "different_phones",
    ]


def test_a_refused_merge_names_all_its_vetoes(project):
    """R22, R28: those a merge by API does not override."""
    shop = project(kinds={"crm_id": NO_MERGE}, pos={"mobile_phone": ACCESS}, landing={"email": ACCESS})
    one = shop.pos.register(day=1, crm_id="1", mobile_phone=PHONE).id
    two = shop.landing.register(day=2, crm_id="2", email=ANN).id
    with shop.refuses("merge_blocked") as problem:
        shop.website.merge(one, two, resulting=one)
    assert problem.reasons == ["different_unique_ids", "different_account_access"]


def test_values_are_contested_only_after_all_merges(project):
    """R22: the phone's holder is merged in, so only the card is contested."""
    shop = project(kinds={"crm_id": NO_MERGE})
    one = shop.website.register(day=1, crm_id="1", email=ANN).id
    two = shop.website.register(day=2, mobile_phone=PHONE).id
    three = shop.website.register(day=3, crm_id="3", discount_card=CARD).id
    joined = shop.website.register(day=4, discount_card=CARD, mobile_phone=PHONE, email=ANN)
    assert (joined.id, joined.merged) == (one, [two])
    assert joined.settled == [("discount_card", one, three, "last_activity")]


# --- what is no veto ---


@pytest.mark.parametrize(
    "differing",
    [
        {"first_name": ("Ann", "Bob")},
        {"last_name": ("Smith", "Jones")},
        {"birth_date": ("1990-01-31", "1950-12-01")},
        {"gender": ("female", "male")},
        {"discount_card": (CARD, CARD_2)},
        {"custom_fields": ({"city": "Rome"}, {"city": "Oslo"})},
        {"time_zone": ("Europe/Berlin", "Asia/Tokyo")},
        {"crm_id": ("1", "2")},
        {"session_key": ("a", "b")},
        {"device_id": ("a", "b")},
    ],
)
def test_differing_values_of_other_kinds_are_no_veto(project, differing):
    """R23: only the named vetoes are."""
    ((field, (first, second)),) = differing.items()
    shop = project()
    one = shop.website.register(day=1, email=ANN, **{field: first}).id
    assert shop.website.register(day=2, email=ANN, **{field: second}).id == one


def test_both_cards_are_held_after_a_join(project):
    """R23: cards without account access are no contradiction."""
    shop = project()
    one = shop.website.register(day=1, email=ANN, discount_card=CARD).id
    shop.website.register(day=2, email=ANN, discount_card=CARD_2)
    assert shop.profile(one)["discount_cards"] == {CARD: "", CARD_2: ""}


# --- a record with nothing left ---


def two_active_customers(shop):
    return shop.two({"email": ANN, "mobile_phone": PHONE_2}, {"email": BOB, "mobile_phone": PHONE})


@pytest.mark.parametrize(
    "beside", [{}, {"device_id": DEVICE}, {"mobile_device_id": "m"}, {"payment_card_hash": HASH}]
)
def test_a_record_whose_contacts_all_stay_with_two_others_is_ambiguous(project, beside):
    """R24: devices and hashes do not count; nothing changes."""
    shop = project()
    one, two = two_active_customers(shop)
    with shop.refuses("ambiguous_customer") as problem:
        shop.crm_import.register(day=9, email=ANN, mobile_phone=PHONE, **beside)
    assert sorted(problem.body["maestra_ids"]) == [one, two]


@pytest.mark.parametrize("beside", [{"crm_id": "9"}, {"session_key": "s"}, {"discount_card": CARD}])
def test_a_record_that_keeps_an_id_or_card_is_a_customer(project, beside):
    """R24: it is left with something of its own."""
    shop = project()
    one, two = two_active_customers(shop)
    new = shop.crm_import.register(day=9, email=ANN, mobile_phone=PHONE, **beside)
    assert new.status == "created"
    assert sorted(c[1] for c in new.settled) == [one, two]


def test_a_record_that_wins_a_contact_is_a_customer(project):
    """R24: it is left with a held contact."""
    shop = project()
    two_active_customers(shop)
    new = shop.website.register(day=9, email=ANN, mobile_phone=PHONE)
    assert (new.status, shop.profile(new.id)) == (
        "created",
        {"emails": {ANN: "primary"}, "mobile_phones": {PHONE: "primary"}},
    )


# --- both confirmed ---


def two_claimants(shop, **second):
    """The first holds the phone confirmed; the second has it as a claim, or as `second` says."""
    one = shop.app.register(day=1, email=ANN, mobile_phone=CONFIRMED_PHONE).id
    return one, shop.app.register(day=2, **{"email": BOB, "mobile_phone": PHONE, **second})


def test_customers_who_both_confirmed_a_contact_merge_though_their_emails_differ(project):
    """R25: one holds it confirmed, the other confirms its claim."""
    shop = project(app={"mobile_phone": CONFIRM})
    one, two = two_claimants(shop)
    assert two.status == "created"
    confirmed = shop.app.confirm(two.id, 3, mobile_phone=PHONE)
    assert (confirmed.id, confirmed.merged) == (one, [two.id])
    assert set(shop.profile(one)["emails"]) == {ANN, BOB}
    assert shop.profile(one)["mobile_phones"] == {PHONE: "primary confirmed"}
    assert "claims" not in shop.profile(one)


def test_a_record_that_brings_the_contact_confirmed_joins_though_the_emails_differ(project):
    """R25: the record counts too."""
    shop = project(app={"mobile_phone": CONFIRM})
    one, two = two_claimants(shop, mobile_phone=CONFIRMED_PHONE)
    assert (two.status, two.id) == ("joined", one)
    assert set(shop.profile(one)["emails"]) == {ANN, BOB}


def test_a_contact_confirmed_on_one_side_only_does_not_override(project):
    """R25: both must have confirmed it."""
    shop = project(app={"mobile_phone": CONFIRM})
    one, two = two_claimants(shop)
    assert two.settled == [("mobile_phone", one, two.id, "this_contact_confirmed")]


def test_both_confirmed_does_not_override_the_first_three_vetoes(project):
    """R25, R29: the unique IDs differ, so who holds it is decided."""
    shop = project(app={"mobile_phone": CONFIRM}, kinds={"crm_id": NO_MERGE})
    one = shop.app.register(day=1, crm_id="1", mobile_phone=CONFIRMED_PHONE).id
    two = shop.app.register(day=2, crm_id="2", mobile_phone=CONFIRMED_PHONE)
    assert two.settled == [("mobile_phone", two.id, one, "last_activity")]


# --- shared devices ---


@pytest.mark.parametrize("kind", ["device_id", "mobile_device_id"])
def test_a_device_of_more_than_n_customers_joins_nobody_but_still_attaches(project, kind):
    """R26: setting 2, and a third identified customer used it."""
    shop = project(settings={"shared_device_limit": 2})
    for day, email in enumerate((ANN, BOB, EVE), 1):
        last = shop.website.register(day=day, email=email, **{kind: "kiosk"}).id
    new = shop.website.register(day=9, mobile_phone=PHONE, **{kind: "kiosk"})
    assert new.status == "created"
    assert new.moved == [(kind, "kiosk", last, new.id)]


def test_a_device_of_n_customers_still_joins(project):
    """R26: more than N."""
    shop = project(settings={"shared_device_limit": 2})
    shop.website.register(day=1, email=ANN, device_id=DEVICE)
    bob = shop.website.register(day=2, email=BOB, device_id=DEVICE).id
    assert shop.website.register(day=9, mobile_phone=PHONE, device_id=DEVICE).id == bob


def test_by_default_more_than_five_customers_make_a_device_shared(project):
    """R26: the setting's default."""
    shop = project()
    for day in range(1, 6):
        last = shop.website.register(day=day, email=f"p{day}@example.com", device_id=DEVICE).id
    assert shop.website.register(day=8, mobile_phone=PHONE, device_id=DEVICE).id == last
    shop.website.register(day=9, email="p9@example.com", device_id=DEVICE)
    assert shop.website.register(day=10, mobile_phone=PHONE_2, device_id=DEVICE).status == "created"


def test_merged_customers_count_once_for_a_shared_device(project):
    """R26: three who used it, of whom two are one person by now."""
    shop = project(settings={"shared_device_limit": 2})
    one, two = shop.two({"email": ANN, "device_id": DEVICE}, {"email": BOB, "device_id": DEVICE})
    shop.website.merge(one, two, resulting=one)
    three = shop.website.register(day=3, email=EVE, device_id=DEVICE).id
    assert shop.website.register(day=4, mobile_phone=PHONE, device_id=DEVICE).id == three


def test_anonymous_customers_do_not_make_a_device_shared(project):
    """R26: identified customers count."""
    shop = project(settings={"shared_device_limit": 1})
    shop.website.upsert(day=1, device_id=DEVICE)
    ann = shop.website.register(day=2, email=ANN, device_id=DEVICE).id
    assert shop.website.register(day=3, mobile_phone=PHONE, device_id=DEVICE).id == ann


# --- always on, and merges asked for ---


@pytest.mark.parametrize("setting", [{"deduplication": False}, {"deduplication_enabled": False}])
def test_deduplication_cannot_be_switched_off(project, setting):
    """R27: there is no such setting, for the project or for a point."""
    shop = project()
    with pytest.raises(CommandError):
        shop.configure(settings=setting)
    with pytest.raises(CommandError):
        shop.configure(landing=setting)
    assert shop.landing.register(email=ANN).id == shop.landing.register(email=ANN).id


def test_a_merge_by_api_names_the_resulting_customer(project):
    """R28, R33: it keeps its MaestraID, though the other's is lower."""
    shop = project()
    one, two = shop.two({"email": ANN}, {"mobile_phone": PHONE})
    merged = shop.website.merge(one, two, resulting=two)
    assert (merged.status_code, merged.status, merged.id, merged.merged) == (200, "changed", two, [one])
    assert len(merged.merge_ids) == 1
    assert shop.customer(one)["maestra_id"] == two


def test_the_resulting_customer_is_the_priority_customer_throughout(project):
    """R28, R34, R35, R36: though the other has orders."""
    shop = project()
    one = shop.website.order(
        "1", 9, {"email": [ANN], "first_name": "Ann", "crm_id": "1", "custom_fields": {"city": "Rome"}}
    ).id
    two = shop.crm_import.register(
        day=1, email=BOB, first_name="Bob", crm_id="2", custom_fields={"city": "Oslo"}
    ).id
    shop.website.merge(one, resulting=two)
    assert shop.profile(two) == {
        "former": [one],
        "ids": {"crm_id": "2"},
        "former_ids": {"crm_id": ["1"]},
        "emails": {ANN: "", BOB: "primary"},
        "personal": {"first_name": "Bob"},
        "custom_fields": {"city": "Oslo"},
        "orders": 1,
    }


@pytest.mark.parametrize("listed", [True, False])
def test_the_resulting_customer_may_be_in_the_list_or_not(project, listed):
    """R28: both say the same."""
    shop = project()
    one, two = shop.two({"email": ANN}, {"mobile_phone": PHONE})
    merged = shop.website.merge(*([one, two] if listed else [two]), resulting={"email": ANN})
    assert (merged.id, merged.merged) == (one, [two])


def test_a_merge_by_api_overrides_different_emails_and_phones(project):
    """R28: both values are held then."""
    shop = project()
    one, two = shop.two({"email": ANN, "mobile_phone": PHONE}, {"email": BOB, "mobile_phone": PHONE_2})
    shop.website.merge(one, two, resulting=one)
    assert shop.profile(one) == {
        "former": [two],
        "emails": {ANN: "primary", BOB: ""},
        "mobile_phones": {PHONE: "primary", PHONE_2: ""},
    }


def test_several_customers_merge_all_or_none(project):
    """R28: in the order given; one of them may not, so none does."""
    shop = project(kinds={"crm_id": NO_MERGE})
    one, two = shop.two({"email": ANN, "crm_id": "1"}, {"mobile_phone": PHONE})
    three = shop.website.register(day=3, discount_card=CARD).id
    four = shop.website.register(day=4, website_id="4", crm_id="4").id
    with shop.refuses("merge_blocked") as problem:
        shop.website.merge(two, three, four, resulting=one)
    assert problem.reasons == ["different_unique_ids"]
    merged = shop.website.merge(three, two, resulting=one)
    assert (sorted(merged.merged), len(merged.merge_ids)) == ([two, three], 2)


def test_a_merge_of_nobody_is_not_found(project):
    """R28, R19: any of the look-ups."""
    shop = project()
    one = shop.website.register(email=ANN).id
    with shop.refuses("customer_not_found"):
        shop.website.merge({"email": BOB}, resulting=one)
    with shop.refuses("customer_not_found"):
        shop.website.merge(one, resulting={"email": BOB})


# --- explain and preview are the same engine ---


def test_explain_says_what_matches_what_vetoes_and_who_has_priority(project):
    """R22, R29: without changing anything."""
    shop = project()
    one = shop.website.order("1", 1, {"email": ANN, "mobile_phone": PHONE}).id
    two = shop.website.register(day=2, email=BOB, mobile_phone=PHONE_2).id
    with shop.nothing_changes():
        explained = shop.website.explain(one, two)
    assert names_in(explained["vetoes"], ["different_emails", "different_phones"]) == [
        "different_emails",
        "different_phones",
    ]
    assert mentions(explained, ANN)
    assert mentions(explained, '"orders"')


@pytest.mark.parametrize(
    ("record", "status"),
    [
        ({"email": BOB}, "created"),
        ({"email": ANN, "mobile_phone": PHONE}, "joined"),
        ({"email": BOB, "discount_card": CARD}, "created"),
    ],
)
def test_a_preview_says_what_would_happen_and_writes_nothing(project, record, status):
    """R22: then it happens."""
    shop = project()
    shop.website.register(day=1, email=ANN, discount_card=CARD)
    with shop.nothing_changes():
        preview = shop.website.preview(operation="register", record=record)
    assert preview["status"] == status
    done = shop.website.register(**record)
    assert done.status == status
    assert len(preview["conflicts"]) == len(done.body["conflicts"])


def test_a_merge_agreed_by_preview_is_refused_once_its_customers_changed(project):
    """R28: stale_preview; unchanged it goes through."""
    shop = project()
    one, two = shop.two({"email": ANN}, {"mobile_phone": PHONE})
    asked = {"customers": [{"maestra_id": one}, {"maestra_id": two}], "resulting": {"maestra_id": one}}
    stale = shop.website.preview(operation="merge", **asked)["preview_token"]
    shop.website.edit(two, first_name="Ann")
    with shop.refuses("stale_preview"):
        shop.website.merge(one, two, resulting=one, preview_token=stale)
    fresh = shop.website.preview(operation="merge", **asked)["preview_token"]
    assert shop.website.merge(one, two, resulting=one, preview_token=fresh).merged == [two]
