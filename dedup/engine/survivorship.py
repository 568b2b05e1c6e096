"""What a merged profile is made of: every field of a profile with its policy (section 6 of the rules).

`SURVIVORSHIP` names every field; a test fails when one is missing. An incoming record that joins a customer
goes through the same table, counting as a customer with what it brought (R22).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from customers.profile import (
    WITH_PRIMARY,
    Ages,
    Category,
    Channel,
    Claim,
    Holding,
    Key,
    Membership,
    Personal,
    Profile,
    Subscription,
    SubscriptionStatus,
    with_primary,
)
from customers.texts import gettext_noop

STATUS_RANK = {status: rank for rank, status in enumerate(SubscriptionStatus)}


@dataclass(frozen=True, slots=True)
class MergeSides:
    """Two that become one, by priority. `survivor` is the MaestraID that stays primary, `stored` are the
    identifiers that have a holder already, and `larger` the custom fields of which the larger value is kept
    (R35).
    """

    priority: Profile
    other: Profile
    survivor: int
    stored: Mapping[Key, Holding]
    larger: frozenset[str]
    at: datetime


def keep_primary_id(sides: MergeSides) -> int:
    """The lower MaestraID, or the one that was named (R33)."""
    return sides.survivor


def all_members(sides: MergeSides) -> tuple[Any, ...]:
    """Every MaestraID with its orders, points, promo codes and actions (R39); a record has none."""
    members = (m for p in (sides.priority, sides.other) if not p.is_new for m in p.members)
    return tuple(sorted(members, key=lambda m: m.maestra_id))


def whole_personal_set(sides: MergeSides) -> Personal:
    """The whole set of the priority customer, never mixed; where it has none, the other's whole set (R34)."""
    return sides.priority.personal or sides.other.personal


def priority_time_zone(sides: MergeSides) -> str | None:
    """The priority customer's, else the other's (R34)."""
    return sides.priority.time_zone or sides.other.time_zone


def custom_fields(sides: MergeSides) -> dict[str, Any]:
    """The priority customer's value, where it has none the other's; or the larger one (R35)."""
    first, second = sides.priority.custom_fields, sides.other.custom_fields
    result = {**second, **first}
    for name in sides.larger & first.keys() & second.keys():
        result[name] = max(first[name], second[name])
    return result


def ages_of_kept(sides: MergeSides) -> Ages:
    """Each value is as young as with the side that it came from (R59)."""
    first, second = sides.priority, sides.other
    return Ages(
        personal=(first if first.personal else second).ages.personal,
        time_zone=(first if first.time_zone else second).ages.time_zone,
        custom_fields=_ages_of_fields(sides),
    )


def _ages_of_fields(sides: MergeSides) -> dict[str, datetime]:
    first, second = sides.priority, sides.other
    ages = {}
    for name, value in custom_fields(sides).items():
        side = first if first.custom_fields.get(name) == value else second
        if name in side.ages.custom_fields:
            ages[name] = side.ages.custom_fields[name]
    return ages


def all_holdings(sides: MergeSides) -> dict[Key, Holding]:
    """All of both with flags and confirmations; the primary and the current unique IDs are the priority
    customer's (R3, R36).
    """
    first, second = sides.priority.holdings, sides.other.holdings
    result = {**second, **first}
    for key in first.keys() & second.keys():
        base = sides.stored.get(key, first[key])
        result[key] = both_flags(base, first[key], second[key])
    for key in second:
        result[key] = _yielding(result[key], sides)
    for kind in {h.kind for h in result.values() if h.category in WITH_PRIMARY}:
        leader = sides.priority.primary(kind) or sides.other.primary(kind)
        if leader:
            result = with_primary(result, leader.key, sides.at)
    return result


def both_flags(base: Holding, first: Holding, second: Holding) -> Holding:
    """One holding with the flags and confirmations of two (R36)."""
    confirmed = [h.confirmed_at for h in (base, first, second) if h.confirmed_at]
    return replace(
        base,
        gives_access=first.gives_access or second.gives_access,
        must_be_confirmed=first.must_be_confirmed or second.must_be_confirmed,
        confirmed_at=min(confirmed, default=None),
    )


def _yielding(holding: Holding, sides: MergeSides) -> Holding:
    """The other customer's unique ID goes to history where the priority customer has a current one (R3)."""
    if holding.category is not Category.UNIQUE or holding.is_former:
        return holding
    rival = sides.priority.current(holding.kind)
    is_rivalled = rival is not None and rival.key != holding.key
    return replace(holding, is_former=True, retired_at=sides.at) if is_rivalled else holding


def open_claims(sides: MergeSides) -> dict[Key, Claim]:
    """Of both, less what is now held (R36)."""
    held = sides.priority.holdings.keys() | sides.other.holdings.keys()
    both = {**sides.other.claims, **sides.priority.claims}
    return {key: claim for key, claim in both.items() if key not in held}


def all_cards(sides: MergeSides) -> dict[str, int]:
    """Of both (R36)."""
    return {**sides.other.cards, **sides.priority.cards}


def later_opt_out(sides: MergeSides) -> datetime | None:
    """An opt-out of either is an opt-out of the person (R37, R53)."""
    dates = [p.opted_out_at for p in (sides.priority, sides.other) if p.opted_out_at]
    return max(dates, default=None)


def subscriptions(sides: MergeSides) -> dict[Channel, Subscription]:
    """Subscribed beats awaiting confirmation beats unsubscribed; an opt-out beats them all (R37)."""
    channels = {**sides.other.subscriptions, **sides.priority.subscriptions}
    return {channel: _one_subscription(channel, sides) for channel in channels}


def _one_subscription(channel: Channel, sides: MergeSides) -> Subscription:
    """Where one side opted out, or did so later, only its statuses count: they were set since (R53)."""
    refused_at = later_opt_out(sides)
    counting = [p for p in (sides.priority, sides.other) if p.opted_out_at == refused_at]
    named = [p.subscriptions[channel] for p in counting if channel in p.subscriptions]
    if refused_at and not named:
        return Subscription(SubscriptionStatus.UNSUBSCRIBED, refused_at)
    return _strongest(named)


def _strongest(subscriptions: list[Subscription]) -> Subscription:
    best = min(STATUS_RANK[s.status] for s in subscriptions)
    return max((s for s in subscriptions if STATUS_RANK[s.status] == best), key=lambda s: s.since)


def latest_memberships(sides: MergeSides) -> dict[int, Membership]:
    """Per segmentation the later membership; on the same date the higher segment ID (R38)."""
    first, second = sides.priority.memberships, sides.other.memberships
    result = {**second, **first}
    for segmentation in first.keys() & second.keys():
        result[segmentation] = later(first[segmentation], second[segmentation])
    return result


def later(one: Membership, two: Membership) -> Membership:
    return max(one, two, key=lambda m: (m.since, m.segment))


def all_notes(sides: MergeSides) -> tuple[Any, ...]:
    """All of both are kept."""
    return tuple(sorted((*sides.priority.notes, *sides.other.notes), key=lambda n: n.at))


def stored_profile(sides: MergeSides) -> bool:  # noqa: ARG001
    """The result is a stored customer."""
    return False


@dataclass(frozen=True, slots=True)
class Policy:
    """How one field of a merged profile is made of two: `field` is its name in `Profile`, `merge` gives the
    value, `sentence` is what people are told.
    """

    field: str
    merge: Callable[[MergeSides], Any]
    sentence: str


SURVIVORSHIP: tuple[Policy, ...] = (
    Policy("maestra_id", keep_primary_id, gettext_noop("The lower MaestraID, or the one that was chosen.")),
    Policy(
        "members",
        all_members,
        gettext_noop("All MaestraIDs with their orders, points, promo codes and activity are kept."),
    ),
    Policy(
        "personal",
        whole_personal_set,
        gettext_noop(
            "All from the customer with priority, or all from the other one if they have none. The two "
            "are never mixed."
        ),
    ),
    Policy(
        "time_zone",
        priority_time_zone,
        gettext_noop("From the customer with priority, or else from the other one."),
    ),
    Policy(
        "custom_fields",
        custom_fields,
        gettext_noop(
            "From the customer with priority, or else from the other one; or the larger number, if the "
            "field is set so."
        ),
    ),
    Policy(
        "holdings",
        all_holdings,
        gettext_noop(
            "All identifiers of both are kept. The primary contacts and the current unique IDs are those "
            "of the "
            "customer with priority."
        ),
    ),
    Policy("claims", open_claims, gettext_noop("Claims of both, except for contacts that the result holds.")),
    Policy("cards", all_cards, gettext_noop("All of both are kept.")),
    Policy(
        "subscriptions",
        subscriptions,
        gettext_noop(
            "Subscribed overrides awaiting confirmation, which overrides unsubscribed. An opt-out "
            "overrides all."
        ),
    ),
    Policy(
        "memberships",
        latest_memberships,
        gettext_noop("The most recent segment of each segmentation is kept."),
    ),
    Policy("opted_out_at", later_opt_out, gettext_noop("If either one opted out, the result is opted out.")),
    Policy("notes", all_notes, gettext_noop("All of both are kept.")),
    Policy("ages", ages_of_kept, gettext_noop("Each value is as recent as it was where it came from.")),
    Policy("is_new", stored_profile, gettext_noop("The result is a stored customer.")),
)


def survive(sides: MergeSides) -> Profile:
    """The merged profile."""
    return Profile(**{policy.field: policy.merge(sides) for policy in SURVIVORSHIP})
