"""Where a page ends, as an opaque text that a link to the next page carries."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

HIGHEST_ID = 2**63
P = TypeVar("P", bound=tuple[Any, ...])


def encoded(place: tuple[Any, ...]) -> str:
    """A time and numbers, as text."""
    at, *numbers = place
    return base64.urlsafe_b64encode(json.dumps([at.isoformat(), *numbers]).encode()).decode()


def decoded(text: str, kind: Callable[..., P]) -> P:
    """The place again. Raises ValueError for a text that `encoded` did not make."""
    try:
        at, *numbers = json.loads(base64.urlsafe_b64decode(text.encode()))
        place = kind(datetime.fromisoformat(at), *map(int, numbers))
    except (TypeError, OverflowError) as error:
        raise ValueError from error
    if place[0].tzinfo is None or not all(0 <= number < HIGHEST_ID for number in place[1:]):
        raise ValueError
    return place
