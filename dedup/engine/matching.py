"""Match and verify: who else is this person (section 4 of the rules)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from customers.changes import Decision, Joined, Merged, Why
from customers.profile import DEVICES, NOBODY, STRENGTH, Category, Holding, Key, Profile, with_primary
from customers.transitions import united
from dedup.engine.applying import edit_values, note_left_out
from dedup.engine.context import ResolutionContext
from dedup.engine.counting import add_to_ledgers
from dedup.engine.dating import register_earlier
from dedup.engine.editing import holding_of, may_replace_primary, requested_primary
from dedup.engine.lateness import may_lead, retired_if_late, timely_part
from dedup.engine.outcome import OutcomeStatus
from dedup.engine.priority import Verdict, contact_in_question, decide_priority
from dedup.engine.reasons import Reason
from dedup.engine.record import Mode, Sent
from dedup.engine.survivorship import MergeSides, survive
from dedup.engine.vetoes import confirmed_by_both, upheld, vetoes


def match_and_verify(context: ResolutionContext) -> None:
    """Test every customer that holds something the record brought, strongest kind first (R22). Each becomes
    one with the subject or stays apart, so the next is still a customer of its own. They are found anew each
    time, because it may depend on whom the record joined what of it counts (R44).
    """
    tested: set[int] = set()
    while untested := [c for c in _candidates(context) if c not in tested]:
        tested.add(untested[0])
        _verify(context, context.work.profiles[untested[0]])


def _candidates(context: ResolutionContext) -> list[int]:
    ranks: dict[int, int] = {}
    for sent in context.incoming:
        holder = context.work.current_holder(sent.key)
        if holder is None or holder.maestra_id == context.subject:
            continue
        if sent.category is not Category.UNIQUE and not _is_shared_device(context, sent):
            rank = STRENGTH[sent.category]
            ranks[holder.maestra_id] = min(rank, ranks.get(holder.maestra_id, rank))
    for primary_id in _card_holders(context):
        ranks.setdefault(primary_id, len(STRENGTH))
    return sorted((h for h in ranks if h != context.subject), key=lambda h: (ranks[h], h))


def _card_holders(context: ResolutionContext) -> Iterator[int]:
    for card in context.record.cards:
        for maestra_id in context.work.card_holders.get(card, ()):
            primary_id = context.work.primary_id(maestra_id)
            if primary_id is not None and card in context.work.profiles[primary_id].cards:
                yield primary_id


def _verify(context: ResolutionContext, other: Profile) -> None:
    """No veto: they are one. Any veto: they stay apart (R22). A contact both confirmed outweighs
    differing ones (R25).
    """
    shared = _shared_with(context, other)
    tested, projected = _projected_beside(context, other, shared)
    found = vetoes(tested, other, context.work.world)
    both = confirmed_by_both(tested, other)
    if upheld(found, overridden=both is not None):
        context.blocked_matches.append((other.maestra_id, shared, found))
        return
    reason = Reason.BOTH_CONFIRMED if found else reason_of(shared, other)
    contact = contact_in_question(shared, projected, other)
    verdict = decide_priority(projected, other, contact)
    decision = Decision(
        reason=reason,
        matched=shared,
        priority=context.subject if verdict.left_first else other.maestra_id,
        criterion=verdict.criterion,
    )
    if context.subject is None:
        _join(context, other, verdict, decision)
    else:
        _merge(context, other, verdict, decision)


def _projected_beside(
    context: ResolutionContext, other: Profile, shared: tuple[Key, ...]
) -> tuple[Profile, Profile]:
    """The subject, or the new customer, as it is tested for vetoes and as it is weighed for priority: with
    what would count of the record if it joined the other (R44).

    Devices and payment cards are shared by people with contacts of their own. Where the record names the
    other by nothing more, it is tested with all it brought, lest `fill` ignores who it is about.
    """
    whole = context.projected_profile()
    if context.subject is not None or context.record.mode is Mode.OVERWRITE:
        return whole, whole
    counting = context.new_customer_with(context.incoming_for(other))
    is_named = any(other.holdings[key].category not in DEVICES for key in shared)
    return (counting if is_named else whole), counting


def _shared_with(context: ResolutionContext, other: Profile) -> tuple[Key, ...]:
    """What the record brought that the other holds, strongest first. Payment card hashes are never shown
    (R10), and shared devices join nobody (R26).
    """
    held = {h.key for h in other.holdings.values() if not h.is_former}
    shared = [s for s in context.incoming if s.key in held and not _is_shared_device(context, s)]
    return tuple(s.key for s in sorted(shared, key=lambda s: STRENGTH[s.category]))


def _is_shared_device(context: ResolutionContext, sent: Sent) -> bool:
    return sent.category in DEVICES and context.work.is_shared(sent.key)


def _join(context: ResolutionContext, other: Profile, verdict: Verdict, decision: Decision) -> None:
    """A record that was never a customer becomes part of one, without a MaestraID of its own (R22)."""
    context.origin_id = _origin_in(context, other, decision.matched)
    context.subject, context.status = other.maestra_id, OutcomeStatus.JOINED
    context.heed_for(other)
    part = _part_in(context, other, verdict)
    context.work.emit(Joined(**context.who(), decision=decision))
    add_to_ledgers(context)
    register_earlier(context)
    result = _survivor(context, part, other, verdict, other)
    context.emit_diff(context.profile, result, Why.RECORD)
    note_left_out(context, other)
    if context.record.mode is Mode.FILL:
        edit_values(context)
    context.record_cards()
    context.requested_primaries = {
        s.kind: s.key
        for s in context.incoming
        if s.is_primary and may_replace_primary(other, context.record, s.kind)
    }


def _part_in(context: ResolutionContext, other: Profile, verdict: Verdict) -> Profile:
    """What the record brings to the customer it joins, as a profile of its own. Its primaries count where it
    has priority, but a held contact sent again stays as it was (R14, R36). In `fill`, its single values do
    not compete with the customer's: they fill the gaps afterwards (R44).
    """
    part = context.new_customer_with([s for s in context.incoming if _is_free_or_of(context, s, other)])
    holdings = {key: _as_joining(context, holding, other, verdict) for key, holding in part.holdings.items()}
    larger = context.work.world.larger_fields
    part = timely_part(replace(part, holdings=holdings), context.record, other, larger)
    if context.record.mode is Mode.FILL:
        return replace(part, personal=NOBODY, time_zone=None, custom_fields={}, memberships={})
    return part


def _as_joining(context: ResolutionContext, holding: Holding, other: Profile, verdict: Verdict) -> Holding:
    """An identifier of the record as it competes with those of the customer: a younger primary contact stays
    primary, a younger ID current (R59).
    """
    late = retired_if_late(holding, context.record, other, context.now)
    if late.is_former or not holding.is_primary or other.primary(holding.kind) is None:
        return late
    leads = verdict.left_first and requested_primary(other, context.record, holding.kind)
    if leads and may_lead(context.record, other.holdings, holding.key):
        return holding
    return replace(holding, is_primary=False)


def _origin_in(context: ResolutionContext, other: Profile, shared: tuple[Key, ...]) -> int:
    """The MaestraID under which the strongest identifier that matched is recorded (R46)."""
    if shared:
        return other.holdings[shared[0]].origin
    return next(other.cards[card] for card in context.record.cards if card in other.cards)


def _is_free_or_of(context: ResolutionContext, sent: Sent, other: Profile) -> bool:
    holder = context.work.current_holder(sent.key)
    return holder is None or holder.maestra_id == other.maestra_id


def _merge(context: ResolutionContext, other: Profile, verdict: Verdict, decision: Decision) -> None:
    """Two stored customers are one: the lower MaestraID stays, an identified customer's before an
    anonymous one's (R33).
    """
    mine = context.profile
    part = _projected_for(context, mine, other)
    survivor, absorbed = sorted((mine, other), key=lambda p: (not p.is_identified, p.maestra_id))
    whole = united(survivor, absorbed)
    result = _survivor(context, part, other, verdict, whole)
    merged = Merged(
        customer=survivor.maestra_id,
        maestra_id=survivor.maestra_id,
        absorbed=absorbed,
        survivor=survivor,
        result=result,
        decision=decision,
    )
    context.work.emit(merged)
    context.merges.append(merged)
    context.subject = survivor.maestra_id
    context.work.emit_diff(whole, result, survivor.maestra_id, Why.MERGE)
    _drop_granted_primaries(context)


def _projected_for(context: ResolutionContext, mine: Profile, other: Profile) -> Profile:
    """The subject with what the record brought and the other holds, so that the flags and primaries of the
    record count in the merge.
    """
    given = {
        s.key: holding_of(s, context.record, context.origin_id)
        for s in context.incoming
        if s.key in other.holdings
    }
    holdings = {**given, **mine.holdings}
    for key in context.requested_primaries.values():
        if key in holdings and all(may_lead(context.record, h, key) for h in (holdings, other.holdings)):
            holdings = with_primary(holdings, key, context.now)
    return replace(mine, holdings=holdings)


def _survivor(
    context: ResolutionContext, part: Profile, other: Profile, verdict: Verdict, stored: Profile
) -> Profile:
    """What the two become. `stored` is the customer it is stored as, with what that holds already."""
    first, second = (part, other) if verdict.left_first else (other, part)
    larger = context.work.world.larger_fields
    return survive(MergeSides(first, second, stored.maestra_id, stored.holdings, larger, context.now))


def _drop_granted_primaries(context: ResolutionContext) -> None:
    """Survivorship has chosen among the primaries. What remains to be chosen later was asked for by its flag,
    or is not held yet.
    """
    asked = {s.key for s in context.incoming if s.is_primary}
    held = context.profile.holdings
    context.requested_primaries = {
        kind: key for kind, key in context.requested_primaries.items() if key in asked or key not in held
    }


def reason_of(shared: tuple[Key, ...], other: Profile) -> Reason:
    """What made two one: a contact or ID, only devices, or only a payment card (R41)."""
    categories = {other.holdings[key].category for key in shared}
    if categories - DEVICES:
        return Reason.MATCHED_EXACTLY
    return Reason.SAME_DEVICE if categories else Reason.PAYMENT_CARD
