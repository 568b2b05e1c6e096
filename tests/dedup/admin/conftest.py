"""A project with a plain website, a shop where phones give access, and an import; staff to look at it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from customers.models import IdentifierKind, IntegrationPoint
from customers.setup.integration_points import point_of
from customers.setup.project_config import project_config
from dedup.engine.record import Operation
from dedup.operations.base import Caller
from dedup.operations.records import submit_one
from dedup.parsing.records import Parser
from segments.models import Segment, Segmentation
from tests.staff import signed_in

Send = Callable[..., int]


@pytest.fixture
def send(db: None) -> Send:
    """Sends a record through a point; the MaestraID it ends in."""
    IdentifierKind.objects.create(system_name="crm_id", name="CRM ID", category="unique")
    IdentifierKind.objects.create(system_name="session_key", name="Session key", category="identifier")
    loyalty = Segmentation.objects.create(system_name="loyalty", name="Loyalty")
    Segment.objects.create(segmentation=loyalty, system_name="gold", name="Gold")
    for name, settings in POINTS.items():
        IntegrationPoint.objects.create(system_name=name, name=name.capitalize(), kind="website", **settings)

    def sent(operation: str = "register", point: str = "website", **record: Any) -> int:
        row = IntegrationPoint.objects.get(system_name=point)
        parsed = Parser(point_of(row), project_config(), timezone.now()).record(Operation(operation), record)
        return submit_one(Caller("system", point_of(row)), parsed).profile.maestra_id

    return sent


POINTS: dict[str, dict[str, Any]] = {"website": {}, "till": {"gives_access": ["mobile_phone"]}}


@pytest.fixture
def marketer(db: None) -> Client:
    return signed_in("Marketer")


@pytest.fixture
def viewer(db: None) -> Client:
    return signed_in("Viewer")


NEW, EXPLAIN = "admin:dedup_merge_new", "admin:dedup_reviewpair_explain"


def preview(client: Client, *customers: int, **more: Any) -> Any:
    return client.post(reverse(NEW), {"customer": customers, "step": "preview", **more})


def confirm(client: Client, shown: Any, **more: Any) -> Any:
    """What the button of a previewed merge sends."""
    context = shown.context
    data = {
        "customer": context["ids"],
        "resulting": context["resulting"],
        "token": context["token"],
        "seen": context["seen"],
        "step": "confirm",
        "review": context["review"] or "",
    }
    return client.post(reverse(NEW), {**data, **more})


def merged(client: Client, *customers: int, **more: Any) -> Any:
    """The merge that was previewed and confirmed."""
    return confirm(client, preview(client, *customers, **more))
