"""Told late: what a record leaves as it is, because it speaks of an earlier time (R59).

Late data completes and never overwrites. These are functions of the record, of what is stored, and of how
young that is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from customers.profile import CONTACTS, DEVICES, NOBODY, Ages, Category, Holding, Key, Profile
from dedup.engine.editing import as_stored
from dedup.engine.record import Mode, Record


def is_late(record: Record, age: datetime | None) -> bool:
    """Whether the record is older than a value of this age. What has no age is never younger."""
    return age is not None and record.occurred_at < age


def mode_against(record: Record, age: datetime | None) -> Mode:
    """How the record meets a value of this age: where that is younger, it only fills."""
    return Mode.FILL if is_late(record, age) else record.mode


def timely_fields(record: Record, profile: Profile) -> Mapping[str, Any]:
    """The custom fields of the record, less those of which the customer has a younger value."""
    sent = record.custom_fields
    return {name: sent[name] for name in sent if not is_late(record, profile.age_of_field(name))}


def may_lead(record: Record, holdings: Mapping[Key, Holding], key: Key) -> bool:
    """Whether the contact may become the primary one of its kind: not over a younger one."""
    primary = next((h for h in holdings.values() if h.kind == key.kind and h.is_primary), None)
    return primary is None or primary.key == key or not is_late(record, primary.last_used_at)


def retired_if_late(holding: Holding, record: Record, profile: Profile, now: datetime) -> Holding:
    """A unique ID goes to the former ones where the customer's current one is younger."""
    current = profile.current(holding.kind) if holding.category is Category.UNIQUE else None
    if current is None or current.key == holding.key or not is_late(record, current.last_used_at):
        return holding
    return replace(holding, is_former=True, retired_at=now)


def timely_part(part: Profile, record: Record, stored: Profile, larger: Collection[str]) -> Profile:
    """What a joining record brings, less what is older than what the customer has. Of a field of which the
    larger value is kept, both count.
    """
    fields = timely_fields(record, stored)
    return replace(
        part,
        personal=NOBODY if is_late(record, stored.age_of_personal()) else part.personal,
        time_zone=None if is_late(record, stored.age_of_time_zone()) else part.time_zone,
        custom_fields={k: v for k, v in part.custom_fields.items() if k in fields or k in larger},
    )


def values_left_out(record: Record, before: Profile, after: Profile) -> Iterator[str]:
    """The single values of the record that the customer did not get, because those of before are younger:
    their paths in the record.
    """
    if is_late(record, before.age_of_personal()):
        for name, value in record.personal.items():
            stored = getattr(after.personal, name)
            if stored != as_stored(stored, value):
                yield f"personal.{name}"
    if is_late(record, before.age_of_time_zone()):
        sent = record.time_zone or ("time_zone" in record.clears or None)
        if sent is not None and sent != after.time_zone:
            yield "time_zone"
    for name, value in record.custom_fields.items():
        if is_late(record, before.age_of_field(name)) and after.custom_fields.get(name) != value:
            yield f"custom_fields.{name}"


def path_of(key: Key, category: Category) -> str:
    """Where in a record an identifier stands."""
    return key.kind if category in CONTACTS | DEVICES else f"ids.{key.kind}"


def ages_of(record: Record, brought: Profile) -> Ages:
    """How young the single values of a new customer are."""
    at = record.occurred_at
    return Ages(
        personal=at if brought.personal else None,
        time_zone=at if brought.time_zone else None,
        custom_fields=dict.fromkeys(brought.custom_fields, at),
    )


def known_ages(profile: Profile) -> Ages:
    """How young every single value is that the customer has."""
    fields = {name: age for name in profile.custom_fields if (age := profile.age_of_field(name))}
    return Ages(profile.age_of_personal(), profile.age_of_time_zone(), fields)


def ages_after(record: Record, before: Profile, after: Profile) -> Ages:
    """How young the single values are once the record has changed them. Clearing makes nothing younger."""
    at, ages = record.occurred_at, before.ages
    personal = ages.personal if after.personal else None
    if after.personal.present().items() - before.personal.present().items():
        personal = _later(before.age_of_personal(), at)
    time_zone = ages.time_zone if after.time_zone else None
    if after.time_zone and after.time_zone != before.time_zone:
        time_zone = _later(before.age_of_time_zone(), at)
    fields = {name: age for name, age in ages.custom_fields.items() if name in after.custom_fields}
    for name, value in after.custom_fields.items():
        if before.custom_fields.get(name) != value:
            fields[name] = _later(before.age_of_field(name), at)
    return Ages(personal, time_zone, fields)


def _later(age: datetime | None, at: datetime) -> datetime:
    return max(age, at) if age else at
