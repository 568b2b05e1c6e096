"""Who holds what two named that may not be one (section 5 of the rules)."""

from __future__ import annotations

from dataclasses import replace

from customers.changes import (
    Claimed,
    ContactLost,
    ContactReceived,
    NoteAdded,
    Why,
)
from customers.profile import (
    CONTACTS,
    DEVICES,
    STRENGTH,
    Category,
    Key,
    Note,
    Profile,
    repaired_primaries,
)
from dedup.engine.case import Case
from dedup.engine.counting import warn_of_order
from dedup.engine.editing import (
    claim_left,
    claim_of,
)
from dedup.engine.finding import already_registered
from dedup.engine.newcomers import create
from dedup.engine.outcome import Conflict, Move, RefusalCode, Refused
from dedup.engine.priority import Verdict, prior
from dedup.engine.record import Sent

MOVABLE = DEVICES | {Category.IDENTIFIER}


def settle(case: Case) -> None:
    """All contests are decided on the profiles as they stand after the merges, then settled (R30)."""
    contests = _judged(case, _contested(case))
    if contests and case.subject is None:
        _refuse_nobody(case, contests)
    if case.found_nobody:
        _refuse_registered(case, contests)
    if case.subject is None:
        create(case)
    warn_of_order(case)
    for sent, holder, verdict in contests:
        if verdict.left_first:
            _win(case, sent, holder.maestra_id, verdict.criterion)
        else:
            _lose(case, sent, holder, verdict.criterion)


def _judged(case: Case, contested: list[tuple[Sent, Profile]]) -> list[tuple[Sent, Profile, Verdict]]:
    if not contested:
        return []
    wish = case.wish()
    return [(sent, holder, _judge(wish, holder, sent.key)) for sent, holder in contested]


def _contested(case: Case) -> list[tuple[Sent, Profile]]:
    pairs = ((s, case.draft.current_holder(s.key)) for s in case.brought if s.category in CONTACTS)
    return [(s, holder) for s, holder in pairs if holder and holder.maestra_id != case.subject]


def _judge(wish: Profile, holder: Profile, key: Key) -> Verdict:
    """An account-access contact is never taken from its holder (R31); else priority decides (R29)."""
    if holder.holdings[key].gives_access:
        return Verdict(left_first=False, criterion="access_by_this_contact")
    return prior(wish, holder, key)


def _refuse_nobody(case: Case, contests: list[tuple[Sent, Profile, Verdict]]) -> None:
    """A new record that would be nobody, because it loses everything to several customers (R24)."""
    lost = {sent.key: holder for sent, holder, verdict in contests if not verdict.left_first}
    left = [s for s in case.brought if s.category not in DEVICES and s.key not in lost]
    rivals = {holder.maestra_id for holder in lost.values()}
    if not left and len(rivals) > 1:
        raise Refused(RefusalCode.AMBIGUOUS_CUSTOMER, maestra_ids=sorted(rivals), keys=list(lost))


def _refuse_registered(case: Case, contests: list[tuple[Sent, Profile, Verdict]]) -> None:
    """A record that found nobody, and that a veto keeps from the customer who signs in with its contact,
    whomever else it joined; in register, veto or not (R16).
    """
    taken = [s for s, holder, _ in contests if s.gives_access and holder.holdings[s.key].gives_access]
    if taken := case.registered or taken:
        raise already_registered(case.draft, taken)


def _win(case: Case, sent: Sent, loser: int, criterion: str) -> None:
    """The subject takes the contact with its own flags and confirmation (R30)."""
    assert case.subject is not None
    holding = case.release(case.draft.profiles[loser], sent.key, Why.SETTLED)
    _repair(case, loser, holding.origin)
    if holding.must_be_confirmed:
        claim = claim_left(holding, case.now)
        case.draft.emit(Claimed(customer=loser, maestra_id=holding.origin, claim=claim, why=Why.SETTLED))
    case.hold(sent, taken_from=loser, why=Why.SETTLED)
    conflict = Conflict(sent.key, case.subject, loser, criterion, holding.must_be_confirmed)
    _tell(case, conflict, case.bearer, holding.origin, moved=True)


def _lose(case: Case, sent: Sent, holder: Profile, criterion: str) -> None:
    """The holder keeps the contact; the subject keeps a claim if the contact is to be confirmed (R30)."""
    assert case.subject is not None
    if sent.must_be_confirmed and sent.key not in case.profile.claims:
        claim = claim_of(sent, case.record, case.bearer)
        case.draft.emit(Claimed(**case.who(), claim=claim, why=Why.SETTLED))
    conflict = Conflict(sent.key, holder.maestra_id, case.subject, criterion, sent.must_be_confirmed)
    _tell(case, conflict, holder.holdings[sent.key].origin, case.bearer, moved=False)


def _tell(case: Case, c: Conflict, keeper_id: int, loser_id: int, *, moved: bool) -> None:
    """Both histories tell of the conflict, and the loser gets a note, but not again for the same contact
    and holder. The histories do not repeat that a contact stayed; that it moved is news each time (R30).
    """
    case.conflicts.append(c)
    was_told = _was_told(case, c)
    if was_told and not moved:
        return
    _tell_loser(case, c, loser_id, was_held=moved)
    if not was_told:
        kind, value = c.key
        note = Note(case.now, loser_id, "contact_lost", kind, value, c.kept_by, c.criterion)
        case.draft.emit(NoteAdded(customer=c.lost_by, maestra_id=loser_id, note=note))
    _tell_keeper(case, c, keeper_id, was_held=not moved)


def _tell_loser(case: Case, c: Conflict, maestra_id: int, *, was_held: bool) -> None:
    case.draft.emit(
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


def _tell_keeper(case: Case, c: Conflict, maestra_id: int, *, was_held: bool) -> None:
    case.draft.emit(
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


def _was_told(case: Case, c: Conflict) -> bool:
    notes = case.draft.profiles[c.lost_by].notes
    holders = (n.related for n in notes if (n.kind, n.value) == c.key and n.related is not None)
    return any(case.draft.head(holder) == c.kept_by for holder in holders)


def _repair(case: Case, customer: int, bearer: int) -> None:
    """A lost primary is followed by the next one (R7)."""
    before = case.draft.profiles[customer]
    after = replace(before, holdings=repaired_primaries(before.holdings, case.now))
    case.draft.emit_diff(before, after, bearer, Why.SETTLED)


def move_the_rest(case: Case) -> None:
    """Devices and non-unique identifiers that could not join move to the subject, the latter first: they
    may make it an identified one (R32).
    """
    movable = [s for s in case.brought if s.category in MOVABLE]
    for sent in sorted(movable, key=lambda s: STRENGTH[s.category]):
        holder = case.draft.current_holder(sent.key)
        if holder and holder.maestra_id != case.subject and _may_take(case, sent, holder):
            case.release(holder, sent.key, Why.MOVED)
            case.hold(sent, taken_from=holder.maestra_id, why=Why.MOVED)
            case.moved.append(Move(sent.key, holder.maestra_id, case.profile.maestra_id))


def _may_take(case: Case, sent: Sent, holder: Profile) -> bool:
    """A device is attached to the last identified customer who used it; an anonymous one takes it from
    nobody identified (R8).
    """
    return sent.category not in DEVICES or case.profile.is_identified or not holder.is_identified
