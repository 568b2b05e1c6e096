"""What a record told late or in time makes older or younger: the registration, the identifiers it named, and
who used a device before its present holder did (R59).
"""

from __future__ import annotations

from datetime import datetime

from customers.changes import Dated, IdentifierUsed, RegisteredEarlier, UsedBefore
from customers.profile import DISCOUNT_CARD, Key, Profile
from dedup.engine.context import ResolutionContext
from dedup.engine.lateness import known_ages, path_of
from dedup.engine.record import Operation, Sent

REGISTERS_NOBODY = frozenset({Operation.POINTS, Operation.PROMO_CODE})


def register_earlier(context: ResolutionContext) -> None:
    """A record older than the registration makes that earlier; activities, points and codes do not."""
    record = context.record
    if record.is_activity or record.operation in REGISTERS_NOBODY:
        return
    registered_at = context.member.registered_at
    if record.occurred_at < registered_at:
        _keep_ages(context)
        change = RegisteredEarlier(**context.who(), before=registered_at, after=record.occurred_at)
        context.work.emit(change)


def _keep_ages(context: ResolutionContext) -> None:
    """Values whose age is not known are as old as the registration was until now."""
    profile = context.profile
    if (ages := known_ages(profile)) != profile.ages:
        context.work.emit(Dated(**context.who(), ages=ages))


def note_uses(context: ResolutionContext) -> None:
    """What the record named of its customer's identifiers is as young as the record. Of discount cards
    nothing depends on it.
    """
    at, holdings = context.record.occurred_at, context.profile.holdings
    named = [h for key in _named(context) if (h := holdings.get(key)) and h.last_used_at < at]
    uses = [
        IdentifierUsed(**context.who(), key=h.key, at=at)
        for h in named
        if not h.is_former and h.kind != DISCOUNT_CARD
    ]
    if uses:
        context.work.emit_all(uses)


def _named(context: ResolutionContext) -> dict[Key, None]:
    record = context.record
    keys = dict.fromkeys([s.key for s in record.identifiers])
    return {record.lookup: None, **keys} if record.lookup else keys


def next_use(context: ResolutionContext, key: Key, holder: Profile) -> datetime | None:
    """When an identified holder used the identifier next after the time of the record; None where they did
    not, or are nobody one could name.
    """
    if not holder.is_identified:
        return None
    at, times = context.record.occurred_at, [holder.holdings[key].last_used_at]
    use = context.work.uses.get((key, at))
    if use and use.next_at and context.work.primary_id(use.holder) == holder.maestra_id:
        times.append(use.next_at)
    return min((time for time in times if time > at), default=None)


def use_before(context: ResolutionContext, sent: Sent, holder: Profile, until: datetime) -> None:
    """The identifier stays with its holder. An identified subject counts as its user from the time of the
    record until the holder used it again (R26, R50).
    """
    context.leave_as_older(path_of(sent.key, sent.category))
    at = context.record.occurred_at
    use = context.work.uses.get((sent.key, at))
    is_user = use and use.user is not None and context.work.primary_id(use.user) == context.subject
    if is_user or not context.profile.is_identified:
        return
    change = UsedBefore(
        **context.who(),
        key=sent.key,
        category=sent.category,
        at=at,
        holder=holder.maestra_id,
        holder_origin=holder.holdings[sent.key].origin,
        until=until,
    )
    context.work.emit(change)
