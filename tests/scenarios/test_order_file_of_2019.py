"""An order file of 2019 arrives today: it completes what is known, and overwrites none of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from dedup import tasks
from dedup.storage.integrity import faults
from tests.scenarios.api import Api, Project, moment

ANN, OLD, BOB = "ann@example.com", "ann.maiden@example.com", "bob@example.com"
PHONE, DEVICE = "+14155550122", "3d5f9a3e-6f0f-4c1e-9d8a-1c2b3a4d5e6f"
HEADER = "OrderNumber,Total,Currency,PlacedAt,Phone,Email,CrmID,LastName,DeviceID"
OF_ANN = f"O-19,59.90,USD,2019-03-01T10:00:00Z,{PHONE},{OLD},C-old,Maiden,"
OF_BOB = f"O-20,10.00,USD,2019-04-01T10:00:00Z,,{BOB},C-2,Brown,{DEVICE}"


def import_orders(point: Api, *rows: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A file of orders, sent and worked; what the API says of it, and its rows."""
    text = "\n".join([HEADER, *rows])
    data = {
        "file": SimpleUploadedFile("orders.csv", text.encode()),
        "kind": "orders",
        "options": json.dumps({"lookup_by": ["mobile_phone", "email"]}),
    }
    answer = point.client.post("/api/v1/imports/", data)
    assert answer.status_code == 202, answer.content
    tasks.work_imports()
    number = answer.json()["id"]
    report = b"".join(point.client.get(f"/api/v1/imports/{number}/report/"))
    return dict(point.get(f"imports/{number}/").body), json.loads(report)["results"]


def test_an_order_file_of_2019_changes_nothing_that_is_younger(project: Callable[..., Project]) -> None:
    """R59, R40, R57"""
    shop = project()
    known = {"last_name": "Smith", "first_name": "Ann", "birth_date": "1990-01-31"}
    ann = shop.website.register(email=ANN, mobile_phone=PHONE, crm_id="C-1", device_id=DEVICE, **known).id
    told, rows = import_orders(shop.crm_import, OF_ANN, OF_BOB)
    assert (told["state"], told["counts"]) == ("finished", {"changed": 1, "created": 1, "older_data": 2})
    assert all(row["reason"] for row in rows)
    found = shop.customer(ann)
    assert found["personal"] == known
    assert [e["value"] for e in found["emails"] if e["is_primary"]] == [ANN]
    assert {e["value"] for e in found["emails"]} == {ANN, OLD}
    assert (found["ids"]["crm_id"], found["former_ids"]["crm_id"]) == ("C-1", ["C-old"])
    assert (found["devices"], found["facts"]["orders_count"]) == ([DEVICE], 1)
    bob = shop.website.lookup(email=BOB)
    assert (bob.id, bob.customer["devices"]) == (rows[1]["maestra_id"], [])
    assert moment(found["registered_at"]) == moment("2019-03-01T10:00:00Z")
    [entry] = shop.history(ann, "order")
    created = next(e for e in shop.history(ann, "created"))
    assert moment(entry["at"]) > moment(created["at"])
    assert moment(entry["occurred_at"]) == moment("2019-03-01T10:00:00Z")
    assert faults() == []


def test_the_file_again_changes_nothing(project: Callable[..., Project]) -> None:
    """R59: nothing is told a second time."""
    shop = project()
    shop.website.register(email=ANN, mobile_phone=PHONE, crm_id="C-1", device_id=DEVICE, last_name="Smith")
    import_orders(shop.crm_import, OF_ANN, OF_BOB)
    told, _rows = import_orders(shop.crm_import, OF_ANN, OF_BOB)
    assert told["counts"] == {"unchanged": 2, "older_data": 2}
