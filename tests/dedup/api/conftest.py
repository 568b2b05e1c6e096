"""A project with one point for each purpose, and its clients."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from customers.models import CustomField, IdentifierKind, IntegrationPoint, Scopes
from customers.setup.integration_points import make_key
from segments.models import Segment, Segmentation
from tests.scenarios.api import Api


def point(name: str, **settings: Any) -> Api:
    row = IntegrationPoint.objects.create(system_name=name, name=name, kind="website", **settings)
    return Api(make_key(row, "Test", Scopes.values).text)


@pytest.fixture
def shop(db: None) -> SimpleNamespace:
    """`website` plain, `app` where phones give access, `forms` where e-mails must be confirmed."""
    IdentifierKind.objects.create(system_name="crm_id", name="CRM ID", category="unique")
    IdentifierKind.objects.create(
        system_name="strict_id", name="Strict ID", category="unique", do_not_merge_different=True
    )
    IdentifierKind.objects.create(system_name="session_key", name="Session key", category="identifier")
    CustomField.objects.create(system_name="weight", name="Weight", type="decimal", merge="larger")
    CustomField.objects.create(system_name="seen", name="Seen", type="datetime")
    loyalty = Segmentation.objects.create(system_name="loyalty", name="Loyalty")
    gold = Segment.objects.create(segmentation=loyalty, system_name="gold", name="Gold")
    return SimpleNamespace(
        website=point("website"),
        app=point("app", gives_access=["mobile_phone"]),
        forms=point("forms", must_be_confirmed=["email"]),
        gold=gold.pk,
        loyalty=loyalty.pk,
    )
