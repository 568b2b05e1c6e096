"""All types of conditions."""

from __future__ import annotations

from collections.abc import Mapping

from segments.conditions import activity, contacts, custom_fields, orders, personal, registration
from segments.conditions.base import Condition

CONDITIONS: tuple[type[Condition], ...] = (
    *contacts.CONDITIONS,
    *orders.CONDITIONS,
    *activity.CONDITIONS,
    *personal.CONDITIONS,
    *custom_fields.CONDITIONS,
    *registration.CONDITIONS,
)
"""In the order in which the builder offers them."""

TYPES: Mapping[str, type[Condition]] = {condition.name: condition for condition in CONDITIONS}
"""By the names that are stored."""
