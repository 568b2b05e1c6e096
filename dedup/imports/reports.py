"""How far an import is, and what became of its rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from typing import Any, NamedTuple

from django.db import connection
from django.utils.translation import gettext as _

from customers.presentation.csv import csv_lines
from customers.storage.sql import fetch
from dedup.imports.processing.outcomes import FAILED_BY
from dedup.imports.processing.results import PLAIN, WITH_CELLS, sums
from dedup.models import Import, ImportStates, Outcomes

RATED = timedelta(seconds=30)
"""The rate is that of the last so many seconds."""
EXAMPLES_SHOWN = 5
FETCHED = 5_000

PROGRESS = """
SELECT coalesce(sum(size), 0), coalesce(sum(size) FILTER (WHERE worked_at > s.since), 0),
       extract(epoch FROM clock_timestamp() - min(s.since))::float
  FROM dedup_importchunk
 CROSS JOIN (SELECT greatest(%(running_since)s, clock_timestamp() - %(rated)s) AS since) s
 WHERE source_id = %(source)s AND worked_at IS NOT NULL
"""
OF_OUTCOME = " AND t.outcome = %(outcome)s"
IN_ORDER = " ORDER BY t.line"
EXAMPLES = """
SELECT name, example
  FROM (
    SELECT e.name, x.example, row_number() OVER (PARTITION BY e.name ORDER BY x.example -> 'line') AS place
      FROM dedup_importchunk c
     CROSS JOIN LATERAL jsonb_each(c.examples) AS e(name, list)
     CROSS JOIN LATERAL jsonb_array_elements(e.list) AS x(example)
     WHERE c.source_id = %s AND c.examples <> '{}'
  ) numbered
 WHERE place <= %s ORDER BY name, place
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is. `counts` are rows by outcome and the effects of
    `dedup.imports.processing.outcomes`, `failed_by` the failed ones by error code. `rate` is in rows a
    second; it and `seconds_left` are None while nothing is worked.
    """

    state: str
    staged: int
    total: int | None
    done: int
    counts: Mapping[str, int]
    failed_by: Mapping[str, int]
    rate: float | None = None
    seconds_left: float | None = None

    @property
    def failed(self) -> int:
        return self.counts.get(Outcomes.FAILED.value, 0)


def progress(source: Import) -> Progress:
    """How far it is at this moment."""
    counts = source.result["counts"] if "counts" in source.result else sums(source)
    effects = {name: number for name, number in counts.items() if not name.startswith(FAILED_BY)}
    failed_by = {name.removeprefix(FAILED_BY): n for name, n in counts.items() if name.startswith(FAILED_BY)}
    if not source.is_staged:
        return Progress(source.state, source.rows_staged, None, 0, effects, failed_by)
    done, rate = _done(source)
    total = source.rows_staged
    left = (total - done) / rate if rate else None
    return Progress(source.state, total, total, done, effects, failed_by, rate, left)


def _done(source: Import) -> tuple[int, float | None]:
    """Rows done, and how many a second at present."""
    assert source.running_since
    if "counts" in source.result:
        return sum(source.result["counts"].get(outcome, 0) for outcome in Outcomes.values), None
    asked: dict[str, Any] = {"source": source.pk, "running_since": source.running_since, "rated": RATED}
    ((done, lately, seconds),) = fetch(PROGRESS, asked)
    if source.state != ImportStates.RUNNING or not lately:
        return done, None
    return done, lately / max(seconds, 0.001)


class ReportRow(NamedTuple):
    """What became of a row. Without an outcome it was not worked; `code` and `reason` say why it failed, or
    what of it was left out. `cells` are None where they were not asked for, or the person was erased.
    """

    line: int
    outcome: str | None
    code: str
    reason: str
    maestra_id: int | None
    cells: list[str] | None = None


def report_rows(
    source: Import, outcome: str | None = None, *, with_cells: bool = False
) -> Iterator[ReportRow]:
    """The rows in the order of the file, read while they are taken; only those of an outcome, where it is
    named.
    """
    sql = (WITH_CELLS if with_cells else PLAIN) + (OF_OUTCOME if outcome else "") + IN_ORDER
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, {"source": source.pk, "outcome": outcome})
        while found := cursor.fetchmany(FETCHED):
            for line, became, code, reason, maestra_id, *cells in found:
                read = json.loads(cells[0]) if cells else None
                yield ReportRow(line, became, code or "", reason or "", maestra_id, read)


COLUMNS = ("line", "outcome", "code", "reason", "maestra_id")


def report_file(source: Import, outcome: str | None = None) -> Iterator[str]:
    """The report as CSV, in parts."""
    rows = (row[: len(COLUMNS)] for row in report_rows(source, outcome))
    return csv_lines(chain([COLUMNS], rows))


def report_json(source: Import, outcome: str | None = None) -> Iterator[str]:
    """The report as a JSON object with `results`, in parts."""
    yield '{"results": ['
    between = ""
    for row in report_rows(source, outcome):
        yield between + json.dumps(dict(zip(COLUMNS, row, strict=False)), ensure_ascii=False)
        between = ",\n"
    yield "]}"


def failed_file(source: Import) -> Iterator[str]:
    """The failed rows as CSV, in parts: the columns they came with, and the reason; to be mended and sent
    again.
    """
    header = [*source.header, _("Import error")]
    failed = report_rows(source, Outcomes.FAILED.value, with_cells=True)
    width = len(source.header)
    rows = ([*_padded(row.cells, width), row.reason] for row in failed if row.cells is not None)
    return csv_lines(chain([header], rows))


def _padded(cells: list[str], width: int) -> list[str]:
    """A row that is too short or too long is given back as it came, as far as there are columns for it."""
    return [*cells, *[""] * (width - len(cells))][:width]


def examples_of(source: Import) -> dict[str, list[dict[str, Any]]]:
    """Of each kind of outcome and effect of a dry run the first examples: line, MaestraID and sentences."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, example in fetch(EXAMPLES, [source.pk, EXAMPLES_SHOWN]):
        found.setdefault(name, []).append(json.loads(example))
    return found
