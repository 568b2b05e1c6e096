"""Whose profiles a batch of events may touch: they are locked at once, before anything of it is decided."""

from __future__ import annotations

from customers.storage.locking import lock
from customers.storage.sql import ask
from customers.storage.transactions import Contended, wait_no_longer
from dedup.tracking.resolver.batch import EventBatch
from dedup.tracking.resolver.earlier_users import USER_AT

# Who holds a device of the batch, and who used it when a late event happened on it; whom events name; and who
# holds what a page said about its visitor, whichever kind of value it is.
TOUCHED = f"""
WITH waiting AS MATERIALIZED (
  SELECT device_kind, device, maestra_id, min(occurred_at) AS first
    FROM dedup_event WHERE id = ANY(%(ids)s::bigint[]) GROUP BY 1, 2, 3
), held AS MATERIALIZED (
  SELECT i.id, i.kind_id, i.value, i.customer_id, i.since, min(w.first) AS first
    FROM waiting w JOIN customers_identifier i ON i.kind_id = w.device_kind AND i.value = w.device
   WHERE i.customer_id IS NOT NULL GROUP BY i.id
)
SELECT customer_id FROM held
UNION
SELECT c.profile_id FROM held h
  JOIN dedup_event e ON e.device_kind = h.kind_id AND e.device = h.value AND e.occurred_at < h.since
       {USER_AT.format(identifier="h.id", at="e.occurred_at")}
 WHERE h.first < h.since AND e.id = ANY(%(ids)s::bigint[])
UNION
SELECT c.profile_id FROM waiting w
  JOIN customers_customer c ON c.id = w.maestra_id AND c.erased_at IS NULL
UNION
SELECT i.customer_id FROM dedup_event e
 CROSS JOIN LATERAL jsonb_array_elements_text(e.named) AS said(value)
 CROSS JOIN customers_identifierkind k
  JOIN customers_identifier i ON i.kind_id = k.id AND i.value = said.value
 WHERE e.id = ANY(%(ids)s::bigint[]) AND e.record IS NOT NULL AND i.customer_id IS NOT NULL
"""


def hold_touched(batch: EventBatch) -> None:
    """Lock the profiles that the batch may touch, all at once and in order. From then on it waits for nobody.

    Raises `Contended` where others turn up each time that it is looked.
    """
    held = lock(_touched(batch))
    wait_no_longer()
    if more := _touched(batch) - held:
        held |= lock(more)
        if _touched(batch) - held:
            raise Contended


def _touched(batch: EventBatch) -> set[int]:
    """The primary MaestraIDs, as they are now."""
    (rows,) = ask([(TOUCHED, {"ids": batch.id_array})])
    return {primary_id for (primary_id,) in rows}
