"""Recalculation of twenty segments among many customers with ten activities each.

Finding who is not where they should be is set against a bare count of the rows of the same tables: what it
costs only to read them. Entering writes every membership with its history, in batches as a worker does. The
second time nothing is to be changed, which is what the schedule mostly finds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from segments.conditions.tree import parse, stored_form
from segments.models import Recalculation, Segment, Segmentation
from segments.recalculation import TUNING, ask, difference_of, differing, plan_of, run_waiting
from tests.benchmarks.filling import STEP, fill
from tests.benchmarks.measuring import Table, alternating
from tests.benchmarks.people import project

HEADINGS = (
    "segmentation",
    "segments",
    "members",
    "find, ms",
    "bare count, ms",
    "ratio",
    "enter, s",
    "entries/s",
    "nothing to do, ms",
)
ROUNDS = 3
ACTIVITIES = """
INSERT INTO customers_activity (uuid, maestra_id, kind, occurred_at, url)
SELECT gen_random_uuid(), n, (ARRAY['page_view', 'search', 'cart'])[1 + (n + v) %% 3],
       now() - ((n * 7 + v * 11) %% 180) * interval '1 day', '/shelf/' || (n + v) %% 50
  FROM generate_series(%s::bigint, %s::bigint) n, generate_series(1, 10) v
"""
CUSTOMERS, FACTS, ORDERS, ACTIVITY, IDENTIFIERS, SUBSCRIPTIONS, MEMBERSHIPS = (
    "customers_customer",
    "customers_customerfacts",
    "customers_order",
    "customers_activity",
    "customers_identifier",
    "customers_subscription",
    "segments_membership",
)
Conditions = Sequence[Mapping[str, Any]]


def did(kind: str, count: int, days: int) -> dict[str, Any]:
    period = {"last_days": days}
    return {"type": "activity_count", "kind": kind, "op": "at_least", "value": count, "period": period}


def contact(of: str, state: str = "held") -> dict[str, Any]:
    return {"type": "contact", "contact": of, "state": state}


SUBSCRIBED = {"type": "subscription", "channel": "email", "status": "subscribed"}
SEGMENTATIONS: Mapping[str, tuple[Conditions, Sequence[str]]] = {
    "activity": (
        [
            {"all": [did("page_view", 1, 180)]},
            {"all": [did("page_view", 2, 90)]},
            {"all": [did("search", 2, 90)]},
            {"all": [did("cart", 1, 30), {"none": [did("cart", 1, 7)]}]},
            {"all": [{**did("cart", 1, 14), "page": "/shelf/7"}]},
        ],
        (CUSTOMERS, MEMBERSHIPS, ACTIVITY),
    ),
    "value": (
        [
            {"all": [{"type": "orders_count", "op": "at_least", "value": 1}]},
            {"all": [{"type": "last_action", "period": {"last_days": 1}}]},
            {"all": [{"type": "orders_total", "op": "at_least", "value": 10, "period": {"last_days": 30}}]},
            {"all": [{"type": "orders_count", "op": "at_least", "value": 2}]},
            {"all": [{"type": "points_balance", "op": "at_least", "value": 1}]},
        ],
        (CUSTOMERS, MEMBERSHIPS, FACTS, ORDERS),
    ),
    "reach": (
        [
            {"all": [contact("email")]},
            {"all": [contact("email"), contact("mobile_phone")]},
            {"all": [contact("any", "confirmed")]},
            {
                "all": [
                    SUBSCRIBED,
                    did("search", 4, 180),
                ]
            },
            {"all": [{"type": "identifier", "kind": "crm_id"}, {"type": "opted_out"}]},
        ],
        (CUSTOMERS, MEMBERSHIPS, *[IDENTIFIERS] * 4, SUBSCRIPTIONS, ACTIVITY),
    ),
    "person": (
        [
            {"all": [{"type": "known", "field": "first_name"}]},
            {"all": [{"type": "registered", "period": {"last_days": 3}}]},
            {"any": [{"type": "segment", "segment": "value/s1"}, {"type": "segment", "segment": "reach/s3"}]},
            {"all": [{"type": "gender", "gender": "female"}]},
            {"none": [{"type": "identified"}]},
        ],
        (CUSTOMERS, *[MEMBERSHIPS] * 3),
    ),
}


def measured(customers: int) -> Table:
    project()
    filled(customers)
    table = Table(
        f"Recalculation of 20 segments among {customers:,} customers with {10 * customers:,} activities",
        HEADINGS,
        notes="bare count: count(*) of each table as often as the one statement that finds them reads it",
    )
    for name, (conditions, tables) in SEGMENTATIONS.items():
        table.rows.append(_measured(segmentation(name, conditions), tables))
    return table


def filled(customers: int) -> None:
    made = fill(customers)
    with connection.cursor() as cursor:
        cursor.execute("SELECT customers_activity_months((now() - interval '7 months')::date, now()::date)")
        cursor.execute("TRUNCATE customers_activity")
        for first in made[::STEP]:
            cursor.execute(ACTIVITIES, [first, min(first + STEP, made.stop) - 1])
        cursor.execute("VACUUM ANALYZE")


def segmentation(name: str, conditions: Conditions) -> Segmentation:
    made = Segmentation.objects.create(system_name=name, name=name, kind="calculated")
    for number, condition in enumerate(conditions):
        stored = stored_form(parse(condition))
        Segment.objects.create(
            segmentation=made, system_name=f"s{number}", name=f"{number}", condition=stored
        )
    return made


def _measured(of: Segmentation, tables: Iterable[str]) -> tuple[str | float, ...]:
    plan = plan_of(of, timezone.now())
    print(f"\n=== {of}\n{_explained(*difference_of(plan))}")  # noqa: T201 - it is a command
    bare = ";\n".join(f"SELECT count(*) FROM {table}" for table in tables)
    ours, reference = alternating([lambda: differing(plan)] * ROUNDS, [lambda: _execute(bare)] * ROUNDS)
    entering = _recalculated(of)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE segments_membership")
    again = _recalculated(of)
    seconds = _seconds(entering)
    members = entering.entered
    figures = (float(members), ours, reference, ours / reference, seconds, members / seconds)
    return (of.name, "5", *figures, 1000 * _seconds(again))


def _recalculated(of: Segmentation) -> Recalculation:
    asked = ask(of)
    run_waiting()
    asked.refresh_from_db()
    assert asked.state == "done", asked.error
    return asked


def _seconds(of: Recalculation) -> float:
    assert of.started_at
    assert of.finished_at
    return (of.finished_at - of.started_at).total_seconds()


def _execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def _explained(sql: str, params: Mapping[str, Any]) -> str:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(TUNING)
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {sql}", params)
        return "\n".join(line for (line,) in cursor.fetchall())
