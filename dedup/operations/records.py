"""What can be done to customers: each operation loads, decides by the engine, and saves, all of it or nothing
(section 3).

Every door uses these: the API, imports, the admin. Each opens its own transaction and tries again what lost a
race; called inside an open transaction it uses a savepoint. Refusals are raised as `SelfsameError`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice

from django.utils import timezone
from django.utils.translation import gettext as _

from customers.errors import ErrorCode, SelfsameError
from customers.privacy import suppression
from customers.setup.project_config import ProjectConfig
from customers.storage.batch import RecordChanges
from customers.storage.transactions import in_transaction
from dedup.engine.outcome import Outcome, Refusal
from dedup.engine.record import Record
from dedup.engine.resolve import resolve
from dedup.operations.base import Caller, Result, ResultOrError, save, token_of
from dedup.refusals import error_of
from dedup.storage.loading import Loaded, load, wanted_by

TRIES_OF_A_BATCH = 3  # then it is halved, so that one record fails alone


def submit(
    caller: Caller, records: Sequence[Record | SelfsameError], *, dry_run: bool = False
) -> list[ResultOrError]:
    """Decide records in order and, unless it is a `dry_run`, store what was decided. A record that is refused
    fails alone.

    Errors among `records` (from parsing) come back in their places.
    """
    valid = [r for r in records if isinstance(r, Record)]
    answers = iter(_submit_all(caller, valid, dry_run=dry_run))
    return [next(answers) if isinstance(r, Record) else r for r in records]


def submit_in_transaction(
    caller: Caller, records: Sequence[Record | SelfsameError], at: datetime, *, dry_run: bool = False
) -> list[ResultOrError]:
    """The same within a transaction of the caller, who tries all of that again where it loses a race (see
    `customers.storage.transactions`). The records are decided as of `at`; nothing stands for the customers as
    they were read.
    """
    valid = [r for r in records if isinstance(r, Record)]
    answers = iter(_decided(caller, valid, dry_run=dry_run, at=at) if valid else ())
    return [next(answers) if isinstance(r, Record) else r for r in records]


def submit_one(caller: Caller, record: Record, *, dry_run: bool = False) -> Result:
    """The same for one record; raises its refusal."""
    answer = submit(caller, [record], dry_run=dry_run)[0]
    if isinstance(answer, SelfsameError):
        raise answer
    return answer


def _submit_all(caller: Caller, records: Sequence[Record], *, dry_run: bool) -> list[ResultOrError]:
    """One transaction for all; a batch that keeps losing races is halved."""
    if not records:
        return []
    if len(records) == 1:
        return _one_by_itself(caller, records, dry_run=dry_run)
    try:
        return in_transaction(lambda: _decided(caller, records, dry_run=dry_run), TRIES_OF_A_BATCH)
    except SelfsameError as error:
        if error.code is not ErrorCode.BUSY:
            raise
    half = len(records) // 2
    return [
        *_submit_all(caller, records[:half], dry_run=dry_run),
        *_submit_all(caller, records[half:], dry_run=dry_run),
    ]


def _one_by_itself(caller: Caller, records: Sequence[Record], *, dry_run: bool) -> list[ResultOrError]:
    try:
        return in_transaction(lambda: _decided(caller, records, dry_run=dry_run))
    except SelfsameError as error:
        return [error]


def _decided(
    caller: Caller, records: Sequence[Record], *, dry_run: bool, at: datetime | None = None
) -> list[ResultOrError]:
    """A preview is of its moment and bears a token for it, unless it is of another, `at`."""
    now, config = timezone.now(), caller.config
    loaded = load(wanted_by(records), config, lock=not dry_run)
    erased = _erased(records, loaded, config)
    accepted = [r for r in records if id(r) not in erased]
    outcomes = resolve(loaded.world, accepted, at or now)
    merge_ids = [] if dry_run else _saved(caller, accepted, outcomes, loaded, now)
    token = None if not dry_run or at else token_of(loaded.world.profiles.values())
    answers = iter(_answers(outcomes, merge_ids, token))
    return [erased.get(id(r)) or next(answers) for r in records]


def _answers(
    outcomes: Iterable[Outcome | Refusal], merge_ids: Sequence[int], token: str | None
) -> list[ResultOrError]:
    ids = iter(merge_ids)
    return [
        error_of(o)
        if isinstance(o, Refusal)
        else Result(o, o.profile, tuple(islice(ids, len(o.merges))), token)
        for o in outcomes
    ]


def _erased(records: Sequence[Record], loaded: Loaded, config: ProjectConfig) -> dict[int, SelfsameError]:
    """Records that would bring an erased person back by accident (R54)."""
    if not config.suppression:
        return {}
    passive = [r for r in records if not r.personal_action]
    keys = {s.key for r in passive for s in r.identifiers} - loaded.world.holders.keys()
    found = suppression.find_suppressed(keys) if keys else set()
    return {id(r): _erased_person() for r in passive if any(s.key in found for s in r.identifiers)}


def _erased_person() -> SelfsameError:
    detail = _(
        "This person asked to be forgotten. The record was not stored; remove the person from your file. "
        "Only the person's own action can register them anew."
    )
    return SelfsameError(ErrorCode.ERASED_PERSON, detail)


def _saved(
    caller: Caller,
    records: Sequence[Record],
    outcomes: Sequence[Outcome | Refusal],
    loaded: Loaded,
    now: datetime,
) -> list[int]:
    """Write what was decided; the IDs of the merges, in order."""
    decided = [(r, o) for r, o in zip(records, outcomes, strict=True) if isinstance(o, Outcome)]
    changed = [RecordChanges(o.changes, r.occurred_at, r.point) for r, o in decided if o.changes]
    kept = [pair for _r, o in decided for pair in o.blocked_matches]
    kind = records[0].operation.value if len({r.operation for r in records}) == 1 else "batch"
    return save(caller, kind, changed, loaded, now, kept=kept) if changed or kept else []
