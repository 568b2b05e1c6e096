"""Why two may not be one, with whose values speak against it and what would help."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from customers.profile import EMAIL, MOBILE_PHONE, Profile
from customers.words import customer_label
from dedup.admin.value_formatter import ValueFormatter
from dedup.wording import is_overridable, veto_remedy, veto_sentence


@dataclass(frozen=True, slots=True)
class Objection:
    """A veto for the eye. `sides` are the values in conflict, with the customer that has them."""

    name: str
    sentence: str
    sides: tuple[tuple[str, tuple[str, ...]], ...]
    remedy: str
    is_overridable: bool


def objections(
    vetoes: Iterable[Mapping[str, Any]], profiles: Sequence[Profile], formatter: ValueFormatter
) -> list[Objection]:
    """`vetoes` as `{"name", "left", "right"}`, values as the engine gives them."""
    return [
        Objection(
            name=veto["name"],
            sentence=veto_sentence(veto["name"]),
            sides=_sides(veto, profiles, formatter),
            remedy=veto_remedy(veto["name"]),
            is_overridable=is_overridable(veto["name"]),
        )
        for veto in vetoes
    ]


def _sides(
    veto: Mapping[str, Any], profiles: Sequence[Profile], formatter: ValueFormatter
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if veto["name"] == "apart":
        return ()
    return tuple(_side(veto[side], profiles, formatter) for side in ("left", "right"))


def _side(
    values: Sequence[str], profiles: Sequence[Profile], formatter: ValueFormatter
) -> tuple[str, tuple[str, ...]]:
    """The values with their kinds, as one of the profiles has them."""
    wanted = set(values)
    for profile in profiles:
        keys = sorted(key for key in profile.holdings if key.value in wanted)
        if keys:
            return customer_label(profile.maestra_id), tuple(formatter.named(*key) for key in keys)
    return "", tuple(formatter.value(_kind_of(value), value) for value in values)


def _kind_of(value: str) -> str:
    """What to take a value for that nobody holds any more, so that a contact stays masked."""
    return EMAIL if "@" in value else MOBILE_PHONE
