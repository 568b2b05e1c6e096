"""Unique IDs that customers had before and that somebody else has now, or retired later (R3).

The row of a value in `customers_identifier` is that of the customer who counts: who holds it, else who
retired it last. Everybody else who had the value has a row here. A value changes its place between the two
where somebody registers it anew, and where whoever counted has it no more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from customers.changes import Erased, Held, Merged, Released, Unmerged
from customers.profile import Category, Holding, Key
from customers.storage.batch import Batch, RecordChanges
from customers.storage.columns import FORMER, HOLDING
from customers.storage.sql import Row, Script
from customers.storage.tables.base import Handlers, Lineage, TableRows

NAME = "customers_formeridentifier"
ADDRESS = {"kind_id": "smallint", "value": "text"}
OF_CUSTOMER = {**ADDRESS, "customer_id": "bigint"}
ROWS = {**OF_CUSTOMER, **FORMER.types}
COLUMNS = ", ".join(ROWS)
ONCE = f"""
    ON CONFLICT (kind_id, value, origin_id) DO UPDATE SET
  customer_id = EXCLUDED.customer_id, {FORMER.replaced("origin_id")}
"""
PUT = f"INSERT INTO {NAME} ({COLUMNS}) SELECT {COLUMNS} FROM {{rows}} {ONCE}"
DROP = f"""
DELETE FROM {NAME} f USING {{rows}}
 WHERE f.customer_id = u.customer_id AND f.kind_id = u.kind_id AND f.value = u.value
"""
DROP_OF = f"DELETE FROM {NAME} WHERE customer_id = ANY(%s)"
# Of values that are given to a customer: whoever retired one keeps it here.
DISPLACE = f"""
INSERT INTO {NAME} ({COLUMNS})
SELECT i.kind_id, i.value, i.customer_id, {FORMER.select("i")}
  FROM {{rows}} JOIN customers_identifier i ON i.kind_id = u.kind_id AND i.value = u.value
 WHERE i.is_former AND i.customer_id <> u.customer_id
{ONCE}
"""
AS_FORMER = {
    **{name: "false" if of == "boolean" else f"NULL::{of}" for name, of in HOLDING.types.items()},
    **{name: f"b.{name}" for name in FORMER.types},
    "is_former": "true",
    "customer_id": "b.customer_id",
}
# `best` are rows of this table that are to count, each with the row of its value (`row_id`).
COUNT = f"""
WITH best AS ({{best}}), {{more}}
gone AS (DELETE FROM {NAME} f USING best b WHERE f.id = b.id)
UPDATE customers_identifier i SET {", ".join(f"{name} = {value}" for name, value in AS_FORMER.items())}
  FROM best b WHERE i.id = b.row_id
"""
LAST_FIRST = "f.retired_at DESC, f.origin_id DESC"
# Whoever counted until now, and retired the value earlier, takes their place here.
SETTLE = COUNT.format(
    best=f"""
  SELECT DISTINCT ON (f.kind_id, f.value) f.*, i.id AS row_id
    FROM {{rows}} JOIN customers_identifier i ON i.kind_id = u.kind_id AND i.value = u.value
    JOIN {NAME} f ON f.kind_id = i.kind_id AND f.value = i.value
   WHERE i.customer_id IS NULL OR (i.is_former AND i.retired_at < f.retired_at)
   ORDER BY f.kind_id, f.value, {LAST_FIRST}
""",
    more=f"""
displaced AS (
  INSERT INTO {NAME} ({COLUMNS})
  SELECT i.kind_id, i.value, i.customer_id, {FORMER.select("i")}
    FROM best b JOIN customers_identifier i ON i.id = b.row_id
   WHERE i.customer_id IS NOT NULL
),
""",
)
# What erased persons (%s) had goes to whoever of the others retired it last.
LEAVE = COUNT.format(
    best=f"""
  SELECT DISTINCT ON (i.id) f.*, i.id AS row_id
    FROM customers_identifier i JOIN {NAME} f ON f.kind_id = i.kind_id AND f.value = i.value
   WHERE i.customer_id = ANY(%s) AND NOT f.customer_id = ANY(%s)
   ORDER BY i.id, {LAST_FIRST}
""",
    more="",
)


class FormerRows(TableRows):
    """`emptied` are customers whose rows are taken away before the batch gives any, `erased` those of them
    who are forgotten, `dropped` single rows to be taken away, under the customer they stood under before the
    batch. `touched` are values of which somebody else may count by now.
    """

    def __init__(self, lineage: Lineage) -> None:
        super().__init__(lineage)
        self.emptied: set[int] = set()
        self.erased: set[int] = set()
        self.dropped: set[tuple[int, Key]] = set()
        self.touched: set[Key] = set()
        self.rows: defaultdict[int, dict[tuple[Key, int], Holding]] = defaultdict(dict)

    def handlers(self) -> Handlers:
        return {
            Held: self._held,
            Released: self._released,
            Merged: self._merged,
            Unmerged: self._unmerged,
            Erased: self._erased,
        }

    def put(self, customer: int, holding: Holding) -> None:
        """A customer had the value, and may not be the one who counts."""
        self.rows[customer][holding.key, holding.origin] = holding
        self.touched.add(holding.key)

    def _held(self, c: Held, _: RecordChanges) -> None:
        """A customer that retires a value is the last who did, so it counts; one that gets it back has it as
        a current one.
        """
        if c.after.category is not Category.UNIQUE or (c.before and not c.before.is_former):
            return
        if c.before:
            self._drop(c.customer, c.after.key)
        if c.after.is_former:
            self.put(c.customer, c.after)

    def _released(self, c: Released, _: RecordChanges) -> None:
        if c.holding.category is Category.UNIQUE:
            self._drop(c.customer, c.holding.key)
            self.touched.add(c.holding.key)

    def _drop(self, customer: int, key: Key) -> None:
        self.dropped.update((row, key) for row in self.lineage.rows_of(customer))
        own = self.rows[customer]
        self.rows[customer] = {place: holding for place, holding in own.items() if place[0] != key}

    def _merged(self, c: Merged, _: RecordChanges) -> None:
        self.rows[c.customer].update(self.rows.pop(c.absorbed.maestra_id, {}))

    def _unmerged(self, c: Unmerged, _: RecordChanges) -> None:
        """Both sides are written whole from their images."""
        self._empty(c.customer)
        for profile in (c.restored, c.remaining):
            for holding in profile.holdings.values():
                if holding.is_former:
                    self.put(profile.maestra_id, holding)

    def _erased(self, c: Erased, _: RecordChanges) -> None:
        self.erased.update(self.lineage.rows_of(c.customer))
        self._empty(c.customer)

    def _empty(self, customer: int) -> None:
        self.emptied.update(self.lineage.rows_of(customer))
        self.rows.pop(customer, None)

    def write(self, script: Script, batch: Batch) -> None:
        """What goes. The rest waits for the values themselves: `displace`, `settle`."""
        if self.erased:
            script.execute(LEAVE, [sorted(self.erased), sorted(self.erased)])
        if self.emptied:
            script.execute(DROP_OF, [sorted(self.emptied)])
        created = self.lineage.created
        dropped = [(*address(key, batch), c) for c, key in self.dropped if c not in created]
        script.with_rows(DROP, OF_CUSTOMER, sorted(dropped))
        self.move(script, NAME)

    def raw_values(self) -> dict[Key, str]:
        """The values given here, as they were typed."""
        return {holding.key: holding.raw for own in self.rows.values() for holding in own.values()}

    def displace(self, script: Script, given: Iterable[tuple[int, str, int | None]]) -> None:
        """Keep who retired the values that are about to be `given` to somebody: kind, value and customer."""
        script.with_rows(DISPLACE, OF_CUSTOMER, sorted(row for row in given if row[2] is not None))

    def settle(self, script: Script, batch: Batch) -> None:
        """Write who had values before, once they are given, and let those count who do (R3)."""
        rows: Sequence[Row] = [
            (*address(holding.key, batch), self.lineage.primary_id(customer), *FORMER.row(holding))
            for customer, own in self.rows.items()
            for holding in own.values()
        ]
        script.with_rows(PUT, ROWS, sorted(rows, key=lambda row: row[:3]))
        script.with_rows(SETTLE, ADDRESS, sorted(address(key, batch) for key in self.touched))


def address(key: Key, batch: Batch) -> tuple[int, str]:
    return batch.kinds[key.kind].id, key.value
