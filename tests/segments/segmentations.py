"""A few calculated segmentations, and people for them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from customers.models import Customer
from segments.models import Membership, Recalculation, Segment, Segmentation
from segments.recalculation import ask, run_waiting

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
MEN = {"all": [{"type": "gender", "gender": "male"}]}
WOMEN = {"all": [{"type": "gender", "gender": "female"}]}
ANYBODY = {"none": [{"type": "opted_out"}]}


def segmentation(name: str, **conditions: Any) -> Segmentation:
    made = Segmentation.objects.create(system_name=name, name=name, kind="calculated")
    for segment, condition in conditions.items():
        Segment.objects.create(segmentation=made, system_name=segment, name=segment, condition=condition)
    return made


def people(genders: Iterable[str | None], first: int = 1) -> list[int]:
    rows = [
        Customer(id=n, profile_id=n, registered_at=NOON, gender=gender)
        for n, gender in enumerate(genders, start=first)
    ]
    Customer.objects.bulk_create(rows)
    return [row.pk for row in rows]


def members() -> dict[int, str]:
    return dict(Membership.objects.values_list("customer", "segment__system_name"))


def recalculate(of: Segmentation) -> Recalculation:
    asked = ask(of)
    run_waiting()
    asked.refresh_from_db()
    return asked
