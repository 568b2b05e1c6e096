"""The profile: read by a marketer, edited, and looked at by those who see less."""

import pytest
from playwright.sync_api import Page, expect

from customers.models import Customer, Reveal
from customers.storage.loading import load_profiles
from dedup.demo.story import EVAN, PAUL
from dedup.models import Merge
from tests.browser.axe import faults, findings
from tests.browser.conftest import SignIn

pytestmark = pytest.mark.browser

TABS = ("personal", "identifiers", "subscriptions", "orders", "activity", "history", "graph")


def test_why_did_the_phone_disappear(page: Page, shop: str, sign_in: SignIn) -> None:
    sign_in("Marketer")
    paul = Customer.objects.get(first_name="Paul")
    page.goto(f"/admin/customers/customer/?q={EVAN}")
    related = page.locator("article", has_text="Paul Peterson")
    expect(related.get_by_text("Mobile phone +14155550122 is customer")).to_be_visible()
    page.get_by_role("link", name="Change history").last.click()
    page.get_by_text("Every kind").click()
    page.get_by_label("Contact lost").check()
    page.get_by_role("button", name="Filter", exact=True).click()
    reason = f"stays with customer {paul.pk}, because customer {paul.pk} has orders"
    expect(page.get_by_text(reason)).to_be_visible()
    page.get_by_role("link", name=f"customer {paul.pk}", exact=True).first.click()
    expect(page.get_by_role("region", name="Customer").get_by_text("Paul Peterson")).to_be_visible()


def test_why_were_they_merged(page: Page, shop: str, sign_in: SignIn) -> None:
    sign_in("Viewer")
    merge = Merge.objects.get()
    page.goto(f"/admin/customers/customer/{merge.absorbed_id}/tab/graph/")
    expect(page.get_by_text(f"{merge.absorbed_id} is a former MaestraID")).to_be_visible()
    picture = page.get_by_role("img", name="Identity graph")
    expect(picture.get_by_text(f"MaestraID {merge.absorbed_id}")).to_be_visible()
    expect(picture.get_by_text("joined them", exact=True)).to_be_visible()
    expect(page.get_by_text("because they share E-mail s•••@e•••.com").last).to_be_visible()


def test_a_customer_is_edited_with_faults_at_their_fields(page: Page, shop: str, sign_in: SignIn) -> None:
    sign_in("Marketer")
    clara = Customer.objects.get(first_name="Clara")
    page.goto(f"/admin/customers/customer/{clara.pk}/change/")
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Last name").fill("Clark")
    page.get_by_role("group", name="Mobile phone").get_by_label("New value").fill("12")
    page.get_by_role("button", name="Save").click()
    faulty = page.get_by_role("group", name="Mobile phone").get_by_label("New value")
    expect(faulty).to_have_attribute("aria-invalid", "true")
    expect(faulty).to_have_value("12")
    faulty.fill("(415) 555-0199")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The changes were saved.")).to_be_visible()
    expect(page.get_by_role("region", name="Customer").get_by_text("Clara Clark")).to_be_visible()
    expect(page.get_by_role("region", name="Customer").get_by_text("+14155550199")).to_be_visible()


def test_account_access_is_taken_only_when_confirmed(page: Page, shop: str, sign_in: SignIn) -> None:
    sign_in("Marketer")
    clara = Customer.objects.get(first_name="Clara")
    page.goto(f"/admin/customers/customer/{clara.pk}/page/edit/")
    page.get_by_role("group", name="E-mail").get_by_label("Clear all").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("the customer cannot sign in with it")).to_be_visible()
    assert findings(page) == []
    assert load_profiles([clara.pk])[clara.pk].access_contacts()
    page.get_by_role("button", name="Yes, do it").click()
    expect(page.get_by_text("The changes were saved.")).to_be_visible()
    assert not load_profiles([clara.pk])[clara.pk].access_contacts()


def test_a_masked_contact_is_shown_and_it_is_recorded(page: Page, shop: str, sign_in: SignIn) -> None:
    sign_in("Integrator")
    paul = Customer.objects.get(first_name="Paul")
    page.goto(f"/admin/customers/customer/{paul.pk}/tab/identifiers/")
    expect(page.get_by_text(PAUL)).to_have_count(0)
    page.get_by_role("button", name="Show E-mail").click()
    expect(page.get_by_text(PAUL).first).to_be_visible()
    assert Reveal.objects.values_list("user_name", "maestra_id").get() == ("Integrator", paul.pk)


def test_every_tab_is_fit_for_everybody(page: Page, shop: str, sign_in: SignIn) -> None:
    sign_in()
    customer = Merge.objects.get().survivor_id
    address = f"/admin/customers/customer/{customer}"
    pages = [f"{address}/tab/{slug}/" for slug in TABS] + [f"{address}/page/edit/"]
    assert faults(page, *pages) == {}
