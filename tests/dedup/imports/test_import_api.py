"""Imports over HTTP."""

from __future__ import annotations

import csv
import io
import json
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import MULTIPART_CONTENT
from rest_framework.test import APIClient

from customers.models import ApiKey, Scopes
from dedup.imports import operations
from dedup.models import Import
from tests.dedup.api.conftest import shop
from tests.dedup.imports.importing import ANN, BOB, csv_of, worked

__all__ = ["shop"]

pytestmark = pytest.mark.django_db
HEADER = ("CrmID", "Email", "Note")
ROWS = [("1", ANN, "=1+1"), ("", "ann at home", "=1+1"), ("2", BOB, "x")]


def post(client: Client, path: str = "", **data: Any) -> tuple[int, Any]:
    headers = {"Idempotency-Key": data.pop("key")} if "key" in data else {}
    # What is done with an import takes an empty object.
    body, of = (data, MULTIPART_CONTENT) if data else ("{}", "application/json")
    answer = client.post(f"/api/v1/imports/{path}", body, of, headers=headers)
    return answer.status_code, json.loads(answer.content)


def get(client: Client, path: str, **query: Any) -> Any:
    answer = client.get(f"/api/v1/imports/{path}", query)
    body = b"".join(answer) if answer.streaming else answer.content
    return body.decode("utf-8-sig") if "csv" in answer.headers["Content-Type"] else json.loads(body)


def file(rows: Any = ROWS, header: Any = HEADER) -> SimpleUploadedFile:
    return SimpleUploadedFile("people.csv", csv_of(rows, header))


@pytest.fixture
def client(shop: SimpleNamespace) -> Client:
    found: Client = shop.website.client
    return found


def done(client: Client, **data: Any) -> Any:
    status, body = post(client, **{"file": file(), "kind": "customers", **data})
    assert status == 202, body
    worked(operations.find(body["id"]))
    return get(client, f"{body['id']}/")


def test_a_file_is_taken_in_and_worked_afterwards(client: Client) -> None:
    status, body = post(client, file=file(), kind="customers")
    assert status == 202
    assert (body["state"], body["rows"]) == ("staging", {"staged": 0, "total": None, "done": 0, "failed": 0})
    assert body["mapping"] == {"CrmID": "ids.crm_id", "Email": "email", "Note": None}
    assert body["unmapped"] == ["Note"]
    worked(operations.find(body["id"]))
    after = get(client, f"{body['id']}/")
    assert after["state"] == "finished"
    assert after["rows"] == {"staged": 3, "total": 3, "done": 3, "failed": 1}
    assert after["counts"] == {"created": 2, "failed": 1}
    assert after["failed_by"] == {"validation_error": 1}
    assert after["links"]["self"].endswith(f"/api/v1/imports/{body['id']}/")
    (listed,) = get(client, "")["results"]
    assert (listed["id"], listed["state"]) == (body["id"], "finished")


def test_the_report_tells_of_every_row(client: Client) -> None:
    number = done(client)["id"]
    rows = get(client, f"{number}/report/")["results"]
    assert [(row["line"], row["outcome"], row["code"]) for row in rows] == [
        (2, "created", ""),
        (3, "failed", "validation_error"),
        (4, "created", ""),
    ]
    assert "Email" in rows[1]["reason"]
    lines = list(csv.reader(io.StringIO(get(client, f"{number}/report/", format="csv"))))
    assert lines[0] == ["line", "outcome", "code", "reason", "maestra_id"]
    assert [line[:2] for line in lines[1:]] == [["2", "created"], ["3", "failed"], ["4", "created"]]
    assert len(get(client, f"{number}/report/", outcome="failed")["results"]) == 1
    assert get(client, f"{number}/report/", format="xml")["code"] == "validation_error"


def test_the_failed_rows_come_back_with_the_reason_and_can_be_sent_again(client: Client) -> None:
    number = done(client)["id"]
    header, row = csv.reader(io.StringIO(get(client, f"{number}/failed/")))
    assert header == [*HEADER, "Import error"]
    assert row[:3] == ["", "ann at home", "'=1+1"]
    assert "Email" in row[3]
    again = done(client, file=file([["3", "mended@example.com", *row[2:]]], header))
    assert again["counts"] == {"created": 1}
    assert again["unmapped"] == ["Note", "Import error"]


def test_a_dry_run_is_told_and_then_run(client: Client) -> None:
    body = done(client, options=json.dumps({"dry_run": True}))
    assert (body["is_dry_run"], body["counts"]) == (True, {"created": 2, "failed": 1})
    assert [example["line"] for example in body["examples"]["created"]] == [2, 4]
    status, run = post(client, f"{body['id']}/run/")
    assert (status, run["dry_run_id"], run["is_dry_run"]) == (202, body["id"], False)
    worked(operations.find(run["id"]))
    after = get(client, f"{run['id']}/")
    assert (after["counts"], after["differences"]["count"]) == (body["counts"], 0)
    assert post(client, f"{run['id']}/run/")[1]["code"] == "validation_error"


def test_a_dry_run_is_run_once(client: Client) -> None:
    body = done(client, options=json.dumps({"dry_run": True}))
    run = post(client, f"{body['id']}/run/")[1]
    for ends in (lambda: None, lambda: worked(operations.find(run["id"]))):
        ends()
        status, problem = post(client, f"{body['id']}/run/")
        assert (status, problem["code"]) == (400, "validation_error")
        assert str(run["id"]) in problem["errors"][0]["message"]
        assert Import.objects.count() == 2


def test_a_dry_run_whose_run_was_cancelled_may_be_run_again(client: Client) -> None:
    body = done(client, options=json.dumps({"dry_run": True}))
    first = post(client, f"{body['id']}/run/")[1]
    post(client, f"{first['id']}/cancel/")
    assert post(client, f"{body['id']}/run/")[0] == 202


def test_it_is_paused_resumed_and_cancelled(client: Client) -> None:
    number = post(client, file=file(), kind="customers")[1]["id"]
    assert post(client, f"{number}/pause/")[1]["state"] == "paused"
    assert post(client, f"{number}/pause/")[1]["code"] == "validation_error"
    assert post(client, f"{number}/resume/")[1]["state"] == "staging"
    assert post(client, f"{number}/cancel/")[1]["state"] == "cancelled"
    assert post(client, f"{number}/resume/")[1]["code"] == "validation_error"
    assert post(client, "999/cancel/")[1]["code"] == "not_found"


def test_every_fault_of_a_request_is_named(client: Client) -> None:
    status, body = post(client, kind="people", mapping="[1]", speed="fast")
    assert status == 400
    assert {error["path"] for error in body["errors"]} == {"file", "kind", "mapping", "speed"}
    faulty: tuple[dict[str, Any], ...] = (
        {"options": json.dumps({"speed": 1})},
        {"options": json.dumps({"dry_run": "yes"})},
        {"mapping": json.dumps({"Nope": "email"})},
        {"file": SimpleUploadedFile("empty.csv", b"")},
        {"file": SimpleUploadedFile("header.csv", b"CrmID,Email\n")},
    )
    for data in faulty:
        status, body = post(client, **{"file": file(), "kind": "customers", **data})
        assert (status, body["code"]) == (400, "validation_error"), data
    assert not Import.objects.exists()


def test_the_same_key_and_file_take_it_in_once(client: Client) -> None:
    first = post(client, file=file(), kind="customers", key="tonight")
    again = post(client, file=file(), kind="customers", key="tonight")
    assert first == again
    other = post(client, file=file(ROWS[:1]), kind="customers", key="tonight")
    assert other[1]["code"] == "idempotency_conflict"
    assert Import.objects.count() == 1


def test_a_file_above_the_limit_is_too_large(client: Client, settings: Any) -> None:
    settings.MAX_UPLOAD_SIZE = 100
    status, body = post(client, file=file(), kind="customers")
    assert (status, body["code"]) == (413, "too_large")


def test_what_a_key_may_do(client: Client) -> None:
    number = done(client)["id"]
    ApiKey.objects.update(scopes=[Scopes.READ])
    assert get(client, f"{number}/")["id"] == number
    assert post(client, file=file(), kind="customers")[0] == 403
    assert post(client, f"{number}/cancel/")[0] == 403
    ApiKey.objects.update(scopes=[Scopes.IMPORT])
    assert get(client, f"{number}/report/")["results"]
    ApiKey.objects.update(scopes=[Scopes.WRITE])
    assert get(client, f"{number}/")["code"] == "permission_denied"
    assert APIClient().get(f"/api/v1/imports/{number}/").status_code == 401


def test_its_point_is_that_of_the_key(client: Client, shop: SimpleNamespace) -> None:
    body = done(shop.app.client)
    assert body["integration_point"] == "app"
