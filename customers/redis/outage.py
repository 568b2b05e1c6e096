"""That Redis is away, remembered for a moment: a request waits for it once, not each time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError
from structlog.stdlib import get_logger

T = TypeVar("T")

PAUSE = 5
"""Seconds in which Redis is not asked again."""

log = get_logger(__name__)


class Outage:
    """`is_on` from the first question that went unanswered until one is answered; it is logged twice."""

    def __init__(self) -> None:
        self.is_on = False
        self._ask_again_at = 0.0

    def begin(self) -> None:
        if not self.is_on:
            log.warning("redis_is_away", exc_info=True)
        self.is_on = True
        self._ask_again_at = time.monotonic() + PAUSE

    def end(self) -> None:
        if self.is_on:
            log.info("redis_is_back")
        self.is_on = False

    def forbids_asking(self) -> bool:
        return self.is_on and time.monotonic() < self._ask_again_at


OUTAGE = Outage()
"""Of this process."""


def unless_away(ask: Callable[[], T], otherwise: T) -> T:
    """What `ask` gets from Redis; `otherwise` where Redis is away, or was a moment ago."""
    if OUTAGE.forbids_asking():
        return otherwise
    try:
        answer = ask()
    except (RedisError, OperationalError, OSError):
        OUTAGE.begin()
        return otherwise
    OUTAGE.end()
    return answer
