"""The nightly file of the call centre: an order under a phone lands on whoever has the phone."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from dedup import tasks
from dedup.storage.integrity import faults
from tests.scenarios.api import Api, Project, at

PAUL, PAUL_PHONE, EVAN = "paul@example.com", "+14155550122", "evan@example.com"


def import_orders(point: Api, *rows: str, **options: Any) -> dict[str, Any]:
    """A file of orders, sent and worked; what the API then says of it."""
    text = "\n".join(["OrderNumber;Total;Currency;PlacedAt;Phone;FirstName", *rows])
    data = {
        "file": SimpleUploadedFile("orders.csv", text.encode()),
        "kind": "orders",
        "options": json.dumps(options),
    }
    answer = point.client.post("/api/v1/imports/", data)
    assert answer.status_code == 202, answer.content
    tasks.work_imports()
    return dict(point.get(f"imports/{answer.json()['id']}/").body)


def test_the_call_centres_order_lands_on_paul(project: Callable[..., Project]) -> None:
    """R57"""
    shop = project()
    paul = shop.website.register(day=1, email=PAUL, mobile_phone=PAUL_PHONE, website_id="535").id
    shop.website.order("S-1", 2, {"website_id": "535"})
    evan = shop.website.register(day=3, email=EVAN, mobile_phone=PAUL_PHONE).id
    row = f"C-2001;45.50;USD;{at(4)};(415) 555-0122;"
    tried = import_orders(shop.call_centre, row, dry_run=True)
    assert (tried["state"], tried["counts"]) == ("finished", {"joined": 1})
    assert [e["maestra_id"] for e in tried["examples"]["joined"]] == [paul]
    assert shop.customer(paul)["facts"]["orders_count"] == 1
    done = import_orders(shop.call_centre, row)
    assert (done["state"], done["counts"]) == ("finished", {"joined": 1})
    assert shop.customer(paul)["facts"]["orders_count"] == 2
    assert shop.customer(evan)["facts"]["orders_count"] == 0
    again = import_orders(shop.call_centre, row)
    assert again["counts"] == {"joined": 1}
    assert shop.customer(paul)["facts"]["orders_count"] == 2
    assert faults() == []
