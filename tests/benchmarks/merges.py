"""A merge of customers with few and with many activities, and its undo: the ledger never moves."""

from __future__ import annotations

from statistics import median

from django.db import connection

from customers.profile import MAESTRA_ID, Key
from dedup.engine.record import Operation
from dedup.operations.apart import lift_apart
from dedup.operations.base import Result
from dedup.operations.merging import merge, undo
from tests.benchmarks.measuring import Table, milliseconds
from tests.benchmarks.people import numbers, project, submit_all

FEW = 10
REPETITIONS = 20
NOTES = "ratio: many against few; 1 is the same price. The two customers have half of the activities each."
ACTIVITIES = """
INSERT INTO customers_activity (uuid, maestra_id, kind, occurred_at, url)
SELECT gen_random_uuid(), %s, 'page_view', now() - n * interval '1 second', '/catalogue/' || n %% 1000
  FROM generate_series(1, %s) AS n
"""


def measured(activities: int) -> Table:
    headings = ("", f"{activities:,} activities ms", f"{FEW} activities ms", "ratio", "aim")
    table = Table("Merge and undo", headings, notes=NOTES)
    project()
    many, few = Pair(activities), Pair(FEW)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE customers_activity")
    for number in range(REPETITIONS + 1):
        for pair in (many, few) if number % 2 else (few, many):
            pair.merge_and_undo()
    for name in ("merge", "undo"):
        # The first time of each warms up.
        taken, reference = (median(pair.taken[name][1:]) for pair in (many, few))
        table.rows.append((name, taken, reference, taken / reference, "1"))
    return table


class Pair:
    """Two customers with half of the activities each, and how long it took to merge them and to undo it."""

    def __init__(self, activities: int) -> None:
        first, second = numbers.take(2)
        bodies = [{"email": f"p{first}@example.com"}, {"mobile_phone": f"+1415{second}"}]
        answers = submit_all(Operation.REGISTER, bodies)
        self.ids = [answer.profile.maestra_id for answer in answers]
        self.keys = [Key(MAESTRA_ID, str(maestra_id)) for maestra_id in self.ids]
        self.taken: dict[str, list[float]] = {"merge": [], "undo": []}
        with connection.cursor() as cursor:
            for maestra_id in self.ids:
                cursor.execute(ACTIVITIES, [maestra_id, activities // 2])

    def merge_and_undo(self) -> None:
        merged: list[Result] = []
        first, second = self.keys
        self.taken["merge"].append(milliseconds(lambda: merged.append(merge(project(), [second], first))))
        self.taken["undo"].append(milliseconds(lambda: undo(project(), merged[0].merge_ids[0])))
        lift_apart(project(), *self.ids)
