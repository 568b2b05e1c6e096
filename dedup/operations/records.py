"""Operations that take records: load what they may touch, decide by the engine, save, all of it or nothing
(section 3 of the rules).

The API, imports, events and the admin all come this way. Each call opens a transaction of its own and repeats
what lost a race; inside an open transaction it uses a savepoint. In a batch a refusal is the result of its
record; for a single record it is raised.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice

from django.db import connection
from django.utils import timezone

from customers.errors import ErrorCode, SelfsameError
from customers.storage.batch import RecordChanges
from customers.storage.transactions import in_transaction
from dedup.engine.outcome import Outcome, Refusal
from dedup.engine.record import Record
from dedup.engine.resolve import resolve
from dedup.operations.base import Caller, Result, ResultOrError, preview_token_of, save
from dedup.operations.erased_people import admitted, release_returned, suppressed_values
from dedup.refusals import error_of
from dedup.storage.loading import Loaded, hold, load, wanted_by

TRIES_OF_A_BATCH = 3  # then it is halved, so that one record fails alone


def submit(
    caller: Caller, records: Sequence[Record | SelfsameError], *, dry_run: bool = False
) -> list[ResultOrError]:
    """Decide records in order and, unless it is a `dry_run`, store what was decided. A record that is refused
    fails alone.

    Returns a result or an error for each; errors among `records` (from parsing) come back in their places.
    """
    valid = [r for r in records if isinstance(r, Record)]
    return _in_place(records, _submit_all(caller, valid, dry_run=dry_run))


def submit_in_transaction(
    caller: Caller, records: Sequence[Record | SelfsameError], at: datetime, *, dry_run: bool = False
) -> list[ResultOrError]:
    """The same in the transaction of the caller, who repeats all of it where it loses a race (see
    `customers.storage.transactions`). The records are decided as of `at`, and the results have no preview
    token.
    """
    valid = [r for r in records if isinstance(r, Record)]
    return _in_place(records, _decide(caller, valid, dry_run=dry_run, at=at) if valid else ())


def _in_place(
    records: Sequence[Record | SelfsameError], results: Iterable[ResultOrError]
) -> list[ResultOrError]:
    """The results of the records among the errors."""
    waiting = iter(results)
    return [next(waiting) if isinstance(r, Record) else r for r in records]


def submit_one(caller: Caller, record: Record, *, dry_run: bool = False) -> Result:
    """The same for one record; raises its refusal."""
    (result,) = submit(caller, [record], dry_run=dry_run)
    if isinstance(result, SelfsameError):
        raise result
    return result


def _submit_all(caller: Caller, records: Sequence[Record], *, dry_run: bool) -> list[ResultOrError]:
    """One transaction for all; a batch that keeps losing races is halved."""
    if not records:
        return []
    if len(records) == 1:
        return _submit_single(caller, records, dry_run=dry_run)
    try:
        return in_transaction(lambda: _decide(caller, records, dry_run=dry_run), TRIES_OF_A_BATCH)
    except SelfsameError as error:
        if error.code is not ErrorCode.BUSY:
            raise
    if connection.in_atomic_block and not dry_run:
        # What the first half locks is kept while the second is decided.
        hold(wanted_by(records), caller.config)
    half = len(records) // 2
    return [
        *_submit_all(caller, records[:half], dry_run=dry_run),
        *_submit_all(caller, records[half:], dry_run=dry_run),
    ]


def _submit_single(caller: Caller, records: Sequence[Record], *, dry_run: bool) -> list[ResultOrError]:
    try:
        return in_transaction(lambda: _decide(caller, records, dry_run=dry_run))
    except SelfsameError as error:
        return [error]


def _decide(
    caller: Caller, records: Sequence[Record], *, dry_run: bool, at: datetime | None = None
) -> list[ResultOrError]:
    """What becomes of each record, stored unless it is a `dry_run`. A preview of this moment has a token."""
    now, config = timezone.now(), caller.config
    loaded = load(wanted_by(records), config, lock=not dry_run)
    suppressed = suppressed_values(records, loaded.world) if config.suppression else {}
    judged = [admitted(r, suppressed, loaded.world) for r in records]
    accepted = [r for r in judged if isinstance(r, Record)]
    outcomes = resolve(loaded.world, accepted, at or now)
    merge_ids: list[int] = []
    if not dry_run:
        merge_ids = _save(caller, accepted, outcomes, loaded, now)
        release_returned(outcomes, suppressed)
    token = preview_token_of(loaded.world.profiles.values()) if dry_run and not at else None
    return _in_place(judged, _results(outcomes, merge_ids, token))


def _results(
    outcomes: Iterable[Outcome | Refusal], merge_ids: Sequence[int], token: str | None
) -> list[ResultOrError]:
    """`merge_ids` are those of all outcomes, in order."""
    ids = iter(merge_ids)
    return [
        error_of(o)
        if isinstance(o, Refusal)
        else Result(o, o.profile, tuple(islice(ids, len(o.merges))), token)
        for o in outcomes
    ]


def _save(
    caller: Caller,
    records: Sequence[Record],
    outcomes: Sequence[Outcome | Refusal],
    loaded: Loaded,
    now: datetime,
) -> list[int]:
    """Write what was decided. Returns the IDs of the merges, in order."""
    decided = [(r, o) for r, o in zip(records, outcomes, strict=True) if isinstance(o, Outcome)]
    changed = [
        RecordChanges(o.changes, r.occurred_at if r.is_dated else now, r.point)
        for r, o in decided
        if o.changes
    ]
    blocked = [match for _r, o in decided for match in o.blocked_matches]
    kind = records[0].operation.value if len({r.operation for r in records}) == 1 else "batch"
    if not changed and not blocked:
        return []
    return save(caller, kind, changed, loaded, now, blocked_matches=blocked)
