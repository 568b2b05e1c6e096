"""The lists of imports and of saved mappings, and their parts of the dashboard."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import action, display

from customers.admin.base import ReadOnlyAdmin
from customers.admin.staff import MEANINGS
from customers.admin.wording import lines
from customers.templatetags.profile_pages import who
from dedup.admin import import_pages
from dedup.admin.dashboard import Figure, Series, Tile, counted, register_series, register_tile
from dedup.admin.decision_lists import WithPages
from dedup.admin.import_results import AT_WORK, summary
from dedup.admin.permissions import ADD_IMPORTS, CHANGE_IMPORTS, VIEW_IMPORTS
from dedup.models import Import, ImportMapping, ImportStates

LATELY = timedelta(days=7)

MEANINGS.update(
    {
        ADD_IMPORTS: _("Import files"),
        CHANGE_IMPORTS: _("Pause, resume and cancel imports"),
        "dedup.delete_importmapping": _("Delete saved mappings"),
    }
)


@admin.register(Import)
class ImportAdmin(WithPages):
    list_display = ("file", "kind_shown", "state_shown", "result_shown", "point", "by", "created_at")
    list_select_related = ("point",)
    list_filter = ("state", "kind", "is_dry_run", ("created_at", RangeDateTimeFilter))
    search_fields = ("name",)
    search_help_text = _("Full file name")
    empty_hint = _("Import a file of customers, orders, segment members or merges.")
    actions_list = ("import_file",)
    pages = (
        ("new/", "new", import_pages.new),
        ("<int:import_id>/map/", "map", import_pages.mapped),
        ("<int:import_id>/change/", "change", import_pages.show),
        ("<int:import_id>/progress/", "progress", import_pages.progress),
        ("<int:import_id>/run/", "run", import_pages.run),
        ("<int:import_id>/remap/", "remap", import_pages.remap),
        ("<int:import_id>/pause/", "pause", import_pages.pause),
        ("<int:import_id>/resume/", "resume", import_pages.resume),
        ("<int:import_id>/cancel/", "cancel", import_pages.cancel),
        ("<int:import_id>/report/", "report", import_pages.report),
        ("<int:import_id>/report.csv", "report_file", import_pages.report_file),
        ("<int:import_id>/failed.csv", "failed_file", import_pages.failed_file),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Import]:
        imports: QuerySet[Import] = super().get_queryset(request)
        return imports.defer("header", "targets", "forgotten", "warnings")

    def has_import_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(ADD_IMPORTS)

    @action(description=_("Import a file"), icon="upload_file", permissions=["import"])  # type: ignore[untyped-decorator]
    def import_file(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:dedup_import_new"))

    @admin.display(description=_("by"))
    def by(self, source: Import) -> str:
        return who(source.actor)

    @admin.display(description=_("file"), ordering="name")
    def file(self, source: Import) -> str:
        return source.name

    @admin.display(description=_("kind"), ordering="kind")
    def kind_shown(self, source: Import) -> SafeString | str:
        kind: str = source.get_kind_display()
        return format_html("{}, {}", kind, _("dry run")) if source.is_dry_run else kind

    @display(  # type: ignore[untyped-decorator]
        description=_("state"),
        label={
            "uploaded": "info",
            "staging": "info",
            "running": "info",
            "paused": "warning",
            "finished": "success",
            "cancelled": "warning",
            "failed": "danger",
        },
    )
    def state_shown(self, source: Import) -> tuple[str, Any]:
        return source.state, ImportStates(source.state).label

    @admin.display(description=_("result"))
    def result_shown(self, source: Import) -> str | None:
        return summary(source) or None


@admin.register(ImportMapping)
class ImportMappingAdmin(ReadOnlyAdmin):
    empty_hint = _("Save a mapping when you map the columns of an import.")

    list_display = ("name", "kind", "columns_number", "changed_at")
    list_filter = ("kind",)
    search_fields = ("name",)
    ordering = ("name",)
    fields = ("name", "kind", "changed_at", "columns_shown")
    readonly_fields = ("columns_shown",)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("dedup.delete_importmapping")

    @admin.display(description=_("columns"))
    def columns_number(self, mapping: ImportMapping) -> int:
        return len(mapping.columns)

    @admin.display(description=_("columns"))
    def columns_shown(self, mapping: ImportMapping) -> SafeString | None:
        return lines(f"{name} → {target or '–'}" for name, target in mapping.columns.items())


def _failed_lately() -> Figure:
    lately = timezone.now() - LATELY
    return counted(Import.objects.filter(state=ImportStates.FAILED, created_at__gte=lately))


register_tile(
    Tile(
        slug="imports",
        title=_("Running imports"),
        permission=VIEW_IMPORTS,
        link=reverse_lazy("admin:dedup_import_changelist"),
        count=lambda: counted(Import.objects.filter(state__in=AT_WORK)),
        order=30,
    )
)
register_tile(
    Tile(
        slug="imports-failed",
        title=_("Imports failed in the last 7 days"),
        permission=VIEW_IMPORTS,
        link=format_lazy("{}?state__exact=failed", reverse_lazy("admin:dedup_import_changelist")),
        count=_failed_lately,
        level="failure",
        order=80,
    )
)
register_series(
    Series(
        slug="imports",
        title=_("Imports"),
        permission=VIEW_IMPORTS,
        rows=Import.objects.filter(is_dry_run=False).all,
        field="created_at",
        order=40,
    )
)
