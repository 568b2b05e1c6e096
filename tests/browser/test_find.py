"""Finding a customer, from signing in to the profile."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from dedup.demo.story import NINA
from tests.browser.axe import faults
from tests.browser.conftest import SignIn

pytestmark = pytest.mark.browser
PASSWORD = "a good long password"


def test_from_signing_in_to_a_profile_by_a_phone_as_people_write_it(page: Page, shop: str) -> None:
    User.objects.create_superuser("anna", password=PASSWORD)
    page.goto("/admin/login/")
    page.get_by_label("Username").fill("anna")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.locator('a[href="/admin/customers/customer/"]').first.click()
    page.locator("#searchbar").fill("(415) 555-0122")
    page.locator("#searchbar").press("Enter")
    expect(page.locator("[data-name]")).to_have_text("Paul Peterson")
    expect(page.get_by_text("Mobile phone +14155550122").first).to_be_visible()
    expect(page.locator("[data-zone='Europe/Berlin']")).to_be_visible()


def test_a_list_is_filtered_kept_under_a_name_and_taken_away(page: Page, shop: str, sign_in: SignIn) -> None:
    sign_in("Marketer")
    page.goto("/admin/customers/customer/")
    page.locator("button[aria-controls=changelist-filter]").click()
    page.locator("select[name=contact]").select_option("mobile_phone")
    page.locator("#changelist-filter button[type=submit], button[form=filter-form]").first.click()
    expect(page.get_by_text(NINA)).to_be_visible()
    expect(page.get_by_text("olivia@example.com")).to_have_count(0)
    saving = page.locator("[data-save-filter]")
    saving.locator("summary").click()
    saving.locator("[name=name]").fill("Can be called")
    saving.locator("button").click()
    page.goto("/admin/customers/customer/")
    page.get_by_role("link", name="Can be called").click()
    expect(page.get_by_text("olivia@example.com")).to_have_count(0)
    with page.expect_download() as download:
        page.locator("a[href*='/customers/customer/export/']").click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    assert text.splitlines()[0].startswith("MaestraID,")
    assert NINA in text
    assert "olivia@example.com" not in text
    assert faults(page, "/admin/customers/customer/?contact=mobile_phone") == {}
