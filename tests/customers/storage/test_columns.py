"""The columns that are read and written by position are those of the tables and of the classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import Field

from customers.changes import Order
from customers.storage import columns, saving
from customers.storage.columns import Columns, RowShape, column
from customers.storage.sql import Table
from customers.storage.tables import consent, identifiers, ledger, person
from dedup.tracking import inbox

WRITERS = (saving, person, identifiers, consent, ledger, inbox)
TABLES = [table for module in WRITERS for table in vars(module).values() if isinstance(table, Table)]
# The tables whose rows are made of these columns and of what stands beside the value.
READ: dict[str, Columns[Any]] = {
    "customers_customer": columns.PERSONAL,
    "customers_customerfacts": columns.MEMBER_FACTS,
    "customers_identifier": columns.HOLDING,
    "customers_claim": columns.CLAIM,
    "customers_subscription": columns.SUBSCRIPTION,
    "customers_note": columns.NOTE,
    "customers_order": columns.ORDER,
    "customers_operation": columns.OPERATION,
}
# As PostgreSQL calls the types of Django's fields.
NAMES = {
    "timestamp with time zone": "timestamptz",
    "varchar": "text",
    "character varying": "text",
}

pytestmark = pytest.mark.django_db


def fields_of(table: str) -> dict[str, Field[Any, Any]]:
    (model,) = [model for model in apps.get_models() if model._meta.db_table == table]
    return {str(field.column): field for field in model._meta.concrete_fields}


def type_of(field: Field[Any, Any]) -> str:
    whole = field.rel_db_type(connection) if field.is_relation else field.db_type(connection)
    name = str(whole).split("(", maxsplit=1)[0]
    return NAMES.get(name, name)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_table_that_is_written_has_the_columns_in_these_types(table: Table) -> None:
    fields = fields_of(table.name)
    assert table.types == {name: type_of(fields[name]) for name in table.types}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_columns_that_are_not_written_fill_themselves(table: Table) -> None:
    left = {name: field for name, field in fields_of(table.name).items() if name not in table.types}
    assert [name for name, field in left.items() if not fills_itself(field)] == []


def fills_itself(field: Field[Any, Any]) -> bool:
    return field.primary_key or field.generated or field.null or field.has_db_default()


@pytest.mark.parametrize("table", READ)
def test_a_table_that_is_read_has_the_columns_in_these_types(table: str) -> None:
    fields, types = fields_of(table), READ[table].types
    assert types == {name: type_of(fields[name]) for name in types}


def test_every_shape_is_one_of_a_table() -> None:
    shapes = {name for name, value in vars(columns).items() if isinstance(value, Columns)}
    assert shapes == {name for name in shapes if is_used(getattr(columns, name))}


def is_used(shape: Columns[Any]) -> bool:
    return shape in READ.values() or any(shape.types.items() <= table.types.items() for table in TABLES)


# --- A shape


@dataclass
class Pair:
    left: int
    right: int


LEFT, RIGHT = column("left", "bigint", "left_id"), column("right", "bigint")


def test_a_shape_selects_and_makes_rows_in_the_order_of_the_fields() -> None:
    shape = RowShape(Pair, LEFT, RIGHT)
    assert shape.select("p") == "p.left_id, p.right"
    assert shape.select(right="1") == "left_id, 1"
    assert shape.replaced("right") == "left_id = EXCLUDED.left_id"
    assert Pair(*shape.row(Pair(1, 2))) == Pair(1, 2)


@pytest.mark.parametrize("wrong", [(RIGHT, LEFT), (LEFT, column("middle", "text"), RIGHT)])
def test_a_shape_in_another_order_than_its_class_is_refused(wrong: tuple[columns.Column, ...]) -> None:
    with pytest.raises(TypeError):
        RowShape(Pair, *wrong)


def test_a_shape_without_a_field_of_its_class_is_refused() -> None:
    with pytest.raises(TypeError):
        RowShape(Order, column("number", "text"), column("total", "numeric"))
