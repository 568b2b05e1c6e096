"""The sections of a set-up file that concern customers: settings, identifier kinds, custom fields, points
and block list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import phonenumbers
from django.core.exceptions import ValidationError
from django.db import models

from customers.block_list import check_pattern
from customers.contact_types import CONTACT_NAMES
from customers.models import (
    EVERY_KIND,
    BlockedValue,
    CustomField,
    FieldTypes,
    IdentifierKind,
    IntegrationPoint,
    MergePolicies,
    PointKinds,
    ProjectSettings,
    Scopes,
)
from customers.models.setup import SYSTEM_NAME
from customers.normalise import Invalid
from customers.profile import DEVICE, MAESTRA_ID, MOBILE_DEVICE, PAYMENT_CARD, Category
from customers.setup.file.shapes import (
    FileEntry,
    FilePlace,
    ValueReader,
    as_written,
    boolean,
    list_of,
    mapping_of,
    no_repetition,
    normalised,
    not_among,
    one_of,
    text,
    whole_number,
)

Declared = Mapping[str, Any]
"""The whole file: sections by name."""
M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True, slots=True)
class FileSection:
    """A part of the file. `check` names what is at fault beside the other parts and what is stored; `save`
    writes it.
    """

    name: str
    read: ValueReader
    check: Callable[[Declared, FilePlace], None]
    save: Callable[[Any], None]


SYSTEM_KINDS = (*CONTACT_NAMES, DEVICE, MOBILE_DEVICE)
RESERVED_KINDS = frozenset({*SYSTEM_KINDS, MAESTRA_ID, PAYMENT_CARD})


def checked_system_name(value: str) -> str:
    try:
        SYSTEM_NAME(value)
    except ValidationError as error:
        raise Invalid(error.messages[0]) from None
    return value


system_name = normalised(checked_system_name)


def listed(
    entries: Iterable[FileEntry | None] | None, place: FilePlace
) -> Iterator[tuple[FileEntry, FilePlace]]:
    """The entries of a list with their places, less those that are at fault already."""
    for number, entry in enumerate(entries or ()):
        if entry:
            yield entry, place.index(number)


def stored(model: type[M]) -> dict[str, M]:
    """What is stored already, by system name."""
    return {row.system_name: row for row in model._default_manager.all()}  # type: ignore[attr-defined]


def needed(entry: FileEntry, place: FilePlace, *names: str) -> None:
    """Names what an entry that is not stored yet has to say."""
    for name in names:
        if name not in entry:
            place.key(name).fault("it is missing; a new entry needs it")


def fixed(entry: FileEntry, place: FilePlace, name: str, present: Any, why: str) -> None:
    """Names a value that differs from the stored one although it cannot change any more."""
    if entry.get(name) not in (None, present):
        place.key(name).fault(f"it is {as_written(present)} already and cannot be changed: {why}")


def put(model: type[M], system_name: str, values: FileEntry, **otherwise: Any) -> M:
    """The row of that system name with these values. What is not named keeps what it has, or in a new row
    is as `otherwise`.
    """
    new = {"name": system_name.replace("_", " ").capitalize(), **otherwise, **values}
    objects = model._default_manager
    row, _ = objects.update_or_create(system_name=system_name, defaults=values, create_defaults=new)
    return row


def without(entry: FileEntry, *names: str) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in names}


# --- Settings


def region(value: str) -> str:
    if value not in phonenumbers.SUPPORTED_REGIONS:
        raise Invalid("use the two capital letters of a country, as in US or DE")
    return value


def save_settings(values: FileEntry) -> None:
    ProjectSettings.objects.update(**values)


read_settings = mapping_of(
    {
        "default_region": normalised(region),
        "shared_device_limit": whole_number(1, 1000),
        "suppression_list": boolean,
    }
)


# --- Identifier kinds


def kind_name(value: str) -> str:
    if value in RESERVED_KINDS:
        raise Invalid(f"{value} is a kind that every project has; use another name")
    return checked_system_name(value)


read_kinds = list_of(
    mapping_of(
        {
            "system_name": normalised(kind_name),
            "name": text(),
            "unique": boolean,
            "do_not_merge_different": boolean,
        },
        required=["system_name"],
    )
)


def check_kinds(declared: Declared, place: FilePlace) -> None:
    kinds = stored(IdentifierKind)
    no_repetition(declared["identifier_kinds"], place, "system_name")
    for entry, here in listed(declared["identifier_kinds"], place):
        kind = kinds.get(entry.get("system_name", ""))
        unique = entry.get("unique")
        if kind is None:
            needed(entry, here, "unique")
        else:
            present = kind.category == Category.UNIQUE
            fixed(entry, here, "unique", present, "define another kind")
            unique = present
        if entry.get("do_not_merge_different") and unique is False:
            here.key("do_not_merge_different").fault("only a unique kind has this switch")


def save_kinds(entries: Iterable[FileEntry]) -> None:
    for entry in entries:
        values = without(entry, "system_name", "unique")
        if "unique" in entry:
            values["category"] = Category.UNIQUE if entry["unique"] else Category.IDENTIFIER
        put(IdentifierKind, entry["system_name"], values)


def kind_names(declared: Declared) -> list[str]:
    """The identifier kinds there will be once the file is written."""
    named = [entry.get("system_name") for entry in declared.get("identifier_kinds") or () if entry]
    return list(dict.fromkeys([*SYSTEM_KINDS, *stored(IdentifierKind), *filter(None, named)]))


# --- Custom fields

NUMERIC = (FieldTypes.INTEGER, FieldTypes.DECIMAL)

read_fields = list_of(
    mapping_of(
        {
            "system_name": system_name,
            "name": text(),
            "type": one_of(FieldTypes.values),
            "merge": one_of(MergePolicies.values),
        },
        required=["system_name"],
    )
)


def check_fields(declared: Declared, place: FilePlace) -> None:
    fields = stored(CustomField)
    no_repetition(declared["custom_fields"], place, "system_name")
    for entry, here in listed(declared["custom_fields"], place):
        field = fields.get(entry.get("system_name", ""))
        if field is None:
            needed(entry, here, "type")
        else:
            fixed(entry, here, "type", field.type, "define another field")
        kind = field.type if field else entry.get("type")
        if entry.get("merge") == MergePolicies.LARGER and kind not in (*NUMERIC, None):
            here.key("merge").fault("only a number can be larger than another")


def save_fields(entries: Iterable[FileEntry]) -> None:
    for entry in entries:
        put(CustomField, entry["system_name"], without(entry, "system_name"))


# --- Integration points

USUAL_SCOPES = [Scopes.WRITE, Scopes.READ]
# What the file calls a flag of a type of contact, and the column that lists the types so flagged.
CONTACT_FLAGS = {"must_be_confirmed": "must_be_confirmed", "gives_account_access": "gives_access"}

read_contacts = mapping_of(dict.fromkeys(CONTACT_NAMES, mapping_of(dict.fromkeys(CONTACT_FLAGS, boolean))))
read_points = list_of(
    mapping_of(
        {
            "system_name": system_name,
            "name": text(),
            "kind": one_of(PointKinds.values),
            "enabled": boolean,
            "personal_actions": boolean,
            "lookup_by": list_of(text()),
            "contacts": read_contacts,
            "scopes": list_of(one_of(Scopes.values)),
        },
        required=["system_name"],
    )
)


def check_points(declared: Declared, place: FilePlace) -> None:
    points = stored(IntegrationPoint)
    lookups = [MAESTRA_ID, *kind_names(declared)]
    no_repetition(declared["integration_points"], place, "system_name")
    for entry, here in listed(declared["integration_points"], place):
        if entry.get("system_name") not in points:
            needed(entry, here, "kind")
        check_lookup_by(entry.get("lookup_by") or (), lookups, here.key("lookup_by"))


def check_lookup_by(names: Iterable[str | None], known: list[str], place: FilePlace) -> None:
    """R13: any kinds except the payment card hash, each once."""
    seen: set[str] = set()
    for number, name in enumerate(names):
        here = place.index(number)
        if name == PAYMENT_CARD:
            here.fault("nobody is looked up by a payment card hash")
        elif name and name not in known:
            here.fault(not_among(name, known, "identifier kind"))
        elif name in seen:
            here.fault(f"{name} is named twice")
        seen |= {name} if name else set()


def save_points(entries: Iterable[FileEntry]) -> None:
    points = stored(IntegrationPoint)
    for entry in entries:
        name = entry["system_name"]
        columns = point_columns(entry, points.get(name) or IntegrationPoint())
        put(IntegrationPoint, name, columns, default_scopes=USUAL_SCOPES)


def point_columns(entry: FileEntry, present: IntegrationPoint) -> dict[str, Any]:
    renamed = {"enabled": "is_enabled", "scopes": "default_scopes"}
    columns = {renamed.get(n, n): v for n, v in without(entry, "system_name", "contacts").items()}
    for flag, column in CONTACT_FLAGS.items():
        named = {
            contact: flags[flag] for contact, flags in entry.get("contacts", {}).items() if flag in flags
        }
        if named:
            flagged = {**dict.fromkeys(getattr(present, column), True), **named}
            columns[column] = [contact for contact in CONTACT_NAMES if flagged.get(contact)]
    return columns


# --- Block list


def pattern(value: str) -> str:
    check_pattern(value)
    return value


read_block_list = list_of(
    mapping_of({"type": text(), "value": text(), "pattern": normalised(pattern)}, required=["type"])
)


def check_block_list(declared: Declared, place: FilePlace) -> None:
    known = [*kind_names(declared), EVERY_KIND]
    for entry, here in listed(declared["block_list"], place):
        if entry.get("type") not in (*known, None):
            here.key("type").fault(not_among(entry["type"], known, "identifier kind"))
        if ("value" in entry) == ("pattern" in entry):
            here.fault("an entry has either a value or a pattern")


def save_block_list(entries: Iterable[FileEntry]) -> None:
    for entry in entries:
        BlockedValue.objects.get_or_create(**{"value": "", "pattern": "", **entry})


def stands_alone(_declared: Declared, _place: FilePlace) -> None:
    """The check of a section that refers to nothing else."""


SECTIONS = (
    FileSection("settings", read_settings, stands_alone, save_settings),
    FileSection("identifier_kinds", read_kinds, check_kinds, save_kinds),
    FileSection("custom_fields", read_fields, check_fields, save_fields),
    FileSection("integration_points", read_points, check_points, save_points),
    FileSection("block_list", read_block_list, check_block_list, save_block_list),
)
