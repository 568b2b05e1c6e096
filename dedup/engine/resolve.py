"""The whole decision on a record: find the customer, edit or weigh as new, match and verify, settle
(R16–R32).

`resolve` decides a batch in order; each record sees what the ones before it did. A record that is refused
leaves no trace.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import get_args

from customers.changes import Change, SilentChange, SubscriptionChanged
from dedup.engine.applying import apply_edit, choose_primaries
from dedup.engine.confirmations import ask_confirmations
from dedup.engine.context import EMPTY_NEW_CUSTOMER, ResolutionContext
from dedup.engine.counting import update_order_only
from dedup.engine.dating import note_uses
from dedup.engine.finding import find_subject, signing_in_elsewhere
from dedup.engine.matching import match_and_verify
from dedup.engine.new_customer import from_record
from dedup.engine.outcome import BlockedMatch, Outcome, OutcomeStatus, Refusal, Refused
from dedup.engine.record import Operation, Record
from dedup.engine.settling import move_remaining, settle
from dedup.engine.statuses import set_statuses
from dedup.engine.unit_of_work import UnitOfWork
from dedup.engine.world import World

SILENT = frozenset(get_args(SilentChange))


def resolve(world: World, records: Sequence[Record], now: datetime) -> list[Outcome | Refusal]:
    """What becomes of each record, in order. `now` is the moment of the decision, in UTC."""
    work = UnitOfWork(world)
    return [decide(work, record, now) for record in records]


def decide(work: UnitOfWork, record: Record, now: datetime) -> Outcome | Refusal:
    """One record."""
    work.start()
    try:
        outcome = _decide(ResolutionContext(work, record, now))
    except Refused as refused:
        work.roll_back()
        return refused.refusal
    work.commit()
    return outcome


def _decide(context: ResolutionContext) -> Outcome:
    if context.record.is_order_only:
        update_order_only(context)
        return _outcome(context) if context.subject else Outcome(context.status, EMPTY_NEW_CUSTOMER)
    subject = find_subject(context.work, context.record)
    if subject:
        apply_edit(context, subject)
    else:
        context.found_nobody = True
        if context.record.operation is Operation.REGISTER:
            context.registered = signing_in_elsewhere(context.work, context.record, None)
        context.new_customer = from_record(context)
    match_and_verify(context)
    settle(context)
    move_remaining(context)
    choose_primaries(context)
    set_statuses(context)
    ask_confirmations(context)
    note_uses(context)
    context.work.note_identified()
    return _outcome(context)


def _is_silent(change: Change) -> bool:
    """Whether the change leaves nothing to be told."""
    return type(change) in SILENT or (isinstance(change, SubscriptionChanged) and change.is_restated)


def _outcome(context: ResolutionContext) -> Outcome:
    if context.status is OutcomeStatus.UNCHANGED and not all(map(_is_silent, context.work.changes)):
        context.status = OutcomeStatus.CHANGED
    subject = context.profile.maestra_id
    return Outcome(
        status=context.status,
        profile=context.profile,
        changes=tuple(context.work.changes),
        merges=tuple(context.merges),
        conflicts=tuple(context.conflicts),
        moved=tuple(context.moved),
        blocked_matches=tuple(
            BlockedMatch(subject, primary_id, shared, found)
            for primary_id, shared, found in context.blocked_matches
        ),
        warnings=tuple(context.all_warnings()),
    )
