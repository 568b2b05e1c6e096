"""Section 11 of the rulebook: privacy."""

import json

import pytest

from customers.models import Reveal
from tests.scenarios.api import (
    ANN,
    BOB,
    CARD,
    CONFIRM,
    DEVICE,
    EVE,
    HASH,
    PHONE,
    PHONE_2,
    mentions,
    segment,
    subscription,
    unsubscribed,
)

PERSON = {
    "email": ANN,
    "mobile_phone": PHONE,
    "discount_card": CARD,
    "crm_id": "crm-4711",
    "session_key": ["key-4711"],
    "device_id": "device-4711",
    "mobile_device_id": "mobile-4711",
    "first_name": "Annabella",
    "last_name": "Smithson",
    "birth_date": "1990-01-31",
    "time_zone": "Europe/Berlin",
    "custom_fields": {"city": "Ravensburg"},
    "subscriptions": [subscription("email")],
    "segments": [segment("loyalty", "level_1")],
}
VALUES = [
    ANN,
    PHONE,
    CARD,
    "crm-4711",
    "key-4711",
    "device-4711",
    "mobile-4711",
    "Annabella",
    "Smithson",
    "Ravensburg",
]
LOOKUPS = ["email", "mobile_phone", "discount_card", "crm_id", "device_id", "mobile_device_id"]


def erase(shop, maestra_id):
    assert shop.website.delete(f"customers/{maestra_id}/").status == 204


# --- opt-out ---


def test_an_opt_out_acts_on_every_subscription(project):
    """R53: of every channel and topic, under every MaestraID."""
    shop = project()
    one, two = shop.two(
        {"email": ANN, "subscriptions": [subscription("email"), subscription("email", topic="news")]},
        {"mobile_phone": PHONE, "subscriptions": [subscription("sms", "awaiting_confirmation")]},
    )
    shop.match(one, two)
    answer = shop.website.post(f"customers/{two}/opt_out/", {})
    assert answer.status == 200
    assert unsubscribed(shop.profile(one), "email", "email/news", "sms")
    assert {e["kind"] for e in shop.history(one)} >= {"subscription"}


def test_an_opt_out_acts_on_every_contact_not_only_on_those_with_a_subscription(project):
    """R53, R37: a merge does not bring a subscription back."""
    shop = project()
    one, two = shop.two({"email": ANN}, {"mobile_phone": PHONE, "subscriptions": [subscription("email")]})
    shop.website.post(f"customers/{one}/opt_out/", {})
    shop.match(one, two)
    assert unsubscribed(shop.profile(one), "email")


def test_an_export_by_a_key_is_a_file_and_is_recorded(project):
    """R55: readable, and never without a trace."""
    shop = project()
    ann = shop.website.register(email=ANN, last_name="Smithson").id
    answer = shop.website.client.get(f"/api/v1/customers/{ann}/export/")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="customer-{ann}.json"'
    assert len(answer.content.splitlines()) > len(json.loads(answer.content))
    reveal = Reveal.objects.get()
    assert (reveal.kind, reveal.maestra_id, reveal.user_id) == ("export", ann, None)
    assert reveal.user_name.startswith("key:")


def test_an_opt_out_leaves_other_customers_alone(project):
    """R53: of the profile."""
    shop = project()
    one, two = (
        shop.website.subscribe(email=email, subscriptions=[subscription("email")]).id for email in (ANN, BOB)
    )
    shop.website.post(f"customers/{one}/opt_out/", {})
    assert shop.profile(two)["subscriptions"] == {"email": "subscribed"}


# --- erasure ---


def test_an_erased_profile_is_not_found_again(project):
    """R54: by any identifier, under any MaestraID."""
    shop = project()
    one = shop.website.register(day=1, **PERSON).id
    two = shop.website.register(day=2, website_id="w-4711").id
    shop.match(one, two)
    erase(shop, two)
    found = [shop.website.finds(**{kind: PERSON[kind]}) for kind in LOOKUPS]
    found += [shop.website.finds(session_key="key-4711"), shop.website.finds(website_id="w-4711")]
    found += [shop.website.finds(maestra_id=n) for n in (one, two)]
    assert found == [None] * 10
    answers = [
        shop.website.get(f"customers/{n}/{page}") for n in (one, two) for page in ("", "history/", "export/")
    ]
    assert {(a.status, a.body["code"]) for a in answers} == {(404, "customer_not_found")}
    assert shop.listed(search=ANN) == set()
    assert shop.listed() == set()


def test_an_erased_customer_cannot_be_edited_or_erased_again(project):
    """R54: customer_not_found."""
    shop = project()
    one = shop.website.register(**PERSON).id
    erase(shop, one)
    for refused in (
        lambda: shop.website.edit(one, first_name="Ann"),
        lambda: shop.website.upsert(maestra_id=one, email=BOB),
        lambda: shop.website.points(one, 5, "p"),
    ):
        with shop.refuses("customer_not_found"):
            refused()
    assert shop.website.delete(f"customers/{one}/").body["code"] == "customer_not_found"


@pytest.mark.parametrize("kind", LOOKUPS)
def test_its_values_may_be_registered_anew_by_a_personal_action(project, kind):
    """R54: as a new customer, with nothing of the erased one."""
    shop = project()
    one = shop.website.register(day=1, **PERSON).id
    erase(shop, one)
    new = shop.website.register(**{kind: PERSON[kind], "website_id": "new"})
    assert (new.status, new.id > one) == ("created", True)
    assert not mentions(new.body, *[value for value in VALUES if value != PERSON[kind]])


@pytest.mark.parametrize("kind", ["email", "mobile_phone", "discount_card", "crm_id"])
def test_a_record_that_is_no_personal_action_may_not_bring_the_person_back(project, kind):
    """R54: tonight's file; other people's rows go through."""
    shop = project()
    one = shop.website.register(**PERSON).id
    erase(shop, one)
    with shop.refuses("erased_person"):
        shop.crm_import.upsert(**{kind: PERSON[kind], "website_id": "new"})
    assert shop.crm_import.upsert(email=BOB, website_id="new").status == "created"


def test_a_suppressed_value_is_recognised_however_it_is_typed(project):
    """R54, R11: the hash is of the normalised value."""
    shop = project()
    erase(shop, shop.website.register(email=ANN, mobile_phone=PHONE).id)
    with shop.refuses("erased_person"):
        shop.crm_import.upsert(email=ANN.upper())
    with shop.refuses("erased_person"):
        shop.crm_import.upsert(mobile_phone="(415) 555-0101")


def test_an_erased_row_of_a_batch_fails_alone(project):
    """R54: the rest of tonight's file goes through."""
    shop = project()
    erase(shop, shop.website.register(email=ANN).id)
    results = shop.crm_import.batch({"email": ANN}, {"email": BOB})
    assert (results[0]["code"], results[1]["status"]) == ("erased_person", "created")


def test_once_back_by_a_personal_action_the_person_may_be_imported(project):
    """R54: the value is held by a customer again, who came himself."""
    shop = project()
    erase(shop, shop.website.register(email=ANN).id)
    new = shop.website.register(email=ANN).id
    assert shop.crm_import.upsert(maestra_id=new, first_name="Ann").id == new


def test_once_back_all_values_of_the_erasure_may_be_imported(project):
    """R54: those of another erasure may not."""
    shop = project()
    erase(shop, shop.website.register(email=ANN, mobile_phone=PHONE, crm_id="1").id)
    erase(shop, shop.website.register(email=BOB).id)
    with shop.refuses("erased_person"):
        shop.crm_import.upsert(mobile_phone=PHONE)
    ann = shop.website.register(email=ANN).id
    assert shop.crm_import.edit(ann, mobile_phone=PHONE, crm_id="1").status == "changed"
    with shop.refuses("erased_person"):
        shop.crm_import.upsert(email=BOB)


def test_an_action_of_before_the_erasure_brings_nobody_back(project):
    """R54: a form that was filled in before and arrives after."""
    shop = project()
    erase(shop, shop.website.register(email=ANN).id)
    with shop.refuses("erased_person"):
        shop.website.register(day=5, email=ANN)
    assert shop.website.register(email=ANN).status == "created"


def test_a_payment_card_of_an_erased_person_brings_nobody_back(project):
    """R54, R10"""
    shop = project()
    erase(shop, shop.website.order("1", 1, {"email": ANN, "payment_card_hash": HASH}).id)
    with shop.refuses("erased_person"):
        shop.crm_import.upsert(email=BOB, payment_card_hash=HASH)
    assert shop.website.upsert(email=BOB, payment_card_hash=HASH).status == "created"
    assert shop.crm_import.upsert(email=EVE, payment_card_hash=HASH).status == "created"


def test_the_order_file_brings_no_erased_person_back(project):
    """R54, R57: what is new is refused; an order that is known answers with its customer, if any is left."""
    shop = project()
    person = {"email": ANN, "last_name": "Smithson"}
    erase(shop, shop.crm_import.order("1", 1, person).id)
    bob = shop.crm_import.order("2", 1, {"email": BOB}).id
    with shop.refuses("erased_person"):
        shop.crm_import.order("3", 2, person)
    again = shop.crm_import.order("1", 1, person)
    assert [again.body[name] for name in ("status", "maestra_id", "customer")] == ["unchanged", None, None]
    changed = shop.crm_import.order("2", 1, person, status="returned")
    assert (changed.status, changed.id) == ("changed", bob)
    assert shop.profile(bob) == {"emails": {BOB: "primary"}, "orders": 1}
    assert [order["status"] for order in shop.pages(f"customers/{bob}/orders/")] == ["returned"]
    assert shop.listed() == {bob}
    assert shop.website.order("4", 3, {"email": EVE}).status == "created"


def test_an_order_is_the_persons_return_only_where_they_act_themselves(project):
    """R54: an order through a point whose records are no personal actions is none here."""
    shop = project()
    erase(shop, shop.website.register(email=ANN).id)
    order = {"number": "1", "total": 1}
    with shop.refuses("erased_person"):
        shop.crm_import.done("orders/", {"order": order, "customer": {"email": ANN}})
    assert shop.website.done("orders/", {"order": order, "customer": {"email": ANN}}).status == "created"


def test_others_histories_and_notes_that_name_the_person_are_scrubbed(project):
    """R54: the note told whose phone it is."""
    shop = project()
    one = shop.website.order("1", 1, PERSON).id
    two = shop.website.register(day=2, email=BOB, mobile_phone=PHONE).id
    assert mentions([shop.customer(two), shop.history(two)], PHONE)
    erase(shop, one)
    seen = [shop.customer(two), shop.history(two), shop.read(f"customers/{two}/related/")]
    assert not mentions(seen, *VALUES)
    assert shop.profile(two)["emails"] == {BOB: "primary"}


def test_a_value_that_another_customer_claims_remains_his(project):
    """R54: as a claim; and it is not promoted."""
    shop = project(app={"mobile_phone": CONFIRM})
    one = shop.website.order("1", 1, {"email": ANN, "mobile_phone": PHONE}).id
    two = shop.app.register(day=2, email=BOB, mobile_phone=PHONE).id
    erase(shop, one)
    assert shop.profile(two)["claims"] == {"mobile_phone": [PHONE]}


def test_a_value_that_another_customer_holds_remains_his(project):
    """R54: the one who lost it is erased."""
    shop = project()
    one, two = shop.two({"email": ANN, "mobile_phone": PHONE}, {"email": BOB, "mobile_phone": PHONE})
    erase(shop, one)
    assert shop.profile(two)["mobile_phones"] == {PHONE: "primary"}
    assert shop.website.finds(mobile_phone=PHONE) == two
    assert not mentions([shop.customer(two), shop.history(two)], ANN)


def test_a_device_that_moved_on_remains_the_others(project):
    """R54, R8: it is theirs now."""
    shop = project()
    one, two = shop.two({"email": ANN, "device_id": DEVICE}, {"email": BOB, "device_id": DEVICE})
    erase(shop, one)
    assert shop.profile(two)["devices"] == [DEVICE]


def test_a_payment_card_hash_joins_nobody_to_the_erased(project):
    """R54, R10: hashes go too."""
    shop = project()
    one = shop.website.order("1", 1, {"email": ANN, "payment_card_hash": HASH}).id
    erase(shop, one)
    customer = {"email": BOB, "payment_card_hash": HASH}
    order = {"number": "2", "total": 1}
    assert shop.website.done("orders/", {"order": order, "customer": customer}).status == "created"


def test_codes_sent_before_are_invalid(project, mailoutbox):
    """R54, R45: sent codes go too."""
    shop = project(app={"email": CONFIRM})
    one = shop.app.register(email=ANN).id
    token = mailoutbox[0].body.split("/confirm/")[1].split("/")[0]
    erase(shop, one)
    with shop.refuses("code_invalid"):
        shop.app.confirm_token(token)


def test_idempotent_answers_no_longer_tell_of_the_person(project):
    """R54: the same key and body do not give the first answer."""
    shop = project()
    one = shop.website.register(**PERSON).id
    ask = {"maestra_id": one}
    first = shop.website.post("customers/lookup/", ask, **{"Idempotency-Key": "again"})
    assert mentions(first.body, *VALUES)
    erase(shop, one)
    again = shop.website.post("customers/lookup/", ask, **{"Idempotency-Key": "again"})
    assert not mentions(again.body, *VALUES)


def test_an_erased_merge_cannot_be_undone(project):
    """R54, R46: the journal is scrubbed."""
    shop = project()
    one, two = shop.two({"email": ANN}, {"mobile_phone": PHONE})
    merged = shop.match(one, two)
    erase(shop, one)
    with shop.refuses("merge_blocked") as problem:
        shop.website.undo(merged.merge_ids[0])
    assert problem.reasons == ["erased"]
    assert not mentions(problem.body, ANN, PHONE)


def test_erasing_nobody_is_not_found(project):
    """R54: 404."""
    shop = project()
    answer = shop.website.delete("customers/987654321/")
    assert (answer.status, answer.body["code"]) == (404, "customer_not_found")


# --- export ---


def test_an_export_gives_the_whole_data_across_all_maestra_ids(project):
    """R55: as JSON, without payment card hashes."""
    shop = project()
    one = shop.website.order("order-1", 1, {**PERSON, "payment_card_hash": HASH}).id
    two = shop.website.order("order-2", 2, {"email": EVE, "website_id": "w-4711"}).id
    shop.website.points(two, 30, "points-1")
    shop.website.promo_code(one, "WELCOME")
    shop.website.merge(one, two, resulting=one)
    answer = shop.website.get(f"customers/{two}/export/")
    assert answer.status == 200
    dumped = json.dumps(answer.body)
    expected = [*VALUES, EVE, "w-4711", "1990-01-31", "order-1", "order-2", "points-1", "WELCOME", "level_1"]
    assert [value for value in expected if value not in dumped] == []
    assert HASH not in dumped


def test_an_export_tells_of_nobody_else(project):
    """R55: the other's contacts are not this person's data."""
    shop = project()
    one, two = shop.two({"email": ANN, "mobile_phone": PHONE}, {"email": BOB, "mobile_phone": PHONE_2})
    assert not mentions(shop.website.get(f"customers/{one}/export/").body, BOB, PHONE_2)
    assert two != one


def test_the_history_of_an_erasure_is_itself_without_personal_data(project):
    """R54: it is recorded; the feed of what is left names nobody."""
    shop = project()
    one = shop.website.register(**PERSON).id
    erase(shop, one)
    shop.website.register(email=BOB)
    assert not mentions(shop.everything(), *VALUES)
