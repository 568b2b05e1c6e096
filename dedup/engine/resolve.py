"""The whole decision on a record: find, edit or introduce, match and verify, settle (R16–R32).

`resolve` decides a batch in order; each record sees what the ones before it did. A record that is refused
leaves no trace.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import get_args

from customers.changes import SilentChange
from dedup.engine.applying import apply_edit, ask_confirmations, choose_primaries, set_statuses
from dedup.engine.case import Case
from dedup.engine.draft import Draft
from dedup.engine.finding import find_subject, signing_in_elsewhere
from dedup.engine.matching import match_and_verify
from dedup.engine.newcomers import introduced
from dedup.engine.outcome import Kept, Outcome, Refusal, Refused, Status
from dedup.engine.record import Operation, Record
from dedup.engine.settling import move_the_rest, settle
from dedup.engine.world import World

SILENT = frozenset(get_args(SilentChange))


def resolve(world: World, records: Sequence[Record], now: datetime) -> list[Outcome | Refusal]:
    """What becomes of each record, in order. `now` is the moment of the decision, in UTC."""
    draft = Draft(world)
    return [decide(draft, record, now) for record in records]


def decide(draft: Draft, record: Record, now: datetime) -> Outcome | Refusal:
    """One record."""
    draft.start()
    try:
        outcome = _decided(Case(draft, record, now))
    except Refused as refused:
        draft.roll_back()
        return refused.refusal
    draft.keep()
    return outcome


def _decided(case: Case) -> Outcome:
    found = find_subject(case.draft, case.record)
    if found:
        apply_edit(case, found)
    else:
        case.found_nobody = True
        if case.record.operation is Operation.REGISTER:
            case.registered = signing_in_elsewhere(case.draft, case.record, None)
        case.newcomer = introduced(case)
    match_and_verify(case)
    settle(case)
    move_the_rest(case)
    choose_primaries(case)
    set_statuses(case)
    ask_confirmations(case)
    case.draft.note_identified()
    return _outcome(case)


def _outcome(case: Case) -> Outcome:
    if case.status is Status.UNCHANGED and any(type(c) not in SILENT for c in case.draft.changes):
        case.status = Status.CHANGED
    subject = case.profile.maestra_id
    return Outcome(
        status=case.status,
        profile=case.profile,
        changes=tuple(case.draft.changes),
        merges=tuple(case.merges),
        conflicts=tuple(case.conflicts),
        moved=tuple(case.moved),
        kept_apart=tuple(Kept(subject, head, shared, found) for head, shared, found in case.kept),
        warnings=tuple(case.warnings),
    )
