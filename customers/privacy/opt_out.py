"""The opt-out from all communication (R53)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import chain

from django.utils import timezone

from customers.changes import OptedOut, SubscriptionChanged, Why
from customers.contact_types import CONTACT_TYPES
from customers.profile import (
    Category,
    Channel,
    Profile,
    Subscription,
    SubscriptionStatus,
)
from customers.setup.project_config import project_config
from customers.storage import saving
from customers.storage.batch import Batch, RecordChanges
from customers.storage.locking import locked_profile, operation_of
from customers.storage.transactions import in_transaction
from customers.transitions import changed

REACHED_BY: Mapping[Category, tuple[str, ...]] = {
    **{type_.category: type_.reached_by for type_ in CONTACT_TYPES},
    Category.DEVICE: ("web_push",),
    Category.MOBILE_DEVICE: ("mobile_push",),
}
"""By which channels a customer can be reached who holds an identifier of the category."""


def opt_out(
    maestra_id: int, *, actor: str, user_id: int | None = None, point_id: int | None = None
) -> Profile:
    """Ends every subscription of the customer and refuses every channel by which they can be reached (R53).

    Returns the profile as it is then. A second time it changes nothing. Raises `customer_not_found`.
    """
    return in_transaction(lambda: _opted_out(maestra_id, actor, user_id, point_id))


def _opted_out(maestra_id: int, actor: str, user_id: int | None, point_id: int | None) -> Profile:
    profile, now = locked_profile(maestra_id), timezone.now()
    changes = tuple(_refusals(profile, maestra_id, now))
    if not changes:
        return profile
    operation = operation_of("opt_out", now, actor, user_id, point_id)
    saving.save(Batch((RecordChanges(changes, now, point_id),), operation, project_config().kinds))
    for change in changes:
        profile = changed(profile, change)
    return profile


def _refusals(profile: Profile, maestra_id: int, now: datetime) -> Iterator[SubscriptionChanged | OptedOut]:
    """Nothing where everything is refused already. Where the customer subscribed again after an opt-out,
    those channels are refused, and the opt-out gets a new date (R37).
    """
    primary_id, refused = profile.maestra_id, Subscription(SubscriptionStatus.UNSUBSCRIBED, now)
    current = {channel: profile.subscriptions.get(channel) for channel in sorted(_channels(profile))}
    not_refused = {
        c: s for c, s in current.items() if s is None or s.status is not SubscriptionStatus.UNSUBSCRIBED
    }
    for channel, before in not_refused.items():
        yield SubscriptionChanged(
            customer=primary_id,
            maestra_id=maestra_id,
            channel=channel,
            before=before,
            after=refused,
            why=Why.OPT_OUT,
        )
    if not_refused or profile.opted_out_at is None:
        yield OptedOut(customer=primary_id, maestra_id=maestra_id, before=profile.opted_out_at, at=now)


def _channels(profile: Profile) -> set[Channel]:
    """The channels that have a subscription of any status, and those that reach the customer."""
    held = {h.category for h in profile.holdings.values() if not h.is_former}
    reachable = chain.from_iterable(REACHED_BY.get(category, ()) for category in held)
    return {*profile.subscriptions, *map(Channel, reachable)}
