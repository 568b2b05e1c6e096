"""The block list, with a page to test a value against it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from customers.admin.base import SetupAdmin
from customers.block_list import NAMES, BlockList, BlockListEntry
from customers.models import (
    EVERY_KIND,
    BlockedValue,
    IdentifierKind,
)
from customers.normalise import Invalid
from customers.setup.project_config import normalisers, project_config


class BlockedValueForm(forms.ModelForm[BlockedValue]):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = IdentifierKind.objects.values_list("system_name", "name")
        choices = [(EVERY_KIND, _("Every kind")), (NAMES, _("Names of people")), *kinds]
        self.fields["type"] = forms.ChoiceField(
            choices=choices, label=_("Identifier kind"), widget=UnfoldAdminSelectWidget
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        try:
            BlockListEntry(EVERY_KIND, data.get("value", ""), data.get("pattern", ""))
        except Invalid as error:
            raise ValidationError(error.message(gettext)) from None
        return data


class TestForm(forms.Form):
    kind = forms.ChoiceField(label=_("Identifier kind"), widget=UnfoldAdminSelectWidget)
    value = forms.CharField(label=_("Value"), widget=UnfoldAdminTextInputWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = IdentifierKind.objects.values_list("system_name", "name")
        self.fields["kind"].choices = list(kinds)  # type: ignore[attr-defined]


def tested(kind: str, value: str) -> dict[str, Any]:
    """A value as the block list sees it: its normalised form, and the entries that block it (R12)."""
    config = project_config()
    by_category = normalisers(config.default_region)
    normalised, fault = None, ""
    try:
        normalised = by_category[config.kinds[kind].category](value)
    except Invalid as error:
        fault = error.message(gettext)
    return {
        "normalised": normalised,
        "fault": fault,
        "is_blocked": config.block_list.blocks(kind, value, normalised),
        "entries": list(_blocking(kind, value, normalised)),
    }


def _blocking(kind: str, value: str, normalised: str | None) -> Iterable[BlockedValue]:
    """The entries that block it, each tried by itself; malformed ones are skipped."""
    config = project_config()
    by_category = normalisers(config.default_region)

    def normalise(of_kind: str, text: str) -> str | None:
        with suppress(Invalid, KeyError):
            return by_category[config.kinds[of_kind].category](text)
        return None

    for row in BlockedValue.objects.filter(type__in=(kind, EVERY_KIND)):
        with suppress(Invalid):
            entry = BlockListEntry(row.type, row.value, row.pattern)
            if BlockList([entry], normalise).blocks(kind, value, normalised):
                yield row


@admin.register(BlockedValue)
class BlockedValueAdmin(SetupAdmin):
    form = BlockedValueForm
    list_display = ("shown", "type", "value", "pattern")
    list_filter = ("type",)
    search_fields = ("value", "pattern")
    ordering = ("type", "value", "pattern")
    fields = ("type", "value", "pattern")
    fixed = ()
    actions = ("delete_selected",)
    actions_list = ("try_value",)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.test_value)
        return [path("test/", view, name="customers_blockedvalue_test"), *super().get_urls()]

    @action(description=_("Test a value"), icon="rule")  # type: ignore[untyped-decorator]
    def try_value(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:customers_blockedvalue_test"))

    def test_value(self, request: HttpRequest) -> HttpResponse:
        """Whether a value is blocked, and by which entries."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = TestForm(request.GET or None)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Test a value"),
            "opts": self.opts,
            "form": form,
            "tested": tested(**form.cleaned_data) if form.is_valid() else None,
        }
        return TemplateResponse(request, "admin/customers/block_test.html", context)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("customers.delete_blockedvalue")

    @admin.display(description=_("entry"))
    def shown(self, entry: BlockedValue) -> str:
        return entry.value or entry.pattern
