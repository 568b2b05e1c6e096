"""Section 5 of the rulebook: priority, settling, and what moves.

Two customers with different e-mails contest a phone, unless a test says otherwise. The one who shall lose is
always stronger by every criterion after the one that is tested.
"""

import pytest

from tests.scenarios.api import (
    ACCESS,
    ANN,
    BOB,
    CARD,
    CONFIRM,
    DEVICE,
    EVE,
    HASH,
    PHONE,
    PHONE_2,
    PHONE_3,
    at,
    mentions,
    moment,
)

CONFIRMED_PHONE = {"value": PHONE, "is_confirmed": True}
CONFIRMED_BOB = {"value": BOB, "is_confirmed": True}
SIDES = pytest.mark.parametrize("winner_first", [True, False], ids=["stored", "incoming"])


def contest(shop, winner_first, winner, loser):
    """The criterion by which the winner got the phone that both sides brought, in either order."""
    steps = [winner, loser] if winner_first else [loser, winner]
    first, second = (step() for step in steps)
    ((kind, kept_by, lost_by, criterion),) = second.settled
    assert (kind, kept_by, lost_by) == (
        "mobile_phone",
        *((first.id, second.id) if winner_first else (second.id, first.id)),
    )
    assert shop.profile(kept_by)["mobile_phones"].keys() == {PHONE}
    assert "mobile_phones" not in shop.profile(lost_by)
    return criterion


@SIDES
def test_criterion_1_access_by_this_contact(project, winner_first):
    """R29: before its confirmation on the other side."""
    shop = project(pos={"mobile_phone": ACCESS}, app={"mobile_phone": CONFIRM, "email": CONFIRM})
    criterion = contest(
        shop,
        winner_first,
        lambda: shop.pos.register(day=1, email=ANN, mobile_phone=PHONE),
        lambda: shop.app.order("1", 5, {"email": CONFIRMED_BOB, "mobile_phone": CONFIRMED_PHONE}),
    )
    assert criterion == "access_by_this_contact"


@SIDES
def test_criterion_2_this_contact_confirmed(project, winner_first):
    """R29: before other account access, orders and activity."""
    shop = project(app={"mobile_phone": CONFIRM}, landing={"email": ACCESS})
    criterion = contest(
        shop,
        winner_first,
        lambda: shop.app.register(day=1, email=ANN, mobile_phone=CONFIRMED_PHONE),
        lambda: shop.landing.order("1", 5, {"email": BOB, "mobile_phone": PHONE}),
    )
    assert criterion == "this_contact_confirmed"


@SIDES
@pytest.mark.parametrize("flagged", ["email", "discount_card"])
def test_criterion_3_any_account_access(project, winner_first, flagged):
    """R29: before orders, other confirmations and activity."""
    shop = project(landing={flagged: ACCESS}, app={"email": CONFIRM})
    criterion = contest(
        shop,
        winner_first,
        lambda: shop.landing.register(day=1, email=ANN, mobile_phone=PHONE, discount_card=CARD),
        lambda: shop.app.order("1", 5, {"email": CONFIRMED_BOB, "mobile_phone": PHONE}),
    )
    assert criterion == "any_account_access"


@SIDES
def test_criterion_4_orders(project, winner_first):
    """R29: before other confirmations and activity."""
    shop = project(app={"email": CONFIRM})
    criterion = contest(
        shop,
        winner_first,
        lambda: shop.website.order("1", 1, {"email": ANN, "mobile_phone": PHONE}),
        lambda: shop.app.register(day=5, email=CONFIRMED_BOB, mobile_phone=PHONE),
    )
    assert criterion == "orders"


@pytest.mark.parametrize("what", ["points", "promo_code"])
def test_criterion_4_points_and_promo_codes(project, what):
    """R29: they count as orders do."""
    shop = project()
    one = shop.website.register(day=1, email=ANN, mobile_phone=PHONE).id
    if what == "points":
        shop.website.points(one, 5, "p")
    else:
        shop.website.promo_code(one, "C")
    two = shop.website.register(day=5, email=BOB, mobile_phone=PHONE)
    assert two.settled == [("mobile_phone", one, two.id, "orders")]


@SIDES
def test_criterion_4_asks_whether_there_are_orders_not_how_many(project, winner_first):
    """R29: one order of a later day outranks two earlier ones."""
    shop = project()

    def two_orders():
        ann = shop.website.order("1", 1, {"email": ANN, "crm_id": "1"})
        return shop.website.order(
            "2", 2, {"crm_id": "1", "mobile_phone": PHONE, "email": ann.customer["emails"][0]["value"]}
        )

    criterion = contest(
        shop,
        winner_first,
        lambda: shop.website.order("3", 5, {"email": BOB, "mobile_phone": PHONE}),
        two_orders,
    )
    assert criterion == "last_activity"


@SIDES
def test_criterion_5_any_confirmed_contact(project, winner_first):
    """R29: before activity."""
    shop = project(app={"email": CONFIRM})
    criterion = contest(
        shop,
        winner_first,
        lambda: shop.app.register(day=1, email={"value": ANN, "is_confirmed": True}, mobile_phone=PHONE),
        lambda: shop.website.register(day=5, email=BOB, mobile_phone=PHONE),
    )
    assert criterion == "any_confirmed_contact"


@SIDES
def test_criterion_6_the_later_last_personal_action(project, winner_first):
    """R29: whichever side is stored already."""
    shop = project()
    criterion = contest(
        shop,
        winner_first,
        lambda: shop.website.register(day=5, email=ANN, mobile_phone=PHONE),
        lambda: shop.website.register(day=4, email=BOB, mobile_phone=PHONE),
    )
    assert criterion == "last_activity"


@SIDES
def test_criterion_6_a_personal_action_beats_none(project, winner_first):
    """R29: though the other registered later."""
    shop = project()
    criterion = contest(
        shop,
        winner_first,
        lambda: shop.website.register(day=1, email=ANN, mobile_phone=PHONE),
        lambda: shop.crm_import.register(day=9, email=BOB, mobile_phone=PHONE),
    )
    assert criterion == "last_activity"


@SIDES
def test_criterion_6_without_any_personal_action_the_later_registration(project, winner_first):
    """R29: an import against an import."""
    shop = project()
    criterion = contest(
        shop,
        winner_first,
        lambda: shop.crm_import.register(day=9, email=ANN, mobile_phone=PHONE),
        lambda: shop.crm_import.register(day=1, email=BOB, mobile_phone=PHONE),
    )
    assert criterion == "last_activity"


def test_criterion_7_the_lower_maestra_id(project):
    """R29: a new record counts as the highest."""
    shop = project()
    one = shop.crm_import.register(day=1, email=ANN, mobile_phone=PHONE).id
    two = shop.crm_import.register(day=1, email=BOB, mobile_phone=PHONE)
    assert two.settled == [("mobile_phone", one, two.id, "lower_maestra_id")]


def test_criterion_7_between_stored_customers(project):
    """R29: the lower one wins, though the other is the subject."""
    shop = project()
    one = shop.crm_import.register(day=1, email=ANN).id
    two = shop.crm_import.register(day=1, email=BOB, mobile_phone=PHONE).id
    edited = shop.crm_import.edit(one, day=1, mobile_phone=PHONE)
    assert edited.settled == [("mobile_phone", one, two, "lower_maestra_id")]


def test_each_contact_is_judged_on_its_own(project):
    """R29: the contact in question is the disputed one."""
    shop = project(pos={"mobile_phone": ACCESS}, app={"email": CONFIRM})
    one = shop.pos.register(day=1, mobile_phone=PHONE, email=ANN, discount_card=CARD).id
    two = shop.app.order("1", 5, {"mobile_phone": PHONE, "email": CONFIRMED_BOB, "discount_card": CARD})
    assert set(two.settled) == {
        ("mobile_phone", one, two.id, "access_by_this_contact"),
        ("discount_card", one, two.id, "any_account_access"),
    }


def test_priority_also_decides_who_supplies_the_data_of_a_merge(project):
    """R29, R34: the contact in question is the one that matched."""
    shop = project(pos={"mobile_phone": ACCESS})
    one = shop.pos.register(day=1, mobile_phone=PHONE, first_name="Ann").id
    shop.website.order("1", 5, {"mobile_phone": PHONE, "first_name": "Bob"})
    assert shop.profile(one)["personal"] == {"first_name": "Ann"}
    (joined,) = shop.history(one, "joined")
    assert mentions(joined, "access_by_this_contact")


def test_the_strongest_contact_that_matched_is_the_one_in_question(project):
    """R29: the e-mail, confirmed with the record, not the phone, confirmed with the customer."""
    shop = project(app={"mobile_phone": CONFIRM}, landing={"email": CONFIRM})
    one = shop.app.register(day=1, email=ANN, mobile_phone=CONFIRMED_PHONE, first_name="Ann").id
    shop.landing.register(
        day=5, email={"value": ANN, "is_confirmed": True}, mobile_phone=PHONE, first_name="Anna"
    )
    assert shop.profile(one)["personal"] == {"first_name": "Anna"}
    (joined,) = shop.history(one, "joined")
    assert mentions(joined, "this_contact_confirmed")


@pytest.mark.parametrize("kind", ["device_id", "session_key", "payment_card_hash"])
def test_without_a_contact_in_question_the_first_two_criteria_do_not_apply(project, kind):
    """R29: matched by device, ID or hash, account access counts as any."""
    value = HASH if kind == "payment_card_hash" else "x-1"
    shop = project(pos={"mobile_phone": ACCESS})
    one = shop.pos.register(day=1, mobile_phone=PHONE, **{kind: value}).id
    joined = shop.website.register(day=5, email=ANN, **{kind: value})
    assert joined.id == one
    (entry,) = shop.history(one, "joined")
    assert (mentions(entry, "any_account_access"), mentions(entry, "access_by_this_contact")) == (True, False)


def test_an_edited_customer_counts_with_the_records_action(project):
    """R29: already added when it is decided."""
    shop = project()
    one = shop.website.register(day=5, email=ANN, mobile_phone=PHONE).id
    two = shop.website.register(day=1, email=BOB).id
    edited = shop.website.edit(two, day=9, mobile_phone=PHONE)
    assert edited.settled == [("mobile_phone", two, one, "last_activity")]


def test_an_edit_by_an_import_adds_no_action(project):
    """R29: the customer counts with what it did itself."""
    shop = project()
    one = shop.website.register(day=5, email=ANN, mobile_phone=PHONE).id
    two = shop.website.register(day=1, email=BOB).id
    edited = shop.crm_import.edit(two, day=9, mobile_phone=PHONE)
    assert edited.settled == [("mobile_phone", one, two, "last_activity")]


def test_last_activity_never_goes_back(project):
    """R29: a record of an earlier day leaves it."""
    shop = project()
    one = shop.website.register(day=9, email=ANN, mobile_phone=PHONE).id
    shop.website.edit(one, day=2, first_name="Ann")
    assert moment(shop.customer(one)["facts"]["last_activity_at"]) == moment(at(9))
    two = shop.website.register(day=5, email=BOB, mobile_phone=PHONE)
    assert two.settled == [("mobile_phone", one, two.id, "last_activity")]


def test_what_decided_is_stored_and_shown(project):
    """R29: in the entries of both."""
    shop = project()
    one = shop.website.order("1", 1, {"email": ANN, "mobile_phone": PHONE}).id
    two = shop.website.register(day=2, email=BOB, mobile_phone=PHONE).id
    (lost,) = shop.history(two, "contact_lost")
    kept = [e for e in shop.history(one) if e["related_maestra_id"] == two]
    assert (mentions(lost, '"orders"'), mentions(kept, '"orders"')) == (True, True)


# --- settling ---


def test_the_loser_is_left_without_the_contact_and_with_a_note(project):
    """R30: both histories tell it, with a link to each other, and each shows the other as related."""
    shop = project()
    one, two = shop.two({"email": ANN, "mobile_phone": PHONE}, {"email": BOB, "mobile_phone": PHONE})
    assert shop.profile(one) == {"emails": {ANN: "primary"}, "notes": [two]}
    (note,) = shop.customer(one)["notes"]
    assert PHONE in note["text"]
    assert str(two) in note["text"]
    (lost,) = shop.history(one, "contact_lost")
    (received,) = shop.history(two, "contact_received")
    assert (lost["related_maestra_id"], received["related_maestra_id"]) == (two, one)
    assert (shop.related(one), shop.related(two)) == ({two}, {one})
    assert shop.customer(two)["notes"] == []


def test_a_new_customer_that_loses_is_told_so_too(project):
    """R30: it never held the contact, and does not now."""
    shop = project()
    one = shop.website.order("1", 1, {"email": ANN, "mobile_phone": PHONE}).id
    two = shop.website.register(day=2, email=BOB, mobile_phone=PHONE).id
    assert shop.profile(two) == {"emails": {BOB: "primary"}, "notes": [one]}
    assert [e["related_maestra_id"] for e in shop.history(two, "contact_lost")] == [one]
    assert two in [e["related_maestra_id"] for e in shop.history(one)]
    assert (shop.related(one), shop.related(two)) == ({two}, {one})


def test_the_winner_holds_the_contact_with_its_own_flags_and_confirmation(project):
    """R30: not with the loser's."""
    shop = project(pos={"mobile_phone": ACCESS}, app={"mobile_phone": CONFIRM})
    one = shop.pos.register(day=1, email=ANN, mobile_phone=PHONE).id
    shop.app.register(day=2, email=BOB, mobile_phone=CONFIRMED_PHONE)
    assert shop.profile(one)["mobile_phones"] == {PHONE: "primary access"}


def test_a_new_winner_holds_the_contact_as_its_record_brought_it(project):
    """R30: the former holder's confirmation does not travel."""
    shop = project(app={"mobile_phone": CONFIRM}, pos={"mobile_phone": ACCESS})
    shop.app.register(day=1, email=ANN, mobile_phone=CONFIRMED_PHONE)
    two = shop.pos.register(day=2, email=BOB, mobile_phone=PHONE).id
    assert shop.profile(two)["mobile_phones"] == {PHONE: "primary access"}


@pytest.mark.parametrize(("confirming", "claims"), [(True, {"mobile_phone": [PHONE]}), (False, None)])
def test_the_loser_keeps_a_claim_where_the_contact_must_be_confirmed(project, confirming, claims):
    """R30: it came to it through a point that says so, else no claim."""
    shop = project(app={"mobile_phone": CONFIRM} if confirming else {})
    shop.website.order("1", 1, {"email": ANN, "mobile_phone": PHONE})
    two = shop.app.register(day=2, email=BOB, mobile_phone=PHONE).id
    assert shop.profile(two).get("claims") == claims


def test_a_former_holder_keeps_a_claim_where_the_contact_came_to_be_confirmed(project):
    """R30: by the point it came through, not the point that took it."""
    shop = project(app={"mobile_phone": CONFIRM})
    one = shop.app.register(day=1, email=ANN, mobile_phone=PHONE).id
    shop.website.order("1", 2, {"email": BOB, "mobile_phone": PHONE})
    assert shop.profile(one)["claims"] == {"mobile_phone": [PHONE]}


def test_the_same_contact_lost_to_the_same_holder_is_not_noted_again(project):
    """R30: once; to another holder it is."""
    shop = project()
    one = shop.website.order("1", 1, {"email": ANN, "mobile_phone": PHONE}).id
    two = shop.crm_import.upsert(day=2, crm_id="2", email=BOB, mobile_phone=PHONE).id
    for day in (3, 4):
        shop.crm_import.upsert(day=day, crm_id="2", email=BOB, mobile_phone=PHONE)
    assert shop.notes_about(two) == [one]
    shop.website.edit(one, mobile_phone=None)
    three = shop.website.order("2", 5, {"email": EVE, "mobile_phone": PHONE}).id
    shop.crm_import.upsert(day=6, crm_id="2", email=BOB, mobile_phone=PHONE)
    assert sorted(shop.notes_about(two)) == [one, three]


def test_another_contact_lost_to_the_same_holder_is_noted(project):
    """R30: the note is of the contact."""
    shop = project()
    one = shop.website.order("1", 1, {"email": ANN, "mobile_phone": PHONE, "discount_card": CARD}).id
    two = shop.website.register(day=2, email=BOB, mobile_phone=PHONE, crm_id="2").id
    shop.website.edit(two, discount_card=CARD)
    assert shop.notes_about(two) == [one, one]


def test_contests_are_decided_before_any_is_settled(project):
    """R30: the record loses its confirmed e-mail, but counts with it where the phone is decided."""
    shop = project(landing={"email": ACCESS}, app={"email": CONFIRM})
    one = shop.landing.register(day=1, email=ANN, mobile_phone=PHONE_2).id
    two = shop.website.register(day=9, email=BOB, mobile_phone=PHONE).id
    new = shop.app.register(day=5, email={"value": ANN, "is_confirmed": True}, mobile_phone=PHONE)
    assert set(new.settled) == {
        ("email", one, new.id, "access_by_this_contact"),
        ("mobile_phone", new.id, two, "any_confirmed_contact"),
    }


def test_contests_are_decided_on_the_profiles_after_the_merges(project):
    """R30: the order came with the customer that was merged in."""
    shop = project()
    one = shop.website.register(day=1, email=ANN).id
    two = shop.website.order("1", 2, {"discount_card": CARD}).id
    rival = shop.website.register(day=9, email=BOB, mobile_phone=PHONE).id
    joined = shop.website.register(day=5, email=ANN, discount_card=CARD, mobile_phone=PHONE)
    assert joined.merged == [two]
    assert joined.settled == [("mobile_phone", one, rival, "orders")]


# --- account access is never taken ---


@pytest.mark.parametrize("kind", ["email", "mobile_phone", "discount_card"])
def test_an_account_access_contact_is_never_taken_from_its_holder(project, kind):
    """R31: whatever the rival has."""
    veto = "email" if kind != "email" else "mobile_phone"
    mine, yours = (
        (EVE, CONFIRMED_BOB) if veto == "email" else (PHONE_2, {"value": PHONE_3, "is_confirmed": True})
    )
    value = {"email": ANN, "mobile_phone": PHONE, "discount_card": CARD}[kind]
    shop = project(pos={kind: ACCESS}, app={veto: CONFIRM})
    one = shop.pos.register(day=1, **{kind: value, veto: mine}).id
    two = shop.app.order("1", 9, {kind: value, veto: yours})
    assert two.settled == [(kind, one, two.id, "access_by_this_contact")]
    assert shop.pos.finds(**{kind: value}) == one


def test_the_flag_is_not_removed_by_a_join_or_a_merge(project):
    """R31: though the other side has priority and no flag."""
    shop = project(pos={"mobile_phone": ACCESS})
    one = shop.pos.register(day=1, mobile_phone=PHONE).id
    shop.website.order("1", 5, {"mobile_phone": PHONE})
    two = shop.website.order("2", 6, {"email": ANN, "day": 6}).id
    shop.website.merge(one, two, resulting=two)
    assert shop.profile(two)["mobile_phones"] == {PHONE: "primary access"}


def test_a_confirmed_claim_does_not_take_an_account_access_contact(project):
    """R31, R45: it is settled first of all."""
    shop = project(pos={"mobile_phone": ACCESS}, app={"mobile_phone": CONFIRM})
    one = shop.pos.register(day=1, email=ANN, mobile_phone=PHONE).id
    two = shop.app.order("1", 2, {"email": BOB, "mobile_phone": PHONE}).id
    shop.app.confirm(two, 3, mobile_phone=PHONE)
    assert (shop.pos.finds(mobile_phone=PHONE), shop.customer(two)["maestra_id"]) == (one, two)


def test_an_account_access_contact_can_be_cleared_on_purpose(project):
    """R31, R44: then it may go to another."""
    shop = project(pos={"mobile_phone": ACCESS})
    one = shop.pos.register(day=1, email=ANN, mobile_phone=PHONE).id
    shop.admin.edit(one, mobile_phone=None)
    assert shop.pos.register(day=2, email=BOB, mobile_phone=PHONE).status == "created"


# --- what moves ---


@pytest.mark.parametrize("kind", ["session_key", "device_id", "mobile_device_id"])
def test_what_cannot_join_moves_to_the_subject_whatever_the_priority(project, kind):
    """R32: with an entry in both histories, no contest and no note."""
    shop = project(pos={"mobile_phone": ACCESS})
    one = shop.pos.order("1", 1, {"email": ANN, "mobile_phone": PHONE, kind: "x-1"}).id
    two = shop.crm_import.register(day=9, email=BOB, **{kind: "x-1"})
    assert (two.moved, two.body["conflicts"]) == ([(kind, "x-1", one, two.id)], [])
    entry_kind = "identifier" if kind == "session_key" else "device"
    told = [
        [e["related_maestra_id"] for e in shop.history(n, entry_kind) if e["related_maestra_id"]]
        for n in (one, two.id)
    ]
    assert told == [[two.id], [one]]
    assert shop.notes_about(one) == []


def test_what_can_join_does_not_move(project):
    """R32: the profile has it all."""
    shop = project()
    one = shop.website.register(day=1, email=ANN, device_id=DEVICE).id
    joined = shop.website.register(day=2, mobile_phone=PHONE, device_id=DEVICE)
    assert (joined.id, joined.moved) == (one, [])
