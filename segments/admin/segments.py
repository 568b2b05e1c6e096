from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.forms import ModelForm
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from customers.admin.base import SetupAdmin
from customers.admin.csv_export import customers_csv
from customers.admin.profile import record_reveal
from customers.admin.profile_registry import masking_of
from customers.admin.search_outcome import customer_search
from customers.errors import SelfsameError
from customers.models import Customer, RevealKinds
from customers.queries.search import MOST_NAMED
from customers.setup.project_config import project_config
from segments.admin.conditions import ConditionForm, SegmentForm
from segments.admin.deleting import Deletable
from segments.conditions.context import ConditionContext
from segments.conditions.tree import MOST_CONDITIONS, Node, faults, parse, parse_node, valid, whole_sentence
from segments.members import Actor, change_members
from segments.models import Segment, SegmentationKinds
from segments.recalculation import count
from segments.references import condition_context

SECONDS = 3.0
"""Longest a live count may take."""


def actor_of(request: HttpRequest) -> Actor:
    return Actor(f"user:{request.user.get_username()}", request.user.pk)


@admin.register(Segment)
class SegmentAdmin(Deletable, SetupAdmin):
    """Of several segments whose condition is met, or with the same date of entry, the one with the higher ID
    wins (R38, R51).
    """

    list_display = ("id", "name", "system_name", "segmentation")
    list_select_related = ("segmentation",)
    list_filter = ("segmentation",)
    search_fields = ("system_name", "name")
    fixed = ("segmentation", "system_name")
    actions_detail = ("export",)
    change_form_outer_before_template = "segments/segment.html"

    class Media:
        css = {"all": ["segments/builder.css"]}

    def segments_in(self, obj: Segment) -> list[Segment]:
        return [obj]

    def get_fields(self, request: HttpRequest, obj: Segment | None = None) -> tuple[Any, ...]:
        own: tuple[Any, ...] = ("segmentation", ("system_name", "name"))
        return (*own, "condition") if is_calculated(obj) else own

    def get_form(
        self, request: HttpRequest, obj: Segment | None = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm[Any]]:
        form = ConditionForm if is_calculated(obj) else SegmentForm
        made: type[ModelForm[Any]] = super().get_form(request, obj, change, form=form, **kwargs)
        return made

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("count/", view(self.count), name="segments_count"),
            path("<int:pk>/put_in/", view(self.put_in), name="segments_put_in"),
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        context = {"problems": problems(object_id), "may_put_in": may_change_members(request)}
        response: HttpResponse = super().change_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )
        return response

    def save_model(self, request: HttpRequest, obj: Segment, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if "condition" in form.changed_data:
            text = _(
                "Members change with the next recalculation: within the hour, or now from the page of "
                "%(segmentation)s."
            )
            messages.info(request, text % {"segmentation": obj.segmentation})

    def has_export_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("customers.export_list")

    @action(  # type: ignore[untyped-decorator]
        description=gettext_lazy("Export members as CSV"), permissions=["export"], icon="download"
    )
    def export(self, request: HttpRequest, object_id: int) -> StreamingHttpResponse:
        """The members as a file."""
        segment = segment_or_404(object_id)
        members = Customer.objects.filter(memberships__segment=segment, is_head=True)
        record_reveal(request, RevealKinds.LIST, None)
        lines = customers_csv(members, project_config(), masking_of(request))
        name = f"{segment.segmentation.system_name}-{segment.system_name}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)

    def put_in(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Put one customer in, by any identifier (R51)."""
        segment = segment_or_404(pk)
        if not may_change_members(request):
            raise PermissionDenied
        if request.method == "POST":
            try:
                customer = customer_found_by(request, request.POST.get("customer", ""))
                change_members(segment, actor_of(request), put_in=[customer])
                messages.success(request, _("The customer is in the segment."))
            except SelfsameError as error:
                messages.error(request, error.detail)
            except LookupError as error:
                messages.error(request, str(error))
        return HttpResponseRedirect(reverse("admin:segments_segment_change", args=[pk]))

    def count(self, request: HttpRequest) -> JsonResponse:
        """The conditions of a builder in words, each with how many customers meet it."""
        if not (self.has_view_permission(request) and request.user.has_perm("customers.view_customer")):
            raise PermissionDenied
        try:
            nodes = json.loads(request.body)["nodes"] if request.method == "POST" else None
        except (ValueError, TypeError, KeyError):
            nodes = None
        if not isinstance(nodes, list) or len(nodes) > 2 * MOST_CONDITIONS:
            return JsonResponse({"nodes": []}, status=400)
        return JsonResponse(counted(nodes, condition_context(project_config())))


def is_calculated(segment: Segment | None) -> bool:
    return segment is not None and segment.segmentation.kind == SegmentationKinds.CALCULATED


def may_change_members(request: HttpRequest) -> bool:
    return request.user.has_perm("segments.change_membership")


def segment_or_404(pk: int | str) -> Segment:
    segment = Segment.objects.filter(pk=pk).select_related("segmentation").first()
    if segment is None:
        raise Http404
    return segment


def problems(object_id: str) -> list[str]:
    """What the stored condition refers to that no longer exists."""
    known = object_id.isascii() and object_id.isdigit() and len(object_id) < 19
    segment = Segment.objects.filter(pk=object_id).first() if known else None
    if segment is None or segment.condition is None:
        return []
    return [
        message for _path, message in faults(parse(segment.condition), condition_context(project_config()))
    ]


def customer_found_by(request: HttpRequest, text: str) -> int:
    """The one customer whom the text names. Raises `LookupError` with what to tell the user."""
    found = customer_search(request, text).named_ids(MOST_NAMED + 1)
    if not found:
        raise LookupError(_("No customer has this MaestraID, identifier or name."))
    if len(found) > 1:
        listed = ", ".join([*map(str, found[:MOST_NAMED]), *("…" for _more in found[MOST_NAMED:])])
        message = _("Several customers are found by this: %(listed)s. Enter a MaestraID.")
        raise LookupError(message % {"listed": listed})
    return found[0]


def counted(nodes: list[Any], context: ConditionContext) -> dict[str, Any]:
    """The conditions in words, with their faults and counts. All are counted in one statement, or none where
    that would take too long.
    """
    answers = [_described(data, context) for data in nodes]
    whole = [(answer, node) for answer, node in answers if node is not None]
    counts: Sequence[int | None] = [None] * len(whole)
    is_slow = False
    try:
        counts = count([node for _answer, node in whole], context, timezone.now(), SECONDS) if whole else []
    except TimeoutError:
        is_slow = True
    for (answer, _node), number in zip(whole, counts, strict=True):
        answer["count"] = number
    return {"nodes": [answer for answer, _node in answers], "slow": is_slow}


def _described(data: object, context: ConditionContext) -> tuple[dict[str, Any], Node | None]:
    """What is said about a condition, and the part of it that can be counted."""
    try:
        node = parse_node(data)
    except SelfsameError as error:
        found = [entry["message"] for entry in error.data["errors"]]
        return {"sentence": "", "count": None, "faults": found}, None
    gone = [message for _path, message in faults(node, context)]
    matching = valid(node, context)
    number = 0 if matching is None else None
    return {"sentence": whole_sentence(node, context), "count": number, "faults": gone}, matching
