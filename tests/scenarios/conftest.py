"""The project a story is played in, its clock and the messages it sends."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from customers.redis import waking
from dedup import tasks
from dedup.storage import confirmation_outbox
from tests.scenarios.api import Project, sent_texts


@pytest.fixture
def story(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database with real transactions, emptied afterwards, and a worker that sends what is to be sent as
    soon as it is called.

    That an operation is durable, and that constraints hold at its commit, is part of what is tested.
    """
    call = waking.wake

    def wake(task: str, **options: Any) -> bool:
        if task == confirmation_outbox.TASK:
            tasks.send_confirmations()
            return True
        return call(task, **options)

    monkeypatch.setattr(waking, "wake", wake)


@pytest.fixture
def project(story: None, tmp_path: Path) -> Callable[..., Project]:
    """Makes the project; see `tests.scenarios.api.setup` for what may be said of it."""

    def make(setup_yaml: str | None = None, **overrides: Any) -> Project:
        return Project(tmp_path, setup_yaml, **overrides)

    return make


@pytest.fixture
def texts(settings: Any) -> list[tuple[str, str]]:
    """The text messages sent, as (phone, text)."""
    settings.SMS_SENDER = "tests.scenarios.api.record_sms"
    sent_texts.clear()
    return sent_texts


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Moves the clock on."""

    def move(by: timedelta) -> None:
        now = timezone.now
        monkeypatch.setattr(timezone, "now", lambda: now() + by)

    return move
