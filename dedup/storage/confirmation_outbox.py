"""The outbox of confirmations: what is to be sent is a row of the operation that asks for it (R45).

A worker sends it after the commit (`dedup.confirmation.sending`), so that nothing is sent for an operation
that was rolled back, and no request waits for a mail server.
"""

from __future__ import annotations

from customers.changes import ConfirmationAsked, Released, Unclaimed, Why
from customers.contact_types import BY_NAME
from customers.profile import WITH_PRIMARY, Claim, Holding
from customers.redis.waking import wake_after_commit
from customers.storage.batch import Batch
from customers.storage.sql import Script

TASK = "dedup.tasks.send_confirmations"
DEBOUNCE = 2
"""Seconds in which one call is enough: a worker sends all that waits. A person waits for them."""

ASKED = {
    "kind": "smallint",
    "value": "text",
    "maestra_id": "bigint",
    "sent_as": "text",
    "asked_at": "timestamptz",
}
ASK = """
INSERT INTO dedup_confirmation (identifier_id, maestra_id, kind, asked_at)
SELECT i.id, u.maestra_id, u.sent_as, u.asked_at
  FROM {rows} JOIN customers_identifier i ON i.kind_id = u.kind AND i.value = u.value
"""

CLEARED = {"kind": "smallint", "value": "text", "customer": "bigint"}
# Whichever MaestraID of the profile (m) it was sent to; the change names its primary one (h).
OF_CLEARED = """ {rows}, customers_identifier i, customers_customer h, customers_customer m
 WHERE i.kind_id = u.kind AND i.value = u.value AND h.id = u.customer AND m.profile_id = h.profile_id
   AND c.identifier_id = i.id AND c.maestra_id = m.id AND c.used_at IS NULL
"""
FORGET_WAITING = f"DELETE FROM dedup_confirmation c USING {OF_CLEARED} AND c.sent_at IS NULL"
# What was sent stays, for it counts towards how much may be sent, and how often may be tried.
INVALIDATE = f"UPDATE dedup_confirmation c SET digest = NULL FROM {OF_CLEARED}"


def add_confirmations(script: Script, batch: Batch) -> None:
    """Drop what the batch makes pointless, add what it asks for, and wake a worker once it is stored."""
    cleared = _cleared_contacts(batch)
    for forget in (FORGET_WAITING, INVALIDATE):
        script.with_rows(forget, CLEARED, cleared)
    asked = {(c.kind, c.value, c.maestra_id) for c in batch.only(ConfirmationAsked)}
    rows = [
        (batch.kinds[kind].id, value, maestra_id, BY_NAME[kind].confirmed_by, batch.operation.at)
        for kind, value, maestra_id in sorted(asked)
    ]
    script.with_rows(ASK, ASKED, rows)
    if rows:
        wake_after_commit(TASK, debounce=DEBOUNCE)


def _cleared_contacts(batch: Batch) -> list[tuple[int, str, int]]:
    """The contacts whose links and codes are worth nothing from now on, even where the contact comes back
    (R44).
    """
    ended: list[Released | Unclaimed] = batch.only(Released, Unclaimed)
    gone = [(what, c.customer) for c in ended if (what := _cleared(c))]
    return [(batch.kinds[what.kind].id, what.value, customer) for what, customer in gone]


def _cleared(change: Released | Unclaimed) -> Holding | Claim | None:
    """The e-mail or phone that the change cleared."""
    what = change.holding if isinstance(change, Released) else change.claim
    return what if change.why is Why.CLEARED and what.category in WITH_PRIMARY else None
