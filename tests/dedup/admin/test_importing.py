"""The pages of imports: upload, columns, dry run, run, report; who may do what, and what is said when it
cannot be done.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from customers.models import Customer, IntegrationPoint, Subscription
from customers.redis import waking
from dedup.admin import import_results
from dedup.admin.import_forms import columns_of, columns_sent
from dedup.admin.import_lists import ImportAdmin
from dedup.imports import operations
from dedup.models import Import, ImportMapping
from tests.dedup.imports.files.making import workbook
from tests.dedup.imports.importing import ANN, BOB, csv_of, dated, imported, project, sent, worked
from tests.html import Element, page
from tests.staff import address, signed_in

pytestmark = pytest.mark.django_db
HEADER = ("CrmID", "Email", "Shoes", "Newsletter")
ROWS = [("1", ANN, "38", "yes"), ("2", "bob at home", "44", "no"), ("3", BOB, "45", "yes")]
TARGETS = ("ids.crm_id", "email", "", "subscriptions.email")


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waking, "wake", lambda *_, **__: True)


@pytest.fixture
def shop(db: None) -> Any:
    return project()


def at(name: str, source: Import) -> str:
    return reverse(f"admin:dedup_import_{name}", args=[source.pk])


def upload(client: Client, data: bytes | None = None, **more: Any) -> Any:
    file = SimpleUploadedFile("people.csv", csv_of(ROWS, HEADER) if data is None else data)
    point = IntegrationPoint.objects.get(system_name="files").pk
    return client.post(
        reverse("admin:dedup_import_new"), {"file": file, "kind": "customers", "point": point, **more}
    )


def uploaded(client: Client, *given: Any, **more: Any) -> Import:
    answer = upload(client, *given, **more)
    assert answer.status_code == 302, page(answer).text
    return dated(Import.objects.latest("pk"))


def mapped(client: Client, source: Import, targets: Sequence[str] = TARGETS, **more: Any) -> Any:
    chosen = {f"target-{number}": target for number, target in enumerate(targets)}
    return client.post(at("map", source), {**chosen, "mode": "overwrite", "step": "try", **more})


def tried(client: Client, *given: Any, **more: Any) -> Import:
    source = uploaded(client, *given)
    answer = mapped(client, source, **more)
    assert answer.headers["Location"] == at("change", source)
    return finished(source)


def finished(source: Import) -> Import:
    return worked(operations.find(source.pk))


def run(client: Client, dry_run: Import, **chosen: str) -> Import:
    answer = client.post(at("run", dry_run), chosen)
    started = operations.find(int(answer.headers["Location"].split("/")[-3]))
    return worked(dated(started))


def downloaded(answer: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))


def shown(client: Client, source: Import) -> Element:
    return page(client.get(at("change", source)))


def count(shown: Element, name: str) -> int:
    """A number of the result."""
    return int(shown.one(count=name)["number"])


def unmapped(shown: Element) -> str:
    (found,) = shown.all(unmapped=True)
    return found.text.rpartition(": ")[2]


# --- From upload to report
# --------------------------------------------------------------------------------------------------------


def test_an_upload_leads_to_its_columns_and_imports_nothing(shop: Any, marketer: Client) -> None:
    source = uploaded(marketer)
    answer = marketer.get(at("map", source))
    assert [c.target for c in answer.context["columns"]] == ["ids.crm_id", "email", "", "subscriptions.email"]
    assert answer.context["columns"][1].samples == [ANN, "bob at home", BOB]
    assert answer.context["unmapped"] == ["Shoes"]
    assert page(answer).one(unmapped=True).text == "Shoes"
    assert marketer.get(at("change", source)).headers["Location"] == at("map", source)
    assert not Customer.objects.exists()


def test_lines_above_the_column_names_are_left_out_and_can_be_chosen_otherwise(
    shop: Any, marketer: Client
) -> None:
    source = uploaded(marketer, b"Report;;\n\nCrmID;Email;Email\n1;a@example.com;b@example.com\n2;;\n")
    answer = marketer.get(at("map", source))
    assert [c.name for c in answer.context["columns"]] == ["CrmID", "Email", "Email (2)"]
    reading = answer.context["reading"]
    assert (reading["header_row"].value(), reading["duplicate_headers"].value()) == (3, "position")
    assert len(answer.context["warnings"]) == 2
    marketer.post(at("map", source), {"step": "reread", "header_row": "4", "duplicate_headers": "position"})
    again = marketer.get(at("map", source))
    assert [c.name for c in again.context["columns"]] == ["1", "a@example.com", "b@example.com"]
    refused = marketer.post(at("map", source), {"step": "reread", "header_row": "9"})
    assert refused.context["reading"].errors["header_row"]
    assert operations.find(source.pk).header == ["1", "a@example.com", "b@example.com"]


def test_the_sheet_of_a_workbook_can_be_chosen(shop: Any, marketer: Client) -> None:
    source = uploaded(marketer, workbook(["CrmID"], [1], Old=[["Email"], [ANN]]))
    answer = marketer.get(at("map", source))
    assert answer.context["reading"]["sheet"].value() == "Customers"
    marketer.post(at("map", source), {"step": "reread", "sheet": "Old"})
    assert [c.name for c in marketer.get(at("map", source)).context["columns"]] == ["Email"]


def test_a_column_may_say_since_when_of_a_topic(shop: Any, marketer: Client) -> None:
    column = columns_sent(["A"], QueryDict("target-0=subscriptions.email.since&topic-0=news"))[0]
    assert column.choice == "subscriptions.email.news.since"
    assert columns_of(["A"], [column.choice]) == [column]


def test_a_dry_run_tells_what_would_happen_and_stores_nothing(shop: Any, marketer: Client) -> None:
    told = shown(marketer, tried(marketer))
    assert told.all(dry_run=True)
    assert told.values("resubscribed") == ["0"]
    assert unmapped(told) == "Shoes"
    assert count(told, "created") == 2
    assert told.one(failure="validation_error")["number"] == "1"
    assert ANN in told.one(examples="created").text
    assert not Customer.objects.exists()


def test_a_dry_run_is_run_once_and_its_run_tells_that_it_came_out_the_same(
    shop: Any, marketer: Client
) -> None:
    dry_run = tried(marketer)
    done = run(marketer, dry_run)
    assert marketer.post(at("run", dry_run)).headers["Location"] == at("change", done)
    assert Import.objects.count() == 2
    told = shown(marketer, done)
    assert told.values("differences") == ["0"]
    assert count(told, "created") == 2
    assert shown(marketer, dry_run).values("run") == [str(done.pk)]
    assert Customer.objects.filter(is_head=True).count() == 2


def test_what_came_out_different_from_the_dry_run_is_shown(shop: Any, marketer: Client) -> None:
    dry_run = tried(marketer)
    imported(shop, [("9", BOB, "", "")])
    told = shown(marketer, run(marketer, dry_run))
    assert told.values("differences") == ["1"]
    row = told.one(line=4)
    assert (row["expected"], row["actual"]) == ("created", "joined")


def test_the_columns_of_a_dry_run_are_changed_without_another_upload(shop: Any, marketer: Client) -> None:
    first = tried(marketer)
    assert at("remap", first) in shown(marketer, first).posts_to
    answer = marketer.post(at("remap", first))
    second = operations.find(int(answer.headers["Location"].split("/")[-3]))
    page = marketer.get(at("map", second))
    assert page.context["columns"][1].samples == [ANN, "bob at home", BOB]
    assert [c.target for c in page.context["columns"]] == list(TARGETS)
    mapped(marketer, second, ("ids.crm_id", "", "custom_fields.shoe_size", ""))
    second = finished(second)
    assert (second.is_dry_run, second.result["counts"]) == (True, {"created": 3})
    assert shown(marketer, second).values("differences") == []
    assert run(marketer, second).result["differences"]["count"] == 0
    assert Customer.objects.count() == 3
    # The first one was not run by that.
    assert at("run", first) in shown(marketer, first).posts_to


def test_rows_that_were_dropped_meanwhile_are_not_mapped_again(shop: Any, marketer: Client) -> None:
    first = tried(marketer)
    marketer.post(at("remap", first))
    again = Import.objects.latest("pk")
    Import.objects.filter(pk=first.pk).update(rows_dropped_at=timezone.now())
    assert len(page(mapped(marketer, again)).all(fault=True)) == 1
    marketer.post(at("remap", first))
    assert Import.objects.latest("pk") == again


CONSENTS = csv_of([("1", ANN, "yes", "2026-01-05T12:00:00Z")], ("CrmID", "Email", "Newsletter", "Since"))
DATED = ("ids.crm_id", "email", "subscriptions.email", "subscriptions.email.since")


def test_who_had_unsubscribed_stays_so_by_default(shop: Any, marketer: Client) -> None:
    """R56: whatever the file proves."""
    imported(shop, [("1", ANN, "no")], ("CrmID", "Email", "email_optin"))
    source = uploaded(marketer, CONSENTS)
    mapped(marketer, source, DATED)
    told = shown(marketer, finished(source))
    assert (told.values("resubscribed"), count(told, "kept_unsubscribed")) == (["0"], 1)


@pytest.mark.parametrize(("answer", "status"), [({}, "unsubscribed"), ({"resubscribe": "yes"}, "subscribed")])
def test_who_had_unsubscribed_is_subscribed_only_after_a_question(
    shop: Any, marketer: Client, answer: dict[str, str], status: str
) -> None:
    """R56: with the number, before anything else; newer consents are tried dry first."""
    imported(shop, [("1", ANN, "no")], ("CrmID", "Email", "email_optin"))
    source = uploaded(marketer, CONSENTS)
    mapped(marketer, source, DATED, newer_consents="true", step="run", confirmed="yes")
    dry_run = finished(source)
    assert dry_run.is_dry_run
    told = shown(marketer, dry_run)
    elements = list(told.below())
    assert elements.index(told.one(resubscribed=1)) < elements.index(told.all(count=True)[0])
    assert told.all(resubscribe=True)
    run(marketer, dry_run, **answer)
    assert Subscription.objects.get().status == status


def test_a_run_without_a_dry_run_is_asked_about_first(shop: Any, marketer: Client) -> None:
    source = uploaded(marketer)
    question = mapped(marketer, source, step="run")
    assert unmapped(page(question)) == "Shoes"
    kept = dict(question.context["kept"])
    back = marketer.post(at("map", source), {**kept, "step": "back", "confirmed": "yes"})
    assert [c.target for c in back.context["columns"]] == list(TARGETS)
    assert operations.find(source.pk).state == "uploaded"
    marketer.post(at("map", source), {**kept, "step": "run", "confirmed": "yes"})
    done = finished(source)
    assert (done.state, done.is_dry_run) == ("finished", False)
    assert Customer.objects.exists()


def test_the_rows_are_shown_by_what_became_of_them_and_by_line(shop: Any, marketer: Client) -> None:
    done = run(marketer, tried(marketer))
    rows = lambda **query: [r.line for r, _ in marketer.get(at("report", done), query).context["rows"]]  # noqa: E731
    assert rows() == [2, 3, 4]
    assert rows(outcome="failed") == [3]
    assert rows(line="4") == [4]
    assert rows(line="4", outcome="failed") == rows(line="x") == rows(line="9" * 12) == []
    (failed,) = page(marketer.get(at("report", done))).all(outcome="failed")
    assert failed["failure"] == "validation_error"
    assert "@" in failed.text


def test_a_long_report_shows_its_first_rows(
    shop: Any, marketer: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.IMPORT_CHUNK_ROWS = 1
    monkeypatch.setattr(import_results, "ROWS_SHOWN", 1)
    source = tried(marketer)
    for query, line in ({}, 2), ({"outcome": "created"}, 2), ({"outcome": "failed"}, 3):
        answer = marketer.get(at("report", source), query)
        assert [row.line for row, _ in answer.context["rows"]] == [line]
        assert answer.context["has_more"] is (line == 2)


def test_the_report_and_the_failed_rows_are_downloaded_and_mended(shop: Any, marketer: Client) -> None:
    done = run(marketer, tried(marketer))
    assert [row[:2] for row in downloaded(marketer.get(at("report_file", done)))] == [
        ["line", "outcome"],
        ["2", "created"],
        ["3", "failed"],
        ["4", "created"],
    ]
    header, failed = downloaded(marketer.get(at("failed_file", done)))
    assert (tuple(header[:4]), tuple(failed[:4])) == (HEADER, ROWS[1])
    mended = [[*failed[:1], "bob2@example.com", *failed[2:]]]
    again = tried(marketer, csv_of(mended, header), **{"target-4": ""})
    assert count(shown(marketer, again), "created") == 1


def test_rows_that_are_no_longer_kept_are_not_offered(shop: Any, marketer: Client) -> None:
    done = tried(marketer)
    Import.objects.filter(pk=done.pk).update(finished_at=timezone.now() - timedelta(days=1000))
    operations.drop_old_rows()
    told = shown(marketer, done)
    assert not {at("report", done), at("report_file", done), at("failed_file", done)} & set(told.links)
    assert at("run", done) not in told.posts_to
    for name in ("report", "report_file", "failed_file"):
        assert marketer.get(at(name, done)).status_code == 404


# --- Progress
# --------------------------------------------------------------------------------------------------------


def test_how_far_it_is_is_asked_for_again_and_again(shop: Any, marketer: Client) -> None:
    source = uploaded(marketer)
    mapped(marketer, source)
    before = marketer.get(at("progress", source)).json()
    assert (before["state"], before["percent"]) == ("staging", None)
    assert before["sentence"] in shown(marketer, source).text
    finished(source)
    after = marketer.get(at("progress", source)).json()
    assert (after["state"], after["percent"]) == ("finished", 100)
    assert (after["done"], after["total"]) == (3, 3)
    assert {name: number for _label, number, name in after["counts"]}["failed"] == "1"


def test_an_import_is_paused_resumed_and_cancelled(shop: Any, marketer: Client) -> None:
    source = sent(shop, [("1", ANN, "", "")])
    marketer.post(at("pause", source))
    assert operations.find(source.pk).state == "paused"
    assert at("resume", source) in shown(marketer, source).posts_to
    marketer.post(at("resume", source))
    assert operations.find(source.pk).state == "staging"
    assert marketer.get(at("cancel", source)).status_code == 200
    assert operations.find(source.pk).state == "staging"
    marketer.post(at("cancel", source))
    assert operations.find(source.pk).state == "cancelled"
    assert shown(marketer, source).values("state") == ["cancelled"]
    refused = marketer.post(at("pause", source), follow=True)
    assert [message.level_tag for message in refused.context["messages"]] == ["error"]
    assert operations.find(source.pk).state == "cancelled"


def test_a_look_at_a_button_s_address_does_nothing(shop: Any, marketer: Client) -> None:
    source = sent(shop, [("1", ANN, "", "")])
    for name in ("pause", "resume", "run"):
        assert marketer.get(at(name, source)).headers["Location"] == at("change", source)
    assert operations.find(source.pk).state == "staging"


# --- What is refused
# --------------------------------------------------------------------------------------------------------


def test_what_is_wrong_with_a_file_is_said_at_the_form(shop: Any, marketer: Client) -> None:
    faults = set()
    for data in (b"", b"Email\n", b"x" * 300 + b"\n1\n", b"%PDF-1.7 x"):
        answer = upload(marketer, data)
        assert answer.status_code == 200
        ((field, (fault,)),) = answer.context["form"].errors.items()
        assert field == "file"
        assert fault in page(answer).text
        faults.add(fault)
    assert len(faults) == 4
    assert not Import.objects.exists()


def test_an_option_at_fault_is_named_at_its_field(shop: Any, marketer: Client) -> None:
    source = uploaded(marketer)
    answer = mapped(marketer, source, lookup_by=["email", "email"])
    assert set(answer.context["form"].errors) == {"lookup_by"}
    answer = mapped(marketer, source, default_region="Atlantis", lookup_by=["email", "", "maestra_id"])
    assert set(answer.context["form"].errors) == {"default_region"}
    assert answer.context["form"].errors["default_region"][0] in page(answer).text
    assert [c.target for c in answer.context["columns"]] == list(TARGETS)
    assert operations.find(source.pk).state == "uploaded"


def test_a_column_at_fault_is_named_at_its_row(shop: Any, marketer: Client) -> None:
    answer = mapped(marketer, uploaded(marketer), ("ids.crm_id", "ids.crm_id", "nowhere", ""))
    faults = [bool(column.faults) for column in answer.context["columns"]]
    assert faults == [False, True, True, False]
    assert answer.context["columns"][1].faults[0] in page(answer).text


def test_columns_that_tell_nobody_are_refused(shop: Any, marketer: Client) -> None:
    answer = mapped(marketer, uploaded(marketer), ("", "", "custom_fields.shoe_size", ""))
    assert len(page(answer).all(fault=True)) == 1


def test_a_file_that_breaks_off_says_so(shop: Any, marketer: Client) -> None:
    source = sent(shop, [("1", ANN, "", "")])
    source.blocks.update(data=b"\x1f\x8b broken")
    source.format = {**source.format, "container": "gzip"}
    source.save()
    finished(source)
    assert shown(marketer, source).all(failed=True)
    assert not Customer.objects.exists()


def test_without_an_integration_point_the_page_says_what_is_missing(marketer: Client) -> None:
    assert page(marketer.get(reverse("admin:dedup_import_new"))).all(no_point=True)


def test_an_empty_list_says_how_to_begin(viewer: Client) -> None:
    shown = page(viewer.get(address(Import)))
    assert shown.values("empty") == ["none_yet"]
    assert str(ImportAdmin.empty_hint) in shown.text


def test_the_first_page_tells_how_many_are_at_work_and_how_many_failed(
    shop: Any, marketer: Client, settings: Any
) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    sent(shop, [("1", ANN, "", "")])
    failed = [sent(shop, [("2", BOB, "", "")]) for _ in range(2)]
    Import.objects.filter(pk__in=[source.pk for source in failed]).update(
        state="failed", created_at=timezone.now()
    )
    tiles = {one["tile"].slug: one for one in marketer.get(reverse("admin:index")).context["tiles"]}
    assert tiles["imports"]["figure"].number == 1
    assert tiles["imports-failed"]["figure"].number == 2
    assert len(marketer.get(str(tiles["imports-failed"]["tile"].link)).context["cl"].result_list) == 2


# --- Mappings
# --------------------------------------------------------------------------------------------------------


def test_a_mapping_is_saved_and_chosen_for_the_next_file(shop: Any, marketer: Client) -> None:
    mapped(marketer, uploaded(marketer), (*TARGETS[:2], "custom_fields.shoe_size", ""), save_as="Shoes")
    saved = ImportMapping.objects.get()
    source = uploaded(marketer, csv_of([row[::-1] for row in ROWS], HEADER[::-1]))
    assert "Shoes" in [mapping.name for mapping in marketer.get(at("map", source)).context["mappings"]]
    answer = marketer.get(at("map", source), {"saved": saved.pk})
    assert [c.target for c in answer.context["columns"]] == [
        "",
        "custom_fields.shoe_size",
        "email",
        "ids.crm_id",
    ]


def test_a_mapping_that_is_refused_is_not_saved(shop: Any, marketer: Client) -> None:
    mapped(marketer, uploaded(marketer), ("", "", "", ""), save_as="Nothing")
    assert not ImportMapping.objects.exists()


def test_a_subscription_may_be_to_a_topic(shop: Any, marketer: Client) -> None:
    source = uploaded(marketer)
    mapped(marketer, source, **{"topic-3": "news"})
    assert operations.find(source.pk).targets[3] == "subscriptions.email.news"


def test_options_are_kept_with_the_import(shop: Any, marketer: Client) -> None:
    source = uploaded(marketer)
    mapped(marketer, source, mode="fill", drop_invalid="true", segment="loyalty.gold", day_first="false")
    options = operations.find(source.pk).options
    kept = {name: options[name] for name in ("mode", "drop_invalid", "segment", "day_first")}
    assert kept == {"mode": "fill", "drop_invalid": True, "segment": ["loyalty", "gold"], "day_first": False}


# --- Who may
# --------------------------------------------------------------------------------------------------------


def test_a_viewer_sees_how_imports_went_and_nothing_of_people(
    shop: Any, marketer: Client, viewer: Client
) -> None:
    source = tried(marketer)
    told = shown(viewer, source)
    assert count(told, "created") == 2
    assert ANN not in told.text
    assert at("run", source) not in told.posts_to
    for name in ("report", "report_file", "failed_file", "map", "cancel"):
        assert viewer.get(at(name, source)).status_code == 403
    for name in ("run", "pause", "resume", "cancel"):
        assert viewer.post(at(name, source)).status_code == 403
    assert upload(viewer).status_code == 403
    assert "people.csv" in viewer.get(address(Import)).content.decode()


@pytest.mark.parametrize(("role", "names"), [("Marketer", 4), ("Integrator", None)])
def test_what_may_be_imported_is_a_matter_of_the_role(shop: Any, role: str, names: int | None) -> None:
    answer = signed_in(role).get(reverse("admin:dedup_import_new"))
    kinds = answer.context["form"].fields["kind"].choices if answer.status_code == 200 else None
    assert (kinds and len(kinds)) == names


def test_merges_need_the_permission_to_merge(shop: Any, marketer: Client) -> None:
    user = signed_in("Viewer")
    source = sent(shop, [("1", "2")], ("resulting", "merged"), kind="merges", is_dry_run=True)
    finished(source)
    assert at("run", source) in shown(marketer, source).posts_to
    assert user.post(at("run", source)).status_code == 403


# --- Cost
# --------------------------------------------------------------------------------------------------------


def queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as found:
        assert client.get(path).status_code == 200
    return len(found)


PAGES: dict[str, Callable[[Import], str]] = {
    "list": lambda _: address(Import),
    "change": lambda source: at("change", source),
    "report": lambda source: at("report", source),
    "progress": lambda source: at("progress", source),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_costs_the_same_however_long_the_file_is(
    name: str, shop: Any, marketer: Client, settings: Any
) -> None:
    settings.IMPORT_CHUNK_ROWS = 5
    rows = lambda n: [(str(i), f"p{i}@example.com", "", "yes") for i in range(n)]  # noqa: E731
    small = tried(marketer, csv_of(rows(2), HEADER))
    queries(marketer, PAGES[name](small))
    before = queries(marketer, PAGES[name](small))
    large = tried(marketer, csv_of(rows(40), HEADER))
    assert queries(marketer, PAGES[name](large)) == before
