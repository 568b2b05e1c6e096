"""Two customers with one of everything a profile can have, merged: what the golden images were made of.

`python -m tests.dedup.storage.pair` prints their images as this release writes them.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from customers.profile import (
    Ages,
    Category,
    Channel,
    Claim,
    Holding,
    Key,
    Kind,
    Member,
    Membership,
    Note,
    Personal,
    Profile,
    Subscription,
    SubscriptionStatus,
)
from dedup.engine.merge import merge
from dedup.engine.outcome import Outcome
from dedup.engine.reasons import Reason
from dedup.engine.world import World
from dedup.storage.profile_json import image_of

KINDS = {
    kind.name: kind
    for kind in (
        Kind(1, "email", Category.EMAIL),
        Kind(2, "mobile_phone", Category.MOBILE_PHONE),
        Kind(3, "discount_card", Category.DISCOUNT_CARD),
        Kind(4, "device_id", Category.DEVICE),
        Kind(900, "crm_id", Category.UNIQUE),
        Kind(901, "session_key", Category.IDENTIFIER),
    )
}
POINT = 900
SEGMENTATIONS = {900: (910, 911), 901: (920,)}
"""Segmentations with their segments."""


def day(number: int) -> datetime:
    return datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=number - 1)


def holding(kind: str, value: str, origin: int, since: int, **facts: object) -> Holding:
    return Holding(kind, value, KINDS[kind].category, value.upper(), origin, day(since), **facts)  # type: ignore[arg-type]


def claim(kind: str, value: str, origin: int, since: int, **facts: object) -> Claim:
    return Claim(kind, value, KINDS[kind].category, value.upper(), origin, day(since), **facts)  # type: ignore[arg-type]


def held(*holdings: Holding) -> dict[Key, Holding]:
    return {h.key: h for h in holdings}


SURVIVOR = Profile(
    maestra_id=9001,
    members=(
        Member(9001, day(1), 2, Decimal("59.9000"), 1, Decimal("7.5000"), 1, day(9)),
        Member(9003, day(2)),
    ),
    personal=Personal("Lovelace", "Ada", "King", date(1815, 12, 10), "female"),
    time_zone="Europe/London",
    custom_fields={"shoe_size": 38, "height": Decimal("1.65"), "sizes": ["S", "M"], "vip": True},
    holdings=held(
        holding(
            "email",
            "ada@example.com",
            9001,
            3,
            is_primary=True,
            must_be_confirmed=True,
            confirmed_at=day(4),
            gives_access=True,
            point=POINT,
        ),
        holding("email", "king@example.com", 9003, 2, was_primary_at=day(3), point=POINT),
        holding("discount_card", "7001", 9001, 3),
        holding("crm_id", "301", 9001, 5),
        holding("crm_id", "103", 9001, 3, is_former=True, retired_at=day(5)),
        holding("device_id", "d-1", 9003, 2, used_at=day(8)),
    ),
    claims={Key("mobile_phone", "+14155550199"): claim("mobile_phone", "+14155550199", 9001, 3, point=POINT)},
    cards={"card-1": 9001, "card-2": 9003},
    subscriptions={
        Channel("email", "news"): Subscription(SubscriptionStatus.SUBSCRIBED, day(3)),
        Channel("sms"): Subscription(SubscriptionStatus.UNSUBSCRIBED, day(6)),
    },
    memberships={900: Membership(910, day(3)), 901: Membership(920, day(4))},
    notes=(Note(day(3), 9001, "contact_lost", "mobile_phone", "+14155550199", 9004, "orders"),),
    ages=Ages(day(3), day(4), {"shoe_size": day(5), "height": day(6)}),
)
ABSORBED = Profile(
    maestra_id=9002,
    members=(Member(9002, day(4), 1, Decimal("10.0000"), 0, Decimal(0), 0, day(5)),),
    personal=Personal("Byron", "Augusta", birth_date=date(1815, 12, 11)),
    time_zone="Europe/Rome",
    custom_fields={"shoe_size": 41, "since": "2026-01-05"},
    holdings=held(
        holding("email", "byron@example.com", 9002, 4, is_primary=True),
        holding("mobile_phone", "+14155550122", 9002, 5, is_primary=True, must_be_confirmed=True),
        holding("crm_id", "302", 9002, 4),
        holding("session_key", "s-1", 9002, 4),
    ),
    claims={Key("email", "ada@example.com"): claim("email", "ada@example.com", 9002, 4, gives_access=True)},
    cards={"card-1": 9002},
    subscriptions={Channel("email", "news"): Subscription(SubscriptionStatus.UNSUBSCRIBED, day(7))},
    memberships={900: Membership(911, day(8))},
    opted_out_at=day(8),
    notes=(Note(day(6), 9002, "by_hand", "", "Called us twice."),),
    ages=Ages(day(5), None, {"since": day(7)}),
)


def merged() -> Outcome:
    """The second merged into the first."""
    profiles = {p.maestra_id: p for p in (SURVIVOR, ABSORBED)}
    world = World(
        kinds=KINDS,
        profiles=profiles,
        primary_ids={member: p.maestra_id for p in profiles.values() for member in p.maestra_ids},
        holders={key: p.maestra_id for p in profiles.values() for key in p.holdings},
    )
    outcome = merge(world, [9002], 9001, Reason.API, day(10))
    assert isinstance(outcome, Outcome)
    return outcome


def images() -> dict[str, object]:
    """By column of the journal."""
    pair = {"before_survivor": SURVIVOR, "before_absorbed": ABSORBED, "result": merged().merges[0].result}
    return {name: image_of(profile) for name, profile in pair.items()}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(images(), indent=2, ensure_ascii=False) + "\n")
