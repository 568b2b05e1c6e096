"""The planner's statistics while rows pour in.

PostgreSQL gathers them once a minute at best, and a first load fills empty tables within seconds. Until then
it reads whole tables for what an index tells.
"""

from __future__ import annotations

from django.db import connection

from customers.storage.saving import CHANGES, CUSTOMERS, FACTS, IDENTIFIERS, ORDERS, SUBSCRIPTIONS

TABLES = [table.name for table in (CUSTOMERS, FACTS, IDENTIFIERS, SUBSCRIPTIONS, ORDERS, CHANGES)]
FEW = 1000
"""Rows that no statistics are worth while for."""
STALE = """
SELECT relname FROM pg_stat_user_tables
 WHERE relname = ANY(%s) AND n_mod_since_analyze > greatest(%s, n_live_tup / 2)
"""


def refresh() -> None:
    """Gather them anew for tables of which most rows were written since, unless somebody is at it."""
    with connection.cursor() as cursor:
        cursor.execute(STALE, [TABLES, FEW])
        stale = [name for (name,) in cursor.fetchall()]
        if stale:
            cursor.execute(f"ANALYZE (SKIP_LOCKED) {', '.join(stale)}")
