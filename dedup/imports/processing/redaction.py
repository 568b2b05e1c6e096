"""Taking persons out of what is kept of imports (R54).

A row is found by the numbers of what it names (`dedup.imports.processing.keys`), or by the customer it ended
in. Its cells go, its line and its outcome stay; one that was not worked yet fails. The file itself cannot be
searched, so a person erased before its rows are staged is remembered by numbers until they are, and taken out
then.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from customers.storage.sql import Row, array, as_json, execute, fetch

ERASED_CELLS = "null"
"""Stands for the cells of a row that was about somebody erased."""

# Read wholly, piece by piece: an index on what rows name would cost every import more than it saves the rare
# erasure. Chunks are locked, so that a worker cannot store what it read before.
LOCK_CHUNKS = """
SELECT c.id FROM dedup_importchunk c
 WHERE (%(source)s::bigint IS NULL OR c.source_id = %(source)s)
   AND (c.maestra_ids && %(ids)s::bigint[] OR EXISTS (
     SELECT FROM dedup_importpiece p
      WHERE p.source_id = c.source_id AND p.chunk = c.number AND p.keys && %(numbers)s::bigint[]))
 ORDER BY c.id FOR UPDATE OF c
"""
PIECES = """
SELECT p.id, c.id, p.first, p.cells, p.faults::text, p.keys, p.key_counts,
       c.maestra_ids[p.first + 1 : p.first + cardinality(p.lines)]
  FROM dedup_importchunk c JOIN dedup_importpiece p ON p.source_id = c.source_id AND p.chunk = c.number
 WHERE c.id = ANY(%s) ORDER BY p.id
"""
KEEP_PIECES = """
UPDATE dedup_importpiece p
   SET cells = u.cells, faults = u.faults, keys = u.keys::bigint[], key_counts = u.key_counts::int[]
  FROM unnest(%s::bigint[], %s::text[], %s::jsonb[], %s::text[], %s::text[])
       AS u(id, cells, faults, keys, key_counts)
 WHERE p.id = u.id
"""
# `rows` are places in the chunk, counted from 1.
BLANK_REASONS = """
UPDATE dedup_importchunk c
   SET examples = '{}', reasons = ARRAY(
     SELECT CASE WHEN r.n = ANY(u.rows::int[]) THEN '' ELSE r.reason END
       FROM unnest(c.reasons) WITH ORDINALITY AS r(reason, n) ORDER BY r.n)
  FROM unnest(%s::bigint[], %s::text[]) AS u(id, rows)
 WHERE c.id = u.id
"""
REMEMBER = """
UPDATE dedup_import SET forgotten = forgotten || %s::bigint[]
 WHERE running_since IS NULL AND finished_at IS NULL
"""


def remember(numbers: Collection[int]) -> None:
    """Have these taken out of the files that are not staged yet, as soon as they are."""
    execute(REMEMBER, [list(numbers)])


def forget(numbers: Collection[int], maestra_ids: Collection[int] = (), source: int | None = None) -> None:
    """Take out the rows that name any of these or ended in any of these customers."""
    wanted, customers = frozenset(numbers), frozenset(maestra_ids)
    if not (wanted or customers):
        return
    where = {"numbers": list(wanted), "ids": list(customers), "source": source}
    chunks = [row[0] for row in fetch(LOCK_CHUNKS, where)]
    pieces = [_Piece(*row) for row in fetch(PIECES, [chunks])]
    blanked = {piece.chunk: set[int]() for piece in pieces}
    for piece in pieces:
        blanked[piece.chunk] |= piece.blank(wanted, customers)
    columns = zip(*(piece.row() for piece in pieces), strict=True)
    execute(KEEP_PIECES, [list(column) for column in columns] or [[]] * 5)
    execute(BLANK_REASONS, [list(blanked), [array("bigint", sorted(rows)) for rows in blanked.values()]])


@dataclass(slots=True)
class _Piece:
    id: int
    chunk: int
    first: int
    cells: str
    faults: str
    keys: list[int]
    key_counts: list[int]
    maestra_ids: Sequence[int | None]

    def blank(self, numbers: frozenset[int], maestra_ids: frozenset[int]) -> set[int]:
        """The places in the chunk, counted from 1, of the rows taken out."""
        cells = self.cells.split("\n")
        rows = list(self._keys_by_row())
        ended_in = [*self.maestra_ids, *[None] * (len(rows) - len(self.maestra_ids))]
        gone = {
            n for n, keys in enumerate(rows) if not numbers.isdisjoint(keys) or ended_in[n] in maestra_ids
        }
        self.cells = "\n".join(ERASED_CELLS if n in gone else text for n, text in enumerate(cells))
        kept = [[] if n in gone else keys for n, keys in enumerate(rows)]
        self.keys, self.key_counts = [key for keys in kept for key in keys], [len(keys) for keys in kept]
        faults = {n: fault for n, fault in json.loads(self.faults).items() if int(n) not in gone}
        self.faults = as_json(faults)
        return {self.first + n + 1 for n in gone}

    def _keys_by_row(self) -> Iterator[list[int]]:
        start = 0
        for count in self.key_counts:
            yield self.keys[start : start + count]
            start += count

    def row(self) -> Row:
        return self.id, self.cells, self.faults, array("bigint", self.keys), array("bigint", self.key_counts)
