"""Dates and times in the cells of files, in any of the usual ways of writing them.

Pure. What could be two days is refused, with what to choose.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from customers.normalise import Incomplete, Invalid, moment, time_zone, trim
from customers.texts import gettext_noop as _
from dedup.parsing.cells import is_placeholder

# --- Days

_YEAR_FIRST = re.compile(r"(\d{4})([-/. ])(\d{1,2})\2(\d{1,2})", re.ASCII)
_YEAR_LAST = re.compile(r"(\d{1,2})([-/. ])(\d{1,2})\2(\d{4}|\d\d)", re.ASCII)
_DIGITS = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)
_DAY_NUMBER = re.compile(r"[1-9]\d{4}", re.ASCII)
_DAY_MONTH = re.compile(r"(\d{1,2})[-/. ]+([a-z]{3,9})\.?[-/., ]+(\d{4}|\d\d)", re.ASCII)
_MONTH_DAY = re.compile(r"([a-z]{3,9})\.?[-/. ]+(\d{1,2})(?:st|nd|rd|th)?[-/., ]+(\d{4}|\d\d)", re.ASCII)
_WITHOUT_YEAR = re.compile(
    r"(?:--)?\d{1,2}[-/.]\d{1,2}\.?|\d{1,2}[-. ]+[a-z]{3,9}\.?|[a-z]{3,9}\.?[- ]\d{1,2}", re.ASCII
)
# What programs write for no date: zeros, the first day of their calendar, and spreadsheets for a zero.
_NO_DAY = re.compile(r"[0/.: T-]+(?:Z|[AP]M)?|0001-01-01.*|0?1[/.]0?1[/.]0001.*|1/0/1900", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_NAMES = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september", "october"),
    *("november", "december", "sept"),
)
_EPOCH = date(1899, 12, 30)

_ADVICE = _("Write the date as year-month-day, as in 1990-01-31.")
_AMBIGUOUS = _(
    "Day and month could be either way round. Choose in the option day_first whether the day comes first."
)
_NO_SUCH_TIME = _("There is no such time. Write it as in 2026-01-05T10:00:00Z.")


def day(text: str, day_first: bool | None, today: date) -> date | None:
    """A day; a two-digit year is the latest one that is not after `today`. A time may stand beside it where
    it is midnight. None where the cell says that there is none.

    Raises `Invalid`, also where day and month could be either way round and nobody chose, and `Incomplete`
    for a day without its year.
    """
    text = trim(text)
    if _is_no_day(text):
        return None
    if ":" in text and (match := _TIME.fullmatch(text)) and _clock(match) == time():
        text = match["date"]
    year, month, number = _parts(text.lower(), day_first)
    if year < 100:
        year += today.year // 100 * 100
        if (year, month, number) > (today.year, today.month, today.day):
            year -= 100
    try:
        return date(year, month, number)
    except ValueError:
        raise Invalid(_("There is no such day."), _ADVICE) from None


def _is_no_day(text: str) -> bool:
    return is_placeholder(text) or _NO_DAY.fullmatch(text) is not None


def _parts(text: str, day_first: bool | None) -> tuple[int, int, int]:
    """Year, month, day."""
    if match := _YEAR_FIRST.fullmatch(text):
        return int(match[1]), int(match[3]), int(match[4])
    if match := _DIGITS.fullmatch(text):
        return int(match[1]), int(match[2]), int(match[3])
    if match := _YEAR_LAST.fullmatch(text):
        # With points between them, the day comes first wherever points are used.
        ordered = True if day_first is None and match[2] == "." else day_first
        return (int(match[4]), *_month_and_day(int(match[1]), int(match[3]), ordered))
    if match := _DAY_MONTH.fullmatch(text):
        return int(match[3]), _month(match[2]), int(match[1])
    if match := _MONTH_DAY.fullmatch(text):
        return int(match[3]), _month(match[1]), int(match[2])
    if _DAY_NUMBER.fullmatch(text):  # what spreadsheets make of a date
        found = _EPOCH + timedelta(days=int(text))
        return found.year, found.month, found.day
    if _WITHOUT_YEAR.fullmatch(text):
        raise Incomplete(_("The year is missing."), _ADVICE)
    raise Invalid(_ADVICE)


def _month_and_day(first: int, second: int, day_first: bool | None) -> tuple[int, int]:
    if first > 12 or second > 12 or first == second:
        return (second, first) if first > 12 else (first, second)
    if day_first is None:
        raise Invalid(_AMBIGUOUS)
    return (second, first) if day_first else (first, second)


def _month(name: str) -> int:
    if name not in _MONTHS and name not in _MONTH_NAMES:
        raise Invalid(_ADVICE)
    return _MONTHS.index(name[:3]) + 1


def day_first_in(rows: Iterable[Sequence[str]]) -> bool | None:
    """Whether the dates of a file prove that the day comes before the month, or after it; None where they do
    not tell. One date in ten may be a slip.
    """
    proofs = Counter(_proves_day_first(cell) for cells in rows for cell in cells if cell[:1].isdigit())
    for answer in (True, False):
        if proofs[answer] > 10 * proofs[not answer]:
            return answer
    return None


def _proves_day_first(text: str) -> bool | None:
    """What one date tells: nothing, where either order could be. With points between them the day comes first
    wherever points are used, so that such a date proves nothing for others.
    """
    match = _YEAR_LAST.fullmatch(trim(text).partition(" ")[0].rstrip(","))
    if match is None or match[2] == ".":
        return None
    first, second = int(match[1]), int(match[3])
    return None if (first > 12) == (second > 12) else first > 12


# --- Moments

_TIME = re.compile(
    r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s+)?"
    r"(?P<date>.+?)(?:,?\s|T)\s*(?P<hour>\d{1,2}):(?P<minute>\d\d)"
    r"(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?\s*(?:(?P<half>[ap])\.?m\.?)?"
    r"\s*(?P<offset>Z|(?:UTC|GMT)(?:[+-]\d\d?(?::?\d\d)?)?|[+-]\d\d(?::?\d\d)?)?"
    r"\s*(?:\[(?P<zone>[\w/+-]+)\]|\([^()]*\))?",
    re.IGNORECASE | re.ASCII,
)
_OFFSET = re.compile(r"(?:UTC|GMT|Z)?(?:([+-])(\d\d?):?(\d\d)?)?", re.IGNORECASE | re.ASCII)
_SECONDS = re.compile(r"1\d{9}(\d{3})?", re.ASCII)


def instant(text: str, day_first: bool | None, zone: ZoneInfo, now: datetime) -> datetime | None:
    """A point in time: with its offset or the name of its zone, else of `zone`; of a day alone, its
    beginning; also seconds or milliseconds since 1970. None where the cell says that there is none. Raises
    `Invalid`.
    """
    text = trim(text)
    if _is_no_day(text):
        return None
    if match := _SECONDS.fullmatch(text):
        return datetime.fromtimestamp(int(text) / (1000 if match[1] else 1), UTC)
    match = _TIME.fullmatch(text)
    if match is None and ":" in text:
        return moment(text)
    clock = _clock(match) if match else time()
    found = day(match["date"] if match else text, day_first, now.astimezone(zone).date())
    if found is None:
        return None
    return moment(datetime.combine(found, clock, tzinfo=(match and _zone(match)) or zone))


def _zone(match: re.Match[str]) -> tzinfo | None:
    if match["offset"]:
        parts = _OFFSET.fullmatch(match["offset"])
        assert parts
        offset = timedelta(hours=int(parts[2] or 0), minutes=int(parts[3] or 0))
        if offset >= timedelta(days=1):
            raise Invalid(_NO_SUCH_TIME)
        return timezone(-offset if parts[1] == "-" else offset)
    return ZoneInfo(time_zone(match["zone"])) if match["zone"] else None


def _clock(match: re.Match[str]) -> time:
    hour = int(match["hour"])
    if match["half"]:
        if not 1 <= hour <= 12:
            raise Invalid(_NO_SUCH_TIME)
        hour = hour % 12 + (12 if match["half"].lower() == "p" else 0)
    micros = int((match["fraction"] or "0")[:6].ljust(6, "0"))
    try:
        return time(hour, int(match["minute"]), int(match["second"] or 0), micros)
    except ValueError:
        raise Invalid(_NO_SUCH_TIME) from None
