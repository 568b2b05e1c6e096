"""The sections of a set-up file that belong to this app: settings, identifier kinds, custom fields,
integration points and block list.

A section is read, checked and saved in three steps, in this order for the whole file. Values come out of the
first step with None in place of what was at fault, so the checks pass over None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from customers.block_list import NAMES, check_pattern
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
from customers.normalise import Invalid, region
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
    not_empty,
    one_of,
    text,
    whole_number,
)

Declared = Mapping[str, Any]
"""What the whole file says: the values of its sections, by their names."""
M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True, slots=True)
class FileSection:
    """A part of the file, under the key `name`. `read` understands its values one by one, `check` compares
    them with the other sections and with what is stored, `save` writes them. The first two note faults.
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
    """The entries of a list with their places, without those that could not be read."""
    for number, entry in enumerate(entries or ()):
        if entry:
            yield entry, place.index(number)


def stored(model: type[M]) -> dict[str, M]:
    """The rows there are already, by system name."""
    return {row.system_name: row for row in model._default_manager.all()}  # type: ignore[attr-defined]


def needed(entry: FileEntry, place: FilePlace, *names: str) -> None:
    """Notes a fault for each of the names that is missing in an entry which is not stored yet."""
    for name in names:
        if name not in entry:
            place.key(name).fault(_("it is missing; a new entry needs it"))


def fixed(entry: FileEntry, place: FilePlace, name: str, present: Any, why: str) -> None:
    """Notes a fault where the entry would change what cannot change any more. `why` says what to do instead,
    or why it is so, translated.
    """
    if entry.get(name) not in (None, present):
        words = {"value": as_written(present), "why": why}
        place.key(name).fault(_("it is %(value)s already and cannot be changed: %(why)s") % words)


def put(model: type[M], system_name: str, values: FileEntry, **otherwise: Any) -> M:
    """Saves the row of that system name with these values. Its other columns stay as they are; in a new row
    they are as `otherwise` says, and the name is made of the system name.
    """
    new = {"name": system_name.replace("_", " ").capitalize(), **otherwise, **values}
    objects = model._default_manager
    row, _is_new = objects.update_or_create(system_name=system_name, defaults=values, create_defaults=new)
    return row


def without(entry: FileEntry, *names: str) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in names}


# --- Settings


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
        raise Invalid(gettext_noop("%(kind)s is a kind that every project has; use another name"), kind=value)
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
            fixed(entry, here, "unique", present, _("define another kind"))
            unique = present
        if entry.get("do_not_merge_different") and unique is False:
            here.key("do_not_merge_different").fault(_("only a unique kind has this switch"))


def save_kinds(entries: Iterable[FileEntry]) -> None:
    for entry in entries:
        values = without(entry, "system_name", "unique")
        if "unique" in entry:
            values["category"] = Category.UNIQUE if entry["unique"] else Category.IDENTIFIER
        put(IdentifierKind, entry["system_name"], values)


def kind_names(declared: Declared) -> list[str]:
    """The identifier kinds there will be once the file is written."""
    new = [entry.get("system_name") for entry in declared.get("identifier_kinds") or () if entry]
    return list(dict.fromkeys([*SYSTEM_KINDS, *stored(IdentifierKind), *filter(None, new)]))


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
            fixed(entry, here, "type", field.type, _("define another field"))
        kind = field.type if field else entry.get("type")
        if entry.get("merge") == MergePolicies.LARGER and kind not in (*NUMERIC, None):
            here.key("merge").fault(_("only a number can be larger than another"))


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
            "scopes": not_empty(list_of(one_of(Scopes.values))),
        },
        required=["system_name"],
    )
)


def check_points(declared: Declared, place: FilePlace) -> None:
    points = stored(IntegrationPoint)
    lookups = [MAESTRA_ID, *kind_names(declared)]
    no_repetition(declared["integration_points"], place, "system_name")
    for entry, here in listed(declared["integration_points"], place):
        point = points.get(entry.get("system_name") or "")
        if point is None:
            needed(entry, here, "kind")
        elif not point.default_scopes:
            needed(entry, here, "scopes")
        check_lookup_by(entry.get("lookup_by") or (), lookups, here.key("lookup_by"))


def check_lookup_by(names: Iterable[str | None], allowed: list[str], place: FilePlace) -> None:
    """Any kinds except the payment card hash, each once (R13)."""
    seen: set[str] = set()
    for number, name in enumerate(names):
        here = place.index(number)
        if name == PAYMENT_CARD:
            here.fault(_("nobody is looked up by a payment card hash"))
        elif name and name not in allowed:
            here.fault(not_among(name, allowed, _("identifier kind")))
        elif name in seen:
            here.fault(_("%(name)s is named twice") % {"name": name})
        seen |= {name} if name else set()


def save_points(entries: Iterable[FileEntry]) -> None:
    points = stored(IntegrationPoint)
    for entry in entries:
        name = entry["system_name"]
        columns = point_columns(entry, points.get(name) or IntegrationPoint())
        put(IntegrationPoint, name, columns, default_scopes=USUAL_SCOPES)


def point_columns(entry: FileEntry, present: IntegrationPoint) -> dict[str, Any]:
    """What the entry says, as columns of the point. A flag of a type of contact that the entry does not name
    stays as it is `present`.
    """
    renamed = {"enabled": "is_enabled", "scopes": "default_scopes"}
    columns = {renamed.get(n, n): v for n, v in without(entry, "system_name", "contacts").items()}
    for flag, column in CONTACT_FLAGS.items():
        declared = {
            contact: flags[flag] for contact, flags in entry.get("contacts", {}).items() if flag in flags
        }
        if declared:
            flagged = {**dict.fromkeys(getattr(present, column), True), **declared}
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
    allowed = [*kind_names(declared), EVERY_KIND, NAMES]
    for entry, here in listed(declared["block_list"], place):
        if entry.get("type") not in (*allowed, None):
            here.key("type").fault(not_among(entry["type"], allowed, _("identifier kind")))
        if ("value" in entry) == ("pattern" in entry):
            here.fault(_("an entry has either a value or a pattern"))


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
