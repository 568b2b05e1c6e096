"""The made-up customers: the same for the same seed, and the truth about each."""

from __future__ import annotations

import csv
import tracemalloc
from collections import Counter, defaultdict
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command

from customers.errors import SelfsameError
from dedup.demo.population import HEADER, SCENARIOS
from dedup.demo.population import rows as population
from dedup.imports.columns.mapping import ColumnMapping, recognise
from dedup.imports.columns.options import Options
from dedup.imports.columns.rows import RowReader
from dedup.imports.files.inspection import inspect, rows
from dedup.models import ImportKind
from tests.dedup.imports.setup import CATALOGUE, POINT


@pytest.fixture
def written(tmp_path):
    """The rows and the truth, as the command writes them."""

    def writing(name: str, *arguments: str) -> list[list[dict[str, str]]]:
        out, truth = tmp_path / f"{name}.csv", tmp_path / f"{name}_truth.csv"
        call_command("generate_customers", *arguments, "--out", str(out), "--truth", str(truth))
        return [list(csv.DictReader(path.open(encoding="utf-8"))) for path in (out, truth)]

    return writing


def test_the_same_seed_gives_the_same_customers_and_another_seed_others(written):
    first, again = written("a", "--rows=300", "--seed=3"), written("b", "--rows=300", "--seed=3")
    assert first == again
    assert written("c", "--rows=300", "--seed=4") != first
    assert written("d", "--rows=200", "--seed=3")[0] == first[0][:200]


def test_the_truth_tells_of_every_line_whose_it_is(written):
    customers, truth = written("a", "--rows=3000", "--seed=1")
    assert [row["Line"] for row in truth] == [str(line) for line in range(2, 3002)]
    assert {row["Scenario"] for row in truth} == set(SCENARIOS)
    emails = defaultdict(set)
    for row, told in zip(customers, truth, strict=True):
        if told["Scenario"] in ("new", "duplicate"):
            emails[told["Person"]].add(row["Email"].lower())
    owners = Counter(address for addresses in emails.values() for address in addresses if address)
    assert max(owners.values()) == 1


def test_there_are_duplicates_conflicts_shared_devices_and_many_alphabets(written):
    customers, truth = written("a", "--rows=3000", "--seed=1")
    assert len({row["Person"] for row in truth}) < 2400
    phones = [row["MobilePhone"] for row in customers]
    assert {"0000000000", "null"} < set(phones)
    assert (
        max(Counter(row["DeviceID"] for row in customers if row["DeviceID"].startswith("kiosk")).values()) > 1
    )
    letters = set("".join(row["LastName"] for row in customers))
    assert set("üéñłřИαω田") < letters


def test_what_is_generated_can_be_imported(tmp_path):
    path = tmp_path / "customers.csv"
    call_command("generate_customers", "--rows=500", "--out", str(path))
    found = inspect(path, path.name)
    mapping = recognise(ImportKind.CUSTOMERS, found.header, CATALOGUE, {})
    assert None not in mapping.targets
    reader = RowReader(
        ImportKind.CUSTOMERS,
        HEADER,
        ColumnMapping(mapping.targets),
        Options(),
        POINT,
        CATALOGUE,
        datetime.now(UTC),
    )
    scenarios = [truth.scenario for _row, truth in population(500, 1)]
    for row, scenario in zip(rows(path, found.format), scenarios, strict=True):
        if scenario in ("invalid", "junk"):
            continue
        reader.record(row.cells)
    invalid = [row for row, truth in population(500, 1) if truth.scenario == "invalid"]
    with pytest.raises(SelfsameError):
        reader.record(invalid[0])


def test_any_number_of_rows_takes_the_same_memory():
    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            for _row in population(count, 1):
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(200)
    # Another thread of the tests may take some memory meanwhile, but not each time.
    assert min(peak(2500) for _ in range(3)) < peak(500) + 100_000


def test_customers_go_to_the_standard_output_without_a_file(capsys):
    call_command("generate_customers", "--rows=2")
    assert capsys.readouterr().out.splitlines()[0] == ",".join(HEADER)


@pytest.mark.parametrize("count", ["-1", "many", "1e6"])
def test_a_count_that_is_none_is_refused(count):
    with pytest.raises(CommandError, match="a whole number is needed"):
        call_command("generate_customers", f"--rows={count}")
