from typing import Any

import pytest

from tests.scenarios.conftest import pass_time, project, story

__all__ = ["pass_time", "project", "story"]


@pytest.fixture(autouse=True)
def unlimited(settings: Any) -> None:
    """All tests at once send from one address."""
    settings.TRACK_REQUESTS_PER_MINUTE = 0
