"""What all admin pages share: lists that never count a whole table, searches by index, and dangerous
actions in two steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from operator import or_
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin, TabularInline
from unfold.paginator import InfinitePaginator

from customers.errors import SelfsameError
from customers.normalise import trim


class ListAdmin(ModelAdmin):  # type: ignore[misc]
    """A list that reads one page only, and is searched by exact values that have an index."""

    paginator = InfinitePaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 50
    ordering: tuple[str, ...] = ("-pk",)
    # "All" would be the whole table.
    list_disable_select_all = True

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = trim(search_term)
        return (queryset.filter(self.matching(request, term)) if term else queryset), False

    def matching(self, request: HttpRequest, term: str) -> Q:
        """The rows one of whose `search_fields` is the term."""
        conditions = [Q(**{name: term}) for name in self.search_fields if is_value_of(self.model, name, term)]
        return reduce(or_, conditions, Q(pk__in=[]))


def is_value_of(model: type[Model], name: str, term: str) -> bool:
    try:
        model._meta.get_field(name).to_python(term)  # type: ignore[union-attr]
    except ValidationError:
        return False
    return "\0" not in term


class ReadOnlyAdmin(ListAdmin):
    """Rows that operations wrote: they can only be read."""

    actions: Any = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnlyInline(TabularInline):  # type: ignore[misc]
    extra = 0
    max_num = 0
    can_delete = False
    show_change_link = False
    hide_title = True

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return tuple(self.fields or ())

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class SetupAdmin(ListAdmin):
    """Set-up that can be added and changed. It is never deleted, as data refers to it; `fixed` fields are set
    once.
    """

    fixed: tuple[str, ...] = ("system_name",)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return (*self.readonly_fields, *(self.fixed if obj else ()))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def link(address: str, text: object) -> SafeString:
    look = "text-primary-700 underline dark:text-primary-400"
    return format_html('<a class="{}" href="{}">{}</a>', look, address, text)


def customer_link(maestra_id: int | None) -> SafeString | None:
    """A MaestraID that leads to its customer's page."""
    if maestra_id is None:
        return None
    return link(reverse("admin:customers_customer_change", args=[maestra_id]), maestra_id)


REASON_LIMIT = 200


def ask(
    request: HttpRequest, model_admin: ModelAdmin, objects: Iterable[Model], action: str, **words: Any
) -> TemplateResponse | None:
    """The page that asks before something that cannot be undone; None once the answer was yes.

    `words`: `title`, `warning` (what will happen) and `button`; `described` are the objects with what will be
    reached of each, and `reason_help` asks for a reason, without which nothing is done.
    """
    needs_reason = "reason_help" in words
    is_given = not needs_reason or bool(reason_given(request))
    if request.POST.get("confirmed") == "yes" and is_given:
        return None
    context = {
        **model_admin.admin_site.each_context(request),
        **words,
        "opts": model_admin.model._meta,
        "objects": list(objects),
        "action": action,
        "lacks_reason": not is_given and "confirmed" in request.POST,
        "reason_limit": REASON_LIMIT,
    }
    return TemplateResponse(request, "admin/ask.html", context)


def reason_given(request: HttpRequest) -> str:
    """The reason that was written on the page that asks, as one line."""
    return " ".join(request.POST.get("reason", "").split())[:REASON_LIMIT]


def apply_to_each(
    model_admin: ModelAdmin,
    request: HttpRequest,
    rows: QuerySet[Any],
    work: Callable[[Any], object],
    done: Any,
) -> None:
    """Do it to each row and report the result; the refusal of one does not stop the others."""
    for row in rows:
        try:
            work(row)
        except SelfsameError as error:
            model_admin.message_user(request, f"{row}: {error.detail}", messages.ERROR)
        else:
            model_admin.message_user(request, f"{row}: {done}", messages.SUCCESS)
