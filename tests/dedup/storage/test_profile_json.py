"""Images in the merge journal: exact both ways, through JSON text."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from customers.profile import (
    Ages,
    Category,
    Channel,
    Claim,
    Holding,
    Member,
    Membership,
    Note,
    Personal,
    Profile,
    Subscription,
)
from dedup.storage.profile_json import from_json, image_of, to_json

MOMENTS = st.datetimes(
    min_value=datetime(1900, 1, 1),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-3, minutes=-30))]),
)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False)
TEXTS = st.text(max_size=5)
SCALARS = st.none() | st.booleans() | st.integers() | TEXTS | DECIMALS | st.dates() | MOMENTS
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(TEXTS | st.sampled_from(["$date", "$object"]), inner, max_size=3)
    ),
    max_leaves=5,
)


def keyed(of: Any) -> st.SearchStrategy[dict[Any, Any]]:
    return st.lists(of, max_size=3).map(lambda found: {entry.key: entry for entry in found})


PROFILES = st.builds(
    Profile,
    maestra_id=st.integers(),
    members=st.lists(
        st.builds(
            Member,
            st.integers(),
            MOMENTS,
            orders_total=DECIMALS,
            points_balance=DECIMALS,
            last_action_at=st.none() | MOMENTS,
        ),
        max_size=3,
    ).map(tuple),
    personal=st.builds(Personal, last_name=st.none() | TEXTS, birth_date=st.none() | st.dates()),
    time_zone=st.none() | TEXTS,
    custom_fields=st.dictionaries(TEXTS, VALUES, max_size=4),
    holdings=keyed(
        st.builds(
            Holding,
            kind=TEXTS,
            value=TEXTS,
            category=st.sampled_from(Category),
            raw=TEXTS,
            since=MOMENTS,
            retired_at=st.none() | MOMENTS,
            confirmed_at=st.none() | MOMENTS,
        )
    ),
    claims=keyed(
        st.builds(Claim, kind=TEXTS, value=TEXTS, category=st.sampled_from(Category), since=MOMENTS)
    ),
    cards=st.dictionaries(TEXTS, st.integers(), max_size=2),
    subscriptions=st.dictionaries(
        st.builds(Channel, TEXTS, TEXTS), st.builds(Subscription, since=MOMENTS), max_size=2
    ),
    memberships=st.dictionaries(st.integers(), st.builds(Membership, st.integers(), MOMENTS), max_size=2),
    opted_out_at=st.none() | MOMENTS,
    notes=st.lists(st.builds(Note, at=MOMENTS), max_size=2).map(tuple),
    ages=st.builds(Ages, st.none() | MOMENTS, custom_fields=st.dictionaries(TEXTS, MOMENTS, max_size=2)),
    is_new=st.booleans(),
)


@given(PROFILES)
def test_a_profile_comes_back_from_its_image_to_the_last_digit(profile):
    back = from_json(json.loads(json.dumps(image_of(profile))))
    assert back == profile
    assert to_json(back) == to_json(profile)  # equal decimals may differ in their digits


def test_an_image_tells_its_moments_dates_and_decimals_apart():
    profile = Profile(
        maestra_id=1,
        members=(Member(1, datetime(2026, 1, 5, tzinfo=UTC), orders_total=Decimal("59.90")),),
        custom_fields={"since": date(2026, 1, 5), "sizes": ("S",), "$date": "text"},
    )
    image = to_json(profile)
    assert image["members"][0]["orders_total"] == {"$decimal": "59.90"}
    assert image["custom_fields"] == {
        "since": {"$date": "2026-01-05"},
        "sizes": {"$tuple": ["S"]},
        "$date": "text",
    }


def test_topics_of_an_earlier_image_are_without_case():
    """R11: of two spellings the later one stays, of one date the refusal."""

    def entry(topic: str, status: str, day: int) -> dict[str, Any]:
        since = {"$moment": datetime(2026, 1, day, tzinfo=UTC).isoformat()}
        return {"key": ["email", topic], "status": status, "since": since}

    image = {
        **image_of(Profile(maestra_id=1)),
        "version": 1,
        "subscriptions": [
            entry("News", "unsubscribed", 2),
            entry("news ", "subscribed", 1),
            entry("Sale", "unsubscribed", 3),
            entry("sale", "subscribed", 3),
            entry("", "subscribed", 4),
        ],
    }
    found = from_json(json.loads(json.dumps(image))).subscriptions
    assert {channel.topic: s.status.value for channel, s in found.items()} == {
        "news": "unsubscribed",
        "sale": "unsubscribed",
        "": "subscribed",
    }
