"""Merging by hand, from signing in to the result and back."""

import pytest
from playwright.sync_api import Page, expect

from customers.models import Identifier
from customers.privacy.opt_out import opt_out
from dedup.demo.story import ANN, EVAN, PAUL
from dedup.models import Merge
from tests.browser.axe import faults, findings
from tests.browser.conftest import SignIn

pytestmark = pytest.mark.browser
PASSWORD = "a good long password"


def holder(value: str) -> int:
    maestra_id = Identifier.objects.get(value=value).customer_id
    assert maestra_id
    return maestra_id


def test_two_are_picked_previewed_merged_and_made_two_again(page: Page, shop: str, sign_in: SignIn) -> None:
    paul, evan = holder(PAUL), holder(EVAN)
    sign_in("Marketer")
    page.goto(f"/admin/customers/customer/{paul}/change/")
    page.get_by_role("link", name="Merge…").click()
    page.get_by_label("E-mail, phone, card, any ID").fill("EVAN@example.com")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name=f"Add customer {evan}").click()
    expect(page.get_by_text(f"By priority: customer {paul}")).to_be_visible()
    page.get_by_role("button", name="See what will happen").click()
    expect(page.get_by_role("heading", name=f"Merge into customer {paul}")).to_be_visible()
    assert findings(page) == []
    page.get_by_role("button", name=f"Merge into customer {paul}").click()
    expect(page.get_by_text(f"are one now: customer {paul}")).to_be_visible()
    page.get_by_role("link", name="Undo…").click()
    expect(page.get_by_role("columnheader", name=f"Becomes customer {evan}")).to_be_visible()
    page.get_by_role("button", name="Undo the merge").click()
    expect(page.get_by_text(f"Customers {paul} and {evan} are two again")).to_be_visible()
    expect(page.get_by_role("link", name="Undo…")).to_have_count(0)
    assert (holder(PAUL), holder(EVAN)) == (paul, evan)


def test_a_preview_that_went_stale_shows_what_is_new_and_is_confirmed_anew(
    page: Page, shop: str, sign_in: SignIn
) -> None:
    paul, evan = holder(PAUL), holder(EVAN)
    sign_in("Marketer")
    page.goto(f"/admin/dedup/merge/new/?customer={paul}&customer={evan}")
    page.get_by_role("button", name="See what will happen").click()
    opt_out(evan, actor="system")
    merge = page.get_by_role("button", name=f"Merge into customer {paul}")
    merge.click()
    expect(page.get_by_role("alert").filter(has_text="Nothing was done")).to_be_visible()
    expect(page.get_by_role("row", name="Refused all communication new")).to_be_visible()
    expect(page.get_by_text(f"customer {paul} was subscribed and becomes unsubscribed")).to_be_visible()
    merge.click()
    expect(page.get_by_text(f"are one now: customer {paul}")).to_be_visible()


def test_who_both_have_an_account_cannot_be_merged_and_it_says_why(
    page: Page, shop: str, sign_in: SignIn
) -> None:
    by_mail, by_phone = holder(ANN), holder("+14155550155")
    sign_in("Marketer")
    page.goto(f"/admin/dedup/merge/new/?customer={by_mail}&customer={by_phone}")
    page.get_by_role("button", name="See what will happen").click()
    expect(page.get_by_text("These customers cannot be merged as they are.")).to_be_visible()
    expect(
        page.get_by_text("Both sign in with contacts of their own and share none of them.")
    ).to_be_visible()
    expect(page.get_by_text(f"Customer {by_mail}: E-mail {ANN}")).to_be_visible()
    assert findings(page) == []
    page.get_by_role("link", name="Explain the two").click()
    expect(page.get_by_text("nobody can merge them before something changes")).to_be_visible()


def test_every_page_of_a_merge_is_for_everybody(page: Page, shop: str, sign_in: SignIn) -> None:
    paul, evan = holder(PAUL), holder(EVAN)
    merge = Merge.objects.get()
    sign_in("Marketer")
    found = faults(
        page,
        "/admin/",
        f"/admin/dedup/merge/new/?customer={paul}&customer={evan}&q=ann",
        f"/admin/dedup/merge/{merge.pk}/change/",
        f"/admin/dedup/merge/{merge.pk}/undo/",
    )
    assert found == {}
