"""What sections 9 and 10 of the rulebook say of devices that records bring, and of segments."""

from datetime import timedelta

from django.test import Client

from dedup.tracking.resolver.lanes import resolve_waiting
from segments.recalculation import ask_for_all, run_waiting
from tests.dedup.tracking.sending import (
    BROWSER,
    PHONE_BROWSER,
    SHOP,
    TRACKING,
    action,
    minutes,
    send,
    whose,
)
from tests.scenarios.api import ANN, BOB, DEVICE, PHONE, at, happened, mentions, moment, segment, subscription

PUSH = {"subscriptions": [subscription("web_push")]}


def sessions(shop, maestra_id):
    """Start, end and number of actions of each session, the newest first."""
    found = shop.pages(f"customers/{maestra_id}/sessions/")
    return [(s["started_at"], s["ended_at"], s["actions_count"]) for s in found]


def test_a_session_is_a_chain_of_actions_with_gaps_of_at_most_thirty_minutes(project):
    """R47: exactly thirty minutes still belong to it, a second more does not."""
    shop = project()
    ann = shop.website.register(day=0, email=ANN, device_id=BROWSER).id
    times = [minutes(1, m) for m in (0, 30, 59, 89.1)]
    send(shop, *[action(time) for time in times])
    assert sessions(shop, ann) == [(at(times[3]), at(times[3]), 1), (at(times[0]), at(times[2]), 3)]


def test_an_action_that_comes_late_joins_the_sessions_it_lies_between(project):
    """R47: sessions are of the actions' own times, in whatever order they arrive."""
    shop = project()
    ann = shop.website.register(day=0, email=ANN, device_id=BROWSER).id
    send(shop, action(minutes(1, 50)))
    send(shop, action(minutes(1, 0)))
    assert len(sessions(shop, ann)) == 2
    send(shop, action(minutes(1, 25)))
    assert sessions(shop, ann) == [(at(1), at(minutes(1, 50)), 3)]


def test_a_session_is_of_one_device(project):
    """R47"""
    shop = project()
    ann = shop.website.register(day=0, email=ANN, device_id=[BROWSER, PHONE_BROWSER]).id
    send(shop, action(1), action(minutes(1, 1), PHONE_BROWSER))
    devices = [found["device_id"] for found in shop.pages(f"customers/{ann}/sessions/")]
    assert sorted(devices) == [BROWSER, PHONE_BROWSER]


def test_a_profile_shows_activity_from_before_it_entered_the_database(project):
    """R48: the ledger does not move, the profile reads the anonymous customer's part of it."""
    shop = project()
    visits = send(shop, action(1), action(2))
    visitor = whose()[visits[0]]
    ann = shop.website.register(day=30, email=ANN).id
    shop.website.authorize({"email": ANN}, BROWSER)
    shown = shop.pages(f"customers/{ann}/activities/")
    assert [moment(item["occurred_at"]) for item in shown] == [moment(at(2)), moment(at(1))]
    assert {item["maestra_id"] for item in shown} == {visitor} == set(whose().values())


def test_while_a_device_is_attached_its_anonymous_activity_is_the_customers(project):
    """R50: until another customer identifies on it, and again when the first one returns (R8)."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, device_id=BROWSER).id
    bob = shop.website.register(day=1, email=BOB).id
    send(shop, action(2))
    shop.website.edit(bob, day=3, device_id=BROWSER)
    send(shop, action(4))
    shop.website.edit(ann, day=5, device_id=BROWSER)
    send(shop, action(6))
    assert list(whose().values()) == [ann, bob, ann]


def test_what_arrives_late_is_whose_the_device_was_then(project):
    """R50: Bob came on day 3, the news of day 2 only after him."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, device_id=BROWSER).id
    bob = shop.website.register(day=1, email=BOB).id
    shop.website.edit(bob, day=3, device_id=BROWSER)
    late, later = send(shop, action(2), action(4))
    assert (whose()[late], whose()[later]) == (ann, bob)


def personal_link(shop, **more):
    body = {"lookup": {"email": ANN}, "url": f"{SHOP}/sale", **more}
    return shop.website.done("personal_links/", body).body["url"]


def test_a_personal_link_attaches_the_browser_that_opens_it(project):
    """R49: as authorize does, what was done on it anonymously included."""
    shop = project(tracking=TRACKING)
    ann = shop.website.register(day=1, email=ANN).id
    send(shop, action(2, PHONE_BROWSER))
    path = personal_link(shop, message="newsletter").partition("/r/")[2]
    browser = Client()
    browser.cookies["selfsame_device"] = PHONE_BROWSER
    assert browser.get(f"/r/{path}").status_code == 200
    resolve_waiting()
    assert shop.customer(ann)["devices"] == []  # a scanner may have loaded it
    response = browser.post(f"/r/{path}")
    resolve_waiting()
    assert response.status_code == 302
    assert response["Location"].startswith(f"{SHOP}/sale")
    assert shop.customer(ann)["devices"] == [PHONE_BROWSER]
    assert [a["kind"] for a in shop.pages(f"customers/{ann}/activities/")] == ["personal_link", "page_view"]


def test_an_opened_message_is_a_personal_action(project):
    """R29, R49: it is the customer's own, through whatever point it is reported."""
    shop = project()
    shop.crm_import.upsert(email=ANN)
    send(shop, action(5, None, "message_open", lookup={"email": ANN}), point="crm_import")
    assert moment(shop.website.lookup(email=ANN).customer["facts"]["last_activity_at"]) == moment(at(5))


def test_what_an_anonymous_customer_did_becomes_the_identified_customers(project):
    """R48: retroactively, when the device is identified without contradiction."""
    shop = project()
    visitor = shop.website.upsert(day=1, device_id=DEVICE, **PUSH)
    assert visitor.status == "created"
    ann = shop.website.register(day=30, email=ANN, device_id=DEVICE)
    assert (ann.status, ann.id) == ("joined", visitor.id)
    push = shop.history(ann.id, "subscription")[0]
    assert happened(push) == moment(at(1))
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
    assert {happened(e) for e in entries} == {moment(at(1)), moment(at(5))}
    assert mentions([e for e in entries if happened(e) == moment(at(5))], "level_2", "Level 2")


ORDERED = {"type": "orders_count", "op": "at_least", "value": 1}
REACHABLE = {"type": "contact", "contact": "mobile_phone", "state": "held"}


def calculated(**conditions):
    segments = [{"system_name": name, "condition": {"all": [c]}} for name, c in conditions.items()]
    return {"segmentations": [{"system_name": "value", "kind": "calculated", "segments": segments}]}


def recalculate():
    ask_for_all()
    run_waiting()


def test_a_calculated_segment_has_those_who_meet_its_condition(project):
    """R51: as of the last recalculation; of several segments whose condition is met the highest ID wins."""
    shop = project(**calculated(buyer=ORDERED, reachable=REACHABLE))
    ann = shop.website.register(day=1, email=ANN).id
    bob = shop.website.register(day=1, email=BOB, mobile_phone=PHONE).id
    for number, customer in enumerate((ANN, BOB)):
        shop.website.order(str(number), 2, {"email": customer})
    assert "segments" not in shop.profile(ann)
    recalculate()
    assert [shop.profile(c)["segments"] for c in (ann, bob)] == [{"value": "buyer"}, {"value": "reachable"}]


def test_nobody_is_put_into_a_calculated_segment_by_hand(project):
    """R51: its condition alone decides."""
    shop = project(**calculated(buyer=ORDERED))
    with shop.refuses("validation_error"):
        shop.website.register(day=1, email=ANN, segments=[segment("value", "buyer")])


def test_a_calculated_membership_keeps_its_date_and_its_end_is_in_the_history(project, pass_time):
    """R52: entered once, however often it is recalculated."""
    shop = project(**calculated(reachable=REACHABLE))
    ann = shop.website.register(day=1, email=ANN, mobile_phone=PHONE).id
    recalculate()
    (before,) = shop.customer(ann)["segments"]
    pass_time(timedelta(days=1))
    recalculate()
    assert shop.customer(ann)["segments"] == [before]
    shop.website.edit(ann, mobile_phone=None)
    recalculate()
    assert shop.customer(ann)["segments"] == []
    entries = shop.history(ann, "segment")
    assert [e["reason"] for e in entries] == ["recalculated", "recalculated"]
    assert mentions(entries[:1], "Left", "reachable")


def test_calculated_segments_merge_as_static_ones_do(project, pass_time):
    """R38: the later date stays; what no longer holds ends at the next recalculation."""
    no_phone = {"none": [REACHABLE]}
    shop = project(**calculated(reachable=REACHABLE, unreachable=no_phone))
    ann = shop.crm_import.register(day=1, mobile_phone=PHONE).id
    recalculate()
    pass_time(timedelta(days=1))
    bob = shop.crm_import.register(day=2, email=BOB).id
    recalculate()
    shop.match(ann, bob)
    assert shop.profile(ann)["segments"] == {"value": "unreachable"}
    recalculate()
    assert shop.profile(ann)["segments"] == {"value": "reachable"}
