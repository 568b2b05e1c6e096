"""What one transaction writes: the changes of many records, under one operation.

Every app that keeps tables about customers has a `writing.save(batch)` with this one argument and writes from
it what the changes of its own vocabulary say, nothing else. Called in the order customers, segments, dedup
inside one transaction, with the profiles' primary rows locked, together they bring the tables to the state
that `customers.changes.apply` gives the profiles.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from customers.changes import Change
from customers.profile import Key, Kind


@dataclass(frozen=True, slots=True)
class RecordChanges:
    """What one record changed, in order. `at` is when it happened, `point` where it came from."""

    changes: tuple[Change, ...]
    at: datetime
    point: int | None = None


@dataclass(frozen=True, slots=True)
class OperationInfo:
    """What somebody or something does, under an ID drawn before (`customers.writing.draw_ids`). `at` is the
    time of writing.

    `actor` is `key:<prefix>`, `user:<username>` or `system`.
    """

    id: int
    kind: str
    actor: str
    at: datetime
    actor_user: int | None = None
    point: int | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """`kinds` are the identifier kinds by name. `known` are the values that had a row when they were read,
    held or free.
    """

    records: tuple[RecordChanges, ...]
    operation: OperationInfo
    kinds: Mapping[str, Kind]
    known: Collection[Key] = frozenset()

    def changes(self) -> Iterator[tuple[Change, RecordChanges]]:
        """Every change in order, with the record it belongs to."""
        for record in self.records:
            for change in record.changes:
                yield change, record
