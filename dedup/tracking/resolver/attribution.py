"""Whose the events of a batch are, as far as it is known while the batch is resolved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from dedup.tracking.failures import Failure
from dedup.tracking.resolver.batch import WaitingEvent


class Action(NamedTuple):
    """A personal action of a customer: the MaestraID it is recorded under, the profile that has this
    MaestraID, and when it happened.
    """

    origin_id: int
    primary_id: int
    at: datetime


@dataclass(slots=True)
class Attribution:
    """What was found out about the events, by their IDs.

    `origin_ids`: the MaestraID an event is recorded under. `primary_ids`: the profile of each of those
    MaestraIDs. `counted`: events whose action the engine counted when it decided. `failed`: events that
    cannot be resolved. An event that is in neither `origin_ids` nor `failed` is dropped.
    """

    origin_ids: dict[int, int] = field(default_factory=dict)
    primary_ids: dict[int, int] = field(default_factory=dict)
    counted: set[int] = field(default_factory=set)
    failed: dict[int, Failure] = field(default_factory=dict)

    def assign(self, event_ids: Iterable[int], origin_id: int, primary_id: int) -> None:
        """These events are recorded under `origin_id`."""
        self.primary_ids[origin_id] = primary_id
        for event_id in event_ids:
            self.origin_ids[event_id] = origin_id

    def uncounted_actions(self, events: Iterable[WaitingEvent]) -> Iterator[Action]:
        """What the customers did in these events, less what the engine counted already."""
        for event in events:
            origin_id = self.origin_ids.get(event.id)
            if origin_id and event.id not in self.counted:
                yield Action(origin_id, self.primary_ids[origin_id], event.occurred_at)
