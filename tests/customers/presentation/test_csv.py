"""What is exported is safe to open in a spreadsheet, and comes back as it was."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.presentation.csv import csv_lines, plain_cell, safe_cell


@pytest.mark.parametrize(
    "text", ["=1+1", "+14155550122", "-12.50", "@sum(a1)", "\t", "\rx", "\nx", "'=1", "''+1", "＝1+1", "＠x"]
)
def test_a_cell_that_a_spreadsheet_would_run_gets_an_apostrophe(text):
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "\n", "\r", "\r\n"])
@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@x", '"=1+1"', "'=1", "＋1"])
def test_what_a_spreadsheet_would_run_after_splitting_the_cell_gets_one_too(delimiter, formula):
    cell = safe_cell(f"Ann{delimiter}{formula}{delimiter}x")
    assert cell == f"Ann{delimiter}'{formula}{delimiter}x"
    rows = ["".join(csv_lines([["Ann", cell], ["Bob", cell]]))]
    for other in ",;\t":
        found = [text for row in csv.reader(rows[0].splitlines(), delimiter=other) for text in row]
        assert not [text for text in found if text.startswith(tuple("=+-@＝＋－＠"))]


@pytest.mark.parametrize("text", ["", "Ann", "O'Brien", "'tis", "12.50", "a=b", " x", "a, -b", "a,'b", "1;2"])
def test_any_other_cell_stays_as_it_is(text):
    assert safe_cell(text) == plain_cell(text) == text


@given(st.text(st.sampled_from("'\"=+-@\t\r\n,;A1"), max_size=8))
def test_a_cell_comes_back_as_it_was(text):
    assert plain_cell(safe_cell(text)) == text
    assert safe_cell(text)[:1] not in tuple("=+-@\t\r\n")
    for part in re.split("[,;\t\r\n]", safe_cell(text)):
        assert not re.match('"*[=+@-]', part)


def test_rows_become_safe_csv_with_one_byte_order_mark():
    rows = [["Phone", "Name"], *([["+1415", 'A "B", C']] * 1200)]
    parts = list(csv_lines(rows))
    assert len(parts) == 3
    text = "".join(parts)
    assert text.startswith("\ufeff")
    assert "\ufeff" not in text[1:]
    found = list(csv.reader(io.StringIO(text[1:])))
    assert found == [["Phone", "Name"], *([["'+1415", 'A "B", C']] * 1200)]


def test_rows_are_taken_only_as_they_are_written():
    def endless():
        while True:
            yield ["x"]

    assert next(csv_lines(endless())).count("x") == 500


def test_no_rows_are_no_text():
    assert list(csv_lines([])) == []
