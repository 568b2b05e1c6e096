"""What can stand in a field of a condition: each reader takes a value of JSON and gives back what it means,
or raises `UnreadableError`. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from django.utils.translation import gettext as _

LONGEST_TEXT = 255
MOST_DAYS = 36_500
HIGHEST_AMOUNT = Decimal(10) ** 15


class UnreadableError(ValueError):
    """What is wrong with a value, in words."""


@dataclass(frozen=True, slots=True)
class Period:
    """The last so many days, or before so many days ago, or from a day to another, both included (UTC)."""

    last_days: int | None = None
    earlier_than_days: int | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few names."""

    options: tuple[str, ...]

    def read(self, value: object) -> str:
        if isinstance(value, str) and value in self.options:
            return value
        raise UnreadableError(_("Choose one of: %(options)s.") % {"options": ", ".join(self.options)})


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number."""

    lowest: int
    highest: int

    def read(self, value: object) -> int:
        number = value
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
            number = int(value)
        if type(number) is int and self.lowest <= number <= self.highest:
            return number
        words = {"lowest": self.lowest, "highest": self.highest}
        raise UnreadableError(_("Write a whole number from %(lowest)s to %(highest)s.") % words)


@dataclass(frozen=True, slots=True)
class Amount:
    """A number, with decimals or without."""

    def read(self, value: object) -> Decimal:
        try:
            number = Decimal(str(value)) if type(value) in (int, float, str, Decimal) else Decimal("NaN")
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite() and abs(number) <= HIGHEST_AMOUNT and round(number, 10) == number:
            return number
        raise UnreadableError(_("Write a number, as in 59.90."))


@dataclass(frozen=True, slots=True)
class Text:
    """A text that is not empty, or the empty one where that has a meaning of its own."""

    may_be_empty: bool = False

    def read(self, value: object) -> str:
        if not isinstance(value, str) or not (value.strip() or self.may_be_empty):
            raise UnreadableError(_("Write a text."))
        if len(value) > LONGEST_TEXT or not value.isprintable():
            raise UnreadableError(
                _("Write one line of at most %(limit)s characters.") % {"limit": LONGEST_TEXT}
            )
        return value.strip()


class Refers(StrEnum):
    """What a condition can name."""

    IDENTIFIER_KIND = "identifier_kind"
    CUSTOM_FIELD = "custom_field"
    POINT = "point"
    SEGMENT = "segment"


@dataclass(frozen=True, slots=True)
class Reference:
    """The system name of something that is set up; of a segment, `segmentation/segment`."""

    to: Refers

    def read(self, value: object) -> str:
        if isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT and value.isprintable():
            return value
        raise UnreadableError(_("Choose one."))


@dataclass(frozen=True, slots=True)
class Scalar:
    """The value a custom field is compared with; what it may be depends on the field's type."""

    def read(self, value: object) -> str | int | float | bool:
        if isinstance(value, bool | int | float):
            return value
        if isinstance(value, date):  # YAML knows days
            return value.isoformat()
        return Text().read(value)


@dataclass(frozen=True, slots=True)
class Time:
    """A period: `{"last_days": 30}`, `{"earlier_than_days": 30}` or `{"from": "2026-01-01", "to": …}`."""

    def read(self, value: object) -> Period:
        if not isinstance(value, dict) or not value:
            raise UnreadableError(_("Say which period."))
        match sorted(value):
            case ["last_days"]:
                return Period(last_days=DAYS.read(value["last_days"]))
            case ["earlier_than_days"]:
                return Period(earlier_than_days=DAYS.read(value["earlier_than_days"]))
            case ["from"] | ["to"] | ["from", "to"]:
                return _between(value)
        raise UnreadableError(_("A period is last_days, earlier_than_days, or from and to."))


def _between(value: Mapping[str, object]) -> Period:
    since, until = (_day(value[name]) if name in value else None for name in ("from", "to"))
    if since and until and since > until:
        raise UnreadableError(_("The period ends before it begins."))
    return Period(since=since, until=until)


def _day(value: object) -> date:
    try:
        return value if type(value) is date else date.fromisoformat(str(value))
    except ValueError:
        raise UnreadableError(_("Write a day as in 2026-01-31.")) from None


Reader = Choice | Whole | Amount | Text | Reference | Scalar | Time

DAYS = Whole(1, MOST_DAYS)
