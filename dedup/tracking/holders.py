"""Who holds identifier values at present, many at once, without reading the profiles."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from customers.storage.sql import ask, over

# One index look-up for each value: a few thousand of them are no reason to read the whole table.
HOLDERS = """
SELECT u.kind_id, u.value, i.id, i.customer_id, i.origin_id, s.since
  FROM {rows}
 CROSS JOIN LATERAL (
   SELECT * FROM customers_identifier
    WHERE kind_id = u.kind_id AND value = u.value AND customer_id IS NOT NULL AND NOT is_former LIMIT 1
 ) i
 CROSS JOIN LATERAL (
   SELECT greatest(i.since, max(since)) AS since FROM customers_deviceuse WHERE identifier_id = i.id
 ) s
"""
VALUES = {"kind_id": "smallint", "value": "text"}


class StoredValue(NamedTuple):
    """An identifier value as the tables name it: by the ID of its kind."""

    kind_id: int
    value: str


class Holder(NamedTuple):
    """Who holds a value: a row of `customers_identifier`. `since` is from when on nobody else used it, as far
    as is known (R59). `primary_id` is their profile,
    `origin_id` the MaestraID the value came to, under which activity on it is recorded (R46).
    """

    identifier_id: int
    primary_id: int
    origin_id: int
    since: datetime


def holders_of(values: Iterable[StoredValue]) -> dict[StoredValue, Holder]:
    """The present holders of those values that have one."""
    asked = sorted(values)
    if not asked:
        return {}
    (rows,) = ask([over(HOLDERS, VALUES, asked)])
    return {StoredValue(kind_id, value): Holder(*holder) for kind_id, value, *holder in rows}
