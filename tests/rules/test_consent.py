"""R56 with R53: a refusal stands until the person ends it."""

from typing import Any

import pytest

from tests.scenarios.api import ANN, at, subscription, unsubscribed

SUBSCRIBED = {"email": ANN, "subscriptions": [subscription("email")]}


def kept(outcome):
    return [(w["code"], w["fields"]) for w in outcome.warnings]


KEPT = [("kept_unsubscribed", ["subscriptions[0]"])]


def nightly(shop, operation, **given):
    """A record of tonight's file, about Ann."""
    if operation == "edit":
        given.pop("email")
        return shop.crm_import.edit({"email": ANN}, **given)
    return getattr(shop.crm_import, operation)(**given)


@pytest.mark.parametrize("operation", ["register", "upsert", "subscribe", "edit"])
def test_a_nightly_file_does_not_undo_an_opt_out(project, operation):
    """R56, R53: neither a channel nor a topic, however new the consent, and with `fill` neither."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, subscriptions=[subscription("email")]).id
    shop.website.post(f"customers/{ann}/opt_out/", {})
    before = shop.profile(ann)
    wanted = [subscription("email"), subscription("email", topic="sale"), subscription("sms", since=at(3))]
    ways: list[dict[str, Any]] = [{}, {"day": 1}]
    ways += [{"mode": "fill"}] if operation in ("upsert", "subscribe") else []
    for more in ways:
        outcome = nightly(shop, operation, email=ANN, subscriptions=wanted, **more)
        assert kept(outcome) == [("kept_unsubscribed", [f"subscriptions[{n}]" for n in range(3)])]
        assert shop.profile(ann) == before


def test_an_order_of_a_nightly_file_does_not_undo_an_unsubscription(project):
    """R56: an order is the person's word only through a point whose records are personal actions."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, subscriptions=[subscription("email", "unsubscribed")]).id
    outcome = shop.crm_import.order("1", 5, SUBSCRIBED)
    assert kept(outcome) == [("kept_unsubscribed", ["customer.subscriptions[0]"])]
    assert unsubscribed(shop.profile(ann), "email")
    assert kept(shop.website.order("2", 6, SUBSCRIBED)) == []
    assert shop.profile(ann)["subscriptions"] == {"email": "subscribed"}


@pytest.mark.parametrize(("since", "ends"), [(3, True), (1, False)])
def test_a_newer_consent_is_proven_by_its_own_date(project, since, ends):
    """R56: an older one does not beat a newer unsubscription."""
    shop = project()
    ann = shop.website.register(day=2, email=ANN, subscriptions=[subscription("email", "unsubscribed")]).id
    outcome = shop.crm_import.edit(ann, subscriptions=[subscription("email", since=at(since))])
    assert kept(outcome) == ([] if ends else KEPT)
    assert shop.profile(ann)["subscriptions"] == {"email": "subscribed" if ends else "unsubscribed"}


def test_the_person_subscribes_again_by_what_they_do(project):
    """R56, R53: for what they name."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, mobile_phone="+14155550101").id
    shop.website.post(f"customers/{ann}/opt_out/", {})
    shop.website.subscribe(email=ANN, maestra_id=ann, subscriptions=[subscription("email", topic="news")])
    assert shop.profile(ann)["subscriptions"] == {
        "email": "unsubscribed",
        "sms": "unsubscribed",
        "viber": "unsubscribed",
        "call": "unsubscribed",
        "email/news": "subscribed",
    }


def test_an_older_status_is_left_out_and_told(project):
    """R56"""
    shop = project()
    ann = shop.website.register(day=3, email=ANN, subscriptions=[subscription("email")]).id
    before = shop.customer(ann)
    outcome = shop.website.edit(ann, day=2, subscriptions=[subscription("email", "unsubscribed")])
    assert kept(outcome) == [("older_data", ["subscriptions[0]"])]
    assert shop.customer(ann)["subscriptions"] == before["subscriptions"]


def test_a_status_said_again_moves_its_date(project):
    """R56: in the history stands what the person said."""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, subscriptions=[subscription("email")]).id
    told = len(shop.history(ann, "subscription"))
    again = [shop.crm_import.edit(ann, day=n, subscriptions=[subscription("email")]) for n in (3, 2)]
    assert [(o.status, kept(o)) for o in again] == [
        ("unchanged", []),
        ("unchanged", [("older_data", ["subscriptions[0]"])]),
    ]
    assert shop.customer(ann)["subscriptions"][0]["since"] == at(3)
    assert len(shop.history(ann, "subscription")) == told
    assert shop.website.edit(ann, day=4, subscriptions=[subscription("email")]).status == "changed"
    assert len(shop.history(ann, "subscription")) == told + 1


def test_topics_are_one_whatever_their_capitals_and_spaces(project):
    """R11, R56"""
    shop = project()
    ann = shop.website.register(day=1, email=ANN, subscriptions=[subscription("email", topic="News")]).id
    shop.website.edit(ann, day=2, subscriptions=[subscription("email", "unsubscribed", topic=" news ")])
    assert shop.profile(ann)["subscriptions"] == {"email/news": "unsubscribed"}
    shop.website.edit(ann, day=3, subscriptions=[subscription("email", topic="NEWS")])
    assert shop.listed(subscription="email/nEws") == {ann}
    twice = [subscription("email", topic="News"), subscription("email", "unsubscribed", topic="news ")]
    with shop.refuses("validation_error"):
        shop.website.edit(ann, subscriptions=twice)
