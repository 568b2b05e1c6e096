"""The review queue and what explains it, by mouse and by keyboard."""

import json

import pytest
from playwright.sync_api import Locator, Page, expect

from dedup.models import ApartPair, ReviewPair
from tests.browser.axe import faults
from tests.browser.conftest import SignIn

pytestmark = pytest.mark.browser


def asked(page: Page, pair: ReviewPair) -> Locator:
    return page.get_by_role("heading", name=f"Are customers {pair.low_id} and {pair.high_id} one person?")


def test_a_pair_is_decided_and_the_next_one_follows(page: Page, shop: str, sign_in: SignIn) -> None:
    pairs = list(ReviewPair.objects.order_by("-at", "-pk"))
    sign_in("Marketer")
    page.goto("/admin/")
    page.get_by_role("link", name="Pairs to review").click()
    page.get_by_role("row").nth(1).get_by_role("link").first.click()
    first, second, third = pairs[:3]
    expect(
        page.get_by_role("heading", name=f"Are customers {first.low_id} and {first.high_id}")
    ).to_be_visible()
    page.get_by_role("button", name="Never merge these").click()
    expect(page.get_by_text(f"Customers {first} are never merged")).to_be_visible()
    expect(asked(page, second)).to_be_visible()
    page.keyboard.press("Alt+r")
    expect(page.get_by_text(f"Pair {second} is reviewed.")).to_be_visible()
    expect(
        page.get_by_role("heading", name=f"Are customers {third.low_id} and {third.high_id}")
    ).to_be_visible()
    assert ApartPair.objects.filter(low_id=first.low_id, high_id=first.high_id).exists()


def test_a_record_is_tried_and_told_in_sentences(page: Page, shop: str, sign_in: SignIn) -> None:
    sign_in("Marketer")
    page.goto("/admin/dedup/reviewpair/explain/")
    page.get_by_role("link", name="Or try what a record would do.").click()
    page.get_by_label("Integration point").select_option(label="Website")
    record = {"email": "paula@example.com", "mobile_phone": "(415) 555-0122"}
    page.get_by_label("Record").fill(json.dumps(record))
    page.get_by_role("button", name="What would it do?").click()
    expect(page.get_by_role("heading", name="A new customer would be made.")).to_be_visible()
    expect(page.get_by_text("not with the new customer. What decides: Has orders")).to_be_visible()
    assert not ReviewPair.objects.filter(high_id__gt=1 << 32).exists()


def test_every_page_of_the_queue_is_for_everybody(page: Page, shop: str, sign_in: SignIn) -> None:
    pair = ReviewPair.objects.order_by("-at")[0]
    sign_in("Marketer")
    found = faults(
        page,
        "/admin/dedup/reviewpair/",
        f"/admin/dedup/reviewpair/{pair.pk}/change/",
        "/admin/dedup/reviewpair/explain/record/",
    )
    assert found == {}
