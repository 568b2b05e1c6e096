"""What sections 9 and 10 of the rulebook say of devices that records bring, and of static segments."""

from tests.scenarios.api import ANN, BOB, DEVICE, PHONE, at, mentions, moment, segment, subscription

PUSH = {"subscriptions": [subscription("web_push")]}


def test_what_an_anonymous_customer_did_becomes_the_identified_customers(project):
    """R48: retroactively, when the device is identified without contradiction."""
    shop = project()
    visitor = shop.website.upsert(day=1, device_id=DEVICE, **PUSH)
    assert visitor.status == "created"
    ann = shop.website.register(day=30, email=ANN, device_id=DEVICE)
    assert (ann.status, ann.id) == ("joined", visitor.id)
    push = shop.history(ann.id, "subscription")[0]
    assert moment(push["at"]) == moment(at(1))
    assert moment(ann.customer["registered_at"]) == moment(at(1))


def test_a_stored_customer_takes_over_what_its_new_device_did_before(project):
    """R48: the profile shows what is older than its own first entry."""
    shop = project()
    visitor = shop.website.upsert(day=1, device_id=DEVICE, **PUSH).id
    ann = shop.website.register(day=30, email=ANN).id
    assert shop.website.authorize({"email": ANN}, DEVICE).merged == [visitor]
    assert shop.profile(ann)["subscriptions"] == {"web_push": "subscribed"}
    assert shop.history(ann, "subscription")[0]["maestra_id"] == visitor


def test_what_a_device_did_while_attached_to_another_stays_his(project):
    """R48, R50: only the anonymous customer's history is taken over."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, device_id=DEVICE).id
    shop.website.upsert(day=2, device_id=DEVICE, **PUSH)
    bob = shop.website.register(day=3, email=BOB, device_id=DEVICE).id
    assert shop.profile(ann)["subscriptions"] == {"web_push": "subscribed"}
    assert "subscriptions" not in shop.profile(bob)


def test_while_a_device_is_attached_its_anonymous_actions_are_the_customers(project):
    """R50: until another customer identifies on it."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, device_id=DEVICE).id
    bob = shop.website.register(day=1, email=BOB).id
    whose = [shop.website.upsert(day=2, device_id=DEVICE).id]
    shop.website.authorize({"email": BOB}, DEVICE)
    whose.append(shop.website.upsert(day=3, device_id=DEVICE).id)
    shop.website.authorize({"email": ANN}, DEVICE)
    whose.append(shop.website.order("1", 4, {"device_id": DEVICE}).id)
    assert whose == [ann, bob, ann]


def test_the_segments_of_a_segmentation_exclude_each_other(project):
    """R51: static members are put in by API; another segment replaces the former."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, segments=[segment("loyalty", "level_2")]).id
    shop.website.edit(ann, day=2, segments=[segment("loyalty", "level_1"), segment("opens", "never")])
    assert shop.profile(ann)["segments"] == {"loyalty": "level_1", "opens": "never"}


def test_a_membership_keeps_its_date_of_entry(project):
    """R52: sent again it is the same membership."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, segments=[segment("loyalty", "level_1")]).id
    shop.website.edit(ann, day=5, segments=[segment("loyalty", "level_1")])
    (membership,) = shop.customer(ann)["segments"]
    assert moment(membership["since"]) == moment(at(1))


def test_entries_and_exits_are_in_the_change_history(project):
    """R52: with their time."""
    shop = project()
    ann = shop.website.register(
        day=1, email=ANN, mobile_phone=PHONE, segments=[segment("loyalty", "level_1")]
    ).id
    shop.website.edit(ann, day=5, segments=[segment("loyalty", "level_2")])
    entries = shop.history(ann, "segment")
    assert {moment(e["at"]) for e in entries} == {moment(at(1)), moment(at(5))}
    assert mentions([e for e in entries if moment(e["at"]) == moment(at(5))], "level_2", "Level 2")
