"""The unit of work: what is found in it, and that nothing remains of a record that is refused."""

from dataclasses import replace
from decimal import Decimal

import pytest

from customers.changes import (
    CardSeen,
    Created,
    Decision,
    Erased,
    Held,
    Merged,
    OrderSaved,
    PointsAdded,
    PromoCodeIssued,
    Released,
    Unmerged,
)
from customers.transitions import united
from dedup.engine.outcome import Outcome, Refusal, RefusalCode
from dedup.engine.reasons import Reason
from dedup.engine.record import Operation, PointsMovement, PromoCode
from dedup.engine.resolve import decide, resolve
from dedup.engine.unit_of_work import UnitOfWork
from tests.dedup.engine.builders import (
    ANN,
    BOB,
    COOKIE,
    EVE,
    NOW,
    PHONE,
    Memory,
    day,
    holding,
    key,
    order,
    profile,
    record,
    world,
)

TABLES = (
    "profiles",
    "primary_ids",
    "holders",
    "card_holders",
    "device_users",
    "orders",
    "points",
    "promo_codes",
    "identified",
)
FIRST = profile(1, holding("email", ANN), holding("device_id", COOKIE), cards={"hash-1": 1})
SECOND = profile(2, holding("email", BOB, 2), holding("mobile_phone", PHONE, 2))


def content(work):
    return {name: dict(getattr(work, name)) for name in TABLES}


def test_rolled_back_everything_is_as_before():
    """Changed, added and removed entries of every table"""
    before = world(FIRST, SECOND, orders={"A-1": (1, order("A-1"))}, points={"P-1": 1}, promo_codes={"X": 1})
    work = UnitOfWork(before)
    work.start()
    two, one = {"customer": 2, "maestra_id": 2}, {"customer": 1, "maestra_id": 1}
    phone, tablet = SECOND.holdings[key("mobile_phone", PHONE)], holding("device_id", "cookie-2", 2)
    for change in (
        Created(customer=9, maestra_id=9, registered_at=day(1)),
        Released(customer=2, maestra_id=2, holding=phone),
        Held(customer=2, maestra_id=2, before=None, after=tablet),
        Held(customer=2, maestra_id=2, before=None, after=holding("device_id", COOKIE, 2)),
        CardSeen(**two, card="hash-1"),
        CardSeen(**two, card="hash-2"),
        OrderSaved(**one, before=order("A-1"), after=order("A-1", total="20")),
        OrderSaved(**two, before=None, after=order("A-2")),
        PointsAdded(**two, number="P-2", amount=Decimal(1), reason="", at=day(1)),
        PromoCodeIssued(**two, code="Y", issued_at=day(1)),
        Merged(
            **one,
            absorbed=SECOND,
            survivor=FIRST,
            result=united(FIRST, SECOND),
            decision=Decision(reason=Reason.API),
        ),
    ):
        work.emit(change)
    assert all(content(work)[name] != content(UnitOfWork(before))[name] for name in TABLES)
    work.roll_back()
    assert (content(work), work.changes) == (content(UnitOfWork(before)), [])


def test_what_is_emitted_is_found_where_it_went():
    """R1, R10, R46"""
    work = UnitOfWork(world(FIRST, SECOND))
    work.emit(CardSeen(customer=2, maestra_id=2, card="hash-1"))
    assert work.card_holders["hash-1"] == {1, 2}
    first, second = work.profiles[1], work.profiles[2]
    whole = united(first, second)
    sides = {"absorbed": second, "survivor": first, "result": whole}
    work.emit(Merged(customer=1, maestra_id=1, **sides, decision=Decision(reason=Reason.API)))
    phone = key("mobile_phone", PHONE)
    assert (work.primary_id(2), work.holder(phone)) == (1, whole)
    work.emit(Unmerged(customer=1, maestra_id=1, merge_id=1, restored=second, remaining=first))
    assert (work.primary_id(2), work.holder(phone), work.holder(key("email", ANN))) == (2, second, first)
    assert work.holders[phone] == 2


def test_a_batch_is_decided_in_order():
    """R16, R22: each record sees what those before it did, but not what a refused one tried"""
    records = [
        record(Operation.REGISTER, 1, email=EVE, crm_id="7"),
        record(Operation.REGISTER, 2, crm_id="7", discount_card="1"),
        record(Operation.REGISTER, 3, email=EVE, discount_card="1"),
    ]
    created, refused, joined = resolve(world(FIRST), records, NOW)
    assert isinstance(created, Outcome)
    assert isinstance(joined, Outcome)
    assert (created.customer, joined.customer, joined.status.value) == (1000, 1000, "joined")
    assert refused == Refusal(
        RefusalCode.TECHNICAL_ID_NOT_UNIQUE, {"maestra_ids": [1000], "keys": [key("crm_id", "7")]}
    )
    one_by_one = UnitOfWork(world(FIRST))
    assert [decide(one_by_one, each, NOW) for each in records] == [created, refused, joined]


def test_all_records_of_a_batch_are_decided_at_one_moment():
    """R2: the moment at which a value is retired"""
    records = [record(Operation.EDIT, 1, lookup=key("email", ANN), crm_id=crm_id) for crm_id in ("1", "2")]
    _, retiring = resolve(world(FIRST), records, NOW)
    assert isinstance(retiring, Outcome)
    assert retiring.profile.holdings[key("crm_id", "1")].retired_at == NOW


def test_what_an_erased_customer_held_has_no_holder():
    """R54"""
    work = UnitOfWork(world(FIRST, SECOND))
    work.emit(Erased(customer=2, maestra_id=2, maestra_ids=(2,)))
    assert [work.holder(key("email", email)) for email in (ANN, BOB)] == [FIRST, None]


@pytest.mark.parametrize(
    ("users", "is_shared"),
    [
        (frozenset({1, 2}), False),
        (frozenset({1, 2, 3}), True),
        (frozenset({1, 5, 6}), False),
        (frozenset({1, 2, 4}), False),
        (frozenset({1, 2, 77}), True),
        (frozenset({1, 77, 78}), True),
        (frozenset(), False),
    ],
    ids=["the limit", "one more", "former IDs of one", "an anonymous one", "one not read", "two", "none"],
)
def test_a_device_is_shared_by_more_identified_customers_than_the_limit(users, is_shared):
    """R26"""
    five, six = (replace(FIRST.members[0], maestra_id=n) for n in (5, 6))
    first = replace(FIRST, members=(*FIRST.members, five, six))
    third = profile(3, holding("email", EVE, 3))
    anonymous = profile(4, holding("device_id", "cookie-4", 4))
    device = key("device_id", "tablet")
    known = world(first, SECOND, third, anonymous, device_users={device: users}, shared_device_limit=2)
    assert UnitOfWork(known).is_shared(device) is is_shared
    assert not UnitOfWork(known).is_shared(key("device_id", "other"))


@pytest.mark.parametrize(
    ("operation", "entry", "field"),
    [
        (Operation.POINTS, {"points": PointsMovement(Decimal(5), "", "N-1")}, "number"),
        (Operation.PROMO_CODE, {"promo_code": PromoCode("N-1", day(1))}, "code"),
    ],
)
def test_a_number_told_earlier_in_a_batch_is_known(operation, entry, field):
    """R58"""
    shop = Memory()
    shop.take([*_created(1), *_created(2)])
    first, again, others = shop.submit(
        *(record(operation, 1, lookup=key("maestra_id", str(n)), **entry) for n in (1, 1, 2))
    )
    assert isinstance(first, Outcome)
    assert isinstance(again, Outcome)
    assert (first.status.value, again.status.value) == ("changed", "unchanged")
    assert others == Refusal(RefusalCode.VALIDATION_ERROR, {"field": field})


def _created(maestra_id):
    return [Created(customer=maestra_id, maestra_id=maestra_id, registered_at=day(1))]
