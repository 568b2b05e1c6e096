"""The person: the row of a MaestraID with its single values and custom fields, and notes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from customers.changes import (
    CustomFieldsChanged,
    Dated,
    Erased,
    IdentifiedChanged,
    NoteAdded,
    OptedOut,
    PersonalDataChanged,
    RegisteredEarlier,
    TimeZoneChanged,
    Unmerged,
)
from customers.profile import NOBODY, UNDATED, Ages, Note, Profile
from customers.storage.batch import Batch, RecordChanges
from customers.storage.columns import NOTE, PERSONAL
from customers.storage.sql import Row, Script, Table, array, as_json
from customers.storage.tables.base import MOVES, Handlers, Lineage, TableRows

SINGLES = {
    **PERSONAL.types,
    "time_zone": "text",
    "opted_out_at": "timestamptz",
    "is_identified": "boolean",
    "personal_at": "timestamptz",
    "time_zone_at": "timestamptz",
    "custom_fields_at": "jsonb",
    "erased_at": "timestamptz",
}
CUSTOMERS = Table(
    "customers_customer",
    {
        "id": "bigint",
        "profile_id": "bigint",
        "registered_at": "timestamptz",
        "point_id": "bigint",
        **SINGLES,
        "custom_fields": "jsonb",
    },
)
NOTES = Table("customers_note", NOTE.types)
POINT_AT_PRIMARY = f"""
UPDATE {CUSTOMERS.name} c SET profile_id = u.primary_id
  FROM {{rows}} WHERE c.id = u.id AND c.profile_id <> u.primary_id
"""
GROUPS: Mapping[str, Iterable[str]] = {
    "registered_at": ["registered_at"],
    "personal": PERSONAL.types,
    "time_zone": ["time_zone"],
    "opted_out_at": ["opted_out_at"],
    "is_identified": ["is_identified"],
    "ages": ["personal_at", "time_zone_at", "custom_fields_at"],
    "erased_at": ["erased_at"],
}
"""Single values that are written together or not at all. A row names its own: the others stay as they are."""


def _setters() -> str:
    return ",\n  ".join(
        f"{column} = CASE WHEN '{group}' = ANY(u.groups::text[]) THEN u.{column} ELSE c.{column} END"
        for group, columns in GROUPS.items()
        for column in columns
    )


CHANGED = {
    "id": "bigint",
    "groups": "text",  # an array as text, for there are no arrays of uneven arrays
    "registered_at": "timestamptz",
    **SINGLES,
    "is_emptied": "boolean",
    "removed": "text",  # the same
    "custom_fields": "jsonb",
}
# Of a customer only the groups its row names are written. Custom fields: what is left of the old ones, with
# the new ones over them.
SET_SINGLES = f"""
UPDATE {CUSTOMERS.name} c SET
  {_setters()},
  custom_fields = (CASE WHEN u.is_emptied THEN '{{{{}}}}' ELSE c.custom_fields - u.removed::text[] END)
    || u.custom_fields
  FROM {{rows}}
 WHERE c.id = u.id
"""


@dataclass(slots=True)
class CustomFields:
    """What becomes of the custom fields of a row: emptied first or not, some removed, some set."""

    is_emptied: bool = False
    removed: set[str] = field(default_factory=set)
    values: dict[str, Any] = field(default_factory=dict)

    def take(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        for name in before.keys() - after.keys():
            self.values.pop(name, None)
            self.removed.add(name)
        self.values.update(after)
        self.removed.difference_update(after)


class CustomerRows(TableRows):
    """`singles` are the groups of single values by MaestraID."""

    def __init__(self, lineage: Lineage) -> None:
        super().__init__(lineage)
        self.singles: defaultdict[int, dict[str, Any]] = defaultdict(dict)
        self.custom_fields: defaultdict[int, CustomFields] = defaultdict(CustomFields)

    def handlers(self) -> Handlers:
        return {
            PersonalDataChanged: self._personal,
            TimeZoneChanged: self._time_zone,
            OptedOut: self._opted_out,
            IdentifiedChanged: self._identified,
            CustomFieldsChanged: self._custom_fields,
            Dated: self._dated,
            RegisteredEarlier: self._registered,
            Unmerged: self._unmerged,
            Erased: self._erased,
        }

    def _personal(self, c: PersonalDataChanged, _: RecordChanges) -> None:
        self.singles[c.customer]["personal"] = c.after

    def _time_zone(self, c: TimeZoneChanged, _: RecordChanges) -> None:
        self.singles[c.customer]["time_zone"] = c.after

    def _opted_out(self, c: OptedOut, _: RecordChanges) -> None:
        self.singles[c.customer]["opted_out_at"] = c.at

    def _identified(self, c: IdentifiedChanged, _: RecordChanges) -> None:
        self.singles[c.customer]["is_identified"] = c.is_identified

    def _dated(self, c: Dated, _: RecordChanges) -> None:
        self.singles[c.customer]["ages"] = c.ages

    def _registered(self, c: RegisteredEarlier, _: RecordChanges) -> None:
        self.singles[c.maestra_id]["registered_at"] = c.after

    def _custom_fields(self, c: CustomFieldsChanged, _: RecordChanges) -> None:
        self.custom_fields[c.customer].take(c.before, c.after)

    def _unmerged(self, c: Unmerged, _: RecordChanges) -> None:
        """Both sides are written whole from their images."""
        for profile in (c.restored, c.remaining):
            self.singles[profile.maestra_id] |= _singles_of(profile)
            fields = CustomFields(is_emptied=True, values=dict(profile.custom_fields))
            self.custom_fields[profile.maestra_id] = fields

    def _erased(self, c: Erased, record: RecordChanges) -> None:
        """The person is gone from what the profile is read from (R54)."""
        for maestra_id in c.maestra_ids:
            self.singles[maestra_id] |= {**_singles_of(Profile(maestra_id)), "erased_at": record.at}
            self.custom_fields[maestra_id] = CustomFields(is_emptied=True)

    def write(self, script: Script, _: Batch) -> None:
        created = self.lineage.created
        script.insert(CUSTOMERS, [self._new_row(maestra_id) for maestra_id in sorted(created)])
        script.with_rows(POINT_AT_PRIMARY, MOVES, self.lineage.moves())
        changed = (self.singles.keys() | self.custom_fields.keys()) - created.keys()
        script.with_rows(
            SET_SINGLES, CHANGED, [self._changed_row(maestra_id) for maestra_id in sorted(changed)]
        )

    def _new_row(self, maestra_id: int) -> Row:
        registered_at, point = self.lineage.created[maestra_id]
        singles = self.singles.get(maestra_id, {})
        fields = self.custom_fields.get(maestra_id)
        return (
            maestra_id,
            self.lineage.primary_id(maestra_id),
            singles.get("registered_at", registered_at),
            point,
            *_single_values(singles, is_identified=False),
            as_json(fields.values) if fields else "{}",
        )

    def _changed_row(self, maestra_id: int) -> Row:
        singles = self.singles.get(maestra_id, {})
        fields = self.custom_fields.get(maestra_id, CustomFields())
        return (
            maestra_id,
            array("text", list(singles)),
            singles.get("registered_at"),
            *_single_values(singles, is_identified=None),
            fields.is_emptied,
            array("text", sorted(fields.removed)),
            as_json(fields.values),
        )


def _singles_of(profile: Profile) -> dict[str, Any]:
    return {
        "personal": profile.personal,
        "time_zone": profile.time_zone,
        "opted_out_at": profile.opted_out_at,
        "is_identified": profile.is_identified,
        "ages": profile.ages,
    }


def _single_values(singles: dict[str, Any], *, is_identified: bool | None) -> Row:
    ages: Ages = singles.get("ages", UNDATED)
    return (
        *PERSONAL.row(singles.get("personal", NOBODY)),
        singles.get("time_zone"),
        singles.get("opted_out_at"),
        singles.get("is_identified", is_identified),
        ages.personal,
        ages.time_zone,
        as_json(ages.custom_fields) if ages.custom_fields else None,
        singles.get("erased_at"),
    )


class NoteRows(TableRows):
    """Notes are only ever added."""

    def __init__(self, lineage: Lineage) -> None:
        super().__init__(lineage)
        self.notes: list[Note] = []

    def handlers(self) -> Handlers:
        return {NoteAdded: self._added}

    def _added(self, c: NoteAdded, _: RecordChanges) -> None:
        self.notes.append(c.note)

    def write(self, script: Script, _: Batch) -> None:
        script.insert(NOTES, [NOTE.row(note) for note in self.notes])
