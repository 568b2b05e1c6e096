"""The profile: read by a marketer, edited, and looked at by those who see less."""

import re

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
    related = page.locator(f"article[data-customer='{paul.pk}']", has_text="Paul Peterson")
    expect(related.locator("[data-kept=no]")).to_contain_text("+14155550122")
    page.locator("[data-tab=history]").click()
    page.locator("[data-kinds] summary").click()
    page.locator("[name=kind][value=contact_lost]").check()
    page.locator("[data-action=filter]").click()
    lost = page.locator(f"[data-entry=contact_lost][data-criterion=orders][data-related='{paul.pk}']")
    expect(lost).to_contain_text("+14155550122")
    lost.locator("a").click()
    expect(page.locator("[data-name]")).to_have_text("Paul Peterson")


def test_why_were_they_merged(page: Page, shop: str, sign_in: SignIn) -> None:
    sign_in("Viewer")
    merge = Merge.objects.get()
    page.goto(f"/admin/customers/customer/{merge.absorbed_id}/tab/graph/")
    expect(page).to_have_url(re.compile(f"/customer/{merge.survivor_id}/tab/graph/"))
    picture = page.locator("svg[role=img]")
    expect(picture.locator(f"[data-maestra-id='{merge.absorbed_id}']")).to_be_visible()
    expect(picture.locator("[data-joined]")).to_be_visible()
    story = page.locator(f"[data-entry=merged][data-related='{merge.absorbed_id}']")
    expect(story).to_contain_text("s•••@e•••.com")


def test_a_customer_is_edited_with_faults_at_their_fields(page: Page, shop: str, sign_in: SignIn) -> None:
    sign_in("Marketer")
    clara = Customer.objects.get(first_name="Clara")
    page.goto(f"/admin/customers/customer/{clara.pk}/change/")
    page.locator("a[href$='/page/edit/']").click()
    page.locator("[name='personal.last_name']").fill("Clark")
    faulty = page.locator("[name=mobile_phone]")
    faulty.fill("12")
    page.locator("[data-action=save]").click()
    expect(faulty).to_have_attribute("aria-invalid", "true")
    expect(faulty).to_have_value("12")
    faulty.fill("(415) 555-0199")
    page.locator("[data-action=save]").click()
    expect(page.locator("[data-name]")).to_have_text("Clara Clark")
    expect(page.locator("[data-kind=mobile_phone]").first).to_contain_text("+14155550199")


def test_account_access_is_taken_only_when_confirmed(page: Page, shop: str, sign_in: SignIn) -> None:
    sign_in("Marketer")
    clara = Customer.objects.get(first_name="Clara")
    page.goto(f"/admin/customers/customer/{clara.pk}/page/edit/")
    page.locator("[name='email.clear']").check()
    page.locator("[data-action=save]").click()
    expect(page.locator("[data-access=lost]")).to_be_visible()
    assert findings(page) == []
    assert load_profiles([clara.pk])[clara.pk].access_contacts()
    page.locator("[data-action=confirm]").click()
    expect(page.locator("[data-tab]").first).to_be_visible()
    expect(page.locator("[data-question]")).to_have_count(0)
    assert not load_profiles([clara.pk])[clara.pk].access_contacts()


def test_a_masked_contact_is_shown_and_it_is_recorded(page: Page, shop: str, sign_in: SignIn) -> None:
    sign_in("Integrator")
    paul = Customer.objects.get(first_name="Paul")
    page.goto(f"/admin/customers/customer/{paul.pk}/tab/identifiers/")
    expect(page.get_by_text(PAUL)).to_have_count(0)
    page.locator("[data-kind=email] [data-action=reveal]").click()
    expect(page.get_by_text(PAUL).first).to_be_visible()
    assert Reveal.objects.values_list("user_name", "maestra_id").get() == ("Integrator", paul.pk)


def test_every_tab_is_fit_for_everybody(page: Page, shop: str, sign_in: SignIn) -> None:
    sign_in()
    customer = Merge.objects.get().survivor_id
    address = f"/admin/customers/customer/{customer}"
    pages = [f"{address}/tab/{slug}/" for slug in TABS] + [f"{address}/page/edit/"]
    assert faults(page, *pages) == {}
