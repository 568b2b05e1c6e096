"""Entries about orders, reward points and promo codes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from customers.changes import Order, OrderSaved, PointsAdded, PromoCodeIssued
from customers.history_kinds.base import (
    Facts,
    FactsOf,
    HistoryKind,
    HistoryRows,
    Labels,
    entry,
)


def _order_facts(c: OrderSaved) -> HistoryRows:
    return entry(c, "order", number=c.after.number, before=_sum(c.before), after=_sum(c.after))


def _sum(order: Order | None) -> dict[str, Any] | None:
    if order is None:
        return None
    return {
        "total": order.total,
        "currency": order.currency,
        "placed_at": order.placed_at,
        "status": order.status,
    }


def _points_facts(c: PointsAdded) -> HistoryRows:
    return entry(c, "points", number=c.number, amount=c.amount, why=c.reason)


def _promo_code_facts(c: PromoCodeIssued) -> HistoryRows:
    return entry(c, "promo_code", code=c.code, issued_at=c.issued_at)


def _order_sentence(facts: Facts, _labels: Labels) -> str:
    before, after = facts["before"], facts["after"]
    words = {
        "number": facts["number"],
        "amount": f"{Decimal(after['total']):.2f} {after['currency']}".strip(),
        "status": after["status"],
    }
    if before is None:
        return _("Order %(number)s over %(amount)s was placed.") % words
    if before["status"] != after["status"]:
        return _("Order %(number)s over %(amount)s is now “%(status)s”.") % words
    return _("Order %(number)s was updated: %(amount)s.") % words


def _points_sentence(facts: Facts, _labels: Labels) -> str:
    words = {"amount": facts["amount"], "why": facts["why"]}
    text = _("%(amount)s reward points: %(why)s.") if facts["why"] else _("%(amount)s reward points.")
    return text % words


def _promo_code_sentence(facts: Facts, _labels: Labels) -> str:
    return _("Promo code %(code)s was issued.") % {"code": facts["code"]}


KINDS: tuple[HistoryKind, ...] = (
    HistoryKind(name="order", label=gettext_noop("Order"), sentence=_order_sentence),
    HistoryKind(name="points", label=gettext_noop("Points"), sentence=_points_sentence),
    HistoryKind(name="promo_code", label=gettext_noop("Promo code"), sentence=_promo_code_sentence),
)
FACTS: FactsOf = {
    OrderSaved: _order_facts,
    PointsAdded: _points_facts,
    PromoCodeIssued: _promo_code_facts,
}
