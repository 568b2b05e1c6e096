"""What stands in the cells of a workbook as numbers: numbers, dates and times."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain
from typing import NamedTuple

from dedup.imports.files.xlsx.parts import elements, whole_number


class DateParts(NamedTuple):
    """What a number format shows of a moment."""

    date: bool
    time: bool


def number_text(raw: str) -> str:
    """A number in plain form, as a phone or an ID is written: 1.0 as 1, 4.9123E+11 as 491230000000."""
    if raw.isdigit() and raw.isascii() and len(raw) < 16:
        return raw
    try:
        number = Decimal(repr(float(raw)))
    except ValueError:
        return raw
    if not number.is_finite() or abs(number.adjusted()) > 30:
        return raw
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def moment_text(raw: str, parts: DateParts, is_from_1904: bool) -> str:
    """A day number as an ISO date, with or without a time, or a time alone."""
    try:
        days = float(raw)
        moment = _epoch(days, is_from_1904) + timedelta(seconds=round(days * 86400))
    except (ValueError, OverflowError):
        return number_text(raw)
    if not parts.date or (days < 1 and parts.time):
        return moment.time().isoformat()
    return moment.isoformat() if days % 1 else moment.date().isoformat()


def _epoch(days: float, is_from_1904: bool) -> datetime:
    """Spreadsheets hold 1900 for a leap year, so that days before its March count from one day later."""
    if is_from_1904:
        return datetime(1904, 1, 1)  # noqa: DTZ001 - a spreadsheet's moments have no time zone
    return datetime(1899, 12, 31 if days < 60 else 30)  # noqa: DTZ001


_BUILT_IN: Mapping[int, DateParts] = dict(
    chain(
        ((at, DateParts(date=True, time=False)) for at in (14, 15, 16, 17, *range(27, 37), *range(50, 59))),
        ((at, DateParts(date=False, time=True)) for at in (18, 19, 20, 21, 45, 46, 47)),
        [(22, DateParts(date=True, time=True))],
    )
)
_LITERALS = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')


def date_styles(archive: zipfile.ZipFile, part: str) -> dict[str, DateParts]:
    """The cell styles, by number, that show a date or a time."""
    found = elements(archive, part)
    formats = {
        whole_number(attributes.get("numFmtId"), -1): _shown_parts(attributes.get("formatCode", ""))
        for name, attributes in found
        if name == "numFmt"
    }
    names = [name for name, _attributes in found]
    if "cellXfs" not in names:
        return {}
    styles = [a for name, a in found[names.index("cellXfs") :] if name == "xf"]
    known = {**_BUILT_IN, **formats}
    parts = ((at, known.get(whole_number(style.get("numFmtId"), 0))) for at, style in enumerate(styles))
    return {str(at): shown for at, shown in parts if shown and (shown.date or shown.time)}


def _shown_parts(code: str) -> DateParts:
    shown = _LITERALS.sub("", code).lower().partition(";")[0]
    if "general" in shown:
        return DateParts(date=False, time=False)
    time = "h" in shown or "s" in shown
    return DateParts(date="d" in shown or "y" in shown or ("m" in shown and not time), time=time)
