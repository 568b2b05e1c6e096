from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from customers.admin.base import ReadOnlyAdmin, customer_link
from customers.admin.customer_admin import CustomerAdmin
from customers.admin.search_outcome import SEARCHED_CUSTOMER, customer_search
from customers.models import Customer
from customers.presentation.names import full_name
from segments.admin.segments import actor_of, may_change_members, segment_or_404
from segments.members import MembershipResult, change_members
from segments.models import Membership, Segment, SegmentationKinds

MOST = 50_000
"""Most customers that a list puts into a segment in one go."""


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    list_display = ("whose", "name", "segment", "segmentation", "since")
    list_display_links = None
    list_select_related = ("segment", "segmentation", "customer")
    list_filter = ("segment",)
    search_fields = ("customer",)
    search_help_text = SEARCHED_CUSTOMER
    fields = ("whose", "segmentation", "segment", "since")
    readonly_fields = ("whose",)
    actions = ("take_out",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        """Without those of former MaestraIDs, which are kept only for an undo."""
        found: QuerySet[Membership] = super().get_queryset(request)
        return found.filter(customer__is_head=True)

    def matching(self, request: HttpRequest, term: str) -> Q:
        return customer_search(request, term).condition("customer")

    @admin.display(description=gettext_lazy("customer"))
    def whose(self, membership: Membership) -> SafeString | None:
        return customer_link(membership.customer_id)

    @admin.display(description=gettext_lazy("name"))
    def name(self, membership: Membership) -> str | None:
        return full_name(membership.customer) or None

    def has_take_out_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_change_members(request)

    @admin.action(description=gettext_lazy("Take out of the segment"), permissions=["take_out"])
    def take_out(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        """Only for static segments; in calculated ones the condition decides."""
        members: dict[Segment, list[int]] = {}
        for membership in queryset.select_related("segment__segmentation"):
            members.setdefault(membership.segment, []).append(membership.customer_id)
        static = [s for s in members if s.segmentation.kind == SegmentationKinds.STATIC]
        left = sum(
            change_members(segment, actor_of(request), take_out=members[segment]).left for segment in static
        )
        text = ngettext("%(left)s customer was taken out.", "%(left)s customers were taken out.", left)
        messages.success(request, text % {"left": left})
        if len(static) < len(members):
            messages.warning(
                request, _("Calculated segments were left out: their condition decides who is a member.")
            )


@admin.action(description=gettext_lazy("Put into a segment…"), permissions=["put_into_segment"])
def put_into_segment(
    model_admin: CustomerAdmin, request: HttpRequest, queryset: QuerySet[Customer]
) -> HttpResponse | None:
    """Asks for the segment, and whether to put in the picked customers or all on the filtered list."""
    listed = model_admin.get_changelist_instance(request).get_queryset(request)
    if "segment" not in request.POST:
        return _which_segment(model_admin, request, queryset)
    customers = listed if request.POST.get("whom") == "listed" else queryset
    ids = list(customers.order_by().values_list("pk", flat=True)[: MOST + 1])
    if len(ids) > MOST:
        text = _("At most %(limit)s customers can be put in by hand. A calculated segment has no limit.")
        messages.error(request, text % {"limit": f"{MOST:,}"})
        return None
    result = change_members(segment_or_404(request.POST["segment"]), actor_of(request), put_in=ids)
    messages.success(request, _summary(result))
    return None


def _which_segment(
    model_admin: CustomerAdmin, request: HttpRequest, queryset: QuerySet[Customer]
) -> TemplateResponse:
    static = Segment.objects.filter(segmentation__kind=SegmentationKinds.STATIC)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Put customers into a segment"),
        "opts": model_admin.model._meta,
        "picked": list(queryset.prefetch_related(None).values_list("pk", flat=True)),
        "segments": static.select_related("segmentation").order_by("segmentation__name", "id"),
    }
    return TemplateResponse(request, "segments/put_into_segment.html", context)


def _summary(result: MembershipResult) -> str:
    text = ngettext(
        "%(entered)s customer was put in; %(unchanged)s already members.",
        "%(entered)s customers were put in; %(unchanged)s already members.",
        result.entered,
    )
    return text % {"entered": f"{result.entered:,}", "unchanged": f"{result.unchanged:,}"}


CustomerAdmin.add_action("put_into_segment", put_into_segment, "segments.change_membership")
