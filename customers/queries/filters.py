"""What lists of customers can be narrowed down by, wherever they are shown. Each condition looks at the whole
profile, all its MaestraIDs, and is answered by index.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from customers.models import Customer, CustomerFacts, Identifier, Subscription
from customers.profile import SubscriptionStatus

Customers = QuerySet[Customer]


def subscribed(
    customers: Customers,
    channel: str,
    topic: str | None = None,
    status: str = SubscriptionStatus.SUBSCRIBED.value,
) -> Customers:
    """By a channel, or by one topic of it; the empty topic is one of its own."""
    wanted = Subscription.objects.filter(customer=OuterRef("pk"), channel=channel, status=status)
    return customers.filter(Exists(wanted if topic is None else wanted.filter(topic=topic)))


def with_orders(customers: Customers, has_orders: bool) -> Customers:
    ordered = Exists(_facts(orders_count__gt=0))
    return customers.filter(ordered if has_orders else ~ordered)


def registered_after(customers: Customers, at: datetime) -> Customers:
    return customers.filter(~Exists(_members(registered_at__lte=at)), registered_at__gt=at)


def registered_before(customers: Customers, at: datetime) -> Customers:
    return customers.filter(Q(registered_at__lt=at) | Q(Exists(_members(registered_at__lt=at))))


def active_after(customers: Customers, at: datetime) -> Customers:
    return customers.filter(Exists(_facts(last_action_at__gt=at)))


def active_before(customers: Customers, at: datetime) -> Customers:
    """No personal action from then on; one before."""
    return customers.filter(Exists(_facts(last_action_at__lt=at)), ~Exists(_facts(last_action_at__gte=at)))


def holding(customers: Customers, holds: bool, **conditions: object) -> Customers:
    """Who holds, or does not hold, an identifier that meets the conditions. Former values do not count."""
    held = Exists(Identifier.objects.filter(customer=OuterRef("pk"), is_former=False, **conditions))
    return customers.filter(held if holds else ~held)


def _members(**conditions: object) -> Customers:
    """MaestraIDs of the profile at hand."""
    return Customer.objects.filter(profile=OuterRef("pk"), **conditions)


def _facts(**conditions: object) -> QuerySet[CustomerFacts]:
    """What stands under the MaestraIDs of the profile at hand."""
    return CustomerFacts.objects.filter(customer__profile=OuterRef("pk"), **conditions)
