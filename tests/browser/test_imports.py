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
    page.get_by_role("link", name="Imports at work").click()
    page.get_by_role("link", name="Import a file").click()
    page.get_by_label("File", exact=True).set_input_files(people)
    page.get_by_role("button", name="Upload").click()

    expect(page.get_by_role("heading", name="Columns of people.csv")).to_be_visible()
    left_out = page.locator("#unmapped")
    expect(left_out).to_contain_text("Spam me, Note")
    page.get_by_label("Spam me").select_option(label="Subscribed: E-mail")
    expect(left_out).not_to_contain_text("Spam me")
    page.get_by_label("Topic, if it is about one").nth(2).fill("news")
    assert findings(page) == []
    page.get_by_role("button", name="Start a dry run").click()

    expect(page.get_by_text("A worker will begin to read the file within seconds.")).to_be_visible()
    assert findings(page) == []
    dry_run = number_of(page)
    work(dry_run)
    expect(page.get_by_role("heading", name="What would happen")).to_be_visible()
    expect(page.get_by_text("Nobody who had unsubscribed would be subscribed.")).to_be_visible()
    expect(page.get_by_role("heading", name="A value cannot be used: 1")).to_be_visible()
    assert not Identifier.objects.filter(value="zoe@example.com").exists()
    page.get_by_role("button", name="Run it now").click()

    expect(page.get_by_text("Progress", exact=True)).to_be_visible()
    run = number_of(page)
    work(run)
    expect(page.get_by_text("Every row came out as the dry run had told.")).to_be_visible()
    assert Identifier.objects.filter(value="zoe@example.com").exists()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the failed rows").click()
    assert "al at home,Al,no" in Path(download.value.path()).read_text()
    page.get_by_role("link", name="Failed 1").click()
    expect(page.get_by_role("row")).to_have_count(2)
    expect(page.get_by_role("row").nth(1)).to_contain_text("An email address must have an @-sign")
    pages = ("new/", f"{dry_run}/change/", f"{run}/change/", f"{run}/report/", "")
    assert faults(page, *(f"/admin/dedup/import/{name}" for name in pages)) == {}
