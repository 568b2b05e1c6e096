"""Segments built, counted and recalculated without code."""

import pytest
from playwright.sync_api import Locator, Page, expect

from customers.redis import waking
from segments import recalculation
from segments.models import Membership, Segment, Segmentation
from tests.browser.axe import findings
from tests.browser.conftest import SignIn

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waking, "wake", lambda *_, **__: True)


@pytest.fixture
def worth(shop: str) -> Segmentation:
    segmentation = Segmentation.objects.create(system_name="worth", name="Worth", kind="calculated")
    Segment.objects.create(segmentation=segmentation, system_name="buyers", name="Buyers")
    return segmentation


def address(segment: Segment | Segmentation) -> str:
    return f"/admin/segments/{segment._meta.model_name}/{segment.pk}/change/"


def condition(page: Page, number: int) -> Locator:
    return page.get_by_role("group", name="Condition", exact=True).nth(number)


def test_a_condition_is_built_counted_told_in_words_and_stored(
    page: Page, worth: Segmentation, sign_in: SignIn
) -> None:
    sign_in("Marketer")
    segment = worth.segments.get()
    page.goto(address(segment))
    expect(page.get_by_text("Nobody is in this segment until it has a condition.")).to_be_visible()
    page.get_by_role("button", name="Add a condition").click()
    expect(condition(page, 0)).to_contain_text("Has an e-mail")
    condition(page, 0).get_by_label("Condition", exact=True).select_option(label="Number of orders")
    expect(condition(page, 0)).to_contain_text("Placed at least 1 order")
    expect(condition(page, 0)).to_contain_text("3 customers")
    page.get_by_role("button", name="Add a group").click()
    condition(page, 1).get_by_label("Condition", exact=True).select_option(label="Reward points")
    condition(page, 1).get_by_label("Value", exact=False).fill("")
    expect(condition(page, 1)).to_contain_text("It is missing.")
    expect(page.get_by_text("Complete the conditions marked below")).to_be_visible()
    condition(page, 1).get_by_label("Value", exact=False).fill("10")
    page.get_by_label("Who meets").nth(1).select_option(label="None of these")
    expect(page.get_by_text("3 customers meet this condition")).to_be_visible()
    assert findings(page) == []
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_text("Members change with the next recalculation")).to_be_visible()
    expect(page.get_by_text("3 customers meet this condition")).to_be_visible()
    segment.refresh_from_db()
    points = {"type": "points_balance", "op": "at_least", "value": "10"}
    orders = {"type": "orders_count", "op": "at_least", "value": 1}
    assert segment.condition == {"version": 1, "all": [orders, {"none": [points]}]}


def test_conditions_are_removed_and_the_keyboard_stays_where_it_was(
    page: Page, worth: Segmentation, sign_in: SignIn
) -> None:
    sign_in()
    page.goto(address(worth.segments.get()))
    for _n in range(2):
        page.get_by_role("button", name="Add a condition").click()
    expect(condition(page, 1).get_by_label("Condition", exact=True)).to_be_focused()
    condition(page, 0).get_by_role("button", name="Remove this condition").press("Enter")
    expect(page.get_by_role("group", name="Condition", exact=True)).to_have_count(1)
    expect(page.get_by_label("Who meets")).to_be_focused()


def test_a_recalculation_is_asked_for_and_watched(page: Page, worth: Segmentation, sign_in: SignIn) -> None:
    stored = {"version": 1, "all": [{"type": "orders_count", "op": "at_least", "value": 1}]}
    worth.segments.update(condition=stored)
    sign_in("Marketer")
    page.goto(address(worth))
    expect(page.get_by_text("It was never recalculated.")).to_be_visible()
    page.get_by_role("button", name="Recalculate now").click()
    expect(page.get_by_text("A worker will begin it within a minute.")).to_be_visible()
    recalculation.run_waiting()
    expect(page.get_by_text("3 entered a segment, 0 left one.")).to_be_visible()
    assert findings(page) == []


def test_a_filtered_list_is_put_into_a_static_segment(page: Page, shop: str, sign_in: SignIn) -> None:
    sign_in("Marketer")
    page.goto("/admin/customers/customer/?q=paul")
    page.goto("/admin/customers/customer/?contact=phone")
    page.locator("input.action-select").first.check()
    page.locator("select[name=action]").select_option("put_into_segment")
    page.get_by_role("button", name="Run").click()
    page.get_by_label("Every customer of the list").check()
    page.get_by_label("Into which segment?").select_option(label="Interests: Hiking")
    page.get_by_role("button", name="Put in").click()
    expect(page.get_by_text("customers were put in")).to_be_visible()
    listed = page.locator("#result_list tbody tr").count()
    assert Membership.objects.filter(segment__system_name="hiking").count() == listed > 1
