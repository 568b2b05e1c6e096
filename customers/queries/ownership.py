"""Who held a value at a moment: its row knows the present, the change history everything before.

A retired value is still its customer's where its kind searches the history, else nobody's (R3).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from customers.profile import Key, Kind
from customers.storage.loading import primary_ids_of
from customers.storage.sql import fetch, fetch_row


@dataclass(frozen=True, slots=True)
class Tenure:
    """That a customer held a value. `held_as` is the MaestraID it came to, `maestra_id` the person's primary
    one today.
    """

    maestra_id: int
    held_as: int
    gives_access: bool


_ROW = """
SELECT customer_id, origin_id, gives_access FROM customers_identifier
 WHERE kind_id = %s AND value = %s AND customer_id IS NOT NULL AND since <= %s AND (%s OR NOT is_former)
"""
# The newest moment at which the value came or went, and what was said of it then.
_HISTORY = """
SELECT c.maestra_id, c.at, e.entry::text
  FROM customers_change c
 CROSS JOIN LATERAL jsonb_array_elements(c.data) WITH ORDINALITY AS e(entry, place)
 WHERE c.data @> %(wanted)s::jsonb AND c.at <= %(at)s AND e.entry @> %(entry)s::jsonb AND e.entry ? 'after'
   AND NOT coalesce(e.entry #> '{after,is_claim}' = 'true' OR e.entry #> '{before,is_claim}' = 'true', false)
 ORDER BY c.at DESC, c.id DESC, e.place DESC
 LIMIT 20
"""


def owner(kind: Kind, key: Key, at: datetime) -> Tenure | None:
    """Who held the value at that moment; None for nobody, or somebody who was erased since.

    The present holder is found by index. Further back the history is read through, which takes long where it
    is long.
    """
    return _present(kind, key, at) or _past(kind, key, at)


def _present(kind: Kind, key: Key, at: datetime) -> Tenure | None:
    row = fetch_row(_ROW, [kind.id, key.value, at, kind.searches_history])
    return Tenure(*row) if row else None


def _past(kind: Kind, key: Key, at: datetime) -> Tenure | None:
    entry = {"type": key.kind, "value": key.value}
    wanted: dict[str, Any] = {"wanted": json.dumps([entry]), "entry": json.dumps(entry), "at": at}
    found = _last_said(fetch(_HISTORY, wanted), kind)
    primary_id = primary_ids_of([found[0]]).get(found[0]) if found else None
    if found is None or primary_id is None:
        return None
    return Tenure(primary_id, *found)


def _last_said(rows: Sequence[tuple[int, datetime, str]], kind: Kind) -> tuple[int, bool] | None:
    """Who has the value after the newest moment: a giver's entry may stand beside a taker's."""
    heard: set[int] = set()
    for maestra_id, at, text in rows:
        after: dict[str, Any] | None = json.loads(text)["after"]
        if after and "is_former" in after and not kind.searches_history:
            after = None
        if at == rows[0][1] and maestra_id not in heard and after is not None:
            return maestra_id, "gives_account_access" in after
        heard.add(maestra_id)
    return None
