"""A batch of changes compacted to the rows it leaves behind.

The same row may change many times within a batch; only its final state is written. Pure:
`customers.storage.saving` makes statements of it.

The final state follows merges. What a customer was given before it was absorbed, in the same batch, belongs
to the profile it ended in; its single values and subscriptions stay with it as they were at the merge (R46).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
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
)
from customers.profile import DEVICES, NOBODY, Channel, Claim, Holding, Key, Note, Profile, Subscription
from customers.storage.batch import Batch, RecordChanges


@dataclass(slots=True)
class CustomFields:
    """What becomes of the custom fields of a row: emptied first or not, some removed, some set."""

    is_emptied: bool = False
    removed: set[str] = field(default_factory=set)
    values: dict[str, Any] = field(default_factory=dict)

    def take(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        for name in before.keys() - after.keys():
            self.values.pop(name, None)
            self.removed.add(name)
        self.values.update(after)
        self.removed.difference_update(after)


@dataclass(slots=True)
class Facts:
    """What is added to the counts of a MaestraID."""

    orders_count: int = 0
    orders_total: Decimal = Decimal(0)
    points_count: int = 0
    points_balance: Decimal = Decimal(0)
    promo_codes_count: int = 0
    last_action_at: datetime | None = None


@dataclass(slots=True)
class Value:
    """The row of a value. `customer` is its holder at the time it was given, None where nobody holds it.

    `is_stored` tells that the changes themselves presuppose the row, `was_free` that they presuppose nobody
    holds it.
    """

    raw: str
    customer: int | None = None
    holding: Holding | None = None
    is_stored: bool = False
    was_free: bool = False


@dataclass(slots=True)
class OrderRow:
    maestra_id: int
    order: Order
    is_new: bool


@dataclass(slots=True)
class FinalState:
    """Rows by what identifies them.

    `primary_ids` leads from a MaestraID whose pointer changes to its new primary one. `emptied` are customers
    whose identifiers and claims are taken away before the batch gives any; `resubscribed` the same for
    subscriptions, `erased` for cards and devices. `dropped_*` are single rows to be taken away, under the
    customer they stood under before the batch. `absorbed` are the customers merged into one within the batch.
    """

    created: dict[int, tuple[datetime, int | None]] = field(default_factory=dict)
    primary_ids: dict[int, int] = field(default_factory=dict)
    absorbed: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    singles: defaultdict[int, dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))
    custom_fields: defaultdict[int, CustomFields] = field(default_factory=lambda: defaultdict(CustomFields))
    facts: defaultdict[int, Facts] = field(default_factory=lambda: defaultdict(Facts))
    values: dict[Key, Value] = field(default_factory=dict)
    emptied: set[int] = field(default_factory=set)
    claims: defaultdict[int, dict[Key, Claim]] = field(default_factory=lambda: defaultdict(dict))
    dropped_claims: set[tuple[int, Key]] = field(default_factory=set)
    cards: defaultdict[int, dict[str, tuple[int, datetime]]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    dropped_cards: set[tuple[int, str]] = field(default_factory=set)
    device_uses: set[tuple[Key, int, datetime]] = field(default_factory=set)
    subscriptions: dict[tuple[int, Channel], Subscription | None] = field(default_factory=dict)
    resubscribed: set[int] = field(default_factory=set)
    orders: dict[str, OrderRow] = field(default_factory=dict)
    points: list[PointsAdded] = field(default_factory=list)
    promo_codes: list[PromoCodeIssued] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    relations: dict[tuple[int, int, Key], tuple[str, bool, datetime]] = field(default_factory=dict)
    erased: set[int] = field(default_factory=set)

    def primary_id(self, customer: int) -> int:
        """The profile a customer belongs to by now."""
        return self.primary_ids.get(customer, customer)

    def rows_of(self, customer: int) -> list[int]:
        """The customers under which the rows of a profile stood before the batch."""
        return [customer, *self.absorbed.get(customer, ())]


def compact(batch: Batch) -> FinalState:
    """The rows a batch leaves behind."""
    result = FinalState()
    for record in batch.records:
        for change in record.changes:
            COMPACTORS[type(change)](result, change, record)
    return result


def _created(state: FinalState, c: Created, record: RecordChanges) -> None:
    state.created[c.customer] = (c.registered_at, record.point)


def _personal(state: FinalState, c: PersonalDataChanged, _: RecordChanges) -> None:
    state.singles[c.customer]["personal"] = c.after


def _time_zone(state: FinalState, c: TimeZoneChanged, _: RecordChanges) -> None:
    state.singles[c.customer]["time_zone"] = c.after


def _opted_out(state: FinalState, c: OptedOut, _: RecordChanges) -> None:
    state.singles[c.customer]["opted_out_at"] = c.at


def _identified(state: FinalState, c: IdentifiedChanged, _: RecordChanges) -> None:
    state.singles[c.customer]["is_identified"] = c.is_identified


def _custom_fields(state: FinalState, c: CustomFieldsChanged, _: RecordChanges) -> None:
    state.custom_fields[c.customer].take(c.before, c.after)


def _held(state: FinalState, c: Held, record: RecordChanges) -> None:
    holding, key = c.after, c.after.key
    row = state.values.get(key)
    if row is None:
        was_held = c.before is not None or c.taken_from is not None
        row = state.values[key] = Value(holding.raw, is_stored=was_held, was_free=not was_held)
    row.raw, row.customer, row.holding = holding.raw, c.customer, holding
    if c.before is None and holding.category in DEVICES:
        state.device_uses.add((key, holding.origin, record.at))


def _released(state: FinalState, c: Released, _: RecordChanges) -> None:
    """Takes the value from its holder only: it may have been given on already."""
    row = state.values.get(c.holding.key)
    if row is None:
        state.values[c.holding.key] = Value(c.holding.raw, is_stored=True)
    elif row.customer is not None and state.primary_id(row.customer) == c.customer:
        row.customer = row.holding = None
    else:
        row.was_free = False


def _claimed(state: FinalState, c: Claimed, _: RecordChanges) -> None:
    _drop_claim(state, c.customer, c.claim.key)
    state.claims[c.customer][c.claim.key] = c.claim


def _unclaimed(state: FinalState, c: Unclaimed, _: RecordChanges) -> None:
    _drop_claim(state, c.customer, c.claim.key)
    state.claims[c.customer].pop(c.claim.key, None)


def _drop_claim(state: FinalState, customer: int, key: Key) -> None:
    state.dropped_claims.update((row, key) for row in state.rows_of(customer))


def _card(state: FinalState, c: CardSeen, record: RecordChanges) -> None:
    state.cards[c.customer].setdefault(c.card, (c.maestra_id, record.at))


def _card_dropped(state: FinalState, c: CardDropped, _: RecordChanges) -> None:
    state.dropped_cards.update((row, c.card) for row in state.rows_of(c.customer))
    state.cards[c.customer].pop(c.card, None)


def _subscription(state: FinalState, c: SubscriptionChanged, _: RecordChanges) -> None:
    state.subscriptions[c.customer, c.channel] = c.after


def _action(state: FinalState, c: ActionCounted, _: RecordChanges) -> None:
    facts = state.facts[c.maestra_id]
    facts.last_action_at = max(filter(None, (facts.last_action_at, c.at)))


def _order(state: FinalState, c: OrderSaved, _: RecordChanges) -> None:
    facts = state.facts[c.maestra_id]
    facts.orders_count += c.before is None
    facts.orders_total += c.after.total - (c.before.total if c.before else 0)
    row = state.orders.get(c.after.number)
    if row:
        row.order = c.after
    else:
        state.orders[c.after.number] = OrderRow(c.maestra_id, c.after, is_new=c.before is None)


def _points(state: FinalState, c: PointsAdded, _: RecordChanges) -> None:
    facts = state.facts[c.maestra_id]
    facts.points_count += 1
    facts.points_balance += c.amount
    state.points.append(c)


def _promo_code(state: FinalState, c: PromoCodeIssued, _: RecordChanges) -> None:
    state.facts[c.maestra_id].promo_codes_count += 1
    state.promo_codes.append(c)


def _note(state: FinalState, c: NoteAdded, _: RecordChanges) -> None:
    state.notes.append(c.note)


def _lost(state: FinalState, c: ContactLost, record: RecordChanges) -> None:
    state.relations[c.maestra_id, c.to, Key(c.kind, c.value)] = (c.criterion, False, record.at)


def _received(state: FinalState, c: ContactReceived, record: RecordChanges) -> None:
    state.relations[c.maestra_id, c.other, Key(c.kind, c.value)] = (c.criterion, True, record.at)


def _merged(state: FinalState, c: Merged, _: RecordChanges) -> None:
    """Identifiers, claims and cards of both, the survivor's where both have one; the rest of the absorbed
    stays (R36).
    """
    away = c.absorbed.maestra_id
    for key in c.absorbed.claims.keys() & c.survivor.claims.keys():
        _drop_claim(state, away, key)
    for card in c.absorbed.cards.keys() & c.survivor.cards.keys():
        state.dropped_cards.update((row, card) for row in state.rows_of(away))
    state.claims[c.customer] = {**state.claims.pop(away, {}), **state.claims.get(c.customer, {})}
    state.cards[c.customer] = {**state.cards.pop(away, {}), **state.cards.get(c.customer, {})}
    state.absorbed[c.customer] += [away, *state.absorbed.pop(away, ())]
    state.primary_ids.update(dict.fromkeys(c.absorbed.maestra_ids, c.customer))


def _unmerged(state: FinalState, c: Unmerged, record: RecordChanges) -> None:
    """Both sides are written whole from their images."""
    _empty(state, c.customer)
    state.absorbed.pop(c.customer, None)
    state.primary_ids.update(dict.fromkeys(c.restored.maestra_ids, c.restored.maestra_id))
    for profile in (c.restored, c.remaining):
        _write_whole(state, profile, record.at)


def _write_whole(state: FinalState, profile: Profile, at: datetime) -> None:
    customer = profile.maestra_id
    state.singles[customer] = {
        "personal": profile.personal,
        "time_zone": profile.time_zone,
        "opted_out_at": profile.opted_out_at,
        "is_identified": profile.is_identified,
    }
    state.custom_fields[customer] = CustomFields(is_emptied=True, values=dict(profile.custom_fields))
    for key, holding in profile.holdings.items():
        state.values[key] = Value(holding.raw, customer, holding, is_stored=True)
    state.claims[customer] = dict(profile.claims)
    state.cards[customer] = {card: (origin, at) for card, origin in profile.cards.items()}
    _resubscribe(state, customer, profile.subscriptions)


def _resubscribe(state: FinalState, customer: int, subscriptions: Mapping[Channel, Subscription]) -> None:
    for key in [key for key in state.subscriptions if key[0] == customer]:
        del state.subscriptions[key]
    state.resubscribed.add(customer)
    state.subscriptions.update({(customer, channel): sub for channel, sub in subscriptions.items()})


def _erased(state: FinalState, c: Erased, record: RecordChanges) -> None:
    """The person is gone from what the profile is read from (R54)."""
    _empty(state, c.customer)
    state.cards.pop(c.customer, None)
    for maestra_id in c.maestra_ids:
        state.erased.add(maestra_id)
        state.singles[maestra_id] = {
            "personal": NOBODY,
            "time_zone": None,
            "opted_out_at": None,
            "is_identified": False,
            "erased_at": record.at,
        }
        state.custom_fields[maestra_id] = CustomFields(is_emptied=True)
        _resubscribe(state, maestra_id, {})


def _empty(state: FinalState, customer: int) -> None:
    """Take every identifier and claim from a profile, those given in this batch included."""
    state.emptied.update(state.rows_of(customer))
    for row in state.values.values():
        if row.customer is not None and state.primary_id(row.customer) == customer:
            row.customer = row.holding = None
    state.claims.pop(customer, None)


def _nothing(_: FinalState, __: Change, ___: RecordChanges) -> None:
    """The change leaves history at most, or another app writes it."""


COMPACTORS: Mapping[type, Callable[[FinalState, Any, RecordChanges], None]] = {
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
    CardDropped: _card_dropped,
    CardSeen: _card,
    SubscriptionChanged: _subscription,
    MembershipChanged: _nothing,
    OptedOut: _opted_out,
    ActionCounted: _action,
    OrderSaved: _order,
    PointsAdded: _points,
    PromoCodeIssued: _promo_code,
    IdentifiedChanged: _identified,
    ConfirmationAsked: _nothing,
    Joined: _nothing,
    Merged: _merged,
    Unmerged: _unmerged,
    KeptApart: _nothing,
    ApartLifted: _nothing,
    Erased: _erased,
}
"""What each change of the closed set does to the rows."""
