"""The record as a new customer: weighed as one, and stored as one where it joins nobody (R1, R22)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from customers.changes import Created, Why
from customers.profile import Member, Profile
from customers.provisional import NO_MAESTRA_ID
from customers.transitions import MutableProfile, diff
from dedup.engine.applying import collect_requested_primaries
from dedup.engine.context import ResolutionContext
from dedup.engine.counting import acted_at, ledger_changes
from dedup.engine.editing import membership_of, sent_personal, subscription_of
from dedup.engine.lateness import ages_of
from dedup.engine.outcome import OutcomeStatus
from dedup.engine.record import Sent


def from_record(context: ResolutionContext) -> Profile:
    """The record weighed as a customer with everything it brought but its identifiers (R22, R29)."""
    record = context.record
    member = Member(
        NO_MAESTRA_ID,
        record.occurred_at,
        orders_count=int(record.order is not None and record.order.number not in context.work.orders),
        last_action_at=acted_at(context),
    )
    brought = Profile(
        maestra_id=NO_MAESTRA_ID,
        members=(member,),
        personal=sent_personal(record.personal),
        time_zone=record.time_zone,
        custom_fields={k: v for k, v in record.custom_fields.items() if v is not None},
        memberships={
            sent.segmentation: membership
            for sent in record.memberships
            if (membership := membership_of(sent, record))
        },
        is_new=True,
    )
    return replace(brought, ages=ages_of(record, brought))


def create(context: ResolutionContext) -> None:
    """The record becomes a customer of its own (R1)."""
    context.subject = context.origin_id = context.work.new_id()
    context.status = OutcomeStatus.CREATED
    context.work.emit(Created(**context.who(), registered_at=context.record.occurred_at))
    free = context.free()
    incoming = diff(context.profile, _with_all(context, free), context.origin_id, Why.RECORD)
    context.work.emit_all([*ledger_changes(context), *incoming])
    context.record_cards()
    if len(free) < len(context.incoming):
        collect_requested_primaries(context, context.new_customer)


def _with_all(context: ResolutionContext, sent: Sequence[Sent]) -> Profile:
    """The new customer as it is stored: with these identifiers, and subscribed as the record says (R56)."""
    mutable = MutableProfile(context.new_customer)
    mutable.holdings = context.holdings_of(sent)
    mutable.subscriptions = {
        s.channel: subscription_of(s, context.record) for s in context.record.subscriptions
    }
    return mutable.profile()
