"""The statuses that a record sets on the profile it ends in: the opt-out from everything, subscriptions, and
segments. Each goes by its own date (R38, R53, R56).
"""

from __future__ import annotations

from datetime import datetime

from customers.changes import MembershipChanged, SubscriptionChanged
from customers.consent import opt_out_changes, refused_at
from customers.profile import Membership, Subscription, SubscriptionStatus
from dedup.engine.context import ResolutionContext
from dedup.engine.editing import membership_of, subscription_of
from dedup.engine.outcome import OutcomeStatus
from dedup.engine.record import Mode, SentMembership, SentSubscription
from dedup.engine.warnings import WarningCode


def set_statuses(context: ResolutionContext) -> None:
    """The opt-out comes first: it refuses what the same record subscribes to."""
    if at := context.record.opted_out_at:
        context.work.emit_all(list(opt_out_changes(context.profile, context.origin_id, at)))
    for subscription in context.record.subscriptions:
        _set_subscription(context, subscription)
    for membership in context.record.memberships:
        _set_membership(context, membership)


def _set_subscription(context: ResolutionContext, sent: SentSubscription) -> None:
    """The status as sent, unless something speaks against it. Said again by other than the person, it only
    moves its date, and leaves no history.
    """
    before, after = context.profile.subscriptions.get(sent.channel), subscription_of(sent, context.record)
    if before == after:
        return
    if objection := _objection(context, sent, before, after):
        context.leave_out(objection, sent.path)
    elif not before or context.record.mode is not Mode.FILL:
        is_restated = before is not None and before.status is after.status and not context.record.is_by_person
        context.work.emit(
            SubscriptionChanged(
                **context.who(), channel=sent.channel, before=before, after=after, is_restated=is_restated
            )
        )


def _objection(
    context: ResolutionContext, sent: SentSubscription, before: Subscription | None, after: Subscription
) -> WarningCode | None:
    """Why the status is not set: the person refuses the channel, or what stands is younger (R56)."""
    refused = refused_at(context.profile, sent.channel)
    if refused is not None and after.status is not SubscriptionStatus.UNSUBSCRIBED:
        is_filled = before is not None and context.record.mode is Mode.FILL
        if is_filled or not _takes_back(context, sent, after, refused):
            return WarningCode.KEPT_UNSUBSCRIBED
    if before is not None and context.record.mode is Mode.FILL:
        return None
    known = [before.since] if before else []
    known += [refused] if refused else []
    return WarningCode.OLDER_DATA if known and after.since < max(known) else None


def _takes_back(
    context: ResolutionContext, sent: SentSubscription, after: Subscription, refused: datetime
) -> bool:
    """Whether a status may end a refusal: only the person ends an opt-out, by what they did after it. A
    single unsubscription ends by whatever they do, or by the date of a consent that is newer.
    """
    record, opted_out_at = context.record, context.profile.opted_out_at
    if not record.may_resubscribe:
        return False
    if record.is_by_person:
        return opted_out_at is None or after.since > opted_out_at
    return opted_out_at is None and sent.since is not None and sent.since > refused


def _set_membership(context: ResolutionContext, sent: SentMembership) -> None:
    """The segment as sent, unless the customer is in one of the segmentation since later; `fill` changes none
    (R38, R44). Of a record that joined, survivorship has chosen already.
    """
    before, is_filled = context.profile.memberships.get(sent.segmentation), context.record.mode is Mode.FILL
    after = membership_of(sent, context.record)
    if (before and before.segment) == sent.segment or (before and is_filled):
        return
    if before and (sent.since or context.record.occurred_at) < before.since:
        context.leave_out(WarningCode.OLDER_DATA, sent.path)
    elif is_filled or not _was_weighed(context, after):
        context.work.emit(
            MembershipChanged(**context.who(), segmentation=sent.segmentation, before=before, after=after)
        )


def _was_weighed(context: ResolutionContext, after: Membership | None) -> bool:
    """Whether survivorship weighed the membership against the customer's: those to leave it did not."""
    return context.status is OutcomeStatus.JOINED and after is not None
