"""Which events need no decision, and how the others are grouped into records for the engine."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from customers.errors import SelfsameError
from customers.profile import MAESTRA_ID, Key
from customers.setup.project_config import ProjectConfig
from dedup.engine.record import Operation, Record, Sent
from dedup.operations.base import Caller
from dedup.tracking.holders import Holder, StoredValue
from dedup.tracking.identify_calls import IdentifyCall, records_of_calls
from dedup.tracking.resolver.attribution import Attribution
from dedup.tracking.resolver.batch import WaitingEvent, devices_of


@dataclass(frozen=True, slots=True)
class Run:
    """Events of one device or customer, one after another, on which the engine decides as one record. An
    error in place of the record fails them all.
    """

    record: Record | SelfsameError
    events: Sequence[WaitingEvent]

    @property
    def is_identify_call(self) -> bool:
        return self.events[0].record is not None


class Speaker(NamedTuple):
    """Who acts in an event, as far as the event itself says: the customer it names, or the one identify
    call. Consecutive events of a device with the same speaker are one run.
    """

    maestra_id: int | None
    identify_call: int | None


def assign_undisputed(
    events: Sequence[WaitingEvent],
    holders: Mapping[StoredValue, Holder],
    primary_ids: Mapping[int, int],
    attribution: Attribution,
) -> list[WaitingEvent]:
    """Assign what needs no decision: events on a device that nobody but its holder uses in this batch, and
    events of a customer without a device. Gives back the others.
    """
    disputed = devices_of(event for event in events if not event.is_plain)
    others = []
    for event in events:
        device, named = event.device, event.maestra_id
        holder = holders.get(device) if device else None
        if holder and device not in disputed:
            attribution.assign([event.id], holder.origin_id, holder.primary_id)
        elif device is None and named is not None and named in primary_ids:
            attribution.assign([event.id], named, primary_ids[named])
        else:
            others.append(event)
    return others


def runs_of(
    events: Sequence[WaitingEvent], holders: Mapping[StoredValue, Holder], caller: Caller
) -> Iterator[Run]:
    """One run for what a device's user did until somebody else came, and one for each identify call."""
    identify_records = _identify_records(events, holders, caller)
    for events_of_one in _by_device_or_customer(events):
        for speaker, consecutive in groupby(events_of_one, key=_speaker):
            run = list(consecutive)
            if speaker.identify_call is None:
                yield Run(_record_of_action(run[0], caller), run)
            else:
                yield Run(identify_records[speaker.identify_call], run)


def device_key(device: StoredValue, config: ProjectConfig) -> Key:
    """The device as the engine knows it."""
    return Key(config.kinds_by_id[device.kind_id].name, device.value)


def _by_device_or_customer(events: Iterable[WaitingEvent]) -> Iterable[list[WaitingEvent]]:
    """The events of each device, and of each customer who used none."""
    grouped: defaultdict[StoredValue | int | None, list[WaitingEvent]] = defaultdict(list)
    for event in events:
        grouped[event.device or event.maestra_id].append(event)
    return grouped.values()


def _speaker(event: WaitingEvent) -> Speaker:
    return Speaker(event.maestra_id, event.id if event.record else None)


def _identify_records(
    events: Sequence[WaitingEvent], holders: Mapping[StoredValue, Holder], caller: Caller
) -> dict[int, Record | SelfsameError]:
    calls = [
        IdentifyCall(
            event.id, event.occurred_at, json.loads(event.record), device_key(event.device, caller.config)
        )
        for event in events
        if event.record and event.device
    ]
    profiles = {device_key(device, caller.config): holder.primary_id for device, holder in holders.items()}
    return records_of_calls(calls, profiles, caller)


def _record_of_action(event: WaitingEvent, caller: Caller) -> Record:
    """That somebody did something: the user of the device, a customer who signed in on the device (R21), or
    a customer without a device.
    """
    device = device_key(event.device, caller.config) if event.device else None
    sent = (Sent(*device, caller.config.kinds[device.kind].category, device.value),) if device else ()
    customer = None if event.maestra_id is None else Key(MAESTRA_ID, str(event.maestra_id))
    by_customer = Operation.AUTHORIZE if device else Operation.EDIT
    return Record(
        operation=by_customer if customer else Operation.UPSERT,
        occurred_at=event.occurred_at,
        identifiers=sent,
        lookup=customer,
        personal_action=True,
        point=caller.point.id,
        is_dated=True,
        is_activity=True,
    )
