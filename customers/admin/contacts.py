"""Identifiers as the profile page shows them: masked where they must be, with their flags."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.utils.crypto import salted_hmac

from customers.admin.profile_registry import ShownProfile
from customers.contact_types import CONTACT_TYPES
from customers.profile import STRENGTH, Category, Claim, Holding, Key

ICONS = {
    **{type_.category: type_.icon for type_ in CONTACT_TYPES},
    Category.UNIQUE: "badge",
    Category.IDENTIFIER: "tag",
    Category.DEVICE: "computer",
    Category.MOBILE_DEVICE: "smartphone",
}


@dataclass(frozen=True, slots=True)
class Contact:
    """`token` stands for the value in the form that reveals it; empty where there is nothing to reveal."""

    category: Category
    kind: str
    label: str
    value: str
    typed: str
    origin: int
    since: datetime
    point: str | None = None
    is_claim: bool = False
    is_former: bool = False
    retired_at: datetime | None = None
    is_primary: bool = False
    confirmed_at: datetime | None = None
    is_pending: bool = False
    gives_access: bool = False
    token: str = ""

    @property
    def icon(self) -> str:
        return ICONS[self.category]


@dataclass(frozen=True, slots=True)
class ContactGroup:
    """Identifiers of one kind. All but the first ones are folded away."""

    label: str
    icon: str
    first: list[Contact]
    rest: list[Contact]

    @property
    def count(self) -> int:
        return len(self.first) + len(self.rest)


def token_of(key: Key) -> str:
    """What stands for a value on a page that may not show it."""
    return salted_hmac("customers.reveal", f"{key.kind}\0{key.value}").hexdigest()[:32]


def contact_of(shown: ShownProfile, row: Holding | Claim, points: dict[int, str]) -> Contact:
    is_masked = shown.masking.masks(row.kind, row.value)
    flags = _flags(row) if isinstance(row, Holding) else {"is_claim": True}
    value = shown.masking.value(row.kind, row.value)
    return Contact(
        category=row.category,
        kind=row.kind,
        label=shown.config.labels[row.kind],
        value=value,
        typed="" if is_masked or row.raw == row.value else row.raw,
        origin=row.origin,
        since=row.since,
        point=points.get(row.point) if row.point else None,
        gives_access=row.gives_access,
        token=token_of(row.key) if is_masked else "",
        **flags,
    )


def _flags(h: Holding) -> dict[str, Any]:
    return {
        "is_former": h.is_former,
        "retired_at": h.retired_at,
        "is_primary": h.is_primary,
        "confirmed_at": h.confirmed_at,
        "is_pending": h.is_pending,
    }


def in_order(rows: Iterable[Holding]) -> list[Holding]:
    """By strength of the kind, current ones before former ones, the primary first, then by age."""
    return sorted(
        rows,
        key=lambda h: (STRENGTH[h.category], h.kind, h.is_former, not h.is_primary, h.since, h.value),
    )


def groups(
    shown: ShownProfile, rows: Iterable[Holding], points: dict[int, str], fold: int = 8
) -> Iterator[ContactGroup]:
    for _kind, members in groupby(in_order(rows), key=lambda h: h.kind):
        contacts = [contact_of(shown, row, points) for row in members]
        yield ContactGroup(contacts[0].label, contacts[0].icon, contacts[:fold], contacts[fold:])
