"""Orders, points and promo codes (R57, R58)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from customers import normalise
from customers.changes import Order
from customers.custom_values import CustomType, custom_value
from customers.normalise import Invalid
from customers.setup.project_config import ProjectConfig
from dedup.parsing import schemas
from dedup.parsing.currencies import CURRENCIES
from dedup.parsing.draft import (
    LIST,
    OBJECT,
    ReadableField,
    RecordDraft,
    entries,
    is_empty,
    known,
    needed,
    optional,
)
from dedup.parsing.fields import CellContext, FromCell, NotImported, RecordField, Segmentations, Target
from dedup.parsing.schemas import JsonSchema, ObjectSchema

LINES_LIMIT = 1000
LINE_DEPTH = 10
AMOUNT_LIMIT = Decimal(10) ** 15


def amount(raw: Any) -> Decimal:
    """Money or points: at most two digits after the point."""
    value = custom_value(raw, CustomType.DECIMAL)
    assert isinstance(value, Decimal)
    if value != round(value, 2):
        raise Invalid(_("Write at most two digits after the point, as in 59.90."))
    if abs(value) >= AMOUNT_LIMIT:
        raise Invalid(_("The number is too large: at most 15 digits before the point."))
    return value


def order_total(raw: Any) -> Decimal:
    """What an order comes to. A refund is told by the status of the order, not by another amount."""
    total = amount(raw)
    if total < 0:
        raise Invalid(_("The total of an order is not below 0. Tell a refund by the status of its order."))
    return total


def currency_code(raw: Any) -> str:
    """Of ISO 4217, in capitals (R57)."""
    code = normalise.identifier(raw).upper()
    if code not in CURRENCIES:
        raise Invalid(_("There is no such currency. Write its code of three letters (ISO 4217), as in USD."))
    return code


class OrderPart:
    """One field of an order: what makes a value of JSON, and of a cell that JSON."""

    def __init__(
        self,
        name: str,
        function: Callable[[Any], Any],
        label: str,
        spellings: Sequence[str],
        *,
        schema: JsonSchema = schemas.TEXT,
        from_cell: FromCell = CellContext.text,
        is_required: bool = False,
    ) -> None:
        self.name = name
        self.function = function
        self.label = label
        self.spellings = tuple(spellings)
        self.schema = schema
        self.from_cell = from_cell
        self.is_required = is_required

    def value(self, draft: RecordDraft, path: str, raw: Any) -> Any:
        """None where it is absent or faulty."""
        return (needed if self.is_required else optional)(draft, path, self.function, raw)


class LinesPart(OrderPart):
    """The lines of an order are the sender's own objects, kept as they are."""

    def value(self, draft: RecordDraft, path: str, raw: Any) -> tuple[Mapping[str, Any], ...]:
        if raw is None or raw == "":
            return ()
        if not isinstance(raw, list):
            draft.fault(path, LIST)
            return ()
        found = list(entries(draft, path, raw, LINES_LIMIT))
        for at, line in found:
            if not isinstance(line, dict):
                draft.fault(at, OBJECT)
            elif not is_storable(line, LINE_DEPTH):
                draft.fault(
                    at, _("It is nested too deeply, or holds a number or a text that cannot be stored.")
                )
        return tuple(line for _at, line in found)


def is_storable(value: Any, depth: int) -> bool:
    """Whether PostgreSQL can store the JSON value, nested at most `depth` deep."""
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


ORDER_PARTS = (
    OrderPart(
        "number",
        normalise.identifier,
        _("Order number"),
        ("ordernumber", "orderid", "orderno", "number", "order", "ordercode"),
        schema=schemas.ORDER_NUMBER,
        from_cell=CellContext.identifier,
        is_required=True,
    ),
    OrderPart(
        "total",
        order_total,
        _("Order total"),
        ("ordertotal", "total", "amount", "orderamount", "sum", "ordersum", "totalprice", "price"),
        schema=schemas.ORDER_TOTAL,
        from_cell=CellContext.number,
        is_required=True,
    ),
    OrderPart(
        "currency",
        currency_code,
        _("Currency"),
        ("currency", "ordercurrency", "currencycode"),
        schema=schemas.CURRENCY,
    ),
    OrderPart(
        "placed_at",
        normalise.event_moment,
        _("Time of the order"),
        (
            *("placedat", "orderplacedat", "orderdate", "ordertime", "date", "datetime", "createdat"),
            *("orderdatetime", "ordered", "orderedat", "orderedon", "time"),
        ),
        schema=schemas.DONE_AT,
        from_cell=CellContext.instant,
    ),
    OrderPart("status", normalise.name, _("Order status"), ("orderstatus", "status", "orderstate")),
    LinesPart(
        "lines",
        tuple,
        _("Order lines (JSON)"),
        ("orderlines", "lines", "items", "orderitems"),
        schema={"type": "array", "items": schemas.ANY_OBJECT},
        from_cell=CellContext.json,
    ),
)


class OrderField(RecordField):
    """Number and total are needed; an order without a time was placed now (R57). In a file one row is one
    order, read as a whole.
    """

    def __init__(self, name: str, parts: Iterable[OrderPart]) -> None:
        self.parts = {part.name: part for part in parts}
        properties = {part.name: part.schema for part in self.parts.values()}
        self.required = frozenset(part.name for part in self.parts.values() if part.is_required)
        self._keys = frozenset(self.parts)
        super().__init__(name, ObjectSchema("PlacedOrder", properties, self.required))

    def read(self, draft: RecordDraft, path: str, raw: Any) -> None:
        if not isinstance(raw, dict):
            draft.fault(path, OBJECT)
            return
        known(draft, path, raw, self._keys)
        values = {
            name: part.value(draft, f"{path}.{name}", raw.get(name)) for name, part in self.parts.items()
        }
        if values["number"] and values["total"] is not None:
            draft.order = _order(values, draft.context.now)

    def targets(self, config: ProjectConfig, segmentations: Segmentations) -> Iterable[Target]:  # noqa: ARG002
        for part in self.parts.values():
            name = f"{self.name}.{part.name}"
            yield Target(name, gettext(part.label), gettext("Order"), spellings=part.spellings)

    def row_reader(self, columns: Iterable[OrderColumn], context: CellContext) -> RowOrderReader:
        """What reads the order of a row. Faults have the columns' names as their paths."""
        readers = [
            (*column, partial(self.parts[column.part].from_cell, context.of_column(column.name)))
            for column in columns
        ]
        paths = {f"{self.name}.{part}": name for _at, name, part, _function in readers}

        def read_row(draft: RecordDraft, cells: Sequence[str]) -> None:
            noted = len(draft.errors)
            values = {
                part: draft.take(name, function, cells[at])
                for at, name, part, function in readers
                if not is_empty(cells[at])
            }
            if len(draft.errors) == noted:
                self.read(draft, self.name, values)
                draft.errors[noted:] = [
                    (paths.get(path.partition("[")[0], path), message)
                    for path, message in draft.errors[noted:]
                ]

        return read_row


class OrderColumn(NamedTuple):
    """A column of a file that holds a part of an order."""

    at: int
    name: str
    part: str


RowOrderReader = Callable[[RecordDraft, Sequence[str]], None]


def _order(values: Mapping[str, Any], now: datetime) -> Order:
    return Order(
        number=values["number"],
        total=values["total"],
        currency=values["currency"] or "",
        placed_at=min(values["placed_at"] or now, now),
        status=values["status"] or "",
        lines=values["lines"],
    )


class LedgerField(NotImported):
    """A field of a points movement or a promo code."""

    def __init__(self, name: str, function: Callable[[Any], Any], schema: JsonSchema) -> None:
        super().__init__(name, schema)
        self.function = function

    def read(self, draft: RecordDraft, path: str, raw: Any) -> None:
        draft.ledger[self.name] = None if raw is None else draft.take(path, self.function, raw)


class IssuedAtField(NotImported):
    """When a promo code was issued; a time in the future counts as now."""

    def read(self, draft: RecordDraft, path: str, raw: Any) -> None:
        draft.ledger[self.name] = None if raw is None else draft.moment(path, raw)


class CustomerField(NotImported):
    """The record of the customer an order is of. In a file its fields are columns of their own."""

    def __init__(self, name: str, fields: Mapping[str, ReadableField], schema: ObjectSchema) -> None:
        super().__init__(name, schema)
        self.fields = fields

    def read(self, draft: RecordDraft, path: str, raw: Any) -> None:
        draft.path = path
        draft.read(path, raw, self.fields)
