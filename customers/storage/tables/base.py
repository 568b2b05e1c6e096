"""What the tables of a batch have in common.

The same row may change many times within a batch; only its final state is written. So every table is first
told the changes one after the other, and then writes the rows that they leave.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from customers.changes import Created, Merged, Unmerged
from customers.storage.batch import Batch, RecordChanges
from customers.storage.sql import Row, Script

Handlers = Mapping[type, Callable[[Any, RecordChanges], None]]
"""For each change that concerns a table, what it does to the rows."""
MOVES = {"id": "bigint", "primary_id": "bigint"}
MOVE = "UPDATE {table} t SET customer_id = u.primary_id FROM {{rows}} WHERE t.customer_id = u.id"


class Lineage:
    """Which customers a batch creates, and which profile each belongs to after its merges.

    The final state follows merges. What a customer was given before it was absorbed, in the same batch,
    belongs to the profile it ended in; its single values and subscriptions stay with it as they were at the
    merge (R46).

    `created` are the new customers with their registration and integration point. `primary_ids` leads from a
    MaestraID whose pointer changes to its new primary one. `absorbed` are the customers merged into one
    within the batch.
    """

    def __init__(self) -> None:
        self.created: dict[int, tuple[datetime, int | None]] = {}
        self.primary_ids: dict[int, int] = {}
        self.absorbed: defaultdict[int, list[int]] = defaultdict(list)

    def handlers(self) -> Handlers:
        return {Created: self._created, Merged: self._merged, Unmerged: self._unmerged}

    def _created(self, c: Created, record: RecordChanges) -> None:
        self.created[c.customer] = (c.registered_at, record.point)

    def _merged(self, c: Merged, _: RecordChanges) -> None:
        away = c.absorbed.maestra_id
        self.absorbed[c.customer] += [away, *self.absorbed.pop(away, ())]
        self.primary_ids.update(dict.fromkeys(c.absorbed.maestra_ids, c.customer))

    def _unmerged(self, c: Unmerged, _: RecordChanges) -> None:
        self.absorbed.pop(c.customer, None)
        self.primary_ids.update(dict.fromkeys(c.restored.maestra_ids, c.restored.maestra_id))

    def primary_id(self, customer: int) -> int:
        """The profile a customer belongs to by now."""
        return self.primary_ids.get(customer, customer)

    def rows_of(self, customer: int) -> list[int]:
        """The customers under which the rows of a profile stood before the batch."""
        return [customer, *self.absorbed.get(customer, ())]

    def moves(self) -> list[Row]:
        """Pointers that change, rows made in this batch left out: they are inserted with the final one."""
        return [
            (old, primary_id)
            for old, primary_id in sorted(self.primary_ids.items())
            if old not in self.created
        ]


class TableRows(ABC):
    """What a batch leaves in one table."""

    def __init__(self, lineage: Lineage) -> None:
        self.lineage = lineage

    @abstractmethod
    def handlers(self) -> Handlers:
        """The changes that concern the table."""

    @abstractmethod
    def write(self, script: Script, batch: Batch) -> None:
        """Add the statements that write the rows."""

    def move(self, script: Script, table: str) -> None:
        """Rows of `table` go to the survivor of a merge with what it absorbs."""
        moves = [(old, primary_id) for old, primary_id in self.lineage.moves() if old != primary_id]
        script.with_rows(MOVE.format(table=table), MOVES, moves)
