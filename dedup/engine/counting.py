"""What a record adds to the ledgers, counted before anything is decided (R29, R57, R58)."""

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
from dedup.engine.case import Case
from dedup.engine.outcome import RefusalCode, Refused


def count(case: Case) -> None:
    """Order, points and action count before anything is decided (R29, R57)."""
    case.draft.emit_all(to_count(case))


def to_count(case: Case) -> list[LedgerChange]:
    """What the record adds to the ledgers: an action, and an order or a points movement or a promo code."""
    if _is_known_entry(case):
        return []
    record, who = case.record, case.who()
    found: list[LedgerChange | None] = [_action(case), _order(case)]
    if points := record.points:
        number, amount, reason = points.number, points.amount, points.reason
        found.append(PointsAdded(**who, number=number, amount=amount, reason=reason, at=record.occurred_at))
    if promo := record.promo_code:
        found.append(PromoCodeIssued(**who, code=promo.code, issued_at=promo.issued_at))
    return [change for change in found if change]


def _is_known_entry(case: Case) -> bool:
    """A points number or promo code sent again changes nothing; another customer's is an error (R58)."""
    points, promo, bearer, field = case.record.points, case.record.promo_code, None, "code"
    if points and points.number:
        bearer, field = case.draft.points.get(points.number), "number"
    elif promo:
        bearer = case.draft.promo_codes.get(promo.code)
    if bearer is not None and case.draft.head(bearer) != case.subject:
        raise Refused(RefusalCode.VALIDATION_ERROR, field=field)
    return bearer is not None


def _action(case: Case) -> ActionCounted | None:
    """Last activity never goes back (R29)."""
    at, last = acted_at(case), case.profile.last_action_at
    return ActionCounted(**case.who(), at=at) if at and (last is None or last < at) else None


def acted_at(case: Case) -> datetime | None:
    """When the customer did what the record tells of. An order is placed at its own time, and is nobody's
    action but its first customer's (R57).
    """
    order = case.record.order
    if order is None:
        return case.record.occurred_at if case.record.personal_action else None
    bearer, _before = case.draft.orders.get(order.number, (None, None))
    is_others = bearer is not None and (case.subject is None or case.draft.head(bearer) != case.subject)
    return None if is_others else order.placed_at


def _order(case: Case) -> OrderSaved | None:
    """A number sent again updates the order, which stays with its first customer (R57)."""
    order = case.record.order
    if order is None:
        return None
    bearer, before = case.draft.orders.get(order.number, (case.bearer, None))
    order = updated_order(before, order)
    head = case.draft.head(bearer)
    # Where its customer was erased, the order stays without a person (R54).
    if before == order or (before and head is None):
        return None
    owner = case.subject if before is None or head is None else head
    assert owner is not None
    return OrderSaved(customer=owner, maestra_id=bearer, before=before, after=order)


def warn_of_order(case: Case) -> None:
    order = case.record.order
    if order and case.draft.head(case.draft.orders[order.number][0]) != case.subject:
        case.warnings.append(f"order {order.number} stays with the customer it was first placed for")


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
