"""Taking a merge back (R46).

Both come back as immediately before, except for what changed since: single values that differ from the
merge's result keep the newer value on the survivor, and an identifier returns to its side only if the profile
still holds it. What was written since is recorded under a MaestraID and goes with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from customers.changes import KeptApart, NoteAdded, Unmerged, Why
from customers.profile import (
    Ages,
    Category,
    Claim,
    Holding,
    Key,
    Note,
    Profile,
    Subscription,
    SubscriptionStatus,
    repaired_primaries,
    with_primary,
)
from dedup.engine.outcome import Outcome, OutcomeStatus
from dedup.engine.unit_of_work import UnitOfWork
from dedup.engine.world import World

K = TypeVar("K")
V = TypeVar("V")
FLAGS = ("gives_access", "must_be_confirmed", "confirmed_at", "is_primary", "was_primary_at")


@dataclass(frozen=True, slots=True)
class Journal:
    """What the merge left for its undo: both sides before it, and what it made of them."""

    merge_id: int
    survivor: Profile
    absorbed: Profile
    result: Profile

    def unique_ids(self) -> frozenset[Key]:
        """Unique IDs of before the merge. Who has them now decides whether they can be current again."""
        both = (*self.survivor.holdings.values(), *self.absorbed.holdings.values())
        return frozenset(h.key for h in both if h.category is Category.UNIQUE)


def undo(world: World, journal: Journal, now: datetime) -> Outcome:
    """Give both sides back. The pair is apart from then on, until a person lifts that. The world has whoever
    has a unique ID of the journal now.
    """
    work = UnitOfWork(world)
    current = work.profiles[journal.survivor.maestra_id]
    images, journal = journal, _without_taken_ids(journal, work)
    restored, remaining = _restored(current, journal, now), _remaining(current, journal, now)
    primary_id, back = remaining.maestra_id, restored.maestra_id
    split_off, left = _as_split(current, restored, journal), _as_left(current, remaining)
    work.emit(
        Unmerged(
            customer=primary_id,
            maestra_id=primary_id,
            merge_id=journal.merge_id,
            restored=split_off,
            remaining=left,
        )
    )
    for before, after in ((left, remaining), (split_off, restored)):
        work.emit_diff(before, after, after.maestra_id, Why.UNDO)
    for note in _notes(images, journal, (remaining, restored), now):
        owner = back if note.maestra_id in restored.maestra_ids else primary_id
        work.emit(NoteAdded(customer=owner, maestra_id=note.maestra_id, note=note))
    work.emit(KeptApart(customer=primary_id, maestra_id=primary_id, other=back, why=Why.UNDO))
    work.emit(KeptApart(customer=back, maestra_id=back, other=primary_id, why=Why.UNDO))
    work.note_identified()
    work.commit()
    return Outcome(OutcomeStatus.CHANGED, work.profiles[primary_id], tuple(work.changes))


def _without_taken_ids(journal: Journal, work: UnitOfWork) -> Journal:
    """The journal with the unique IDs that are registered elsewhere by now as former ones: its side had them,
    and they are current with somebody else (R3).
    """
    current = work.profiles[journal.survivor.maestra_id]
    taken = {
        key: h
        for key, h in current.holdings.items()
        if h.is_former and (holder := work.current_holder(key)) and holder.maestra_id != current.maestra_id
    }
    return replace(
        journal, survivor=_retired(journal.survivor, taken), absorbed=_retired(journal.absorbed, taken)
    )


def _retired(before: Profile, taken: Mapping[Key, Holding]) -> Profile:
    retired = {
        key: replace(h, is_former=True, retired_at=taken[key].retired_at)
        for key, h in before.holdings.items()
        if key in taken and not h.is_former
    }
    return replace(before, holdings={**before.holdings, **retired}) if retired else before


def _as_split(current: Profile, restored: Profile, journal: Journal) -> Profile:
    """The absorbed side as splitting alone leaves it: single values as before the merge, identifiers as they
    are now. What differs from `restored` becomes changes of its own.
    """
    return replace(
        journal.absorbed,
        members=restored.members,
        notes=restored.notes,
        cards=restored.cards,
        holdings=_as_now(restored, current),
        claims={key: c for key, c in current.claims.items() if c.origin in restored.maestra_ids},
    )


def _as_left(current: Profile, remaining: Profile) -> Profile:
    """The survivor as splitting alone leaves it: everything as it is now, less what goes."""
    ids = remaining.maestra_ids
    return replace(
        current,
        members=remaining.members,
        notes=remaining.notes,
        cards=remaining.cards,
        holdings=_as_now(remaining, current),
        claims={key: c for key, c in current.claims.items() if c.origin in ids},
    )


def _as_now(side: Profile, current: Profile) -> dict[Key, Holding]:
    """The side's identifiers as they are now. A former ID that both had is recorded under one side only."""
    now = {key: current.holdings[key] for key in side.holdings}
    return {key: h if h.origin in side.maestra_ids else side.holdings[key] for key, h in now.items()}


def _restored(current: Profile, journal: Journal, now: datetime) -> Profile:
    """The absorbed customer again. A refusal of all communication since the merge was the person's, so it
    holds for both (R53).
    """
    before = journal.absorbed
    refused = current.opted_out_at if current.opted_out_at != journal.result.opted_out_at else None
    subscriptions = dict(before.subscriptions)
    if refused:
        subscriptions = {c: _refused(s, refused) for c, s in subscriptions.items()}
    return replace(
        _side(current, before, journal, frozenset(), now),
        subscriptions=subscriptions,
        opted_out_at=refused or before.opted_out_at,
    )


def _refused(subscription: Subscription, at: datetime) -> Subscription:
    if subscription.status is SubscriptionStatus.UNSUBSCRIBED:
        return subscription
    return Subscription(SubscriptionStatus.UNSUBSCRIBED, at)


def _remaining(current: Profile, journal: Journal, now: datetime) -> Profile:
    """The survivor: its own values again, or the newer ones where they changed since the merge."""
    before, merged = journal.survivor, journal.result
    side = _side(current, before, journal, _newer_primaries(merged, current), now)
    return replace(
        side,
        personal=_newer(before.personal, merged.personal, current.personal),
        time_zone=_newer(before.time_zone, merged.time_zone, current.time_zone),
        custom_fields=_newer_each(before.custom_fields, merged.custom_fields, current.custom_fields),
        subscriptions=_newer_each(before.subscriptions, merged.subscriptions, current.subscriptions),
        memberships=_newer_each(before.memberships, merged.memberships, current.memberships),
        opted_out_at=_newer(before.opted_out_at, merged.opted_out_at, current.opted_out_at),
        ages=_newer_ages(before, merged, current),
    )


def _newer_ages(before: Profile, merged: Profile, current: Profile) -> Ages:
    """Those of the values that the survivor keeps (R59)."""
    personal = before if current.personal == merged.personal else current
    time_zone = before if current.time_zone == merged.time_zone else current
    fields = {}
    for name in {**before.custom_fields, **current.custom_fields}:
        is_newer = current.custom_fields.get(name) != merged.custom_fields.get(name)
        if age := (current if is_newer else before).ages.custom_fields.get(name):
            fields[name] = age
    return Ages(personal.ages.personal, time_zone.ages.time_zone, fields)


def _newer_primaries(merged: Profile, current: Profile) -> frozenset[Key]:
    """What became primary since the merge."""
    chosen = {h.key for h in current.holdings.values() if h.is_primary}
    return frozenset(chosen - {h.key for h in merged.holdings.values() if h.is_primary})


def _newer(before: V, merged: V, current: V) -> V:
    return before if current == merged else current


def _newer_each(before: Mapping[K, V], merged: Mapping[K, V], current: Mapping[K, V]) -> dict[K, V]:
    chosen = {
        key: before.get(key) if current.get(key) == merged.get(key) else current.get(key)
        for key in {**before, **merged, **current}
    }
    return {key: value for key, value in chosen.items() if value is not None}


def _side(
    current: Profile, before: Profile, journal: Journal, primaries: frozenset[Key], now: datetime
) -> Profile:
    """One side with the members, identifiers, claims, cards and notes recorded under its MaestraIDs.
    `primaries` were chosen since the merge and stay primary.
    """
    ids = before.maestra_ids
    former = {key: h for key, h in before.holdings.items() if h.is_former and key in current.holdings}
    holdings = {**former, **{key: h for key, h in current.holdings.items() if h.origin in ids}}
    holdings = _with_flags_of(holdings, before, journal.result)
    holdings = _with_current_ids_of(holdings, before, journal.result, current)
    return replace(
        before,
        members=tuple(m for m in current.members if m.maestra_id in ids),
        holdings=_with_primaries_of(holdings, before, primaries, now),
        claims=_claims_of(current, before, holdings),
        cards=_cards_of(current, before),
        notes=tuple(n for n in current.notes if n.maestra_id in ids),
    )


def _with_flags_of(holdings: dict[Key, Holding], before: Profile, merged: Profile) -> dict[Key, Holding]:
    """Flags that a holding owes to the merge are taken back; those that changed since stay."""
    result = dict(holdings)
    for key, holding in holdings.items():
        was, became = before.holdings.get(key), merged.holdings.get(key)
        if was and became:
            kept = {name: _newer(*(getattr(h, name) for h in (was, became, holding))) for name in FLAGS}
            result[key] = replace(holding, **kept)
    return result


def _with_current_ids_of(
    holdings: dict[Key, Holding], before: Profile, merged: Profile, profile: Profile
) -> dict[Key, Holding]:
    """Unique IDs are current again, unless the side has a newer one or theirs was cleared since (R3)."""
    result = dict(holdings)
    taken = {h.kind for h in holdings.values() if h.category is Category.UNIQUE and not h.is_former}
    for key, holding in holdings.items():
        was, became = before.holdings.get(key), merged.holdings.get(key)
        if not (was and became) or was.is_former or not holding.is_former or holding.kind in taken:
            continue
        if became.is_former or profile.current(holding.kind):
            result[key] = replace(holding, is_former=False, retired_at=None)
    return result


def _with_primaries_of(
    holdings: dict[Key, Holding], before: Profile, chosen: frozenset[Key], now: datetime
) -> Mapping[Key, Holding]:
    """The primary chosen since, else that of before, where the side still holds it."""
    own = {h.kind: key for key, h in before.holdings.items() if h.is_primary and key in holdings}
    newer = {key.kind: key for key in chosen if key in holdings}
    result = holdings
    for key in {**own, **newer}.values():
        result = with_primary(result, key, now)
    return repaired_primaries(result)


def _claims_of(current: Profile, before: Profile, holdings: Mapping[Key, Holding]) -> dict[Key, Claim]:
    """The side's claims less what it holds itself. Among them are those that were dropped because the merged
    profile held the value, or that both sides had.
    """
    named = current.holdings.keys() | current.claims.keys()
    dropped = {key: c for key, c in before.claims.items() if key in named}
    kept = {key: c for key, c in current.claims.items() if c.origin in before.maestra_ids}
    return {key: c for key, c in {**dropped, **kept}.items() if key not in holdings}


def _cards_of(current: Profile, before: Profile) -> dict[str, int]:
    """The side's payment card hashes, those included that both sides had (R10)."""
    shared = {card: origin for card, origin in before.cards.items() if card in current.cards}
    since = {card: origin for card, origin in current.cards.items() if origin in before.maestra_ids}
    return {**shared, **since}


def _notes(
    images: Journal, journal: Journal, sides: tuple[Profile, Profile], now: datetime
) -> Iterator[Note]:
    """A note for every identifier that a side had and does not get back; `journal` has those that it gets
    back as former ones only.
    """
    befores = ((images.survivor, journal.survivor), (images.absorbed, journal.absorbed))
    for (before, possible), side in zip(befores, sides, strict=True):
        for key, was in before.holdings.items():
            if key not in side.holdings or possible.holdings[key] != was:
                yield Note(now, before.maestra_id, "not_returned", key.kind, key.value)
