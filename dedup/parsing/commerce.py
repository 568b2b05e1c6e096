"""Orders, points and promo codes (R57, R58)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from customers import normalise
from customers.changes import Order
from customers.normalise import CustomType, Invalid
from dedup.parsing.draft import LIST, OBJECT, Draft, Reader, entries, known, needed, optional

LINES_LIMIT = 1000
LINE_DEPTH = 10
AMOUNT_LIMIT = Decimal(10) ** 15

_ORDER_FIELDS = frozenset({"number", "total", "currency", "placed_at", "status", "lines"})


def read_order(draft: Draft, path: str, _name: str, value: Any) -> None:
    """Number and total are needed; an order without a time was placed now (R57)."""
    if not isinstance(value, dict):
        draft.fault(path, OBJECT)
        return
    known(draft, path, value, _ORDER_FIELDS)
    number = needed(draft, f"{path}.number", normalise.identifier, value.get("number"))
    total = needed(draft, f"{path}.total", amount, value.get("total"))
    placed_at = optional(draft, f"{path}.placed_at", normalise.moment, value.get("placed_at"))
    currency = optional(draft, f"{path}.currency", currency_code, value.get("currency"))
    status = optional(draft, f"{path}.status", normalise.name, value.get("status"))
    lines = _lines(draft, f"{path}.lines", value.get("lines"))
    if number and total is not None:
        draft.order = Order(
            number=number,
            total=total,
            currency=currency or "",
            placed_at=min(placed_at or draft.setting.now, draft.setting.now),
            status=status or "",
            lines=lines,
        )


def amount(raw: Any) -> Decimal:
    """Money or points: at most two digits after the point."""
    value = normalise.custom_value(raw, CustomType.DECIMAL)
    assert isinstance(value, Decimal)
    if value != round(value, 2):
        raise Invalid("Write at most two digits after the point, as in 59.90.")
    if abs(value) >= AMOUNT_LIMIT:
        raise Invalid("The number is too large: at most 15 digits before the point.")
    return value


def currency_code(raw: Any) -> str:
    """Three letters (ISO 4217), in capitals."""
    code = normalise.identifier(raw).upper()
    if not (len(code) == 3 and code.isascii() and code.isalpha()):
        raise Invalid("A currency is a code of three letters, as in USD.")
    return code


def _lines(draft: Draft, path: str, value: Any) -> tuple[Mapping[str, Any], ...]:
    """The lines of an order are the sender's own objects, kept as they are."""
    if value is None or value == "":
        return ()
    if not isinstance(value, list):
        draft.fault(path, LIST)
        return ()
    found = list(entries(draft, path, value, LINES_LIMIT))
    for at, line in found:
        if not isinstance(line, dict):
            draft.fault(at, OBJECT)
        elif not is_storable(line, LINE_DEPTH):
            draft.fault(at, "It is nested too deeply, or holds a number or a text that cannot be stored.")
    return tuple(line for _, line in found)


def is_storable(value: Any, depth: int) -> bool:
    match value:
        case dict():
            return depth > 0 and all(
                is_storable(name, 0) and is_storable(item, depth - 1) for name, item in value.items()
            )
        case list():
            return depth > 0 and all(is_storable(item, depth - 1) for item in value)
        case str():
            return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)
        case bool() | None:
            return True
        case int():
            return value.bit_length() <= 256
        case _:
            return math.isfinite(value)


def ledger_field(function: Callable[[Any], Any]) -> Reader:
    def read(draft: Draft, path: str, name: str, raw: Any) -> None:
        draft.ledger[name] = None if raw is None else draft.take(path, function, raw)

    return read


def read_issued_at(draft: Draft, path: str, name: str, raw: Any) -> None:
    draft.ledger[name] = None if raw is None else draft.moment(path, raw)
