"""The conditions by which lists of customers are filtered, in the API and in the admin.

The lists have one row for each profile, the one of its primary MaestraID. Each condition looks at all
MaestraIDs of the profile, and the database answers it by index.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from customers.models import Customer, CustomerFacts, Identifier, Subscription
from customers.normalise import topic_compared
from customers.profile import SubscriptionStatus

Customers = QuerySet[Customer]


def subscribed(
    customers: Customers,
    channel: str,
    topic: str | None = None,
    status: str = SubscriptionStatus.SUBSCRIBED.value,
) -> Customers:
    """Customers with this status of a subscription to the channel, under any topic, or to one topic of it.
    The empty topic is a topic of its own (R37).
    """
    wanted = Subscription.objects.filter(customer=OuterRef("pk"), channel=channel, status=status)
    if topic is not None:
        wanted = wanted.filter(topic=topic_compared(topic))
    return customers.filter(Exists(wanted))


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
    """Customers with a personal action before that moment and none from it on."""
    return customers.filter(Exists(_facts(last_action_at__lt=at)), ~Exists(_facts(last_action_at__gte=at)))


def holding(customers: Customers, holds: bool, **conditions: object) -> Customers:
    """Customers who hold, or do not hold, an identifier that meets the conditions. Former values do not
    count.
    """
    held = Exists(Identifier.objects.filter(customer=OuterRef("pk"), is_former=False, **conditions))
    return customers.filter(held if holds else ~held)


def _members(**conditions: object) -> Customers:
    """All MaestraIDs of the profile in the row of the outer query."""
    return Customer.objects.filter(profile=OuterRef("pk"), **conditions)


def _facts(**conditions: object) -> QuerySet[CustomerFacts]:
    """The facts of all MaestraIDs of the profile in the row of the outer query."""
    return CustomerFacts.objects.filter(customer__profile=OuterRef("pk"), **conditions)
