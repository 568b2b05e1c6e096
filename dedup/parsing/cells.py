"""What stands in the cells of files besides plain values: yes and no, dates in any order, decimal commas and
lists.

Pure. What could mean two things is refused, with what to choose.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from customers.normalise import Invalid, moment, trim
from customers.profile import SubscriptionStatus
from customers.texts import gettext_noop as _

_YES_OR_NO: Mapping[str, bool] = {
    **dict.fromkeys(("yes", "y", "true", "t", "1", "on"), True),
    **dict.fromkeys(("no", "n", "false", "f", "0", "off"), False),
}


def yes_or_no(text: object) -> bool | None:
    return _YES_OR_NO.get(trim(text).lower()) if isinstance(text, str) else None


_GENDERS: Mapping[str, str] = {
    **dict.fromkeys(("m", "man"), "male"),
    **dict.fromkeys(("f", "w", "woman"), "female"),
    **dict.fromkeys(("o", "x"), "other"),
    "u": "unknown",
}


def gender(text: str) -> str:
    """What the letters of files stand for; other text stays as it is."""
    return _GENDERS.get(trim(text).lower().removesuffix("."), text)


_STATUSES: Mapping[str, SubscriptionStatus] = {
    **{status.value: status for status in SubscriptionStatus},
    "pending": SubscriptionStatus.AWAITING_CONFIRMATION,
    "opted_in": SubscriptionStatus.SUBSCRIBED,
    "opted_out": SubscriptionStatus.UNSUBSCRIBED,
}


def subscription(text: str) -> SubscriptionStatus | None:
    """Yes or no, or a status."""
    if (answer := yes_or_no(text)) is not None:
        return SubscriptionStatus.SUBSCRIBED if answer else SubscriptionStatus.UNSUBSCRIBED
    return _STATUSES.get(re.sub(r"[\s_-]+", "_", trim(text).lower()))


# --- Dates

_YEAR_FIRST = re.compile(r"(\d{4})([-/. ])(\d{1,2})\2(\d{1,2})", re.ASCII)
_YEAR_LAST = re.compile(r"(\d{1,2})([-/. ])(\d{1,2})\2(\d{4}|\d\d)", re.ASCII)
_DIGITS = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)
_DAY_NUMBER = re.compile(r"[1-9]\d{4}", re.ASCII)
_DAY_MONTH = re.compile(r"(\d{1,2})[-/. ]+([a-z]{3,9})\.?[-/., ]+(\d{4}|\d\d)", re.ASCII)
_MONTH_DAY = re.compile(r"([a-z]{3,9})\.?[-/. ]+(\d{1,2})(?:st|nd|rd|th)?[-/., ]+(\d{4}|\d\d)", re.ASCII)
_MIDNIGHT = re.compile(r"[T ]0?0:00(?::00(?:\.0+)?)?Z?", re.IGNORECASE)
_TIME = re.compile(
    r"(?P<date>.+?)[T ]\s*(?P<hour>\d{1,2}):(?P<minute>\d\d)"
    r"(?::(?P<second>\d\d)(?:[.,]\d{1,9})?)?\s*(?P<half>[ap]m)?",
    re.IGNORECASE | re.ASCII,
)
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


def day(text: str, day_first: bool | None, today: date) -> date:
    """A day in any of the usual ways of writing it; a two-digit year is the latest one that is not after
    `today`. Raises `Invalid`, also where day and month could be either way round and nobody chose.
    """
    text = _MIDNIGHT.sub("", trim(text)) if ":" in text else trim(text)
    year, month, number = _parts(text.lower(), day_first)
    if year < 100:
        year += today.year // 100 * 100
        if (year, month, number) > (today.year, today.month, today.day):
            year -= 100
    try:
        return date(year, month, number)
    except ValueError:
        raise Invalid(_("There is no such day."), _ADVICE) from None


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
    proofs = Counter(_proves_day_first(cell) for cells in rows for cell in cells if cell[-1:].isdigit())
    for answer in (True, False):
        if proofs[answer] > 10 * proofs[not answer]:
            return answer
    return None


def _proves_day_first(text: str) -> bool | None:
    """What one date tells: nothing, where either order could be. With points between them the day comes first
    wherever points are used, so that such a date proves nothing for others.
    """
    match = _YEAR_LAST.fullmatch(trim(text).partition(" ")[0])
    if match is None or match[2] == ".":
        return None
    first, second = int(match[1]), int(match[3])
    return None if (first > 12) == (second > 12) else first > 12


def instant(text: str, day_first: bool | None, zone: ZoneInfo, now: datetime) -> datetime:
    """A point in time: with its offset, or of `zone`; of a day alone, its beginning. Raises `Invalid`."""
    text = trim(text)
    match = _TIME.fullmatch(text)
    if match is None and ":" in text:
        return moment(text)
    clock = _clock(match) if match else time()
    found = day(match["date"] if match else text, day_first, now.astimezone(zone).date())
    return moment(datetime.combine(found, clock, tzinfo=zone))


def _clock(match: re.Match[str]) -> time:
    hour = int(match["hour"])
    if match["half"]:
        if not 1 <= hour <= 12:
            raise Invalid(_("There is no such time. Write it as in 2026-01-05T10:00:00Z."))
        hour = hour % 12 + (12 if match["half"].lower() == "pm" else 0)
    try:
        return time(hour, int(match["minute"]), int(match["second"] or 0))
    except ValueError:
        raise Invalid(_("There is no such time. Write it as in 2026-01-05T10:00:00Z.")) from None


# --- Numbers

_AROUND_NUMBERS = " \xa0\u202f$€£¥₽₴₺"
_GROUPS = re.compile(r"[ \xa0\u202f'’](?=\d{3}(?!\d))")
_POINT_GROUPS = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+,\d+", re.ASCII)
_COMMA_GROUPS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+\.\d+|[+-]?\d{1,3}(?:,\d{3}){2,}", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,(?:\d{1,2}|\d{4,})", re.ASCII)
_EITHER = re.compile(r"[+-]?\d{1,3},\d{3}", re.ASCII)


def number(text: str) -> str:
    """A number with a decimal point and without the rest, where a comma can mean but one thing; other text
    stays as it is. Raises `Invalid` where 1,234 could be a thousand or one and a bit.
    """
    plain = _GROUPS.sub("", text.strip(_AROUND_NUMBERS))
    if "," not in plain:
        return plain
    if _EITHER.fullmatch(plain):
        raise Invalid(
            _(
                "The comma could stand for thousands or for the decimal point. "
                "Write it without, as in 1234.00."
            )
        )
    if _POINT_GROUPS.fullmatch(plain) or _DECIMAL_COMMA.fullmatch(plain):
        return plain.replace(".", "").replace(",", ".")
    return plain.replace(",", "") if _COMMA_GROUPS.fullmatch(plain) else plain


# --- Lists


def listed(text: str) -> list[str]:
    """The entries of a cell that holds several: a JSON list, or with ; or | or else commas between them."""
    if text.startswith("["):
        found = json_value(text)
        return [str(entry) for entry in found] if isinstance(found, list) else [text]
    separator = next((mark for mark in ";|," if mark in text), ",")
    return [entry for entry in map(trim, text.split(separator)) if entry]


def json_value(text: str) -> Any:
    """Raises `Invalid` where it is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Invalid(_('Write it as JSON, as in [{"sku": "7"}].')) from None
