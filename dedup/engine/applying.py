"""The record as an edit of a stored customer, and the statuses it sets on whom it ends in (section 7 of the
rules).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from customers.changes import (
    CardDropped,
    Claimed,
    ConfirmationAsked,
    Held,
    MembershipChanged,
    Released,
    SubscriptionChanged,
    Unclaimed,
    Why,
)
from customers.profile import (
    DEVICES,
    PAYMENT_CARD,
    WITH_PRIMARY,
    Holding,
    Membership,
    Profile,
    repaired_primaries,
    with_primary,
)
from dedup.engine.case import Case
from dedup.engine.counting import count
from dedup.engine.editing import (
    claim_of,
    edited_fields,
    edited_personal,
    edited_time_zone,
    reflagged,
    subscription_of,
    waits_for_confirmation,
    wanted_primary,
)
from dedup.engine.finding import Found
from dedup.engine.outcome import Status
from dedup.engine.record import Mode, Operation, Sent


def apply_edit(case: Case, found: Found) -> None:
    case.subject, case.bearer = found.head, found.bearer
    count(case)
    before = case.profile
    wish_primaries(case, before)
    _clear(case)
    edit_values(case)
    case.brought = [s for s in case.brought if is_to_edit(case, s)]
    case.brought = [s for s in case.brought if not _waits(case, s)]
    for sent in case.brought:
        _attach(case, sent)
    case.see_cards()
    choose_primaries(case)


def wish_primaries(case: Case, before: Profile) -> None:
    for kind in dict.fromkeys([s.kind for s in case.brought if s.category in WITH_PRIMARY]):
        wanted = wanted_primary(before, case.record, kind)
        if wanted and not (case.record.mode is Mode.FILL and before.primary(kind)):
            case.wanted[kind] = wanted


def _clear(case: Case) -> None:
    """Clear identifiers and contact types with their claims (R44)."""
    if not case.record.clears or case.record.mode is Mode.FILL:
        return
    profile = case.profile
    for holding in [h for h in profile.holdings.values() if h.kind in case.record.clears]:
        _clear_one(case, holding)
    for claim in [c for c in profile.claims.values() if c.kind in case.record.clears]:
        case.draft.emit(Unclaimed(**case.who(), claim=claim, why=Why.CLEARED))
    for card in profile.cards if PAYMENT_CARD in case.record.clears else ():
        case.draft.emit(CardDropped(**case.who(), card=card))


def _clear_one(case: Case, holding: Holding) -> None:
    if holding.is_former:
        return
    if case.draft.kind(holding.kind).searches_history:
        retired = replace(holding, is_former=True, retired_at=case.now)
        case.draft.emit(Held(**case.who(), before=holding, after=retired, why=Why.CLEARED))
    else:
        case.draft.emit(Released(**case.who(), holding=holding, why=Why.CLEARED))


def edit_values(case: Case) -> None:
    before, record = case.profile, case.record
    personal = edited_personal(before.personal, record.personal, record.mode)
    time_zone = edited_time_zone(before.time_zone, record)
    fields = edited_fields(before.custom_fields, record.custom_fields, record.mode)
    if (personal, time_zone, fields) != (before.personal, before.time_zone, before.custom_fields):
        after = replace(before, personal=personal, time_zone=time_zone, custom_fields=fields)
        case.emit_diff(before, after, Why.RECORD)


def is_to_edit(case: Case, sent: Sent) -> bool:
    """`fill` sets only what is empty and ignores what conflicts (R44)."""
    if case.record.mode is Mode.OVERWRITE or sent.category in DEVICES or sent.key in case.profile.holdings:
        return True
    return not any(h.kind == sent.kind and not h.is_former for h in case.profile.holdings.values())


def _waits(case: Case, sent: Sent) -> bool:
    """A contact that waits for its confirmation is a claim and takes no part in matching (R43)."""
    if not waits_for_confirmation(case.profile, sent):
        return False
    if sent.key not in case.profile.claims:
        case.draft.emit(Claimed(**case.who(), claim=claim_of(sent, case.record, case.bearer)))
    if case.wanted.get(sent.kind) == sent.key:
        del case.wanted[sent.kind]
    return True


def _attach(case: Case, sent: Sent) -> None:
    """What the subject holds already gets the record's flags; what nobody holds becomes the subject's."""
    holding = case.profile.holdings.get(sent.key)
    if holding is None:
        if case.draft.current_holder(sent.key) is None:
            case.hold(sent)
    elif not holding.is_former and (after := reflagged(holding, sent, case.record.occurred_at)) != holding:
        case.draft.emit(Held(**case.who(), before=holding, after=after))


def choose_primaries(case: Case) -> None:
    """Wanted contacts become primary, and a type that lost its primary gets the next one (R7, R43)."""
    before = case.profile
    holdings = before.holdings
    for key in case.wanted.values():
        wanted = holdings.get(key)
        if wanted and not wanted.is_former and not wanted.is_primary:
            holdings = with_primary(holdings, key, case.now)
    holdings = repaired_primaries(holdings, case.now)
    if holdings is not before.holdings:
        case.emit_diff(before, replace(before, holdings=holdings), Why.RECORD)


def set_statuses(case: Case) -> None:
    """Subscription statuses as sent (R56); segments too, where the record did not join by R38, or fills
    (R44).
    """
    for asked in case.record.subscriptions:
        before = case.profile.subscriptions.get(asked.channel)
        after = subscription_of(asked, case.record)
        if before is None or before.status is not after.status:
            case.draft.emit(
                SubscriptionChanged(**case.who(), channel=asked.channel, before=before, after=after)
            )
    for sent in case.record.memberships:
        if case.status is not Status.JOINED or sent.segment is None or case.record.mode is Mode.FILL:
            _set_membership(case, sent.segmentation, sent.segment, sent.since or case.record.occurred_at)


def _set_membership(case: Case, segmentation: int, segment: int | None, since: datetime) -> None:
    before = case.profile.memberships.get(segmentation)
    if before and case.record.mode is Mode.FILL:
        return
    after = None if segment is None else Membership(segment, since)
    if (before and before.segment) != segment:
        case.draft.emit(
            MembershipChanged(**case.who(), segmentation=segmentation, before=before, after=after)
        )


def ask_confirmations(case: Case) -> None:
    """A link or code goes out for every pending e-mail or phone that this record named, claims too; to a
    card nothing can be sent (R45).
    """
    if case.record.operation is Operation.CONFIRM:
        return
    profile = case.profile
    for sent in case.record.identifiers:
        if not sent.must_be_confirmed or sent.category not in WITH_PRIMARY:
            continue
        holding = profile.holdings.get(sent.key)
        if (holding and holding.is_pending) or sent.key in profile.claims:
            case.draft.emit(ConfirmationAsked(**case.who(), kind=sent.kind, value=sent.value))
