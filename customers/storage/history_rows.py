"""The lines of history that a batch leaves: one per record and MaestraID (R40)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from customers.history_kinds import history_facts
from customers.history_kinds.base import HistoryEntry
from customers.storage.batch import Batch


def histories(batch: Batch) -> Iterator[tuple[int, datetime, list[HistoryEntry]]]:
    """One line of history per record and MaestraID: whose, when, and its entries in order. One after the
    other, to be rendered while it is at hand: after a whole batch that takes twice as long.
    """
    for record in batch.records:
        told: dict[int, list[HistoryEntry]] = {}
        for change in record.changes:
            for maestra_id, entry in history_facts(change):
                told.setdefault(maestra_id, []).append(entry)
        for maestra_id, found in told.items():
            yield maestra_id, record.at, found
