"""What stands in the cells of a workbook as numbers, as it is shown: numbers, dates and times."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain
from typing import NamedTuple

from dedup.imports.files.xlsx.parts import elements, whole_number

EXACT_DIGITS = 15
"""What a number of a spreadsheet holds."""


class DateParts(NamedTuple):
    """What a number format shows of a moment."""

    date: bool
    time: bool


def number_text(raw: str) -> str:
    """A number in plain form, as a phone or an ID is written: 1.0 as 1, 4.9123E+11 as 491230000000.

    Of more than 15 digits the rest is lost, as it is in the spreadsheet: 1.23456789012346E+17.
    """
    if raw.isdigit() and raw.isascii() and len(raw) <= EXACT_DIGITS:
        return raw
    try:
        number = Decimal(f"{float(raw):.{EXACT_DIGITS}g}")
    except (ValueError, ArithmeticError):
        return raw
    if not number.is_finite() or abs(number.adjusted()) > 30:
        return raw
    if number.adjusted() >= EXACT_DIGITS:
        return f"{number.normalize():E}"
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def pictured(raw: str, picture: str) -> str:
    """A whole number as a picture of zeros shows it: 128 as `0000 0128` by `0000 0000`."""
    digits = number_text(raw)
    if not digits.isdigit():
        return digits
    digits = digits.zfill(picture.count("0"))
    shown: list[str] = []
    for character in reversed(picture):
        shown.append(digits[-1] if character == "0" else character)
        digits = digits[:-1] if character == "0" else digits
    first = picture.index("0")
    return picture[:first] + digits + "".join(reversed(shown))[first:]


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


def cell_styles(archive: zipfile.ZipFile, part: str) -> dict[str, DateParts | str]:
    """The cell styles, by number, that show a date or a time, or a number by a picture of zeros."""
    found = elements(archive, part)
    formats = {
        whole_number(attributes.get("numFmtId"), -1): _shown(attributes.get("formatCode", ""))
        for name, attributes in found
        if name == "numFmt"
    }
    names = [name for name, _attributes in found]
    if "cellXfs" not in names:
        return {}
    styles = [a for name, a in found[names.index("cellXfs") :] if name == "xf"]
    known = {**_BUILT_IN, **formats}
    parts = ((at, known.get(whole_number(style.get("numFmtId"), 0))) for at, style in enumerate(styles))
    return {str(at): shown for at, shown in parts if shown}


_PICTURE = re.compile(r"[^0#?.,%/E]*0[0 ()/-]*0[^0#?.,%E]*")


def _shown(code: str) -> DateParts | str | None:
    section = re.sub(r"\[[^\]]*\]|_.|\*.", "", code.partition(";")[0])
    picture = re.sub(r'"([^"]*)"|\\(.)', r"\1\2", section)
    if _PICTURE.fullmatch(picture) and not _DATE_LETTERS.search(_LITERALS.sub("", code)):
        return picture
    parts = _shown_parts(code)
    return parts if parts.date or parts.time else None


_DATE_LETTERS = re.compile("[dmyhs]", re.IGNORECASE)


def _shown_parts(code: str) -> DateParts:
    shown = _LITERALS.sub("", code).lower().partition(";")[0]
    if "general" in shown:
        return DateParts(date=False, time=False)
    time = "h" in shown or "s" in shown
    return DateParts(date="d" in shown or "y" in shown or ("m" in shown and not time), time=time)
