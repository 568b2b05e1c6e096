"""Everything an outcome says, as lines of text: nothing of it can change unnoticed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from customers.profile import Key, Profile
from dedup.engine.outcome import Outcome
from tests.dedup.engine.builders import day


def emitted(outcome: Outcome) -> list[str]:
    """The changes with all their fields but those that are as by default, then the rest of the outcome."""
    lines = [_line(change) for change in outcome.changes]
    rest = (*outcome.conflicts, *outcome.moved, *outcome.blocked_matches)
    return [*lines, f"= {outcome.status.value} {outcome.customer}", *map(_line, rest)]


def _line(value: Any) -> str:
    told = [f"{f.name}={_text(getattr(value, f.name))}" for f in fields(value) if _is_told(value, f)]
    return f"{type(value).__name__} {' '.join(told)}"


def _is_told(value: Any, field: Any) -> bool:
    if field.default is not MISSING:
        default = field.default
    elif field.default_factory is not MISSING:
        default = field.default_factory()
    else:
        return bool(field.compare)
    found = getattr(value, field.name)
    return bool(field.compare) and (found != default or type(found) is not type(default))


def _profile(profile: Profile) -> str:
    """What is recorded under which of its MaestraIDs."""
    recorded = [(key.value, h.origin) for key, h in profile.holdings.items()]
    recorded += [(f"claim of {key.value}", claim.origin) for key, claim in profile.claims.items()]
    recorded += profile.cards.items()
    recorded += [(note.reason, note.maestra_id) for note in profile.notes]
    return f"<{profile.maestra_id}: {', '.join(f'{what}@{maestra_id}' for what, maestra_id in recorded)}>"


def _text(value: Any) -> str:
    match value:
        case Profile():
            text = _profile(value)
        case datetime():
            text = f"day {(value - day(0)).total_seconds() / 86_400:g}"
        case Key():
            text = f"{value.kind}:{value.value}"
        case Enum():
            text = str(value.value)
        case str() | None | bool() | int():
            text = repr(value)
        case Mapping():
            text = f"{{{', '.join(f'{_text(k)}: {_text(v)}' for k, v in value.items())}}}"
        case tuple() | frozenset():
            text = f"({', '.join(map(_text, value))})"
        case _ if is_dataclass(value):
            text = f"({_line(value)})"
        case _:
            text = repr(value)
    return text
