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
    return page.locator(".cb-condition").nth(number)


def type_of(condition: Locator) -> Locator:
    return condition.locator("[data-field=type] select")


def total(page: Page) -> Locator:
    """How many customers meet all of it."""
    return page.locator(".cb-total strong")


def add(page: Page, action: str = "add") -> None:
    """A condition or a group to the outermost group, whose buttons stand below those of the groups in it."""
    page.locator(f"[data-action={action}]").last.click()


def test_a_condition_is_built_counted_told_in_words_and_stored(
    page: Page, worth: Segmentation, sign_in: SignIn
) -> None:
    sign_in("Marketer")
    segment = worth.segments.get()
    page.goto(address(segment))
    expect(total(page)).to_have_attribute("data-count", "")
    add(page)
    expect(condition(page, 0).locator(".cb-told")).not_to_be_empty()
    type_of(condition(page, 0)).select_option("orders_count")
    expect(condition(page, 0).locator(".cb-count")).to_have_attribute("data-count", "3")
    add(page, "library_add")
    type_of(condition(page, 1)).select_option("points_balance")
    value = condition(page, 1).locator("[data-field=value] input")
    value.fill("")
    expect(condition(page, 1).locator(".cb-fault")).to_have_count(1)
    expect(total(page)).to_have_attribute("data-count", "")
    value.fill("10")
    page.locator("[data-field=mode] select").nth(1).select_option("none")
    expect(total(page)).to_have_attribute("data-count", "3")
    assert findings(page) == []
    page.locator("[name=_continue]").click()
    expect(total(page)).to_have_attribute("data-count", "3")
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
        add(page)
    expect(type_of(condition(page, 1))).to_be_focused()
    condition(page, 0).locator("[data-action=delete]").press("Enter")
    expect(page.locator(".cb-condition")).to_have_count(1)
    expect(page.locator("[data-field=mode] select")).to_be_focused()


def test_a_recalculation_is_asked_for_and_watched(page: Page, worth: Segmentation, sign_in: SignIn) -> None:
    stored = {"version": 1, "all": [{"type": "orders_count", "op": "at_least", "value": 1}]}
    worth.segments.update(condition=stored)
    sign_in("Marketer")
    page.goto(address(worth))
    runs = page.locator("[data-progress] [data-state]")
    expect(runs).to_have_count(0)
    page.locator("form[action*=recalculate] button").click()
    expect(runs.first).to_have_attribute("data-state", "waiting")
    recalculation.run_waiting()
    expect(runs.first).to_have_attribute("data-state", "done")
    expect(runs.first).to_contain_text("3")
    assert findings(page) == []


def test_a_filtered_list_is_put_into_a_static_segment(page: Page, shop: str, sign_in: SignIn) -> None:
    sign_in("Marketer")
    page.goto("/admin/customers/customer/?q=paul")
    page.goto("/admin/customers/customer/?contact=mobile_phone")
    page.locator("input.action-select").first.check()
    page.locator("select[name=action]").select_option("put_into_segment")
    page.get_by_role("button", name="Run").click()
    page.locator("input[name=whom][value=listed]").check()
    page.locator("select[name=segment]").select_option(label="Interests: Hiking")
    page.locator("form:has(select[name=segment]) button[type=submit]").click()
    page.wait_for_url("**/admin/customers/customer/?contact=mobile_phone")
    listed = page.locator("#result_list tbody tr").count()
    assert Membership.objects.filter(segment__system_name="hiking").count() == listed > 1
