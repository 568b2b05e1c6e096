from typing import Any

import pytest

from customers.redis.outage import OUTAGE
from tests.scenarios.conftest import pass_time, project, story

__all__ = ["pass_time", "project", "story"]


@pytest.fixture(autouse=True)
def unlimited(settings: Any) -> None:
    """All tests at once send from one address."""
    settings.TRACK_REQUESTS_PER_MINUTE = 0


@pytest.fixture(autouse=True)
def redis_is_asked() -> None:
    """Whatever an earlier test found of it."""
    OUTAGE.end()
