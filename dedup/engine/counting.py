"""What a record adds to the ledgers. It counts before anything is decided (R29, R57, R58)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from customers.changes import (
    ActionCounted,
    LedgerChange,
    Order,
    OrderSaved,
    PointsAdded,
    PromoCodeIssued,
)
from dedup.engine.context import ResolutionContext
from dedup.engine.outcome import RefusalCode, Refused
from dedup.engine.warnings import RecordWarning, WarningCode


def add_to_ledgers(context: ResolutionContext) -> None:
    """The record's order, points, promo code and action are the customer's from now on (R29, R57)."""
    context.work.emit_all(ledger_changes(context))


def ledger_changes(context: ResolutionContext) -> list[LedgerChange]:
    """What the record adds to the ledgers: an action, and an order or a points movement or a promo code."""
    if _is_known_entry(context):
        return []
    record, who = context.record, context.who()
    found: list[LedgerChange | None] = [_action(context), _order(context)]
    if points := record.points:
        number, amount, reason = points.number, points.amount, points.reason
        found.append(PointsAdded(**who, number=number, amount=amount, reason=reason, at=record.occurred_at))
    if promo := record.promo_code:
        found.append(PromoCodeIssued(**who, code=promo.code, issued_at=promo.issued_at))
    return [change for change in found if change]


def _is_known_entry(context: ResolutionContext) -> bool:
    """A points number or promo code sent again changes nothing; another customer's is an error (R58)."""
    points, promo, origin_id, field = context.record.points, context.record.promo_code, None, "code"
    if points and points.number:
        origin_id, field = context.work.points.get(points.number), "number"
    elif promo:
        origin_id = context.work.promo_codes.get(promo.code)
    if origin_id is not None and context.work.primary_id(origin_id) != context.subject:
        raise Refused(RefusalCode.VALIDATION_ERROR, field=field)
    return origin_id is not None


def _action(context: ResolutionContext) -> ActionCounted | None:
    """Last activity never goes back (R29)."""
    at, last = acted_at(context), context.profile.last_action_at
    return ActionCounted(**context.who(), at=at) if at and (last is None or last < at) else None


def acted_at(context: ResolutionContext) -> datetime | None:
    """When the customer acted, by this record; None where it is no personal action. An order counts at the
    time it was placed, and only for its first customer (R57).
    """
    order = context.record.order
    if order is None:
        return context.record.occurred_at if context.record.personal_action else None
    origin_id, _before = context.work.orders.get(order.number, (None, None))
    is_others = origin_id is not None and (
        context.subject is None or context.work.primary_id(origin_id) != context.subject
    )
    return None if is_others else order.placed_at


def _order(context: ResolutionContext) -> OrderSaved | None:
    """A number sent again updates the order, which stays with its first customer (R57)."""
    order = context.record.order
    if order is None:
        return None
    origin_id, before = context.work.orders.get(order.number, (context.origin_id, None))
    order = updated_order(before, order)
    owner = context.work.primary_id(origin_id)
    # Where its customer was erased, the order stays without a person (R54).
    if before == order or owner is None:
        return None
    return OrderSaved(customer=owner, maestra_id=origin_id, before=before, after=order)


def warn_of_order_of_another(context: ResolutionContext) -> None:
    """Warns that the order stays with its first customer, who is not the subject (R57)."""
    order = context.record.order
    if order and context.work.primary_id(context.work.orders[order.number][0]) != context.subject:
        context.warnings.append(
            RecordWarning(WarningCode.ORDER_OF_ANOTHER, "order.number", values={"number": order.number})
        )


def update_order_only(context: ResolutionContext) -> None:
    """Update an order that is known already, whoever else the record names (R54). The subject is its
    customer; nobody, where that was erased.
    """
    assert context.record.order
    context.origin_id, _before = context.work.orders[context.record.order.number]
    context.subject = context.work.primary_id(context.origin_id)
    if change := _order(context):
        context.work.emit(change)


def updated_order(before: Order | None, sent: Order) -> Order:
    """What an order sent again does not say stays as it was (R44, R57)."""
    if before is None:
        return sent
    return replace(
        sent,
        currency=sent.currency or before.currency,
        status=sent.status or before.status,
        lines=sent.lines or before.lines,
    )
