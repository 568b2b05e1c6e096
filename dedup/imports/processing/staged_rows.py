"""The rows of an import as they are sent, staged and worked: text, with what makes records of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import orjson
from django.db import connection

from customers.errors import SelfsameError
from customers.profile import Key
from customers.setup.integration_points import Point, point_of
from customers.setup.project_config import ProjectConfig
from customers.storage.sql import fetch, fetch_row
from dedup.engine.record import Record
from dedup.imports.columns.mapping import ColumnMapping, identifies
from dedup.imports.columns.options import Options
from dedup.imports.columns.rows import RowReader
from dedup.imports.files.inspection import FileFormat, FileRow, rows
from dedup.imports.processing.redaction import ERASED_CELLS
from dedup.models import Import, ImportKind
from segments.references import named_segmentations

NEEDED = frozenset({"order.number", "order.total"})
"""Targets that do not identify a customer, and without which there is no record."""
BLOCK = "SELECT data FROM dedup_importblock WHERE source_id = %s AND number = %s"
# A piece's rows, side by side. `n` is the place of a row in its piece.
ROWS_OF_PIECE = """
SELECT t.line, t.cells, p.faults ->> (t.n - 1)::text
  FROM dedup_importpiece p
 CROSS JOIN LATERAL ROWS FROM (unnest(p.lines), unnest(string_to_array(p.cells, E'\\n')))
       WITH ORDINALITY AS t(line, cells, n)
"""
STAGED = f"{ROWS_OF_PIECE} WHERE p.source_id = %s ORDER BY t.line"
OF_CHUNK = f"{ROWS_OF_PIECE} WHERE p.source_id = %s AND p.chunk = %s ORDER BY p.first, t.n"
FETCHED = 5_000
APART = timedelta(microseconds=1)
"""By how much a row without a time happened after the line above."""


class TextRow(NamedTuple):
    """A row. `cells` is a JSON list, or `null` where the person was erased; with a `fault` it cannot be
    read.
    """

    line: int
    cells: str
    fault: str | None = None


def rows_of_file(source: Import, repeated: list[int]) -> Iterator[TextRow]:
    """The rows as they were sent; lines that repeat the column names go to `repeated`. Raises
    `validation_error` or `too_large` where the file cannot be read.
    """
    with TemporaryDirectory(prefix="selfsame-import-") as folder:
        path = Path(folder) / "file"
        _fetch(source, path)
        for row in rows(path, FileFormat.from_json(source.format), repeated):
            yield text_row(row)


def text_row(row: FileRow) -> TextRow:
    return TextRow(row.line, orjson.dumps(row.cells).decode(), row.fault)


def _fetch(source: Import, path: Path) -> None:
    """Put the file together from its blocks."""
    with path.open("wb") as file:
        for number in count():
            row = fetch_row(BLOCK, [source.pk, number])
            if row is None:
                return
            file.write(row[0])


def rows_of_dry_run(dry_run: Import) -> Iterator[TextRow]:
    """The rows of another import that were staged already, in the order of the file."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(STAGED, [dry_run.pk])
        while found := cursor.fetchmany(FETCHED):
            yield from (TextRow(*row) for row in found)


def rows_of_chunk(source: Import, chunk: int) -> list[TextRow]:
    return [TextRow(*row) for row in fetch(OF_CHUNK, [source.pk, chunk])]


class StagedRowReader:
    """Makes of rows what the operations take. One for each chunk: it reads the set-up once."""

    def __init__(self, source: Import, config: ProjectConfig) -> None:
        self.kind = ImportKind(source.kind)
        self.point: Point = point_of(source.point)
        # Only a chosen segment is looked up among them.
        segmentations = named_segmentations() if source.options.get("segment") else {}
        self.options = Options.read(source.options, config, segmentations)
        self.targets = tuple(source.targets)
        self.header = tuple(source.header)
        file_format = FileFormat.from_json(source.format)
        self.decimal_commas = frozenset(self.header[at] for at in file_format.decimal_commas)
        self.config = config
        self.at: datetime = source.created_at
        self.first = self.at - source.last_line * APART

    @cached_property
    def _rows(self) -> RowReader:
        return self._reader(self.targets, self.options)

    @cached_property
    def _identifying(self) -> RowReader:
        """Reads who a row is about, and passes over what is invalid."""
        options = replace(self.options, drop_invalid=True, segment=None)
        if self.kind is ImportKind.MERGES:
            return self._reader(self.targets, options)
        kept = [t if t and (identifies(t) or t in NEEDED) else None for t in self.targets]
        return self._reader(kept, options)

    def _reader(self, targets: Sequence[str | None], options: Options) -> RowReader:
        mapping = ColumnMapping(tuple(targets))
        return RowReader(
            self.kind, self.header, mapping, options, self.point, self.config, self.at, self.decimal_commas
        )

    def record(self, row: TextRow) -> Record:
        """Where a row has no time of its own, it happened before the upload, each later than the one before
        it. So it does not matter when a worker comes to it, nor with which others.
        """
        at = self.first + row.line * APART
        return self._rows.record(orjson.loads(row.cells), at)

    def merge(self, row: TextRow) -> tuple[Key, list[Key]]:
        """The resulting customer, and those to merge into it."""
        return self._rows.merge(orjson.loads(row.cells))

    def named(self, row: TextRow) -> list[Key]:
        """What the row names, as far as that can be read."""
        if row.fault is not None or row.cells == ERASED_CELLS:
            return []
        cells = orjson.loads(row.cells)
        try:
            if self.kind is ImportKind.MERGES:
                resulting, merged = self._identifying.merge(cells)
                return [resulting, *merged]
            return self._identifying.named(cells)
        except SelfsameError:
            return []


@contextmanager
def rows_to_stage(source: Import, repeated: list[int]) -> Iterator[Iterator[TextRow]]:
    """The rows an import is made of: those of its file, or of the dry run it was started from. Lines of the
    file that repeat the column names are left out and go to `repeated`.
    """
    found = rows_of_dry_run(source.dry_run) if source.dry_run else rows_of_file(source, repeated)
    try:
        yield found
    finally:
        found.close()  # type: ignore[attr-defined]  # both are generators
