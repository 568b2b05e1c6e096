"""A project with fields of every type, and files sent to it as an integrator sends them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from dedup.imports import operations
from dedup.imports.processing.chunks import step_of
from tests.scenarios.api import Project
from tests.scenarios.conftest import project, story

__all__ = ["project", "story"]

FIELDS = [
    {"system_name": f"a_{of}", "name": name, "type": of}
    for of, name in (
        ("string", "Remark"),
        ("decimal", "Spent"),
        ("list", "Tags"),
        ("date", "Joined on"),
        ("datetime", "Seen at"),
        ("boolean", "VIP"),
    )
]


@dataclass
class Done:
    """What became of a file: the import, its report by row, and the customers by CRM ID."""

    told: dict[str, Any]
    rows: list[dict[str, Any]]
    shop: Project

    @property
    def outcomes(self) -> list[str]:
        return [row["code"] or row["outcome"] for row in self.rows]

    @property
    def mapping(self) -> dict[str, str | None]:
        return dict(self.told["mapping"])

    def customer(self, **identifier: Any) -> dict[str, Any]:
        return self.shop.crm_import.lookup(**identifier).customer

    def values(self, name: str, *crm_ids: str) -> list[Any]:
        """A custom field of these customers."""
        return [self.customer(crm_id=crm_id)["custom_fields"].get(name) for crm_id in crm_ids]


class Files:
    """Sends files through a point that is no personal one."""

    def __init__(self, shop: Project) -> None:
        self.shop = shop

    def post(
        self, data: bytes, name: str = "people.csv", kind: str = "customers", **options: Any
    ) -> tuple[int, Any]:
        mapping = options.pop("mapping", None)
        body = {"file": SimpleUploadedFile(name, data), "kind": kind, "options": json.dumps(options)}
        if mapping is not None:
            body["mapping"] = json.dumps(mapping)
        response = self.shop.crm_import.client.post("/api/v1/imports/", body)
        return response.status_code, json.loads(response.content)

    def send(self, data: bytes | str, name: str = "people.csv", **given: Any) -> Done:
        """A dry run, then its run, which come out the same."""
        sent = data.encode() if isinstance(data, str) else data
        status, body = self.post(sent, name, **{**given, "dry_run": True})
        assert status == 202, body
        dry = self.ended(body["id"])
        run = self.ended(self.shop.crm_import.post(f"imports/{dry.told['id']}/run/", {}).body["id"])
        assert (run.told["differences"] or {"count": 0})["count"] == 0
        assert run.outcomes == dry.outcomes
        run.told["warnings"] = dry.told["warnings"]
        return run

    def ended(self, number: int) -> Done:
        source = operations.find(number)
        while step_of(source):
            source = operations.find(number)
        told = self.shop.crm_import.get(f"imports/{number}/").body
        assert told["state"] == "finished", told["problem"]
        response = self.shop.crm_import.client.get(f"/api/v1/imports/{number}/report/", {"format": "json"})
        rows = json.loads(b"".join(response))["results"]
        return Done(told, rows, self.shop)


@pytest.fixture
def files(project: Callable[..., Project]) -> Files:
    return Files(project(custom_fields=FIELDS))


@pytest.fixture
def german_files(project: Callable[..., Project]) -> Files:
    return Files(project(custom_fields=FIELDS, settings={"default_region": "DE"}))
