"""Every field of a record has all its parts: a reader, a schema, and a target of imports unless it says that
it has none. No database.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from customers.changes import Order
from customers.profile import CONTACTS, DEVICE, MOBILE_DEVICE, PERSONAL_FIELDS, WITH_PRIMARY
from dedup.api.schema import record_of
from dedup.engine.record import Operation
from dedup.parsing.commerce import ORDER_PARTS
from dedup.parsing.draft import ParsingContext
from dedup.parsing.fields import CellContext, NotImported, RecordField
from dedup.parsing.person import PERSONAL
from dedup.parsing.records import IMPORTED, RECORD, RECORD_TYPES
from dedup.parsing.schemas import Choices, ObjectSchema, Schema
from tests.dedup.imports.setup import CATALOGUE, NOW, POINT, SEGMENTATIONS

ROOT = Path(__file__).parents[3]
FIELDS = {
    f"{operation}.{field.name}": field
    for operation, taken in RECORD_TYPES.items()
    for field in taken.fields.values()
}
CONTEXT = CellContext(ParsingContext(POINT, CATALOGUE, NOW), day_first=None, time_zone="UTC")
each_field = pytest.mark.parametrize("field", FIELDS.values(), ids=FIELDS)
each_imported = pytest.mark.parametrize("field", IMPORTED.values(), ids=IMPORTED)


def says_something(schema: Schema) -> bool:
    match schema:
        case ObjectSchema():
            return bool(schema.name) and all(map(says_something, schema.properties.values()))
        case Choices():
            return bool(schema.choices)
        case _:
            return bool(schema.keys() & {"type", "anyOf", "oneOf"})


def test_every_operation_that_takes_a_record_has_its_fields():
    assert RECORD_TYPES.keys() == set(Operation) - {Operation.CONFIRM}


@each_field
def test_every_field_is_read_and_described(field):
    assert type(field).read is not RecordField.read
    assert says_something(field.schema)


@each_field
def test_every_field_is_imported_or_says_that_it_is_not(field):
    assert isinstance(field, NotImported) != (field.name in IMPORTED)


@pytest.mark.parametrize("operation", RECORD_TYPES)
def test_the_schema_of_an_operation_has_exactly_its_fields(operation):
    taken = RECORD_TYPES[operation]
    shown = record_of(operation)().fields
    assert shown.keys() == taken.fields.keys()
    assert {name for name, field in shown.items() if field.required} == set(taken.required)


@each_imported
def test_every_imported_field_has_targets_that_can_be_told_apart_and_recognised(field):
    found = list(field.targets(CATALOGUE, SEGMENTATIONS))
    assert found
    assert all(target.label and target.group and target.spellings for target in found)
    assert {target.name.partition(".")[0] for target in found} == {field.name}
    assert len({target.name for target in found}) == len(found)


@pytest.mark.parametrize("field", RECORD.values(), ids=RECORD)
def test_the_cells_of_every_target_are_read(field):
    for target in field.targets(CATALOGUE, SEGMENTATIONS):
        assert callable(field.cell_reader(target.name.partition(".")[2], "Column", CONTEXT))


def test_the_tables_name_what_a_profile_has():
    assert [field.name for field in PERSONAL] == list(PERSONAL_FIELDS)
    assert {*(category.value for category in CONTACTS), DEVICE, MOBILE_DEVICE} <= RECORD.keys()
    assert {name for name, field in RECORD.items() if getattr(field, "has_primary", False)} == {
        category.value for category in WITH_PRIMARY
    }


@each_imported
def test_the_targets_that_do_not_depend_on_the_project_are_documented(field):
    text = (ROOT / "docs/integrating.md").read_text()
    depends: Any = {"ids", "segments", "custom_fields", "subscriptions"}
    names = [] if field.name in depends else [t.name for t in field.targets(CATALOGUE, SEGMENTATIONS)]
    assert [name for name in names if f"`{name}`" not in text] == []
    assert f"`{field.name}" in text


def test_an_order_in_a_file_has_every_part_of_a_stored_one():
    assert {part.name for part in ORDER_PARTS} == {field.name for field in fields(Order)}
