"""Match and verify: who else is this person (section 4 of the rules)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from customers.changes import Decision, Joined, Merged, Reason, Why
from customers.profile import (
    DEVICES,
    NOBODY,
    STRENGTH,
    Category,
    Key,
    Profile,
    with_primary,
)
from customers.transitions import united
from dedup.engine.applying import edit_values, is_to_edit
from dedup.engine.case import Case
from dedup.engine.counting import count
from dedup.engine.editing import (
    holding_of,
    wanted_primary,
)
from dedup.engine.outcome import Status
from dedup.engine.priority import Verdict, contact_in_question, prior
from dedup.engine.record import Mode, Sent
from dedup.engine.survivorship import Pair, survive
from dedup.engine.vetoes import confirmed_by_both, standing, vetoes


def match_and_verify(case: Case) -> None:
    """Test every customer that holds something the record brought, strongest kind first (R22)."""
    for head in _candidates(case):
        if (now_head := case.draft.head(head)) is not None and now_head != case.subject:
            _verify(case, case.draft.profiles[now_head])


def _candidates(case: Case) -> list[int]:
    ranks: dict[int, int] = {}
    for sent in case.brought:
        holder = case.draft.current_holder(sent.key)
        if holder is None or holder.maestra_id == case.subject:
            continue
        if sent.category is not Category.UNIQUE and not _is_shared_device(case, sent):
            rank = STRENGTH[sent.category]
            ranks[holder.maestra_id] = min(rank, ranks.get(holder.maestra_id, rank))
    for head in _card_holders(case):
        ranks.setdefault(head, len(STRENGTH))
    return sorted((h for h in ranks if h != case.subject), key=lambda h: (ranks[h], h))


def _card_holders(case: Case) -> Iterator[int]:
    for card in case.record.cards:
        for maestra_id in case.draft.card_holders.get(card, ()):
            head = case.draft.head(maestra_id)
            if head is not None and card in case.draft.profiles[head].cards:
                yield head


def _verify(case: Case, other: Profile) -> None:
    """No veto: they are one. Any veto: they stay apart (R22). A contact both confirmed outweighs
    differing ones (R25).
    """
    wish = case.wish()
    found = vetoes(wish, other, case.draft.world)
    both = confirmed_by_both(wish, other)
    shared = _shared_with(case, other)
    if standing(found, overridden=both is not None):
        case.kept.append((other.maestra_id, shared, found))
        return
    reason = Reason.BOTH_CONFIRMED if found else reason_of(shared, other)
    contact = contact_in_question(shared, wish, other)
    verdict = prior(wish, other, contact)
    decision = Decision(
        reason=reason,
        matched=shared,
        priority=case.subject if verdict.left_first else other.maestra_id,
        criterion=verdict.criterion,
    )
    if case.subject is None:
        _join(case, other, verdict, decision)
    else:
        _merge(case, other, verdict, decision)


def _shared_with(case: Case, other: Profile) -> tuple[Key, ...]:
    """What the record brought that the other holds, strongest first; payment card hashes are never told
    (R10), and shared devices join nobody (R26).
    """
    held = {h.key for h in other.holdings.values() if not h.is_former}
    shared = [s for s in case.brought if s.key in held and not _is_shared_device(case, s)]
    return tuple(s.key for s in sorted(shared, key=lambda s: STRENGTH[s.category]))


def _is_shared_device(case: Case, sent: Sent) -> bool:
    return sent.category in DEVICES and case.draft.is_shared(sent.key)


def _join(case: Case, other: Profile, verdict: Verdict, decision: Decision) -> None:
    """A record that was never a customer becomes part of one; it takes no MaestraID of its own (R22)."""
    case.bearer = _bearer_in(case, other, decision.matched)
    case.subject, case.status = other.maestra_id, Status.JOINED
    case.brought = [s for s in case.brought if is_to_edit(case, s)]
    part = _part_in(case, other, verdict)
    case.draft.emit(Joined(**case.who(), decision=decision))
    count(case)
    result = _survivor(case, part, other, verdict, other)
    for key in part.holdings.keys() - other.holdings.keys():
        case.release_former(key)
    case.emit_diff(case.profile, result, Why.RECORD)
    if case.record.mode is Mode.FILL:
        edit_values(case)
    case.see_cards()
    case.wanted = {s.kind: s.key for s in case.brought if s.is_primary}


def _part_in(case: Case, other: Profile, verdict: Verdict) -> Profile:
    """What the record brings to the customer it joins. Its primaries count where it has priority, but a
    held contact sent again stays as it was (R14, R36). What is to be filled in is no rival (R44).
    """
    part = case.newcomer_with([s for s in case.brought if _is_free_or_of(case, s, other)])
    holdings = dict(part.holdings)
    for holding in part.holdings.values():
        leads = verdict.left_first and wanted_primary(other, case.record, holding.kind)
        if holding.is_primary and other.primary(holding.kind) and not leads:
            holdings[holding.key] = replace(holding, is_primary=False)
    part = replace(part, holdings=holdings)
    if case.record.mode is Mode.FILL:
        return replace(part, personal=NOBODY, time_zone=None, custom_fields={}, memberships={})
    return part


def _bearer_in(case: Case, other: Profile, shared: tuple[Key, ...]) -> int:
    """The MaestraID the strongest identifier that matched came to (R46)."""
    if shared:
        return other.holdings[shared[0]].origin
    return next(other.cards[card] for card in case.record.cards if card in other.cards)


def _is_free_or_of(case: Case, sent: Sent, other: Profile) -> bool:
    holder = case.draft.current_holder(sent.key)
    return holder is None or holder.maestra_id == other.maestra_id


def _merge(case: Case, other: Profile, verdict: Verdict, decision: Decision) -> None:
    """Two stored customers are one: the lower MaestraID stays, an identified customer's before an
    anonymous one's (R33).
    """
    mine = case.profile
    part = _wish_of(case, mine, other)
    survivor, absorbed = sorted((mine, other), key=lambda p: (not p.is_identified, p.maestra_id))
    whole = united(survivor, absorbed)
    result = _survivor(case, part, other, verdict, whole)
    merged = Merged(
        customer=survivor.maestra_id,
        maestra_id=survivor.maestra_id,
        absorbed=absorbed,
        survivor=survivor,
        result=result,
        decision=decision,
    )
    case.draft.emit(merged)
    case.merges.append(merged)
    case.subject = survivor.maestra_id
    case.draft.emit_diff(whole, result, survivor.maestra_id, Why.MERGE)
    _drop_granted_wishes(case)


def _wish_of(case: Case, mine: Profile, other: Profile) -> Profile:
    """The subject with what the other has to give it, so that flags and the wanted primary count in the
    merge.
    """
    given = {s.key: holding_of(s, case.record, case.bearer) for s in case.brought if s.key in other.holdings}
    holdings = {**given, **mine.holdings}
    for key in case.wanted.values():
        if key in holdings:
            holdings = with_primary(holdings, key, case.now)
    return replace(mine, holdings=holdings)


def _survivor(case: Case, part: Profile, other: Profile, verdict: Verdict, stored: Profile) -> Profile:
    """What the two become; `stored` is the customer it is stored as, with what it holds already."""
    first, second = (part, other) if verdict.left_first else (other, part)
    larger = case.draft.world.larger_fields
    return survive(Pair(first, second, stored.maestra_id, stored.holdings, larger, case.now))


def _drop_granted_wishes(case: Case) -> None:
    """Survivorship has chosen among the primaries; only what was asked for by name, or is still to be
    won, is chosen later.
    """
    asked = {s.key for s in case.brought if s.is_primary}
    held = case.profile.holdings
    case.wanted = {kind: key for kind, key in case.wanted.items() if key in asked or key not in held}


def reason_of(shared: tuple[Key, ...], other: Profile) -> Reason:
    """What made two one: a contact or ID, only devices, or only a payment card (R41)."""
    categories = {other.holdings[key].category for key in shared}
    if categories - DEVICES:
        return Reason.MATCHED_EXACTLY
    return Reason.SAME_DEVICE if categories else Reason.PAYMENT_CARD
