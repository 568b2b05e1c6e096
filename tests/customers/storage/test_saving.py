"""Writers: the tables come to hold what `apply` makes of the profiles, in a fixed number of statements."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import date
from decimal import Decimal
from typing import Any, get_args

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers import changes as ch
from customers.changes import Change, Decision, SilentChange, Why
from customers.history_kinds import FACTS
from customers.models import Change as ChangeRow
from customers.models import Claim as ClaimRow
from customers.models import Customer, DeviceUse, Identifier, Relation
from customers.models import Note as NoteRow
from customers.profile import (
    CONTACTS,
    WITH_PRIMARY,
    Category,
    Channel,
    Claim,
    Holding,
    Key,
    Membership,
    Note,
    Personal,
    Profile,
    Subscription,
    SubscriptionStatus,
)
from customers.storage import saving as customers_saving
from customers.storage.loading import load_profiles
from customers.storage.saving import all_tables, handlers_of
from customers.storage.sql import Overtaken, as_json
from customers.storage.tables.base import Lineage
from customers.transitions import apply, united
from dedup.engine.outcome import BlockedMatch, Veto
from dedup.engine.reasons import Reason
from dedup.models import ApartPair, Merge, ReviewPair
from dedup.storage import saving as dedup_saving
from dedup.storage.profile_json import from_json
from segments.models import Segment, Segmentation
from tests.customers.storage.saving import NOON, batch_of, holding, make_kinds, minutes, new_ids, record, save

pytestmark = pytest.mark.django_db

ANN, BEN = Key("email", "ann@example.com"), Key("email", "ben@example.com")
PHONE, DEVICE = Key("mobile_phone", "+14155550122"), Key("device_id", "d-1")
EVERY_CHANGE = {member for member in get_args(Change) if isinstance(member, type)}


@pytest.fixture(autouse=True)
def kinds():
    make_kinds()


def created(customer: int, **facts: Any) -> ch.Created:
    return ch.Created(customer=customer, maestra_id=customer, registered_at=facts.get("at", NOON))


def held(customer: int, key: Key, **facts: Any) -> ch.Held:
    origin = facts.pop("origin", customer)
    before, taken_from = facts.pop("before", None), facts.pop("taken_from", None)
    after = holding(key, origin, **facts)
    return ch.Held(customer=customer, maestra_id=customer, before=before, after=after, taken_from=taken_from)


def claimed(customer: int, key: Key) -> ch.Claimed:
    claim = Claim(key.kind, key.value, Category(key.kind), "As Typed", customer, NOON)
    return ch.Claimed(customer=customer, maestra_id=customer, claim=claim)


def merged(survivor: Profile, absorbed: Profile) -> ch.Merged:
    return ch.Merged(
        customer=survivor.maestra_id,
        maestra_id=survivor.maestra_id,
        absorbed=absorbed,
        survivor=survivor,
        result=united(survivor, absorbed),
        decision=Decision(reason=Reason.MATCHED_EXACTLY, matched=(ANN,), criterion="orders"),
    )


def after(*changes: Change) -> dict[int, Profile]:
    profiles: dict[int, Profile] = {}
    for change in changes:
        apply(profiles, change)
    return profiles


@contextmanager
def counted() -> Iterator[Callable[[], int]]:
    """Counts the statements PostgreSQL completes, those of one message and COPYs included."""
    connection.ensure_connection()
    total: list[int] = []
    with tempfile.NamedTemporaryFile("r") as trace:
        descriptor = os.open(trace.name, os.O_WRONLY)
        connection.connection.pgconn.trace(descriptor)
        try:
            yield lambda: total[0]
        finally:
            connection.connection.pgconn.untrace()
            os.close(descriptor)
        total.append(len(re.findall("CommandComplete", trace.read())))


def test_every_change_has_a_writer_and_an_entry():
    lineage = Lineage()
    assert set(handlers_of([*all_tables(lineage), lineage])) == EVERY_CHANGE
    assert set(FACTS) == EVERY_CHANGE - set(get_args(SilentChange))


def registrations(count: int, prefix: str) -> list[Any]:
    """Records such as a site sends: contacts, a device, a claim, personal data, consent, an order."""
    ids = new_ids(count)
    return [record(*_registration(n, f"{prefix}{n}"), at=minutes(n)) for n in ids]


def _registration(n: int, name: str) -> Iterator[Change]:
    who: Any = {"customer": n, "maestra_id": n}
    yield created(n)
    yield held(n, Key("email", f"{name}@example.com"))
    yield held(n, Key("device_id", name))
    yield claimed(n, Key("mobile_phone", f"+1{name}"))
    yield ch.PersonalDataChanged(**who, before=Personal(), after=Personal(last_name=name))
    subscription = Subscription(SubscriptionStatus.SUBSCRIBED, NOON)
    yield ch.SubscriptionChanged(**who, channel=Channel("email"), before=None, after=subscription)
    order = ch.Order(number=name, total=Decimal("59.90"), currency="USD", placed_at=NOON, status="paid")
    yield ch.OrderSaved(**who, before=None, after=order)
    yield ch.ActionCounted(**who, at=NOON)
    yield ch.CardSeen(**who, card=f"hash-{name}")
    yield ch.NoteAdded(**who, note=Note(NOON, n, "settled", "email", name, related=1, decided_by="orders"))
    yield ch.ContactLost(
        **who, kind="email", value=name, to=n + 1, criterion="orders", was_held=False, pending=False
    )


@pytest.mark.parametrize("count", [1, 100, 1000])
def test_new_customers_take_a_fixed_number_of_statements(count):
    batch = batch_of(registrations(count, "n"))
    with counted() as statements:
        customers_saving.save(batch)
    assert statements() == 12


def test_edits_take_a_fixed_number_of_statements():
    taken = []
    for count in (1, 100, 1000):
        records = registrations(count, f"e{count}x")
        save(records)
        known = [c.after.key for r in records for c in r.changes if isinstance(c, ch.Held)]
        edits = [record(*_edit(r.changes[1]), at=r.at) for r in records]
        batch = batch_of(edits, known)
        with counted() as statements:
            customers_saving.save(batch)
        taken.append(statements())
    assert taken == [5, 5, 5]


def _edit(before: Any) -> Iterator[Change]:
    who: Any = {"customer": before.customer, "maestra_id": before.customer}
    yield held(before.customer, before.after.key, before=before.after, is_primary=True, gives_access=True)
    yield ch.TimeZoneChanged(**who, before=None, after="Europe/Berlin")
    yield ch.CustomFieldsChanged(**who, before={}, after={"shoe_size": 42})
    yield ch.ActionCounted(**who, at=minutes(5))


@pytest.mark.parametrize("count", [1, 100, 1000])
def test_merges_take_a_fixed_number_of_statements(count):
    records, merges = registrations(2 * count, f"m{count}x"), []
    save(records)
    for left, right in zip(records[::2], records[1::2], strict=True):
        one, other = (next(iter(after(*r.changes).values())) for r in (left, right))
        merges.append(record(merged(one, other)))
    batch = batch_of(merges)
    with counted() as statements:
        customers_saving.save(batch)
        dedup_saving.save(batch)
    assert statements() == 9


def test_a_customer_created_and_changed_in_one_batch_is_one_row():
    (n,) = new_ids(1)
    who: Any = {"customer": n, "maestra_id": n}
    ann, bond = (
        Personal(first_name="Ann"),
        Personal(first_name="Ann", last_name="Bond", birth_date=date(1990, 1, 31)),
    )
    save(
        [
            record(created(n), ch.PersonalDataChanged(**who, before=Personal(), after=ann), point=None),
            record(ch.PersonalDataChanged(**who, before=ann, after=bond)),
            record(
                ch.CustomFieldsChanged(
                    **who, before={}, after={"size": Decimal("42.50"), "colour": "re\td\n\\N"}
                )
            ),
            record(ch.IdentifiedChanged(**who, is_identified=True)),
        ]
    )
    row = Customer.objects.values(
        "profile_id", "last_name", "birth_date", "custom_fields", "is_identified"
    ).get(pk=n)
    assert row == {
        "profile_id": n,
        "last_name": "Bond",
        "birth_date": date(1990, 1, 31),
        "custom_fields": {"size": 42.5, "colour": "re\td\n\\N"},
        "is_identified": True,
    }


def test_a_value_given_on_within_a_batch_ends_with_its_last_holder():
    one, two, three = new_ids(3)
    first = held(one, DEVICE)
    save(
        [
            record(created(one), first),
            record(created(two), held(two, DEVICE, taken_from=one)),
            record(ch.Released(customer=one, maestra_id=one, holding=first.after, to=two, why=Why.MOVED)),
            record(created(three), claimed(three, ANN)),
        ]
    )
    rows = Identifier.objects.order_by("kind_id").values_list("value", "customer_id", "origin_id")
    assert list(rows) == [("ann@example.com", None, None), ("d-1", two, two)]
    assert set(DeviceUse.objects.values_list("origin_id", flat=True)) == {one, two}
    assert list(ClaimRow.objects.values_list("identifier__value", "customer_id", "raw")) == [
        ("ann@example.com", three, "As Typed")
    ]


def test_what_a_customer_got_before_it_was_merged_follows_the_merges():
    a, b, c = new_ids(3)
    changes: list[Change] = [
        created(a),
        created(b),
        created(c),
        held(a, ANN),
        held(b, PHONE),
        claimed(a, BEN),
    ]
    profiles = after(*changes)
    changes.append(merged(profiles[b], profiles[a]))
    apply(profiles, changes[-1])
    changes.append(merged(profiles[c], profiles[b]))
    apply(profiles, changes[-1])
    save([record(*changes)])
    assert load_profiles([a, b, c]) == profiles
    assert set(Customer.objects.values_list("id", "profile_id")) == {(a, c), (b, c), (c, c)}


def test_of_two_claims_that_meet_in_a_merge_the_survivors_is_kept():
    a, b = new_ids(2)
    changes: list[Change] = [created(a), created(b), claimed(a, ANN), claimed(b, ANN)]
    profiles = after(*changes)
    save([record(*changes)])
    save([record(merged(profiles[b], profiles[a]))], known=[ANN])
    assert list(ClaimRow.objects.values_list("customer_id", "origin_id")) == [(b, b)]
    undo = ch.Unmerged(customer=b, maestra_id=b, merge_id=0, restored=profiles[a], remaining=profiles[b])
    save([record(undo, merged(profiles[a], profiles[b]))], known=[ANN])
    assert list(ClaimRow.objects.values_list("customer_id", "origin_id")) == [(a, a)]


def test_a_value_believed_new_that_somebody_registered_meanwhile_is_a_unique_violation():
    one, two = new_ids(2)
    save([record(created(one), held(one, ANN))])
    with pytest.raises(IntegrityError):
        save([record(created(two), held(two, ANN))])
    assert list(load_profiles([one, two])) == [one]


def test_a_value_believed_free_that_found_a_holder_meanwhile_is_a_serialization_failure():
    one, two = new_ids(2)
    save([record(created(one), held(one, ANN))])
    with pytest.raises(Overtaken) as raised:
        save([record(created(two), held(two, ANN))], known=[ANN])
    assert getattr(raised.value.__cause__, "sqlstate", None) == "40001"
    assert list(load_profiles([one, two])) == [one]


def test_a_released_value_keeps_its_row_and_can_be_held_again():
    one, two = new_ids(2)
    first = held(one, ANN, is_primary=True, gives_access=True, must_be_confirmed=True, confirmed_at=NOON)
    save([record(created(one), first)])
    row = Identifier.objects.get()
    save([record(ch.Released(customer=one, maestra_id=one, holding=first.after))], known=[ANN])
    free = Identifier.objects.get()
    assert (free.pk, free.raw, free.customer_id, free.is_primary, free.gives_access) == (
        row.pk,
        "ANN@EXAMPLE.COM",
        None,
        False,
        False,
    )
    save([record(created(two), held(two, ANN))], known=[ANN])
    assert Identifier.objects.get().customer_id == two


def test_history_is_one_row_per_record_and_maestra_id_and_knows_no_payment_card():
    one, two = new_ids(2)
    save(
        [
            record(
                created(one),
                ch.CardSeen(customer=one, maestra_id=one, card="f00d"),
                ch.TimeZoneChanged(customer=one, maestra_id=one, before=None, after="Asia/Tokyo"),
                ch.Joined(
                    customer=one,
                    maestra_id=one,
                    decision=Decision(
                        reason=Reason.PAYMENT_CARD, matched=(Key("payment_card_hash", "f00d"),)
                    ),
                ),
                created(two),
                at=minutes(3),
            ),
            record(ch.ActionCounted(customer=one, maestra_id=one, at=NOON)),
        ]
    )
    rows = ChangeRow.objects.order_by("id").values_list("maestra_id", "at", "data")
    assert list(rows) == [
        (
            one,
            minutes(3),
            [
                {"kind": "created", "registered_at": "2026-01-05T12:00:00+00:00"},
                {
                    "kind": "personal_data",
                    "reason": "record",
                    "before": {},
                    "after": {"time_zone": "Asia/Tokyo"},
                },
                {
                    "kind": "joined",
                    "reason": "payment_card",
                    "matched": [],
                    "priority_maestra_id": None,
                    "decided_by": None,
                },
            ],
        ),
        (two, minutes(3), [{"kind": "created", "registered_at": "2026-01-05T12:00:00+00:00"}]),
    ]


def test_facts_of_a_stored_customer_are_added_up_and_the_last_action_never_goes_back():
    (n,) = new_ids(1)
    who: Any = {"customer": n, "maestra_id": n}
    order = ch.Order(number="A-1", total=Decimal("10.00"), currency="EUR", placed_at=NOON, status="new")
    paid = replace(order, total=Decimal("12.50"), status="paid")
    changes: list[Change] = [
        created(n),
        ch.OrderSaved(**who, before=None, after=order),
        ch.ActionCounted(**who, at=minutes(5)),
        ch.OrderSaved(**who, before=order, after=paid),
        ch.PointsAdded(**who, number=None, amount=Decimal("-3"), reason="gift", at=NOON),
        ch.PromoCodeIssued(**who, code="SPRING", issued_at=NOON),
        ch.ActionCounted(**who, at=minutes(1)),
    ]
    for change in changes:
        save([record(change)])
    assert load_profiles([n]) == after(*changes)


def test_related_customers_are_refreshed_not_repeated():
    one, two = new_ids(2)
    lost = ch.ContactLost(
        customer=one,
        maestra_id=one,
        kind="email",
        value="x",
        to=two,
        criterion="orders",
        was_held=True,
        pending=False,
    )
    won = ch.ContactReceived(
        customer=two, maestra_id=two, kind="email", value="x", other=one, criterion="orders", was_held=False
    )
    save([record(created(one), created(two), lost, won, lost)])
    save([record(lost, at=minutes(9))])
    rows = Relation.objects.order_by("maestra_id").values_list(
        "maestra_id", "related_id", "decided_by", "kept", "at"
    )
    assert list(rows) == [(one, two, "orders", False, minutes(9)), (two, one, "orders", True, NOON)]


def test_the_journal_keeps_images_and_is_marked_when_undone():
    a, b = new_ids(2)
    changes: list[Change] = [created(a), created(b), held(a, ANN)]
    profiles = after(*changes)
    merge = merged(profiles[a], profiles[b])
    (merge_id,) = save([record(*changes, merge)])
    journal = Merge.objects.get(pk=merge_id)
    assert [from_json(i) for i in (journal.before_survivor, journal.before_absorbed, journal.result)] == [
        merge.survivor,
        merge.absorbed,
        merge.result,
    ]
    assert (journal.absorbed_ids, journal.matched) == ([b], [{"type": "email", "value": "ann@example.com"}])
    undo = ch.Unmerged(
        customer=a, maestra_id=a, merge_id=merge_id, restored=profiles[b], remaining=profiles[a]
    )
    apart = ch.KeptApart(customer=a, maestra_id=a, other=b, why=Why.UNDO)
    save([record(undo, apart)], known=[ANN])
    assert load_profiles([a, b]) == profiles
    assert Merge.objects.get().undone_by_operation_id is not None
    assert list(ApartPair.objects.values_list("low_id", "high_id", "why", "lifted_at")) == [
        (a, b, "undo", None)
    ]
    save([record(apart, ch.ApartLifted(customer=b, maestra_id=b, other=a))])
    assert ApartPair.objects.filter(lifted_at=None).count() == 0


def test_a_pair_that_may_not_merge_is_reviewed_once_until_its_reasons_change():
    veto = Veto("different_emails", ("a@x.test",), ("b@x.test",))
    pair = BlockedMatch(9, 4, (PHONE, Key("payment_card_hash", "f00d")), (veto,))
    dedup_saving.save_review_pairs([pair, pair], NOON)
    ReviewPair.objects.update(status="seen")
    dedup_saving.save_review_pairs([pair], minutes(1))
    assert list(ReviewPair.objects.values_list("low_id", "high_id", "shared", "status", "at")) == [
        (4, 9, [{"type": "mobile_phone", "value": "+14155550122"}], "seen", minutes(1))
    ]
    dedup_saving.save_review_pairs([replace(pair, vetoes=(veto, Veto("apart")))], minutes(2))
    assert ReviewPair.objects.get().status == "open"


@pytest.mark.parametrize("count", [1, 30])
def test_every_text_arrives_as_it_was_however_many_are_written(count):
    texts = ["NULL", "", r"\N", 'a"b', "a\\b", "{a,b}", "tab\tline\nfeed\rreturn", " é ", "'%s"]
    notes = [Note(NOON, n, text, "email", text) for n in range(1, count + 1) for text in texts]
    save([record(ch.NoteAdded(customer=n.maestra_id, maestra_id=n.maestra_id, note=n)) for n in notes])
    rows = NoteRow.objects.order_by("id").values_list("reason", "value", "decided_by")
    assert list(rows) == [(text, text, None) for text in texts] * count


def test_json_keeps_every_digit_of_a_decimal_and_every_character_of_a_text():
    value = {"a": Decimal("123456789012345678.0123456789"), "b": ['\\u0000"', Decimal("-1E+2")], "c": NOON}
    expected = r'{"a":123456789012345678.0123456789,"b":["\\u0000\"",-100],"c":"2026-01-05T12:00:00+00:00"}'
    assert as_json(value) == expected


def test_json_keeps_whole_numbers_of_any_size_wherever_they_stand():
    value = {"a": 10**30, "b": [True, (Decimal("0.10"), -(10**20))], "c": Key("email", "é")}
    expected = (
        '{"a":1000000000000000000000000000000,"b":[true,[0.10,-100000000000000000000]],"c":["email","é"]}'
    )
    assert as_json(value) == expected


# --- Any sequence of changes ---------------------------------------------------------------------------

POOL = (ANN, BEN, PHONE, DEVICE, Key("crm_id", "301"), Key("crm_id", "103"), Key("session_key", "s"))


@dataclass
class Life:
    """Customers that live through random valid changes, kept as `apply` says and, batch by batch, saved."""

    draw: Callable[[st.SearchStrategy[Any]], Any]
    segments: dict[int, list[int]]
    profiles: dict[int, Profile] = field(default_factory=dict)
    records: list[Any] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    known: set[Key] = field(default_factory=set)
    merges: list[ch.Merged] = field(default_factory=list)
    merge_ids: list[int] = field(default_factory=list)
    orders: dict[str, tuple[int, ch.Order]] = field(default_factory=dict)
    clock: int = 0

    def pick(self, options: Any) -> Any:
        return self.draw(st.sampled_from(sorted(options, key=repr)))

    def now(self) -> Any:
        self.clock += 1
        return minutes(self.clock)

    def emit(self, of: type, profile: int, **facts: Any) -> None:
        member = facts.pop("maestra_id", None) or self.pick(self.profiles[profile].maestra_ids)
        change = of(customer=profile, maestra_id=member, **facts)
        apply(self.profiles, change)
        self.changes.append(change)

    def create(self) -> None:
        (n,) = new_ids(1)
        change = created(n, at=self.now())
        apply(self.profiles, change)
        self.changes.append(change)

    def customer(self) -> int:
        return int(self.pick(self.profiles))

    def edit(self) -> None:
        n = self.customer()
        p = self.profiles[n]
        names = st.sampled_from([None, "Ann", "Ben"])
        personal = Personal(
            self.draw(names), self.draw(names), birth_date=self.pick([None, date(1990, 1, 31)])
        )
        self.emit(ch.PersonalDataChanged, n, before=p.personal, after=personal)
        self.emit(ch.TimeZoneChanged, n, before=p.time_zone, after=self.pick(["Asia/Tokyo", "Europe/Rome"]))
        wanted = self.draw(
            st.dictionaries(st.sampled_from("abc"), st.sampled_from([1, Decimal("2.50"), "x", ["y"]]))
        )
        old = {k: v for k, v in p.custom_fields.items() if wanted.get(k) != v}
        new = {k: v for k, v in wanted.items() if p.custom_fields.get(k) != v}
        self.emit(ch.CustomFieldsChanged, n, before=old, after=new)

    def consent(self) -> None:
        n = self.customer()
        p = self.profiles[n]
        channel = self.pick([Channel("email"), Channel("sms", "news")])
        status = self.draw(st.sampled_from([None, *SubscriptionStatus]))
        new = status and Subscription(status, self.now())
        self.emit(ch.SubscriptionChanged, n, channel=channel, before=p.subscriptions.get(channel), after=new)
        self.emit(ch.OptedOut, n, before=p.opted_out_at, at=self.pick([None, self.now()]))

    def membership(self) -> None:
        n, segmentation = self.customer(), self.pick(self.segments)
        segment = self.pick([None, *self.segments[segmentation]])
        before = self.profiles[n].memberships.get(segmentation)
        new = segment and Membership(segment, self.now())
        self.emit(ch.MembershipChanged, n, segmentation=segmentation, before=before, after=new)

    def hold(self) -> None:
        """A unique value that somebody retired stays with them too (R3)."""
        n, key = self.customer(), self.pick(POOL)
        p = self.profiles[n]
        before = p.holdings.get(key)
        others = [q for q in self.profiles.values() if key in q.holdings and q is not p]
        giver = next((q for q in others if not q.holdings[key].is_former), None)
        if giver and giver.holdings[key].category is Category.UNIQUE:
            return
        new = before or holding(key, self.pick(p.maestra_ids), since=self.now())
        if new.category in CONTACTS:
            new = replace(
                new, gives_access=self.pick([True, False]), confirmed_at=self.pick([None, self.now()])
            )
        new = replace(new, is_former=False, retired_at=None, is_primary=new.category in WITH_PRIMARY)
        taken_from = giver and giver.maestra_id
        first = self.pick([True, False])
        if giver and first:
            self.emit(ch.Released, giver.maestra_id, holding=giver.holdings[key], to=n, why=Why.MOVED)
        self._make_room(n, key)
        self.emit(ch.Held, n, before=before, after=new, taken_from=taken_from)
        if giver and not first:
            self.emit(ch.Released, giver.maestra_id, holding=giver.holdings[key], to=n, why=Why.MOVED)

    def _make_room(self, n: int, key: Key) -> None:
        """One primary per type, one current value per unique kind."""
        for other in list(self.profiles[n].holdings.values()):
            if other.kind != key.kind or other.key == key:
                continue
            if other.is_primary:
                self.emit(
                    ch.Held,
                    n,
                    before=other,
                    after=replace(other, is_primary=False, was_primary_at=self.now()),
                )
            if other.category is Category.UNIQUE and not other.is_former:
                self.emit(
                    ch.Held, n, before=other, after=replace(other, is_former=True, retired_at=self.now())
                )

    def release(self) -> None:
        n = self.customer()
        held = {key: h for key, h in self.profiles[n].holdings.items() if not h.is_former}
        if held:
            self.emit(ch.Released, n, holding=held[self.pick(held)])

    def claim(self) -> None:
        n, key = self.customer(), self.pick([ANN, PHONE])
        p = self.profiles[n]
        if key in p.claims and self.pick([True, False]):
            self.emit(ch.Unclaimed, n, claim=p.claims[key])
        elif key not in p.holdings:
            origin = self.pick(p.maestra_ids)
            claim = Claim(
                key.kind, key.value, Category(key.kind), "Raw", origin, self.now(), self.pick([True, False])
            )
            self.emit(ch.Claimed, n, claim=claim)

    def ledger(self) -> None:
        n = self.customer()
        member = self.pick(self.profiles[n].maestra_ids)
        card = self.pick(["f00d", "beef"])
        of = ch.CardDropped if card in self.profiles[n].cards and self.pick([True, False]) else ch.CardSeen
        self.emit(of, n, card=card)
        self.emit(ch.ActionCounted, n, at=self.now())
        number = f"{member}-{self.pick('12')}"
        _, before = self.orders.get(number, (None, None))
        order = ch.Order(
            number=number, total=Decimal(self.clock), currency="EUR", placed_at=NOON, status="paid"
        )
        self.orders[number] = (member, order)
        self.emit(ch.OrderSaved, n, maestra_id=member, before=before, after=order)
        self.emit(ch.PointsAdded, n, number=None, amount=Decimal("1.50"), reason="", at=self.now())
        note = Note(self.now(), member, "settled", "email", "x")
        self.emit(ch.NoteAdded, n, maestra_id=member, note=note)

    def merge(self) -> None:
        if len(self.profiles) < 2:
            return
        survivor = self.customer()
        absorbed = self.pick(self.profiles.keys() - {survivor})
        self._make_way(survivor, absorbed)

    def _make_way(self, survivor: int, absorbed: int) -> None:
        change = merged(self.profiles[survivor], self.profiles[absorbed])
        kept = {(h.kind, h.is_former) for h in self.profiles[survivor].holdings.values() if not h.is_former}
        lost = self.profiles[absorbed]
        apply(self.profiles, change)
        self.changes.append(change)
        self.merges.append(change)
        for h in lost.holdings.values():
            if self.profiles[survivor].holdings[h.key] != h:
                continue
            if h.is_primary and any(
                o.is_primary for o in change.survivor.holdings.values() if o.kind == h.kind
            ):
                self.emit(
                    ch.Held, survivor, before=h, after=replace(h, is_primary=False, was_primary_at=self.now())
                )
            if h.category is Category.UNIQUE and not h.is_former and (h.kind, False) in kept:
                self.emit(
                    ch.Held, survivor, before=h, after=replace(h, is_former=True, retired_at=self.now())
                )
        for key, claim in list(self.profiles[survivor].claims.items()):
            if key in self.profiles[survivor].holdings:
                self.emit(ch.Unclaimed, survivor, claim=claim)

    def undo(self) -> None:
        """The last merge, once in the journal; sides by origin, the absorbed's own values from its image."""
        if not self.merges or self.changes or self.records:
            return
        merge, merge_id = self.merges.pop(), self.merge_ids.pop()
        now = self.profiles.get(merge.customer)
        ids = merge.absorbed.maestra_ids
        if now is None or not ids < now.maestra_ids or now.maestra_ids - ids != merge.survivor.maestra_ids:
            return
        split: dict[bool, dict[str, Any]] = {}
        for side in (True, False):
            split[side] = {
                "members": tuple(m for m in now.members if (m.maestra_id in ids) is side),
                "holdings": {
                    **_former_of(merge.absorbed if side else merge.survivor, now),
                    **{k: h for k, h in now.holdings.items() if (h.origin in ids) is side},
                },
                "claims": {k: c for k, c in now.claims.items() if (c.origin in ids) is side},
                "cards": {c: o for c, o in now.cards.items() if (o in ids) is side},
                "notes": tuple(n for n in now.notes if (n.maestra_id in ids) is side),
            }
        restored, remaining = replace(merge.absorbed, **split[True]), replace(now, **split[False])
        self.emit(ch.Unmerged, merge.customer, merge_id=merge_id, restored=restored, remaining=remaining)

    def erase(self) -> None:
        n = self.customer()
        self.emit(ch.Erased, n, maestra_ids=tuple(self.profiles[n].maestra_ids))
        if not self.profiles:
            self.create()

    def end_record(self) -> None:
        self.records.append(record(*self.changes, at=self.now()))
        self.changes = []

    def save(self) -> None:
        self.end_record()
        self.merge_ids += save(self.records, self.known)
        rows = Identifier.objects.values_list("kind__system_name", "value")
        self.known = {Key(*row) for row in rows}
        self.records = []
        assert as_fields(load_profiles(list(self.profiles))) == as_fields(self.profiles)


def _former_of(side: Profile, now: Profile) -> dict[Key, Holding]:
    """What a side had before, of which the profile may remember the other side's holding (R3)."""
    return {k: h for k, h in side.holdings.items() if h.is_former and k in now.holdings}


def as_fields(profiles: dict[int, Profile]) -> dict[tuple[int, str], Any]:
    """Field by field, so that a failure shows the one that differs."""
    return {(n, f.name): getattr(p, f.name) for n, p in profiles.items() for f in fields(p)}


STEPS = (
    *("create", "edit", "consent", "membership", "claim", "release", "ledger", "merge", "end_record", "save"),
    *("hold", "hold", "hold", "merge", "save", "undo", "erase"),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), steps=st.lists(st.sampled_from(STEPS), min_size=5, max_size=40))
def test_the_tables_hold_what_apply_makes_of_the_profiles(data, steps):
    with transaction.atomic():
        segmentation = Segmentation.objects.create(system_name="loyalty", name="Loyalty")
        names = ("silver", "gold")
        made = [Segment.objects.create(segmentation=segmentation, system_name=n, name=n) for n in names]
        life = Life(data.draw, {segmentation.pk: [s.pk for s in made]})
        life.create()
        life.create()
        for step in [*steps, "save"]:
            getattr(life, step)()
        transaction.set_rollback(True)
