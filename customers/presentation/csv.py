"""CSV files that are safe to open in a spreadsheet, and whose values an import reads back unchanged."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

BYTE_ORDER_MARK = "\ufeff"
"""At the beginning of a file it tells spreadsheets that the file is UTF-8."""

# A cell may begin for a spreadsheet where ours does, and behind whatever spreadsheets of some country take
# for the end of a cell. What stands there is a formula, behind any apostrophes that make it text; `=` and its
# like may be full-width. An apostrophe before digits is a spreadsheet's own mark for text.
_RUNS = r"[\'\"]*[=+\-@＝＋－＠]"
_FORMULA = re.compile(rf"{_RUNS}|'*[\t\r\n]|'+\d")
_FORMULA_WITHIN = re.compile(rf"([,;\t\r\n])(?={_RUNS})")
_GUARDED_WITHIN = re.compile(rf"([,;\t\r\n])'(?={_RUNS})")
BETWEEN_ENTRIES = (" ::: ", "\n", ";", "|", ",")
"""What may stand between the entries of one cell, the first that occurs."""
_ROWS_AT_ONCE = 500


def safe_cell(value: object) -> str:
    """The value as text, empty for None. Text that a spreadsheet would take for a formula gets an apostrophe
    before it; so do phone numbers, of which a spreadsheet would remove the plus. So does what it would take
    for a formula after splitting the cell, at a semicolon for example, because it expects other delimiters.

    Text that has such an apostrophe already gets a second one, so that `plain_cell` restores it exactly.
    """
    text = "" if value is None else str(value)
    if _FORMULA_WITHIN.search(text):  # rarely, and putting something in takes ten times as long as looking
        text = _FORMULA_WITHIN.sub(r"\1'", text)
    return f"'{text}" if _FORMULA.match(text) else text


def plain_cell(text: str) -> str:
    """The text without the apostrophes that `safe_cell`, or another program for the same reason, put in."""
    if "'" not in text:
        return text
    text = text[1:] if text[0] == "'" and _FORMULA.match(text) else text
    return _GUARDED_WITHIN.sub(r"\1", text)


def csv_lines(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """The rows as safe CSV, in parts to be written or sent one after the other as UTF-8."""
    remaining = iter(rows)
    mark = BYTE_ORDER_MARK
    while part := list(islice(remaining, _ROWS_AT_ONCE)):
        text = io.StringIO()
        csv.writer(text).writerows([safe_cell(cell) for cell in row] for row in part)
        yield mark + text.getvalue()
        mark = ""
