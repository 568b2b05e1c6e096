"""What the dates of a file tell of the order of day and month."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from customers.normalise import trim

YEAR_LAST = re.compile(r"(\d{1,2})([-/. ])(\d{1,2})\2(\d{4}|\d\d)", re.ASCII)
"""Dates in which day and month can be either way round."""


def day_first_in(rows: Iterable[Sequence[str]]) -> bool | None:
    """Whether the dates prove that the day comes before the month, or after it; None where they do not tell.
    One date in ten may be a slip.
    """
    proofs = Counter(proves_day_first(cell) for cells in rows for cell in cells if cell[-1:].isdigit())
    for answer in (True, False):
        if proofs[answer] > 10 * proofs[not answer]:
            return answer
    return None


def proves_day_first(text: str) -> bool | None:
    """What one date tells: nothing, where either order could be. With points between them the day comes first
    wherever points are used, so that such a date proves nothing for others.
    """
    match = YEAR_LAST.fullmatch(trim(text).partition(" ")[0])
    if match is None or match[2] == ".":
        return None
    first, second = int(match[1]), int(match[3])
    return None if (first > 12) == (second > 12) else first > 12
