"""Asking for confirmations: a link or code for each contact that waits for one, but not too many (R45)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from customers.changes import ConfirmationAsked
from customers.profile import WITH_PRIMARY, Key, Profile
from dedup.engine.context import ResolutionContext
from dedup.engine.record import Operation, Sent
from dedup.engine.warnings import RecordWarning, WarningCode
from dedup.engine.world import Message

CODE_LIFE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many within so long."""

    most: int
    within: timedelta


MESSAGES_TO_A_CONTACT = (Limit(1, timedelta(minutes=1)), Limit(5, timedelta(days=1)))
MESSAGES_OF_A_CUSTOMER = (Limit(5, timedelta(minutes=1)), Limit(10, timedelta(days=1)))
WRONG_CODES = (Limit(5, CODE_LIFE),)
"""For a contact, whoever claims it and whichever of its codes they try: a new code brings no new tries."""
REMEMBERED = timedelta(days=1)
"""How long a message counts for any of these."""


def free_from(moments: Iterable[datetime], limits: Sequence[Limit], now: datetime) -> datetime:
    """When the limits allow one more after those of these moments: `now`, or later."""
    earlier = sorted(moments)
    found = [now]
    for limit in limits:
        recent = [at for at in earlier if at > now - limit.within]
        if len(recent) >= limit.most:
            found.append(recent[-limit.most] + limit.within)
    return max(found)


def ask_confirmations(context: ResolutionContext) -> None:
    """A link or code goes out for every e-mail or phone of this record that is pending or claimed. To a card
    nothing can be sent (R45). Where too many went out already, the record's sender is told when the next one
    can.
    """
    if context.record.operation is Operation.CONFIRM:
        return
    for sent in context.record.identifiers:
        if sent.must_be_confirmed and sent.category in WITH_PRIMARY and _awaits(context.profile, sent.key):
            _ask(context, sent)


def _awaits(profile: Profile, key: Key) -> bool:
    holding = profile.holdings.get(key)
    return key in profile.claims or (holding is not None and holding.is_pending)


def _ask(context: ResolutionContext, sent: Sent) -> None:
    at = _next_message(context, sent.key)
    if at > context.now:
        told = {"retry_at": at.isoformat(timespec="seconds")}
        context.warnings.append(RecordWarning(WarningCode.CONFIRMATION_PAUSED, sent.kind, values=told))
        return
    context.work.note_message(sent.key, Message(context.origin_id, context.now))
    context.work.emit(ConfirmationAsked(**context.who(), kind=sent.kind, value=sent.value))


def _next_message(context: ResolutionContext, key: Key) -> datetime:
    """From when on another message may go to the contact for this customer."""
    to_contact = context.work.messages_to.get(key, ())
    of_customer = [
        message for m in context.profile.members for message in context.work.messages_of.get(m.maestra_id, ())
    ]
    wrong = [message.at for message in to_contact for _try in range(message.wrong_codes)]
    return max(
        free_from([message.at for message in to_contact], MESSAGES_TO_A_CONTACT, context.now),
        free_from([message.at for message in of_customer], MESSAGES_OF_A_CUSTOMER, context.now),
        free_from(wrong, WRONG_CODES, context.now),
    )
