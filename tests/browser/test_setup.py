"""Setting the project up by hand."""

import re

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from playwright.sync_api import Page, expect

from customers.models import IdentifierKind, IntegrationPoint
from customers.setup.integration_points import access_of
from segments.models import Segmentation
from tests.browser.axe import faults, findings
from tests.browser.conftest import SignIn

pytestmark = pytest.mark.browser


def test_a_switch_is_saved_only_after_it_was_told_whom_it_affects(
    page: Page, shop: str, sign_in: SignIn
) -> None:
    kind = IdentifierKind.objects.get(system_name="crm_id")
    sign_in("Integrator")
    page.goto(f"/admin/customers/identifierkind/{kind.pk}/change/")
    page.locator("[name=do_not_merge_different]").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Customers with a current CRM ID: 2.")).to_be_visible()
    assert findings(page) == []
    page.get_by_role("link", name="No, leave it").click()
    expect(page.locator("[name=do_not_merge_different]")).not_to_be_checked()
    page.locator("[name=do_not_merge_different]").check()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Yes, switch it").click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    kind.refresh_from_db()
    assert kind.do_not_merge_different


def test_a_key_is_made_shown_once_and_revoked(page: Page, shop: str, sign_in: SignIn) -> None:
    point = IntegrationPoint.objects.get(system_name="website")
    sign_in("Integrator")
    page.goto(f"/admin/customers/integrationpoint/{point.pk}/change/")
    page.get_by_role("link", name="Make a key").click()
    page.get_by_role("button", name="Save", exact=True).click()
    text = page.get_by_label("Key", exact=True).input_value()
    assert re.fullmatch(r"ssk_\w{8}_[\w-]{43}", text)
    assert access_of(text, timezone.now())
    page.get_by_role("link", name="I have copied it").click()
    page.get_by_role("link", name=text.split("_")[1]).click()
    page.get_by_role("link", name="Revoke").click()
    page.get_by_role("button", name="Yes, revoke").click()
    expect(page.get_by_text("1 key was revoked.")).to_be_visible()
    assert access_of(text, timezone.now()) is None


def test_every_set_up_page_is_for_everybody(page: Page, shop: str, sign_in: SignIn) -> None:
    point, role = IntegrationPoint.objects.get(system_name="website"), Group.objects.get(name="Marketer")
    segmentation = Segmentation.objects.get(system_name="loyalty")
    sign_in()
    found = faults(
        page,
        f"/admin/customers/integrationpoint/{point.pk}/change/",
        "/admin/customers/blockedvalue/test/?kind=email&value=test@test.com",
        f"/admin/auth/group/{role.pk}/change/",
        f"/admin/segments/segmentation/{segmentation.pk}/delete/",
    )
    assert found == {}
