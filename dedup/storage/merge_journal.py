"""Reading the merge journal: the merges of a profile, newest first, undone ones included."""

from __future__ import annotations

import json

from customers.presentation.customer import Json, moment
from customers.queries.timelines import Row, Timeline

_SQL = """
SELECT t.id, t.survivor_id, t.absorbed_id, t.absorbed_ids, t.reason, t.criterion, t.priority_id,
       t.matched::text, t.at, t.undone_at, o.actor, t.at, t.id
  FROM dedup_merge t JOIN customers_operation o ON o.id = t.operation_id
 WHERE (t.survivor_id = ANY(%(maestra_ids)s::bigint[]) OR t.absorbed_ids && %(maestra_ids)s::bigint[])
   AND (%(at)s::timestamptz IS NULL OR (t.at, t.id) < (%(at)s::timestamptz, %(id)s::bigint))
 ORDER BY t.at DESC, t.id DESC LIMIT %(limit)s
"""


def _merge(row: Row) -> Json:
    (
        merge_id,
        survivor,
        absorbed,
        absorbed_ids,
        reason,
        criterion,
        priority,
        matched,
        at,
        undone_at,
        actor,
    ) = row
    return {
        "merge_id": merge_id,
        "maestra_id": survivor,
        "merged_maestra_id": absorbed,
        "merged_maestra_ids": absorbed_ids,
        "reason": reason,
        "matched": json.loads(matched),
        "priority_maestra_id": priority,
        "decided_by": criterion,
        "actor": actor,
        "at": moment(at),
        "undone_at": moment(undone_at) if undone_at else None,
    }


MERGES = Timeline(_SQL, _merge)
