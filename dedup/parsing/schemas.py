"""What the OpenAPI schema says of the fields of records: fragments of JSON Schema, choices, and objects
that are components there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from customers.contact_types import CONTACT_NAMES
from dedup.engine.record import Mode

JsonSchema: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Choices:
    """One of a closed set of names, alone or with their labels."""

    choices: Sequence[Any]
    description: str = ""
    is_nullable: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class ObjectSchema:
    """An object that is a component of the schema under its `name`; `is_list`: a list of such objects."""

    name: str
    properties: Mapping[str, Schema]
    required: frozenset[str] = frozenset()
    description: str = ""
    is_list: bool = False


Schema: TypeAlias = JsonSchema | Choices | ObjectSchema


def described(schema: JsonSchema, description: str) -> JsonSchema:
    return {**schema, "description": description}


def nullable(schema: JsonSchema) -> JsonSchema:
    return {**schema, "type": [schema["type"], "null"]}


def several(item: JsonSchema, description: str) -> JsonSchema:
    """One, several, or null to clear."""
    return {"description": description, "anyOf": [item, {"type": "array", "items": item}, {"type": "null"}]}


TEXT: JsonSchema = {"type": "string", "minLength": 1}
SHORT_TEXT: JsonSchema = {**TEXT, "maxLength": 255}
MOMENT: JsonSchema = {"type": "string", "format": "date-time"}
DAY: JsonSchema = {"type": "string", "format": "date"}
ANY_OBJECT: JsonSchema = {"type": "object", "additionalProperties": True}
VALUE: JsonSchema = {"type": ["string", "integer"], "maxLength": 255}
"""An identifier as it is sent."""
CONTACT: JsonSchema = {
    "oneOf": [
        VALUE,
        {
            "type": "object",
            "properties": {
                "value": VALUE,
                "is_primary": {"type": "boolean"},
                "is_confirmed": {
                    "type": "boolean",
                    "description": "Only where the point must confirm this type.",
                },
            },
            "required": ["value"],
            "additionalProperties": False,
        },
    ]
}
IDS: JsonSchema = {
    "type": "object",
    "description": "By the system names of the project's identifier kinds. Null clears.",
    "properties": {"maestra_id": {"type": ["integer", "string"]}},
    "additionalProperties": several(VALUE, "A list only for a kind that is not unique."),
}
_CONTACTS = ", ".join(f"`{name}`" for name in CONTACT_NAMES)
LOOKUP: JsonSchema = {
    "type": "object",
    "description": f"Exactly one identifier: `maestra_id`, {_CONTACTS}, `device_id`, `mobile_device_id`, "
    "or a kind of the project.",
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": VALUE,
    "examples": [{"email": "ann@example.com"}],
}
SEVERAL_CONTACTS = several(
    CONTACT, "A value, an object with its flags, or a list, the first one primary. Null clears."
)
SEVERAL_VALUES = several(VALUE, "A value or a list. Null clears.")
TIME_ZONE = described(nullable(TEXT), "A name of the IANA list.")
HAPPENED_AT = described(MOMENT, "When it happened; now where it is not said.")
DONE_AT = described(MOMENT, "Now where it is not said.")
LOOKUP_BY: JsonSchema = {
    "type": "array",
    "items": TEXT,
    "description": "Identifier kinds, in place of the integration point's.",
}
MODE = Choices(list(Mode), "`fill` sets only what is empty and ignores what conflicts.")
ORDER_NUMBER = described(SHORT_TEXT, "Unique; sent again it updates the order.")
LEDGER_NUMBER = described(SHORT_TEXT, "Unique; sent again it changes nothing.")
CURRENCY = described({**TEXT, "pattern": "^[A-Za-z]{3}$"}, "ISO 4217.")
SEGMENT = described(nullable(TEXT), "Null takes the customer out of the segmentation.")
ALL_OPTIONAL = (
    "Everything optional, at least one identifier. Null clears, what is absent or empty changes nothing."
)
AMOUNT: JsonSchema = {
    "type": ["string", "number"],
    "description": "At most two digits after the point.",
    "examples": ["59.90"],
}
ORDER_TOTAL = described(AMOUNT, "Not below 0, with at most two digits after the point.")
