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

STATUS_RANK = {status: rank for rank, status in enumerate(SubscriptionStatus)}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two that become one. `survivor` is the MaestraID that stays primary; `stored` are the identifiers that
    have a holder already; `larger` are the numeric custom fields of which the larger value is kept (R35).
    """

    priority: Profile
    other: Profile
    survivor: int
    stored: Mapping[Key, Holding]
    larger: frozenset[str]
    at: datetime


def keep_primary_id(pair: Pair) -> int:
    """The lower MaestraID, or the one that was named (R33)."""
    return pair.survivor


def all_members(pair: Pair) -> tuple[Any, ...]:
    """Every MaestraID with its orders, points, promo codes and actions (R39); a record has none."""
    members = (m for p in (pair.priority, pair.other) if not p.is_new for m in p.members)
    return tuple(sorted(members, key=lambda m: m.maestra_id))


def whole_personal_set(pair: Pair) -> Personal:
    """The whole set of the priority customer, never mixed; where it has none, the other's whole set (R34)."""
    return pair.priority.personal or pair.other.personal


def priority_time_zone(pair: Pair) -> str | None:
    """The priority customer's, else the other's (R34)."""
    return pair.priority.time_zone or pair.other.time_zone


def custom_fields(pair: Pair) -> dict[str, Any]:
    """The priority customer's value, where it has none the other's; or the larger one (R35)."""
    first, second = pair.priority.custom_fields, pair.other.custom_fields
    result = {**second, **first}
    for name in pair.larger & first.keys() & second.keys():
        result[name] = max(first[name], second[name])
    return result


def all_holdings(pair: Pair) -> dict[Key, Holding]:
    """All of both with flags and confirmations; the primary and the current unique IDs are the priority
    customer's (R3, R36).
    """
    first, second = pair.priority.holdings, pair.other.holdings
    result = {**second, **first}
    for key in first.keys() & second.keys():
        base = pair.stored.get(key, first[key])
        result[key] = both_flags(base, first[key], second[key])
    for key in second.keys() - first.keys():
        result[key] = _yielding(second[key], pair)
    for kind in {h.kind for h in result.values() if h.category in WITH_PRIMARY}:
        leader = pair.priority.primary(kind) or pair.other.primary(kind)
        if leader:
            result = with_primary(result, leader.key, pair.at)
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


def _yielding(holding: Holding, pair: Pair) -> Holding:
    """The other customer's unique ID goes to history where the priority customer has a current one (R3)."""
    rival = holding.category is Category.UNIQUE and pair.priority.current(holding.kind)
    return (
        replace(holding, is_former=True, retired_at=pair.at) if rival and not holding.is_former else holding
    )


def open_claims(pair: Pair) -> dict[Key, Claim]:
    """Of both, less what is now held (R36)."""
    held = pair.priority.holdings.keys() | pair.other.holdings.keys()
    both = {**pair.other.claims, **pair.priority.claims}
    return {key: claim for key, claim in both.items() if key not in held}


def all_cards(pair: Pair) -> dict[str, int]:
    """Of both (R36)."""
    return {**pair.other.cards, **pair.priority.cards}


def later_opt_out(pair: Pair) -> datetime | None:
    """An opt-out of either is an opt-out of the person (R37, R53)."""
    dates = [p.opted_out_at for p in (pair.priority, pair.other) if p.opted_out_at]
    return max(dates, default=None)


def subscriptions(pair: Pair) -> dict[Channel, Subscription]:
    """Subscribed beats awaiting confirmation beats unsubscribed; an opt-out beats them all (R37)."""
    channels = {**pair.other.subscriptions, **pair.priority.subscriptions}
    return {channel: _one_subscription(channel, pair) for channel in channels}


def _one_subscription(channel: Channel, pair: Pair) -> Subscription:
    """Facing a side that opted out, or did so later, the other side's statuses count for nothing; its own,
    set anew since, do.
    """
    refused_at = later_opt_out(pair)
    sides = [p for p in (pair.priority, pair.other) if p.opted_out_at == refused_at]
    named = [p.subscriptions[channel] for p in sides if channel in p.subscriptions]
    if refused_at and not named:
        return Subscription(SubscriptionStatus.UNSUBSCRIBED, refused_at)
    return _strongest(named)


def _strongest(found: list[Subscription]) -> Subscription:
    best = min(STATUS_RANK[s.status] for s in found)
    return max((s for s in found if STATUS_RANK[s.status] == best), key=lambda s: s.since)


def latest_memberships(pair: Pair) -> dict[int, Membership]:
    """Per segmentation the later membership; on the same date the higher segment ID (R38)."""
    first, second = pair.priority.memberships, pair.other.memberships
    result = {**second, **first}
    for segmentation in first.keys() & second.keys():
        result[segmentation] = later(first[segmentation], second[segmentation])
    return result


def later(one: Membership, two: Membership) -> Membership:
    return max(one, two, key=lambda m: (m.since, m.segment))


def all_notes(pair: Pair) -> tuple[Any, ...]:
    """Of both, in the order of time."""
    return tuple(sorted((*pair.priority.notes, *pair.other.notes), key=lambda n: n.at))


def stored_profile(pair: Pair) -> bool:  # noqa: ARG001
    """What two become is a stored customer, whatever they were."""
    return False


SURVIVORSHIP: Mapping[str, Callable[[Pair], Any]] = {
    "maestra_id": keep_primary_id,
    "members": all_members,
    "personal": whole_personal_set,
    "time_zone": priority_time_zone,
    "custom_fields": custom_fields,
    "holdings": all_holdings,
    "claims": open_claims,
    "cards": all_cards,
    "subscriptions": subscriptions,
    "memberships": latest_memberships,
    "opted_out_at": later_opt_out,
    "notes": all_notes,
    "is_new": stored_profile,
}


def survive(pair: Pair) -> Profile:
    """The merged profile."""
    return Profile(**{name: policy(pair) for name, policy in SURVIVORSHIP.items()})
