"""From the inbox to the activity ledger: finds whose each event is and writes it down, exactly once.

A batch is one transaction: events leave the inbox, their UUIDs are remembered and the ledger gets its rows,
or nothing of it happens. A lane is resolved by one worker at a time, which keeps the order of each device.
Within a batch a device's events are taken in the order in which they happened.

Nearly all are done on devices somebody holds, and nothing is to be decided about them: they are the
holder's (R50), all of them by the same few statements. Only where a device is new, or somebody is
identified or signs in on it, the engine decides (R21, R22, R48). A late event, of a time when the device
was somebody else's, goes to that one (R8).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import NamedTuple

from django.db import OperationalError, connection
from django.utils import timezone
from structlog.stdlib import get_logger

from customers.changes import ActionCounted
from customers.errors import ErrorCode, SelfsameError
from customers.models import IntegrationPoint
from customers.profile import MAESTRA_ID, Key
from customers.setup.integration_points import point_of
from customers.setup.project_config import ProjectConfig, project_config
from customers.storage import saving
from customers.storage.batch import Batch, RecordChanges
from customers.storage.loading import primary_ids_of
from customers.storage.locking import lock, operation_of
from customers.storage.sql import Script, ask, over
from customers.storage.transactions import in_transaction
from dedup.engine.record import Operation, Record, Sent
from dedup.operations.base import Caller, Result, ResultOrError
from dedup.operations.records import submit
from dedup.tracking import failures
from dedup.tracking.failures import Failure
from dedup.tracking.holders import Holder, Place, holders_of
from dedup.tracking.identifying import identifying
from dedup.tracking.inbox import LANES, awake

BATCH = 4000
"""Events of one transaction: so long their customers are locked."""
TRIES = 5
LOCK = 0x53454C46  # tells our advisory locks from those of others

LANE = "SELECT pg_try_advisory_xact_lock(%s, %s)"
# Those of one point, so that what is decided has its one point. Locked, so that an erasure waits for them.
NEXT = """
SELECT id, point_id FROM dedup_event
 WHERE lane = %(lane)s
   AND point_id = (SELECT point_id FROM dedup_event WHERE lane = %(lane)s ORDER BY id LIMIT 1)
 ORDER BY id LIMIT %(limit)s FOR UPDATE
"""
# In order, so that no two workers wait for each other in a circle.
SEE = """
WITH batch AS (
  SELECT id, uuid, row_number() OVER (PARTITION BY uuid ORDER BY id) AS time
    FROM dedup_event WHERE id = ANY(%(ids)s::bigint[])
), new AS (
  INSERT INTO dedup_seenevent (uuid, seen_on)
  SELECT uuid, %(today)s FROM batch WHERE time = 1 ORDER BY uuid
  ON CONFLICT DO NOTHING RETURNING uuid
)
DELETE FROM dedup_event e USING batch b LEFT JOIN new n ON n.uuid = b.uuid
 WHERE e.id = b.id AND (n.uuid IS NULL OR b.time > 1)
"""
# Of the devices that somebody holds. One is clear where nobody said on it who they are, and it was its
# present holder's all the time.
USED = """
WITH used AS (
  SELECT device_kind AS kind, device AS value, min(occurred_at) AS first, max(occurred_at) AS last,
         bool_and(maestra_id IS NULL AND record IS NULL) AS is_plain
    FROM dedup_event WHERE id = ANY(%(ids)s::bigint[]) AND device_kind IS NOT NULL
   GROUP BY 1, 2
)
SELECT u.kind, u.value, u.last, u.is_plain AND u.first >= i.since, i.id, i.customer_id, i.origin_id, i.since
  FROM used u JOIN customers_identifier i ON i.kind_id = u.kind AND i.value = u.value
 WHERE i.customer_id IS NOT NULL
 ORDER BY u.kind, u.value
"""
LEFT = """
SELECT id, kind, occurred_at, device_kind, device, maestra_id, record::text FROM dedup_event
 WHERE id = ANY(%(ids)s::bigint[]) ORDER BY occurred_at, id
"""
# Whoever had got the device last at that moment; of a time before anybody had it, the first one, whose its
# anonymous customer's actions would have become (R48).
USERS_THEN = """
SELECT l.id, u.origin_id, c.profile_id
  FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[]) AS l(id, device, at)
 CROSS JOIN LATERAL (
   SELECT origin_id FROM customers_deviceuse WHERE identifier_id = l.device
    ORDER BY since > l.at, abs(extract(epoch FROM l.at - since)), id DESC LIMIT 1
 ) u
  JOIN customers_customer c ON c.id = u.origin_id AND c.erased_at IS NULL
"""
KEEP = """
WITH taken AS (
  DELETE FROM dedup_event e USING {{rows}} WHERE {found}
  RETURNING e.id, e.uuid, u.bearer, e.kind, e.occurred_at, u.row, e.url, e.title, e.properties
)
INSERT INTO customers_activity (uuid, maestra_id, kind, occurred_at, device_id, url, title, properties)
SELECT uuid, bearer, kind, occurred_at, row, url, title, properties FROM taken ORDER BY id
ON CONFLICT DO NOTHING
"""
BEARER = {"bearer": "bigint", "row": "bigint"}
OF_DEVICE = {"kind": "smallint", "value": "text", **BEARER}
KEEP_OF_DEVICES = KEEP.format(
    found="e.device_kind = u.kind AND e.device = u.value AND e.id = ANY(%s::bigint[])"
)
OF_EVENT = {"id": "bigint", **BEARER}
KEEP_EVENTS = KEEP.format(found="e.id = u.id")
DROP = "DELETE FROM dedup_event WHERE id = ANY(%s::bigint[])"

log = get_logger(__name__)


class Waiting(NamedTuple):
    """An event of the inbox, less what only the ledger needs."""

    id: int
    kind: str
    occurred_at: datetime
    device_kind: int | None
    device: str
    maestra_id: int | None
    record: str | None

    @property
    def place(self) -> Place | None:
        return None if self.device_kind is None else (self.device_kind, self.device)

    @property
    def is_plain(self) -> bool:
        """Done on a device by whoever it belongs to."""
        return self.maestra_id is None and self.record is None


class Used(NamedTuple):
    """A device that somebody holds, and what the batch has of it: when it was last used, whether it is clear
    whose all of that is.
    """

    place: Place
    last: datetime
    is_clear: bool
    holder: Holder


class Action(NamedTuple):
    """That the customer did something: `origin_id` is the MaestraID it stands under, `primary_id` the
    profile.
    """

    origin_id: int
    primary_id: int
    at: datetime


@dataclass(slots=True)
class Whose:
    """What was found out: for each event the MaestraID it bears, for each MaestraID its profile. `counted`
    are events whose action the engine counted already.
    """

    origin_ids: dict[int, int] = field(default_factory=dict)
    primary_ids: dict[int, int] = field(default_factory=dict)
    counted: set[int] = field(default_factory=set)
    failed: dict[int, Failure] = field(default_factory=dict)

    def actions(self, events: Iterable[Waiting]) -> Iterator[Action]:
        for event in events:
            origin_id = self.origin_ids.get(event.id)
            if origin_id and event.id not in self.counted:
                yield Action(origin_id, self.primary_ids[origin_id], event.occurred_at)

    def are(self, events: Iterable[Waiting], origin_id: int, primary_id: int) -> None:
        self.primary_ids[origin_id] = primary_id
        for event in events:
            self.origin_ids[event.id] = origin_id


@dataclass(frozen=True, slots=True)
class Run:
    """Events, one after another, that the engine decides on as one record; its refusal fails them."""

    record: Record | SelfsameError
    events: Sequence[Waiting]

    @property
    def is_identifying(self) -> bool:
        return self.events[0].record is not None


def resolve_waiting() -> int:
    """Resolve what is in the inbox, as far as no other worker is at it; how many events."""
    awake()
    return sum(resolve_lane(lane) for lane in range(LANES))


def resolve_lane(lane: int) -> int:
    """The same for one lane. A batch that cannot be resolved is halved, until one event is set aside."""
    resolved, limit = 0, BATCH
    while True:
        try:
            done = in_transaction(partial(_resolved, lane, limit), TRIES)
        except OperationalError:
            raise
        except Exception as error:
            if limit == 1:
                _set_aside_first(lane, error)
            log.warning("events_not_resolved", lane=lane, limit=limit, error=type(error).__name__)
            limit = max(1, limit // 2)
            continue
        if not done:
            return resolved
        resolved, limit = resolved + done, min(BATCH, limit * 2)


def _set_aside_first(lane: int, error: Exception) -> None:
    """Raises it again where it is only that others are busy with the same customers: that will pass."""
    if isinstance(error, SelfsameError) and error.code is ErrorCode.BUSY:
        raise error

    def work() -> None:
        if batch := _next(lane, 1):
            failures.set_aside(dict.fromkeys(batch.ids, failures.unforeseen(error)))

    in_transaction(work)


class Next(NamedTuple):
    """Events that one transaction resolves."""

    point: int
    ids: list[int]

    @property
    def array(self) -> str:
        return as_array(self.ids)


def as_array(ids: Iterable[int]) -> str:
    return f"{{{','.join(map(str, ids))}}}"


def _resolved(lane: int, limit: int) -> int:
    """The next events of the lane; how many there were."""
    batch = _next(lane, limit)
    if batch is None:
        return 0
    config = project_config()
    caller = Caller("system", point_of(IntegrationPoint.objects.get(pk=batch.point)), setup=config)
    _resolve(batch, caller)
    return len(batch.ids)


def _next(lane: int, limit: int) -> Next | None:
    """The lane is this worker's until the transaction ends, unless it is another's."""
    (((is_ours,),),) = ask([(LANE, [LOCK, lane])])
    rows = ask([(NEXT, {"lane": lane, "limit": limit})])[0] if is_ours else []
    return Next(rows[0][1], [row[0] for row in rows]) if rows else None


def _resolve(batch: Next, caller: Caller) -> None:
    left = len(batch.ids) - _drop_repeated(batch)
    used = _used(batch)
    actions, kept = _take_clear(batch, [device for device in used if device.is_clear])
    if left > kept:
        actions += _take_left(batch, {device.place: device.holder for device in used}, caller)
    _count_actions(actions, caller)


def _used(batch: Next) -> list[Used]:
    (rows,) = ask([(USED, {"ids": batch.array})])
    return [
        Used((kind, value), last, is_clear, Holder(*holder)) for kind, value, last, is_clear, *holder in rows
    ]


def _drop_repeated(batch: Next) -> int:
    """Take out what was resolved before, and remember the rest; how many were."""
    with connection.cursor() as cursor:
        cursor.execute(SEE, {"ids": batch.array, "today": timezone.now().date()})
        return int(cursor.rowcount)


def _take_clear(batch: Next, used: Sequence[Used]) -> tuple[list[Action], int]:
    """Write what was done on devices by nobody but their present holders: last actions, and how many."""
    locked = _locked({device.holder.origin_id: device.holder.primary_id for device in used})
    held = [device for device in used if device.holder.origin_id in locked]
    if not held:
        return [], 0
    rows = [(*device.place, device.holder.origin_id, device.holder.row) for device in held]
    sql, arrays = over(KEEP_OF_DEVICES, OF_DEVICE, rows)
    with connection.cursor() as cursor:
        cursor.execute(sql, [*arrays, batch.array])
        return [
            Action(holder.origin_id, holder.primary_id, last) for _, last, _, holder in held
        ], cursor.rowcount


def _locked(primary_ids: Mapping[int, int]) -> set[int]:
    """Which of these MaestraIDs still belong to the profiles that were read, kept so until the transaction
    ends.
    """
    if not primary_ids:
        return set()
    lock(set(primary_ids.values()))
    return {
        origin_id
        for origin_id, primary_id in primary_ids_of(primary_ids).items()
        if primary_id == primary_ids[origin_id]
    }


def _take_left(batch: Next, used: Mapping[Place, Holder], caller: Caller) -> list[Action]:
    """Find out about the rest one by one, and let the engine decide what is to be decided."""
    left, whose = _left(batch), Whose()
    held = {place: used[place] for place in _places(left) & used.keys()}
    primary_ids = primary_ids_of({event.maestra_id for event in left if event.maestra_id is not None})
    locked = _locked(primary_ids | {holder.origin_id: holder.primary_id for holder in held.values()})
    holders = {place: holder for place, holder in held.items() if holder.origin_id in locked}
    by_hand = _take_simple(
        left, holders, {m: primary_id for m, primary_id in primary_ids.items() if m in locked}, whose
    )
    _decide(list(_runs(by_hand, holders, caller)), caller, whose)
    _take_late(left, holders, whose)
    _write(left, whose, holders | holders_of(_places(by_hand)))
    return list(whose.actions(left))


def _left(batch: Next) -> list[Waiting]:
    """What still waits of the batch, in the order in which it happened."""
    (rows,) = ask([(LEFT, {"ids": batch.array})])
    return [Waiting(*row) for row in rows]


def _places(events: Iterable[Waiting]) -> set[Place]:
    return {event.place for event in events if event.place}


def _take_simple(
    events: Sequence[Waiting], holders: Mapping[Place, Holder], primary_ids: Mapping[int, int], whose: Whose
) -> list[Waiting]:
    """What needs no deciding: a device that only its holder uses, a customer without a device. The others."""
    decided = {event.place for event in events if event.place and not event.is_plain}
    rest = []
    for event in events:
        holder = holders.get(event.place) if event.place else None
        if holder and event.place not in decided:
            whose.are([event], holder.origin_id, holder.primary_id)
        elif event.place is None and (named := event.maestra_id) is not None and named in primary_ids:
            whose.are([event], named, primary_ids[named])
        else:
            rest.append(event)
    return rest


def _runs(events: Iterable[Waiting], holders: Mapping[Place, Holder], caller: Caller) -> Iterator[Run]:
    """One record for what a device's user did until somebody else came, and one for each who said who they
    are.
    """
    devices: defaultdict[Place | int | None, list[Waiting]] = defaultdict(list)
    for event in events:
        devices[event.place or event.maestra_id].append(event)
    identify = identifying(
        [(e.id, json.loads(e.record), _key(e, caller.config)) for e in events if e.record],
        {_device(place, caller.config): holder.primary_id for place, holder in holders.items()},
        caller,
    )
    for done in devices.values():
        for said, some in groupby(done, key=lambda e: (e.maestra_id, e.record and e.id)):
            run = list(some)
            record = identify[run[0].id] if said[1] else _record(run[0], caller)
            yield Run(record, run)


def _record(event: Waiting, caller: Caller) -> Record:
    """That somebody did something: whoever has the device, the customer on the device, or just the
    customer.
    """
    device = _key(event, caller.config)
    sent = (Sent(*device, caller.config.kinds[device.kind].category, device.value),) if device else ()
    lookup = None if event.maestra_id is None else Key(MAESTRA_ID, str(event.maestra_id))
    signed_in = Operation.AUTHORIZE if device else Operation.EDIT
    return Record(
        operation=signed_in if lookup else Operation.UPSERT,
        occurred_at=event.occurred_at,
        identifiers=sent,
        lookup=lookup,
        personal_action=True,
        point=caller.point.id,
    )


def _key(event: Waiting, config: ProjectConfig) -> Key | None:
    return _device(event.place, config) if event.place else None


def _device(place: Place, config: ProjectConfig) -> Key:
    kind, value = place
    return Key(config.kinds_by_id[kind].name, value)


def _decide(runs: Sequence[Run], caller: Caller, whose: Whose) -> None:
    for run, answer in zip(runs, submit(caller, [run.record for run in runs]), strict=True):
        _take(run, answer, whose, caller.config)


def _take(run: Run, answer: ResultOrError, whose: Whose, config: ProjectConfig) -> None:
    first = run.events[0]
    if not isinstance(answer, Result):
        if answer.code is ErrorCode.BUSY:
            raise answer
        if answer.code is ErrorCode.CUSTOMER_NOT_FOUND:
            return  # erased since the event came: nothing of it is kept (R54)
        whose.failed.update((event.id, failures.refused(answer)) for event in run.events)
    elif not run.is_identifying:
        device = _key(first, config)
        origin_id = first.maestra_id
        if origin_id is None:
            assert device
            origin_id = answer.profile.holdings[device].origin
        whose.are(run.events, origin_id, answer.profile.maestra_id)
        whose.counted.add(first.id)


def _take_late(events: Sequence[Waiting], holders: Mapping[Place, Holder], whose: Whose) -> None:
    """What was done before the device came to its holder is whose it was then."""
    late = [
        (event.id, holder.row, event.occurred_at)
        for event in events
        if event.is_plain
        and event.id in whose.origin_ids
        and event.place
        and (holder := holders.get(event.place))
        and event.occurred_at < holder.since
    ]
    if not late:
        return
    (rows,) = ask([(USERS_THEN, [list(column) for column in zip(*late, strict=True)])])
    lock({primary_id for _, _, primary_id in rows})
    for event, origin_id, primary_id in rows:
        whose.origin_ids[event], whose.primary_ids[origin_id] = origin_id, primary_id
        whose.counted.discard(event)


def _count_actions(actions: Iterable[Action], caller: Caller) -> None:
    """Activities are personal actions, whatever the point (R29)."""
    last: dict[int, Action] = {}
    for action in actions:
        if action.origin_id not in last or last[action.origin_id].at < action.at:
            last[action.origin_id] = action
    if not last:
        return
    changes = [
        RecordChanges((ActionCounted(customer=primary_id, maestra_id=origin_id, at=at),), at, caller.point.id)
        for origin_id, primary_id, at in sorted(last.values())
    ]
    operation = operation_of("activities", timezone.now(), caller.actor, None, caller.point.id)
    saving.save(Batch(tuple(changes), operation, caller.config.kinds))


def _write(left: Sequence[Waiting], whose: Whose, holders: Mapping[Place, Holder]) -> None:
    """The ledger gets what belongs to somebody, the failures what does not, and the inbox is rid of all."""
    kept = [
        (event.id, whose.origin_ids[event.id], holders[event.place].row if event.place else None)
        for event in left
        if event.id in whose.origin_ids
    ]
    failures.set_aside(whose.failed)
    script = Script()
    script.with_rows(KEEP_EVENTS, OF_EVENT, kept)
    script.execute(DROP, [as_array(event.id for event in left)])
    script.send()
