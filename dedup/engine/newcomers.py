"""The record as a newcomer: weighed as a customer, and stored as one where it joins nobody (R1, R22)."""

from __future__ import annotations

from collections.abc import Sequence

from customers.changes import Created, Why
from customers.differences import diff
from customers.profile import Member, Membership, Profile
from customers.transitions import Sketch
from dedup.engine.applying import wish_primaries
from dedup.engine.case import NEWCOMER, Case
from dedup.engine.counting import acted_at, to_count
from dedup.engine.editing import known_personal, subscription_of
from dedup.engine.outcome import Status
from dedup.engine.record import Sent


def introduced(case: Case) -> Profile:
    """The record weighed as a customer with everything it brought but its identifiers (R22, R29)."""
    record = case.record
    member = Member(
        NEWCOMER,
        record.occurred_at,
        orders_count=int(record.order is not None and record.order.number not in case.draft.orders),
        last_action_at=acted_at(case),
    )
    return Profile(
        maestra_id=NEWCOMER,
        members=(member,),
        personal=known_personal(record.personal),
        time_zone=record.time_zone,
        custom_fields={k: v for k, v in record.custom_fields.items() if v is not None},
        memberships={
            m.segmentation: Membership(m.segment, m.since or record.occurred_at)
            for m in record.memberships
            if m.segment is not None
        },
        is_new=True,
    )


def create(case: Case) -> None:
    """The record becomes a customer of its own (R1)."""
    case.subject = case.bearer = case.draft.new_id()
    case.status = Status.CREATED
    case.draft.emit(Created(**case.who(), registered_at=case.record.occurred_at))
    free = case.free()
    for key in [s.key for s in free if s.key in case.draft.holders]:
        case.release_former(key)
    brought = diff(case.profile, _with_all(case, free), case.bearer, Why.RECORD)
    case.draft.emit_all([*to_count(case), *brought])
    case.see_cards()
    if len(free) < len(case.brought):
        wish_primaries(case, case.newcomer)


def _with_all(case: Case, sent: Sequence[Sent]) -> Profile:
    """The newcomer as it is stored: with these identifiers, and subscribed as the record says (R56)."""
    sketch = Sketch(case.newcomer)
    sketch.holdings = case.holdings_of(sent)
    sketch.subscriptions = {s.channel: subscription_of(s, case.record) for s in case.record.subscriptions}
    return sketch.profile()
