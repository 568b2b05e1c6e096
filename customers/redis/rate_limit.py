"""So many requests a minute, for each who asks. Where Redis is away nobody is refused."""

from __future__ import annotations

import time
from functools import partial
from math import ceil

from django.core.cache import cache

from customers.redis.outage import unless_away

WINDOW = 60
"""Seconds of a window. Windows begin with the minute."""


def is_within_limit(whose: str, limit: int) -> bool:
    """Count a request of this window, and say whether the limit still holds. A limit of 0 is none."""
    return not limit or unless_away(partial(_count, whose), otherwise=0) <= limit


def _count(whose: str) -> int:
    """Requests of the present window, this one included."""
    name = f"{whose}:{int(time.time() // WINDOW)}"
    try:
        return int(cache.incr(name))
    except ValueError:  # the first of the window
        return 1 if cache.add(name, 1, timeout=2 * WINDOW) else int(cache.incr(name))


def seconds_left() -> int:
    """How long the present window lasts still."""
    return ceil(WINDOW - time.time() % WINDOW)
