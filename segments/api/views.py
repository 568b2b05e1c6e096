"""Segmentations, and customers by segment."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api import schema
from customers.api.base import ApiView
from customers.api.filters import CustomerFilters
from customers.api.views import CustomerListView
from customers.errors import ErrorCode, SelfsameError
from customers.models import Customer
from segments.api.schema import SegmentationSerializer
from segments.models import Membership, Segment, Segmentation

HIGHEST_ID = 2**63 - 1


class SegmentFilters(CustomerFilters):
    segment = filters.CharFilter(
        method="by_segment", help_text="In a segment, by number or name: `12`, `loyalty/gold`, `gold`."
    )

    def by_segment(self, customers: QuerySet[Customer], _name: str, text: str) -> QuerySet[Customer]:
        return customers.filter(Exists(members_of(text)))


def members_of(text: str) -> QuerySet[Membership]:
    """Memberships of the customer at hand in a segment given by number or by name."""
    own = Membership.objects.filter(customer=OuterRef("pk"))
    if text.isascii() and text.isdigit():
        return own.filter(segment=min(int(text[:20]), HIGHEST_ID))
    segmentation, _, segment = text.rpartition("/")
    named = own.filter(segment__system_name=segment)
    return named.filter(segment__segmentation__system_name=segmentation) if segmentation else named


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
        return super().get_queryset().filter(Exists(members_of(str(segment.pk))))


@schema.get("segmentations", "Segmentations", answer=schema.list_of(SegmentationSerializer), tag="Reading")
class SegmentationsView(ApiView):
    def get(self, _request: Request) -> Response:
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
