"""Why two customers cannot be merged, with the values in conflict and what would help."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from customers.profile import EMAIL, MOBILE_PHONE, Profile
from customers.provisional import stored_id
from customers.words import customer_label
from dedup.admin.value_formatter import ValueFormatter
from dedup.engine.vetoes import RULES
from dedup.wording import is_overridable, veto_remedy, veto_sentence


@dataclass(frozen=True, slots=True)
class ObjectionSide:
    """Values in conflict, and the customer that has them: none where nobody holds them any more. A customer
    that does not exist yet has no MaestraID.
    """

    values: tuple[str, ...]
    customer: str = ""
    maestra_id: int | None = None


@dataclass(frozen=True, slots=True)
class Objection:
    """A veto as a page shows it."""

    name: str
    sentence: str
    sides: tuple[ObjectionSide, ...]
    remedy_name: str
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
            remedy_name=RULES[veto["name"]].remedy.value,
            remedy=veto_remedy(veto["name"]),
            is_overridable=is_overridable(veto["name"]),
        )
        for veto in vetoes
    ]


def _sides(
    veto: Mapping[str, Any], profiles: Sequence[Profile], formatter: ValueFormatter
) -> tuple[ObjectionSide, ...]:
    if veto["name"] == "apart":
        return ()
    return tuple(_side(veto[side], profiles, formatter) for side in ("left", "right"))


def _side(values: Sequence[str], profiles: Sequence[Profile], formatter: ValueFormatter) -> ObjectionSide:
    """The values with their kinds, as one of the profiles has them."""
    wanted = set(values)
    for profile in profiles:
        keys = sorted(key for key in profile.holdings if key.value in wanted)
        if keys:
            shown = tuple(formatter.named(*key) for key in keys)
            return ObjectionSide(shown, customer_label(profile.maestra_id), stored_id(profile.maestra_id))
    return ObjectionSide(tuple(formatter.value(_kind_of(value), value) for value in values))


def _kind_of(value: str) -> str:
    """What to take a value for that nobody holds any more, so that a contact stays masked."""
    return EMAIL if "@" in value else MOBILE_PHONE
