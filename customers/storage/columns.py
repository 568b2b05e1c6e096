"""Columns of the tables beside the fields they hold, each order said once.

A value is made from a row, and a row from a value, by position: by name it takes several times as long. No
type checker sees a position. So the order of fields and columns stands here alone, and SELECT lists, INSERT
lists, arrays and rows are derived from it. That it is the order of the class's fields is checked when this
module is loaded; that the tables have these columns, by `tests/customers/storage/test_columns.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import date
from operator import attrgetter
from typing import Any, Generic, NamedTuple, TypeVar

from customers.changes import Order, PointsAdded, PromoCodeIssued
from customers.profile import PERSONAL_TYPES, Claim, Holding, Member, Note, Personal, Subscription
from customers.storage.batch import OperationInfo

T = TypeVar("T")
Row = tuple[Any, ...]


class Column(NamedTuple):
    """A field with the PostgreSQL type and the name of its column."""

    field: str
    type: str
    name: str


def column(field: str, of: str, name: str = "") -> Column:
    return Column(field, of, name or field)


class Columns(Generic[T]):
    """Fields of a class as columns, in one order. `types` are PostgreSQL's by column.

    `row` makes the part of a row from a value.
    """

    def __init__(self, of: type[T], *columns: Column) -> None:
        unknown = {c.field for c in columns} - {f.name for f in fields(of)}  # type: ignore[arg-type]  # a dataclass
        if unknown:
            raise TypeError(f"{of.__name__} has no {unknown}")
        self.types: Mapping[str, str] = {c.name: c.type for c in columns}
        self.row: Callable[[T], Row] = attrgetter(*[c.field for c in columns])

    def __len__(self) -> int:
        return len(self.types)

    def select(self, alias: str = "", **instead: str) -> str:
        """The columns for a SELECT, of the table with this alias. `instead` of a column, an expression."""
        of = f"{alias}." if alias else ""
        return ", ".join(instead.get(name, f"{of}{name}") for name in self.types)

    def replaced(self, *kept: str) -> str:
        """For an upsert: every column as it was to be inserted, but those `kept`."""
        return ", ".join(f"{name} = EXCLUDED.{name}" for name in self.types if name not in kept)


class RowShape(Columns[T]):
    """Columns from which the class is made by position: all its fields in their order, but those `before`,
    which are given first.
    """

    def __init__(self, of: type[T], *columns: Column, before: Sequence[str] = ()) -> None:
        super().__init__(of, *columns)
        given = [f.name for f in fields(of) if f.init and not f.kw_only]  # type: ignore[arg-type]  # the same
        if given != [*before, *(c.field for c in columns)]:
            raise TypeError(f"{of.__name__} is made of {given}, in this order")


PERSONAL = RowShape(
    Personal, *(column(name, {str: "text", date: "date"}[of]) for name, of in PERSONAL_TYPES.items())
)
COUNTED = (
    column("orders_count", "integer"),
    column("orders_total", "numeric"),
    column("points_count", "integer"),
    column("points_balance", "numeric"),
    column("promo_codes_count", "integer"),
    column("last_action_at", "timestamptz"),
)
"""What is counted of a MaestraID."""
MEMBER_FACTS = RowShape(Member, *COUNTED, before=("maestra_id", "registered_at"))
HOLDING = RowShape(
    Holding,
    column("raw", "text"),
    column("origin", "bigint", "origin_id"),
    column("since", "timestamptz"),
    column("is_former", "boolean"),
    column("retired_at", "timestamptz"),
    column("is_primary", "boolean"),
    column("was_primary_at", "timestamptz"),
    column("must_be_confirmed", "boolean"),
    column("confirmed_at", "timestamptz"),
    column("gives_access", "boolean"),
    column("point", "bigint", "point_id"),
    column("used_at", "timestamptz"),
    before=("kind", "value", "category"),
)
FORMER = Columns(
    Holding,
    column("raw", "text"),
    column("origin", "bigint", "origin_id"),
    column("since", "timestamptz"),
    column("retired_at", "timestamptz"),
    column("point", "bigint", "point_id"),
)
"""What is kept of a unique ID that a customer had and somebody else has, or retired later (R3)."""
CLAIM = RowShape(
    Claim,
    column("raw", "text"),
    column("origin", "bigint", "origin_id"),
    column("since", "timestamptz"),
    column("gives_access", "boolean"),
    column("point", "bigint", "point_id"),
    before=("kind", "value", "category"),
)
SUBSCRIPTION = RowShape(Subscription, column("status", "text"), column("since", "timestamptz"))
NOTE = RowShape(
    Note,
    column("at", "timestamptz"),
    column("maestra_id", "bigint"),
    column("reason", "text"),
    column("kind", "text"),
    column("value", "text"),
    column("related", "bigint"),
    column("decided_by", "text"),
)
ORDER = RowShape(
    Order,
    column("number", "text"),
    column("total", "numeric"),
    column("currency", "text"),
    column("placed_at", "timestamptz"),
    column("status", "text"),
    column("lines", "jsonb"),
)
POINTS = Columns(
    PointsAdded,
    column("number", "text"),
    column("maestra_id", "bigint"),
    column("amount", "numeric"),
    column("reason", "text"),
    column("at", "timestamptz"),
)
PROMO_CODE = Columns(
    PromoCodeIssued,
    column("code", "text"),
    column("maestra_id", "bigint"),
    column("issued_at", "timestamptz"),
)
OPERATION = RowShape(
    OperationInfo,
    column("id", "bigint"),
    column("kind", "text"),
    column("actor", "text"),
    column("at", "timestamptz"),
    column("actor_user", "integer", "actor_user_id"),
    column("point", "bigint", "point_id"),
)
