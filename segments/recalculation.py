"""Recalculation: the members of calculated segments are brought in line with the conditions (R51, R52).

A recalculation is requested as a row and carried out by a worker. One statement finds all customers whose
segment is not as it should be; they are then changed in batches, each in a transaction that locks their
profiles and reads them again. So no invariant breaks, whatever else happens at the same time, and customers
who were merged or erased meanwhile are left to the next recalculation. One that was interrupted starts again
and finds what is left to do.

Each segmentation has one recalculation at a time (`customers.storage.locking.alone`).
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from structlog.stdlib import get_logger

from customers.changes import Why
from customers.errors import SelfsameError
from customers.redis.waking import wake_after_commit
from customers.setup.project_config import project_config
from customers.storage.batch import OperationInfo
from customers.storage.locking import Work, alone, operation_of
from customers.storage.sql import fetch
from customers.storage.transactions import in_transaction, limited
from segments.bulk_moves import Moved, move
from segments.conditions.context import ConditionContext
from segments.conditions.query import Query
from segments.conditions.tree import Node, expression, faults, parse, valid
from segments.dependencies import in_order
from segments.models import Recalculation, Segmentation, SegmentationKinds, States
from segments.references import condition_context, graph_of_stored

log = get_logger(__name__)

TASK = "segments.tasks.recalculate"
AT_ONCE = 2_000
"""Most customers of one batch."""
FETCHED = 50_000
OUT = 0
"""Stands for no segment: IDs begin with 1."""

# Enough memory to hash a million rows, and no JIT for a statement that runs once. No nested loops: the
# planner takes a segmentation that was just filled for empty and would read it again for every customer. The
# cursor's plan should be the best one for all rows, not for the first.
TUNING = """
SELECT set_config('work_mem', '64MB', true), set_config('jit', 'off', true),
       set_config('enable_nestloop', 'off', true), set_config('cursor_tuple_fraction', '1', true)
"""
# The segment each customer should be in (`w`) beside the one they are in (`m`), where the two differ. In
# MaestraID order, so that the customers of a batch are neighbours in tables and indexes; MATERIALIZED, so
# that only the result is sorted and not the ledgers.
DIFFERING = """
WITH differing AS MATERIALIZED (
  SELECT w.id, coalesce(w.segment, {out}) AS segment FROM (SELECT c.id, {segment} AS segment {source}) w
    LEFT JOIN segments_membership m ON m.customer_id = w.id AND m.segmentation_id = %(segmentation)s
   WHERE m.segment_id IS DISTINCT FROM w.segment
)
SELECT id, segment FROM differing ORDER BY id
"""


def ask(segmentation: Segmentation, actor: str = "system", user_id: int | None = None) -> Recalculation:
    """Request a recalculation, or find the one that waits already. A worker is woken after the commit."""
    Recalculation.objects.bulk_create(
        [Recalculation(segmentation=segmentation, actor=actor, actor_user_id=user_id)], ignore_conflicts=True
    )
    wake_after_commit(TASK)
    return Recalculation.objects.filter(segmentation=segmentation).latest("id")


def ask_for_all() -> None:
    """Request one for every calculated segmentation, as the schedule does."""
    segmentations = Segmentation.objects.filter(kind=SegmentationKinds.CALCULATED)
    Recalculation.objects.bulk_create(
        [Recalculation(segmentation=segmentation, actor="system") for segmentation in segmentations],
        ignore_conflicts=True,
    )


def run_waiting() -> None:
    """Run all recalculations that wait or were interrupted, each segmentation after those it refers to."""
    while pending := _pending():
        done = [_run(recalculation) for recalculation in pending]
        if not any(done):
            return


def _pending() -> list[Recalculation]:
    unfinished = Recalculation.objects.filter(state__in=(States.WAITING, States.RUNNING))
    found = list(unfinished.select_related("segmentation").order_by("id"))
    if not found:
        return []
    place = {name: number for number, name in enumerate(in_order(graph_of_stored()))}
    return sorted(found, key=lambda r: (place[r.segmentation.system_name], r.pk))


def _run(recalculation: Recalculation) -> bool:
    """Whether it was run here; another worker may be running it, or have run it."""
    with alone(Work.RECALCULATION, recalculation.segmentation_id) as is_alone:
        if not is_alone or not _begun(recalculation):
            return False
        try:
            _recalculate(recalculation)
        except Exception as error:
            log.exception("recalculation_failed", recalculation=recalculation.pk)
            _finish(recalculation, States.FAILED, error=_shown_error(error))
        else:
            _finish(recalculation, States.DONE)
        return True


def _begun(recalculation: Recalculation) -> bool:
    """Whether it still has to be run. We hold the lock, so if it is `running`, its worker died."""
    unfinished = Recalculation.objects.filter(pk=recalculation.pk, state__in=(States.WAITING, States.RUNNING))
    started_at = timezone.now()
    begun = unfinished.update(state=States.RUNNING, started_at=started_at, due=None, processed=0)
    recalculation.started_at = started_at
    return bool(begun)


def _finish(recalculation: Recalculation, state: States, error: str = "") -> None:
    row = Recalculation.objects.filter(pk=recalculation.pk)
    row.update(state=state, finished_at=timezone.now(), error=error)


def _shown_error(error: Exception) -> str:
    """What can be shown of an error. The text of a foreign one is left out: it may hold values."""
    return error.detail if isinstance(error, SelfsameError) else type(error).__name__


def _recalculate(recalculation: Recalculation) -> None:
    at = recalculation.started_at
    assert at
    plan = plan_of(recalculation.segmentation, at)
    found = differing(plan)
    row = Recalculation.objects.filter(pk=recalculation.pk)
    row.update(due=len(found), warnings=plan.warnings)
    for first in range(0, len(found), AT_ONCE):
        write_batch(recalculation, found.part(first, first + AT_ONCE), at)


def write_batch(recalculation: Recalculation, wanted: dict[int, int], at: datetime) -> None:
    def operation() -> OperationInfo:
        who = recalculation.actor
        return operation_of("recalculate", timezone.now(), who, recalculation.actor_user_id, None)

    def work() -> Moved:
        moved = move(
            wanted,
            recalculation.segmentation_id,
            lambda primary_id, _is_in: wanted[primary_id] or None,
            operation,
            at=at,
            why=Why.RECALCULATED,
        )
        Recalculation.objects.filter(pk=recalculation.pk).update(
            processed=F("processed") + len(wanted),
            entered=F("entered") + moved.entered,
            left=F("left") + moved.left,
        )
        return moved

    in_transaction(work)


# --- Which customers are to be moved


@dataclass(frozen=True, slots=True)
class Plan:
    """The segments of a segmentation with their conditions, without those that match nobody."""

    segmentation: int
    conditions: tuple[tuple[int, Node], ...]
    context: ConditionContext
    at: datetime
    warnings: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Differing:
    """Customers and the segments they should be in; a million take 16 MB."""

    customers: array[int] = field(default_factory=lambda: array("q"))
    segments: array[int] = field(default_factory=lambda: array("q"))

    def __len__(self) -> int:
        return len(self.customers)

    def take(self, rows: Sequence[tuple[int, int]]) -> None:
        self.customers.extend(customer for customer, _segment in rows)
        self.segments.extend(segment for _customer, segment in rows)

    def part(self, first: int, last: int) -> dict[int, int]:
        return dict(zip(self.customers[first:last], self.segments[first:last], strict=True))


def plan_of(segmentation: Segmentation, at: datetime) -> Plan:
    """The plan by the present conditions."""
    context = condition_context(project_config())
    plan: list[tuple[int, Node]] = []
    warnings = []
    # The highest ID first: it wins where several match (R51).
    for segment in segmentation.segments.exclude(condition=None).order_by("-id"):
        whole = parse(segment.condition)
        warnings += [
            {"segment": segment.system_name, "fault": text} for _path, text in faults(whole, context)
        ]
        if (node := valid(whole, context)) is not None:
            plan.append((segment.pk, node))
    return Plan(segmentation.pk, tuple(plan), context, at, warnings)


def differing(plan: Plan) -> Differing:
    """All customers whose segment is not as it should be."""
    sql, params = difference_of(plan)
    found = Differing()
    with transaction.atomic():
        fetch(TUNING)
        with connection.chunked_cursor() as cursor:
            cursor.execute(sql, params)
            while rows := cursor.fetchmany(FETCHED):
                found.take(rows)
    return found


def difference_of(plan: Plan) -> tuple[str, dict[str, Any]]:
    """The statement that compares the present segments with those that should be."""
    query = Query(plan.context, plan.at)
    cases = [f"WHEN {expression(node, query)} THEN {segment}" for segment, node in plan.conditions]
    segment = f"CASE {' '.join(cases)} END" if cases else "NULL::bigint"
    sql = DIFFERING.format(out=OUT, segment=segment, source=query.source())
    return sql, {**query.params, "segmentation": plan.segmentation}


# --- How many


def count(nodes: Sequence[Node], context: ConditionContext, at: datetime, seconds: float) -> list[int]:
    """How many customers meet each condition, in one statement. Raises TimeoutError where it takes longer
    than `seconds`.
    """
    query = Query(context, at)
    counts = [f"count(*) FILTER (WHERE {expression(node, query)})" for node in nodes]
    with limited(seconds):
        fetch(TUNING)
        (row,) = fetch(f"SELECT {', '.join(counts)} {query.source()}", query.params)
    return list(row)
