"""Confirmations leave by a worker, from rows of the operations that asked for them (R45)."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail

from customers.keyed_hashes import CONFIRMATION
from customers.redis import waking
from dedup.models import Confirmation
from dedup.tasks import send_confirmations
from tests.scenarios.api import ANN, BOB, CONFIRM, PHONE, Project
from tests.scenarios.conftest import project, story, texts

__all__ = ["project", "story", "texts"]


@pytest.fixture
def shop(project: Callable[..., Project]) -> Project:
    return project(app={"email": CONFIRM})


@pytest.fixture
def woken(shop: Project, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks that workers were called for; none comes by itself."""
    tasks: list[str] = []
    monkeypatch.setattr(waking, "wake", lambda task, **_: tasks.append(task))
    return tasks


def waiting() -> int:
    return Confirmation.objects.filter(sent_at=None).count()


def test_a_request_sends_nothing_and_calls_a_worker(shop: Project, woken: list[str]) -> None:
    shop.app.register(email=ANN)
    assert (mail.outbox, waiting(), woken) == ([], 1, ["dedup.tasks.send_confirmations"])
    send_confirmations()
    assert ([sent.to for sent in mail.outbox], waiting()) == ([[ANN]], 0)


def test_a_worker_is_called_once_for_a_batch_and_not_for_nothing(shop: Project, woken: list[str]) -> None:
    shop.app.batch({"email": ANN}, {"email": BOB})
    shop.app.upsert(crm_id="301")
    assert (waiting(), woken) == (2, ["dedup.tasks.send_confirmations"])


def test_a_preview_asks_for_nothing(shop: Project, woken: list[str]) -> None:
    shop.app.preview(operation="register", record={"email": ANN})
    assert (waiting(), woken) == (0, [])


@pytest.mark.usefixtures("woken")
def test_what_could_not_be_sent_is_tried_again(shop: Project, settings: Any) -> None:
    shop.app.register(email=ANN)
    working, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, "no.such.Backend"
    send_confirmations()
    assert waiting() == 1
    settings.EMAIL_BACKEND = working
    send_confirmations()
    assert (len(mail.outbox), waiting()) == (1, 0)


@pytest.mark.usefixtures("woken")
def test_a_contact_cleared_before_the_worker_came_is_not_written_to(shop: Project) -> None:
    ann = shop.app.register(email=ANN, crm_id="301").id
    shop.app.edit(ann, email=None)
    send_confirmations()
    assert mail.outbox == []


def test_a_link_that_an_earlier_release_sent_still_confirms(shop: Project) -> None:
    """Its hash was made with the secret itself."""
    ann = shop.app.register(email=ANN).id
    (token,) = re.findall(r"/confirm/(\S+)/", str(mail.outbox[0].body))
    Confirmation.objects.update(digest=CONFIRMATION.hashes(token)[1])
    assert shop.app.confirm_token(token).id == ann


def test_a_code_that_an_earlier_release_sent_still_confirms(
    project: Callable[..., Project], texts: list[tuple[str, str]]
) -> None:
    app = project(app={"mobile_phone": CONFIRM}).app
    ann = app.register(mobile_phone=PHONE).id
    (code,) = re.findall(r"\d{6}", texts[0][1])
    row = Confirmation.objects.get()
    Confirmation.objects.update(digest=CONFIRMATION.hashes(f"{row.pk}:{code}")[1])
    assert app.confirm_code(ann, code, mobile_phone=PHONE).id == ann
