"""What each change does to the profiles it concerns, and which changes lead from one profile to another: for
each field of a profile both directions stand together. Pure, like the changes themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import datetime
from operator import attrgetter
from typing import Any, TypedDict, TypeVar, assert_never

from customers.changes import (
    ActionCounted,
    ApartLifted,
    CardDropped,
    CardSeen,
    Change,
    Claimed,
    ConfirmationAsked,
    ContactLost,
    ContactReceived,
    Created,
    CustomFieldsChanged,
    Dated,
    Erased,
    Held,
    IdentifiedChanged,
    IdentifierUsed,
    Joined,
    KeptApart,
    LedgerChange,
    MembershipChanged,
    Merged,
    NoteAdded,
    OptedOut,
    OrderSaved,
    OwnChange,
    PersonalDataChanged,
    PointsAdded,
    PromoCodeIssued,
    RegisteredEarlier,
    Released,
    StateChange,
    SubscriptionChanged,
    TimeZoneChanged,
    Unclaimed,
    Unmerged,
    UsedBefore,
    Why,
)
from customers.profile import (
    Ages,
    Channel,
    Claim,
    Holding,
    Key,
    Member,
    Membership,
    Personal,
    Profile,
    Subscription,
    counting,
)

K = TypeVar("K")
V = TypeVar("V")


def apply(profiles: dict[int, Profile], change: Change) -> None:
    """Bring `profiles` (by primary MaestraID) to the state after `change`."""
    match change:
        case Created():
            member = Member(change.maestra_id, change.registered_at)
            profiles[change.customer] = Profile(maestra_id=change.customer, members=(member,))
        case Merged():
            del profiles[change.absorbed.maestra_id]
            profiles[change.customer] = united(change.survivor, change.absorbed)
        case Unmerged():
            profiles[change.restored.maestra_id] = change.restored
            profiles[change.customer] = change.remaining
        case Erased():
            del profiles[change.customer]
        case _:
            before = profiles[change.customer]
            after = changed(before, change)
            if after is not before:
                profiles[change.customer] = after


def changed(profile: Profile, *changes: OwnChange) -> Profile:
    """The profile after changes that concern no other."""
    mutable = None
    for change in changes:
        alter = ALTERATIONS[type(change)]
        if alter is not None:
            mutable = mutable or MutableProfile(profile)
            alter(mutable, change)
    return mutable.profile() if mutable else profile


def diff(before: Profile, after: Profile, maestra_id: int, why: Why) -> list[StateChange]:
    """The changes that lead from one state of a profile to another. Members with their ledgers, cards and
    notes are not compared: only changes of their own alter them.
    """
    source = Source(customer=before.maestra_id, maestra_id=maestra_id, why=why)
    found: list[StateChange] = []
    for changes, old, new in zip(DIFFERENCES.values(), _compared(before), _compared(after), strict=True):
        if old != new:
            found += changes(old, new, source)
    return found


class Source(TypedDict):
    """What all changes of one difference have in common."""

    customer: int
    maestra_id: int
    why: Why


class MutableProfile:
    """A profile to which changes are applied. Its mappings are replaced, never altered."""

    __slots__ = tuple(f.name for f in fields(Profile))

    def __init__(self, p: Profile) -> None:
        self.maestra_id = p.maestra_id
        self.members = p.members
        self.personal = p.personal
        self.time_zone = p.time_zone
        self.custom_fields = p.custom_fields
        self.holdings = p.holdings
        self.claims = p.claims
        self.cards = p.cards
        self.subscriptions = p.subscriptions
        self.memberships = p.memberships
        self.opted_out_at = p.opted_out_at
        self.notes = p.notes
        self.ages = p.ages
        self.is_new = p.is_new

    def profile(self) -> Profile:
        """In the order of the fields, which is the fastest way to make one."""
        return Profile(*_in_order(self))


_in_order = attrgetter(*MutableProfile.__slots__)


def _personal(p: MutableProfile, c: PersonalDataChanged) -> None:
    p.personal = c.after


def _personal_changes(before: Personal, after: Personal, source: Source) -> list[StateChange]:
    return [PersonalDataChanged(**source, before=before, after=after)]


def _time_zone(p: MutableProfile, c: TimeZoneChanged) -> None:
    p.time_zone = c.after


def _time_zone_changes(before: str | None, after: str | None, source: Source) -> list[StateChange]:
    return [TimeZoneChanged(**source, before=before, after=after)]


def _custom_fields(p: MutableProfile, c: CustomFieldsChanged) -> None:
    kept = {name: value for name, value in p.custom_fields.items() if name not in c.before}
    p.custom_fields = {**kept, **c.after}


def _custom_field_changes(
    before: Mapping[str, Any], after: Mapping[str, Any], source: Source
) -> list[StateChange]:
    old, new = _apart(before, after)
    return [CustomFieldsChanged(**source, before=old, after=new)]


def _dated(p: MutableProfile, c: Dated) -> None:
    p.ages = c.ages


def _age_changes(_before: Ages, after: Ages, source: Source) -> list[StateChange]:
    return [Dated(**source, ages=after)]


def _held(p: MutableProfile, c: Held) -> None:
    p.holdings = {**p.holdings, c.after.key: c.after}


def _released(p: MutableProfile, c: Released) -> None:
    p.holdings = without(p.holdings, c.holding.key)


def _holding_changes(
    before: Mapping[Key, Holding], after: Mapping[Key, Holding], source: Source
) -> list[StateChange]:
    lost, won = _apart(before, after)
    released = [Released(**source, holding=holding) for key, holding in lost.items() if key not in won]
    held = [Held(**source, before=lost.get(key), after=holding) for key, holding in won.items()]
    return [*released, *held]


def _used(p: MutableProfile, c: IdentifierUsed) -> None:
    p.holdings = {**p.holdings, c.key: replace(p.holdings[c.key], used_at=c.at)}


def _claimed(p: MutableProfile, c: Claimed) -> None:
    p.claims = {**p.claims, c.claim.key: c.claim}


def _unclaimed(p: MutableProfile, c: Unclaimed) -> None:
    p.claims = without(p.claims, c.claim.key)


def _claim_changes(
    before: Mapping[Key, Claim], after: Mapping[Key, Claim], source: Source
) -> list[StateChange]:
    lost, won = _apart(before, after)
    dropped = [Unclaimed(**source, claim=claim) for key, claim in lost.items() if key not in won]
    return [*dropped, *(Claimed(**source, claim=claim) for claim in won.values())]


def _opted_out(p: MutableProfile, c: OptedOut) -> None:
    p.opted_out_at = c.at


def _opt_out_changes(before: datetime | None, after: datetime | None, source: Source) -> list[StateChange]:
    return [OptedOut(**source, before=before, at=after)]


def _subscription(p: MutableProfile, c: SubscriptionChanged) -> None:
    p.subscriptions = put(p.subscriptions, c.channel, c.after)


def _subscription_changes(
    before: Mapping[Channel, Subscription], after: Mapping[Channel, Subscription], source: Source
) -> list[StateChange]:
    lost, won = _apart(before, after)
    return [
        SubscriptionChanged(**source, channel=channel, before=lost.get(channel), after=won.get(channel))
        for channel in sorted({**lost, **won})
    ]


def _membership(p: MutableProfile, c: MembershipChanged) -> None:
    p.memberships = put(p.memberships, c.segmentation, c.after)


def _membership_changes(
    before: Mapping[int, Membership], after: Mapping[int, Membership], source: Source
) -> list[StateChange]:
    lost, won = _apart(before, after)
    return [
        MembershipChanged(**source, segmentation=number, before=lost.get(number), after=won.get(number))
        for number in sorted({**lost, **won})
    ]


def _note(p: MutableProfile, c: NoteAdded) -> None:
    p.notes = (*p.notes, c.note)


def _card(p: MutableProfile, c: CardSeen) -> None:
    p.cards = {c.card: c.maestra_id, **p.cards}


def _card_dropped(p: MutableProfile, c: CardDropped) -> None:
    p.cards = without(p.cards, c.card)


def _registered(p: MutableProfile, c: RegisteredEarlier) -> None:
    p.members = tuple(
        replace(m, registered_at=c.after) if m.maestra_id == c.maestra_id else m for m in p.members
    )


def _ledger(p: MutableProfile, c: LedgerChange) -> None:
    p.members = tuple([counted(m, c) if m.maestra_id == c.maestra_id else m for m in p.members])


ALTERATIONS: Mapping[type, Callable[[MutableProfile, Any], None] | None] = {
    PersonalDataChanged: _personal,
    TimeZoneChanged: _time_zone,
    CustomFieldsChanged: _custom_fields,
    Dated: _dated,
    RegisteredEarlier: _registered,
    Held: _held,
    IdentifierUsed: _used,
    Released: _released,
    Claimed: _claimed,
    Unclaimed: _unclaimed,
    SubscriptionChanged: _subscription,
    MembershipChanged: _membership,
    OptedOut: _opted_out,
    NoteAdded: _note,
    CardSeen: _card,
    CardDropped: _card_dropped,
    ActionCounted: _ledger,
    OrderSaved: _ledger,
    PointsAdded: _ledger,
    PromoCodeIssued: _ledger,
    UsedBefore: None,
    ContactLost: None,
    ContactReceived: None,
    Joined: None,
    KeptApart: None,
    ApartLifted: None,
    IdentifiedChanged: None,
    ConfirmationAsked: None,
}
"""What each change does to the profile it concerns; None where that is nothing."""
DIFFERENCES: Mapping[str, Callable[[Any, Any, Source], list[StateChange]]] = {
    "personal": _personal_changes,
    "time_zone": _time_zone_changes,
    "custom_fields": _custom_field_changes,
    "ages": _age_changes,
    "holdings": _holding_changes,
    "claims": _claim_changes,
    "opted_out_at": _opt_out_changes,
    "subscriptions": _subscription_changes,
    "memberships": _membership_changes,
}
"""For each field that can differ, the changes that lead from its value to another."""
_compared = attrgetter(*DIFFERENCES)


def counted(member: Member, change: LedgerChange) -> Member:
    """The member's facts with one more entry in its ledger."""
    match change:
        case ActionCounted():
            last = member.last_action_at
            return acted(member, max(last, change.at) if last else change.at)
        case OrderSaved():
            before = change.before
            return replace(
                member,
                orders_count=member.orders_count + (before is None),
                orders_total=member.orders_total + change.after.total - (before.total if before else 0),
            )
        case PointsAdded():
            return replace(
                member,
                points_count=member.points_count + 1,
                points_balance=member.points_balance + change.amount,
            )
        case PromoCodeIssued():
            return replace(member, promo_codes_count=member.promo_codes_count + 1)
        case _:
            assert_never(change)


def acted(member: Member, at: datetime) -> Member:
    """The member with another last action. Made in the order of its fields, which is fastest."""
    return Member(
        member.maestra_id,
        member.registered_at,
        member.orders_count,
        member.orders_total,
        member.points_count,
        member.points_balance,
        member.promo_codes_count,
        at,
    )


def united(survivor: Profile, absorbed: Profile) -> Profile:
    """The survivor with all that a merge moves: MaestraIDs with their ledgers, identifiers, claims, cards and
    notes. Its single values are its own still; what survivorship makes of them are changes of their own.
    """
    return replace(
        survivor,
        members=tuple(sorted((*survivor.members, *absorbed.members), key=lambda m: m.maestra_id)),
        holdings=_united_holdings(survivor.holdings, absorbed.holdings),
        claims={**absorbed.claims, **survivor.claims},
        cards={**absorbed.cards, **survivor.cards},
        notes=tuple(sorted((*survivor.notes, *absorbed.notes), key=lambda n: n.at)),
    )


def _united_holdings(first: Mapping[Key, Holding], second: Mapping[Key, Holding]) -> Mapping[Key, Holding]:
    """Of a unique value that both had, at most one still has, the way counts in which it is had now (R3)."""
    both = {key: counting(first[key], second[key]) for key in first.keys() & second.keys()}
    return {**second, **first, **both}


def put(mapping: Mapping[K, V], key: K, value: V | None) -> dict[K, V]:
    """The mapping with `key` set, or without it where the value is None."""
    rest = {k: v for k, v in mapping.items() if k != key}
    return rest if value is None else {**rest, key: value}


def without(mapping: Mapping[K, V], key: K) -> dict[K, V]:
    """The mapping less `key`."""
    return put(mapping, key, None)


def _apart(before: Mapping[K, V], after: Mapping[K, V]) -> tuple[dict[K, V], dict[K, V]]:
    """What of two mappings differs: the old entries and the new ones."""
    if not before:
        return {}, dict(after)
    old = {k: v for k, v in before.items() if k not in after or after[k] != v}
    new = {k: v for k, v in after.items() if k not in before or before[k] != v}
    return old, new
