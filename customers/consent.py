"""What a person consented to and refused: by which channels they can be reached, when they refused one last,
and what an opt-out from everything makes of a profile (R53, R56). Pure, like `customers.profile`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import chain

from customers.changes import OptedOut, SubscriptionChanged, Why
from customers.contact_types import CONTACT_TYPES
from customers.profile import Category, Channel, Profile, Subscription, SubscriptionStatus

REACHED_BY: Mapping[Category, tuple[str, ...]] = {
    **{type_.category: type_.reached_by for type_ in CONTACT_TYPES},
    Category.DEVICE: ("web_push",),
    Category.MOBILE_DEVICE: ("mobile_push",),
}
"""By which channels a customer can be reached who holds an identifier of the category."""


def refused_at(profile: Profile, channel: Channel) -> datetime | None:
    """When the person refused the channel last, None where they do not refuse it. An opt-out from everything
    refuses every channel and topic, stored or not, that was not subscribed to since (R53, R56).
    """
    stored, opted_out_at = profile.subscriptions.get(channel), profile.opted_out_at
    if stored is None:
        return opted_out_at
    if stored.status is SubscriptionStatus.UNSUBSCRIBED:
        return max(stored.since, opted_out_at) if opted_out_at else stored.since
    return opted_out_at if opted_out_at and opted_out_at >= stored.since else None


def opt_out_changes(
    profile: Profile, maestra_id: int, at: datetime, stated: str = ""
) -> Iterator[SubscriptionChanged | OptedOut]:
    """What an opt-out from everything changes: each subscription that is not younger ends, and each channel
    by which the person can be reached is refused (R53).

    Nothing where everything is refused already. Where the person subscribed again after an opt-out, those
    channels are refused, and the opt-out gets a new date (R37).
    """
    if profile.opted_out_at and profile.opted_out_at >= at:
        return
    customer, refused = profile.maestra_id, Subscription(SubscriptionStatus.UNSUBSCRIBED, at)
    wanted = [channel for channel in sorted(_channels(profile)) if _ends(profile, channel, at)]
    for channel in wanted:
        before = profile.subscriptions.get(channel)
        yield SubscriptionChanged(
            customer=customer,
            maestra_id=maestra_id,
            channel=channel,
            before=before,
            after=refused,
            why=Why.OPT_OUT,
        )
    if wanted or profile.opted_out_at is None:
        yield OptedOut(
            customer=customer, maestra_id=maestra_id, before=profile.opted_out_at, at=at, stated=stated
        )


def _ends(profile: Profile, channel: Channel, at: datetime) -> bool:
    stored = profile.subscriptions.get(channel)
    return stored is None or (stored.status is not SubscriptionStatus.UNSUBSCRIBED and stored.since <= at)


def _channels(profile: Profile) -> set[Channel]:
    """The channels that have a subscription of any status, and those that reach the customer."""
    held = {h.category for h in profile.holdings.values() if not h.is_former}
    reachable = chain.from_iterable(REACHED_BY.get(category, ()) for category in held)
    return {*profile.subscriptions, *map(Channel, reachable)}
