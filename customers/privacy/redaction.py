"""What remains of a history entry, or of a stored image of a profile, when a person is erased (R54).

Entries and facts of entries are only removed, never replaced by something else: the database accepts no other
change of the history.
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
class ErasedPerson:
    """What is to be removed of a person: MaestraIDs, the values that nobody else has, and `fields`, the
    personal data and custom fields as pairs of a field's name and its value as JSON text.
    """

    maestra_ids: frozenset[int]
    keys: frozenset[Key] = frozenset()
    fields: frozenset[tuple[str, str]] = frozenset()


def fields_of(values: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """Fields with their JSON values, as pairs for `ErasedPerson.fields`."""
    return frozenset((name, as_compared(value)) for name, value in values.items() if value is not None)


def as_compared(value: Any) -> str:
    """A JSON value as text. Equal values give equal text, however their decimals are written (1.0, 1.00)."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=_decimal)


def _decimal(value: object) -> str:
    assert isinstance(value, Decimal)
    return str(value.normalize())


def entries_without(
    entries: Iterable[HistoryEntry], person: ErasedPerson, *, shared_life: bool
) -> list[HistoryEntry]:
    """The entries of another customer's history, without what they say of the person.

    `shared_life`: they were written while both were one profile, so they may have fields of the person.
    """
    redacted = (_entry_without(entry, person, shared_life=shared_life) for entry in entries)
    return [entry for entry in redacted if entry is not None]


def _entry_without(entry: HistoryEntry, person: ErasedPerson, *, shared_life: bool) -> HistoryEntry | None:
    names_person = entry.get("related") in person.maestra_ids
    if names_value(entry, person.keys) or (names_person and HISTORY_KINDS[entry["kind"]].needs_other):
        return None
    left = dict(entry)
    if names_person:
        del left["related"]
    if entry.get("priority_maestra_id") in person.maestra_ids:
        left = {name: fact for name, fact in left.items() if name not in PRIORITY}
    for name in LISTS_OF_IDS:
        if name in left:
            left[name] = [number for number in left[name] if number not in person.maestra_ids]
    if "matched" in left:
        left["matched"] = [value for value in left["matched"] if not names_value(value, person.keys)]
    if shared_life and HISTORY_KINDS[entry["kind"]].has_fields:
        return _fields_without(left, person)
    return left


def _fields_without(entry: HistoryEntry, person: ErasedPerson) -> HistoryEntry | None:
    """The entry without the person's fields; None where no change is left in it."""
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
    """Whether a JSON object is about one of these values. A history entry or a matched value has the kind of
    the value as its `type`, an image of a holding as its `kind`.
    """
    if not isinstance(item, dict) or not isinstance(item.get("value"), str):
        return False
    return any((item.get(name), item["value"]) in keys for name in ("type", "kind"))


def image_without(image: Any, keys: Collection[Key]) -> Any:
    """A JSON value without the objects in its lists that are about one of these values."""
    match image:
        case dict():
            return {name: image_without(value, keys) for name, value in image.items()}
        case list():
            return [image_without(item, keys) for item in image if not names_value(item, keys)]
    return image
