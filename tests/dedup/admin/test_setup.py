"""The set-up pages: what a switch does is told before it is saved, and a role is what its page says."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from customers.admin.staff import MEANINGS, offered
from customers.models import ApiKey, BlockedValue, IdentifierKind, IntegrationPoint
from customers.setup.integration_points import access_of, make_key
from dedup.models import ReviewPair
from tests.dedup.admin.conftest import Send
from tests.html import Element, page
from tests.staff import address, signed_in

ANN, PHONE = "ann@example.com", "+14155550122"


@pytest.fixture
def integrator(db: None) -> Client:
    return signed_in("Integrator")


# --- identifier kinds ---


def switch(client: Client, is_on: bool, **more: str) -> Element:
    """What the kind's form answers to the switch."""
    kind = IdentifierKind.objects.get(system_name="crm_id")
    data = {"name": "CRM number", **({"do_not_merge_different": "on"} if is_on else {}), **more}
    return page(client.post(address(IdentifierKind, "change", kind.pk), data))


def test_whom_a_switch_affects_is_counted_before_it_is_saved(send: Send, integrator: Client) -> None:
    send(email=ANN, ids={"crm_id": "1"})
    send("edit", lookup={"email": ANN}, ids={"crm_id": "2"})
    send(mobile_phone=PHONE, ids={"crm_id": "3"})
    question = switch(integrator, True).one(question=True)
    assert question.one(consequence="future_merges")["customers"] == "2"
    former = question.one(consequence="former_values")
    assert (former["values"], former["customers"]) == ("1", "1")
    kind = IdentifierKind.objects.get(system_name="crm_id")
    assert (kind.name, kind.do_not_merge_different) == ("CRM ID", False)
    switch(integrator, True, confirmed="yes")
    kind.refresh_from_db()
    assert (kind.name, kind.do_not_merge_different) == ("CRM number", True)


def test_switching_back_counts_the_pairs_that_wait_because_of_it(send: Send, integrator: Client) -> None:
    IdentifierKind.objects.filter(system_name="crm_id").update(do_not_merge_different=True)
    send(email=ANN, ids={"crm_id": "1"})
    send(email=ANN, ids={"crm_id": "2"})
    assert ReviewPair.objects.count() == 1
    assert switch(integrator, False).one(consequence="open_pairs")["pairs"] == "1"
    assert IdentifierKind.objects.get(system_name="crm_id").do_not_merge_different


def test_what_is_not_the_switch_is_saved_at_once(send: Send, integrator: Client) -> None:
    switch(integrator, False)
    assert IdentifierKind.objects.get(system_name="crm_id").name == "CRM number"


def test_who_may_not_change_kinds_is_not_asked(send: Send, viewer: Client) -> None:
    kind = IdentifierKind.objects.get(system_name="crm_id")
    data = {"name": "X", "do_not_merge_different": "on", "confirmed": "yes"}
    assert viewer.post(address(IdentifierKind, "change", kind.pk), data).status_code == 403
    assert not IdentifierKind.objects.get(pk=kind.pk).do_not_merge_different


# --- block list ---


def test_a_value_is_tested_against_the_block_list(integrator: Client) -> None:
    entry = BlockedValue.objects.create(type="mobile_phone", value="(415) 555-0122")

    def tested(kind: str, value: str) -> Element:
        return page(
            integrator.get(reverse("admin:customers_blockedvalue_test"), {"kind": kind, "value": value})
        )

    blocked = tested("mobile_phone", "+1 415 555 0122").one(tested="blocked")
    assert address(BlockedValue, "change", entry.pk) in blocked.links
    assert blocked["normalised"] == "+14155550122"
    assert tested("mobile_phone", "(415) 555-0144").all(tested="allowed")
    assert tested("email", "nobody at home").all(tested="invalid")
    assert tested("nonsense", "x").all(tested=True) == []


def test_the_block_list_is_tested_by_who_may_see_it(db: None) -> None:
    test_page = reverse("admin:customers_blockedvalue_test")
    assert signed_in("Viewer").get(test_page).status_code == 200
    group = Group.objects.get(name="Privacy officer")
    group.permissions.remove(Permission.objects.get(codename="view_blockedvalue"))
    assert signed_in("Privacy officer").get(test_page).status_code == 403


# --- keys ---


def test_a_key_is_revoked_from_its_page_when_asked_twice(integrator: Client) -> None:
    point = IntegrationPoint.objects.create(system_name="shop", name="Shop", kind="website")
    made = make_key(point, "Backend", ["read"])
    revoke = reverse("admin:customers_apikey_revoke_this", args=[made.key.pk])
    assert revoke in page(integrator.get(address(ApiKey, "change", made.key.pk))).links
    assert page(integrator.get(revoke)).values("question") == ["revoke"]
    assert access_of(made.text, timezone.now())
    integrator.post(revoke, {"confirmed": "yes"})
    assert access_of(made.text, timezone.now()) is None
    assert revoke not in page(integrator.get(address(ApiKey, "change", made.key.pk))).links
    assert signed_in("Viewer").post(revoke, {"confirmed": "yes"}).status_code == 403


# --- roles ---


def test_a_role_is_shown_and_kept_by_its_page(db: None) -> None:
    client, role = signed_in(), Group.objects.get(name="Marketer")
    shown = page(client.get(address(Group, "change", role.pk))).text
    for name in ("dedup.add_merge", "dedup.change_merge", "customers.delete_customer"):
        assert str(MEANINGS[name]) in shown
    hidden = Permission.objects.get(codename="add_logentry")
    role.permissions.add(hidden)
    before = set(role.permissions.values_list("pk", flat=True))
    chosen = [pk for pk in before if pk in set(offered().values_list("pk", flat=True))]
    assert client.post(address(Group, "change", role.pk), {"name": "Marketer", "permissions": chosen})
    assert set(role.permissions.values_list("pk", flat=True)) == before
    undo = Permission.objects.get(codename="change_merge")
    rest = [pk for pk in chosen if pk != undo.pk]
    client.post(address(Group, "change", role.pk), {"name": "Marketer", "permissions": rest})
    assert before - set(role.permissions.values_list("pk", flat=True)) == {undo.pk}


def test_what_the_shipped_roles_may_do_is_offered(db: None) -> None:
    # Members come by operations, not as rows: to add one is part of changing them.
    given = Permission.objects.filter(group__isnull=False).exclude(codename="add_membership").distinct()
    missing = given.exclude(pk__in=offered().values("pk")).values_list("codename", flat=True)
    assert list(missing) == []


def test_roles_and_staff_are_for_who_administers_them(db: None) -> None:
    for role in ("Viewer", "Marketer", "Integrator", "Privacy officer"):
        client = signed_in(role)
        assert client.get(reverse("admin:auth_group_changelist")).status_code == 403
        assert client.get(reverse("admin:auth_user_changelist")).status_code == 403
