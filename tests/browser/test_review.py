"""The review queue and what explains it, by mouse and by keyboard."""

import json

import pytest
from playwright.sync_api import Locator, Page, expect

from dedup.models import ApartPair, ReviewPair
from tests.browser.axe import faults
from tests.browser.conftest import SignIn

pytestmark = pytest.mark.browser


def asked(page: Page, pair: ReviewPair) -> Locator:
    return page.locator(f"[data-pair='{pair.pk}']")


def test_a_pair_is_decided_and_the_next_one_follows(page: Page, shop: str, sign_in: SignIn) -> None:
    pairs = list(ReviewPair.objects.order_by("-at", "-pk"))
    sign_in("Marketer")
    page.goto("/admin/")
    page.locator("[data-tile=review]").click()
    page.get_by_role("row").nth(1).get_by_role("link").first.click()
    first, second, third = pairs[:3]
    expect(asked(page, first)).to_be_visible()
    page.locator("button[name=decision][value=apart]").click()
    expect(asked(page, second)).to_be_visible()
    page.keyboard.press("Alt+r")
    expect(asked(page, third)).to_be_visible()
    assert ReviewPair.objects.get(pk=second.pk).status == "seen"
    assert ApartPair.objects.filter(low_id=first.low_id, high_id=first.high_id).exists()


def test_a_record_is_tried_and_told_in_sentences(page: Page, shop: str, sign_in: SignIn) -> None:
    sign_in("Marketer")
    page.goto("/admin/dedup/reviewpair/explain/")
    page.locator("[data-action=explain_record]").click()
    page.locator("[name=point]").select_option(label="Website")
    record = {"email": "paula@example.com", "mobile_phone": "(415) 555-0122"}
    page.locator("[name=record]").fill(json.dumps(record))
    page.locator("[data-action=test]").click()
    expect(page.locator("[data-outcome=created]")).to_be_visible()
    expect(page.locator("[data-conflict=mobile_phone][data-criterion=orders]")).to_be_visible()
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
