"""The workbook reader by itself: rows and faults as plain values, problems as codes, nothing else of ours."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile

import pytest

from dedup.imports.files.xlsx import (
    CellFault,
    CellProblem,
    SheetRow,
    WorkbookError,
    WorkbookProblem,
    open_workbook,
)
from tests.dedup.imports.files.making import HEADER_ROW, ROOT, made_by_hand, workbook, zipped

IMPORTED = """
import sys, dedup.imports.files.xlsx
ours = ("customers", "segments", "config", "dedup", "django")
print(*sorted(name for name in sys.modules if name.split(".")[0] in ours))
"""


def rows_of(data: bytes, sheet: str) -> list[SheetRow]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive, open_workbook(archive) as book:
        return list(book.rows(sheet))


def test_rows_have_their_number_and_the_cells_with_something_in_them():
    data = workbook(["a", None, "c"], [], [None, 2.50])
    assert rows_of(data, "Customers") == [
        SheetRow(1, {0: "a", 2: "c"}),
        SheetRow(3, {1: "2.5"}),
    ]


def test_only_visible_sheets_are_offered():
    with zipfile.ZipFile(io.BytesIO(made_by_hand(HEADER_ROW))) as archive, open_workbook(archive) as book:
        assert list(book.sheets) == ["One"]


def test_a_cell_without_a_proper_value_is_a_fault_of_its_row():
    data = workbook(["a"], ["=1+1"], ["#DIV/0!"])
    assert [row.fault for row in rows_of(data, "Customers")] == [
        None,
        CellFault(CellProblem.FORMULA_WITHOUT_VALUE, "A"),
        CellFault(CellProblem.FORMULA_ERROR, "A", "#DIV/0!"),
    ]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (zipped({"readme.txt": b"hello"}), WorkbookProblem.NOT_A_WORKBOOK),
        (made_by_hand("<!DOCTYPE x>" + HEADER_ROW), WorkbookProblem.DOCUMENT_TYPE),
        (made_by_hand(HEADER_ROW + "<x:row><x:c>"), WorkbookProblem.DAMAGED),
    ],
)
def test_what_cannot_be_read_is_told_by_its_code(data, problem):
    with pytest.raises(WorkbookError) as caught:
        rows_of(data, "One")
    assert caught.value.problem is problem


def test_the_reader_needs_the_standard_library_alone():
    command = [sys.executable, "-c", IMPORTED]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    own = [name for name in done.stdout.split() if not name.startswith("dedup.imports.files.xlsx")]
    assert own == ["dedup", "dedup.imports", "dedup.imports.files"]
