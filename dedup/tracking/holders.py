"""Who holds values, many at once, without reading their profiles."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from customers.tables import ask, over

HELD = """
SELECT i.kind_id, i.value, i.id, i.customer_id, i.origin_id, i.since
  FROM {rows}
  JOIN customers_identifier i ON i.kind_id = u.kind AND i.value = u.value
 WHERE i.customer_id IS NOT NULL AND NOT i.is_former
"""

PLACES = {"kind": "smallint", "value": "text"}

Place = tuple[int, str]
"""A value, after the ID of its kind."""


class Holder(NamedTuple):
    """`row` is the value's own, `head` the profile that holds it, `bearer` the MaestraID it came to."""

    row: int
    head: int
    bearer: int
    since: datetime


def holders_of(places: Iterable[Place]) -> dict[Place, Holder]:
    """The present holders of those values that have one."""
    asked = sorted(places)
    if not asked:
        return {}
    (rows,) = ask([over(HELD, PLACES, asked)])
    return {(kind, value): Holder(*rest) for kind, value, *rest in rows}
