"""Ledgers, which keep the MaestraID they happened to: orders, points and promo codes, and what is counted of
them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from customers.changes import ActionCounted, Order, OrderSaved, PointsAdded, PromoCodeIssued
from customers.storage.batch import Batch, RecordChanges
from customers.storage.columns import COUNTED, ORDER, POINTS, PROMO_CODE, RowShape
from customers.storage.sql import Row, Script, Table, as_json
from customers.storage.tables.base import Handlers, Lineage, TableRows


@dataclass(slots=True)
class Facts:
    """What is added to the counts of a MaestraID."""

    orders_count: int = 0
    orders_total: Decimal = Decimal(0)
    points_count: int = 0
    points_balance: Decimal = Decimal(0)
    promo_codes_count: int = 0
    last_action_at: datetime | None = None


ADDED = RowShape(Facts, *COUNTED)
FACTS = Table("customers_customerfacts", {"customer_id": "bigint", **ADDED.types})
# Counts are added to those there are; a new row begins with them.
ADD_FACTS = f"""
INSERT INTO {FACTS.name} AS f ({FACTS.columns}) SELECT * FROM {{rows}}
ON CONFLICT (customer_id) DO UPDATE SET
  orders_count = f.orders_count + EXCLUDED.orders_count,
  orders_total = f.orders_total + EXCLUDED.orders_total,
  points_count = f.points_count + EXCLUDED.points_count,
  points_balance = f.points_balance + EXCLUDED.points_balance,
  promo_codes_count = f.promo_codes_count + EXCLUDED.promo_codes_count,
  last_action_at = GREATEST(f.last_action_at, EXCLUDED.last_action_at)
"""
ORDERS = Table("customers_order", {"maestra_id": "bigint", **ORDER.types})
UPDATE_ORDERS = f"""
UPDATE {ORDERS.name} o SET {", ".join(f"{name} = u.{name}" for name in ORDER.types if name != "number")}
  FROM {{rows}} WHERE o.number = u.number
"""
POINT_MOVEMENTS = Table("customers_pointsmovement", POINTS.types)
PROMO_CODES = Table("customers_promocode", PROMO_CODE.types)


class FactRows(TableRows):
    """Counts of new customers are inserted, those of others added up."""

    def __init__(self, lineage: Lineage) -> None:
        super().__init__(lineage)
        self.facts: defaultdict[int, Facts] = defaultdict(Facts)

    def handlers(self) -> Handlers:
        return {
            ActionCounted: self._action,
            OrderSaved: self._order,
            PointsAdded: self._points,
            PromoCodeIssued: self._promo_code,
        }

    def _action(self, c: ActionCounted, _: RecordChanges) -> None:
        facts = self.facts[c.maestra_id]
        facts.last_action_at = max(filter(None, (facts.last_action_at, c.at)))

    def _order(self, c: OrderSaved, _: RecordChanges) -> None:
        facts = self.facts[c.maestra_id]
        facts.orders_count += c.before is None
        facts.orders_total += c.after.total - (c.before.total if c.before else 0)

    def _points(self, c: PointsAdded, _: RecordChanges) -> None:
        facts = self.facts[c.maestra_id]
        facts.points_count += 1
        facts.points_balance += c.amount

    def _promo_code(self, c: PromoCodeIssued, _: RecordChanges) -> None:
        self.facts[c.maestra_id].promo_codes_count += 1

    def write(self, script: Script, _: Batch) -> None:
        new: list[Row] = []
        old: list[Row] = []
        for maestra_id, facts in sorted(self.facts.items(), key=lambda item: item[0]):
            is_new = maestra_id in self.lineage.created
            (new if is_new else old).append((maestra_id, *ADDED.row(facts)))
        script.insert(FACTS, new)
        script.with_rows(ADD_FACTS, FACTS.types, old)


@dataclass(slots=True)
class OrderRow:
    maestra_id: int
    order: Order
    is_new: bool


class OrderRows(TableRows):
    """An order sent again replaces the one of its number (R57)."""

    def __init__(self, lineage: Lineage) -> None:
        super().__init__(lineage)
        self.orders: dict[str, OrderRow] = {}

    def handlers(self) -> Handlers:
        return {OrderSaved: self._saved}

    def _saved(self, c: OrderSaved, _: RecordChanges) -> None:
        row = self.orders.get(c.after.number)
        if row:
            row.order = c.after
        else:
            self.orders[c.after.number] = OrderRow(c.maestra_id, c.after, is_new=c.before is None)

    def write(self, script: Script, _: Batch) -> None:
        new: list[Row] = []
        old: list[Row] = []
        for _number, row in sorted(self.orders.items()):
            *order, lines = ORDER.row(row.order)
            (new if row.is_new else old).append((row.maestra_id, *order, as_json(lines)))
        script.insert(ORDERS, new)
        script.with_rows(UPDATE_ORDERS, ORDERS.types, old, expected=len(old))


class PointRows(TableRows):
    """Movements of reward points are only ever added (R58)."""

    def __init__(self, lineage: Lineage) -> None:
        super().__init__(lineage)
        self.movements: list[PointsAdded] = []

    def handlers(self) -> Handlers:
        return {PointsAdded: self._added}

    def _added(self, c: PointsAdded, _: RecordChanges) -> None:
        self.movements.append(c)

    def write(self, script: Script, _: Batch) -> None:
        movements = sorted(self.movements, key=lambda c: c.number or "")
        script.insert(POINT_MOVEMENTS, [POINTS.row(c) for c in movements])


class PromoCodeRows(TableRows):
    """Promo codes are only ever added (R58)."""

    def __init__(self, lineage: Lineage) -> None:
        super().__init__(lineage)
        self.promo_codes: list[PromoCodeIssued] = []

    def handlers(self) -> Handlers:
        return {PromoCodeIssued: self._issued}

    def _issued(self, c: PromoCodeIssued, _: RecordChanges) -> None:
        self.promo_codes.append(c)

    def write(self, script: Script, _: Batch) -> None:
        script.insert(PROMO_CODES, sorted(PROMO_CODE.row(c) for c in self.promo_codes))
