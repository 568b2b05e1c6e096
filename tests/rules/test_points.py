"""Section 2 of the rulebook: integration points."""

import pytest
import yaml
from django.core.management.base import CommandError

from tests.scenarios.api import (
    ACCESS,
    ANN,
    BOB,
    CARD,
    CONFIRM,
    DEVICE,
    PHONE,
    Api,
    at,
    moment,
    setup,
    subscription,
)

BOTH = {**CONFIRM, **ACCESS}
CONTACTS = pytest.mark.parametrize(
    ("kind", "value", "listed"),
    [
        ("email", ANN, "emails"),
        ("mobile_phone", PHONE, "mobile_phones"),
        ("discount_card", CARD, "discount_cards"),
    ],
)


def last_action(shop, maestra_id):
    text = shop.customer(maestra_id)["facts"]["last_activity_at"]
    return text and moment(text)


# --- the way in ---


@pytest.mark.parametrize("key", [None, "", "wrong", "a" * 64])
def test_no_data_enters_without_the_key_of_a_point(project, key):
    """R13: a missing or wrong key is not authenticated."""
    shop = project()
    with shop.refuses("not_authenticated"):
        Api(key).register(email=ANN)
    assert shop.listed() == set()


def test_a_disabled_point_takes_nothing(project):
    """R13: its key is as good as none."""
    shop = project()
    landing = shop.landing
    shop.configure(landing={"enabled": False})
    with shop.refuses("not_authenticated"):
        landing.register(email=ANN)


@pytest.mark.parametrize(
    ("scope", "path", "body"),
    [
        ("write", "customers/register/", {"email": BOB}),
        ("read", "customers/lookup/", {"email": ANN}),
        ("write", "customers/preview/", {"operation": "register", "record": {"email": BOB}}),
        ("merge", "customers/merge/", {"customers": [{"email": ANN}], "resulting": {"mobile_phone": PHONE}}),
        ("merge", "merges/1/undo/", {}),
    ],
)
def test_a_key_does_only_what_its_scopes_allow(project, scope, path, body):
    """R13: each operation has its scope."""
    others = [name for name in ("write", "read", "merge", "import", "privacy", "track") if name != scope]
    shop = project(landing={"scopes": others})
    shop.two({"email": ANN}, {"mobile_phone": PHONE})
    with shop.refuses("permission_denied"):
        shop.landing.done(path, body)


def test_privacy_operations_need_their_scope(project):
    """R13: export, opt-out and erasure."""
    shop = project(landing={"scopes": ["write", "read", "merge"]})
    ann = shop.website.register(email=ANN).id
    with shop.nothing_changes():
        answers = [
            shop.landing.get(f"customers/{ann}/export/"),
            shop.landing.post(f"customers/{ann}/opt_out/", {}),
            shop.landing.delete(f"customers/{ann}/"),
        ]
    assert [(a.status, a.body["code"]) for a in answers] == [(403, "permission_denied")] * 3


def test_history_names_the_point(project):
    """R13: all data enters through one, and the entry says which."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN).id
    shop.crm_import.edit(ann, day=2, mobile_phone=PHONE)
    by_site = shop.history(ann, "email")[0]
    by_crm = shop.history(ann, "mobile_phone")[0]
    assert by_site["integration_point"]
    assert by_site["integration_point"] != by_crm["integration_point"]


@CONTACTS
def test_a_point_says_per_contact_type_what_gives_access(project, kind, value, listed):
    """R13: that type, and no other."""
    shop = project(pos={kind: ACCESS})
    ann = shop.pos.register(email=ANN, mobile_phone=PHONE, discount_card=CARD)
    flagged = [
        name
        for name in ("emails", "mobile_phones", "discount_cards")
        for contact in ann.customer[name]
        if contact["gives_account_access"]
    ]
    assert flagged == [listed]


@pytest.mark.parametrize(
    ("kind", "value", "listed"), [("email", ANN, "emails"), ("mobile_phone", PHONE, "mobile_phones")]
)
def test_a_point_says_per_contact_type_what_must_be_confirmed(project, kind, value, listed):
    """R13: that type, and no other, is pending."""
    shop = project(app={kind: CONFIRM})
    ann = shop.app.register(email=ANN, mobile_phone=PHONE)
    pending = {name: ann.customer[name][0]["is_pending"] for name in ("emails", "mobile_phones")}
    assert pending == {name: name == listed for name in ("emails", "mobile_phones")}


def test_records_of_a_personal_point_are_personal_actions(project):
    """R13: a time in the future counts as now."""
    shop = project()
    ann = shop.website.register(day=3, email=ANN).id
    assert last_action(shop, ann) == moment(at(3))
    shop.website.edit(ann, occurred_at="2999-01-01T00:00:00Z", first_name="Ann")
    assert last_action(shop, ann).year < 2999


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("customers/upsert/", {"email": ANN, "occurred_at": "1970-01-01T00:00:00Z"}),
        (
            "customers/upsert/",
            {
                "email": ANN,
                "subscriptions": [
                    {"channel": "email", "status": "subscribed", "since": "1970-01-01T00:00:00Z"}
                ],
            },
        ),
        (
            "orders/",
            {
                "order": {"number": "1", "total": "1.00", "placed_at": "1970-01-01T00:00:00Z"},
                "customer": {"email": ANN},
            },
        ),
        ("promo_codes/", {"lookup": {"email": ANN}, "code": "X", "issued_at": "1970-01-01T00:00:00Z"}),
        (
            "activities/",
            {
                "activities": [
                    {"kind": "visit", "device_id": "d-1", "occurred_at": "1970-01-01T00:00:00+00:00"}
                ]
            },
        ),
    ],
)
def test_nothing_happened_before_anybody_kept_such_data(project, path, body):
    """R13: a clock that was not set would make the customer the oldest of all, for good."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN).id
    before = shop.customer(ann)
    with shop.refuses("validation_error") as refused:
        shop.website.done(path, body)
    assert "1990" in refused.body["errors"][0]["message"]
    assert shop.customer(ann) == before


def test_an_order_placed_in_the_future_was_placed_now(project):
    """R13, R57"""
    shop = project()
    ann = shop.website.order("1", 1, {"email": ANN}, placed_at="2999-01-01T00:00:00Z").id
    (order,) = shop.website.get(f"customers/{ann}/orders/").body["results"]
    assert moment(order["placed_at"]).year < 2999
    assert last_action(shop, ann).year < 2999


def test_records_of_an_import_are_no_personal_actions(project):
    """R13: what an import or the back office says, the customer did not do."""
    shop = project()
    ann = shop.crm_import.register(day=3, email=ANN).id
    shop.admin.edit(ann, day=4, first_name="Ann")
    assert last_action(shop, ann) is None


def test_orders_are_personal_actions_whatever_the_point(project):
    """R13, R57: at the time they were placed."""
    shop = project()
    ann = shop.crm_import.order("1", 3, {"day": None, "email": ANN}).id
    assert last_action(shop, ann) == moment(at(3))


def test_lookup_by_says_by_which_kinds_an_upsert_finds(project):
    """R13: found by e-mail it is an edit, and personal data follow R42; else it joins."""
    shop = project(landing={"lookup_by": ["email"]})
    ann = shop.website.register(day=1, email=ANN).id
    found = shop.landing.upsert(day=2, email=ANN, first_name="Ann")
    assert (found.id, found.status, found.status_code) == (ann, "changed", 200)


def test_by_default_an_upsert_looks_up_by_ids_alone(project):
    """R13: MaestraID, unique, then non-unique kinds."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, crm_id="1", session_key="s").id
    by_default = [
        shop.website.upsert(day=2, maestra_id=ann, first_name="A").status,
        shop.website.upsert(day=2, crm_id="1", first_name="B").status,
        shop.website.upsert(day=2, session_key="s", first_name="C").status,
        shop.website.upsert(day=2, email=ANN, first_name="D").status,
    ]
    assert by_default == ["changed", "changed", "changed", "joined"]


def test_a_request_may_bring_its_own_lookup_by(project):
    """R13, R17: it goes before the point's."""
    shop = project()
    shop.website.register(day=1, email=ANN)
    assert shop.website.upsert(day=2, email=ANN, first_name="A", lookup_by=["email"]).status == "changed"


@pytest.mark.parametrize("kind", ["payment_card_hash", "no_such_kind"])
def test_lookup_by_takes_known_kinds_but_not_the_payment_card_hash(project, kind):
    """R13, R10: the set-up stops before anything is written."""
    shop = project()
    with pytest.raises(CommandError):
        shop.configure(landing={"lookup_by": [kind], "email": ACCESS})
    ann = shop.landing.register(email=ANN)
    assert shop.profile(ann.id)["emails"] == {ANN: "primary"}


def test_a_second_point_only_adds_to_a_project(project):
    """R13: what the set-up does not name is not touched, and the first key still works."""
    shop = project()
    ann = shop.website.register(email=ANN).id
    kiosk = {"system_name": "kiosk", "name": "Kiosk", "kind": "point_of_sale", "scopes": ["read"]}
    shop.configure(yaml.safe_dump({"integration_points": [kiosk]}))
    assert shop.api("kiosk").lookup(email=ANN).id == ann
    assert shop.website.lookup(email=ANN).id == ann


# --- flags act from then on ---


@CONTACTS
def test_existing_contacts_stay_as_they_are_until_sent_again(project, kind, value, listed):
    """R14: also those of the very point."""
    shop = project()
    ann = shop.website.register(day=1, **{kind: value}).id
    shop.configure(website={kind: ACCESS})
    assert shop.customer(ann)[listed][0]["gives_account_access"] is False
    shop.website.edit(ann, day=2, **{kind: value})
    assert shop.customer(ann)[listed][0]["gives_account_access"] is True


def test_a_flag_switched_off_leaves_flagged_contacts_flagged(project):
    """R14: sending again sets flags, it never takes them."""
    shop = project(website={"email": ACCESS})
    ann = shop.website.register(day=1, email=ANN).id
    shop.configure(website={"email": {"gives_account_access": False}})
    shop.website.edit(ann, email=ANN)
    assert shop.profile(ann)["emails"] == {ANN: "primary access"}


def test_a_held_contact_sent_again_stays_primary_or_secondary(project):
    """R14: unless sent with is_primary."""
    shop = project()
    ann = shop.website.register(day=1, email=[ANN, BOB]).id
    shop.website.edit(ann, email=BOB)
    assert shop.profile(ann)["emails"] == {ANN: "primary", BOB: ""}
    shop.website.edit(ann, email={"value": BOB, "is_primary": True})
    assert shop.profile(ann)["emails"] == {ANN: "", BOB: "primary"}


def test_a_held_contact_sent_again_through_a_confirming_point_becomes_pending(project):
    """R14: the flag is set on it; it stays held and primary."""
    shop = project(app={"email": CONFIRM})
    ann = shop.website.register(day=1, email=ANN).id
    shop.app.edit(ann, day=2, email=ANN)
    assert shop.profile(ann)["emails"] == {ANN: "primary pending"}


def test_a_confirmed_contact_stays_confirmed_when_sent_again(project):
    """R14: what was confirmed need not be confirmed again."""
    shop = project(app={"email": CONFIRM})
    ann = shop.app.register(day=1, email={"value": ANN, "is_confirmed": True}).id
    shop.app.edit(ann, day=2, email=ANN)
    shop.website.edit(ann, day=3, email=ANN)
    assert shop.profile(ann)["emails"] == {ANN: "primary confirmed"}


# --- subscribe ---


def test_subscribe_ignores_the_points_flags(project):
    """R15: contacts it brings are plain."""
    shop = project(landing={"email": BOTH, "mobile_phone": BOTH})
    ann = shop.landing.subscribe(email=ANN, mobile_phone=PHONE, subscriptions=[subscription("email")])
    assert shop.profile(ann.id) == {
        "emails": {ANN: "primary"},
        "mobile_phones": {PHONE: "primary"},
        "subscriptions": {"email": "subscribed"},
    }


def test_subscribe_never_meets_already_registered(project):
    """R15, R16: the contact is account access with somebody, and the record joins him."""
    shop = project(landing={"email": ACCESS})
    member = shop.landing.register(day=1, email=ANN).id
    reader = shop.landing.subscribe(day=2, email=ANN, device_id=DEVICE, subscriptions=[subscription("email")])
    assert reader.id == member
    assert shop.profile(member)["emails"] == {ANN: "primary access"}


def test_subscribe_does_not_flag_what_is_already_held(project):
    """R15, R14: the point's flags do not reach an existing contact through it."""
    shop = project(landing={"email": BOTH})
    ann = shop.website.register(day=1, email=ANN).id
    shop.landing.subscribe(day=2, maestra_id=ann, email=ANN, subscriptions=[subscription("email")])
    assert shop.profile(ann)["emails"] == {ANN: "primary"}


def test_the_usual_set_up_can_be_declared_twice(project):
    """R13: set-up as code may be run again."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, crm_id="1").id
    shop.configure(yaml.safe_dump(setup()))
    assert shop.website.lookup(crm_id="1").id == ann
