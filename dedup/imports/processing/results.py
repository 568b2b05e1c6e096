"""What came of an import as a whole, added up from its chunks: the counts, and where a run came out different
from its dry run.
"""

from __future__ import annotations

from typing import Any

from customers.storage.sql import fetch
from dedup.models import Import

DIFFERENCES_SHOWN = 100

SUMS = """
SELECT key, sum(value::bigint) FROM dedup_importchunk, jsonb_each_text(counts)
 WHERE source_id = %s GROUP BY key
"""
# The rows of an import beside what became of them; of those not worked yet, nothing.
REPORT = """
SELECT t.line, t.outcome, t.code, t.reason, t.maestra_id{cells}
  FROM dedup_importpiece p
  JOIN dedup_importchunk c ON c.source_id = p.source_id AND c.number = p.chunk
 CROSS JOIN LATERAL (SELECT p.first + 1 AS f, p.first + cardinality(p.lines) AS l) AS s
 CROSS JOIN LATERAL ROWS FROM (
   unnest(p.lines), unnest(c.outcomes[s.f : s.l]), unnest(c.codes[s.f : s.l]), unnest(c.reasons[s.f : s.l]),
   unnest(c.maestra_ids[s.f : s.l]), unnest({texts})
 ) AS t(line, outcome, code, reason, maestra_id, cells)
 WHERE p.source_id = %(source)s
"""
PLAIN = REPORT.format(cells="", texts="ARRAY[]::text[]")
WITH_CELLS = REPORT.format(cells=", t.cells", texts="string_to_array(p.cells, E'\\n')")
DIFFERENT = f"""
SELECT run.line, dry.outcome, dry.code, dry.maestra_id, run.outcome, run.code, run.maestra_id,
       count(*) OVER ()
  FROM ({PLAIN.replace("%(source)s", "%(dry_run)s")}) dry JOIN ({PLAIN}) run USING (line)
 WHERE dry.outcome <> run.outcome OR dry.code <> run.code OR dry.maestra_id <> run.maestra_id
 ORDER BY run.line LIMIT %(limit)s
"""


def sums(source: Import) -> dict[str, int]:
    """What the chunks worked so far counted, added up."""
    return {name: int(number) for name, number in fetch(SUMS, [source.pk])}


def differences(source: Import) -> dict[str, Any] | None:
    """Where a run came out different from its dry run: how many rows, and the first of them. None where
    there is nothing to compare, because the columns or options were changed in between.
    """
    dry_run = source.dry_run
    assert dry_run
    if (source.targets, source.options) != (dry_run.targets, dry_run.options):
        return None
    asked = {"source": source.pk, "dry_run": source.dry_run_id, "limit": DIFFERENCES_SHOWN}
    rows = fetch(DIFFERENT, asked)
    return {
        "count": rows[0][-1] if rows else 0,
        "rows": [
            {"line": line, "expected": _outcome_json(*dry), "actual": _outcome_json(*run)}
            for line, dry, run in map(_split, rows)
        ],
    }


def _split(row: tuple[Any, ...]) -> tuple[int, tuple[Any, ...], tuple[Any, ...]]:
    return row[0], row[1:4], row[4:7]


def _outcome_json(outcome: str, code: str, maestra_id: int | None) -> dict[str, Any]:
    return {"outcome": outcome, "code": code, "maestra_id": maestra_id}
