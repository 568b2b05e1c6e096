"""Section 7 of the rulebook: editing and confirming."""

import re
from datetime import timedelta

import pytest

from tests.scenarios.api import (
    ACCESS,
    ANN,
    BOB,
    CARD,
    CARD_2,
    CONFIRM,
    DEVICE,
    EVE,
    NO_MERGE,
    PHONE,
    PHONE_2,
    RefusedError,
    at,
    happened,
    mentions,
    moment,
    subscription,
)

FULL = {
    "last_name": "Smith",
    "first_name": "Ann",
    "middle_name": "B.",
    "birth_date": "1990-01-31",
    "gender": "female",
}
OTHER = {
    "last_name": "Jones",
    "first_name": "Bea",
    "middle_name": "C.",
    "birth_date": "1991-02-01",
    "gender": "other",
}


def confirmed(value):
    return {"value": value, "is_confirmed": True}


def personal(shop, maestra_id):
    return shop.profile(maestra_id).get("personal", {})


def code_in(texts, phone):
    """The code of the last text to that phone."""
    text = [text for to, text in texts if to == phone][-1]
    return re.findall(r"(?<!\d)\d{4,8}(?!\d)", text)[0]


def token_in(mail):
    return re.findall(r"/confirm/([^/\s]+)/", mail.body)[0]


# --- personal data ---


@pytest.mark.parametrize("field", list(FULL))
def test_sent_values_that_contradict_nothing_are_added(project, field):
    """R42: the rest of the set stays."""
    shop = project()
    rest = {key: value for key, value in FULL.items() if key != field}
    ann = shop.website.register(day=1, email=ANN, **rest).id
    shop.website.edit(ann, **{field: FULL[field]})
    assert personal(shop, ann) == FULL


@pytest.mark.parametrize("field", list(FULL))
def test_one_contradicting_value_clears_the_whole_set(project, field):
    """R42: only what was sent stays, the agreeing values too."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, **FULL).id
    agreeing = "first_name" if field != "first_name" else "last_name"
    shop.website.edit(ann, **{field: OTHER[field], agreeing: FULL[agreeing]})
    assert personal(shop, ann) == {field: OTHER[field], agreeing: FULL[agreeing]}


def test_values_are_compared_trimmed(project):
    """R42: blanks are no contradiction."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, **FULL).id
    shop.website.edit(ann, first_name="  Ann ", last_name="Smith\t")
    assert personal(shop, ann) == FULL


@pytest.mark.parametrize(
    ("stored", "sent"),
    [("Ann", "ANN"), ("O'Brien", "O\u2019Brien"), ("Ann-Lee", "Ann\u2010Lee"), ("Ren\u00e9", "Rene\u0301")],
)
def test_another_form_of_a_name_is_no_contradiction(project, stored, sent):
    """R42: compared without case, accents' form, apostrophes and hyphens; the stored form stays."""
    shop = project()
    full = {**FULL, "first_name": stored}
    ann = shop.website.register(day=1, email=ANN, **full).id
    edited = shop.website.edit(ann, first_name=sent)
    assert (edited.status, edited.warnings, personal(shop, ann)) == ("unchanged", [], full)


def test_what_a_contradiction_cleared_is_told(project):
    """R42: a warning names what went."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, last_name="Smith", birth_date="1990-01-31").id
    edited = shop.website.edit(ann, last_name="Jones", gender="other")
    assert personal(shop, ann) == {"last_name": "Jones", "gender": "other"}
    assert [(w["code"], w["fields"]) for w in edited.warnings] == [
        ("personal_data_replaced", ["personal.last_name", "personal.birth_date"])
    ]
    cleared = shop.website.edit(ann, gender=None)
    assert (cleared.status, cleared.warnings) == ("changed", [])


def test_nothing_sent_changes_nothing(project):
    """R42: neither does an empty set."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, **FULL).id
    shop.website.edit(ann, custom_fields={"city": "Rome"})
    shop.website.done("customers/edit/", {"lookup": {"maestra_id": ann}, "personal": {}})
    assert personal(shop, ann) == FULL


def test_the_time_zone_is_not_part_of_the_set(project):
    """R42: it is edited by itself."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, time_zone="Europe/Berlin", first_name="Ann").id
    shop.website.edit(ann, time_zone="Asia/Tokyo")
    assert personal(shop, ann) == {"first_name": "Ann"}
    shop.website.edit(ann, first_name="Bea")
    assert shop.customer(ann)["time_zone"] == "Asia/Tokyo"


def test_a_found_upsert_edits_and_a_join_does_not(project):
    """R42, R34: the upsert adds to the set, the join takes one whole set."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, crm_id="1", first_name="Ann").id
    shop.website.upsert(day=2, crm_id="1", last_name="Smith")
    assert personal(shop, ann) == {"first_name": "Ann", "last_name": "Smith"}
    shop.website.register(day=3, email=ANN, gender="female")
    assert personal(shop, ann) == {"gender": "female"}


def test_the_history_says_what_was_before_and_after(project):
    """R42: a personal_data entry with both."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, first_name="Ann").id
    shop.website.edit(ann, day=2, first_name="Bea")
    entry = shop.history(ann, "personal_data")[-1]
    assert (happened(entry), mentions(entry, "Ann"), mentions(entry, "Bea")) == (
        moment(at(2)),
        True,
        True,
    )


# --- new contact values ---


@pytest.mark.parametrize(("kind", "old", "new"), [("email", ANN, BOB), ("mobile_phone", PHONE, PHONE_2)])
def test_a_new_contact_value_becomes_primary_and_the_old_one_stays(project, kind, old, new):
    """R43: held as secondary."""
    shop = project()
    ann = shop.website.register(day=1, **{kind: old}).id
    shop.website.edit(ann, **{kind: new})
    assert shop.profile(ann) == {f"{kind}s": {old: "", new: "primary"}}


def test_a_new_card_stands_beside_the_old_one(project):
    """R43, R7: both are held."""
    shop = project()
    ann = shop.website.register(day=1, discount_card=CARD).id
    shop.website.edit(ann, discount_card=CARD_2)
    assert shop.profile(ann)["discount_cards"] == {CARD: "", CARD_2: ""}


@pytest.mark.parametrize(("kind", "old", "new"), [("email", ANN, BOB), ("mobile_phone", PHONE, PHONE_2)])
def test_a_value_to_be_confirmed_waits_where_the_primary_is_confirmed(project, kind, old, new):
    """R43: as a claim, matching nobody, until confirmed; then it is primary."""
    shop = project(app={kind: CONFIRM})
    ann = shop.app.register(day=1, **{kind: confirmed(old)}).id
    shop.app.edit(ann, day=2, **{kind: new})
    assert shop.profile(ann) == {f"{kind}s": {old: "primary confirmed"}, "claims": {kind: [new]}}
    assert shop.website.finds(**{kind: new}) is None
    shop.app.confirm(ann, 3, **{kind: new})
    assert shop.profile(ann) == {f"{kind}s": {old: "confirmed", new: "primary confirmed"}}


def test_a_waiting_value_may_be_registered_by_another(project):
    """R43: it matches nobody, and nobody holds it."""
    shop = project(app={"email": CONFIRM})
    ann = shop.app.register(day=1, email=confirmed(ANN)).id
    shop.app.edit(ann, day=2, email=BOB)
    bob = shop.website.register(day=3, email=BOB)
    assert (bob.status, shop.profile(ann)["claims"]) == ("created", {"email": [BOB]})


def test_a_waiting_value_that_another_holds_is_left_to_him(project):
    """R43, R22: the claim matches nobody, so nothing merges."""
    shop = project(app={"email": CONFIRM})
    ann = shop.app.register(day=1, email=confirmed(ANN)).id
    bob = shop.website.register(day=2, email=BOB).id
    edited = shop.app.edit(ann, day=3, email=BOB)
    assert (edited.merged, shop.website.finds(email=BOB)) == ([], bob)


def test_where_the_primary_is_not_confirmed_the_new_value_takes_its_place(project):
    """R43: pending, but primary."""
    shop = project(app={"email": CONFIRM})
    ann = shop.website.register(day=1, email=ANN).id
    shop.app.edit(ann, day=2, email=BOB)
    assert shop.profile(ann)["emails"] == {ANN: "", BOB: "primary pending"}


def test_a_value_sent_confirmed_does_not_wait(project):
    """R43: it is confirmed already."""
    shop = project(app={"email": CONFIRM})
    ann = shop.app.register(day=1, email=confirmed(ANN)).id
    shop.app.edit(ann, day=2, email=confirmed(BOB))
    assert shop.profile(ann)["emails"] == {ANN: "confirmed", BOB: "primary confirmed"}


def test_a_point_that_does_not_confirm_replaces_a_confirmed_primary(project):
    """R43: the exception is the confirming point's."""
    shop = project(app={"email": CONFIRM})
    ann = shop.app.register(day=1, email=confirmed(ANN)).id
    shop.website.edit(ann, day=2, email=BOB)
    assert shop.profile(ann)["emails"] == {ANN: "confirmed", BOB: "primary"}


# --- clearing ---

WHOLE = {
    "email": [ANN, BOB],
    "mobile_phone": [PHONE, PHONE_2],
    "discount_card": [CARD, CARD_2],
    "crm_id": "1",
    "session_key": ["s-1", "s-2"],
    "time_zone": "Europe/Berlin",
    "custom_fields": {"city": "Rome", "shoe_size": 42},
    "first_name": "Ann",
    "last_name": "Smith",
}


@pytest.mark.parametrize(
    ("sent", "gone"),
    [
        ({"email": None}, "emails"),
        ({"mobile_phone": None}, "mobile_phones"),
        ({"discount_card": None}, "discount_cards"),
        ({"time_zone": None}, "time_zone"),
    ],
)
def test_null_clears_a_contact_type_or_a_field(project, sent, gone):
    """R44: all values of the type, and nothing else."""
    shop = project()
    ann = shop.website.register(day=1, **WHOLE).id
    before = shop.profile(ann)
    shop.website.edit(ann, **sent)
    assert shop.profile(ann) == {key: value for key, value in before.items() if key != gone}


def test_null_clears_one_personal_field_and_one_custom_field(project):
    """R44: a cleared value contradicts nothing, the rest stays."""
    shop = project()
    ann = shop.website.register(day=1, **WHOLE).id
    shop.website.edit(ann, last_name=None, custom_fields={"city": None})
    body = shop.profile(ann)
    assert (body["personal"], body["custom_fields"]) == ({"first_name": "Ann"}, {"shoe_size": 42})


def test_null_clears_an_identifier(project):
    """R44: all of a non-unique kind; they find nobody then."""
    shop = project()
    ann = shop.website.register(day=1, **WHOLE).id
    shop.website.edit(ann, session_key=None)
    assert shop.profile(ann)["ids"] == {"crm_id": "1"}
    assert [shop.website.finds(session_key=key) for key in ("s-1", "s-2")] == [None, None]


@pytest.mark.parametrize(("kinds", "former"), [({}, {"crm_id": ["1"]}), ({"crm_id": NO_MERGE}, None)])
def test_a_cleared_unique_value_goes_to_history_where_history_search_is_on(project, kinds, former):
    """R44, R3: there it still finds the customer."""
    shop = project(kinds=kinds)
    ann = shop.website.register(day=1, **WHOLE).id
    shop.website.edit(ann, crm_id=None)
    assert "crm_id" not in shop.profile(ann)["ids"]
    assert shop.website.finds(crm_id="1") == (ann if former else None)
    if former:
        assert shop.profile(ann)["former_ids"] == former


def test_clearing_a_contact_type_clears_its_claims_and_pending_confirmations(project, texts):
    """R44, R45: their codes are invalid then."""
    shop = project(app={"mobile_phone": CONFIRM})
    shop.website.order("1", 1, {"email": BOB, "mobile_phone": PHONE})
    ann = shop.app.register(day=2, email=ANN, mobile_phone=PHONE).id
    code = code_in(texts, PHONE)
    shop.app.edit(ann, mobile_phone=None)
    assert "claims" not in shop.profile(ann)
    with shop.refuses("code_invalid"):
        shop.app.confirm_code(ann, code, mobile_phone=PHONE)


def test_account_access_can_be_cleared(project):
    """R44, R31: the contact is free then."""
    shop = project(pos={"mobile_phone": ACCESS})
    ann = shop.pos.register(day=1, mobile_phone=PHONE, crm_id="1").id
    shop.pos.edit(ann, mobile_phone=None)
    assert shop.profile(ann) == {"ids": {"crm_id": "1"}}
    assert shop.pos.register(day=2, mobile_phone=PHONE).status == "created"


def test_the_last_identifier_can_be_cleared(project):
    """R44: the customer remains under its MaestraID."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, first_name="Ann").id
    shop.website.edit(ann, email=None)
    assert shop.profile(ann) == {"personal": {"first_name": "Ann"}}
    assert shop.website.finds(maestra_id=ann) == ann
    assert shop.website.edit(ann, email=BOB).id == ann


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"email": ""},
        {"email": []},
        {"mobile_phone": ""},
        {"crm_id": ""},
        {"session_key": []},
        {"first_name": "", "last_name": " "},
        {"time_zone": ""},
        {"custom_fields": {}},
        {"subscriptions": []},
        {"segments": []},
    ],
)
def test_absent_or_empty_changes_nothing(project, sent):
    """R44: only null clears."""
    shop = project()
    ann = shop.website.register(day=1, **WHOLE).id
    before = shop.profile(ann)
    shop.website.edit(ann, **sent)
    assert shop.profile(ann) == before


def test_fill_sets_only_what_is_empty(project):
    """R44: and ignores what conflicts; a contact only where none of the type is held."""
    shop = project()
    ann = shop.website.register(
        day=1, crm_id="1", email=ANN, first_name="Ann", custom_fields={"city": "Rome"}
    ).id
    filled = shop.website.upsert(
        crm_id="1",
        website_id="a",
        email=BOB,
        mobile_phone=PHONE,
        first_name="Ann",
        last_name="Smith",
        time_zone="Asia/Tokyo",
        custom_fields={"city": "Oslo", "colour": "red"},
        mode="fill",
    )
    assert filled.status == "changed"
    assert shop.profile(ann) == {
        "ids": {"crm_id": "1", "website_id": "a"},
        "emails": {ANN: "primary"},
        "mobile_phones": {PHONE: "primary"},
        "personal": {"first_name": "Ann", "last_name": "Smith"},
        "time_zone": "Asia/Tokyo",
        "custom_fields": {"city": "Rome", "colour": "red"},
    }


def test_fill_ignores_personal_data_that_contradict_whole(project):
    """R44: a family name of somebody else is not put beside a first name."""
    shop = project()
    ann = shop.website.register(day=1, crm_id="1", first_name="Ann").id
    filled = shop.website.upsert(crm_id="1", first_name="Bea", last_name="Smith", mode="fill")
    assert (filled.status, personal(shop, ann)) == ("unchanged", {"first_name": "Ann"})


@pytest.mark.parametrize("by", [{"email": ANN}, {"crm_id": "1"}], ids=["joined", "found"])
def test_what_fill_ignores_matches_nobody(project, by):
    """R44, R41: another's card is ignored where the customer has one, found by an ID or joined."""
    shop = project()
    ann = shop.website.register(day=1, crm_id="1", email=ANN, discount_card=CARD).id
    bob = shop.website.register(day=1, crm_id="2", mobile_phone=PHONE, discount_card=CARD_2).id
    before = shop.profile(ann), shop.profile(bob)
    filled = shop.website.upsert(**by, discount_card=CARD_2, mode="fill")
    assert (filled.id, filled.merged, filled.body["conflicts"]) == (ann, [], [])
    assert (shop.profile(ann), shop.profile(bob)) == before
    assert shop.history(ann, "merged") == []


def test_overwrite_is_the_other_mode(project):
    """R44, R42: said or not."""
    shop = project()
    ann = shop.website.register(day=1, crm_id="1", custom_fields={"city": "Rome"}).id
    shop.website.upsert(crm_id="1", custom_fields={"city": "Oslo"}, mode="overwrite")
    assert shop.profile(ann)["custom_fields"] == {"city": "Oslo"}
    shop.website.upsert(crm_id="1", custom_fields={"city": "Bonn"})
    assert shop.profile(ann)["custom_fields"] == {"city": "Bonn"}


# --- confirming ---


def test_a_contact_through_a_confirming_point_is_pending_until_confirmed(project):
    """R45: confirming a held contact marks it confirmed, with an entry in the history."""
    shop = project(app={"mobile_phone": CONFIRM})
    ann = shop.app.register(day=1, mobile_phone=PHONE).id
    assert shop.profile(ann)["mobile_phones"] == {PHONE: "primary pending"}
    confirmation = shop.app.confirm(ann, 2, mobile_phone=PHONE)
    assert (confirmation.status_code, confirmation.status) == (200, "changed")
    assert shop.profile(ann)["mobile_phones"] == {PHONE: "primary confirmed"}
    assert len(shop.history(ann, "confirmed")) == 1


def test_the_system_sends_a_link_by_email(project, mailoutbox):
    """R45: single-use; it confirms."""
    shop = project(app={"email": CONFIRM})
    ann = shop.app.register(email=ANN).id
    (mail,) = mailoutbox
    assert mail.to == [ANN]
    assert shop.app.confirm_token(token_in(mail)).id == ann
    assert shop.profile(ann)["emails"] == {ANN: "primary confirmed"}
    with pytest.raises(RefusedError) as again:
        shop.app.confirm_token(token_in(mail))
    assert again.value.status == 409


def test_the_system_sends_a_code_by_text(project, texts):
    """R45: single-use; it confirms."""
    shop = project(app={"mobile_phone": CONFIRM})
    ann = shop.app.register(mobile_phone=PHONE).id
    assert [phone for phone, _ in texts] == [PHONE]
    code = code_in(texts, PHONE)
    assert shop.app.confirm_code(ann, code, mobile_phone=PHONE).id == ann
    assert shop.profile(ann)["mobile_phones"] == {PHONE: "primary confirmed"}
    with pytest.raises(RefusedError) as again:
        shop.app.confirm_code(ann, code, mobile_phone=PHONE)
    assert again.value.status == 409


def test_nothing_is_sent_for_contacts_that_need_no_confirmation(project, mailoutbox, texts):
    """R45: plain ones, subscribed ones, and those brought confirmed."""
    shop = project(app={"email": CONFIRM, "mobile_phone": CONFIRM})
    shop.website.register(email=ANN, mobile_phone=PHONE)
    shop.app.subscribe(email=BOB, subscriptions=[subscription("email")])
    shop.app.register(email=confirmed(EVE), mobile_phone=confirmed(PHONE_2))
    assert (mailoutbox, texts) == ([], [])


def test_a_message_is_sent_for_a_claim_too(project, texts):
    """R45: confirming it settles it again."""
    shop = project(app={"mobile_phone": CONFIRM})
    owner = shop.website.order("1", 1, {"email": ANN, "mobile_phone": PHONE}).id
    bob = shop.app.register(day=2, email=BOB, mobile_phone=PHONE).id
    settled = shop.app.confirm_code(bob, code_in(texts, PHONE), mobile_phone=PHONE)
    assert settled.settled == [("mobile_phone", bob, owner, "this_contact_confirmed")]
    assert shop.profile(bob)["mobile_phones"] == {PHONE: "primary confirmed"}
    assert shop.profile(owner)["emails"] == {ANN: "primary"}
    assert "mobile_phones" not in shop.profile(owner)


def test_confirming_a_claim_keeps_the_flags_its_record_gave_it(project):
    """R45: it gives account access as the point said."""
    shop = project(app={"mobile_phone": {**CONFIRM, **ACCESS}})
    ann = shop.app.register(day=1, mobile_phone=confirmed(PHONE)).id
    shop.app.edit(ann, day=2, mobile_phone=PHONE_2)
    assert shop.profile(ann)["claims"] == {"mobile_phone": [PHONE_2]}
    shop.app.confirm(ann, 3, mobile_phone=PHONE_2)
    assert shop.profile(ann)["mobile_phones"] == {
        PHONE: "confirmed access",
        PHONE_2: "primary confirmed access",
    }


@pytest.mark.parametrize("freed_by", ["clearing", "erasure"])
def test_a_claim_is_not_promoted_when_its_value_becomes_free(project, freed_by):
    """R45: only when confirmed or sent again."""
    shop = project(app={"mobile_phone": CONFIRM})
    owner = shop.website.order("1", 1, {"email": ANN, "mobile_phone": PHONE}).id
    bob = shop.app.register(day=2, email=BOB, mobile_phone=PHONE).id
    if freed_by == "clearing":
        shop.website.edit(owner, mobile_phone=None)
    else:
        shop.website.delete(f"customers/{owner}/")
    assert shop.profile(bob)["claims"] == {"mobile_phone": [PHONE]}
    assert shop.website.finds(mobile_phone=PHONE) is None
    shop.app.edit(bob, day=3, mobile_phone=PHONE)
    assert shop.profile(bob)["mobile_phones"] == {PHONE: "primary pending"}
    assert "claims" not in shop.profile(bob)


def test_a_claim_whose_value_is_free_is_held_when_confirmed(project):
    """R45: nobody contests it."""
    shop = project(app={"mobile_phone": CONFIRM})
    owner = shop.website.order("1", 1, {"email": ANN, "mobile_phone": PHONE}).id
    bob = shop.app.register(day=2, email=BOB, mobile_phone=PHONE).id
    shop.website.edit(owner, mobile_phone=None)
    shop.app.confirm(bob, 3, mobile_phone=PHONE)
    assert shop.profile(bob)["mobile_phones"] == {PHONE: "primary confirmed"}


def test_a_wrong_code_is_invalid(project, texts):
    """R45: and the right one still works."""
    shop = project(app={"mobile_phone": CONFIRM})
    ann = shop.app.register(mobile_phone=PHONE).id
    code = code_in(texts, PHONE)
    with shop.refuses("code_invalid"):
        shop.app.confirm_code(ann, wrong(code), mobile_phone=PHONE)
    assert shop.app.confirm_code(ann, code, mobile_phone=PHONE).id == ann


def wrong(code):
    return code[:-1] + str((int(code[-1]) + 1) % 10)


def test_a_code_lasts_five_tries(project, texts):
    """R45: past them even the right one has expired."""
    shop = project(app={"mobile_phone": CONFIRM})
    ann = shop.app.register(mobile_phone=PHONE).id
    code = code_in(texts, PHONE)
    for _ in range(5):
        with shop.refuses("code_invalid"):
            shop.app.confirm_code(ann, wrong(code), mobile_phone=PHONE)
    with shop.refuses("code_expired"):
        shop.app.confirm_code(ann, code, mobile_phone=PHONE)


@pytest.mark.parametrize(("minutes", "works"), [(14, True), (16, False)])
def test_a_code_lasts_fifteen_minutes(project, texts, pass_time, minutes, works):
    """R45: past them it has expired."""
    shop = project(app={"mobile_phone": CONFIRM})
    ann = shop.app.register(mobile_phone=PHONE).id
    pass_time(timedelta(minutes=minutes))
    if works:
        assert shop.app.confirm_code(ann, code_in(texts, PHONE), mobile_phone=PHONE).id == ann
        return
    with shop.refuses("code_expired"):
        shop.app.confirm_code(ann, code_in(texts, PHONE), mobile_phone=PHONE)


@pytest.mark.parametrize(("hours", "works"), [(71, True), (73, False)])
def test_a_link_lasts_three_days(project, mailoutbox, pass_time, hours, works):
    """R45: past them it has expired."""
    shop = project(app={"email": CONFIRM})
    ann = shop.app.register(email=ANN).id
    pass_time(timedelta(hours=hours))
    if works:
        assert shop.app.confirm_token(token_in(mailoutbox[0])).id == ann
        return
    with shop.refuses("code_expired"):
        shop.app.confirm_token(token_in(mailoutbox[0]))


@pytest.mark.parametrize("gone_by", ["clearing", "erasure"])
def test_after_clearing_or_erasure_a_link_is_invalid(project, mailoutbox, gone_by):
    """R45: there is nothing to confirm."""
    shop = project(app={"email": CONFIRM})
    ann = shop.app.register(email=ANN, crm_id="1").id
    if gone_by == "clearing":
        shop.app.edit(ann, email=None)
    else:
        shop.app.delete(f"customers/{ann}/")
    with shop.refuses("code_invalid"):
        shop.app.confirm_token(token_in(mailoutbox[0]))


def test_what_was_sent_before_clearing_stays_invalid_when_the_contact_comes_back(project, mailoutbox, texts):
    """R44, R45: clearing ends the pending confirmations."""
    shop = project(app={"email": CONFIRM, "mobile_phone": CONFIRM})
    ann = shop.app.register(email=ANN, mobile_phone=PHONE, crm_id="1").id
    code, token = code_in(texts, PHONE), token_in(mailoutbox[0])
    shop.app.edit(ann, email=None, mobile_phone=None)
    shop.website.edit(ann, email=ANN, mobile_phone=PHONE)
    with shop.refuses("code_invalid"):
        shop.app.confirm_code(ann, code, mobile_phone=PHONE)
    with shop.refuses("code_invalid"):
        shop.app.confirm_token(token)


def test_an_invented_token_is_invalid(project):
    """R45: code_invalid."""
    shop = project(app={"email": CONFIRM})
    with shop.refuses("code_invalid"):
        shop.app.confirm_token("no-such-token")


def test_is_confirmed_is_only_for_points_that_confirm(project):
    """R45: elsewhere nobody could know."""
    shop = project(app={"email": CONFIRM})
    with shop.refuses("validation_error"):
        shop.website.register(email=confirmed(ANN))
    with shop.refuses("validation_error"):
        shop.app.register(mobile_phone=confirmed(PHONE))


def test_confirming_a_contact_on_a_device_of_another_changes_no_device(project):
    """R45: a confirmation brings the contact alone."""
    shop = project(app={"email": CONFIRM})
    ann = shop.app.register(day=1, email=ANN, device_id=DEVICE).id
    bob = shop.website.register(day=2, email=BOB, device_id=DEVICE).id
    shop.app.confirm(ann, 3, email=ANN)
    assert (shop.profile(bob)["devices"], shop.profile(ann)) == (
        [DEVICE],
        {"emails": {ANN: "primary confirmed"}},
    )
