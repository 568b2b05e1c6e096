"""The lists of decisions: merges, pairs kept apart, pairs to review."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.functional import SimpleLazyObject
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import action, display

from customers.admin.base import ReadOnlyAdmin, apply_to_each, ask, customer_link
from customers.admin.wording import criterion, lines
from customers.models import Customer
from customers.models.setup import IdentifierKind
from customers.presentation.names import FULL_NAME
from customers.profile import Category
from dedup.admin import explain_pair, explain_record, merge_pages, review_pages, undo_pages
from dedup.admin.addresses import explain_address, explain_record_address, new_merge_address
from dedup.admin.permissions import LIFT_APART, MERGE, REVIEW_PAIRS, staff_caller
from dedup.admin.value_formatter import ValueFormatter
from dedup.models import ApartPair, Merge, ReviewPair, ReviewStatuses
from dedup.operations.apart import lift_apart
from dedup.wording import veto_choices, veto_sentence

View = Callable[..., HttpResponseBase]


class WithPages(ReadOnlyAdmin):
    """A list with pages of its own below it: each view is a function of the request and this admin."""

    pages: tuple[tuple[str, str, View], ...] = ()
    """Route, name and view."""

    def get_urls(self) -> list[URLPattern]:
        prefix = f"{self.opts.app_label}_{self.opts.model_name}"
        own = [path(route, self._framed(view), name=f"{prefix}_{name}") for route, name, view in self.pages]
        return [*own, *super().get_urls()]

    def _framed(self, view: View) -> View:
        @wraps(view)
        def framed(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
            return view(request, self, **arguments)

        return self.admin_site.admin_view(framed)  # type: ignore[no-any-return]


def name_of_customer(field: str) -> Any:
    """The name of the customer whose MaestraID a field holds."""
    whose = Customer.objects.filter(pk=OuterRef(field))
    return Subquery(whose.values(name=FULL_NAME)[:1])


def customer_with_name(maestra_id: int, name: str | None) -> SafeString:
    return format_html("{} {}", customer_link(maestra_id), name or "")


@admin.register(Merge)
class MergeAdmin(WithPages):
    list_display = ("when", "survivor", "absorbed", "reason", "decided", "state")
    list_filter = ("reason", ("at", RangeDateTimeFilter))
    search_fields = ("survivor_id", "absorbed_id")
    search_help_text = _("MaestraID")
    list_display_links = ("when",)
    actions_list = ("merge_customers",)
    pages = (
        ("new/", "new", merge_pages.new),
        ("<int:merge_id>/undo/", "undo", undo_pages.undo_merge),
        ("<int:merge_id>/change/", "change", undo_pages.detail),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Merge]:
        # The stored profiles are large, and not for a list.
        merges: QuerySet[Merge] = super().get_queryset(request)
        rows = merges.defer("before_survivor", "before_absorbed", "result")
        return rows.annotate(
            survivor_name=name_of_customer("survivor_id"), absorbed_name=name_of_customer("absorbed_id")
        )

    def has_merge_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MERGE)

    @action(description=_("Merge customers"), icon="merge", permissions=["merge"])  # type: ignore[untyped-decorator]
    def merge_customers(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(new_merge_address())

    @admin.display(description=_("when"), ordering="at")
    def when(self, merge: Merge) -> Any:
        return merge.at

    @admin.display(description=_("why they had priority"))
    def decided(self, merge: Merge) -> str | None:
        return criterion(merge.criterion)

    @admin.display(description=_("resulting customer"))
    def survivor(self, merge: Any) -> SafeString:
        return customer_with_name(merge.survivor_id, merge.survivor_name)

    @admin.display(description=_("merged customer"))
    def absorbed(self, merge: Any) -> SafeString:
        return customer_with_name(merge.absorbed_id, merge.absorbed_name)

    @display(description=_("state"), label={"merged": "success", "undone": "warning"})  # type: ignore[untyped-decorator]
    def state(self, merge: Merge) -> tuple[str, Any]:
        return ("undone", _("undone")) if merge.undone_at else ("merged", _("merged"))


class PairAdmin(WithPages):
    search_fields = ("low_id", "high_id")
    search_help_text = _("MaestraID")
    readonly_fields: tuple[str, ...] = ("low", "high")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        pairs: QuerySet[Any] = super().get_queryset(request)
        rows: QuerySet[Any] = pairs.annotate(
            low_name=name_of_customer("low_id"), high_name=name_of_customer("high_id")
        )
        return rows

    @admin.display(description=_("customer"))
    def low(self, pair: Any) -> SafeString:
        return customer_with_name(pair.low_id, pair.low_name)

    @admin.display(description=_("other customer"))
    def high(self, pair: Any) -> SafeString:
        return customer_with_name(pair.high_id, pair.high_name)


WHY_APART = {
    "undo": _("Their merge was undone"),
    "record": _("Marked by hand"),
}


@admin.register(ApartPair)
class ApartPairAdmin(PairAdmin):
    list_display = ("__str__", "low", "high", "why_shown", "at", "lifted_at")
    fields = (("low", "high"), "why_shown", ("at", "lifted_at"))
    readonly_fields = ("low", "high", "why_shown")
    actions = ("lift",)

    def has_lift_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(LIFT_APART)

    @admin.display(description=_("why"))
    def why_shown(self, pair: ApartPair) -> Any:
        return WHY_APART.get(pair.why, pair.why)

    @admin.action(description=_("Allow them to merge again"), permissions=["lift"])
    def lift(self, request: HttpRequest, queryset: QuerySet[ApartPair]) -> HttpResponse | None:
        pairs = queryset.filter(lifted_at=None)
        words = {
            "title": _("Allow these pairs to merge again?"),
            "warning": _("The next record that matches both customers of a pair may merge them."),
            "button": _("Yes, allow it"),
        }
        if question := ask(request, self, pairs, "lift", **words):
            return question
        work = lambda pair: lift_apart(staff_caller(request), pair.low_id, pair.high_id)  # noqa: E731
        apply_to_each(self, request, pairs, work, _("no longer kept apart."))
        return None


class StatusFilter(admin.SimpleListFilter):
    """Pairs to be reviewed, unless others are asked for."""

    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(ReviewStatuses.SEEN.value, ReviewStatuses.SEEN.label), ("all", _("All"))]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        yield {**first, "display": ReviewStatuses.OPEN.label}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "all":
            return queryset
        return queryset.filter(status=self.value() or ReviewStatuses.OPEN)


class ReasonFilter(admin.SimpleListFilter):
    title = _("why they are separate")
    parameter_name = "veto"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(veto_choices())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(vetoes__contains=[{"name": self.value()}]) if self.value() else queryset


class SharedFilter(admin.SimpleListFilter):
    title = _("what they share")
    parameter_name = "shared"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        kinds = IdentifierKind.objects.exclude(category=Category.UNIQUE)
        return list(kinds.values_list("system_name", "name"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(shared__contains=[{"type": self.value()}]) if self.value() else queryset


@admin.register(ReviewPair)
class ReviewPairAdmin(PairAdmin):
    list_filter = (StatusFilter, ReasonFilter, SharedFilter)
    ordering = ("-at", "-pk")
    actions = ("mark_seen",)
    actions_list = ("explain_two", "try_record")
    pages = (
        ("explain/", "explain", explain_pair.explain_pair),
        ("explain/record/", "explain_record", explain_record.explain_record),
        ("<int:pair_id>/change/", "change", review_pages.show),
        ("<int:pair_id>/decide/", "decide", review_pages.decide),
    )

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        formatter: Any = SimpleLazyObject(lambda: ValueFormatter.of(request))

        @admin.display(description=_("shared values"))
        def shared_values(pair: ReviewPair) -> SafeString | None:
            return lines(formatter.named(value["type"], value["value"]) for value in pair.shared)

        return ("at", "low", "high", shared_values, "why", "state")

    def has_review_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(REVIEW_PAIRS)

    @action(description=_("Compare two customers"), icon="compare_arrows")  # type: ignore[untyped-decorator]
    def explain_two(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(explain_address())

    @action(description=_("Test a record"), icon="data_object")  # type: ignore[untyped-decorator]
    def try_record(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(explain_record_address())

    @admin.display(description=_("why they are separate"))
    def why(self, pair: ReviewPair) -> SafeString | None:
        return lines(veto_sentence(veto["name"]) for veto in pair.vetoes)

    @display(description=_("status"), label={"open": "warning", "seen": "success"})  # type: ignore[untyped-decorator]
    def state(self, pair: ReviewPair) -> tuple[str, Any]:
        return pair.status, pair.get_status_display()

    @admin.action(description=_("Mark as reviewed"), permissions=["review"])
    def mark_seen(self, request: HttpRequest, queryset: QuerySet[ReviewPair]) -> None:
        queryset.update(status=ReviewStatuses.SEEN)
        self.message_user(request, _("Marked as reviewed."))
