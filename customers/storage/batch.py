"""What one transaction writes: the changes of many records, under one operation.

Every app that keeps tables about customers has a `save(batch)` with this one argument, which writes what the
changes that concern its own tables say, and nothing else. Called in the order customers, segments, dedup
inside one transaction, with the profiles' primary rows locked, together they bring the tables to the state
that `customers.transitions.apply` gives the profiles.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from customers.changes import Change
from customers.profile import Key, Kind

C = TypeVar("C", bound=Change)


@dataclass(frozen=True, slots=True)
class RecordChanges:
    """What one record changed, in order. `at` is when it happened, `point` where it came from."""

    changes: tuple[Change, ...]
    at: datetime
    point: int | None = None


@dataclass(frozen=True, slots=True)
class OperationInfo:
    """What somebody or something does, under an ID drawn before (`customers.storage.sql.draw_ids`). `at`
    is the time of writing.

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
    held or free. `types` are those of the changes.
    """

    records: tuple[RecordChanges, ...]
    operation: OperationInfo
    kinds: Mapping[str, Kind]
    known: Collection[Key] = frozenset()
    types: frozenset[type[Change]] = field(init=False)

    def __post_init__(self) -> None:
        types = frozenset([type(change) for record in self.records for change in record.changes])
        object.__setattr__(self, "types", types)

    def only(self, *types: type[C]) -> list[C]:
        """The changes of these types, in order. Most batches have none of most types."""
        if self.types.isdisjoint(types):
            return []
        return [c for record in self.records for c in record.changes if isinstance(c, types)]
