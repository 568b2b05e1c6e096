"""What the pages of customers show of segments: a tab of the profile, and a filter of the list."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from customers.admin import filters
from customers.admin.profile_registry import ProfileTab, ShownProfile, register_tab
from customers.admin.profile_tabs import lately
from customers.models import Customer
from segments.models import Membership, Segment


def context(shown: ShownProfile) -> dict[str, Any]:
    """The segments the customer is in, and how that changed (R51, R52)."""
    since = {m.segment: m.since for m in shown.profile.memberships.values()}
    segments = Segment.objects.filter(pk__in=since).select_related("segmentation")
    rows = [{"segment": segment, "since": since[segment.pk]} for segment in segments]
    return {"memberships": rows, **lately(shown, ["segment"])}


class SegmentFilter(DropdownFilter):  # type: ignore[misc]  # untyped
    title = _("segment")
    parameter_name = "segment"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        segments = Segment.objects.select_related("segmentation").order_by("segmentation__name", "pk")
        return [(str(segment.pk), f"{segment.segmentation}: {segment}") for segment in segments]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Customer]) -> QuerySet[Customer]:
        value = self.value()
        if not value:
            return queryset
        if value not in dict(self.lookup_choices):
            return queryset.none()
        return queryset.filter(Exists(Membership.objects.filter(customer=OuterRef("pk"), segment=value)))


filters.register_filter(SegmentFilter)
register_tab(
    ProfileTab(
        "segments",
        _("Segments"),
        "admin/segments/tab.html",
        context,
        order=40,
        permission="segments.view_membership",
    )
)
