"""Reading customers (GET). What is shown of a profile is `customers.presentation.customer`; the lists come in
pages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import chain, islice
from typing import Any, ClassVar

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from customers import normalise
from customers.api import schema
from customers.api.base import ApiView, actor_of, masking_of
from customers.api.filters import CustomerFilters
from customers.api.paging import CustomerPagination, limit_of, page_of, place_of, refuse_unknown, shown
from customers.errors import ErrorCode, invalid
from customers.history.reading import HistoryCursor, history
from customers.history_kinds import HISTORY_KINDS
from customers.models import Customer, Reveal, RevealKinds, Scopes
from customers.normalise import Invalid
from customers.presentation.customer import present
from customers.presentation.masking import MaskingPolicy
from customers.privacy.erasure import erase
from customers.privacy.export import export_in_pieces
from customers.queries.related import related_customers
from customers.queries.timelines import ACTIVITIES, ORDERS, SESSIONS, Timeline
from customers.setup.project_config import project_config
from customers.storage.loading import load_profiles
from customers.storage.locking import found_profile, primary_id_of

PIECES_AT_ONCE = 10_000
"""Up to so many pieces an export is one answer with a length; a longer one is streamed."""


def present_all(primary_ids: Sequence[int], masking: MaskingPolicy) -> list[dict[str, Any]]:
    """Customers in this order, read at once."""
    profiles, config = load_profiles(primary_ids), project_config()
    found = [profiles[primary_id] for primary_id in primary_ids if primary_id in profiles]
    return [present(profile, config, masking) for profile in found]


@schema.get("customer", "Read a customer", answer=schema.CustomerSerializer, **schema.ABOUT_CUSTOMER)
@schema.erasure
class CustomerView(ApiView):
    """The customer; DELETE forgets the person (R54)."""

    masks_contacts = True
    scopes: ClassVar[dict[str, Scopes]] = {"DELETE": Scopes.PRIVACY}

    def delete(self, request: Request, maestra_id: int) -> Response:
        erase(maestra_id, **actor_of(request))
        return Response(status=204)

    def get(self, request: Request, maestra_id: int) -> Response:
        refuse_unknown(request)
        return Response(present(found_profile(maestra_id), project_config(), masking_of(request)))


class TimelineView(ApiView):
    """A page of one of the customer's timelines, newest first."""

    masks_contacts = True
    timeline: ClassVar[Timeline]

    def get(self, request: Request, maestra_id: int) -> Response:
        members = sorted(found_profile(maestra_id).maestra_ids)
        return Response(page_of(self.timeline, request, members))


@schema.get("customer_orders", "Orders", answer=schema.ORDERS, parameters=schema.PAGING, **schema.LISTED)
class OrdersView(TimelineView):
    timeline = ORDERS


@schema.get(
    "customer_activities", "Activities", answer=schema.ACTIVITIES, parameters=schema.PAGING, **schema.LISTED
)
class ActivitiesView(TimelineView):
    """Contacts may stand anywhere in what a sender says of an action."""

    masks_contacts = False
    timeline = ACTIVITIES


@schema.get(
    "customer_sessions", "Sessions", answer=schema.SESSIONS, parameters=schema.PAGING, **schema.LISTED
)
class SessionsView(TimelineView):
    timeline = SESSIONS


@schema.get(
    "customer_export",
    "Everything known of a person",
    answer=schema.ANYTHING,
    tag="Privacy",
    refused=(ErrorCode.CUSTOMER_NOT_FOUND,),
)
class ExportView(ApiView):
    """Everything known of the person (R55). A long export is sent while it is read, to use little memory.

    Each export is recorded, with the key or the member of staff.
    """

    scope = staff_scope = Scopes.PRIVACY
    staff_permission = "customers.change_customer"

    def get(self, request: Request, maestra_id: int) -> HttpResponseBase:
        refuse_unknown(request)
        _record_export(request, maestra_id)
        headers = {"Content-Disposition": f'attachment; filename="customer-{maestra_id}.json"'}
        pieces = export_in_pieces(maestra_id)
        beginning = "".join(islice(pieces, PIECES_AT_ONCE))
        rest = next(pieces, None)
        if rest is None:
            return HttpResponse(beginning, content_type="application/json", headers=headers)
        whole = chain((beginning, rest), pieces)
        return StreamingHttpResponse(whole, content_type="application/json", headers=headers)


def _record_export(request: Request, maestra_id: int) -> None:
    primary_id, who = primary_id_of(maestra_id), actor_of(request)
    Reveal.objects.create(
        user_id=who["user_id"],
        user_name=who["actor"].removeprefix("user:"),
        kind=RevealKinds.EXPORT,
        maestra_id=primary_id,
    )


@schema.get(
    "customer_history",
    "Change history",
    answer=schema.HISTORY,
    parameters=(*schema.BETWEEN, *schema.PAGING),
    **schema.LISTED,
)
class HistoryView(ApiView):
    """The change history, entry by entry."""

    masks_contacts = True

    def get(self, request: Request, maestra_id: int) -> Response:
        refuse_unknown(request, "kind", "since", "until")
        page = history(
            sorted(found_profile(maestra_id).maestra_ids),
            labels=project_config().labels,
            masking=masking_of(request),
            kinds=_kinds(request),
            since=moment_of(request, "since"),
            until=moment_of(request, "until"),
            after=place_of(request, HistoryCursor),
            limit=limit_of(request),
        )
        return Response(shown(request, page.items, page.next))


def _kinds(request: Request) -> list[str]:
    kinds = request.query_params.getlist("kind")
    if unknown := [kind for kind in kinds if kind not in HISTORY_KINDS]:
        message = _("It is one of: %(choices)s.") % {"choices": ", ".join(HISTORY_KINDS)}
        raise invalid(*(("kind", message) for _kind in unknown))
    return kinds


def moment_of(request: Request, name: str) -> datetime | None:
    """A parameter that is a time. Raises `validation_error`."""
    text = request.query_params.get(name)
    if not text:
        return None
    try:
        # In a query an unescaped + is a space.
        return normalise.moment(re.sub(r" (?=\d\d:?\d\d$)", "+", text))
    except Invalid as error:
        raise invalid((name, error.message(_))) from None


@schema.get("customer_related", "Related customers", answer=schema.RELATED, **schema.LISTED)
class RelatedView(ApiView):
    masks_contacts = True

    def get(self, request: Request, maestra_id: int) -> Response:
        refuse_unknown(request)
        related = related_customers(found_profile(maestra_id))
        return Response({"results": masking_of(request).facts(related)})


class CustomerListView(ApiView, GenericAPIView[Customer]):
    """Customers, the newest first."""

    masks_contacts = True
    queryset = Customer.objects.filter(is_head=True, erased_at=None)
    filter_backends = (DjangoFilterBackend,)
    filterset_class = CustomerFilters
    pagination_class = CustomerPagination

    def get(self, request: Request, **_path: Any) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()).only("id"))
        assert page is not None
        return self.get_paginated_response(
            present_all([customer.pk for customer in page], masking_of(request))
        )
