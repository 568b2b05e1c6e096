"""The changes that lead from one state of a profile to another. Pure, like the changes themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict, TypeVar

from customers.changes import (
    Claimed,
    CustomFieldsChanged,
    Held,
    MembershipChanged,
    OptedOut,
    PersonalDataChanged,
    Released,
    StateChange,
    SubscriptionChanged,
    TimeZoneChanged,
    Unclaimed,
    Why,
)
from customers.profile import Profile

K = TypeVar("K")
V = TypeVar("V")


def diff(before: Profile, after: Profile, maestra_id: int, why: Why) -> list[StateChange]:
    """The changes that lead from one state of a profile to another. Ledgers and notes only ever grow, so they
    are not compared.
    """
    who = _Who(customer=before.maestra_id, maestra_id=maestra_id)
    found: list[StateChange] = []
    if before.personal != after.personal:
        found.append(PersonalDataChanged(**who, before=before.personal, after=after.personal, why=why))
    if before.time_zone != after.time_zone:
        found.append(TimeZoneChanged(**who, before=before.time_zone, after=after.time_zone, why=why))
    if before.custom_fields != after.custom_fields:
        old, new = _apart(before.custom_fields, after.custom_fields)
        found.append(CustomFieldsChanged(**who, before=old, after=new, why=why))
    if before.holdings != after.holdings:
        found += _diff_holdings(before, after, who, why)
    if before.claims != after.claims:
        found += _diff_claims(before, after, who, why)
    if before.opted_out_at != after.opted_out_at:
        found.append(OptedOut(**who, before=before.opted_out_at, at=after.opted_out_at, why=why))
    if before.subscriptions != after.subscriptions:
        found += _diff_subscriptions(before, after, who, why)
    if before.memberships != after.memberships:
        found += _diff_memberships(before, after, who, why)
    return found


def _diff_holdings(before: Profile, after: Profile, who: _Who, why: Why) -> list[StateChange]:
    lost, won = _apart(before.holdings, after.holdings)
    released = [Released(**who, holding=holding, why=why) for key, holding in lost.items() if key not in won]
    held = [Held(**who, before=lost.get(key), after=holding, why=why) for key, holding in won.items()]
    return [*released, *held]


def _diff_claims(before: Profile, after: Profile, who: _Who, why: Why) -> list[StateChange]:
    lost, won = _apart(before.claims, after.claims)
    dropped = [Unclaimed(**who, claim=claim, why=why) for key, claim in lost.items() if key not in won]
    return [*dropped, *(Claimed(**who, claim=claim, why=why) for claim in won.values())]


def _diff_subscriptions(before: Profile, after: Profile, who: _Who, why: Why) -> list[StateChange]:
    lost, won = _apart(before.subscriptions, after.subscriptions)
    return [
        SubscriptionChanged(**who, channel=channel, before=lost.get(channel), after=won.get(channel), why=why)
        for channel in sorted({**lost, **won})
    ]


def _diff_memberships(before: Profile, after: Profile, who: _Who, why: Why) -> list[StateChange]:
    lost, won = _apart(before.memberships, after.memberships)
    return [
        MembershipChanged(**who, segmentation=number, before=lost.get(number), after=won.get(number), why=why)
        for number in sorted({**lost, **won})
    ]


class _Who(TypedDict):
    customer: int
    maestra_id: int


def _apart(before: Mapping[K, V], after: Mapping[K, V]) -> tuple[dict[K, V], dict[K, V]]:
    """What of two mappings differs: the old entries and the new ones."""
    if not before:
        return {}, dict(after)
    old = {k: v for k, v in before.items() if k not in after or after[k] != v}
    new = {k: v for k, v in after.items() if k not in before or before[k] != v}
    return old, new
