"""What only the deciding app can tell of customers (GET): their merges, and who held a value."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api import schema
from customers.api.base import ApiView
from customers.api.paging import refuse_unknown
from customers.api.views import TimelineView, moment_of
from customers.errors import invalid
from customers.profile import MAESTRA_ID
from customers.queries.ownership import owner
from customers.setup.project_config import project_config
from dedup.api.base import caller_of
from dedup.api.schema import ASKED, OwnerSerializer
from dedup.api.schema import MERGES as MERGES_PAGE
from dedup.parsing.records import parse_lookup
from dedup.refusals import not_found
from dedup.storage.merge_journal import MERGES


@schema.get(
    "customer_merges",
    "Merges of a customer",
    answer=MERGES_PAGE,
    parameters=schema.PAGING,
    **schema.LISTED,
)
class MergesView(TimelineView):
    timeline = MERGES


@schema.get(
    "identifier_owner",
    "Who held a value",
    answer=OwnerSerializer,
    parameters=ASKED,
    **schema.LISTED,
)
class OwnerView(ApiView):
    """Who held a value at a moment, now where none is named."""

    def get(self, request: Request) -> Response:
        refuse_unknown(request, "type", "value", "at")
        name, value = request.query_params.get("type", ""), request.query_params.get("value", "")
        if name == MAESTRA_ID:
            message = _("A MaestraID never passes to somebody else. Read the customer instead.")
            raise invalid(("type", message))
        config, point = project_config(), caller_of(request).point
        # Before the look-up: what is not valid takes precedence over what is not found.
        at = moment_of(request, "at") or timezone.now()
        key = parse_lookup({name: value}, point, config, path="")
        tenure = owner(config.kinds[key.kind], key, at)
        if tenure is None or (key.kind in point.gives_access and not tenure.gives_access):
            raise not_found(key)
        return Response(
            {"type": key.kind, "value": key.value, "maestra_id": tenure.maestra_id, "held_as": tenure.held_as}
        )
