"""Types of the fields of conditions: what may stand in a field, how it is stored, which input the builder
has for it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from customers.normalise import topic_compared
from segments.conditions.context import ConditionContext, Refers

LONGEST_TEXT = 255
MOST_DAYS = 36_500
HIGHEST_AMOUNT = Decimal(10) ** 15

Words = Mapping[str, Promise | str]
"""Names that are stored, with what people read."""


class UnreadableError(ValueError):
    """What is wrong with a value, in words."""


class FieldType(ABC):
    """What may stand in a field of a condition."""

    @abstractmethod
    def read(self, value: object) -> Any:
        """What a value of JSON means. Raises `UnreadableError`."""

    @abstractmethod
    def described(self, context: ConditionContext) -> dict[str, Any]:
        """The builder's input, as `builder.js` knows it, with what it offers."""

    def stored(self, value: Any) -> object:
        """The JSON that `read` takes back."""
        return value


@dataclass(frozen=True, slots=True)
class Choice(FieldType):
    """One of a few names."""

    options: Words

    def read(self, value: object) -> str:
        if isinstance(value, str) and value in self.options:
            return value
        raise UnreadableError(_("Choose one of: %(options)s.") % {"options": ", ".join(self.options)})

    def described(self, context: ConditionContext) -> dict[str, Any]:
        return {"input": "choice", "options": options_of(self.options, self.options)}


@dataclass(frozen=True, slots=True)
class Whole(FieldType):
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

    def described(self, context: ConditionContext) -> dict[str, Any]:
        return {"input": "whole", "min": self.lowest, "max": self.highest}


@dataclass(frozen=True, slots=True)
class Amount(FieldType):
    """A number, with or without decimals."""

    def read(self, value: object) -> Decimal:
        try:
            number = Decimal(str(value)) if type(value) in (int, float, str, Decimal) else Decimal("NaN")
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite() and abs(number) <= HIGHEST_AMOUNT and round(number, 10) == number:
            return number
        raise UnreadableError(_("Write a number, as in 59.90."))

    def stored(self, value: Decimal) -> str:
        return f"{value:f}"

    def described(self, context: ConditionContext) -> dict[str, Any]:
        return {"input": "amount"}


@dataclass(frozen=True, slots=True)
class Text(FieldType):
    """One line of text that is not empty."""

    def read(self, value: object) -> str:
        if not isinstance(value, str) or not value.strip():
            raise UnreadableError(_("Write a text."))
        return one_line(value)

    def described(self, context: ConditionContext) -> dict[str, Any]:
        return {"input": "text"}


@dataclass(frozen=True, slots=True)
class Topic(FieldType):
    """The topic of a subscription; empty for the subscription without one."""

    def read(self, value: object) -> str:
        if not isinstance(value, str):
            raise UnreadableError(_("Write a text."))
        return topic_compared(one_line(value))

    def described(self, context: ConditionContext) -> dict[str, Any]:
        return {"input": "topic"}


@dataclass(frozen=True, slots=True)
class Reference(FieldType):
    """The system name of something in the project's configuration. Whether it exists is not asked here."""

    to: Refers

    def read(self, value: object) -> str:
        if isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT and value.isprintable():
            return value
        raise UnreadableError(_("Choose one."))

    def described(self, context: ConditionContext) -> dict[str, Any]:
        options = list(context.labels[self.to].items())
        return {"input": "reference", "options": options, "empty": str(self.to.value.prompt)}


@dataclass(frozen=True, slots=True)
class CustomValue(FieldType):
    """The value a custom field is compared with; what it may be depends on the field's type."""

    def read(self, value: object) -> str | int | float | bool:
        if isinstance(value, bool | int | float):
            return value
        if isinstance(value, date):  # YAML reads days as dates
            return value.isoformat()
        return Text().read(value)

    def described(self, context: ConditionContext) -> dict[str, Any]:
        return {"input": "custom"}


# --- Periods


@dataclass(frozen=True, slots=True)
class Period:
    """The last `last_days` days, or more than `earlier_than_days` days ago, or from one day to another, both
    included (UTC).
    """

    last_days: int | None = None
    earlier_than_days: int | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class InPeriod(FieldType):
    """A period: `{"last_days": 30}`, `{"earlier_than_days": 30}` or `{"from": "2026-01-01", "to": …}`."""

    def read(self, value: object) -> Period:
        if not isinstance(value, dict) or not value:
            raise UnreadableError(_("Choose a period."))
        match sorted(value):
            case ["last_days"]:
                return Period(last_days=DAYS.read(value["last_days"]))
            case ["earlier_than_days"]:
                return Period(earlier_than_days=DAYS.read(value["earlier_than_days"]))
            case ["from"] | ["to"] | ["from", "to"]:
                return _between(value)
        raise UnreadableError(_("A period is last_days, earlier_than_days, or from and to."))

    def stored(self, value: Period) -> dict[str, object]:
        match value:
            case Period(last_days=int(days)):
                return {"last_days": days}
            case Period(earlier_than_days=int(days)):
                return {"earlier_than_days": days}
        ends = {"from": value.since, "to": value.until}
        return {name: day.isoformat() for name, day in ends.items() if day}

    def described(self, context: ConditionContext) -> dict[str, Any]:
        return {"input": "period"}


def period_words(period: Period | None) -> str:
    """The period as it follows a sentence, with a space before it; nothing where there is no period."""
    match period:
        case None:
            return ""
        case Period(last_days=int(days)):
            return " " + ngettext("in the last day", "in the last %(days)s days", days) % {"days": days}
        case Period(earlier_than_days=int(days)):
            return " " + ngettext("more than a day ago", "more than %(days)s days ago", days) % {"days": days}
        case Period(since=date(), until=date()):
            return " " + _("from %(since)s to %(until)s") % _ends(period)
        case Period(since=date()):
            return " " + _("since %(since)s") % _ends(period)
        case _:
            return " " + _("until %(until)s") % _ends(period)


def _ends(period: Period) -> dict[str, str]:
    ends = {"since": period.since, "until": period.until}
    return {name: day.isoformat() for name, day in ends.items() if day}


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


DAYS = Whole(1, MOST_DAYS)


def one_line(text: str) -> str:
    """The text without space around it. Raises `UnreadableError` for several lines, and for a long one."""
    if len(text) > LONGEST_TEXT or not text.isprintable():
        raise UnreadableError(_("Write one line of at most %(limit)s characters.") % {"limit": LONGEST_TEXT})
    return text.strip()


def options_of(names: Iterable[str], words: Words) -> list[tuple[str, str]]:
    """Names with what people read, as the builder takes them."""
    return [(str(name), str(words[name])) for name in names]
