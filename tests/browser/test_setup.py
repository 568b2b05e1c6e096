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
    page.locator("[name=_save]").click()
    expect(page.locator("[data-consequence=future_merges][data-customers='2']")).to_be_visible()
    assert findings(page) == []
    page.locator("[data-action=back]").click()
    expect(page.locator("[name=do_not_merge_different]")).not_to_be_checked()
    page.locator("[name=do_not_merge_different]").check()
    page.locator("[name=_save]").click()
    page.locator("[data-action=confirm]").click()
    expect(page).to_have_url(re.compile("/customers/identifierkind/$"))
    kind.refresh_from_db()
    assert kind.do_not_merge_different


def test_a_key_is_made_shown_once_and_revoked(page: Page, shop: str, sign_in: SignIn) -> None:
    point = IntegrationPoint.objects.get(system_name="website")
    sign_in("Integrator")
    page.goto(f"/admin/customers/integrationpoint/{point.pk}/change/")
    page.locator("a[href*='/customers/apikey/add/']").first.click()
    page.locator("[name=scopes][value=track]").check()  # all that an integrator may do themselves
    page.locator("[name=_save]").click()
    text = page.locator("[data-key]").input_value()
    assert re.fullmatch(r"ssk_\w{8}_[\w-]{43}", text)
    assert access_of(text, timezone.now())
    page.locator("[data-action=back]").click()
    page.get_by_role("link", name=text.split("_")[1]).click()
    page.locator("a[href*='revoke']").click()
    page.locator("[data-action=confirm]").click()
    expect(page.locator("a[href*='revoke']")).to_have_count(0)
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
