"""So many requests a minute, for each who asks. Where Redis is away nobody is refused."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from math import ceil

from django.core.cache import cache

from customers.redis.outage import unless_away

WINDOW = 60
"""Seconds of a window. Windows begin with the minute."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many requests of a window are allowed, how many there were, this one included, and for how many
    seconds the window lasts still.
    """

    limit: int
    used: int
    seconds_left: int

    @property
    def is_exceeded(self) -> bool:
        return self.used > self.limit

    def headers(self) -> dict[str, str]:
        """The same for the caller (draft-ietf-httpapi-ratelimit-headers-10)."""
        left = max(self.limit - self.used, 0)
        return {
            "RateLimit-Policy": f'"default";q={self.limit};w={WINDOW}',
            "RateLimit": f'"default";r={left};t={self.seconds_left}',
        }


def counted(whose: str, limit: int) -> Allowance | None:
    """Count a request of this window. None where nobody is refused: the limit is 0, or Redis is away."""
    used = unless_away(partial(_count, whose), otherwise=0) if limit else 0
    return Allowance(limit, used, _seconds_left()) if used else None


def _count(whose: str) -> int:
    """Requests of the present window, this one included."""
    name = f"{whose}:{int(time.time() // WINDOW)}"
    try:
        return int(cache.incr(name))
    except ValueError:  # the first of the window
        return 1 if cache.add(name, 1, timeout=2 * WINDOW) else int(cache.incr(name))


def _seconds_left() -> int:
    """How long the present window lasts still."""
    return ceil(WINDOW - time.time() % WINDOW)
