"""The admin: every page opens to whom it is offered, what was recorded is not edited, a key is shown once."""

import json
import re
from pathlib import Path
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from customers.admin.base import ReadOnlyAdmin
from customers.history.reading import history
from customers.history_kinds import HISTORY_KINDS
from customers.models import (
    Activity,
    ApiKey,
    BlockedValue,
    Change,
    Customer,
    CustomField,
    Identifier,
    IdentifierKind,
    IntegrationPoint,
    Note,
    PointKinds,
    ProjectSettings,
    Relation,
)
from customers.profile import Category
from customers.setup.integration_points import access_of
from customers.setup.project_config import VERSION
from customers.storage.loading import load_profiles
from customers.words import criteria
from dedup.demo import story
from dedup.engine.vetoes import RULES
from dedup.models import Merge, ReviewPair, Site
from segments.models import Segment, Segmentation
from tests.html import Element, page
from tests.staff import address, signed_in, user

pytestmark = pytest.mark.django_db

OURS = [
    model for model in admin.site._registry if model._meta.app_label in ("customers", "segments", "dedup")
]
RECORDED = [model for model in OURS if isinstance(admin.site._registry[model], ReadOnlyAdmin)]
# What is set up in the admin, and nothing else.
EDITABLE = {
    IdentifierKind,
    CustomField,
    IntegrationPoint,
    ApiKey,
    BlockedValue,
    ProjectSettings,
    Segmentation,
    Segment,
    Site,
}
ROLES = ("Viewer", "Marketer", "Integrator", "Privacy officer")


def act(client: Client, row: Model, action: str, **more: str) -> Element:
    """What the list answers to an action on a row, once its messages are shown."""
    data = {"action": action, "_selected_action": str(row.pk), **more}
    return page(client.post(address(type(row)), data, follow=True))


@pytest.mark.usefixtures("shop")
def test_every_page_opens() -> None:
    client = signed_in()
    assert client.get(reverse("admin:index")).status_code == 200
    for model, model_admin in admin.site._registry.items():
        assert client.get(address(model), follow=True).status_code == 200, model
        if model_admin.search_fields:
            for text in ("7", "x\0", "99999999999999999999"):
                assert client.get(address(model), {"q": text}, follow=True).status_code == 200, (model, text)
        for row in model._default_manager.all()[:1]:
            assert client.get(address(model, "change", row.pk)).status_code == 200, model


@pytest.mark.usefixtures("shop")
def test_a_role_opens_every_page_it_is_offered() -> None:
    for role in ROLES:
        client = signed_in(role)
        index = client.get(reverse("admin:index")).content.decode()
        offered = set(re.findall(r'href="(/admin/\w+/\w+/)"', index))
        assert address(Customer) in offered, role
        assert {client.get(link, follow=True).status_code for link in offered} == {200}, role


@pytest.mark.usefixtures("shop")
def test_what_is_stored_as_names_of_the_code_is_shown_in_words() -> None:
    client = signed_in()
    pages = [address(model) for model in (Note, Relation, Change, Merge, ReviewPair)]
    pages += [
        address(model, "change", row.pk)
        for model in (Note, Relation, Merge, ReviewPair)
        for row in model._default_manager.all()[:1]
    ]
    shown = [page(client.get(where)).text for where in pages]
    names = {*criteria(), *RULES, *HISTORY_KINDS, "mobile_phone"}
    coded = {name for name in names if "_" in name}
    assert {name for name in coded for text in shown if re.search(rf"\b{name}\b", text)} == set()
    assert "Mobile phone +14155550122 stays with customer" in shown[0]


def test_only_set_up_can_be_edited() -> None:
    assert set(OURS) - set(RECORDED) == EDITABLE


@pytest.mark.usefixtures("shop")
def test_what_was_recorded_is_not_edited() -> None:
    client = signed_in()
    for model in RECORDED:
        assert client.post(address(model, "add"), {}).status_code == 403, model
        client.post(address(model), {"action": "delete_selected", "_selected_action": "1"})
        for row in model._default_manager.all()[:1]:
            assert client.post(address(model, "change", row.pk), {}).status_code == 403, model
            assert client.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403, model
            assert model._default_manager.filter(pk=row.pk).exists(), model


@pytest.mark.usefixtures("shop")
def test_no_list_of_records_counts_its_table() -> None:
    client = signed_in()
    with CaptureQueriesContext(connection) as queries:
        for model in RECORDED:
            client.get(address(model))
    assert [query["sql"] for query in queries if "COUNT(" in query["sql"]] == []


@pytest.fixture
def notes() -> None:
    lost = {"maestra_id": 1, "at": timezone.now(), "reason": "lost", "kind": "email", "value": "x@x.test"}
    Note.objects.bulk_create(Note(**lost) for _ in range(20))


@pytest.mark.usefixtures("notes")
def test_a_list_asks_for_the_set_up_once_and_not_in_every_row() -> None:
    client = signed_in()
    client.get(address(Note))
    with CaptureQueriesContext(connection) as queries:
        client.get(address(Note))
    assert [query["sql"] for query in queries].count(VERSION) == 1


@pytest.mark.usefixtures("notes")
def test_each_page_shows_the_set_up_as_it_is_by_then() -> None:
    client = signed_in()
    assert "E-mail x@x.test" in client.get(address(Note)).content.decode()
    IdentifierKind.objects.filter(system_name="email").update(name="Address")
    assert "Address x@x.test" in client.get(address(Note)).content.decode()


def test_a_key_is_shown_once() -> None:
    point = IntegrationPoint.objects.create(system_name="shop", name="Shop", kind="website")
    client = signed_in()
    made = client.post(address(ApiKey, "add"), {"point": point.pk, "name": "Backend", "scopes": ["read"]})
    match = re.search(r"ssk_\w{8}_[\w-]{43}", made.content.decode())
    assert match
    assert "no-store" in made["Cache-Control"]
    access = access_of(match[0], timezone.now())
    assert access
    assert (access.point.system_name, set(access.scopes)) == ("shop", {"read"})
    key = ApiKey.objects.get()
    for where in (
        address(ApiKey),
        address(ApiKey, "change", key.pk),
        address(IntegrationPoint, "change", point.pk),
    ):
        text = client.get(where).content.decode()
        assert key.prefix in text
        assert match[0] not in text
        assert key.digest not in text


@pytest.mark.parametrize(
    ("chosen", "made"),
    [(["track"], 1), (["read"], 0), (["write"], 0), (["privacy"], 0), (["merge"], 0), ([], 0)],
)
def test_a_key_may_see_and_do_no_more_than_its_maker(chosen: list[str], made: int) -> None:
    """An Integrator sees contacts masked, and the API masks nothing. None chosen: those of the point."""
    point = IntegrationPoint.objects.create(
        system_name="shop", name="Shop", kind="website", default_scopes=["read", "privacy"]
    )
    asked = {"point": point.pk, "name": "Backend", "scopes": chosen}
    signed_in("Integrator").post(address(ApiKey, "add"), asked)
    assert ApiKey.objects.count() == made


def test_nobody_gives_a_point_scopes_beyond_their_own() -> None:
    """Keys that are made without chosen scopes would get them. Those it has may stay."""
    point = IntegrationPoint.objects.create(
        system_name="shop", name="Shop", kind="website", default_scopes=["read"]
    )
    client = signed_in("Integrator")
    stored = []
    for scopes in (["read", "privacy"], ["read", "track"]):
        given = {"name": "Shop", "kind": "website", "is_enabled": "on", "default_scopes": scopes}
        inline = {"keys-TOTAL_FORMS": 0, "keys-INITIAL_FORMS": 0}
        client.post(address(IntegrationPoint, "change", point.pk), {**given, **inline})
        point.refresh_from_db()
        stored.append(point.default_scopes)
    assert stored == [["read"], ["read", "track"]]


def test_pages_of_raw_rows_mask_contacts_too() -> None:
    """Whatever role somebody was given that shows such a list."""
    customer = Customer.objects.create(pk=1, profile_id=1, registered_at=timezone.now())
    email = IdentifierKind.objects.get(system_name="email")
    identifier = Identifier.objects.create(
        kind=email,
        value="ann@example.com",
        raw="Ann@Example.com",
        customer=customer,
        origin_id=customer.pk,
        since=timezone.now(),
    )
    activity = Activity.objects.create(
        uuid=uuid4(),
        maestra_id=customer.pk,
        kind="page_view",
        occurred_at=timezone.now(),
        url="https://shop.example/ann%40example.com?q=ann@example.com&tel=%2B4915112345678",
        title="Hello ann@example.com",
        properties={"to": ["ann@example.com"]},
    )
    pages = [
        address(Identifier),
        address(Identifier, "change", identifier.pk),
        address(Activity),
        address(Activity, "change", activity.pk),
    ]
    viewer = user("Viewer")
    viewer.user_permissions.add(Permission.objects.get(codename="view_identifier"))
    client, everybody = Client(), signed_in()
    client.force_login(viewer)
    for where in pages:
        shown = client.get(where).content.decode()
        assert "a•••@e•••.com" in shown
        assert not re.search("ann(@|%40)example|Ann@Example|4915112345678", shown)
        assert "example.com" in everybody.get(where).content.decode()


def test_a_key_without_chosen_scopes_gets_those_of_its_point() -> None:
    point = IntegrationPoint.objects.create(
        system_name="shop", name="Shop", kind="website", default_scopes=["write"]
    )
    signed_in().post(address(ApiKey, "add"), {"point": point.pk, "name": ""})
    assert ApiKey.objects.get().scopes == ["write"]


def test_a_key_is_revoked_only_when_asked_twice(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    call_command("configure", str(story.SETUP), keys=str(file), verbosity=0)
    client, key = signed_in(), ApiKey.objects.get(point__system_name="website")
    assert act(client, key, "revoke").values("question") == ["revoke"]
    text = json.loads(file.read_text())["website"]
    assert access_of(text, timezone.now())
    assert act(client, key, "revoke", confirmed="yes").values("question") == []
    assert access_of(text, timezone.now()) is None


def test_a_viewer_makes_no_keys() -> None:
    client = signed_in("Viewer")
    assert client.get(address(ApiKey, "add")).status_code == 403
    assert client.get(address(ApiKey)).status_code == 403


def test_what_a_kind_is_cannot_be_changed() -> None:
    kind = IdentifierKind.objects.create(system_name="crm_id", name="CRM ID", category="unique")
    data = {
        "name": "CRM number",
        "system_name": "other",
        "category": "identifier",
        "do_not_merge_different": "on",
        "confirmed": "yes",
    }
    assert signed_in().post(address(IdentifierKind, "change", kind.pk), data).status_code == 302
    kind.refresh_from_db()
    assert (kind.name, kind.system_name, kind.category) == ("CRM number", "crm_id", "unique")
    assert kind.do_not_merge_different


def test_a_new_kind_is_one_that_projects_define() -> None:
    client = signed_in()
    client.post(address(IdentifierKind, "add"), {"name": "X", "system_name": "x", "category": "email"})
    assert not IdentifierKind.objects.filter(system_name="x").exists()
    client.post(address(IdentifierKind, "add"), {"name": "X", "system_name": "x", "category": "identifier"})
    assert IdentifierKind.objects.get(system_name="x").pk >= 100


@pytest.mark.usefixtures("shop")
def test_segments_are_renamed_and_added_but_keep_their_system_names() -> None:
    loyalty = Segmentation.objects.get(system_name="loyalty")
    silver, gold = loyalty.segments.order_by("id")
    data = {
        "name": "Loyalty",
        "segments-TOTAL_FORMS": "3",
        "segments-INITIAL_FORMS": "2",
        "segments-0-id": str(silver.pk),
        "segments-0-system_name": "bronze",
        "segments-0-name": "Bronze",
        "segments-1-id": str(gold.pk),
        "segments-1-name": "Gold",
        "segments-2-system_name": "platinum",
        "segments-2-name": "Platinum",
    }
    assert signed_in("Marketer").post(address(Segmentation, "change", loyalty.pk), data).status_code == 302
    names = list(loyalty.segments.order_by("id").values_list("system_name", "name"))
    assert names == [("silver", "Bronze"), ("gold", "Gold"), ("platinum", "Platinum")]


@pytest.mark.parametrize(
    ("lookup_by", "fault"),
    [
        (["crm"], "invalid_choice"),
        (["payment_card_hash"], "invalid_choice"),
        (["email", "", "email"], "chosen_twice"),
    ],
)
def test_a_point_looks_up_by_kinds_that_exist(lookup_by: list[str], fault: str) -> None:
    data = {"name": "Shop", "system_name": "shop", "kind": "website", "lookup_by": lookup_by}
    answer = signed_in().post(address(IntegrationPoint, "add"), data)
    errors = answer.context["adminform"].form.errors.as_data()
    assert [error.code for error in errors["lookup_by"]] == [fault]
    assert not IntegrationPoint.objects.exists()


def test_the_order_of_looking_up_is_shown_and_changed() -> None:
    point = IntegrationPoint.objects.create(
        name="Shop", system_name="shop", kind="website", lookup_by=["email", "maestra_id"]
    )
    client, where = signed_in(), address(IntegrationPoint, "change", point.pk)
    form = client.get(where).context["adminform"].form
    shown = re.findall(r'<option value="(\w*)" selected>', str(form["lookup_by"]))
    assert shown == ["email", "maestra_id", ""]
    keys = {"keys-TOTAL_FORMS": "0", "keys-INITIAL_FORMS": "0"}
    data = {"name": "Shop", "kind": "website", "lookup_by": ["maestra_id", "", "email"], **keys}
    assert client.post(where, data).status_code == 302
    point.refresh_from_db()
    assert point.lookup_by == ["maestra_id", "email"]


def test_types_of_contact_are_ticked_on_a_point() -> None:
    page_of_adding = page(signed_in().get(address(IntegrationPoint, "add")))
    boxes = {
        (box.attributes["name"], box.attributes["value"])
        for box in page_of_adding.below()
        if box.attributes.get("type") == "checkbox" and "value" in box.attributes
    }
    for name in ("must_be_confirmed", "gives_access"):
        assert {value for field, value in boxes if field == name} == {
            "email",
            "mobile_phone",
            "discount_card",
        }


def point_data(**more: str) -> dict[str, str]:
    keys = {"keys-TOTAL_FORMS": "0", "keys-INITIAL_FORMS": "0"}
    return {"name": "Shop", "system_name": "shop", "kind": "website", **keys, **more}


@pytest.mark.parametrize("kind", PointKinds.values)
def test_the_kind_says_whether_records_are_personal_actions(kind: str) -> None:
    """R13: unless somebody says otherwise."""
    assert signed_in().post(address(IntegrationPoint, "add"), point_data(kind=kind)).status_code == 302
    point = IntegrationPoint.objects.get()
    assert point.personal_actions is (kind in ("website", "app", "point_of_sale", "call_centre"))


@pytest.mark.parametrize("kind", ["crm", "file_import", "admin"])
def test_a_yes_that_is_unusual_for_the_kind_needs_a_second_look(kind: str) -> None:
    """R13: when it is chosen, and not with every later change."""
    client, where = signed_in(), address(IntegrationPoint, "add")
    data = point_data(kind=kind, personal_actions="True")
    assert set(client.post(where, data).context["adminform"].form.errors) == {"is_looked_at_twice"}
    assert not IntegrationPoint.objects.exists()
    assert client.post(where, {**data, "is_looked_at_twice": "on"}).status_code == 302
    point = IntegrationPoint.objects.get()
    assert point.personal_actions
    where = address(IntegrationPoint, "change", point.pk)
    assert client.post(where, {**data, "name": "Other"}).status_code == 302
    assert client.post(where, {**data, "personal_actions": "False"}).status_code == 302
    point.refresh_from_db()
    assert not point.personal_actions


def test_a_point_is_set_up() -> None:
    data = {
        "name": "Shop",
        "system_name": "shop",
        "kind": "website",
        "lookup_by": ["maestra_id", "email"],
        "default_scopes": ["read"],
        "gives_access": ["mobile_phone"],
        "keys-TOTAL_FORMS": "0",
        "keys-INITIAL_FORMS": "0",
    }
    assert signed_in().post(address(IntegrationPoint, "add"), data).status_code == 302
    point = IntegrationPoint.objects.get()
    assert (point.lookup_by, point.default_scopes) == (["maestra_id", "email"], ["read"])
    assert (point.must_be_confirmed, point.gives_access) == ([], ["mobile_phone"])


def test_the_block_list_takes_no_pattern_that_is_none() -> None:
    client = signed_in()
    answer = client.post(address(BlockedValue, "add"), {"type": "email", "value": "", "pattern": "((("})
    assert answer.context["adminform"].form.errors
    assert not BlockedValue.objects.filter(pattern="(((").exists()
    client.post(address(BlockedValue, "add"), {"type": "*", "value": "", "pattern": "^zzz"})
    assert BlockedValue.objects.filter(type="*", pattern="^zzz").exists()


def test_the_settings_are_one_page() -> None:
    client = signed_in("Integrator")
    data = {"default_region": "DE", "shared_device_limit": "7", "suppression_list": "on"}
    answer = client.get(address(ProjectSettings))
    assert answer.headers["Location"] == address(ProjectSettings, "change", 1)
    assert client.post(address(ProjectSettings, "change", 1), data).status_code == 302
    assert ProjectSettings.objects.values_list("default_region", "shared_device_limit").get() == ("DE", 7)
    for unknown in ("ZZ", "de", "XX", ""):
        answer = client.post(address(ProjectSettings, "change", 1), {**data, "default_region": unknown})
        assert answer.status_code == 200, unknown
        assert "default_region" in answer.context["adminform"].form.errors
    assert ProjectSettings.objects.get().default_region == "DE"


def test_a_key_without_a_scope_is_not_made() -> None:
    client, point = signed_in(), IntegrationPoint.objects.create(system_name="till", kind="point_of_sale")
    answer = client.post(address(ApiKey, "add"), {"point": point.pk, "name": "x"})
    assert "scopes" in answer.context["adminform"].form.errors
    assert not ApiKey.objects.exists()
    IntegrationPoint.objects.filter(pk=point.pk).update(default_scopes=["read"])
    client.post(address(ApiKey, "add"), {"point": point.pk, "name": "x"})
    assert ApiKey.objects.get().scopes == ["read"]


@pytest.mark.usefixtures("shop")
def test_customers_are_opted_out_only_when_asked_twice() -> None:
    client, paul = signed_in("Privacy officer"), Customer.objects.get(first_name="Paul")
    assert act(client, paul, "opt_out").values("question") == ["opt_out"]
    assert act(client, paul, "opt_out", confirmed="yes").values("question") == ["opt_out"]
    assert load_profiles([paul.pk])[paul.pk].opted_out_at is None
    act(client, paul, "opt_out", confirmed="yes", reason=" By  letter ")
    assert load_profiles([paul.pk])[paul.pk].opted_out_at
    (told,) = history([paul.pk], labels={}, kinds=("opt_out",)).items
    assert (told["data"]["stated"], "By letter" in told["sentence"]) == ("By letter", True)


@pytest.mark.usefixtures("shop")
def test_customers_are_erased_only_when_asked_twice() -> None:
    client, paul = signed_in("Privacy officer"), Customer.objects.get(first_name="Paul")
    asked = act(client, paul, "erase")
    assert asked.values("question") == ["erase"]
    profile = load_profiles([paul.profile_id])[paul.profile_id]
    said = asked.one(customer=profile.maestra_id).text
    assert "Paul" in said
    assert all(h.value in said for h in profile.held(Category.EMAIL))
    assert act(client, paul, "erase", confirmed="yes", reason=" ").values("question") == ["erase"]
    assert Customer.objects.get(pk=paul.pk).erased_at is None
    act(client, paul, "erase", confirmed="yes", reason="Asked for")
    assert Customer.objects.get(pk=paul.pk).erased_at
    (told,) = history([paul.pk], labels={}, kinds=("erased",)).items
    assert told["data"]["stated"] == "Asked for"


@pytest.mark.usefixtures("shop")
def test_a_customer_is_exported() -> None:
    client, paul = signed_in("Privacy officer"), Customer.objects.get(first_name="Paul")
    answer = client.get(address(Customer, "export", paul.pk))
    exported = json.loads(b"".join(answer.streaming_content))  # type: ignore[attr-defined]
    assert exported["customer"]["personal"]["first_name"] == "Paul"


@pytest.mark.usefixtures("shop")
def test_a_marketer_neither_erases_nor_opts_out_nor_exports() -> None:
    client, paul = signed_in("Marketer"), Customer.objects.get(first_name="Paul")
    for action in ("erase", "opt_out"):
        act(client, paul, action, confirmed="yes", reason="x")
    assert client.get(address(Customer, "export", paul.pk)).status_code == 403
    row = Customer.objects.get(pk=paul.pk)
    assert (row.erased_at, row.opted_out_at) == (None, None)


@pytest.mark.usefixtures("shop")
def test_payment_cards_are_masked_and_only_for_privacy_officers() -> None:
    hash_ = "f" * 64
    paul = Customer.objects.get(first_name="Paul")
    card = paul.payment_cards.create(hash=hash_, origin_id=paul.pk, since=timezone.now())
    where = address(type(card), "change", card.pk)
    text = signed_in("Privacy officer").get(where).content.decode()
    assert "ffff…" in text
    assert hash_ not in text
    assert signed_in("Marketer").get(where).status_code == 403
