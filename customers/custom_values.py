"""Values of custom fields as they are compared and stored (R11, R35). Pure, like `customers.normalise`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from customers.normalise import VALUE_LIMIT, Invalid, calendar_date, long_text, moment, name, trimmed_text
from customers.texts import gettext_noop as _

LIST_LIMIT = 100
"""Entries of a list."""
_INTEGER = re.compile(r"[+-]?\d{1,19}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d{1,18}(?:\.\d{1,10})?", re.ASCII)
_BOOLEANS: Mapping[str, bool] = {"true": True, "false": False}
_NOT_AN_INTEGER = _("Write a whole number, as in 42.")
_NOT_A_DECIMAL = _("Write a number as in 59.90: at most 18 digits before the point and 10 after it.")


class CustomType(StrEnum):
    """What a custom field can hold."""

    STRING = "string"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    LIST = "list"


CustomValue = str | int | Decimal | bool | date | datetime | tuple[str, ...]


def custom_value(raw: object, custom_type: CustomType) -> CustomValue:
    """The value of a custom field of that type. Numbers, dates and true/false may be sent as text too."""
    return _CUSTOM[custom_type](raw)


def whole_number(raw: object) -> int:
    """A whole number of 64 bits."""
    if type(raw) is float and raw.is_integer():  # JSON does not tell 42.0 from 42
        raw = int(raw)
    if isinstance(raw, str) and _INTEGER.fullmatch(text := trimmed_text(raw)):
        raw = int(text)
    if type(raw) is not int:
        raise Invalid(_NOT_AN_INTEGER)
    if not -(2**63) <= raw < 2**63:
        raise Invalid(_("The number is too large: at most 18 digits."))
    return raw


def decimal_number(raw: object) -> Decimal:
    """A number with at most 10 digits after the point, without needless zeros."""
    text = _number_as_text(raw)
    if not _DECIMAL.fullmatch(text):
        raise Invalid(_NOT_A_DECIMAL)
    # As 59.9 whether 59.9, 59.90 or +59.9 was sent, and never as 1E+2; zero has no sign.
    whole, _, fraction = text.partition(".")
    return Decimal(f"{whole}.{fraction.rstrip('0')}".removesuffix(".")) + 0


def _number_as_text(raw: object) -> str:
    match raw:
        case bool():
            raise Invalid(_NOT_A_DECIMAL)
        case int() if abs(raw) < 10**18:
            return str(raw)
        case float() if abs(raw) < 10**18:  # not where it is NaN
            return f"{round(Decimal(repr(raw)), 10):f}"
        case Decimal() if raw.is_finite() and abs(raw.adjusted()) <= VALUE_LIMIT:
            return f"{raw:f}"
        case str():
            return trimmed_text(raw)
    raise Invalid(_NOT_A_DECIMAL)


def _boolean(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    value = _BOOLEANS.get(trimmed_text(raw).lower()) if isinstance(raw, str) else None
    if value is None:
        raise Invalid(_("Write true or false."))
    return value


def _list(raw: object) -> tuple[str, ...]:
    """Each entry once, in the order of its first appearance."""
    if not isinstance(raw, list | tuple):
        raise Invalid(_('Write a list of texts, as in ["red", "blue"].'))
    if len(raw) > LIST_LIMIT:
        raise Invalid(_("The list is too long: at most %(limit)d entries."), limit=LIST_LIMIT)
    return tuple(dict.fromkeys(name(entry) for entry in raw))


_CUSTOM: Mapping[CustomType, Callable[[Any], CustomValue]] = {
    CustomType.STRING: long_text,
    CustomType.INTEGER: whole_number,
    CustomType.DECIMAL: decimal_number,
    CustomType.BOOLEAN: _boolean,
    CustomType.DATE: calendar_date,
    CustomType.DATETIME: moment,
    CustomType.LIST: _list,
}
