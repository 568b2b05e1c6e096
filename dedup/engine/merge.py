"""A merge somebody asked for, naming the customer that results (R28)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from customers.changes import Decision, Merged, Why
from customers.profile import CONTACTS, STRENGTH, Key, Profile
from customers.transitions import united
from dedup.engine.outcome import Outcome, OutcomeStatus, Refusal, RefusalCode, Refused, Veto
from dedup.engine.priority import Verdict, decide_priority
from dedup.engine.reasons import Reason
from dedup.engine.survivorship import MergeSides, survive
from dedup.engine.unit_of_work import UnitOfWork
from dedup.engine.vetoes import RULES, upheld, vetoes
from dedup.engine.world import World

ORDER = list(RULES)


def merge(
    world: World, customers: Sequence[int], resulting: int, reason: Reason, now: datetime
) -> Outcome | Refusal:
    """Merge customers, in the order given, into the resulting one: all of them or none (R28).

    `customers` and `resulting` are primary MaestraIDs of profiles in the world.
    """
    work = UnitOfWork(world)
    others = [primary_id for primary_id in dict.fromkeys(customers) if primary_id != resulting]
    try:
        merges = _merge_all(work, others, resulting, reason, now)
    except Refused as refused:
        return refused.refusal
    work.note_identified()
    work.commit()
    status = OutcomeStatus.CHANGED if merges else OutcomeStatus.UNCHANGED
    return Outcome(status, work.profiles[resulting], tuple(work.changes), tuple(merges))


def _merge_all(
    work: UnitOfWork, others: Sequence[int], resulting: int, reason: Reason, now: datetime
) -> list[Merged]:
    merges: list[Merged] = []
    blocked: list[Veto] = []
    for primary_id in others:
        first, second = work.profiles[resulting], work.profiles[primary_id]
        against = upheld(vetoes(first, second, work.world), overridden=True)
        blocked.extend(v for v in against if v not in blocked)
        if not against:
            merges.append(_merge_one(work, first, second, reason, now))
    if blocked:
        reasons = sorted(blocked, key=lambda veto: ORDER.index(veto.name))
        raise Refused(RefusalCode.MERGE_BLOCKED, reasons=reasons, maestra_ids=[resulting, *others])
    return merges


def _merge_one(
    work: UnitOfWork, survivor: Profile, absorbed: Profile, reason: Reason, now: datetime
) -> Merged:
    """The named customer has priority throughout and keeps its MaestraID (R28, R33)."""
    whole = united(survivor, absorbed)
    larger = work.world.larger_fields
    result = survive(MergeSides(survivor, absorbed, survivor.maestra_id, whole.holdings, larger, now))
    who = {"customer": survivor.maestra_id, "maestra_id": survivor.maestra_id}
    decision = Decision(
        reason=reason, matched=shared_values(survivor, absorbed), priority=survivor.maestra_id
    )
    merged = Merged(**who, absorbed=absorbed, survivor=survivor, result=result, decision=decision)
    work.emit(merged)
    work.emit_diff(whole, result, survivor.maestra_id, Why.MERGE)
    return merged


def shared_values(left: Profile, right: Profile) -> tuple[Key, ...]:
    """What two profiles have in common: a value one holds and the other claims."""
    mine = left.holdings.keys() | left.claims.keys()
    theirs = right.holdings.keys() | right.claims.keys()
    return tuple(sorted(mine & theirs))


@dataclass(frozen=True, slots=True)
class Ranking:
    """Who of several has priority, and the criterion that puts it before each of the others."""

    first: int
    over: Mapping[int, str]


def rank(profiles: Sequence[Profile]) -> Ranking:
    """Which of several customers has priority (R29), tested in MaestraID order."""
    first, *others = sorted(profiles, key=lambda p: p.maestra_id)
    for other in others:
        if not _verdict(first, other).left_first:
            first = other
    beaten = [p for p in profiles if p.maestra_id != first.maestra_id]
    return Ranking(first.maestra_id, {p.maestra_id: _verdict(first, p).criterion for p in beaten})


def _verdict(left: Profile, right: Profile) -> Verdict:
    return decide_priority(left, right, _contact_named_by_both(left, right))


def _contact_named_by_both(left: Profile, right: Profile) -> Key | None:
    """The strongest contact that one holds and the other claims."""
    held = {**left.holdings, **right.holdings}
    contacts = [key for key in shared_values(left, right) if key in held and held[key].category in CONTACTS]
    return min(contacts, key=lambda key: (STRENGTH[held[key].category], key), default=None)
