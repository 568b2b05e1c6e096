"""What of a history entry, or of an image kept for undo, remains when a person is forgotten (R54).

Nothing is ever put in place of what goes: entries and facts of entries are only taken away, which is all that
the database lets through.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from customers.history_kinds import HISTORY_KINDS
from customers.profile import Key

HistoryEntry = dict[str, Any]

LISTS_OF_IDS = ("merged_maestra_ids", "restored_maestra_ids")
PRIORITY = ("priority_maestra_id", "decided_by")


@dataclass(frozen=True, slots=True)
class Person:
    """By what somebody is known: MaestraIDs, the values nobody else has, and `fields`, the personal data and
    custom fields as (field, JSON).
    """

    maestra_ids: frozenset[int]
    keys: frozenset[Key] = frozenset()
    fields: frozenset[tuple[str, str]] = frozenset()


def fields_of(values: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """Fields with what they hold, as `Person.fields` compares them. Takes JSON values."""
    return frozenset((name, as_compared(value)) for name, value in values.items() if value is not None)


def as_compared(value: Any) -> str:
    """The same for the same JSON value, however its decimals are written."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=_decimal)


def _decimal(value: object) -> str:
    assert isinstance(value, Decimal)
    return str(value.normalize())


def entries_without(
    entries: Iterable[HistoryEntry], person: Person, *, shared_life: bool
) -> list[HistoryEntry]:
    """The entries of somebody else's history, less what they say of the person.

    `shared_life`: they were written while both were one profile, so that the person's fields may be among
    them.
    """
    kept = (_entry_without(entry, person, shared_life=shared_life) for entry in entries)
    return [entry for entry in kept if entry is not None]


def _entry_without(entry: HistoryEntry, person: Person, *, shared_life: bool) -> HistoryEntry | None:
    names_person = entry.get("related") in person.maestra_ids
    if names_value(entry, person.keys) or (names_person and HISTORY_KINDS[entry["kind"]].needs_other):
        return None
    kept = dict(entry)
    if names_person:
        del kept["related"]
    if entry.get("priority_maestra_id") in person.maestra_ids:
        kept = {name: fact for name, fact in kept.items() if name not in PRIORITY}
    for name in LISTS_OF_IDS:
        if name in kept:
            kept[name] = [number for number in kept[name] if number not in person.maestra_ids]
    if "matched" in kept:
        kept["matched"] = [value for value in kept["matched"] if not names_value(value, person.keys)]
    if shared_life and HISTORY_KINDS[entry["kind"]].has_fields:
        return _fields_without(kept, person)
    return kept


def _fields_without(entry: HistoryEntry, person: Person) -> HistoryEntry | None:
    """The entry less the person's fields; none where nothing is left that changed."""
    sides = {
        side: {
            name: value
            for name, value in entry[side].items()
            if (name, as_compared(value)) not in person.fields
        }
        for side in ("before", "after")
    }
    return {**entry, **sides} if sides["before"] != sides["after"] else None


def names_value(item: Any, keys: Collection[Key]) -> bool:
    """Whether an object is about one of these values: a history entry or a matched value by its `type`, an
    image of a holding by its `kind`.
    """
    if not isinstance(item, dict) or not isinstance(item.get("value"), str):
        return False
    return any((item.get(name), item["value"]) in keys for name in ("type", "kind"))


def image_without(image: Any, keys: Collection[Key]) -> Any:
    """A JSON value less every listed object that is about one of these values."""
    match image:
        case dict():
            return {name: image_without(value, keys) for name, value in image.items()}
        case list():
            return [image_without(item, keys) for item in image if not names_value(item, keys)]
    return image
