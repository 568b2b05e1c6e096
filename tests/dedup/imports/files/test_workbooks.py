"""A workbook becomes rows with their line numbers, or says where and what is wrong. No database."""

from __future__ import annotations

import gzip
from datetime import date, datetime, time

import pytest

from dedup.imports.files.inspection import FileFormat
from dedup.imports.files.xlsx import workbook as xlsx
from tests.dedup.imports.files.making import (
    HEADER_ROW,
    lines_and_faults,
    made_by_hand,
    megabytes_for,
    workbook,
    zipped,
)


def test_a_workbook_gives_plain_text_for_what_its_cells_show(read):
    inspected, found = read(
        workbook(
            ["text", "born", "at", "phone", "number", "flag"],
            ["Müller", date(1990, 1, 31), datetime(2026, 1, 5, 10, 0, 1), 4915112345678, 1.0, True],
            [],
            ["  ", date(1900, 1, 1), time(10, 30), 0.1, -12.5, False],
            ["a\nb", datetime(1955, 5, 5), None, 1e21, 100, None],
        ),
        "customers.xlsx",
    )
    assert inspected.format == FileFormat("plain", "xlsx", sheet="Customers", sheets=("Customers",))
    assert inspected.warnings == ()
    assert found == [
        (2, ("Müller", "1990-01-31", "2026-01-05T10:00:01", "4915112345678", "1", "true"), None),
        (4, ("  ", "1900-01-01", "10:30:00", "0.1", "-12.5", "false"), None),
        (5, ("a\nb", "1955-05-05", "", "1E+21", "100", ""), None),
    ]


def test_only_the_first_sheet_is_read_and_the_others_are_named(read):
    data = workbook(["a"], [1], Old=[["b"], [2]])
    inspected, _found = read(data)
    (warning,) = [text for text in inspected.warnings if "Only the sheet “Customers” is read" in text]
    assert "Old" in warning
    assert read(data, sheet="Old")[1] == [(2, ("2",), None)]


def test_a_sheet_that_is_not_there_is_refused(refusal):
    assert "no visible sheet" in refusal(workbook(["a"], [1]), sheet="New")


def test_a_workbook_may_be_packed_once_more(read):
    data = workbook(["a", "b"], [1, 2])
    assert read(gzip.compress(data))[1] == read(zipped({"a.xlsx": data}))[1] == [(2, ("1", "2"), None)]


def test_a_row_of_a_workbook_fails_where_a_cell_has_no_value(read):
    _inspected, found = read(workbook(["a", "b"], [1, "=1+1"], [2, "#N/A"], [3, 4, 5], [6]))
    assert lines_and_faults(found) == [
        (2, "Column B: the formula has no value"),
        (3, "Column B: the formula came out as #N/A"),
        (4, "The row has 3 cells where the header has 2 columns"),
        (5, None),
    ]
    assert found[-1].cells == ("6", "")


@pytest.mark.parametrize(
    ("table", "reason"), [([], "empty"), ([["a"]], "no rows"), ([["a", "a"], [1, 2]], "same name")]
)
def test_a_workbook_without_a_table_is_refused(refusal, table, reason):
    assert reason in refusal(workbook(*table))


def test_a_workbook_of_another_program_is_read_all_the_same(read):
    data = made_by_hand(
        HEADER_ROW
        + '<x:row r="7"><x:c r="A7" t="s"><x:v>1</x:v></x:c></x:row>'
        + '<x:row><x:c t="str"><x:f>A1&amp;"x"</x:f><x:v>made</x:v></x:c></x:row>'
        + '<x:row><x:c s="1"><x:v>32904</x:v></x:c></x:row><x:row><x:c><x:v>4.9123E+11</x:v></x:c></x:row>'
        + '<x:row><x:c s="2"><x:v>12.5</x:v></x:c></x:row>',
        texts="<x:si><x:t>no</x:t></x:si><x:si><x:r><x:t>An</x:t></x:r><x:r><x:t>n</x:t></x:r>"
        "<x:rPh><x:t>アン</x:t></x:rPh></x:si>",
        styles='<x:numFmts><x:numFmt numFmtId="170" formatCode="[$-407]d/\\m&quot;y&quot;;@"/>'
        '<x:numFmt numFmtId="171" formatCode="0.0 &quot;days&quot;"/></x:numFmts><x:cellStyleXfs>'
        '<x:xf numFmtId="14"/></x:cellStyleXfs><x:cellXfs><x:xf/>'
        '<x:xf numFmtId="170"/><x:xf numFmtId="171"/></x:cellXfs>',
    )
    inspected, found = read(data)
    assert inspected.format.sheet == "One"
    assert found == [
        (7, ("Ann",), None),
        (8, ("made",), None),
        (9, ("1990-01-31",), None),
        (10, ("491230000000",), None),
        (11, ("12.5",), None),
    ]


def test_days_count_from_1904_where_the_workbook_says_so(read):
    data = made_by_hand(
        HEADER_ROW + '<x:row><x:c s="0"><x:v>31442</x:v></x:c></x:row>',
        styles='<x:cellXfs><x:xf numFmtId="14"/></x:cellXfs>',
        book='<x:workbookPr date1904="1"/>',
    )
    assert read(data)[1] == [(2, ("1990-01-31",), None)]


BOMB = '<!DOCTYPE x [<!ENTITY a "xxxxxxxxxx">]>'


@pytest.mark.parametrize(
    ("sheet", "reason"),
    [
        (BOMB + HEADER_ROW, "document type"),
        (HEADER_ROW + "<x:row><x:c r='A2'><x:v>1</x:c></x:row>", "The workbook is damaged"),
        (HEADER_ROW + "<x:row><x:c t='s'><x:v>5</x:v></x:c></x:row>", "The workbook is damaged"),
        (HEADER_ROW + "<x:row><x:c r='AAAA2'><x:v>5</x:v></x:c></x:row>", "The workbook is damaged"),
        (HEADER_ROW + "<x:y>" * 50 + "</x:y>" * 50, "The workbook is damaged"),
        (HEADER_ROW + f"<x:row r='{'1' * 5_000_000}'/>", "too large to be read"),
    ],
)
def test_a_workbook_made_to_harm_is_refused(refusal, sheet, reason):
    assert reason in refusal(made_by_hand(sheet))


def test_a_cell_of_a_workbook_that_is_too_long_fails_its_row(read):
    sheet = HEADER_ROW + f"<x:row><x:c t='str'><x:v>{'x' * 200_000}</x:v></x:c></x:row>"
    assert lines_and_faults(read(made_by_hand(sheet))[1]) == [
        (2, "Column A: the cell is longer than 32767 characters")
    ]


def test_a_workbook_that_unpacks_to_absurd_size_is_refused_before_it_is_read(refusal, monkeypatch):
    monkeypatch.setattr(xlsx, "SHEET_LIMIT", 1000)
    message = refusal(made_by_hand(HEADER_ROW * 100))
    assert message.startswith("too_large")
    assert "Save it as CSV" in message


def test_a_damaged_sheet_is_told_where_it_is_met(refusal):
    data = bytearray(workbook(["a"], *([n] for n in range(3000))))
    at = data.index(b"xl/worksheets/sheet1.xml") + 400
    data[at : at + 200] = bytes(200)
    assert "The workbook is damaged" in refusal(bytes(data))


def test_a_sheet_with_a_cell_without_end_takes_no_memory(tmp_path):
    path = tmp_path / "cell.xlsx"
    path.write_bytes(
        made_by_hand(HEADER_ROW + f"<x:row><x:c t='str'><x:v>{'x' * 40_000_000}</x:v></x:c></x:row>")
    )
    count, megabytes = megabytes_for(path)
    assert count == "0"
    assert megabytes < 30
