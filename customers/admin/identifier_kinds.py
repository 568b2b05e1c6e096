"""Identifier kinds, with a question before a switch that decides who may merge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import Any, NamedTuple

from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers.admin.base import SetupAdmin
from customers.models import (
    Identifier,
    IdentifierKind,
)
from customers.models.setup import PROJECT_CATEGORIES
from customers.profile import Category


class Consequence(NamedTuple):
    """What switching affects: which fact, its numbers, and a sentence that states them."""

    name: str
    numbers: Mapping[str, int]
    text: str


Foresee = Callable[[IdentifierKind, bool], Consequence]
"""Given an identifier kind and whether "do not merge customers with different IDs" is switched on."""


def _future_merges(kind: IdentifierKind, is_on: bool) -> Consequence:
    held = Identifier.objects.filter(kind=kind, is_former=False, customer__isnull=False)
    numbers = {"customers": held.values("customer").distinct().count()}
    if is_on:
        text = gettext(
            "Customers with a current %(kind)s: %(customers)s. From now on, two of them are never merged "
            "while the values differ, neither automatically nor by hand. Earlier merges stay as they are."
        )
    else:
        text = gettext(
            "Customers with a current %(kind)s: %(customers)s. From now on, two of them may be merged even "
            "if the values differ. The value of the customer with priority stays current, the other one "
            "becomes a former value."
        )
    return Consequence("future_merges", numbers, text % {**numbers, "kind": kind.name})


def _former_values(kind: IdentifierKind, is_on: bool) -> Consequence:
    former = Identifier.objects.filter(kind=kind, is_former=True, customer__isnull=False)
    numbers = former.aggregate(values=Count("pk"), customers=Count("customer", distinct=True))
    if is_on:
        text = gettext(
            "Former values: %(values)s, of %(customers)s customers. From now on, these values find nobody, "
            "and other customers can register with them."
        )
    else:
        text = gettext(
            "Former values: %(values)s, of %(customers)s customers. From now on, these values find those "
            "customers again, and nobody else can register with them."
        )
    return Consequence("former_values", numbers, text % numbers)


CONSEQUENCES: list[Foresee] = [_future_merges, _former_values]


def register_consequence(foresee: Foresee) -> None:
    """Let an app above add what it knows to the question before the switch."""
    CONSEQUENCES.append(foresee)


SWITCH = "do_not_merge_different"


@admin.register(IdentifierKind)
class IdentifierKindAdmin(SetupAdmin):
    """The category is set once, because values are stored by it. Of the system's own kinds only the name
    can be changed.
    """

    list_display = ("name", "system_name", "category", "do_not_merge_different")
    search_fields = ("system_name", "name")
    ordering = ("id",)
    fields = (("system_name", "name"), "category", "do_not_merge_different")
    fixed = ("system_name", "category")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        question = self._about_switch(request, object_id) if request.method == "POST" else None
        return question or super().change_view(request, object_id, form_url, extra_context)

    def _about_switch(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """The page that says what the switch affects, before it is saved."""
        kind, is_on = self.get_object(request, object_id), SWITCH in request.POST
        if kind is None or kind.category != Category.UNIQUE or kind.do_not_merge_different == is_on:
            return None
        if request.POST.get("confirmed") == "yes" or not self.has_change_permission(request, kind):
            return None
        if not self.get_form(request, kind)(request.POST, instance=copy(kind)).is_valid():
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": _("Change who may merge?"),
            "opts": self.opts,
            "kind": kind,
            "is_on": is_on,
            "consequences": [foresee(kind, is_on) for foresee in CONSEQUENCES],
            "fields": [item for item in request.POST.items() if item[0] != "csrfmiddlewaretoken"],
        }
        return TemplateResponse(request, "admin/customers/switch.html", context)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        switch = ("do_not_merge_different",) if obj and obj.category != Category.UNIQUE else ()
        return (*super().get_readonly_fields(request, obj), *switch)

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "category":
            kwargs["choices"] = [c for c in db_field.choices if c[0] in PROJECT_CATEGORIES]
        return super().formfield_for_choice_field(db_field, request, **kwargs)
