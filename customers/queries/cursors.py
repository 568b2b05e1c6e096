"""Cursors: where a page ends, as an opaque text that the link to the next page carries.

A cursor is a tuple of a time and numbers, such as `TimelineCursor` and `HistoryCursor`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

HIGHEST_ID = 2**63
P = TypeVar("P", bound=tuple[Any, ...])


def encoded(cursor: tuple[Any, ...]) -> str:
    """The cursor as text that can stand in an address."""
    at, *numbers = cursor
    return base64.urlsafe_b64encode(json.dumps([at.isoformat(), *numbers]).encode()).decode()


def decoded(text: str, kind: Callable[..., P]) -> P:
    """The cursor, of this kind, that `encoded` made the text of. Raises ValueError for any other text."""
    try:
        at, *numbers = json.loads(base64.urlsafe_b64decode(text.encode()))
        cursor = kind(datetime.fromisoformat(at), *map(int, numbers))
    except (TypeError, OverflowError) as error:
        raise ValueError from error
    if cursor[0].tzinfo is None or not all(0 <= number < HIGHEST_ID for number in cursor[1:]):
        raise ValueError
    return cursor
