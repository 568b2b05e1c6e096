"""Working the chunks of imports: any number of workers on any number of hosts, sharing only the database.

A worker claims a chunk by locking its row, in the very transaction in which its rows are decided, stored and
reported. So a row takes effect exactly once whatever dies: with the worker its transaction goes, and with
that the lock. Chunks share no values, so they need not wait for each other; those of a component that is too
large for one follow each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.db import Error as DatabaseError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from structlog.stdlib import get_logger

from customers.errors import ErrorCode, SelfsameError, invalid
from customers.setup.project_config import ProjectConfig, project_config
from customers.storage.sql import as_json, execute, fetch_row, fetch_value, over
from customers.storage.transactions import in_transaction
from dedup.engine.reasons import Reason
from dedup.engine.record import Record
from dedup.imports.processing import statistics
from dedup.imports.processing.outcomes import ChunkResult, chunk_result, examples
from dedup.imports.processing.redaction import ERASED_CELLS
from dedup.imports.processing.results import differences, sums
from dedup.imports.processing.staged_rows import StagedRowReader, TextRow, rows_of_chunk
from dedup.imports.processing.staging import stage
from dedup.models import Import, ImportKind, ImportStates
from dedup.operations.base import Caller, ResultOrError
from dedup.operations.merging import merge
from dedup.operations.records import submit_in_transaction
from dedup.storage.loading import hold, wanted_by, wanted_keys

log = get_logger(__name__)

TRIES = 4
"""Of a chunk as a whole; then its rows are taken one by one, so that what cannot be stored fails alone."""
CLAIM = """
SELECT c.number FROM dedup_importchunk c
 WHERE c.source_id = %(source)s AND c.worked_at IS NULL
   AND (c.after IS NULL OR EXISTS (
     SELECT FROM dedup_importchunk b
      WHERE b.source_id = c.source_id AND b.number = c.after AND b.worked_at IS NOT NULL))
   AND EXISTS (SELECT FROM dedup_import i WHERE i.id = %(source)s AND i.state = 'running')
 ORDER BY c.number LIMIT 1 FOR UPDATE OF c SKIP LOCKED
"""
STORE = """
UPDATE dedup_importchunk
   SET outcomes = %s::text[], codes = %s::text[], reasons = %s::text[], maestra_ids = %s::bigint[],
       counts = %s::jsonb, examples = %s::jsonb, worked_at = clock_timestamp()
 WHERE source_id = %s AND number = %s
"""
REPORTED = {"outcome": "text", "code": "text", "reason": "text", "maestra_id": "bigint"}
WAITING = "SELECT EXISTS (SELECT FROM dedup_importchunk WHERE source_id = %s AND worked_at IS NULL)"

Decide = Callable[[Caller, Import, Sequence[Record | SelfsameError]], list[ResultOrError]]


def step() -> bool:
    """Do the next piece of work there is: stage a file, or work a chunk. False where nothing is left to
    take.
    """
    at_work = Import.objects.filter(state__in=[ImportStates.STAGING, ImportStates.RUNNING])
    return any(step_of(source) for source in at_work.select_related("point").order_by("pk"))


def step_of(source: Import) -> bool:
    """The same for one import."""
    if source.state == ImportStates.STAGING:
        return stage(source.pk)
    if work_chunk(source):
        statistics.refresh()
        return True
    return finish(source.pk)


def work_chunk(source: Import) -> bool:
    """Work the next chunk nobody is at; false where there is none, or the import does not run."""
    try:
        return in_transaction(lambda: _work(source, _submit_all), TRIES)
    except SelfsameError as error:
        if error.code is not ErrorCode.BUSY:
            raise
    except DatabaseError as error:
        if not _is_of_a_row(error):
            raise
        log.exception("import_chunk_failed", import_id=source.pk)
    except Exception:
        log.exception("import_chunk_failed", import_id=source.pk)
    return in_transaction(lambda: _work(source, _submit_one_by_one))


def _is_of_a_row(error: DatabaseError) -> bool:
    """Whether the database refused what was to be written, as against being away: data exception, or a
    constraint.
    """
    return str(getattr(error.__cause__, "sqlstate", None))[:2] in {"22", "23"}


def _work(source: Import, decide: Decide) -> bool:
    claimed = fetch_row(CLAIM, {"source": source.pk})
    if claimed is None:
        return False
    rows = rows_of_chunk(source, claimed[0])
    config = project_config()
    answers = _answers(source, config, rows, decide)
    result = chunk_result(answers)
    if source.is_dry_run:
        result.examples = examples(rows, answers, config)
    store_answers(source, claimed[0], result)
    return True


def _answers(
    source: Import, config: ProjectConfig, rows: Sequence[TextRow], decide: Decide
) -> Sequence[ResultOrError]:
    try:
        reader = StagedRowReader(source, config)
    except SelfsameError as error:  # an option names something that is no more
        return [error] * len(rows)
    caller = Caller(source.actor, reader.point, source.actor_user_id, config)
    if reader.kind is ImportKind.MERGES:
        return _merged(caller, source, reader, rows)
    return decide(caller, source, [_read(reader, row) for row in rows])


def _read(reader: StagedRowReader, row: TextRow) -> Record | SelfsameError:
    if error := _unreadable(row):
        return error
    try:
        return reader.record(row)
    except SelfsameError as refused:
        return refused


def _unreadable(row: TextRow) -> SelfsameError | None:
    if row.fault is not None:
        return invalid(("", row.fault))
    if row.cells == ERASED_CELLS:
        return SelfsameError(ErrorCode.ERASED_PERSON, _("This person asked to be forgotten."))
    return None


def _submit_all(
    caller: Caller, source: Import, records: Sequence[Record | SelfsameError]
) -> list[ResultOrError]:
    return submit_in_transaction(caller, records, source.created_at, dry_run=source.is_dry_run)


def _submit_one_by_one(
    caller: Caller, source: Import, records: Sequence[Record | SelfsameError]
) -> list[ResultOrError]:
    """Slower, for a chunk that failed as a whole: what cannot be stored fails by itself."""
    if not source.is_dry_run:
        hold(wanted_by(record for record in records if isinstance(record, Record)), caller.config)
    return [_alone(lambda r=record: _submit_all(caller, source, [r])[0]) for record in records]  # type: ignore[misc]


def _alone(work: Callable[[], ResultOrError]) -> ResultOrError:
    try:
        return in_transaction(work)
    except SelfsameError as error:
        return error
    except DatabaseError as error:
        if not _is_of_a_row(error):
            raise
        log.exception("import_row_failed")
    except Exception:
        log.exception("import_row_failed")
    detail = _("The row could not be stored, because of a fault on our side. Tell the operator when it was.")
    return SelfsameError(ErrorCode.INTERNAL_ERROR, detail)


def _merged(
    caller: Caller, source: Import, reader: StagedRowReader, rows: Sequence[TextRow]
) -> list[ResultOrError]:
    """Each merge by itself, for each sees what the one before it did. A dry run takes them all back."""
    with transaction.atomic():
        hold(wanted_keys(key for row in rows for key in reader.named(row)), caller.config)
        answers = [_alone(lambda r=row: _merge(caller, reader, r)) for row in rows]  # type: ignore[misc]
        transaction.set_rollback(source.is_dry_run)
    return answers


def _merge(caller: Caller, reader: StagedRowReader, row: TextRow) -> ResultOrError:
    if error := _unreadable(row):
        return error
    resulting, customers = reader.merge(row)
    reason = Reason.API if caller.user_id is None else Reason.ADMIN
    return merge(caller, customers, resulting, reason=reason)


def store_answers(source: Import, chunk: int, result: ChunkResult) -> None:
    _, columns = over("{rows}", REPORTED, result.rows)
    execute(STORE, [*columns, as_json(result.counts), as_json(result.examples), source.pk, chunk])


def finish(import_id: int) -> bool:
    """End an import whose chunks are all worked; whether it was."""
    with transaction.atomic():
        running = Import.objects.select_for_update(of=("self",)).select_related("dry_run")
        found = running.filter(pk=import_id, state=ImportStates.RUNNING).first()
        source = None if _is_waiting(import_id) else found
        if source is None:
            return False
        source.result = {"counts": sums(source)}
        if source.dry_run:
            source.result["differences"] = differences(source)
        source.state, source.finished_at = ImportStates.FINISHED, timezone.now()
        source.save(update_fields=["result", "state", "finished_at"])
        return True


def _is_waiting(import_id: int) -> bool:
    return bool(fetch_value(WAITING, [import_id]))
