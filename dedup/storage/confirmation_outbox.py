"""What is to be sent, written down with the operation that asked for it (R45)."""

from __future__ import annotations

from django.db import connection

from customers.changes import ConfirmationAsked, Released, Unclaimed, Why
from customers.profile import EMAIL, WITH_PRIMARY, Claim, Holding
from customers.redis.waking import wake_after_commit
from customers.storage.batch import Batch

TASK = "dedup.tasks.send_confirmations"
DEBOUNCE = 2
"""Seconds in which one call is enough: a worker sends all that waits. A person waits for them."""

ASK = """
INSERT INTO dedup_confirmation (identifier_id, maestra_id, kind)
SELECT i.id, a.maestra_id, CASE WHEN a.kind = %s THEN 'link' ELSE 'code' END
  FROM unnest(%s::smallint[], %s::text[], %s::bigint[]) AS a(kind, value, maestra_id)
  JOIN customers_identifier i ON i.kind_id = a.kind AND i.value = a.value
"""


FORGET = """
DELETE FROM dedup_confirmation c
 USING unnest(%s::smallint[], %s::text[], %s::bigint[]) AS u(kind, value, customer),
       customers_identifier i, customers_customer h, customers_customer m
 WHERE i.kind_id = u.kind AND i.value = u.value AND h.id = u.customer AND m.profile_id = h.profile_id
   AND c.identifier_id = i.id AND c.maestra_id = m.id AND c.used_at IS NULL
"""


def forget_cleared(batch: Batch) -> None:
    """What was sent for a contact is worth nothing once it was cleared, even where it comes back (R44)."""
    ended: list[Released | Unclaimed] = batch.only(Released, Unclaimed)
    gone = [(what, c.customer) for c in ended if (what := _cleared(c))]
    if not gone:
        return
    rows = [(batch.kinds[what.kind].id, what.value, customer) for what, customer in gone]
    with connection.cursor() as cursor:
        cursor.execute(FORGET, [*map(list, zip(*rows, strict=True))])


def _cleared(change: Released | Unclaimed) -> Holding | Claim | None:
    """The e-mail or phone that the change cleared."""
    what = change.holding if isinstance(change, Released) else change.claim
    return what if change.why is Why.CLEARED and what.category in WITH_PRIMARY else None


def ask_after_commit(batch: Batch) -> None:
    """Write down what is to be sent for this batch, and have a worker send it once the batch is stored."""
    asked = {(c.kind, c.value, c.maestra_id) for c in batch.only(ConfirmationAsked)}
    if not asked:
        return
    rows = sorted((batch.kinds[kind].id, value, maestra_id) for kind, value, maestra_id in asked)
    with connection.cursor() as cursor:
        cursor.execute(ASK, [batch.kinds[EMAIL].id, *map(list, zip(*rows, strict=True))])
    wake_after_commit(TASK, debounce=DEBOUNCE)
