"""Nothing is sent, and nothing starts, without a sender of text messages where codes are to be sent."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from customers.models import IntegrationPoint
from dedup.confirmation import sms
from dedup.models import Confirmation
from tests.scenarios.api import CONFIRM, PHONE, Project
from tests.scenarios.conftest import project, story

__all__ = ["project", "story"]


@pytest.fixture
def shop(project: Callable[..., Project], settings: Any) -> Project:
    settings.SMS_SENDER = ""
    return project(app={"mobile_phone": CONFIRM})


@pytest.mark.usefixtures("shop")
def test_a_server_whose_codes_nothing_sends_does_not_start():
    with pytest.raises(ImproperlyConfigured, match="'app'"):
        sms.require_sender()


@pytest.mark.usefixtures("shop")
def test_it_starts_where_no_point_asks_for_codes():
    IntegrationPoint.objects.filter(system_name="app").update(is_enabled=False)
    sms.require_sender()
    IntegrationPoint.objects.update(is_enabled=True, must_be_confirmed=["email"])
    sms.require_sender()


@pytest.mark.usefixtures("shop")
def test_it_starts_with_a_sender_and_without_its_database(settings: Any, monkeypatch: pytest.MonkeyPatch):
    def away() -> None:
        raise DatabaseError

    monkeypatch.setattr(sms, "point_that_sends_codes", away)
    sms.require_sender()
    settings.SMS_SENDER = "tests.scenarios.api.record_sms"
    monkeypatch.undo()
    sms.require_sender()


def test_a_code_that_nothing_sends_waits(shop: Project, capsys: pytest.CaptureFixture[str]):
    shop.app.register(mobile_phone=PHONE)
    assert Confirmation.objects.filter(sent_at=None).count() == 1
    assert "SMS to" not in capsys.readouterr().out
