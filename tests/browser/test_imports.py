"""A file from upload to report. The worker's steps are taken in this process, so the pages have something to
follow.
"""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from customers.models import Identifier, IntegrationPoint
from customers.redis import waking
from dedup.imports import operations
from dedup.imports.processing.chunks import step_of
from tests.browser.axe import faults, findings
from tests.browser.conftest import SignIn
from tests.dedup.imports.importing import csv_of

pytestmark = pytest.mark.browser
HEADER = ("Email", "Given", "Spam me", "Note")
ROWS = [
    ("zoe@example.com", "Zoe", "yes", "x"),
    ("al at home", "Al", "no", ""),
    ("kim@example.com", "Kim", "yes", ""),
]


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waking, "wake", lambda *_, **__: True)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_bytes(csv_of(ROWS, HEADER))
    return path


def work(number: int) -> None:
    while step_of(operations.find(number)):
        pass


def number_of(page: Page) -> int:
    return int(page.url.split("/")[-3])


def test_a_file_is_uploaded_mapped_tried_run_and_reported(
    page: Page, server: str, sign_in: SignIn, people: Path
) -> None:
    IntegrationPoint.objects.create(system_name="files", name="Files", kind="file_import")
    sign_in("Marketer")
    page.goto("/admin/")
    page.locator("[data-tile=imports]").click()
    page.locator("a[href*='import_file'], a[href$='/dedup/import/new/']").first.click()
    page.locator("input[type=file]").set_input_files(people)
    page.locator("[data-action=upload]").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("people.csv")
    left_out = page.locator("#unmapped")
    expect(left_out).to_contain_text("Spam me, Note")
    page.locator("[data-column='Spam me']").select_option("subscriptions.email")
    expect(left_out).not_to_contain_text("Spam me")
    page.locator("[name=topic-2]").fill("news")
    assert findings(page) == []
    page.locator("button[name=step][value=try]").click()

    expect(page.locator("[data-progress][data-state=staging]")).to_be_visible()
    assert findings(page) == []
    dry_run = number_of(page)
    work(dry_run)
    expect(page.locator("[data-count=created]")).to_be_visible()
    expect(page.locator("[data-resubscribed='0']")).to_be_visible()
    expect(page.locator("[data-failure=validation_error][data-number='1']")).to_be_visible()
    assert not Identifier.objects.filter(value="zoe@example.com").exists()
    page.locator("[data-action=run]").click()

    expect(page.locator("[data-progress]")).to_be_visible()
    run = number_of(page)
    work(run)
    expect(page.locator("[data-differences='0']")).to_be_visible()
    assert Identifier.objects.filter(value="zoe@example.com").exists()
    with page.expect_download() as download:
        page.locator("a[href$='/failed.csv']").first.click()
    assert "al at home,Al,no" in Path(download.value.path()).read_text()
    page.locator("[data-count=failed] a").click()
    rows = page.locator("tr[data-line]")
    expect(rows).to_have_count(1)
    expect(rows.first).to_have_attribute("data-failure", "validation_error")
    expect(rows.first).to_contain_text("@")
    pages = ("new/", f"{dry_run}/change/", f"{run}/change/", f"{run}/report/", "")
    assert faults(page, *(f"/admin/dedup/import/{name}" for name in pages)) == {}
