"""Told late: section 13 of the rulebook."""

from datetime import UTC, datetime
from uuid import uuid4

from customers.models import Activity
from dedup.storage.integrity import faults
from dedup.tracking.resolver.lanes import resolve_waiting
from tests.scenarios.api import ANN, BOB, DEVICE, PHONE, at, happened, moment, segment


def older(outcome):
    """The fields that were left out as older; None without such a warning."""
    found = [w["fields"] for w in outcome.warnings if w["code"] == "older_data"]
    return found[0] if found else None


def primary(shop, customer, type_="emails"):
    return next((c["value"] for c in shop.customer(customer)[type_] if c["is_primary"]), None)


def owner(shop, type_, value, day=None):
    asked = {"type": type_, "value": value, **({"at": at(day)} if day else {})}
    answer = shop.website.get("identifiers/owner/", **asked)
    return answer.body["maestra_id"] if answer.status == 200 else None


def test_an_older_edit_fills_gaps_and_overwrites_nothing(project):
    """R59, R42, R44: names, time zone and custom fields, each by its own age."""
    shop = project()
    ann = shop.website.register(day=5, email=ANN, last_name="Smith", time_zone="Europe/Berlin").id
    shop.website.edit(ann, day=7, custom_fields={"shoe_size": 42})
    late = shop.website.edit(
        ann,
        day=6,
        last_name="Maiden",
        time_zone="Asia/Tokyo",
        custom_fields={"shoe_size": 37, "city": "Rome"},
    )
    assert shop.customer(ann)["personal"]["last_name"] == "Maiden"
    assert older(late) == ["custom_fields.shoe_size"]
    late = shop.website.edit(ann, day=3, last_name="Older", first_name="Ann", time_zone="Asia/Seoul")
    assert older(late) == ["personal.last_name", "personal.first_name", "time_zone"]
    found = shop.customer(ann)
    assert (found["personal"], found["time_zone"]) == ({"last_name": "Maiden"}, "Asia/Tokyo")
    assert found["custom_fields"] == {"shoe_size": 42, "city": "Rome"}


def test_an_older_order_joins_and_tells_where_what_it_leaves_out_stood(project):
    """R59, R34, R57: of an order's customer it is the time of the order that counts."""
    shop = project()
    ann = shop.website.register(day=9, email=ANN, last_name="Smith", first_name="Ann").id
    order = shop.website.order("A-1", 3, {"email": ANN, "last_name": "Maiden", "mobile_phone": PHONE})
    assert older(order) == ["customer.personal.last_name"]
    found = shop.customer(ann)
    assert found["personal"] == {"last_name": "Smith", "first_name": "Ann"}
    assert (primary(shop, ann, "mobile_phones"), found["facts"]["orders_count"]) == (PHONE, 1)
    assert moment(found["registered_at"]) == moment(at(3))


def test_clearing_has_no_age_and_clears_nothing_younger(project):
    """R59, R44"""
    shop = project()
    ann = shop.website.register(day=5, email=ANN, last_name="Smith", crm_id="1").id
    shop.website.edit(ann, day=8, email=BOB)
    late = shop.website.edit(ann, day=6, email=None, last_name=None)
    assert {c["value"] for c in shop.customer(ann)["emails"]} == {BOB}
    assert (older(late), shop.customer(ann)["personal"]) == (["email"], {})
    assert older(shop.website.edit(ann, day=4, last_name="Maiden")) is None
    assert shop.customer(ann)["personal"] == {"last_name": "Maiden"}


def test_a_contact_becomes_no_primary_over_a_younger_one_and_an_id_a_former_one(project):
    """R59, R14, R2, R43: even if asked."""
    shop = project()
    ann = shop.website.register(day=2, email=ANN, crm_id="now").id
    shop.website.edit(ann, day=8, email=ANN, crm_id="now")
    late = shop.website.edit(ann, day=5, email={"value": BOB, "is_primary": True}, crm_id="then")
    assert (primary(shop, ann), set(older(late))) == (ANN, {"email", "ids.crm_id"})
    found = shop.customer(ann)
    assert (found["ids"]["crm_id"], found["former_ids"]["crm_id"]) == ("now", ["then"])
    shop.website.edit(ann, day=9, email={"value": BOB, "is_primary": True})
    assert primary(shop, ann) == BOB


def test_what_its_holder_used_later_stays_and_the_other_used_it_before(project):
    """R59, R8, R26, R32, R50: devices and plain identifiers, and who used them when."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, device_id=DEVICE).id
    shop.website.edit(ann, day=9, device_id=DEVICE)
    bob = shop.website.register(day=5, email=BOB, device_id=DEVICE)
    assert (bob.moved, older(bob)) == ([], ["device_id"])
    assert (shop.customer(ann)["devices"], shop.customer(bob.id)["devices"]) == ([DEVICE], [])
    times = {day: owner(shop, "device_id", DEVICE, day) for day in (2, 6, 9.5)}
    assert times == {2: ann, 6: bob.id, 9.5: ann}
    assert owner(shop, "device_id", DEVICE) == ann
    [entry] = [e for e in shop.history(bob.id, "device") if e["related_maestra_id"] == ann]
    assert happened(entry) == moment(at(5))
    assert shop.website.edit(bob.id, day=5, device_id=DEVICE).status == "unchanged"
    assert faults() == []


def activity(shop, day, **who):
    event = {"uuid": str(uuid4()), "kind": "view", "occurred_at": at(day), **who}
    assert shop.website.post("activities/", {"activities": [event]}).status == 202
    resolve_waiting()


def owners_by_time():
    return list(Activity.objects.order_by("occurred_at").values_list("maestra_id", flat=True))


def test_activity_makes_a_device_as_young_as_a_record_does(project):
    """R59, R50: and what is done on it in between is the other's."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, device_id=DEVICE).id
    for day in (2, 7):
        activity(shop, day, device_id=DEVICE)
    bob = shop.website.register(day=5, email=BOB, device_id=DEVICE)
    assert (bob.moved, shop.customer(ann)["devices"]) == ([], [DEVICE])
    for day in (6, 3, 8):
        activity(shop, day, device_id=DEVICE)
    assert owners_by_time() == [ann, ann, bob.id, ann, ann]
    assert shop.website.authorize({"email": BOB}, DEVICE).id == bob.id
    assert shop.customer(bob.id)["devices"] == [DEVICE]


def test_a_sign_in_told_late_takes_a_device_from_nobody_who_used_it_since(project):
    """R59, R21"""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, device_id=DEVICE).id
    bob = shop.website.register(day=1, email=BOB).id
    activity(shop, 9, device_id=DEVICE)
    activity(shop, 4, device_id=DEVICE, lookup={"email": BOB})
    activity(shop, 5, device_id=DEVICE)
    assert (shop.customer(ann)["devices"], shop.customer(bob)["devices"]) == ([DEVICE], [])
    assert owners_by_time() == [bob, bob, ann]


def test_the_registration_becomes_earlier_by_records_and_not_by_activity_or_points(project):
    """R59, R33"""
    shop = project()
    ann = shop.website.register(day=5, email=ANN, device_id=DEVICE).id
    activity(shop, 2, device_id=DEVICE)
    shop.website.promo_code(ann, "C-1", day=3)
    assert moment(shop.customer(ann)["registered_at"]) == moment(at(5))
    shop.website.edit(ann, day=4, first_name="Ann")
    assert moment(shop.customer(ann)["registered_at"]) == moment(at(4))
    [entry] = shop.history(ann, "registered")
    assert moment(entry["data"]["before"]) == moment(at(5))


def test_segments_go_by_their_own_dates(project):
    """R59, R38"""
    shop = project()
    ann = shop.website.register(day=5, email=ANN, segments=[segment("loyalty", "level_1")]).id
    late = shop.website.edit(ann, day=4, segments=[segment("loyalty", "level_2")])
    assert older(late) == ["segments[0]"]
    assert shop.profile(ann)["segments"] == {"loyalty": "level_1"}


def test_a_contact_won_late_was_the_others_until_then(project):
    """R59, R29: contests are decided by priority; who held the contact when stays true."""
    shop = project()
    before = datetime.now(UTC)
    ann = shop.crm_import.register(day=5, email=ANN, mobile_phone=PHONE).id
    bob = shop.website.order("A-1", 3, {"email": BOB, "mobile_phone": PHONE})
    assert [(kept, lost) for _, kept, lost, _ in bob.settled] == [(bob.id, ann)]
    assert owner(shop, "mobile_phone", PHONE, 6) == ann
    assert owner(shop, "mobile_phone", PHONE) == bob.id
    [lost] = shop.history(ann, "contact_lost")
    assert (moment(lost["at"]) >= before, happened(lost)) == (True, moment(at(3)))
