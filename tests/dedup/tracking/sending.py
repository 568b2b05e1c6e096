"""Sending activity as an integrator and as a page do, and letting the worker's work be done."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.test import Client

from customers.models import Activity
from dedup.models import Site
from dedup.tracking.resolver.lanes import resolve_waiting
from tests.scenarios.api import Answer, Project, at

SHOP = "https://shop.example"
BROWSER = "11111111-1111-4111-8111-111111111111"
PHONE_BROWSER = "22222222-2222-4222-8222-222222222222"
SITE_KEY = "ssp_website123"
TRACKING = [{"integration_point": "website", "origins": [SHOP], "key": SITE_KEY}]


def action(day: float, device: str | None = BROWSER, kind: str = "page_view", **more: Any) -> dict[str, Any]:
    """What somebody did that day, on the device."""
    return {"kind": kind, "occurred_at": at(day), **({"device_id": device} if device else {}), **more}


def minutes(day: float, after: float) -> float:
    """So many minutes later that day."""
    return day + after / (24 * 60)


def send(shop: Project, *activities: Mapping[str, Any], point: str = "website") -> list[UUID]:
    """Sent and resolved; their UUIDs."""
    answer = shop.api(point).post("activities/", {"activities": list(activities)})
    assert answer.status == 202, answer
    resolve_waiting()
    return [UUID(text) for text in answer.body["uuids"]]


def whose() -> dict[UUID, int]:
    """The MaestraID that each event of the ledger is recorded under, in the order they happened."""
    return dict(Activity.objects.order_by("occurred_at", "id").values_list("uuid", "maestra_id"))


def page(
    *events: Any,
    device: str | None = BROWSER,
    key: str = SITE_KEY,
    origin: str | None = SHOP,
    **more: Any,
) -> Answer:
    """What a page's tracker sends, as a beacon does."""
    headers = {"origin": origin} if origin else {}
    body = {**({"device_id": device} if device else {}), "events": list(events), **more}
    response = Client(raise_request_exception=False).post(
        f"/track/?key={key}", json.dumps(body), content_type="text/plain;charset=UTF-8", headers=headers
    )
    return Answer(response.status_code, response.json())


def identify(**record: Any) -> dict[str, Any]:
    return {"kind": "identify", "record": record}


def site(**changes: Any) -> Site:
    """The website's site, changed."""
    Site.objects.update(**changes)
    return Site.objects.get()
