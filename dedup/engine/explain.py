"""Why two customers are one, or are not: the same tables the decision reads, told row by row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from customers.profile import CONTACTS, STRENGTH, Category, Key, Profile
from dedup.engine.outcome import Veto
from dedup.engine.priority import CRITERIA, decide_priority
from dedup.engine.remedies import Remedy
from dedup.engine.vetoes import RULES, upheld, vetoes
from dedup.engine.world import World


class Standing(StrEnum):
    """How a customer stands to a value: it holds it, claims it, or named it and lost it to the other."""

    HELD = "held"
    CLAIMED = "claimed"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Match:
    """A value both named, and how either stands to it."""

    key: Key
    left: Standing
    right: Standing


@dataclass(frozen=True, slots=True)
class Step:
    """One criterion of priority with its value on either side; `decides` on the first that differs (R29)."""

    criterion: str
    left: Any
    right: Any
    decides: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """`same`: both are one profile already. `by_hand`: a merge naming its result would go through (R28)."""

    left: Profile
    right: Profile
    same: bool
    matches: tuple[Match, ...] = ()
    shares_payment_card: bool = False
    vetoes: tuple[Veto, ...] = ()
    by_hand: bool = True
    contact: Key | None = None
    steps: tuple[Step, ...] = ()
    priority: int | None = None
    remedies: tuple[Remedy, ...] = ()


def explain(
    world: World, left: int, right: int, is_blocked: Callable[[Key], bool] = lambda _: False
) -> Explanation:
    """What matches, what vetoes, who would go first and by which criterion, and what would have to change. A
    value that is blocked by now matches nobody (R12).
    """
    a, b = world.profiles[left], world.profiles[right]
    if left == right:
        return Explanation(a, b, same=True)
    matches = tuple(m for m in _matches(a, b, world) if not is_blocked(m.key))
    found = vetoes(a, b, world)
    shares_card = bool(a.cards.keys() & b.cards.keys())
    contact = next((m.key for m in matches if world.kinds[m.key.kind].category in CONTACTS), None)
    verdict = decide_priority(a, b, contact)
    return Explanation(
        a,
        b,
        same=False,
        matches=matches,
        shares_payment_card=shares_card,
        vetoes=found,
        by_hand=not upheld(found, overridden=True),
        contact=contact,
        steps=_steps(a, b, contact, verdict.criterion),
        priority=left if verdict.left_first else right,
        remedies=_remedies(found, shares_a_value=bool(matches) or shares_card),
    )


def _matches(a: Profile, b: Profile, world: World) -> tuple[Match, ...]:
    mine, theirs = _standings(a, b, world), _standings(b, a, world)
    both = sorted(mine.keys() & theirs.keys(), key=lambda k: (STRENGTH[world.kinds[k.kind].category], k))
    return tuple(Match(key, mine[key], theirs[key]) for key in both)


def _standings(of: Profile, other: Profile, world: World) -> dict[Key, Standing]:
    """Every value a customer named, the contacts and devices it lost to the other included."""
    lost = {Key(n.kind, n.value) for n in of.notes if n.related in other.maestra_ids}
    used = {key for key, users in world.device_users.items() if users & of.maestra_ids}
    return {
        **dict.fromkeys(lost | used, Standing.LOST),
        **dict.fromkeys(of.claims, Standing.CLAIMED),
        **{key: Standing.HELD for key, h in of.holdings.items() if _matches_others(h.category)},
    }


def _matches_others(category: Category) -> bool:
    return category is not Category.UNIQUE


def _steps(a: Profile, b: Profile, contact: Key | None, decided_by: str) -> tuple[Step, ...]:
    return tuple(
        Step(c.name, c.weigh(a, contact), c.weigh(b, contact), decides=c.name == decided_by) for c in CRITERIA
    )


def _remedies(found: tuple[Veto, ...], *, shares_a_value: bool) -> tuple[Remedy, ...]:
    needed = [RULES[v.name].remedy for v in found]
    if not shares_a_value:
        needed.append(Remedy.SHARE_A_VALUE)
    return tuple(dict.fromkeys(needed))
