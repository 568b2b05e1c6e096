"""Events that were accepted and could not be resolved: kept with the reason, for somebody to look at and try
again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from django.utils.translation import gettext as _

from customers.errors import SelfsameError
from customers.storage.sql import execute
from customers.storage.transactions import in_transaction
from dedup.tracking.inbox import wake

COLUMNS = (
    "id, uuid, point_id, kind, occurred_at, device_kind, device, maestra_id, url, title, properties, record,"
    " named, received_at, lane"
)
# Moves events from the inbox to the failures, and forgets that their UUIDs were seen, so that their
# sender can repeat them.
SET_ASIDE = f"""
WITH failed AS (
  DELETE FROM dedup_event e USING unnest(%s::bigint[], %s::text[], %s::text[]) AS u(failed_id, code, reason)
   WHERE e.id = u.failed_id
  RETURNING {COLUMNS}, u.code, u.reason
), unseen AS (
  DELETE FROM dedup_seenevent s USING failed f WHERE s.uuid = f.uuid
)
INSERT INTO dedup_failedevent ({COLUMNS}, code, reason) SELECT {COLUMNS}, code, reason FROM failed
"""
TRY_AGAIN = f"""
WITH again AS (DELETE FROM dedup_failedevent WHERE id = ANY(%(ids)s) RETURNING {COLUMNS})
INSERT INTO dedup_event ({COLUMNS}) SELECT {COLUMNS} FROM again
"""


class Failure(NamedTuple):
    """`code` is one of the API's, or `unforeseen`."""

    code: str
    reason: str


def refused(error: SelfsameError) -> Failure:
    return Failure(error.code.value, error.detail)


def unforeseen(error: Exception) -> Failure:
    """A fault of the program. Its text is left out: it may hold values."""
    detail = _("The program has a fault: %(error)s. Tell the operator.")
    return Failure("unforeseen", detail % {"error": type(error).__name__})


def set_aside(failed: Mapping[int, Failure]) -> None:
    """Move these events from the inbox to the failures. If their sender repeats them, they are tried anew."""
    rows = [(event, *failure) for event, failure in failed.items()]
    if rows:
        execute(SET_ASIDE, [list(column) for column in zip(*rows, strict=True)])


def try_again(ids: Collection[int]) -> None:
    """Put these failed events back into the inbox."""
    in_transaction(lambda: execute(TRY_AGAIN, {"ids": list(ids)}))
    wake()
