"""The statement over all profiles that conditions are asked with.

Each condition is a yes or no about `c`, the row of a primary MaestraID. What that row does not tell comes
from relations that are joined to it, `(id, …)` with at most one row for each profile. So each aggregate is
calculated once for everybody, however many conditions need it, all those of one ledger in one pass over it;
and the planner has no chance to look up row by row, or to depend on memory.

Ledgers and facts stand per MaestraID. A row of a former MaestraID is credited to its profile through the
former ones, which are few, so that the many profiles with one MaestraID cost nothing extra.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from segments.conditions.context import ConditionContext
from segments.conditions.fields import Period

PROFILES = "c.is_head AND c.erased_at IS NULL"
# What the orders, points and so on of one MaestraID add up to, kept up to date with every change: those of
# the primary MaestraID, and the sums over the former ones.
FACTS = "SELECT customer_id AS id, * FROM customers_customerfacts"
FORMER_FACTS = """
SELECT m.profile_id AS id, sum(f.orders_count) AS orders_count, sum(f.orders_total) AS orders_total,
       sum(f.points_balance) AS points_balance, sum(f.promo_codes_count) AS promo_codes_count,
       max(f.last_action_at) AS last_action_at
  FROM customers_customer m JOIN customers_customerfacts f ON f.customer_id = m.id
 WHERE NOT m.is_head GROUP BY m.profile_id
"""
# Rows of a ledger `t`, summed up for each profile: `m` is there only for rows of former MaestraIDs, all
# others are the profile's own.
LEDGER = """
SELECT coalesce(m.profile_id, t.maestra_id) AS id, {sums}
  FROM {table} t LEFT JOIN customers_customer m ON m.id = t.maestra_id AND NOT m.is_head
 WHERE {where} GROUP BY 1
"""
Sum = tuple[str, str]
"""An aggregate, and the condition on the rows it is of."""


@dataclass(slots=True)
class Query:
    """Gathers the relations and parameters that expressions need. `now` is the moment from which periods are
    counted.
    """

    context: ConditionContext
    now: datetime
    params: dict[str, Any] = field(default_factory=dict)
    relations: dict[str, str] = field(default_factory=dict)
    """Relations with their aliases."""
    ledgers: dict[str, dict[Sum, str]] = field(default_factory=dict)
    """For each ledger's table the sums over it, with the names of their columns."""

    @property
    def today(self) -> date:
        return self.now.astimezone(UTC).date()

    def bind(self, value: object) -> str:
        """A parameter. Equal values are one parameter, so that equal relations are one relation."""
        for name, bound in self.params.items():
            if type(bound) is type(value) and bound == value:
                return f"%({name})s"
        name = f"p{len(self.params)}"
        self.params[name] = value
        return f"%({name})s"

    def joined(self, sql: str) -> str:
        """The alias of a relation, which is joined to the profiles."""
        return self.relations.setdefault(sql, f"r{len(self.relations)}")

    def source(self) -> str:
        """`FROM … WHERE …` with everything that the expressions made so far refer to."""
        sums = {_ledger_relation(table, sums): table for table, sums in self.ledgers.items()}
        relations = {**self.relations, **sums}
        joins = [f"LEFT JOIN ({sql}) {alias} ON {alias}.id = c.id" for sql, alias in relations.items()]
        return "\n".join(["FROM customers_customer c", *joins, f"WHERE {PROFILES}"])

    def within(self, column: str, period: Period | None) -> str:
        """Whether a moment is in the period."""
        match period:
            case None:
                return "true"
            case Period(last_days=int(days)):
                return f"{column} >= {self.bind(self.now - timedelta(days=days))}"
            case Period(earlier_than_days=int(days)):
                return f"{column} < {self.bind(self.now - timedelta(days=days))}"
            case Period(since=since, until=until):
                first = f"{column} >= {self.bind(_midnight(since))}" if since else "true"
                last = f"{column} < {self.bind(_midnight(until + timedelta(days=1)))}" if until else "true"
                return f"{first} AND {last}"

    def fact(self, name: str) -> str:
        """A number of the profile, over all its MaestraIDs."""
        own, former = self.joined(FACTS), self.joined(FORMER_FACTS)
        return f"coalesce({own}.{name}, 0) + coalesce({former}.{name}, 0)"

    def latest_fact(self, name: str) -> str:
        """The latest moment over all MaestraIDs of the profile; NULL where there is none."""
        own, former = self.joined(FACTS), self.joined(FORMER_FACTS)
        return f"greatest({own}.{name}, {former}.{name})"

    def ledger(self, table: str, aggregate: str, *where: str) -> str:
        """An aggregate over the rows `t` of a ledger for each profile; NULL where it has no such rows."""
        sums = self.ledgers.setdefault(table, {})
        return f"{table}.{sums.setdefault((aggregate, ' AND '.join(where)), f's{len(sums)}')}"


def _ledger_relation(table: str, sums: Mapping[Sum, str]) -> str:
    columns = [f"{aggregate} FILTER (WHERE {where}) AS {name}" for (aggregate, where), name in sums.items()]
    wanted = " OR ".join(f"({where})" for where in dict.fromkeys(where for _aggregate, where in sums))
    return LEDGER.format(table=table, sums=", ".join(columns), where=wanted)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
