"""What holds after any sequence of operations, whatever was decided (R1–R46).

A machine plays random records, confirmations, merges, undos and marks against a memory that knows only the
changes, and looks after each step at what must hold always.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from customers.changes import (
    Change,
    Claimed,
    ContactLost,
    ContactReceived,
    Created,
    CustomFieldsChanged,
    Dated,
    Held,
    IdentifierUsed,
    Joined,
    MembershipChanged,
    Merged,
    OptedOut,
    OrderSaved,
    PersonalDataChanged,
    PointsAdded,
    PromoCodeIssued,
    RegisteredEarlier,
    Released,
    SilentChange,
    SubscriptionChanged,
    TimeZoneChanged,
    Unclaimed,
    Unmerged,
    UsedBefore,
    Why,
)
from customers.profile import (
    CONTACTS,
    DEVICES,
    MAESTRA_ID,
    WITH_PRIMARY,
    Category,
    Claim,
    Holding,
    Key,
    Profile,
    Subscription,
    SubscriptionStatus,
    repaired_primaries,
)
from customers.transitions import apply, without
from dedup.engine.editing import heeded
from dedup.engine.finding import find_subject, is_devices_only
from dedup.engine.outcome import Outcome, OutcomeStatus, Refusal
from dedup.engine.reasons import Reason
from dedup.engine.record import Mode, Operation, Record, Sent
from dedup.engine.resolve import decide
from dedup.engine.unit_of_work import UnitOfWork
from tests.dedup.engine.builders import (
    CONTACTS_TOO,
    LOOKUP_BY,
    Memory,
    card_holders,
    day,
    holders_of,
    kinds,
    record,
    sent,
)
from tests.dedup.engine.strategies import brought, records

COUNTS = ("orders_count", "orders_total", "points_count", "points_balance", "promo_codes_count")


# What must hold of any memory


def check_state(memory: Memory) -> None:
    profiles = memory.profiles
    holders = Counter(k for p in profiles.values() for k, h in p.holdings.items() if not h.is_former)
    assert not [k for k, n in holders.items() if n > 1], "R2, R4-R9: a value has two holders"
    members = Counter(m for p in profiles.values() for m in (x.maestra_id for x in p.members))
    assert not [m for m, n in members.items() if n > 1], "R1: a MaestraID is in two profiles"
    for primary_id, p in profiles.items():
        check_profile(primary_id, p)
        assert memory.identified[primary_id] == p.is_identified, "noted as what it is not"


def check_profile(primary_id: int, p: Profile) -> None:
    assert p.maestra_id == primary_id, p
    assert primary_id in p.maestra_ids, p
    assert not p.is_new, p
    assert [m.maestra_id for m in p.members] == sorted(p.maestra_ids), p
    assert not p.claims.keys() & {k for k, h in p.holdings.items() if not h.is_former}, (
        "R36: claims what it holds"
    )
    assert all(c.category in CONTACTS and c.origin in p.maestra_ids for c in p.claims.values()), p.claims
    assert all(origin in p.maestra_ids for origin in p.cards.values()), p.cards
    for k, h in p.holdings.items():
        assert h.key == k, h
        assert h.origin in p.maestra_ids, "an identifier came to a MaestraID of its profile"
        assert h.is_former == (h.retired_at is not None), h
        assert not h.is_former or h.category is Category.UNIQUE, h
        assert not h.is_primary or (h.category in WITH_PRIMARY and not h.is_former), h
        assert h.category in CONTACTS or not (h.gives_access or h.must_be_confirmed or h.confirmed_at), h
    for kind in {h.kind for h in p.holdings.values() if h.category in WITH_PRIMARY}:
        assert sum(h.is_primary for h in p.holdings.values() if h.kind == kind) == 1, (
            "R5-R7: exactly one primary"
        )
    current = Counter(
        h.kind for h in p.holdings.values() if h.category is Category.UNIQUE and not h.is_former
    )
    assert not [kind for kind, n in current.items() if n > 1], "R2: one current value of a kind"


# What must hold of any step


def check_work(work: UnitOfWork, memory: Memory) -> None:
    """The working copy and its indexes agree with what the changes alone make of the profiles."""
    assert dict(work.profiles) == memory.profiles
    assert dict(work.primary_ids) == memory.primary_ids
    holders = {k: work.primary_id(origin) for k, origin in work.holders.items()}
    assert holders == holders_of(memory.profiles.values()), "R3"
    cards = {
        card: frozenset(primary_id for h in primary_ids if (primary_id := work.primary_id(h)) is not None)
        for card, primary_ids in work.card_holders.items()
    }
    assert cards == card_holders(memory.profiles.values())
    assert dict(work.orders) == memory.orders
    assert dict(work.points) == memory.points
    assert dict(work.promo_codes) == memory.promo_codes
    fresh = UnitOfWork(memory.world())
    assert [k for k in work.device_users if work.is_shared(k)] == [
        k for k in work.device_users if fresh.is_shared(k)
    ]
    assert {h: work.identified[h] for h in memory.profiles} == {
        h: p.is_identified for h, p in memory.profiles.items()
    }


def check_changes(before: Memory, changes: Iterable[Change]) -> None:
    """Every change names what it found, and stands under a MaestraID of its customer (R40)."""
    profiles = dict(before.profiles)
    for change in changes:
        check_change(profiles, change)
        apply(profiles, change)
        owner = profiles.get(change.customer)
        assert owner is None or change.maestra_id in owner.maestra_ids, change


def check_change(profiles: dict[int, Profile], change: Change) -> None:
    p = profiles.get(change.customer)
    match change:
        case Created():
            assert p is None, change
            return
    assert p is not None, change
    check_times(profiles, p, change)
    match change:
        case Held():
            assert p.holdings.get(change.after.key) == change.before, change
            assert change.before != change.after, change
            others = [q.holdings.get(change.after.key) for q in profiles.values() if q is not p]
            assert all(h is None or h.is_former for h in others), change
        case Released():
            assert p.holdings.get(change.holding.key) == change.holding, change
            check_release(profiles, change)
        case Claimed():
            assert p.claims.get(change.claim.key) != change.claim, change
        case Unclaimed():
            assert p.claims.get(change.claim.key) == change.claim, change
        case PersonalDataChanged():
            assert p.personal == change.before != change.after, change
        case TimeZoneChanged():
            assert p.time_zone == change.before != change.after, change
        case CustomFieldsChanged():
            assert {n: p.custom_fields[n] for n in change.before} == change.before != change.after, change
        case SubscriptionChanged():
            assert p.subscriptions.get(change.channel) == change.before != change.after, change
        case MembershipChanged():
            assert p.memberships.get(change.segmentation) == change.before != change.after, change
        case OptedOut():
            assert p.opted_out_at == change.before != change.at, change
        case Merged():
            assert profiles[change.absorbed.maestra_id] == change.absorbed, change
            assert p == change.survivor, change
            keys = change.result.holdings.keys()
            assert keys == change.survivor.holdings.keys() | change.absorbed.holdings.keys(), "R36"


def check_times(profiles: dict[int, Profile], p: Profile, change: Change) -> None:
    """What a change says of how young something is (R59)."""
    match change:
        case IdentifierUsed():
            assert p.holdings[change.key].last_used_at < change.at
        case RegisteredEarlier():
            member = next(m for m in p.members if m.maestra_id == change.maestra_id)
            assert member.registered_at == change.before > change.after
        case UsedBefore():
            holder = profiles[change.holder]
            assert holder.is_identified
            assert change.at < change.until <= holder.holdings[change.key].last_used_at
        case Dated():
            assert p.ages != change.ages


def check_release(profiles: dict[int, Profile], change: Released) -> None:
    """No identifier is lost but by a rule that says so."""
    h = change.holding
    assert not h.is_former, "R3: a former value stays with everyone who had it"
    taker = profiles.get(change.to) if change.to is not None else None
    match change.why:
        case Why.MOVED if h.category in DEVICES:
            assert taker, change
            assert taker.is_identified or not profiles[change.customer].is_identified, "R8"
        case Why.MOVED:
            assert taker, change
            assert h.category is Category.IDENTIFIER, "R32"
        case Why.SETTLED:
            assert taker, change
            assert h.category in CONTACTS, "R30"
            assert not h.gives_access, "R31"
        case Why.CLEARED:
            assert taker is None, change
            assert not h.is_former, change
        case _:
            raise AssertionError(change)


def check_step(before: Memory, after: Memory, changes: Iterable[Change]) -> None:
    changes = list(changes)
    primary_ids = after.primary_ids
    for maestra_id in before.primary_ids:
        assert maestra_id in primary_ids, "R1: a MaestraID was lost"
    for maestra_id, member in members(before).items():
        now = members(after)[maestra_id]
        assert now.registered_at <= member.registered_at, "R33, R59"
        assert (now.last_action_at or day(0)) >= (member.last_action_at or day(0)), (
            "R29: last activity went back"
        )
    if not any(isinstance(c, OrderSaved | PointsAdded | PromoCodeIssued) for c in changes):
        assert sums(before) == sums(after), "R39: a ledger moved"
    cleared = {c.holding.key for c in changes if isinstance(c, Released) and c.why is Why.CLEARED}
    undone = any(isinstance(c, Unmerged) for c in changes)
    for primary_id, p in before.profiles.items():
        now = after.profiles[primary_ids[primary_id]].holdings
        former = {k for k, h in p.holdings.items() if h.is_former}
        assert undone or former <= now.keys() | cleared, "R3: a former value was lost"
    for primary_id, p in before.profiles.items():
        for key in p.access_contacts() - cleared:
            now = after.profiles[primary_ids[primary_id]].holdings.get(key)
            assert undone or (now and now.gives_access), "R31: account access was lost"


def members(memory: Memory):
    return {m.maestra_id: m for p in memory.profiles.values() for m in p.members}


def sums(memory: Memory):
    return {name: sum(getattr(m, name) for m in members(memory).values()) for name in COUNTS}


def check_outcome(before: Memory, after: Memory, record: Record, outcome: Outcome) -> None:
    """The answer tells what happened."""
    assert outcome.profile == after.profiles[outcome.customer]
    loud = [c for c in outcome.changes if not isinstance(c, SilentChange)]
    assert (outcome.status is OutcomeStatus.UNCHANGED) == (not loud), outcome.changes
    created = [c for c in outcome.changes if isinstance(c, Created)]
    assert (outcome.status is OutcomeStatus.CREATED) == bool(created)
    assert (outcome.status is OutcomeStatus.JOINED) == any(isinstance(c, Joined) for c in outcome.changes)
    assert tuple(c for c in outcome.changes if isinstance(c, Merged)) == outcome.merges
    for decision in (c.decision for c in outcome.changes if isinstance(c, Joined | Merged)):
        assert bool(decision.matched) != (decision.reason == Reason.PAYMENT_CARD), "R41: a reason made up"
        assert record.cards or decision.matched, decision
    for conflict in outcome.conflicts:
        winner, loser = after.profiles[conflict.kept_by], after.profiles[conflict.lost_by]
        assert conflict.key in winner.holdings, conflict
        assert conflict.key not in loser.holdings, conflict
        assert (conflict.key in loser.claims) >= conflict.pending, conflict
        assert any((n.kind, n.value) == conflict.key for n in loser.notes), "R30: a note"
    if outcome.status is OutcomeStatus.CREATED and not outcome.profile.is_identified:
        assert len({c.kept_by for c in outcome.conflicts}) < 2, "R24"
    lost = Counter((c.customer, c.to, c.kind, c.value) for c in outcome.changes if isinstance(c, ContactLost))
    received = Counter(
        (c.other, c.customer, c.kind, c.value) for c in outcome.changes if isinstance(c, ContactReceived)
    )
    assert lost == received, "R30: both histories tell of it"
    for move in outcome.moved:
        assert move.key in after.profiles[move.taker].holdings, move
        assert move.taker == outcome.customer, move
    for kept in outcome.blocked_matches:
        assert kept.left == outcome.customer != kept.right, kept
        assert kept.right in after.profiles, kept
        assert kept.vetoes, kept
    check_primaries(before, record, outcome)
    for key in (s.key for s in record.identifiers if s.category is Category.UNIQUE):
        if record.mode is Mode.OVERWRITE:
            assert key in outcome.profile.holdings, "R2"
    if outcome.status is OutcomeStatus.CREATED and not outcome.conflicts:
        left = {c.key for c in outcome.changes if isinstance(c, UsedBefore)}
        brought = {s.key for s in record.identifiers if s.category not in DEVICES} - left
        assert brought <= outcome.profile.holdings.keys(), "an uncontested record holds what it brought"


def check_ignored(before: Memory, record: Record, outcome: Outcome) -> None:
    """What `fill` ignores counts for nothing: without it the record does the same (R44)."""
    subject = find_subject(UnitOfWork(before.world()), record)
    joined = [c.customer for c in outcome.changes if isinstance(c, Joined)]
    about = subject.primary_id if subject else next(iter(joined), None)
    if record.mode is Mode.OVERWRITE or about is None or (joined and outcome.blocked_matches):
        return
    # That an ignored ID found nobody is what made the record join.
    lookup_by = () if joined else record.lookup_by
    counting = replace(heeded(record, before.profiles[about]), lookup_by=lookup_by)
    if record.lookup or not is_devices_only(counting):
        assert before.copy().submit(counting) == [outcome]


def check_primaries(before: Memory, record: Record, outcome: Outcome) -> None:
    """What a record brought is no primary over a younger one of the customer that it is about (R59)."""
    was = before.profiles.get(outcome.customer)
    if was is None or outcome.merges:
        return
    for kind in {key.kind for key in (s.key for s in record.identifiers)}:
        old, new = was.primary(kind), outcome.profile.primary(kind)
        if old and new and old.key != new.key and old.key in outcome.profile.holdings:
            assert old.last_used_at <= record.occurred_at, "R59"


def is_contested(outcome: Outcome) -> bool:
    return bool(outcome.conflicts or outcome.moved or outcome.blocked_matches)


def check_repeated(memory: Memory, record: Record, first: Outcome) -> None:
    """An uncontested record decided again emits nothing but that it joined. What joined or merged, by
    priority, is then found by its IDs and edits; so it is decided twice more.
    """
    again = memory.copy()
    if first.status is OutcomeStatus.JOINED or first.merges:
        again.submit(record)
    (outcome,) = again.submit(record)
    if isinstance(outcome, Outcome):
        assert all(isinstance(c, SilentChange | Joined) for c in outcome.changes), outcome.changes


def is_repeatable(record: Record) -> bool:
    """What is cleared and sent in one record is new every time; a unique ID registered twice is refused."""
    return not record.clears & {s.kind for s in record.identifiers}


class Selfsame(RuleBasedStateMachine):
    """All operations in any order."""

    @initialize(limit=st.integers(1, 3), larger=st.booleans())
    def begin(self, limit: int, larger: bool) -> None:
        self.memory = Memory(shared_device_limit=limit)
        self.memory.larger_fields = frozenset({"size"} if larger else ())

    @rule(record=records())
    def submit(self, record: Record) -> None:
        self.memory.now += timedelta(hours=1)
        before = self.memory.copy()
        work = UnitOfWork(self.memory.world())
        outcome = decide(work, record, self.memory.now)
        self.memory.store(outcome)
        check_work(work, self.memory)
        if isinstance(outcome, Refusal):
            assert self.memory == before
            return
        check_changes(before, outcome.changes)
        check_step(before, self.memory, outcome.changes)
        check_outcome(before, self.memory, record, outcome)
        check_ignored(before, record, outcome)
        check_merges_undone(before, outcome.changes)
        if not is_contested(outcome) and is_repeatable(record):
            check_repeated(self.memory, record, outcome)

    @rule(batch=st.lists(records(), min_size=2, max_size=4))
    def submit_together(self, batch: list[Record]) -> None:
        one_by_one = self.memory.copy()
        single = [one_by_one.submit(record)[0] for record in batch]
        assert self.memory.submit(*batch) == single
        assert self.memory == one_by_one

    @rule(data=st.data(), number=st.integers(1, 20))
    def confirm(self, data: st.DataObject, number: int) -> None:
        named: list[tuple[int, Claim | Holding]] = []
        for p in self.memory.profiles.values():
            waiting = [h for h in p.holdings.values() if h.is_pending]
            contacts: list[Claim | Holding] = [*p.claims.values(), *waiting]
            named += [(p.maestra_id, contact) for contact in contacts]
        if not named:
            return
        primary_id, contact = data.draw(st.sampled_from(named))
        sent = Sent(
            contact.kind,
            contact.value,
            contact.category,
            contact.raw,
            is_confirmed=True,
            must_be_confirmed=True,
            gives_access=contact.gives_access,
        )
        lookup = Key(MAESTRA_ID, str(primary_id))
        self.submit(Record(Operation.CONFIRM, day(number), (sent,), lookup=lookup, personal_action=True))
        p = self.memory.profiles[self.memory.primary_ids[primary_id]]
        assert sent.key not in p.holdings or p.holdings[sent.key].confirmed_at

    @precondition(lambda self: len(self.memory.profiles) > 1)
    @rule(data=st.data())
    def merge(self, data: st.DataObject) -> None:
        chosen = data.draw(
            st.lists(st.sampled_from(sorted(self.memory.profiles)), min_size=2, max_size=3, unique=True)
        )
        before = self.memory.copy()
        outcome = self.memory.merge(chosen[1:], chosen[0])
        if isinstance(outcome, Refusal):
            assert self.memory == before
            return
        check_changes(before, outcome.changes)
        check_step(before, self.memory, outcome.changes)
        assert outcome.customer == chosen[0]
        check_undone_at_once(before, self.memory, len(outcome.merges))

    @precondition(lambda self: self.memory.journals)
    @rule()
    def undo(self) -> None:
        before, journal = self.memory.copy(), self.memory.journals[-1]
        outcome = self.memory.undo()
        check_changes(before, outcome.changes)
        check_step(before, self.memory, outcome.changes)
        check_undone(before, self.memory, journal)

    @rule(kind=st.sampled_from(["crm_id", "passport_id"]))
    def switch(self, kind: str) -> None:
        """Former values find nobody, and are registered anew; or they find whoever retired them last."""
        before = self.memory.kinds[kind]
        turned = replace(before, do_not_merge_different=not before.do_not_merge_different)
        self.memory.kinds = {**self.memory.kinds, kind: turned}

    @precondition(lambda self: len(self.memory.profiles) > 1)
    @rule(data=st.data())
    def keep_apart(self, data: st.DataObject) -> None:
        pair = data.draw(
            st.lists(st.sampled_from(sorted(self.memory.profiles)), min_size=2, max_size=2, unique=True)
        )
        self.memory.keep_apart(*pair)

    @precondition(lambda self: self.memory.apart)
    @rule(data=st.data())
    def lift_apart(self, data: st.DataObject) -> None:
        pair = data.draw(st.sampled_from(sorted(map(sorted, self.memory.apart))))
        left, right = (self.memory.primary_ids[maestra_id] for maestra_id in pair)
        self.memory.lift_apart(left, right)
        assert frozenset(pair) not in self.memory.apart

    @precondition(lambda self: self.memory.profiles)
    @rule(data=st.data())
    def opt_out(self, data: st.DataObject) -> None:
        primary_id = data.draw(st.sampled_from(sorted(self.memory.profiles)))
        p, at = self.memory.profiles[primary_id], self.memory.now
        who: dict[str, Any] = {"customer": primary_id, "maestra_id": primary_id}
        refused = Subscription(SubscriptionStatus.UNSUBSCRIBED, at)
        self.memory.take([
            OptedOut(**who, before=p.opted_out_at, at=at),
            *(
                SubscriptionChanged(**who, channel=c, before=s, after=refused, why=Why.OPT_OUT)
                for c, s in p.subscriptions.items()
                if s.status is not SubscriptionStatus.UNSUBSCRIBED
            ),
        ])  # fmt: skip

    @invariant()
    def whole(self) -> None:
        if hasattr(self, "memory"):
            check_state(self.memory)


def check_undone_at_once(before: Memory, merged: Memory, merges: int) -> None:
    """Undone directly, both sides are exactly as before (R46)."""
    again = merged.copy()
    for _ in range(merges):
        again.undo()
    assert again.profiles == before.profiles


def check_merges_undone(before: Memory, changes: Iterable[Change]) -> None:
    """Every merge a record caused, undone as soon as it was made, leaves both sides exactly as before it."""
    memory, changes = before.copy(), list(changes)
    while changes:
        merged, rest = split_at_merge(changes)
        memory.take(merged)
        if rest:
            length = 1 + next(
                (i for i, c in enumerate(rest[1:]) if getattr(c, "why", None) is not Why.MERGE), len(rest) - 1
            )
            whole = memory.copy()
            whole.take(rest[:length])
            again = whole.copy()
            again.undo()
            assert again.profiles == memory.profiles, "R46"
            memory, rest = whole, rest[length:]
        changes = rest


def split_at_merge(changes: list[Change]) -> tuple[list[Change], list[Change]]:
    at = next((i for i, c in enumerate(changes) if isinstance(c, Merged)), len(changes))
    return changes[:at], changes[at:]


def check_undone(before: Memory, after: Memory, journal) -> None:
    """R46 whatever happened in between."""
    survivor, absorbed = journal.survivor.maestra_id, journal.absorbed.maestra_id
    old = before.profiles[survivor]
    left, back = after.profiles[survivor], after.profiles[absorbed]
    assert left.maestra_ids == journal.survivor.maestra_ids
    assert back.maestra_ids == journal.absorbed.maestra_ids
    assert left.holdings.keys() | back.holdings.keys() == old.holdings.keys()
    assert frozenset((survivor, absorbed)) in after.apart
    others = after.profiles.keys() - {survivor, absorbed}
    assert {h: after.profiles[h] for h in others} == {h: before.profiles[h] for h in others}
    for side, was in ((left, journal.survivor), (back, journal.absorbed)):
        assert all(h.origin in side.maestra_ids for h in side.holdings.values())
        noted = {(n.kind, n.value) for n in side.notes if n.reason == "not_returned"}
        assert noted >= was.holdings.keys() - side.holdings.keys(), "R46: a note for what does not come back"
    merged = journal.result
    for name in ("personal", "time_zone", "opted_out_at"):
        unchanged = getattr(old, name) == getattr(merged, name)
        kept = getattr(journal.survivor if unchanged else old, name)
        assert getattr(left, name) == kept, name
    assert back.personal == journal.absorbed.personal
    assert back.custom_fields == journal.absorbed.custom_fields
    assert back.memberships == journal.absorbed.memberships


@given(told=st.lists(st.sampled_from("abcde"), min_size=2, max_size=8))
@settings(deadline=None, derandomize=True, database=None)
def test_primaries_told_within_one_moment_keep_their_order(told):
    """R7: whichever is lost, the one before it follows"""
    memory = Memory()
    memory(Operation.REGISTER, 1, crm_id="1")
    records = [
        record(Operation.EDIT, 1, lookup=Key("crm_id", "1"), email=sent("email", value, is_primary=True))
        for value in told
    ]
    memory.submit(*records)
    holdings = memory.profiles[1].holdings
    left = list(dict.fromkeys(reversed(told)))
    while left:
        (primary,) = (h for h in holdings.values() if h.is_primary)
        assert primary.value == left.pop(0)
        holdings = repaired_primaries(without(holdings, primary.key))


some_kinds = st.sets(st.sampled_from(sorted(kinds)), min_size=1, max_size=3)
values = st.tuples(st.sampled_from(sorted(kinds)), st.integers(1, 3))


@given(
    stored=st.lists(some_kinds, min_size=3, max_size=3),
    named=st.lists(values, min_size=2, max_size=4, unique=True),
    lookup_by=st.sampled_from([LOOKUP_BY, CONTACTS_TOO]),
)
@settings(max_examples=400, deadline=None, derandomize=True, database=None)
def test_what_fill_ignores_counts_for_nothing(stored, named, lookup_by):
    """R44: of customers that share nothing, so that a record names several of them"""
    memory = Memory()
    for number, held in enumerate(stored, 1):
        memory.submit(Record(Operation.REGISTER, day(1), plain((kind, number) for kind in sorted(held))))
    before = memory.copy()
    record = Record(Operation.UPSERT, day(2), plain(named), lookup_by=lookup_by, mode=Mode.FILL)
    (outcome,) = memory.submit(record)
    if isinstance(outcome, Outcome):
        check_outcome(before, memory, record, outcome)
        check_ignored(before, record, outcome)


def plain(values: Iterable[tuple[str, int]]) -> tuple[Sent, ...]:
    """By kind and number; of a unique kind only one."""
    keys = [Key(kind, f"{kind} {number}") for kind, number in values]
    return brought(keys, frozenset(), frozenset(), is_confirmed=False, asks=False)


TestSelfsame = Selfsame.TestCase
TestSelfsame.settings = settings(
    max_examples=160,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
    report_multiple_bugs=False,
)
