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
PREVIEW, CONFIRM, UNDO = "[data-action=preview]", "[data-action=confirm]", "[data-action=undo]"


def holder(value: str) -> int:
    maestra_id = Identifier.objects.get(value=value).customer_id
    assert maestra_id
    return maestra_id


def test_two_are_picked_previewed_merged_and_made_two_again(page: Page, shop: str, sign_in: SignIn) -> None:
    paul, evan = holder(PAUL), holder(EVAN)
    sign_in("Marketer")
    page.goto(f"/admin/customers/customer/{paul}/change/")
    page.locator("a[href*='/dedup/merge/new/']").click()
    page.locator("#q").fill("EVAN@example.com")
    page.keyboard.press("Enter")
    page.locator(f"[data-add='{evan}']").click()
    expect(page.locator(f"[data-priority='{paul}']")).to_be_visible()
    page.locator(PREVIEW).click()
    expect(page.locator(f"[data-role=after][data-customer='{paul}']")).to_be_visible()
    assert findings(page) == []
    page.locator(CONFIRM).click()
    expect(page.locator("[data-merge]")).to_be_visible()
    assert holder(EVAN) == paul
    page.locator(UNDO).click()
    expect(page.locator(f"[data-role=after][data-customer='{evan}']")).to_be_visible()
    page.locator(CONFIRM).click()
    expect(page.locator("[data-undone]")).to_be_visible()
    expect(page.locator(UNDO)).to_have_count(0)
    assert (holder(PAUL), holder(EVAN)) == (paul, evan)


def test_a_preview_that_went_stale_shows_what_is_new_and_is_confirmed_anew(
    page: Page, shop: str, sign_in: SignIn
) -> None:
    paul, evan = holder(PAUL), holder(EVAN)
    sign_in("Marketer")
    page.goto(f"/admin/dedup/merge/new/?customer={paul}&customer={evan}")
    page.locator(PREVIEW).click()
    opt_out(evan, actor="system")
    merge = page.locator(CONFIRM)
    merge.click()
    expect(page.locator("[role=alert][data-stale]")).to_be_visible()
    expect(page.locator("tr[data-field=opted_out_at][data-new]")).to_be_visible()
    ended = page.locator(f"[data-remark=subscribed_to_unsubscribed][data-customer='{paul}']")
    expect(ended.first).to_be_visible()
    merge.click()
    expect(page.locator("[data-merge]")).to_be_visible()
    assert holder(EVAN) == paul


def test_who_both_have_an_account_cannot_be_merged_and_it_says_why(
    page: Page, shop: str, sign_in: SignIn
) -> None:
    by_mail, by_phone = holder(ANN), holder("+14155550155")
    sign_in("Marketer")
    page.goto(f"/admin/dedup/merge/new/?customer={by_mail}&customer={by_phone}")
    page.locator(PREVIEW).click()
    expect(page.locator("[data-blocked]")).to_be_visible()
    veto = page.locator("[data-veto=different_account_access]")
    expect(veto.locator(f"[data-customer='{by_mail}']")).to_contain_text(ANN)
    assert findings(page) == []
    page.locator("[data-action=explain]").click()
    expect(page.locator("[data-verdict=blocked]")).to_be_visible()


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
