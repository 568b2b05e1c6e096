"""From the uploaded file to rows in the database, cut into chunks that workers can take side by side.

One worker stages an import, under a lock that ends with it (`customers.storage.locking.alone`): whoever finds
an import that is to be staged and gets the lock begins anew. So there is no long transaction, and nothing to
wait for when a worker was killed.
"""

from __future__ import annotations

import pickle
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TypeVar

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from structlog.stdlib import get_logger

from customers.errors import ErrorCode, SelfsameError, invalid
from customers.presentation.problem import problem_json
from customers.setup.project_config import project_config
from customers.storage.locking import Work, alone
from customers.storage.sql import array, as_json, execute
from dedup.imports.processing.components import Components, Cut, cut
from dedup.imports.processing.keys import numbers_of
from dedup.imports.processing.redaction import forget
from dedup.imports.processing.staged_rows import StagedRowReader, TextRow, rows_to_stage
from dedup.models import Import, ImportBlock, ImportChunk, ImportPiece, ImportStates

log = get_logger(__name__)

READ_AT_ONCE = 2_000
HELD_AT_ONCE = 50_000
"""Rows that are held in memory while their chunks fill up."""
DECIDED_AT_ONCE = 10_000
"""Rows that hang together and are still decided as one in a dry run."""
LINES_TOLD = 10
HIGHEST_LINE = 2**31 - 1

INSERT_PIECE = """
INSERT INTO dedup_importpiece (source_id, chunk, first, lines, cells, faults, keys, key_counts)
VALUES (%s, %s, %s, %s::int[], %s, %s::jsonb, %s::bigint[], %s::int[])
"""

T = TypeVar("T")
StagedRow = tuple[int, str, str | None, list[int]]
"""A row's line, cells and fault, and the numbers of what it names."""


@dataclass(slots=True)
class HeldRows:
    """Rows of a chunk that are not written yet."""

    first: int = 0
    rows: list[StagedRow] = field(default_factory=list)


def stage(import_id: int) -> bool:
    """Stage an import, unless somebody is at it or it is staged; whether anything was done."""
    with alone(Work.STAGING, import_id) as is_alone:
        source = is_alone and _waiting(import_id)
        if not source:
            return False
        try:
            with TemporaryDirectory(prefix="selfsame-import-") as folder:
                _stage(source, Path(folder))
        except Stopped:
            _drop_rows(import_id)
        except SelfsameError as error:
            fail(source, error)
        except (DatabaseError, OSError):
            raise
        except Exception:
            log.exception("import_not_staged", import_id=import_id)
            fail(source, _unexpected())
        return True


def _waiting(import_id: int) -> Import | None:
    return (
        Import.objects.select_related("point", "dry_run")
        .filter(pk=import_id, state=ImportStates.STAGING)
        .first()
    )


def _unexpected() -> SelfsameError:
    detail = _("The file could not be read, because of a fault on our side. Tell the operator when it was.")
    return SelfsameError(ErrorCode.INTERNAL_ERROR, detail)


def fail(source: Import, error: SelfsameError) -> None:
    """The import ends here, and says why. Nothing of it took effect."""
    with transaction.atomic():
        _drop_rows(source.pk)
        ImportBlock.objects.filter(source=source).delete()
        Import.objects.filter(pk=source.pk, state=ImportStates.STAGING).update(
            state=ImportStates.FAILED, problem=problem_json(error), finished_at=timezone.now()
        )


def _drop_rows(import_id: int) -> None:
    """What was staged of an import that is to be staged anew, or not at all."""
    ImportPiece.objects.filter(source=import_id).delete()
    ImportChunk.objects.filter(source=import_id).delete()


def _stage(source: Import, folder: Path) -> None:
    _drop_rows(source.pk)  # of a worker that died over it
    spool = _Spool(folder / "rows")
    components = Components(folder)
    repeated = read_rows(source, components, spool)
    if not spool.count:
        raise invalid(("file", _("There are no rows below the header.")))
    largest = max(settings.IMPORT_CHUNK_ROWS, DECIDED_AT_ONCE) if source.is_dry_run else 0
    found = cut(components.joined(), settings.IMPORT_CHUNK_ROWS, largest=largest)
    _write_chunks(source, found)
    write_pieces(source, found, spool)
    start_running(source, spool, found, repeated)


def read_rows(source: Import, components: Components, spool: _Spool) -> list[int]:
    """Once through the file: every row to the spool, with what it names. Returns the lines that were left
    out because they repeat the column names.
    """
    repeated: list[int] = []
    config = project_config()
    reader = StagedRowReader(source, config)
    with rows_to_stage(source, repeated) as found:
        for batch in batches(found, READ_AT_ONCE):
            keys = numbers_of([reader.named(row) for row in batch], config)
            for numbers in keys:
                components.add(numbers)
            spool.add(batch, keys)
            waiting = Import.objects.filter(pk=source.pk, state=ImportStates.STAGING)
            if not waiting.update(rows_staged=spool.count):
                raise Stopped
    return repeated


class Stopped(Exception):  # noqa: N818 - it is no error
    """Somebody paused or cancelled the import while it was read."""


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


class _Spool:
    """The rows with their keys on the worker's own disk, to be read once more when the chunks are known."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = self.last_line = 0
        self._file: IO[bytes] = path.open("wb")

    def add(self, rows: Sequence[TextRow], keys: Sequence[Sequence[int]]) -> None:
        self.count += len(rows)
        self.last_line = min(rows[-1].line, HIGHEST_LINE)
        staged = [(*row, numbers) for row, numbers in zip(rows, keys, strict=True)]
        pickle.dump(staged, self._file, pickle.HIGHEST_PROTOCOL)

    def read(self) -> Iterator[StagedRow]:
        """All rows, in their order; afterwards nothing can be added."""
        self._file.close()
        read = 0
        with self.path.open("rb") as file:
            while read < self.count:
                rows = pickle.load(file)  # written by this process, a moment ago
                read += len(rows)
                yield from rows


def _write_chunks(source: Import, found: Cut) -> None:
    """Nobody works them before the import runs."""
    for some in batches(found.chunks, READ_AT_ONCE):
        ImportChunk.objects.bulk_create(
            ImportChunk(source=source, number=chunk.number, size=chunk.size, after=chunk.after)
            for chunk in some
        )


def write_pieces(source: Import, found: Cut, spool: _Spool) -> None:
    """Every chunk as soon as its rows are together, and all of them where too many rows are held."""
    held: defaultdict[int, HeldRows] = defaultdict(HeldRows)
    count = 0
    for number, row in zip(found.chunk_of, spool.read(), strict=True):
        holding = held[number]
        holding.rows.append(row)
        count += 1
        if holding.first + len(holding.rows) == found.chunks[number].size:
            _write_piece(source, number, held.pop(number))
            count -= len(holding.rows)
        elif count == HELD_AT_ONCE:
            for waiting, some in held.items():
                _write_piece(source, waiting, some)
                held[waiting] = HeldRows(some.first + len(some.rows))
            count = 0


def _write_piece(source: Import, chunk: int, held: HeldRows) -> None:
    if not held.rows:
        return
    lines, cells, faults, keys = zip(*held.rows, strict=True)
    execute(
        INSERT_PIECE,
        [
            source.pk,
            chunk,
            held.first,
            array("bigint", lines),
            "\n".join(cells),
            as_json({str(n): fault for n, fault in enumerate(faults) if fault is not None}),
            array("bigint", [number for numbers in keys for number in numbers]),
            array("bigint", [len(numbers) for numbers in keys]),
        ],
    )


def start_running(source: Import, spool: _Spool, found: Cut, repeated: Sequence[int]) -> None:
    """From here on workers take its chunks. Who was erased while the file was read is forgotten first."""
    chained = any(chunk.after is not None for chunk in found.chunks)
    with transaction.atomic():
        held = Import.objects.select_for_update().get(pk=source.pk)
        if held.state != ImportStates.STAGING:
            raise Stopped
        forget(held.forgotten, source=source.pk)
        ImportBlock.objects.filter(source=source).delete()
        held.state, held.running_since = ImportStates.RUNNING, timezone.now()
        held.last_line, held.forgotten = spool.last_line, []
        if chained and held.is_dry_run:
            held.warnings.append(_approximate())
        if repeated:
            held.warnings.append(_left_out(repeated))
        held.save()


def _left_out(repeated: Sequence[int]) -> str:
    return _("The column names stand again further down, and were left out there: line %(lines)s.") % {
        "lines": ", ".join(map(str, repeated[:LINES_TOLD])) + (" …" if len(repeated) > LINES_TOLD else "")
    }


def _approximate() -> str:
    return _(
        "More than %(rows)s rows hang together, by values they share. They were decided in parts, so that "
        "the figures for them are approximate."
    ) % {"rows": DECIDED_AT_ONCE}
