"""The record as an edit of a stored customer (section 7 of the rules)."""

from __future__ import annotations

from dataclasses import replace

from customers.changes import (
    CardDropped,
    Claimed,
    Held,
    Released,
    Unclaimed,
    Why,
)
from customers.profile import (
    PAYMENT_CARD,
    WITH_PRIMARY,
    Holding,
    Profile,
    repaired_primaries,
    with_primary,
)
from dedup.engine.context import ResolutionContext
from dedup.engine.counting import add_to_ledgers
from dedup.engine.dating import register_earlier
from dedup.engine.editing import (
    claim_of,
    edited_fields,
    edited_personal,
    edited_time_zone,
    reflagged,
    replaced_personal,
    requested_primary,
    waits_for_confirmation,
)
from dedup.engine.finding import Subject
from dedup.engine.lateness import (
    ages_after,
    is_late,
    may_lead,
    mode_against,
    path_of,
    timely_fields,
    values_left_out,
)
from dedup.engine.record import Mode, Sent
from dedup.engine.warnings import RecordWarning, WarningCode


def apply_edit(context: ResolutionContext, subject: Subject) -> None:
    """The record edits the stored customer it is about."""
    context.subject, context.origin_id = subject.primary_id, subject.origin_id
    context.heed_for(context.profile)
    add_to_ledgers(context)
    register_earlier(context)
    before = context.profile
    collect_requested_primaries(context, before)
    _clear(context)
    edit_values(context)
    context.incoming = [s for s in context.incoming if not _waits(context, s)]
    for sent in context.incoming:
        _attach(context, sent)
    context.record_cards()
    choose_primaries(context)


def collect_requested_primaries(context: ResolutionContext, before: Profile) -> None:
    """Notes which contacts the record makes primary (R14, R43)."""
    for kind in dict.fromkeys([s.kind for s in context.incoming if s.category in WITH_PRIMARY]):
        if requested := requested_primary(before, context.record, kind):
            context.requested_primaries[kind] = requested


def _clear(context: ResolutionContext) -> None:
    """Clear identifiers and contact types with their claims (R44)."""
    if not context.record.clears or context.record.mode is Mode.FILL:
        return
    profile = context.profile
    for holding in [h for h in profile.holdings.values() if h.kind in context.record.clears]:
        _clear_one(context, holding)
    for claim in [c for c in profile.claims.values() if c.kind in context.record.clears]:
        if is_late(context.record, claim.since):
            context.leave_as_older(claim.kind)
            continue
        context.work.emit(Unclaimed(**context.who(), claim=claim, why=Why.CLEARED))
    for card in profile.cards if PAYMENT_CARD in context.record.clears else ():
        context.work.emit(CardDropped(**context.who(), card=card))


def _clear_one(context: ResolutionContext, holding: Holding) -> None:
    if holding.is_former:
        return
    if is_late(context.record, holding.last_used_at):
        context.leave_as_older(path_of(holding.key, holding.category))
    elif context.work.kind(holding.kind).searches_history:
        retired = replace(holding, is_former=True, retired_at=context.now)
        context.work.emit(Held(**context.who(), before=holding, after=retired, why=Why.CLEARED))
    else:
        context.work.emit(Released(**context.who(), holding=holding, why=Why.CLEARED))


def edit_values(context: ResolutionContext) -> None:
    """Personal data, time zone and custom fields as the record sends them, those of which the customer has
    younger values only where they fill a gap (R42, R44, R59).
    """
    before, record = context.profile, context.record
    mode = mode_against(record, before.age_of_personal())
    personal = edited_personal(before.personal, record.personal, mode)
    if gone := replaced_personal(before.personal, personal, record.personal):
        paths = tuple([context.path(f"personal.{name}") for name in gone])
        context.warnings.append(RecordWarning(WarningCode.PERSONAL_DATA_REPLACED, fields=paths))
    mode = mode_against(record, before.age_of_time_zone())
    time_zone = edited_time_zone(before.time_zone, record, mode)
    fields = edited_fields(before.custom_fields, timely_fields(record, before), record.mode)
    if (personal, time_zone, fields) != (before.personal, before.time_zone, before.custom_fields):
        after = replace(before, personal=personal, time_zone=time_zone, custom_fields=fields)
        context.emit_diff(before, replace(after, ages=ages_after(record, before, after)), Why.RECORD)
    note_left_out(context, before)


def note_left_out(context: ResolutionContext, before: Profile) -> None:
    """Notes which single values of the record the customer did not get, those of before being younger (R59).
    What `fill` ignores is not left out because of its age.
    """
    if context.record.mode is not Mode.FILL:
        for path in values_left_out(context.record, before, context.profile):
            context.leave_as_older(path)


def _waits(context: ResolutionContext, sent: Sent) -> bool:
    """Whether the contact waits for its confirmation: as a claim, it takes no part in matching (R43)."""
    if not waits_for_confirmation(context.profile, sent):
        return False
    if sent.key not in context.profile.claims:
        context.work.emit(Claimed(**context.who(), claim=claim_of(sent, context.record, context.origin_id)))
    return True


def _attach(context: ResolutionContext, sent: Sent) -> None:
    """The subject gets what nobody holds; what it holds already gets the record's flags (R14)."""
    holding = context.profile.holdings.get(sent.key)
    if holding is None:
        if context.work.current_holder(sent.key) is None:
            context.hold(sent)
    elif not holding.is_former and (after := reflagged(holding, sent, context.record.occurred_at)) != holding:
        context.work.emit(Held(**context.who(), before=holding, after=after))


def choose_primaries(context: ResolutionContext) -> None:
    """Contacts that were requested become primary, unless a younger one is, and a type that lost its primary
    gets the next one (R7, R43, R59).
    """
    before = context.profile
    holdings = before.holdings
    for key in context.requested_primaries.values():
        holding = holdings.get(key)
        if holding is None or holding.is_former or holding.is_primary:
            continue
        if may_lead(context.record, holdings, key):
            holdings = with_primary(holdings, key, context.now)
        else:
            context.leave_as_older(path_of(key, holding.category))
    holdings = repaired_primaries(holdings)
    if holdings is not before.holdings:
        context.emit_diff(before, replace(before, holdings=holdings), Why.RECORD)
