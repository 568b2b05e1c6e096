"""Who holds what two named that may not be one (section 5 of the rules)."""

from __future__ import annotations

from dataclasses import replace

from customers.changes import Claimed, ContactLost, ContactReceived, NoteAdded, Why
from customers.profile import (
    CONTACTS,
    DEVICES,
    MOVABLE,
    STRENGTH,
    Key,
    Note,
    Profile,
    repaired_primaries,
)
from dedup.engine.context import ResolutionContext
from dedup.engine.counting import warn_of_order_of_another
from dedup.engine.dating import next_use, use_before
from dedup.engine.editing import claim_left, claim_of
from dedup.engine.finding import already_registered
from dedup.engine.new_customer import create
from dedup.engine.outcome import Conflict, Move, RefusalCode, Refused
from dedup.engine.priority import ACCESS_BY_THIS_CONTACT, Verdict, decide_priority
from dedup.engine.record import Sent


def settle(context: ResolutionContext) -> None:
    """All contests are decided on the profiles as they stand after the merges, then settled (R30)."""
    contests = _decide_contests(context, _contested_contacts(context))
    if contests and context.subject is None:
        _refuse_nobody(context, contests)
    if context.found_nobody:
        _refuse_registered(context, contests)
    if context.subject is None:
        create(context)
    warn_of_order_of_another(context)
    for sent, holder, verdict in contests:
        if verdict.left_first:
            _win(context, sent, holder.maestra_id, verdict.criterion)
        else:
            _lose(context, sent, holder, verdict.criterion)


def _decide_contests(
    context: ResolutionContext, contested: list[tuple[Sent, Profile]]
) -> list[tuple[Sent, Profile, Verdict]]:
    if not contested:
        return []
    projected = context.projected_profile()
    return [(sent, holder, _decide_contest(projected, holder, sent.key)) for sent, holder in contested]


def _contested_contacts(context: ResolutionContext) -> list[tuple[Sent, Profile]]:
    pairs = ((s, context.work.current_holder(s.key)) for s in context.incoming if s.category in CONTACTS)
    return [(s, holder) for s, holder in pairs if holder and holder.maestra_id != context.subject]


def _decide_contest(projected: Profile, holder: Profile, key: Key) -> Verdict:
    """An account-access contact is never taken from its holder (R31); else priority decides (R29)."""
    if holder.holdings[key].gives_access:
        return Verdict(left_first=False, criterion=ACCESS_BY_THIS_CONTACT.name)
    return decide_priority(projected, holder, key)


def _refuse_nobody(context: ResolutionContext, contests: list[tuple[Sent, Profile, Verdict]]) -> None:
    """Refuses a new record that would be nobody, having lost everything to several customers (R24)."""
    lost = {sent.key: holder for sent, holder, verdict in contests if not verdict.left_first}
    left = [s for s in context.incoming if s.category not in DEVICES and s.key not in lost]
    rivals = {holder.maestra_id for holder in lost.values()}
    if not left and len(rivals) > 1:
        raise Refused(RefusalCode.AMBIGUOUS_CUSTOMER, maestra_ids=sorted(rivals), keys=list(lost))


def _refuse_registered(context: ResolutionContext, contests: list[tuple[Sent, Profile, Verdict]]) -> None:
    """Refuses a record that found nobody, if a veto keeps it from the customer who signs in with its contact,
    whomever else it joined; a `register` in any case (R16).
    """
    taken = [s for s, holder, _ in contests if s.gives_access and holder.holdings[s.key].gives_access]
    if taken := context.registered or taken:
        raise already_registered(context.work, taken)


def _win(context: ResolutionContext, sent: Sent, loser: int, criterion: str) -> None:
    """The subject takes the contact with its own flags and confirmation (R30)."""
    assert context.subject is not None
    holding = context.release(context.work.profiles[loser], sent.key, Why.SETTLED)
    _repair(context, loser, holding.origin)
    if holding.must_be_confirmed:
        claim = claim_left(holding, context.now)
        context.work.emit(Claimed(customer=loser, maestra_id=holding.origin, claim=claim, why=Why.SETTLED))
    context.hold(sent, holding, Why.SETTLED)
    conflict = Conflict(sent.key, context.subject, loser, criterion, holding.must_be_confirmed)
    _record_conflict(context, conflict, context.origin_id, holding.origin, moved=True)


def _lose(context: ResolutionContext, sent: Sent, holder: Profile, criterion: str) -> None:
    """The holder keeps the contact; the subject keeps a claim if the contact is to be confirmed (R30)."""
    assert context.subject is not None
    if sent.must_be_confirmed and sent.key not in context.profile.claims:
        claim = claim_of(sent, context.record, context.origin_id)
        context.work.emit(Claimed(**context.who(), claim=claim, why=Why.SETTLED))
    conflict = Conflict(sent.key, holder.maestra_id, context.subject, criterion, sent.must_be_confirmed)
    _record_conflict(context, conflict, holder.holdings[sent.key].origin, context.origin_id, moved=False)


def _record_conflict(
    context: ResolutionContext, c: Conflict, keeper_id: int, loser_id: int, *, moved: bool
) -> None:
    """Both histories record the conflict, and the loser gets a note (R30).

    For the same contact and holder there is one note. Once it is there, the histories do not repeat that the
    contact stayed; that it moved is recorded every time.
    """
    context.conflicts.append(c)
    is_noted = _has_note_of(context, c)
    if is_noted and not moved:
        return
    _emit_contact_lost(context, c, loser_id, was_held=moved)
    if not is_noted:
        kind, value = c.key
        note = Note(context.now, loser_id, "contact_lost", kind, value, c.kept_by, c.criterion)
        context.work.emit(NoteAdded(customer=c.lost_by, maestra_id=loser_id, note=note))
    _emit_contact_received(context, c, keeper_id, was_held=not moved)


def _emit_contact_lost(context: ResolutionContext, c: Conflict, maestra_id: int, *, was_held: bool) -> None:
    context.work.emit(
        ContactLost(
            customer=c.lost_by,
            maestra_id=maestra_id,
            kind=c.key.kind,
            value=c.key.value,
            to=c.kept_by,
            criterion=c.criterion,
            was_held=was_held,
            pending=c.pending,
        )
    )


def _emit_contact_received(
    context: ResolutionContext, c: Conflict, maestra_id: int, *, was_held: bool
) -> None:
    context.work.emit(
        ContactReceived(
            customer=c.kept_by,
            maestra_id=maestra_id,
            kind=c.key.kind,
            value=c.key.value,
            other=c.lost_by,
            criterion=c.criterion,
            was_held=was_held,
        )
    )


def _has_note_of(context: ResolutionContext, c: Conflict) -> bool:
    """Whether the loser has a note already that the contact is with this keeper."""
    notes = context.work.profiles[c.lost_by].notes
    holders = (n.related for n in notes if (n.kind, n.value) == c.key and n.related is not None)
    return any(context.work.primary_id(holder) == c.kept_by for holder in holders)


def _repair(context: ResolutionContext, customer: int, origin_id: int) -> None:
    """A lost primary is followed by the next one (R7)."""
    before = context.work.profiles[customer]
    after = replace(before, holdings=repaired_primaries(before.holdings))
    context.work.emit_diff(before, after, origin_id, Why.SETTLED)


def move_remaining(context: ResolutionContext) -> None:
    """Devices and non-unique identifiers that could not join move to the subject, the latter first: they
    may make it an identified one (R32). They stay with an identified holder who used them later (R59).
    """
    movable = [s for s in context.incoming if s.category in MOVABLE]
    for sent in sorted(movable, key=lambda s: STRENGTH[s.category]):
        holder = context.work.current_holder(sent.key)
        if holder is None or holder.maestra_id == context.subject:
            continue
        if until := next_use(context, sent.key, holder):
            use_before(context, sent, holder, until)
        elif _may_take(context, sent, holder):
            context.hold(sent, context.release(holder, sent.key, Why.MOVED), Why.MOVED)
            context.moved.append(Move(sent.key, holder.maestra_id, context.profile.maestra_id))


def _may_take(context: ResolutionContext, sent: Sent, holder: Profile) -> bool:
    """A device is attached to the last identified customer who used it; an anonymous one takes it from
    nobody identified (R8).
    """
    return sent.category not in DEVICES or context.profile.is_identified or not holder.is_identified
