"""What becomes of records and merges, down to the last field of every change.

What is expected stands in `emitted.txt`. Where a rule changes, `python -m tests.dedup.engine.test_emitted`
writes it anew: read every line that differs before you keep it.
"""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from customers.changes import OptedOut, Why
from customers.profile import Channel, SubscriptionStatus
from dedup.engine.outcome import Outcome
from dedup.engine.record import Mode, Operation, PointsMovement, PromoCode, SentMembership, SentSubscription
from tests.dedup.engine.builders import (
    ANN,
    APP,
    BOB,
    CARD,
    CONTACTS_TOO,
    COOKIE,
    EVE,
    HASH,
    PHONE,
    PHONE_2,
    PHONE_3,
    SESSION,
    Memory,
    day,
    key,
    order,
    sent,
)
from tests.dedup.engine.emitted import emitted

REGISTER, UPSERT, EDIT, ORDER = Operation.REGISTER, Operation.UPSERT, Operation.EDIT, Operation.ORDER
CONFIRM, POINTS, PROMO_CODE = Operation.CONFIRM, Operation.POINTS, Operation.PROMO_CODE
NEWS, CALLS = Channel("email", "news"), Channel("call")
SUBSCRIBED, UNSUBSCRIBED = SubscriptionStatus.SUBSCRIBED, SubscriptionStatus.UNSUBSCRIBED


def by_id(number: int) -> object:
    return key("maestra_id", str(number))


def a_customer_of_everything(memory: Memory | None = None) -> Outcome:
    return (memory or Memory())(
        ORDER,
        2,
        email=[ANN, sent("email", "second@example.com", is_primary=True)],
        mobile_phone=sent("mobile_phone", PHONE, must_be_confirmed=True, gives_access=True),
        discount_card=sent("discount_card", CARD, is_confirmed=True),
        crm_id="301",
        passport_id="p1",
        session_key=SESSION,
        device_id=COOKIE,
        mobile_device_id=APP,
        cards=(HASH,),
        personal={"last_name": "Lee", "birth_date": date(1990, 1, 31)},
        time_zone="Europe/Paris",
        custom_fields={"size": 7, "none": None},
        subscriptions=(SentSubscription(NEWS, SUBSCRIBED), SentSubscription(CALLS, UNSUBSCRIBED, day(1))),
        memberships=(SentMembership(1, 11), SentMembership(2, 21, day(1)), SentMembership(3, None)),
        order=order("A-1", 1.5),
        personal_action=True,
        point=5,
    )


def everything_is_cleared() -> Outcome:
    shop = Memory()
    shop(REGISTER, 1, email=BOB, mobile_phone=PHONE_2, personal_action=True)
    a_customer_of_everything(shop)
    shop(EDIT, 3, lookup=by_id(2), mobile_phone=sent("mobile_phone", PHONE_2, must_be_confirmed=True))
    clears = {
        "email",
        "mobile_phone",
        "crm_id",
        "passport_id",
        "session_key",
        "payment_card_hash",
        "time_zone",
    }
    return shop(
        EDIT,
        4,
        lookup=by_id(2),
        clears=frozenset(clears),
        personal={"last_name": None},
        custom_fields={"size": None},
        subscriptions=(SentSubscription(CALLS, SUBSCRIBED), SentSubscription(NEWS, SUBSCRIBED)),
        memberships=(SentMembership(1, None), SentMembership(2, 22), SentMembership(4, None)),
        personal_action=True,
    )


def gaps_are_filled() -> Outcome:
    shop = Memory()
    a_customer_of_everything(shop)
    return shop(
        EDIT,
        3,
        lookup=key("crm_id", "301"),
        mode=Mode.FILL,
        clears=frozenset({"email"}),
        email=BOB,
        mobile_phone=sent("mobile_phone", PHONE, is_confirmed=True),
        device_id="cookie-2",
        personal={"last_name": "Lee", "first_name": "Ann"},
        custom_fields={"size": 9, "colour": "red"},
        time_zone="Europe/Rome",
        memberships=(SentMembership(1, 12), SentMembership(5, 51)),
        cards=("hash-2", HASH),
    )


def a_new_contact_waits() -> Outcome:
    shop = Memory()
    shop(REGISTER, 1, mobile_phone=sent("mobile_phone", PHONE, is_confirmed=True, must_be_confirmed=True))
    new = sent("mobile_phone", PHONE_2, must_be_confirmed=True, gives_access=True)
    return shop(EDIT, 2, lookup=by_id(1), mobile_phone=new, point=6)


def a_new_contact_becomes_primary() -> Outcome:
    shop = Memory()
    a_customer_of_everything(shop)
    return shop(EDIT, 3, lookup=by_id(1), email=EVE, crm_id="302", personal={"last_name": "Ray"}, point=6)


def flags_are_added() -> Outcome:
    shop = Memory()
    shop(REGISTER, 1, email=[ANN, BOB])
    flagged = sent("email", BOB, gives_access=True, must_be_confirmed=True, is_confirmed=True)
    return shop(EDIT, 2, lookup=by_id(1), email=flagged)


def a_contact_is_won() -> Outcome:
    shop = Memory()
    two = [
        sent("mobile_phone", PHONE, must_be_confirmed=True, is_primary=True),
        sent("mobile_phone", PHONE_2),
    ]
    shop(REGISTER, 1, email=ANN, mobile_phone=two, point=5)
    shop(REGISTER, 2, email=BOB)
    confirmed = sent("mobile_phone", PHONE, is_confirmed=True)
    return shop(EDIT, 3, lookup=by_id(2), mobile_phone=confirmed, point=6)


def a_contact_is_won_by_access() -> Outcome:
    shop = Memory()
    shop(REGISTER, 1, email=ANN, mobile_phone=PHONE, personal_action=True)
    won = sent("mobile_phone", PHONE, must_be_confirmed=True, gives_access=True)
    return shop(REGISTER, 2, email=BOB, mobile_phone=won, point=6)


def a_contact_is_lost() -> Outcome:
    shop = Memory()
    shop(ORDER, 1, email=ANN, discount_card=CARD, order=order())
    shop(REGISTER, 2, email=BOB, mobile_phone=PHONE)
    lost = sent("discount_card", CARD, must_be_confirmed=True)
    return shop(EDIT, 3, lookup=by_id(2), discount_card=lost, point=6)


def access_is_never_taken() -> Outcome:
    shop = Memory()
    shop(REGISTER, 1, email=ANN, mobile_phone=sent("mobile_phone", PHONE, gives_access=True))
    shop(REGISTER, 2, email=BOB)
    confirmed = sent("mobile_phone", PHONE, must_be_confirmed=True, is_confirmed=True)
    return shop(EDIT, 3, lookup=by_id(2), mobile_phone=confirmed, personal_action=True)


def a_record_joins_with_priority() -> Outcome:
    shop = Memory()
    shop(REGISTER, 1, email=[ANN, EVE], crm_id="301", passport_id="p0", personal={"last_name": "Old"})
    shop(EDIT, 2, lookup=by_id(1), passport_id="p1")
    shop(REGISTER, 3, mobile_phone=PHONE_3)
    return shop(
        REGISTER,
        4,
        email=EVE,
        mobile_phone=[PHONE, sent("mobile_phone", PHONE_2, is_primary=True)],
        crm_id="302",
        personal={"first_name": "New"},
        custom_fields={"size": 1},
        subscriptions=(SentSubscription(NEWS, SUBSCRIBED),),
        memberships=(SentMembership(1, 11), SentMembership(2, None)),
        cards=(HASH,),
        personal_action=True,
        point=6,
    )


def a_record_joins_and_fills() -> Outcome:
    shop = Memory()
    shop(REGISTER, 1, email=ANN, personal={"last_name": "Old"}, memberships=(SentMembership(1, 11),))
    return shop(
        REGISTER,
        2,
        mode=Mode.FILL,
        email=[ANN, BOB],
        mobile_phone=PHONE,
        personal={"last_name": "Old", "first_name": "Ann"},
        time_zone="Europe/Rome",
        custom_fields={"size": 1},
        memberships=(SentMembership(1, 12), SentMembership(2, 21)),
        personal_action=True,
    )


def two_customers_become_one() -> Outcome:
    shop = Memory()
    shop(REGISTER, 1, email=[ANN, BOB], crm_id="301", cards=(HASH,), personal={"last_name": "One"})
    shop(REGISTER, 2, mobile_phone=[PHONE, PHONE_2], crm_id="302", personal={"last_name": "Two"})
    return shop(
        EDIT,
        3,
        lookup=key("mobile_phone", PHONE),
        email=sent("email", BOB, gives_access=True),
        mobile_phone=sent("mobile_phone", PHONE_2, is_primary=True),
        personal_action=True,
        point=6,
    )


def devices_move() -> Outcome:
    shop = Memory()
    shop(REGISTER, 1, email=ANN, session_key=SESSION, device_id=COOKIE, mobile_device_id=APP)
    return shop(REGISTER, 2, email=BOB, device_id=COOKIE, session_key=SESSION, mobile_device_id=APP, point=6)


def a_former_value_is_registered_anew() -> Outcome:
    shop = Memory()
    shop(REGISTER, 1, passport_id="p0", email=ANN)
    shop(EDIT, 2, lookup=by_id(1), passport_id="p1")
    return shop(REGISTER, 3, passport_id="p0", email=BOB)


def an_order_is_sent_again() -> Outcome:
    shop = Memory()
    shop(ORDER, 1, email=ANN, order=order("A-1", 1))
    return shop(ORDER, 4, email=ANN, order=order("A-1", 3, "20"), lookup_by=CONTACTS_TOO)


def points_are_added() -> Outcome:
    shop = Memory()
    shop(REGISTER, 1, email=ANN)
    return shop(POINTS, 2, lookup=by_id(1), points=PointsMovement(Decimal(5), "till", "P-1"))


def a_promo_code_is_issued() -> Outcome:
    shop = Memory()
    shop(REGISTER, 1, email=ANN)
    return shop(PROMO_CODE, 2, lookup=by_id(1), promo_code=PromoCode("X-1", day(1)), personal_action=True)


def claims_are_cleared() -> Outcome:
    shop = Memory()
    shop(ORDER, 1, email=ANN, mobile_phone=PHONE, order=order())
    shop(
        REGISTER,
        2,
        email=BOB,
        mobile_phone=sent("mobile_phone", PHONE, must_be_confirmed=True),
        cards=(HASH,),
    )
    return shop(EDIT, 3, lookup=by_id(2), clears=frozenset({"mobile_phone"}))


def a_former_value_goes_to_an_edited_customer() -> Outcome:
    shop = Memory()
    shop(REGISTER, 1, passport_id="p0", email=ANN)
    shop(EDIT, 2, lookup=by_id(1), passport_id="p1")
    shop(REGISTER, 3, passport_id="p2", email=BOB)
    return shop(EDIT, 4, lookup=by_id(2), passport_id="p0")


def a_contact_that_waits_is_no_primary_after_a_merge() -> Outcome:
    shop = Memory()
    shop(ORDER, 1, mobile_phone=sent("mobile_phone", PHONE, is_confirmed=True), order=order())
    shop(REGISTER, 2, email=sent("email", ANN, is_confirmed=True), mobile_phone=PHONE_2)
    waiting = sent("mobile_phone", PHONE_2, must_be_confirmed=True, is_primary=True)
    return shop(EDIT, 3, lookup=by_id(1), email=sent("email", ANN, is_confirmed=True), mobile_phone=waiting)


def customers_are_merged_by_request() -> Outcome:
    shop = Memory()
    shop(REGISTER, 1, email=ANN, crm_id="301", memberships=(SentMembership(1, 11),))
    shop(REGISTER, 2, email=BOB, crm_id="302", time_zone="Europe/Rome", memberships=(SentMembership(1, 12),))
    outcome = shop.merge([1], 2)
    assert isinstance(outcome, Outcome)
    return outcome


def a_claim_is_confirmed() -> Outcome:
    shop = Memory()
    shop(ORDER, 1, email=ANN, mobile_phone=sent("mobile_phone", PHONE, must_be_confirmed=True), order=order())
    shop(REGISTER, 2, email=BOB, mobile_phone=sent("mobile_phone", PHONE, must_be_confirmed=True))
    confirmed = sent("mobile_phone", PHONE, must_be_confirmed=True, is_confirmed=True)
    return shop(CONFIRM, 3, lookup=by_id(2), mobile_phone=confirmed)


def a_merge_is_undone() -> Outcome:
    shop = Memory()
    a_customer_of_everything(shop)
    claimed = sent("mobile_phone", PHONE, must_be_confirmed=True)
    shop(REGISTER, 3, email=BOB, mobile_phone=claimed, device_id="cookie-2", crm_id="302", cards=("hash-2",))
    shop(EDIT, 4, lookup=by_id(1), clears=frozenset({"passport_id"}))
    shop.merge([2], 1)
    clears = frozenset({"device_id"})
    shop(EDIT, 5, lookup=by_id(2), email=EVE, crm_id="303", time_zone="Europe/Rome", clears=clears)
    return shop.undo()


def a_merge_is_undone_after_an_opt_out() -> Outcome:
    shop = Memory()
    wanted = (SentSubscription(NEWS, SUBSCRIBED), SentSubscription(CALLS, UNSUBSCRIBED))
    shop(REGISTER, 1, email=[ANN, EVE], subscriptions=wanted, custom_fields={"size": 1})
    shop(REGISTER, 2, mobile_phone=[PHONE, PHONE_2], subscriptions=wanted, custom_fields={"colour": "red"})
    shop(REGISTER, 3, discount_card=CARD, device_id=COOKIE, cards=(HASH,))
    shop.merge([3], 2)
    shop.merge([2], 1)
    shop.take([OptedOut(customer=1, maestra_id=1, before=None, at=day(6), why=Why.OPT_OUT)])
    shop(EDIT, 7, lookup=by_id(1), email=sent("email", EVE, is_primary=True, is_confirmed=True))
    shop(EDIT, 8, lookup=by_id(1), mobile_phone=sent("mobile_phone", PHONE_2, gives_access=True))
    return shop.undo()


SCENARIOS: dict[str, Callable[[], Outcome]] = {
    scenario.__name__: scenario
    for scenario in (
        a_customer_of_everything,
        everything_is_cleared,
        gaps_are_filled,
        a_new_contact_waits,
        a_new_contact_becomes_primary,
        flags_are_added,
        a_contact_is_won,
        a_contact_is_won_by_access,
        a_contact_is_lost,
        access_is_never_taken,
        a_record_joins_with_priority,
        a_record_joins_and_fills,
        two_customers_become_one,
        devices_move,
        a_former_value_is_registered_anew,
        an_order_is_sent_again,
        points_are_added,
        a_promo_code_is_issued,
        claims_are_cleared,
        a_former_value_goes_to_an_edited_customer,
        a_contact_that_waits_is_no_primary_after_a_merge,
        customers_are_merged_by_request,
        a_claim_is_confirmed,
        a_merge_is_undone,
        a_merge_is_undone_after_an_opt_out,
    )
}
EXPECTED = Path(__file__).with_name("emitted.txt")


def expected() -> dict[str, list[str]]:
    """The lines of each scenario, below its name."""
    parts = EXPECTED.read_text(encoding="utf-8").strip().split("\n\n")
    return {name: lines for name, *lines in (part.splitlines() for part in parts)}


def test_every_scenario_has_its_lines() -> None:
    assert list(expected()) == list(SCENARIOS)


@pytest.mark.parametrize("name", SCENARIOS)
def test_all_that_is_emitted(name: str) -> None:
    """R22, R30, R32, R36, R41-R46"""
    assert emitted(SCENARIOS[name]()) == expected()[name]


if __name__ == "__main__":
    parts = ["\n".join([name, *emitted(scenario())]) for name, scenario in SCENARIOS.items()]
    EXPECTED.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
