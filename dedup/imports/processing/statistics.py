"""The planner's statistics while rows pour in.

PostgreSQL gathers them once a minute at best, and a first load fills empty tables within seconds. Until then
it reads whole tables for what an index tells.
"""

from __future__ import annotations

from customers.storage.saving import CHANGES
from customers.storage.sql import execute, fetch
from customers.storage.tables.consent import SUBSCRIPTIONS
from customers.storage.tables.identifiers import IDENTIFIERS
from customers.storage.tables.ledger import FACTS, ORDERS
from customers.storage.tables.person import CUSTOMERS

TABLES = [table.name for table in (CUSTOMERS, FACTS, IDENTIFIERS, SUBSCRIPTIONS, ORDERS, CHANGES)]
FEW = 1000
"""Rows that no statistics are worth while for."""
STALE = """
SELECT relname FROM pg_stat_user_tables
 WHERE relname = ANY(%s) AND n_mod_since_analyze > greatest(%s, n_live_tup / 2)
"""


def refresh() -> None:
    """Gather them anew for tables of which most rows were written since, unless somebody is at it."""
    stale = [name for (name,) in fetch(STALE, [TABLES, FEW])]
    if stale:
        execute(f"ANALYZE (SKIP_LOCKED) {', '.join(stale)}")
