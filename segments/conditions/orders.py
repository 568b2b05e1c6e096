"""Conditions on orders, reward points and promo codes. Cancelled orders count (R57)."""

# ruff: noqa: RUF009 - the types of fields are immutable
from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from segments.conditions.base import (
    COUNT,
    ORDERS,
    PERIOD,
    VALUE,
    WHEN,
    Comparison,
    Condition,
    needed,
    optional,
)
from segments.conditions.context import ConditionContext
from segments.conditions.fields import Amount, Period, period_words
from segments.conditions.query import Query


@dataclass(frozen=True)
class OrdersCount(Comparison):
    """How many orders, placed within the period if there is one."""

    name, group, label = "orders_count", ORDERS, gettext_lazy("Number of orders")
    value: int = needed(VALUE, COUNT)
    period: Period | None = optional(WHEN, PERIOD)

    def sql(self, query: Query) -> str:
        if self.period is None:
            return self.compared(query.fact("orders_count"), query)
        return self.compared(orders("count(*)", self.period, query), query)

    def sentence(self, context: ConditionContext) -> str:
        text = ngettext(
            "placed %(op)s %(value)s order%(period)s", "placed %(op)s %(value)s orders%(period)s", self.value
        )
        return text % self.words()


@dataclass(frozen=True)
class OrdersTotal(Comparison):
    """What the orders come to, whatever their currency."""

    name, group, label = "orders_total", ORDERS, gettext_lazy("Total of orders")
    value: Decimal = needed(VALUE, Amount())
    period: Period | None = optional(WHEN, PERIOD)

    def sql(self, query: Query) -> str:
        if self.period is None:
            return self.compared(query.fact("orders_total"), query)
        return self.compared(orders("sum(t.total)", self.period, query), query)

    def sentence(self, context: ConditionContext) -> str:
        return _("placed orders for %(op)s %(value)s in total%(period)s") % self.words()


@dataclass(frozen=True)
class LastOrder(Condition):
    """The latest order was placed within the period."""

    name, group, label = "last_order", ORDERS, gettext_lazy("Last order")
    period: Period = needed(WHEN, PERIOD)

    def sql(self, query: Query) -> str:
        return query.within(query.ledger("customers_order", "max(t.placed_at)", "true"), self.period)

    def sentence(self, context: ConditionContext) -> str:
        return _("placed the last order%(period)s") % {"period": period_words(self.period)}


@dataclass(frozen=True)
class PointsBalance(Comparison):
    """How many reward points the customer has."""

    name, group, label = "points_balance", ORDERS, gettext_lazy("Reward points")
    value: Decimal = needed(VALUE, Amount())

    def sql(self, query: Query) -> str:
        return self.compared(query.fact("points_balance"), query)

    def sentence(self, context: ConditionContext) -> str:
        return _("has %(op)s %(value)s reward points") % self.words()


@dataclass(frozen=True)
class PromoCodesCount(Comparison):
    """How many promo codes the customer has."""

    name, group, label = "promo_codes_count", ORDERS, gettext_lazy("Promo codes")
    value: int = needed(VALUE, COUNT)

    def sql(self, query: Query) -> str:
        return self.compared(query.fact("promo_codes_count"), query)

    def sentence(self, context: ConditionContext) -> str:
        text = ngettext("has %(op)s %(value)s promo code", "has %(op)s %(value)s promo codes", self.value)
        return text % self.words()


def orders(aggregate: str, period: Period, query: Query) -> str:
    """An aggregate over the orders placed within the period; 0 where there are none."""
    return f"coalesce({query.ledger('customers_order', aggregate, query.within('t.placed_at', period))}, 0)"


CONDITIONS = (OrdersCount, OrdersTotal, LastOrder, PointsBalance, PromoCodesCount)
