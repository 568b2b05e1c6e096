"""What an import does to customers, and that it does so whatever the chunks and the workers."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections

from customers.models import Customer
from customers.profile import Category
from customers.setup.project_config import project_config
from customers.storage.loading import load_profiles, primary_ids_of
from dedup.imports.operations import cancel, find, pause, resume
from dedup.imports.processing import chunks, staging
from dedup.imports.processing.staged_rows import StagedRowReader, TextRow
from dedup.imports.reports import progress, report_rows
from dedup.models import Import, ImportChunk, ImportStates
from dedup.operations.base import Caller, Result
from dedup.operations.records import submit_in_transaction
from dedup.storage.integrity import faults
from dedup.storage.profile_json import to_json
from tests import database
from tests.dedup.imports.importing import (
    ANN,
    AT,
    BOB,
    CLO,
    PHONE,
    PHONE_2,
    count,
    counts,
    customers_of,
    imported,
    outcomes,
    project,
    sent,
    worked,
)
from tests.scenarios.conftest import story

__all__ = ["story"]


def profile(maestra_id: int | None) -> Any:
    assert maestra_id
    primary_id = primary_ids_of([maestra_id])[maestra_id]
    return load_profiles([primary_id])[primary_id]


@pytest.mark.django_db
def test_rows_become_customers_in_the_order_of_the_file() -> None:
    point = project()
    source = imported(
        point,
        [
            ("1", ANN, PHONE, "Ann"),
            ("2", BOB, "", "Bob"),
            ("1", "", PHONE_2, ""),
            ("", "nobody", "", ""),
            ("2", BOB, "", "Bob"),
        ],
        lookup_by=["crm_id"],
    )
    assert source.state == ImportStates.FINISHED
    assert outcomes(source) == ["created", "created", "changed", "validation_error", "unchanged"]
    ann, bob, again, nobody, _ = customers_of(source)
    assert (ann, nobody) == (again, None)
    assert {h.value for h in profile(ann).held(Category.MOBILE_PHONE)} == {PHONE, PHONE_2}
    assert profile(ann).registered_at < profile(bob).registered_at <= AT
    assert counts(source) == {
        "created": 2,
        "changed": 1,
        "unchanged": 1,
        "failed": 1,
        "failed: validation_error": 1,
    }
    assert faults() == []


@pytest.mark.django_db
def test_a_later_row_is_the_later_registration() -> None:
    """R29: two rows of a file come one after the other, whatever the moment they are worked at."""
    source = imported(project(), [("301", ANN, "", "Old"), ("103", ANN, "", "New")])
    (former, joined) = customers_of(source)
    assert outcomes(source) == ["created", "joined"]
    assert former == joined
    assert profile(joined).personal.first_name == "New"


@pytest.mark.django_db
def test_a_merge_row_names_who_stays() -> None:
    point = project()
    source = imported(point, [("1", ANN, "", ""), ("2", BOB, "", ""), ("3", CLO, "", "")])
    ann, bob, clo = (number or 0 for number in customers_of(source))
    merges = imported(
        point, [("2", "1"), ("2", "3"), ("9", "2")], ("Resulting CRM ID", "Merged CRM ID"), kind="merges"
    )
    assert outcomes(merges) == ["changed", "changed", "customer_not_found"]
    assert counts(merges)["merged"] == 2
    assert profile(clo).maestra_ids == {ann, bob, clo}
    assert profile(ann).maestra_id == bob


@pytest.mark.django_db
def test_what_cannot_be_stored_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def cursed(caller: Caller, records: Sequence[Any], *given: Any, **more: Any) -> Any:
        if any(s.value == BOB for r in records for s in getattr(r, "identifiers", ())):
            raise RuntimeError("cursed")
        return submit_in_transaction(caller, records, *given, **more)

    monkeypatch.setattr(chunks, "submit_in_transaction", cursed)
    source = imported(project(), [("1", ANN, "", ""), ("2", BOB, "", ""), ("3", CLO, "", "")])
    assert outcomes(source) == ["created", "internal_error", "created"]


@pytest.mark.django_db
def test_a_chunk_whose_worker_dies_leaves_nothing_and_is_taken_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def killed(*_given: Any) -> None:
        raise Killed

    source = sent(project(), [("1", ANN, "", ""), ("2", BOB, "", "")])
    staging.stage(source.pk)
    source = find(source.pk)
    with monkeypatch.context() as patch:
        patch.setattr(chunks, "store_answers", killed)
        with pytest.raises(Killed):
            chunks.step_of(source)
    assert (count("customers_customer"), progress(source).done) == (0, 0)
    assert outcomes(worked(source)) == ["created", "created"]
    assert count("customers_customer") == 2


@pytest.mark.django_db
def test_a_pause_holds_the_rest_back_and_a_cancelled_import_keeps_what_was_done(settings: Any) -> None:
    settings.IMPORT_CHUNK_ROWS = 1
    source = sent(project(), [("1", ANN, "", ""), ("2", BOB, "", ""), ("3", CLO, "", "")])
    chunks.step_of(source)
    source = find(source.pk)
    assert chunks.step_of(source)
    pause(source)
    assert not chunks.step_of(source)
    assert progress(find(source.pk)).done == 1
    source = resume(source)
    assert chunks.step_of(source)
    cancel(source)
    assert not chunks.step_of(source)
    assert outcomes(source) == ["created", "created", None]
    assert count("customers_customer") == 2
    assert faults() == []


@pytest.mark.django_db
def test_progress_tells_how_fast_it_goes_and_how_long_it_will_take(settings: Any) -> None:
    settings.IMPORT_CHUNK_ROWS = 1
    source = sent(project(), [(str(n), "", "", "") for n in range(4)])
    assert (progress(source).total, progress(source).done) == (None, 0)
    chunks.step_of(source)
    source = find(source.pk)
    assert (progress(source).total, progress(source).rate) == (4, None)
    chunks.step_of(source)
    at = progress(source)
    assert (at.done, at.total) == (1, 4)
    assert at.rate
    assert at.seconds_left
    assert at.seconds_left == pytest.approx(3 / at.rate)


# --- Any chunks, any workers

EMAILS = [f"p{n}@example.com" for n in range(7)]
PHONES = [f"+1415555010{n}" for n in range(6)]
HEAD = ("CrmID", "Email", "MobilePhone", "SessionKey", "DeviceId", "PaymentCardHash", "FirstName", "ShoeSize")


def people(chance: random.Random, number: int) -> list[tuple[str, ...]]:
    def some(values: Sequence[str], share: float) -> str:
        return chance.choice(values) if chance.random() < share else ""

    return [
        (
            some([str(n) for n in range(30)], 0.5),
            some(EMAILS, 0.3) or f"own{n}@example.com",
            some(PHONES, 0.4),
            some(["s1", "s2"], 0.1),
            some(["d1", "d2", "d3"], 0.15),
            some(["c1c1c1c1", "c2c2c2c2"], 0.1),
            f"N{n}",
            some(["38", "42"], 0.3),
        )
        for n in range(number)
    ]


def row_by_row(source: Import, rows: Sequence[Sequence[str]]) -> list[int | None]:
    """The customers that the rows end in, one decided after the other. The import itself is not worked."""
    source.last_line = len(rows) + 1
    reader = StagedRowReader(source, project_config())
    found: list[int | None] = []
    caller = Caller(source.actor, reader.point)
    for line, cells in enumerate(rows, start=2):
        try:
            record = reader.record(TextRow(line, json.dumps(cells)))
        except Exception:  # what is wrong with it does not matter here
            found.append(None)
            continue
        (answer,) = submit_in_transaction(caller, [record], AT)
        found.append(answer.profile.maestra_id if isinstance(answer, Result) else None)
    return found


def by_workers(source: Import, workers: int) -> list[int | None]:
    staging.stage(source.pk)

    def work(_number: int) -> None:
        try:
            while not find(source.pk).finished_at:
                chunks.step_of(find(source.pk))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))
    return [row.maestra_id for row in report_rows(source)]


def profiles(customers: Sequence[int | None]) -> list[str]:
    """All profiles, with MaestraIDs by their order, which is that of the lines that made them."""
    primary_ids = set(primary_ids_of(list(Customer.objects.values_list("pk", flat=True))).values())
    born = {m: number for number, m in enumerate(dict.fromkeys(filter(None, customers)))}
    found = load_profiles(sorted(primary_ids)).values()
    return sorted(json.dumps(renamed(to_json(profile), born), sort_keys=True) for profile in found)


def renamed(image: Any, born: Mapping[int, int]) -> Any:
    match image:
        case {"cards": dict(cards), **rest}:
            return {**renamed(rest, born), "cards": {card: born.get(m) for card, m in cards.items()}}
        case dict():
            return {
                name: born.get(value) if name in ("maestra_id", "origin", "related") else renamed(value, born)
                for name, value in image.items()
                if name != "point"
            }
        case list():
            # Values are listed in the order of their rows in the table, which says nothing.
            return sorted(
                (renamed(item, born) for item in image), key=lambda item: json.dumps(item, sort_keys=True)
            )
    return image


@pytest.mark.parametrize(("seed", "size", "workers"), [(1, 7, 1), (2, 5, 4), (3, 16, 4)])
def test_chunks_and_workers_make_the_profiles_that_one_row_after_the_other_makes(
    story: None, settings: Any, seed: int, size: int, workers: int
) -> None:
    rows = people(random.Random(seed), 60)
    expected = profiles(row_by_row(sent(project(), rows, HEAD), rows))
    database.empty()
    settings.IMPORT_CHUNK_ROWS = size
    source = sent(project(), rows, HEAD)
    found = profiles(by_workers(source, workers))
    assert found == expected
    assert ImportChunk.objects.filter(source=source).count() > 3
    assert faults() == []
