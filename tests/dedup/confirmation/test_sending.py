"""Confirmations leave by a worker, from rows of the operations that asked for them (R45)."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from customers.keyed_hashes import CONFIRMATION
from customers.redis import waking
from dedup.confirmation import sending
from dedup.models import Confirmation
from dedup.tasks import send_confirmations
from tests.scenarios.api import ANN, BOB, CONFIRM, PHONE, Project, RefusedError
from tests.scenarios.conftest import pass_time, project, story, texts

__all__ = ["pass_time", "project", "story", "texts"]


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
def test_what_could_not_be_sent_is_tried_again(
    shop: Project, settings: Any, pass_time: Callable[[timedelta], None]
) -> None:
    shop.app.register(email=ANN)
    working, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, "no.such.Backend"
    send_confirmations()
    assert waiting() == 1
    settings.EMAIL_BACKEND = working
    send_confirmations()
    assert waiting() == 1, "not at once"
    pass_time(timedelta(seconds=16))
    send_confirmations()
    assert (len(mail.outbox), waiting()) == (1, 0)


def refusing(tried: list[str], error: Exception) -> Callable[..., None]:
    """In place of sending mails: fails each with this."""

    def send(_subject: str, _text: str, _sender: None, to: list[str]) -> None:
        tried.extend(to)
        raise error

    return send


@pytest.mark.usefixtures("woken")
@pytest.mark.parametrize(
    ("error", "times"), [(TimeoutError(), 1), (SMTPServerDisconnected(), 1), (SMTPRecipientsRefused({}), 3)]
)
def test_a_server_that_is_away_is_waited_for_once_and_a_refused_mail_stops_no_other(
    shop: Project, monkeypatch: pytest.MonkeyPatch, error: Exception, times: int
) -> None:
    shop.app.batch(*({"email": f"ann{number}@example.com"} for number in range(3)))
    tried: list[str] = []
    monkeypatch.setattr(sending, "send_mail", refusing(tried, error))
    send_confirmations()
    assert (len(tried), waiting()) == (times, 3)


@pytest.mark.usefixtures("woken")
def test_the_pauses_between_tries_grow(
    shop: Project, monkeypatch: pytest.MonkeyPatch, pass_time: Callable[[timedelta], None]
) -> None:
    shop.app.register(email=ANN)
    monkeypatch.setattr(sending, "send_mail", refusing([], TimeoutError()))
    pauses = []
    for _ in range(5):
        send_confirmations()
        retry_at = Confirmation.objects.get().retry_at
        assert retry_at
        pauses.append(round((retry_at - timezone.now()).total_seconds()))
        pass_time(timedelta(seconds=pauses[-1] + 1))
    assert pauses == [15, 120, 600, 3600, 3600]


@pytest.mark.usefixtures("woken")
def test_what_waits_can_be_watched(shop: Project) -> None:
    shop.app.register(email=ANN)
    Confirmation.objects.update(asked_at=timezone.now() - timedelta(minutes=5))
    shown = Client().get("/metrics").content.decode()
    assert "selfsame_confirmations_unsent 1.0" in shown
    assert 300 <= float(shown.split("\nselfsame_confirmations_oldest_seconds ")[1].split()[0]) < 400


@pytest.mark.usefixtures("woken")
def test_a_contact_cleared_before_the_worker_came_is_not_written_to(shop: Project) -> None:
    ann = shop.app.register(email=ANN, crm_id="301").id
    shop.app.edit(ann, email=None)
    send_confirmations()
    assert mail.outbox == []


def asked_again(app: Any, ann: int, times: int) -> set[str]:
    """The codes of the warnings, where a customer's phone is sent again so many times."""
    return {warning["code"] for _ in range(times) for warning in app.edit(ann, mobile_phone=PHONE).warnings}


def test_codes_cannot_be_asked_for_without_end(
    project: Callable[..., Project], texts: list[tuple[str, str]], pass_time: Callable[[timedelta], None]
) -> None:
    """R45: thirty requests, one text; the next a minute later. The answer says when."""
    app = project(app={"mobile_phone": CONFIRM}).app
    ann = app.register(mobile_phone=PHONE).id
    assert asked_again(app, ann, 30) == {"confirmation_paused"}
    assert len(texts) == 1
    (warning,) = app.edit(ann, mobile_phone=PHONE).warnings
    assert warning["path"] == "mobile_phone"
    assert datetime.fromisoformat(warning["retry_at"]) > timezone.now() + timedelta(seconds=30)
    for _minute in range(5):
        pass_time(timedelta(seconds=61))
        asked_again(app, ann, 1)
    assert len(texts) == 5, "five a day"


def test_a_new_code_brings_no_new_tries(
    project: Callable[..., Project], texts: list[tuple[str, str]], pass_time: Callable[[timedelta], None]
) -> None:
    """R45: they are counted for the contact, so that its next code cannot be tried either, nor one of
    another customer who claims it.
    """
    app = project(app={"mobile_phone": CONFIRM}).app
    ann = app.register(mobile_phone=PHONE, email=ANN).id
    wrong = "000000" if "000000" not in texts[0][1] else "000001"
    for _ in range(4):
        with pytest.raises(RefusedError, match="code_invalid"):
            app.confirm_code(ann, wrong, mobile_phone=PHONE)
    pass_time(timedelta(seconds=61))
    bob = app.register(mobile_phone=PHONE, email=BOB).id
    with pytest.raises(RefusedError, match="code_invalid"):
        app.confirm_code(bob, wrong, mobile_phone=PHONE)
    (code,) = re.findall(r"\d{6}", texts[1][1])
    with pytest.raises(RefusedError, match="code_expired"):
        app.confirm_code(bob, code, mobile_phone=PHONE)
    assert "confirmation_paused" in asked_again(app, ann, 1)


def test_clearing_a_contact_does_not_make_room_for_more_messages(
    project: Callable[..., Project], texts: list[tuple[str, str]]
) -> None:
    """R45"""
    app = project(app={"mobile_phone": CONFIRM}).app
    ann = app.register(mobile_phone=PHONE, email=ANN).id
    app.edit(ann, mobile_phone=None)
    assert asked_again(app, ann, 1) == {"confirmation_paused"}
    assert len(texts) == 1
    (code,) = re.findall(r"\d{6}", texts[0][1])
    with pytest.raises(RefusedError, match="code_invalid"):
        app.confirm_code(ann, code, mobile_phone=PHONE)


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
