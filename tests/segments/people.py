"""A small random crowd, stored."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from customers.contact_types import CONTACT_TYPES
from customers.models import (
    Activity,
    Customer,
    CustomerFacts,
    CustomField,
    Identifier,
    IdentifierKind,
    IntegrationPoint,
    Order,
    Subscription,
)
from segments.models import Membership, Segment, Segmentation

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KINDS = {type_.name: type_.kind_id for type_ in CONTACT_TYPES}
BIRTHDAYS = [
    date(2000, 2, 29),
    date(1996, 3, 1),
    date(2008, 3, 2),
    date(1990, 2, 28),
    date(1985, 12, 31),
    date(2007, 1, 1),
]
TOPICS, CHANNELS, STATUSES = ["", "news", "sale"], ["email", "sms"], ["subscribed", "unsubscribed"]
ACTIONS, PAGES = ["page_view", "search"], ["https://shop/shoes", "https://shop/hats?x=50%", ""]
AGES = [timedelta(days=d, hours=h) for d in (0, 1, 7, 30, 90) for h in (0, 1)]
FIELDS: dict[str, tuple[str, list[Any]]] = {
    "colour": ("string", ["Red", "dark red", "50%", "blue"]),
    "size": ("integer", [38, 40, 42]),
    "score": ("decimal", [Decimal("1.5"), Decimal("10"), Decimal("-2")]),
    "vip": ("boolean", [True, False]),
    "wedding": ("date", ["2020-05-01", "2025-12-31"]),
    "seen": ("datetime", ["2026-01-01T00:00:00+00:00", "2026-02-01T10:30:00+00:00"]),
    "likes": ("list", [["tea"], ["tea", "rye"], []]),
}


@dataclass
class Part:
    """One MaestraID."""

    id: int
    registered_at: datetime
    point: str
    orders: list[tuple[datetime, Decimal]] = field(default_factory=list)
    actions: list[tuple[datetime, str, str]] = field(default_factory=list)
    points: Decimal = Decimal(0)
    promo_codes: int = 0
    last_action_at: datetime | None = None


@dataclass
class Person:
    parts: list[Part]
    personal: dict[str, Any]
    custom_fields: dict[str, Any]
    is_identified: bool
    opted_out: bool
    held: list[tuple[str, bool, bool, bool]]  # kind, must be confirmed, confirmed, gives access
    ids: set[str]
    subscriptions: dict[tuple[str, str], str]
    segment: str | None

    @property
    def id(self) -> int:
        return self.parts[0].id


@dataclass
class Crowd:
    random: random.Random
    numbers: Any = field(default_factory=lambda: count(1))
    people: list[Person] = field(default_factory=list)
    rows: dict[type, list[Any]] = field(default_factory=dict)

    def add(self, *rows: Any) -> None:
        for row in rows:
            self.rows.setdefault(type(row), []).append(row)

    def maybe(self, chance: float = 0.5) -> bool:
        return self.random.random() < chance

    def moment(self) -> datetime:
        return NOW - self.random.choice(AGES)


def set_up() -> None:
    """What conditions refer to: kinds, fields, points and a static segmentation."""
    for name, unique in (("crm_id", True), ("session_key", False)):
        IdentifierKind.objects.create(
            system_name=name, name=name, category="unique" if unique else "identifier"
        )
    for name, (kind, _values) in FIELDS.items():
        CustomField.objects.create(system_name=name, name=name, type=kind)
    for name in ("shop", "till"):
        IntegrationPoint.objects.create(system_name=name, name=name, kind="website")
    segmentation = Segmentation.objects.create(system_name="level", name="Level")
    for name in ("silver", "gold"):
        Segment.objects.create(segmentation=segmentation, system_name=name, name=name)


def crowd(seed: int, size: int = 60) -> list[Person]:
    """People stored; every fifth is erased and not among those given back."""
    made = Crowd(random.Random(seed))
    points = {p.system_name: p.pk for p in IntegrationPoint.objects.filter(system_name__in=("shop", "till"))}
    segments = {s.system_name: s for s in Segment.objects.select_related("segmentation")}
    for number in range(size):
        person = _person(made)
        _store(made, person, points, segments, is_erased=number % 5 == 4)
        if number % 5 < 4:
            made.people.append(person)
    # The profiles first, then what refers to them.
    for model in (Customer, CustomerFacts, Identifier, Subscription, Membership, Order, Activity):
        model.objects.bulk_create(made.rows.get(model, []))
    return made.people


def _person(c: Crowd) -> Person:
    pick = c.random.choice
    custom = {name: pick(values) for name, (_kind, values) in FIELDS.items() if c.maybe()}
    kinds = [kind for kind in KINDS if c.maybe(0.4)]
    return Person(
        parts=[_part(c) for _n in range(pick([1, 1, 1, 2, 3]))],
        personal={
            "last_name": pick([None, "Lee"]),
            "birth_date": pick([None, *BIRTHDAYS]),
            "gender": pick([None, "male", "female"]),
            "time_zone": pick([None, "UTC"]),
        },
        custom_fields=custom,
        is_identified=c.maybe(),
        opted_out=c.maybe(0.3),
        held=[(kind, c.maybe(), c.maybe(), c.maybe()) for kind in kinds],
        ids={name for name in ("crm_id", "session_key", "device_id") if c.maybe(0.4)},
        subscriptions={(ch, topic): pick(STATUSES) for ch in CHANNELS for topic in TOPICS if c.maybe(0.3)},
        segment=pick([None, None, "silver", "gold"]),
    )


def _part(c: Crowd) -> Part:
    part = Part(next(c.numbers), c.moment(), c.random.choice(["shop", "till"]))
    if c.maybe():
        part.orders = [
            (c.moment(), Decimal(c.random.choice(["5.50", "20"]))) for _n in range(c.random.randint(1, 3))
        ]
        part.points, part.promo_codes = Decimal(c.random.randint(-5, 20)), c.random.randint(0, 2)
        part.last_action_at = c.moment() if c.maybe(0.7) else None
    if c.maybe():
        part.actions = [
            (c.moment(), c.random.choice(ACTIONS), c.random.choice(PAGES))
            for _n in range(c.random.randint(1, 4))
        ]
    return part


def _store(
    c: Crowd, p: Person, points: dict[str, int], segments: dict[str, Segment], *, is_erased: bool
) -> None:
    for part in p.parts:
        is_head = part.id == p.id
        values: dict[str, Any] = (
            {**p.personal, "is_identified": p.is_identified} if is_head else {"gender": "other"}
        )
        opted_out_at = NOW if p.opted_out and is_head else None
        custom = {name: float(v) if isinstance(v, Decimal) else v for name, v in p.custom_fields.items()}
        c.add(
            Customer(
                id=part.id,
                profile_id=p.id,
                registered_at=part.registered_at,
                point_id=points[part.point],
                opted_out_at=opted_out_at,
                erased_at=NOW if is_erased else None,
                custom_fields=custom if is_head else {"size": 99},
                **values,
            )
        )
        _store_ledgers(c, part)
    if not is_erased:
        for kind, must, confirmed, access in p.held:
            c.add(
                _identifier(
                    c,
                    p,
                    KINDS[kind],
                    must_be_confirmed=must,
                    confirmed_at=NOW if confirmed else None,
                    gives_access=access,
                )
            )
        for name in p.ids:
            row = IdentifierKind.objects.get(system_name=name)
            c.add(_identifier(c, p, row.pk, is_unique_kind=row.is_unique))
        if "crm_id" not in p.ids:
            row = IdentifierKind.objects.get(system_name="crm_id")
            c.add(_identifier(c, p, row.pk, is_unique_kind=True, is_former=True, retired_at=NOW))
        for (channel, topic), status in p.subscriptions.items():
            c.add(Subscription(customer_id=p.id, channel=channel, topic=topic, status=status, since=NOW))
        # What a merge left with the former MaestraIDs counts for nobody.
        for part in p.parts[1:]:
            c.add(
                Subscription(customer_id=part.id, channel="viber", topic="", status="subscribed", since=NOW)
            )
        if p.segment:
            segment = segments[p.segment]
            c.add(Membership(customer_id=p.id, segment=segment, segmentation=segment.segmentation, since=NOW))


def _store_ledgers(c: Crowd, part: Part) -> None:
    for at, total in part.orders:
        number = f"{part.id}-{uuid.UUID(int=c.random.getrandbits(128))}"
        c.add(Order(number=number, maestra_id=part.id, total=total, placed_at=at))
    for at, kind, url in part.actions:
        event = uuid.UUID(int=c.random.getrandbits(128))
        c.add(Activity(uuid=event, maestra_id=part.id, kind=kind, occurred_at=at, url=url))
    if part.orders:
        c.add(
            CustomerFacts(
                customer_id=part.id,
                orders_count=len(part.orders),
                orders_total=sum(t for _at, t in part.orders),
                points_balance=part.points,
                promo_codes_count=part.promo_codes,
                last_action_at=part.last_action_at,
            )
        )


def _identifier(c: Crowd, p: Person, kind: int, **flags: Any) -> Identifier:
    value = f"{kind}-{p.id}-{c.random.getrandbits(40)}"
    return Identifier(
        kind_id=kind, value=value, raw=value, customer_id=p.id, origin_id=p.id, since=NOW, **flags
    )
