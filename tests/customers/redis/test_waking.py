"""Workers are called when there is something to do; without Redis nobody waits for it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from celery import current_app
from django.core.cache import caches
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import ConnectionError as RedisAway

from customers.redis.outage import OUTAGE
from customers.redis.rate_limit import counted
from customers.redis.waking import awake, wake, wake_after_commit

TASK = "some.task"


class Broker:
    """What was sent, or why it cannot be."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.asked = 0
        self.error: Exception | None = None

    def send_task(self, name: str, **_: Any) -> None:
        self.asked += 1
        if self.error:
            raise self.error
        self.sent.append(name)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Broker:
    caplog.set_level("INFO", logger="customers.redis.outage")
    OUTAGE.end()
    caplog.clear()
    broker = Broker()
    monkeypatch.setattr(current_app, "send_task", broker.send_task)
    monkeypatch.setattr(caches["default"], "key_prefix", uuid4().hex)
    return broker


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The events that were logged of Redis."""
    lines = [record.msg for record in caplog.records if record.name == "customers.redis.outage"]
    return [line["event"] for line in lines if isinstance(line, dict)]


@pytest.mark.django_db
def test_a_worker_is_called_once_it_is_stored_what_it_is_to_do(
    broker: Broker, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        wake_after_commit(TASK)
        assert broker.sent == []
    assert broker.sent == [TASK]


def test_one_call_is_enough_until_a_worker_is_awake(broker: Broker) -> None:
    assert [wake(TASK, debounce=10) for _ in range(3)] == [True] * 3
    assert broker.sent == [TASK]
    awake(TASK)
    wake(TASK, debounce=10)
    assert broker.sent == [TASK] * 2


def test_without_debouncing_each_call_is_made(broker: Broker) -> None:
    wake(TASK)
    wake(TASK)
    assert broker.sent == [TASK] * 2


@pytest.mark.parametrize("error", [OperationalError("away"), RedisAway("away"), TimeoutError("away")])
def test_redis_that_is_away_is_asked_once_and_logged_once(
    broker: Broker, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    broker.error = error
    assert [wake(TASK) for _ in range(3)] == [False] * 3
    assert broker.asked == 1
    assert logged(caplog) == ["redis_is_away"]


def test_redis_that_is_away_is_not_asked_for_a_rate_limit_either(broker: Broker) -> None:
    broker.error = OperationalError("away")
    wake(TASK)
    assert not any(counted("somebody", 1) for _ in range(3))


def test_after_a_while_redis_is_asked_again_and_is_back(
    broker: Broker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = 1000.0
    monkeypatch.setattr("customers.redis.outage.time.monotonic", lambda: now)
    broker.error = OperationalError("away")
    wake(TASK)
    now += 6
    assert not wake(TASK)
    now += 6
    broker.error = None
    assert wake(TASK)
    assert wake(TASK)
    assert logged(caplog) == ["redis_is_away", "redis_is_back"]


def test_a_fault_of_the_program_is_not_taken_for_an_outage(broker: Broker) -> None:
    broker.error = LookupError("no such queue")
    with pytest.raises(LookupError):
        wake(TASK)
    assert not OUTAGE.is_on
