"""Who holds values, many at once, without reading their profiles."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from customers.storage.sql import ask, over

# Value by value: some thousands of them are no reason to read all there are.
HELD = """
SELECT u.kind, u.value, i.id, i.customer_id, i.origin_id, i.since
  FROM {rows}
 CROSS JOIN LATERAL (
   SELECT * FROM customers_identifier
    WHERE kind_id = u.kind AND value = u.value AND customer_id IS NOT NULL AND NOT is_former LIMIT 1
 ) i
"""

PLACES = {"kind": "smallint", "value": "text"}

Place = tuple[int, str]
"""A value, after the ID of its kind."""


class Holder(NamedTuple):
    """Who holds a value, a row of `customers_identifier`; `origin_id` is the MaestraID it came to."""

    row: int
    primary_id: int
    origin_id: int
    since: datetime


def holders_of(places: Iterable[Place]) -> dict[Place, Holder]:
    """The present holders of those values that have one."""
    asked = sorted(places)
    if not asked:
        return {}
    (rows,) = ask([over(HELD, PLACES, asked)])
    return {(kind, value): Holder(*rest) for kind, value, *rest in rows}
