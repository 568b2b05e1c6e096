from __future__ import annotations

from functools import cached_property
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import path, reverse
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import TabularInline
from unfold.decorators import display

from customers.admin.base import SetupAdmin, link
from customers.setup.project_config import project_config
from segments import recalculation
from segments.admin.conditions import SegmentForm
from segments.admin.deleting import Deletable
from segments.conditions.context import ConditionContext
from segments.conditions.tree import parse, whole_sentence
from segments.models import Recalculation, Segment, Segmentation, SegmentationKinds, States
from segments.references import condition_context

SHOWN = 5
"""Recalculations that the page of a segmentation shows."""
COUNTS = ("processed", "due", "entered", "left")


class SegmentInline(TabularInline):  # type: ignore[misc]
    model = Segment
    form = SegmentForm
    fields: tuple[str, ...] = ("system_name", "name", "who")
    readonly_fields = ("who",)
    extra = 1
    ordering = ("id",)
    can_delete = False
    hide_title = True

    @cached_property
    def context(self) -> ConditionContext:
        """Read once: an inline lives as long as its request."""
        return condition_context(project_config())

    @admin.display(description=gettext_lazy("members"))
    def who(self, segment: Segment) -> SafeString | None:
        if segment._state.adding:
            return None
        return link(
            reverse("admin:segments_segment_change", args=[segment.pk]), self.membership_words(segment)
        )

    def membership_words(self, segment: Segment) -> str:
        if segment.segmentation.kind == SegmentationKinds.STATIC:
            return _("Put in and taken out by hand")
        if segment.condition is None:
            return _("Nobody yet: add a condition")
        return whole_sentence(parse(segment.condition), self.context)


@admin.register(Segmentation)
class SegmentationAdmin(Deletable, SetupAdmin):
    list_display = ("name", "system_name", "kind_shown", "segments_count", "last_recalculated")
    search_fields = ("system_name", "name")
    ordering = ("name",)
    fields = (("system_name", "name"), "kind")
    fixed = ("system_name", "kind")
    inlines = (SegmentInline,)
    change_form_outer_before_template = "segments/recalculation.html"

    class Media:
        css = {"all": ["segments/builder.css"]}
        js = ["segments/progress.js"]

    def segments_in(self, obj: Segmentation) -> list[Segment]:
        return list(obj.segments.select_related("segmentation"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Segmentation]:
        latest = Recalculation.objects.filter(segmentation=OuterRef("pk")).order_by("-id")
        found: QuerySet[Segmentation] = super().get_queryset(request)
        return found.annotate(
            segments_number=Count("segments"),
            latest_state=Subquery(latest.values("state")[:1]),
            latest_at=Subquery(latest.values("finished_at")[:1]),
        )

    @display(  # type: ignore[untyped-decorator]
        description=gettext_lazy("kind"),
        label={_("Static"): "info", _("Calculated"): "success"},
    )
    def kind_shown(self, segmentation: Segmentation) -> str:
        return _("Static") if segmentation.kind == SegmentationKinds.STATIC else _("Calculated")

    @admin.display(description=gettext_lazy("segments"))
    def segments_count(self, segmentation: Any) -> int:
        number: int = segmentation.segments_number
        return number

    @admin.display(description=gettext_lazy("last recalculated"))
    def last_recalculated(self, segmentation: Any) -> str | None:
        if segmentation.latest_state is None:
            return None
        state = States(segmentation.latest_state).label
        at = segmentation.latest_at
        return f"{state}, {date_format(localtime(at), 'DATETIME_FORMAT')}" if at else str(state)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/recalculate/", view(self.recalculate), name="segments_recalculate"),
            path("<int:pk>/progress/", view(self.progress), name="segments_progress"),
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        calculated = calculated_of(object_id)
        more = _progress(calculated) if calculated else {}
        may = self.has_change_permission(request)
        context = {"calculated": calculated, "may_recalculate": may, **more, **(extra_context or {})}
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response

    def recalculate(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Request a recalculation (R51)."""
        segmentation = Segmentation.objects.filter(pk=pk, kind=SegmentationKinds.CALCULATED).first()
        if segmentation is None:
            raise Http404
        if not self.has_change_permission(request, segmentation):
            raise PermissionDenied
        if request.method == "POST":
            recalculation.ask(segmentation, f"user:{request.user.get_username()}", request.user.pk)
            messages.success(request, _("The recalculation starts within a minute."))
        return HttpResponseRedirect(reverse("admin:segments_segmentation_change", args=[pk]))

    def progress(self, request: HttpRequest, pk: int) -> JsonResponse:
        """How far the recalculations are, for the page to follow."""
        segmentation = Segmentation.objects.filter(pk=pk).first()
        if segmentation is None:
            raise Http404
        if not self.has_view_permission(request, segmentation):
            raise PermissionDenied
        return JsonResponse(_progress(segmentation))


def calculated_of(object_id: str) -> Segmentation | None:
    """The segmentation, if it is a calculated one."""
    if not (object_id.isascii() and object_id.isdigit() and len(object_id) < 19):
        return None
    return Segmentation.objects.filter(pk=object_id, kind=SegmentationKinds.CALCULATED).first()


def _progress(segmentation: Segmentation) -> dict[str, Any]:
    latest = segmentation.recalculations.order_by("-id")[:SHOWN]
    shown = [_shown(recalculation) for recalculation in latest]
    return {"recalculations": shown, "is_going_on": any(entry["is_going_on"] for entry in shown)}


def _shown(r: Recalculation) -> dict[str, Any]:
    return {
        "id": r.pk,
        "state": r.state,
        "label": str(States(r.state).label),
        "is_going_on": r.state in (States.WAITING, States.RUNNING),
        "at": date_format(localtime(r.finished_at or r.started_at or r.requested_at), "DATETIME_FORMAT"),
        "percent": 100 * r.processed // r.due if r.due else None,
        "counts": _count_words(r) % {name: f"{getattr(r, name) or 0:,}" for name in COUNTS},
        "error": r.error,
        "warnings": [f"{w['segment']}: {w['fault']}" for w in r.warnings],
    }


def _count_words(r: Recalculation) -> str:
    match r.state:
        case States.WAITING:
            return _("A worker will start it within a minute.")
        case States.RUNNING if r.due is None:
            return _("Looking for customers who have to enter or leave.")
        case States.RUNNING:
            return _("%(processed)s of %(due)s customers; %(entered)s entered, %(left)s left.")
    return _("%(entered)s entered a segment, %(left)s left one.")
