"""Why two customers are one, or are not (R22, R26, R28, R29)."""

from dataclasses import replace

import pytest

from dedup.engine.explain import Match, Standing, Step, explain
from dedup.engine.outcome import Veto
from dedup.engine.priority import CRITERIA
from dedup.engine.record import Operation
from dedup.engine.remedies import Remedy
from dedup.engine.vetoes import VETOES
from tests.dedup.engine.builders import ANN, BOB, COOKIE, HASH, PHONE, Memory, day, key, sent

REGISTER = Operation.REGISTER
THE_PHONE = key("mobile_phone", PHONE)


@pytest.fixture
def shop():
    return Memory()


def test_every_veto_has_a_remedy():
    """R22"""
    assert {rule.remedy for rule in VETOES} == set(Remedy) - {Remedy.SHARE_A_VALUE}
    by_hand = {rule.name for rule in VETOES if rule.remedy is Remedy.NAME_RESULTING_CUSTOMER}
    assert by_hand == {rule.name for rule in VETOES if rule.is_overridable}


def test_one_profile_is_the_same(shop):
    """R1"""
    shop(REGISTER, 1, email=ANN)
    assert explain(shop.world(), 1, 1).same


def test_two_who_contest_a_phone_are_told_all(shop):
    """R22, R28, R29"""
    shop(REGISTER, 1, email=ANN, mobile_phone=PHONE, personal_action=True)
    shop(REGISTER, 2, email=BOB, mobile_phone=sent("mobile_phone", PHONE, must_be_confirmed=True))
    found = explain(shop.world(), 1, 2)
    assert found.matches == (Match(THE_PHONE, Standing.HELD, Standing.CLAIMED),)
    assert found.vetoes == (Veto("different_emails", (ANN,), (BOB,)),)
    assert (found.same, found.by_hand, found.contact, found.priority) == (False, True, THE_PHONE, 1)
    assert found.remedies == (Remedy.NAME_RESULTING_CUSTOMER,)
    assert [s.criterion for s in found.steps] == [c.name for c in CRITERIA]
    assert [s for s in found.steps if s.decides] == [
        Step("last_activity", (True, day(1)), (False, day(2)), decides=True)
    ]


def test_the_same_from_the_other_side(shop):
    """R29"""
    shop(REGISTER, 1, email=ANN, mobile_phone=PHONE, personal_action=True)
    shop(REGISTER, 2, email=BOB, mobile_phone=PHONE)
    found = explain(shop.world(), 2, 1)
    assert found.matches == (Match(THE_PHONE, Standing.LOST, Standing.HELD),)
    assert (found.priority, found.vetoes) == (1, (Veto("different_emails", (BOB,), (ANN,)),))


def test_a_device_that_went_from_one_to_the_other_is_a_match(shop):
    """R8"""
    shop(REGISTER, 1, email=ANN, device_id=COOKIE)
    shop(REGISTER, 2, email=BOB, device_id=COOKIE)
    found = explain(shop.world(), 1, 2)
    assert found.matches == (Match(key("device_id", COOKIE), Standing.LOST, Standing.HELD),)
    assert found.contact is None


def test_strangers_lack_a_shared_value(shop):
    """R22"""
    shop(REGISTER, 1, email=ANN)
    shop(REGISTER, 2, mobile_phone=PHONE)
    found = explain(shop.world(), 1, 2)
    assert (found.matches, found.vetoes, found.remedies) == ((), (), (Remedy.SHARE_A_VALUE,))


def test_what_no_named_result_overrides_is_told(shop):
    """R28"""
    shop(REGISTER, 1, email=ANN, passport_id="p")
    shop(REGISTER, 2, email=BOB, passport_id="q")
    shop.keep_apart(1, 2)
    found = explain(shop.world(), 1, 2)
    assert not found.by_hand
    assert found.remedies == (
        Remedy.LIFT_APART,
        Remedy.ALLOW_DIFFERENT_IDS,
        Remedy.NAME_RESULTING_CUSTOMER,
        Remedy.SHARE_A_VALUE,
    )


def test_a_shared_payment_card_is_told_without_its_hash(shop):
    """R10"""
    shop(REGISTER, 1, email=ANN, cards=(HASH,))
    shop(REGISTER, 2, email=BOB, cards=(HASH,))
    found = explain(shop.world(), 1, 2)
    assert (found.shares_payment_card, found.matches) == (True, ())


def test_of_one_profile_both_sides_are_shown(shop):
    """R1"""
    shop(REGISTER, 1, email=ANN)
    found = explain(shop.world(), 1, 1)
    assert (found.left, found.right) == (shop.profiles[1], shop.profiles[1])


def test_everything_that_is_explained_of_two(shop):
    """R22, R29: the contact that matched counts on both sides, the card of one is not shared"""
    flagged = sent("mobile_phone", PHONE, gives_access=True, is_confirmed=True)
    shop(REGISTER, 1, email=ANN, mobile_phone=flagged, discount_card="1", cards=(HASH,))
    shop(REGISTER, 2, email=BOB, mobile_phone=sent("mobile_phone", PHONE, must_be_confirmed=True))
    shop.keep_apart(1, 2)
    shop(REGISTER, 3, email=BOB, discount_card=sent("discount_card", "1", must_be_confirmed=True))
    found = explain(shop.world(), 2, 1)
    assert (found.left, found.right) == (shop.profiles[2], shop.profiles[1])
    assert [m.key.kind for m in found.matches] == ["mobile_phone", "discount_card"]
    assert (found.contact, found.shares_payment_card, found.priority) == (THE_PHONE, False, 1)
    assert [(s.left, s.right, s.decides) for s in found.steps[:3]] == [
        (False, True, True),
        (False, True, False),
        (False, True, False),
    ]
    turned = explain(shop.world(), 1, 2)
    assert [(s.left, s.right) for s in turned.steps[:2]] == [(True, False), (True, False)]


def test_matches_are_told_strongest_first(shop):
    """R22: not by their names"""
    shop(REGISTER, 1, email=ANN, mobile_phone=PHONE, discount_card="1", device_id=COOKIE)
    shop(REGISTER, 2, email=BOB, mobile_phone=PHONE, discount_card="1", device_id=COOKIE)
    kinds = [match.key.kind for match in explain(shop.world(), 1, 2).matches]
    assert kinds == ["mobile_phone", "discount_card", "device_id"]


def test_a_device_of_others_is_no_match(shop):
    """R8"""
    shop(REGISTER, 1, email=ANN)
    shop(REGISTER, 2, email=BOB)
    shop(REGISTER, 3, email="eve@example.com", device_id=COOKIE)
    assert explain(shop.world(), 1, 2).matches == ()


def test_unique_ids_are_no_match(shop):
    """R22: nobody shares one with another"""
    shop(REGISTER, 1, email=ANN, crm_id="301")
    shop(REGISTER, 2, email=BOB)
    world = shop.world()
    profiles = {**world.profiles, 2: replace(world.profiles[2], holdings=world.profiles[1].holdings)}
    assert [m.key.kind for m in explain(replace(world, profiles=profiles), 1, 2).matches] == ["email"]


def test_what_is_blocked_is_asked_by_its_value(shop):
    """R12"""
    shop(REGISTER, 1, email=ANN, mobile_phone=PHONE, discount_card="1")
    shop(REGISTER, 2, email=BOB, mobile_phone=PHONE, discount_card="1")
    found = explain(shop.world(), 1, 2, lambda blocked: blocked == THE_PHONE)
    assert [m.key.kind for m in found.matches] == ["discount_card"]
