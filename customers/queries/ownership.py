"""Who held an identifier value at a given moment.

The row of the value says who holds it now and since when. Who held it before that stands in the change
history. A retired value still belongs to its customer where its kind finds customers by former values,
otherwise to nobody (R3).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from customers.profile import MOVABLE, Key, Kind
from customers.storage.loading import primary_ids_of
from customers.storage.sql import fetch, fetch_row


@dataclass(frozen=True, slots=True)
class Tenure:
    """That a customer held a value. `maestra_id` is the customer's primary MaestraID today, `held_as` the one
    under which the value was recorded.
    """

    maestra_id: int
    held_as: int
    gives_access: bool


_PRESENT = """
SELECT since, origin_id, gives_access FROM customers_identifier
 WHERE kind_id = %s AND value = %s AND customer_id IS NOT NULL AND since <= %s AND (%s OR NOT is_former)
"""
# The newest history entries about the value, up to the moment. `data` is the list of entries of one row of
# the history: `c.data @> wanted` finds the rows by index, `e.entry @> entry` picks the entries of this value
# out of them. An entry without `after` says nothing of who holds the value. Entries about claims (a value
# that was named, but is not held) do not count. A moment has two entries where a value went from one customer
# to another, hence more than one row.
_HISTORY = """
SELECT c.maestra_id, c.at, e.entry::text
  FROM customers_change c
 CROSS JOIN LATERAL jsonb_array_elements(c.data) WITH ORDINALITY AS e(entry, place)
 WHERE c.data @> %(wanted)s::jsonb AND c.at <= %(at)s AND e.entry @> %(entry)s::jsonb AND e.entry ? 'after'
   AND NOT coalesce(e.entry #> '{after,is_claim}' = 'true' OR e.entry #> '{before,is_claim}' = 'true', false)
 ORDER BY c.at DESC, c.id DESC, e.place DESC
 LIMIT 20
"""


# The latest use up to the moment: of a device every time that somebody came to use it, of a plain identifier
# only those of others than its holder (R59).
_USED = """
SELECT u.since, u.origin_id, false
  FROM customers_identifier i JOIN customers_deviceuse u ON u.identifier_id = i.id AND u.since <= %s
 WHERE i.kind_id = %s AND i.value = %s
 ORDER BY u.since DESC, u.id DESC LIMIT 1
"""


def owner(kind: Kind, key: Key, at: datetime) -> Tenure | None:
    """Who held the value at that moment, or of a device used it. None where nobody did, or somebody who was
    erased since.

    The present holder is found by index. For earlier moments the history of the value is read, which takes
    longer the longer that history is.
    """
    held = _present(kind, key, at) or _past(kind, key, at)
    used = _used(kind, key, at)
    last = used if used and (held is None or used.since > held.since) else held
    if last is None or last.held_as is None:
        return None
    primary_id = primary_ids_of([last.held_as]).get(last.held_as)
    return Tenure(primary_id, last.held_as, last.gives_access) if primary_id else None


@dataclass(frozen=True, slots=True)
class _State:
    """Who has the value from a moment on, by MaestraID; None where nobody has."""

    since: datetime
    held_as: int | None
    gives_access: bool = False


def _present(kind: Kind, key: Key, at: datetime) -> _State | None:
    row = fetch_row(_PRESENT, [kind.id, key.value, at, kind.searches_history])
    return _State(*row) if row else None


def _used(kind: Kind, key: Key, at: datetime) -> _State | None:
    row = fetch_row(_USED, [at, kind.id, key.value]) if kind.category in MOVABLE else None
    return _State(*row) if row else None


def _past(kind: Kind, key: Key, at: datetime) -> _State | None:
    entry = {"type": key.kind, "value": key.value}
    parameters: dict[str, Any] = {"wanted": json.dumps([entry]), "entry": json.dumps(entry), "at": at}
    rows = fetch(_HISTORY, parameters)
    if not rows:
        return None
    return _State(rows[0][1], *(_last_holder(rows, kind) or (None,)))


def _last_holder(rows: Sequence[tuple[int, datetime, str]], kind: Kind) -> tuple[int, bool] | None:
    """The MaestraID that holds the value after the newest moment, and whether it gives account access there.

    At that moment one MaestraID may have given the value away and another may have received it. Of each only
    the newest entry counts.
    """
    seen: set[int] = set()
    for maestra_id, at, text in rows:
        after: dict[str, Any] | None = json.loads(text)["after"]
        if after and "is_former" in after and not kind.searches_history:
            after = None
        if at == rows[0][1] and maestra_id not in seen and after is not None:
            return maestra_id, "gives_account_access" in after
        seen.add(maestra_id)
    return None
