"""CSV files that are safe to open in a spreadsheet, and come back as they were when they are sent again."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

BYTE_ORDER_MARK = "\ufeff"
"""By which spreadsheets know that a file is UTF-8."""

_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_ROWS_AT_ONCE = 500


def safe_cell(value: object) -> str:
    """The value as text, nothing for None, with an apostrophe before it where a spreadsheet would take it for
    a formula. Telephone numbers are such, and a spreadsheet would take away their plus.

    One that has such an apostrophe already gets another, so that `plain_cell` gives back what there was.
    """
    text = "" if value is None else str(value)
    return f"'{text}" if _FORMULA.match(text) else text


def plain_cell(text: str) -> str:
    """The text without the apostrophe that `safe_cell`, or another careful program, put before it."""
    return text[1:] if text[:1] == "'" and _FORMULA.match(text) else text


def csv_lines(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """The rows as safe CSV, in parts to be written or sent one after the other as UTF-8."""
    remaining = iter(rows)
    mark = BYTE_ORDER_MARK
    while part := list(islice(remaining, _ROWS_AT_ONCE)):
        text = io.StringIO()
        csv.writer(text).writerows([safe_cell(cell) for cell in row] for row in part)
        yield mark + text.getvalue()
        mark = ""
