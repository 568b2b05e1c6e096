from typing import Any

import pytest

from dedup.tracking import inbox
from tests.scenarios.conftest import pass_time, project, story

__all__ = ["pass_time", "project", "story"]


@pytest.fixture(autouse=True)
def unlimited(settings: Any) -> None:
    """All tests at once send from one address."""
    settings.TRACK_REQUESTS_PER_MINUTE = 0


@pytest.fixture(autouse=True)
def redis_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever an earlier test found of it."""
    monkeypatch.setattr(inbox._Redis, "away_until", 0.0)
