"""Statuses that a record sets on the profile it ends in (R38, R53, R56)."""

from typing import Any

import pytest

from customers.changes import OptedOut, SubscriptionChanged
from customers.consent import opt_out_changes, refused_at
from customers.profile import Channel, Membership, Subscription, SubscriptionStatus
from dedup.engine.record import Mode, Operation, SentMembership, SentSubscription
from tests.dedup.engine.builders import ANN, CONTACTS_TOO, Memory, day, holding, order, profile

REGISTER, UPSERT, SUBSCRIBE, ORDER = (
    Operation.REGISTER,
    Operation.UPSERT,
    Operation.SUBSCRIBE,
    Operation.ORDER,
)
ON, WAITING, OFF = SubscriptionStatus
NEWS, MAIL = Channel("email", "news"), Channel("email")
PASSIVE: dict[str, tuple[Operation, dict[str, Any]]] = {
    "upsert": (UPSERT, {}),
    "subscribe": (SUBSCRIBE, {}),
    "order": (ORDER, {"order": order(number_of_day=9), "personal_action": True, "is_passive_order": True}),
    "fill": (UPSERT, {"mode": Mode.FILL}),
}
"""Records that are no word of the person's."""


@pytest.fixture
def shop():
    return Memory()


def says(*statuses):
    """Statuses as a record names them: (channel, status), with a date of its own if there is a third."""
    return {
        "subscriptions": tuple(
            SentSubscription(channel, status, since[0] if since else None, f"subscriptions[{at}]")
            for at, (channel, status, *since) in enumerate(statuses)
        )
    }


def stored(shop, number, *statuses, **more):
    """Ann, who is subscribed so since a day."""
    return shop(REGISTER, number, email=ANN, **says(*statuses), personal_action=True, **more)


def edits(shop, number, *statuses, **more):
    """A later record about Ann."""
    return shop(UPSERT, number, email=ANN, lookup_by=CONTACTS_TOO, **says(*statuses), **more)


def opt_out(shop, number):
    shop.take(opt_out_changes(shop.profiles[1], 1, day(number)))


def kept(outcome):
    """The warnings as (code, fields)."""
    return [(w.code.value, w.fields) for w in outcome.warnings]


KEPT = [("kept_unsubscribed", ("subscriptions[0]",))]
OLDER = [("older_data", ("subscriptions[0]",))]


@pytest.mark.parametrize("passive", PASSIVE)
@pytest.mark.parametrize("wanted", [ON, WAITING])
def test_only_the_person_ends_an_unsubscription_by_mere_arrival(shop, passive, wanted):
    """R56: not an upsert, a subscribe, an order, a fill of somebody else."""
    operation, more = PASSIVE[passive]
    stored(shop, 1, (MAIL, OFF))
    outcome = shop(operation, 9, email=ANN, **says((MAIL, wanted)), **more)
    assert outcome.profile.subscriptions == {MAIL: Subscription(OFF, day(1))}
    assert kept(outcome) == KEPT


def test_the_person_ends_an_unsubscription(shop):
    """R56"""
    stored(shop, 1, (MAIL, OFF))
    outcome = shop(UPSERT, 9, email=ANN, **says((MAIL, ON)), personal_action=True)
    assert (outcome.profile.subscriptions, kept(outcome)) == ({MAIL: Subscription(ON, day(9))}, [])


@pytest.mark.parametrize(("since", "ends"), [(5, True), (4, False), (3, False)])
def test_a_consent_that_is_proven_newer_ends_an_unsubscription(shop, since, ends):
    """R56: by a date of its own, later than the unsubscription. Where both fit, the refusal is told."""
    stored(shop, 4, (MAIL, OFF))
    outcome = shop(UPSERT, 9, email=ANN, **says((MAIL, ON, day(since))))
    stands = Subscription(ON, day(since)) if ends else Subscription(OFF, day(4))
    assert (outcome.profile.subscriptions, kept(outcome)) == ({MAIL: stands}, [] if ends else KEPT)


def test_whoever_is_not_to_be_subscribed_again_is_not(shop):
    """R56: the sender of a file leaves out those who refused, whatever the file proves."""
    stored(shop, 1, (MAIL, OFF))
    ways: tuple[dict[str, Any], ...] = ({"personal_action": True}, {})
    for more in ways:
        outcome = shop(UPSERT, 9, email=ANN, **says((MAIL, ON, day(5))), may_resubscribe=False, **more)
        assert outcome.profile.subscriptions == {MAIL: Subscription(OFF, day(1))}
        assert kept(outcome) == KEPT


@pytest.mark.parametrize("passive", PASSIVE)
@pytest.mark.parametrize("channel", [MAIL, NEWS])
@pytest.mark.parametrize("since", [(), (day(1),), (day(8),)])
def test_only_the_person_ends_an_opt_out(shop, passive, channel, since):
    """R53, R56: of every key, stored or not, whatever the date of the consent."""
    operation, more = PASSIVE[passive]
    stored(shop, 1, (MAIL, ON))
    opt_out(shop, 4)
    before = shop.profiles[1].subscriptions
    outcome = shop(operation, 9, email=ANN, **says((channel, ON, *since)), **more)
    assert (outcome.profile.subscriptions, kept(outcome)) == (before, KEPT)


@pytest.mark.parametrize(("number", "ends"), [(3, False), (4, False), (5, True)])
def test_the_person_ends_an_opt_out_only_by_a_later_action(shop, number, ends):
    """R53, R56: and only for the keys it names."""
    stored(shop, 1, (MAIL, ON))
    opt_out(shop, 4)
    outcome = shop(SUBSCRIBE, number, email=ANN, **says((NEWS, ON)), personal_action=True)
    refused = {MAIL: Subscription(OFF, day(4))}
    lifted = {**refused, NEWS: Subscription(ON, day(5))}
    assert (outcome.profile.subscriptions, kept(outcome)) == ((lifted, []) if ends else (refused, KEPT))
    assert outcome.profile.opted_out_at == day(4)


def test_an_ended_opt_out_is_ended_for_files_too(shop):
    """R56: of the keys the person named since, and of no other."""
    stored(shop, 1, (MAIL, ON))
    opt_out(shop, 4)
    shop(SUBSCRIBE, 5, email=ANN, **says((NEWS, WAITING)), personal_action=True)
    outcome = shop(UPSERT, 9, email=ANN, **says((NEWS, ON), (Channel("sms"), ON)))
    assert outcome.profile.subscriptions[NEWS] == Subscription(ON, day(9))
    assert kept(outcome) == [("kept_unsubscribed", ("subscriptions[1]",))]


@pytest.mark.parametrize("status", SubscriptionStatus)
def test_an_older_status_changes_nothing(shop, status):
    """R56: whoever sends it."""
    stored(shop, 2, (MAIL, OFF))
    edits(shop, 4, (MAIL, ON), personal_action=True)
    ways: tuple[dict[str, Any], ...] = ({}, {"personal_action": True})
    for more in ways:
        outcome = edits(shop, 3, (MAIL, status), **more)
        assert (outcome.profile.subscriptions, kept(outcome)) == ({MAIL: Subscription(ON, day(4))}, OLDER)
        assert outcome.status == "unchanged"


def test_an_action_of_before_the_unsubscription_is_older(shop):
    """R56"""
    stored(shop, 4, (MAIL, OFF))
    outcome = shop(UPSERT, 3, email=ANN, **says((MAIL, ON)), personal_action=True)
    assert (outcome.profile.subscriptions, kept(outcome)) == ({MAIL: Subscription(OFF, day(4))}, OLDER)


@pytest.mark.parametrize("channel", [MAIL, NEWS])
def test_an_unsubscription_older_than_the_opt_out_is_older(shop, channel):
    """R53, R56: an opt-out is an unsubscription of every key, stored or not."""
    stored(shop, 1, (MAIL, ON))
    opt_out(shop, 4)
    before = shop.profiles[1].subscriptions
    outcome = shop(UPSERT, 3, email=ANN, **says((channel, OFF)))
    assert (outcome.profile.subscriptions, kept(outcome)) == (before, OLDER)


@pytest.mark.parametrize("status", SubscriptionStatus)
def test_the_same_status_again_moves_its_date(shop, status):
    """R56: silently, unless the person says it."""
    stored(shop, 1, (MAIL, status))
    outcome = edits(shop, 5, (MAIL, status))
    assert outcome.profile.subscriptions == {MAIL: Subscription(status, day(5))}
    assert (outcome.status, kept(outcome)) == ("unchanged", [])
    outcome = edits(shop, 6, (MAIL, status), personal_action=True)
    assert outcome.profile.subscriptions == {MAIL: Subscription(status, day(6))}
    assert outcome.status == "changed"


@pytest.mark.parametrize("before", SubscriptionStatus)
@pytest.mark.parametrize("sent", SubscriptionStatus)
def test_fill_changes_no_stored_status(shop, before, sent):
    """R44, R56: nor its date; of a refusal it is told."""
    stored(shop, 1, (MAIL, before))
    outcome = shop(UPSERT, 5, email=ANN, **says((MAIL, sent)), mode=Mode.FILL, personal_action=True)
    assert outcome.profile.subscriptions == {MAIL: Subscription(before, day(1))}
    assert kept(outcome) == (KEPT if before is OFF and sent is not OFF else [])


def test_fill_sets_a_status_where_there_is_none(shop):
    """R44"""
    stored(shop, 1, (MAIL, ON))
    outcome = shop(UPSERT, 5, email=ANN, **says((NEWS, ON)), mode=Mode.FILL)
    assert outcome.profile.subscriptions == {MAIL: Subscription(ON, day(1)), NEWS: Subscription(ON, day(5))}


@pytest.mark.parametrize("mode", Mode)
def test_an_opt_out_that_a_record_brings_ends_everything(shop, mode):
    """R53, R56: what the same record subscribes to, too."""
    stored(shop, 1, (NEWS, ON))
    outcome = shop(UPSERT, 5, email=ANN, **says((Channel("sms"), ON)), opted_out_at=day(5), mode=mode)
    assert outcome.profile.opted_out_at == day(5)
    assert outcome.profile.subscriptions == {c: Subscription(OFF, day(5)) for c in (MAIL, NEWS)}
    assert kept(outcome) == KEPT


def test_an_opt_out_told_late_leaves_what_was_subscribed_since(shop):
    """R53, R56: it counts at its own time, and a later one stands."""
    stored(shop, 6, (NEWS, ON), (MAIL, ON, day(3)))
    outcome = shop(UPSERT, 9, email=ANN, opted_out_at=day(5))
    since = {NEWS: Subscription(ON, day(6)), MAIL: Subscription(OFF, day(5))}
    assert (outcome.profile.subscriptions, outcome.profile.opted_out_at) == (since, day(5))
    assert shop(UPSERT, 9, email=ANN, opted_out_at=day(4)).profile == outcome.profile


def test_a_new_customer_is_made_with_what_the_record_says(shop):
    """R56"""
    outcome = shop(UPSERT, 2, email=ANN, **says((MAIL, ON, day(1)), (NEWS, OFF)))
    assert outcome.profile.subscriptions == {MAIL: Subscription(ON, day(1)), NEWS: Subscription(OFF, day(2))}
    assert kept(outcome) == []


@pytest.mark.parametrize(
    ("stands", "opted_out", "refused"),
    [
        (None, None, None),
        (None, 3, 3),
        ((ON, 2), None, None),
        ((ON, 2), 3, 3),
        ((ON, 3), 3, 3),
        ((WAITING, 4), 3, None),
        ((OFF, 2), None, 2),
        ((OFF, 2), 3, 3),
        ((OFF, 4), 3, 4),
    ],
)
def test_when_a_channel_was_refused_last(stands, opted_out, refused):
    """R53, R56"""
    subscriptions = {MAIL: Subscription(stands[0], day(stands[1]))} if stands else {}
    ann = profile(1, subscriptions=subscriptions, opted_out_at=opted_out and day(opted_out))
    assert refused_at(ann, MAIL) == (refused and day(refused))


@pytest.mark.parametrize(
    ("kind", "channels"),
    [("email", {"email"}), ("mobile_phone", {"sms", "viber", "call"}), ("device_id", {"web_push"})],
)
def test_an_opt_out_refuses_what_reaches_the_customer(kind, channels):
    """R53: not what a former value would reach."""
    ann = profile(1, holding(kind, "x"), holding("crm_id", "1", is_former=True))
    found = list(opt_out_changes(ann, 1, day(2)))
    ended = {change.channel for change in found if isinstance(change, SubscriptionChanged)}
    assert ended == {Channel(name) for name in channels}
    assert [change.at for change in found if isinstance(change, OptedOut)] == [day(2)]


def enters(number, segment, since=None, mode=Mode.OVERWRITE, **more):
    """A record of a day that puts Ann into a segment of segmentation 7."""
    membership = SentMembership(7, segment, since, path="segments[0]")
    return (UPSERT, number), {"memberships": (membership,), "mode": mode, "email": ANN, **more}


@pytest.mark.parametrize("segment", [1, 3, None])
@pytest.mark.parametrize(("number", "since"), [(3, None), (9, day(3))])
def test_a_membership_older_than_the_stored_one_changes_nothing(shop, segment, number, since):
    """R38, R59: memberships go by their own dates, in an edit and in a join."""
    shop(REGISTER, 4, email=ANN, memberships=(SentMembership(7, 2),))
    at, more = enters(number, segment, since)
    for lookup_by in (("email",), ()):
        outcome = shop(*at, **more, lookup_by=lookup_by)
        assert outcome.profile.memberships == {7: Membership(2, day(4))}
        assert kept(outcome) == [("older_data", ("segments[0]",))]


@pytest.mark.parametrize("segment", [1, 3])
def test_a_membership_that_is_not_older_is_set(shop, segment):
    """R38: of records about the customer the last one counts, of one date too."""
    shop(REGISTER, 4, email=ANN, memberships=(SentMembership(7, 2),))
    at, more = enters(4, segment)
    outcome = shop(*at, **more, lookup_by=("email",))
    assert (outcome.profile.memberships, kept(outcome)) == ({7: Membership(segment, day(4))}, [])
