"""Segmentations, and customers by segment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api import schema
from customers.api.base import ApiView
from customers.api.filters import CustomerFilters
from customers.api.paging import refuse_unknown
from customers.api.views import CustomerListView
from customers.errors import ErrorCode, SelfsameError, invalid
from customers.models import Customer
from segments.api.schema import SegmentationSerializer
from segments.models import Membership, Segment, Segmentation

HIGHEST_ID = 2**63 - 1


class SegmentFilters(CustomerFilters):
    segment = filters.CharFilter(
        method="by_segment", help_text="In a segment, by number or name: `12`, `loyalty/gold`, `gold`."
    )

    def by_segment(self, customers: QuerySet[Customer], _name: str, text: str) -> QuerySet[Customer]:
        named = list(segments_named(text).values_list("pk", flat=True))
        if not named:
            raise invalid(("segment", _("There is no such segment. Take its number or its name.")))
        return customers.filter(Exists(members_of(named)))


def segments_named(text: str) -> QuerySet[Segment]:
    """The segments with this number, or with this name, alone or behind the segmentation's."""
    if text.isascii() and text.isdigit():
        return Segment.objects.filter(pk=min(int(text[:20]), HIGHEST_ID))
    segmentation, _slash, segment = text.rpartition("/")
    named = Segment.objects.filter(system_name=segment)
    return named.filter(segmentation__system_name=segmentation) if segmentation else named


def members_of(segments: Sequence[int]) -> QuerySet[Membership]:
    """Memberships of the customer at hand in one of the segments."""
    return Membership.objects.filter(customer=OuterRef("pk"), segment__in=segments)


@schema.listed("customers", "List customers")
class CustomersView(CustomerListView):
    filterset_class = SegmentFilters


def segment_of(number: int) -> Segment:
    """The segment of a request. Raises `not_found`."""
    found = Segment.objects.filter(pk=min(number, HIGHEST_ID)).select_related("segmentation").first()
    if found is None:
        raise SelfsameError(ErrorCode.NOT_FOUND, _("There is no segment with this number."))
    return found


@schema.listed("segment_customers", "List the customers of a segment")
class SegmentCustomersView(CustomerListView):
    """Bound to its address together with what puts customers in and out, in a higher app."""

    def get_queryset(self) -> QuerySet[Customer]:
        segment = segment_of(self.kwargs["segment_id"])
        return super().get_queryset().filter(Exists(members_of([segment.pk])))


@schema.get("segmentations", "Segmentations", answer=schema.list_of(SegmentationSerializer), tag="Reading")
class SegmentationsView(ApiView):
    masks_contacts = True

    def get(self, request: Request) -> Response:
        refuse_unknown(request)
        found = Segmentation.objects.order_by("system_name").prefetch_related("segments")
        return Response({"results": [_segmentation(segmentation) for segmentation in found]})


def _segmentation(segmentation: Segmentation) -> dict[str, Any]:
    return {
        "id": segmentation.pk,
        "system_name": segmentation.system_name,
        "name": segmentation.name,
        "kind": segmentation.kind,
        "segments": [
            {"id": segment.pk, "system_name": segment.system_name, "name": segment.name}
            for segment in segmentation.segments.all()
        ],
    }
