"""Who may lose every contact it brought (R24, R30)."""

from dedup.engine.record import Operation
from tests.dedup.engine.builders import ANN, BOB, COOKIE, EVE, HASH, PHONE, PHONE_2, Memory, key

REGISTER, EDIT = Operation.REGISTER, Operation.EDIT


def test_what_is_ambiguous_names_both_customers_and_the_contacts_each_keeps():
    """R24"""
    shop = Memory()
    shop(REGISTER, 1, email=ANN, mobile_phone=PHONE, personal_action=True)
    shop(REGISTER, 2, email=BOB, mobile_phone=PHONE_2, personal_action=True)
    refusal = shop.refusal(REGISTER, 1, email=ANN, mobile_phone=PHONE_2, device_id=COOKIE, cards=(HASH,))
    assert refusal == (
        "ambiguous_customer",
        {"maestra_ids": [1, 2], "keys": [key("email", ANN), key("mobile_phone", PHONE_2)]},
    )


def test_a_stored_customer_may_lose_all_it_brought_to_several():
    """R24, R30: it is somebody already"""
    shop = Memory()
    shop(REGISTER, 1, email=ANN, personal_action=True)
    shop(REGISTER, 1, mobile_phone=PHONE, personal_action=True)
    shop(REGISTER, 1, email=EVE)
    shop.keep_apart(1, 3)
    shop.keep_apart(2, 3)
    outcome = shop(EDIT, 2, lookup=key("maestra_id", "3"), email=ANN, mobile_phone=PHONE)
    assert [(c.key.value, c.kept_by, c.lost_by) for c in outcome.conflicts] == [(ANN, 1, 3), (PHONE, 2, 3)]
