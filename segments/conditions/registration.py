"""Conditions on the registration, and on other segments."""

# ruff: noqa: RUF009 - the types of fields are immutable
from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from segments.conditions.base import PERIOD, REGISTRATION, WHEN, Condition, needed
from segments.conditions.context import ConditionContext, Refers
from segments.conditions.fields import Period, Reference, period_words
from segments.conditions.query import Query

# For each profile that was merged, the earliest registration among its former MaestraIDs.
FORMER_REGISTRATION = """
SELECT DISTINCT ON (profile_id) profile_id AS id, registered_at, point_id
  FROM customers_customer WHERE NOT is_head ORDER BY profile_id, registered_at, id
"""


@dataclass(frozen=True)
class Registered(Condition):
    """Registered within the period; after a merge the earliest registration counts (R33)."""

    name, group, label = "registered", REGISTRATION, gettext_lazy("Registered")
    period: Period = needed(WHEN, PERIOD)

    def sql(self, query: Query) -> str:
        former = query.joined(FORMER_REGISTRATION)
        return query.within(f"least(c.registered_at, {former}.registered_at)", self.period)

    def sentence(self, context: ConditionContext) -> str:
        return _("registered%(period)s") % {"period": period_words(self.period)}


@dataclass(frozen=True)
class RegisteredThrough(Condition):
    """The registration came through the integration point."""

    name, group, label = "registered_through", REGISTRATION, gettext_lazy("Registered through")
    point: str = needed(gettext_lazy("integration point"), Reference(Refers.POINT))

    def sql(self, query: Query) -> str:
        former = query.joined(FORMER_REGISTRATION)
        is_earlier = f"{former}.registered_at < c.registered_at"
        point = f"(SELECT id FROM customers_integrationpoint WHERE system_name = {query.bind(self.point)})"
        return f"CASE WHEN {is_earlier} THEN {former}.point_id ELSE c.point_id END = {point}"

    def sentence(self, context: ConditionContext) -> str:
        return _("registered through %(point)s") % {"point": context.label(Refers.POINT, self.point)}


@dataclass(frozen=True)
class InSegment(Condition):
    """Is in a segment of another segmentation."""

    name, group, label = "segment", REGISTRATION, gettext_lazy("In another segment")
    segment: str = needed(gettext_lazy("segment"), Reference(Refers.SEGMENT))

    def sql(self, query: Query) -> str:
        segmentation, _slash, segment = self.segment.partition("/")
        members = query.joined(
            "SELECT m.customer_id AS id"
            " FROM segments_membership m JOIN segments_segment s ON s.id = m.segment_id"
            " JOIN segments_segmentation g ON g.id = s.segmentation_id"
            f" WHERE g.system_name = {query.bind(segmentation)} AND s.system_name = {query.bind(segment)}"
        )
        return f"{members}.id IS NOT NULL"

    def sentence(self, context: ConditionContext) -> str:
        return _("is in segment %(segment)s") % {"segment": context.label(Refers.SEGMENT, self.segment)}


CONDITIONS = (Registered, RegisteredThrough, InSegment)
