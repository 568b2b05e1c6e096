"""Moves many customers into and out of segments at a time: their profiles are locked and read again, and the
changes saved as any others, with history (R52).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from customers.changes import MembershipChanged, Why
from customers.profile import Membership
from customers.setup.project_config import project_config
from customers.storage import saving as customers_saving
from customers.storage.batch import Batch, OperationInfo, RecordChanges
from customers.storage.locking import lock
from customers.storage.sql import ask
from segments import saving

# The customers that were not merged or erased meanwhile.
PRESENT = "SELECT id FROM customers_customer WHERE id = ANY(%s) AND is_head AND erased_at IS NULL ORDER BY id"
# Not joined with the above: for a segmentation that was just filled, the planner has no statistics.
MEMBERSHIPS = """
SELECT customer_id, segment_id, since FROM segments_membership
 WHERE customer_id = ANY(%s) AND segmentation_id = %s
"""

Decide = Callable[[int, int | None], int | None]
"""From a primary MaestraID and the segment the customer is in: the segment they should be in."""


@dataclass(frozen=True, slots=True)
class Moved:
    """`present` are the customers that still existed, `changed` how many of them moved. A customer who goes
    from one segment to another counts in both `entered` and `left`.
    """

    present: frozenset[int] = frozenset()
    entered: int = 0
    left: int = 0
    changed: int = 0


def move(
    primary_ids: Collection[int],
    segmentation: int,
    decide: Decide,
    operation: Callable[[], OperationInfo],
    *,
    at: datetime,
    why: Why,
) -> Moved:
    """Move customers into the segments decided on, within the caller's transaction. Customers who are there
    already keep their date of entry (R52). `operation` is called only where something changes.
    """
    current = _current(lock(primary_ids).intersection(primary_ids), segmentation)
    changes = list(_changes(current, segmentation, decide, at, why))
    if changes:
        told = operation()
        records = tuple(RecordChanges((change,), told.at) for change in changes)
        batch = Batch(records, told, project_config().kinds)
        customers_saving.save(batch)
        saving.save(batch)
    return Moved(
        frozenset(current),
        entered=sum(change.after is not None for change in changes),
        left=sum(change.before is not None for change in changes),
        changed=len(changes),
    )


def _current(primary_ids: Collection[int], segmentation: int) -> dict[int, Membership | None]:
    ids = sorted(primary_ids)
    present, rows = ask([(PRESENT, [ids]), (MEMBERSHIPS, [ids, segmentation])])
    found = {primary_id: Membership(segment, since) for primary_id, segment, since in rows}
    return {primary_id: found.get(primary_id) for (primary_id,) in present}


def _changes(
    current: dict[int, Membership | None], segmentation: int, decide: Decide, at: datetime, why: Why
) -> Iterator[MembershipChanged]:
    for primary_id, before in current.items():
        is_in = before.segment if before else None
        wanted = decide(primary_id, is_in)
        if wanted != is_in:
            after = Membership(wanted, at) if wanted else None
            yield MembershipChanged(
                customer=primary_id,
                maestra_id=primary_id,
                segmentation=segmentation,
                before=before,
                after=after,
                why=why,
            )
