"""What the history keeps of a change: its facts, without a word of prose (R40). `customers.history.reading`
words them when they are read.

An entry is `{"kind": …, "reason"?: …, "related"?: MaestraID, …facts}`. Flags of an identifier are listed
where they are true. Payment card hashes never get here (R10); changes that only serve the deciding leave no
entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

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
    Decision,
    Erased,
    Held,
    IdentifiedChanged,
    Joined,
    KeptApart,
    MembershipChanged,
    Merged,
    NoteAdded,
    OptedOut,
    Order,
    OrderSaved,
    PersonalDataChanged,
    PointsAdded,
    PromoCodeIssued,
    Released,
    SubscriptionChanged,
    TimeZoneChanged,
    Unclaimed,
    Unmerged,
    Why,
)
from customers.contact_types import CONTACT_TYPES
from customers.profile import PAYMENT_CARD, Category, Claim, Holding, Key, Membership, Personal, Subscription
from customers.storage.batch import Batch

Entry = dict[str, Any]
HistoryRows = list[tuple[int, Entry]]
"""Entries with the MaestraID each happened to."""

KIND_OF: Mapping[Category, str] = {
    **{type_.category: type_.name for type_ in CONTACT_TYPES},
    Category.UNIQUE: "identifier",
    Category.IDENTIFIER: "identifier",
    Category.DEVICE: "device",
    Category.MOBILE_DEVICE: "device",
}


def histories(batch: Batch) -> Iterator[tuple[int, datetime, list[Entry]]]:
    """One line of history per record and MaestraID: whose, when, and its entries in order. One after the
    other, to be rendered while it is at hand: after a whole batch that takes twice as long.
    """
    for record in batch.records:
        told: dict[int, list[Entry]] = {}
        for change in record.changes:
            for maestra_id, entry in ENTRIES[type(change)](change):
                told.setdefault(maestra_id, []).append(entry)
        for maestra_id, found in told.items():
            yield maestra_id, record.at, found


def history_facts(change: Change) -> HistoryRows:
    """What a change leaves in the history; nothing where it is silent."""
    return ENTRIES[type(change)](change)


def one(
    change: Change, kind: str, *, reason: str | None = None, related: int | None = None, **entry: Any
) -> HistoryRows:
    entry["kind"] = kind
    if reason is not None:
        entry["reason"] = reason
    if related is not None:
        entry["related"] = related
    return [(change.maestra_id, entry)]


def silent(_: Change) -> HistoryRows:
    return []


def _created(c: Created) -> HistoryRows:
    return one(c, "created", registered_at=c.registered_at)


def _personal(c: PersonalDataChanged) -> HistoryRows:
    return one(c, "personal_data", reason=c.why, before=_known(c.before), after=_known(c.after))


def _known(personal: Personal) -> dict[str, Any]:
    return personal.present()


def _time_zone(c: TimeZoneChanged) -> HistoryRows:
    before, after = ({"time_zone": zone} if zone else {} for zone in (c.before, c.after))
    return one(c, "personal_data", reason=c.why, before=before, after=after)


def _custom_fields(c: CustomFieldsChanged) -> HistoryRows:
    return one(c, "custom_fields", reason=c.why, before=c.before, after=c.after)


def _held(c: Held) -> HistoryRows:
    """A value that was confirmed has an entry that says so, also where the confirmation brought it."""
    old, new = c.before, c.after
    if old and _only_confirmed(old, new):
        return _confirmed(c)
    told = one(
        c,
        KIND_OF[new.category],
        reason=c.why,
        related=c.taken_from,
        type=new.kind,
        value=new.value,
        before=old and _flags(old),
        after=_flags(new),
    )
    is_news = c.why is Why.CONFIRMED and new.confirmed_at and not (old and old.confirmed_at)
    return told + _confirmed(c) if is_news else told


def _confirmed(c: Held) -> HistoryRows:
    return one(c, "confirmed", reason=c.why, type=c.after.kind, value=c.after.value)


def _only_confirmed(before: Holding, after: Holding) -> bool:
    return (
        before.confirmed_at is None
        and after.confirmed_at is not None
        and replace(before, confirmed_at=after.confirmed_at) == after
    )


def _flags(h: Holding) -> dict[str, bool]:
    flags = {}
    if h.is_former:
        flags["is_former"] = True
    if h.is_primary:
        flags["is_primary"] = True
    if h.confirmed_at:
        flags["is_confirmed"] = True
    elif h.must_be_confirmed:
        flags["is_pending"] = True
    if h.gives_access:
        flags["gives_account_access"] = True
    return flags


def _released(c: Released) -> HistoryRows:
    h = c.holding
    facts: Entry = {"type": h.kind, "value": h.value, "before": _flags(h), "after": None}
    return one(c, KIND_OF[h.category], reason=c.why, related=c.to, **facts)


def _claimed(c: Claimed) -> HistoryRows:
    return _claim(c, c.claim, before=None, after={"is_claim": True})


def _unclaimed(c: Unclaimed) -> HistoryRows:
    return _claim(c, c.claim, before={"is_claim": True}, after=None)


def _claim(c: Claimed | Unclaimed, claim: Claim, **states: Any) -> HistoryRows:
    return one(c, KIND_OF[claim.category], reason=c.why, type=claim.kind, value=claim.value, **states)


def _lost(c: ContactLost) -> HistoryRows:
    facts: Entry = {"type": c.kind, "value": c.value, "decided_by": c.criterion}
    return one(
        c, "contact_lost", reason=Why.SETTLED, related=c.to, **facts, was_held=c.was_held, pending=c.pending
    )


def _received(c: ContactReceived) -> HistoryRows:
    facts: Entry = {"type": c.kind, "value": c.value, "decided_by": c.criterion}
    return one(c, "contact_received", reason=Why.SETTLED, related=c.other, **facts, was_held=c.was_held)


def _note(c: NoteAdded) -> HistoryRows:
    n = c.note
    facts: Entry = {"type": n.kind, "value": n.value, "decided_by": n.decided_by}
    return one(c, "note", reason=n.reason, related=n.related, **facts)


def _subscription(c: SubscriptionChanged) -> HistoryRows:
    states: Entry = {"before": _consent(c.before), "after": _consent(c.after)}
    return one(c, "subscription", reason=c.why, channel=c.channel.channel, topic=c.channel.topic, **states)


def _consent(s: Subscription | None) -> dict[str, Any] | None:
    return {"status": s.status, "since": s.since} if s else None


def _membership(c: MembershipChanged) -> HistoryRows:
    states: Entry = {"before": _place(c.before), "after": _place(c.after)}
    return one(c, "segment", reason=c.why, segmentation=c.segmentation, **states)


def _place(m: Membership | None) -> dict[str, Any] | None:
    return {"segment": m.segment, "since": m.since} if m else None


def _opted_out(c: OptedOut) -> HistoryRows:
    return one(c, "opt_out", reason=c.why, before=c.before, after=c.at)


def _order(c: OrderSaved) -> HistoryRows:
    return one(c, "order", number=c.after.number, before=_sum(c.before), after=_sum(c.after))


def _sum(order: Order | None) -> dict[str, Any] | None:
    if order is None:
        return None
    return {
        "total": order.total,
        "currency": order.currency,
        "placed_at": order.placed_at,
        "status": order.status,
    }


def _points(c: PointsAdded) -> HistoryRows:
    return one(c, "points", number=c.number, amount=c.amount, why=c.reason)


def _promo_code(c: PromoCodeIssued) -> HistoryRows:
    return one(c, "promo_code", code=c.code, issued_at=c.issued_at)


def _joined(c: Joined) -> HistoryRows:
    return one(c, "joined", reason=c.decision.reason, **_evidence(c.decision))


def _merged(c: Merged) -> HistoryRows:
    facts: Entry = {"merged_maestra_ids": sorted(c.absorbed.maestra_ids), **_evidence(c.decision)}
    return one(c, "merged", reason=c.decision.reason, related=c.absorbed.maestra_id, **facts)


def _evidence(decision: Decision) -> dict[str, Any]:
    return {
        "matched": matched(decision.matched),
        "priority_maestra_id": decision.priority,
        "decided_by": decision.criterion,
    }


def matched(keys: Iterable[Key]) -> list[dict[str, str]]:
    """Values that matched, as they may be shown: without payment card hashes (R10)."""
    return [{"type": key.kind, "value": key.value} for key in keys if key.kind != PAYMENT_CARD]


def _unmerged(c: Unmerged) -> HistoryRows:
    """In both histories: they are two again."""
    back = c.restored.maestra_id
    facts: Entry = {"merge_id": c.merge_id, "restored_maestra_ids": sorted(c.restored.maestra_ids)}
    survivor = one(c, "unmerged", reason=Why.UNDO, related=back, **facts)
    (_, entry), *_ = one(c, "unmerged", reason=Why.UNDO, related=c.customer, **facts)
    return [*survivor, (back, entry)]


def _kept_apart(c: KeptApart) -> HistoryRows:
    return one(c, "apart", reason=c.why, related=c.other, is_lifted=False)


def _apart_lifted(c: ApartLifted) -> HistoryRows:
    return one(c, "apart", related=c.other, is_lifted=True)


def _erased(c: Erased) -> HistoryRows:
    return one(c, "erased")


ENTRIES: Mapping[type, Callable[[Any], HistoryRows]] = {
    Created: _created,
    PersonalDataChanged: _personal,
    TimeZoneChanged: _time_zone,
    CustomFieldsChanged: _custom_fields,
    Held: _held,
    Released: _released,
    Claimed: _claimed,
    Unclaimed: _unclaimed,
    ContactLost: _lost,
    ContactReceived: _received,
    NoteAdded: _note,
    CardDropped: silent,
    CardSeen: silent,
    SubscriptionChanged: _subscription,
    MembershipChanged: _membership,
    OptedOut: _opted_out,
    ActionCounted: silent,
    OrderSaved: _order,
    PointsAdded: _points,
    PromoCodeIssued: _promo_code,
    IdentifiedChanged: silent,
    ConfirmationAsked: silent,
    Joined: _joined,
    Merged: _merged,
    Unmerged: _unmerged,
    KeptApart: _kept_apart,
    ApartLifted: _apart_lifted,
    Erased: _erased,
}
"""What each change of the closed set tells the history."""
