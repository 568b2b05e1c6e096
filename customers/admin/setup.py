"""How the project is set up: what can be declared in a file, to be looked at and changed by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from copy import copy
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from customers.admin.base import ReadOnlyInline, SetupAdmin, ask, link
from customers.admin.ordered_choice_widget import InOrder, InOrderField, lookup_kinds
from customers.block_list import BlockList, Entry
from customers.models import (
    EVERY_KIND,
    ApiKey,
    BlockedValue,
    CustomField,
    Identifier,
    IdentifierKind,
    IntegrationPoint,
    ProjectSettings,
    Scopes,
)
from customers.models.setup import PROJECT_CATEGORIES
from customers.normalise import Invalid
from customers.profile import Category
from customers.setup.integration_points import make_key
from customers.setup.project_config import normalisers, project_config


def scopes_field(label: Any, help_text: Any = "") -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        choices=Scopes.choices,
        required=False,
        label=label,
        help_text=help_text,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )


class PointForm(forms.ModelForm[IntegrationPoint]):
    default_scopes = scopes_field(_("Scopes of new keys"))
    lookup_by = InOrderField(
        choices=lookup_kinds,
        required=False,
        label=_("Look up by"),
        help_text=_(
            "The identifiers by which an upsert finds customers, the first one first. None chosen: "
            "MaestraID, unique identifiers, then other identifiers."
        ),
        widget=InOrder(UnfoldAdminSelectWidget()),
    )


class KeyInline(ReadOnlyInline):
    model = ApiKey
    fields = ("prefix", "name", "scopes", "created_at", "last_used_at", "revoked_at")


@admin.register(IntegrationPoint)
class IntegrationPointAdmin(SetupAdmin):
    form = PointForm
    list_display = ("name", "system_name", "kind", "is_enabled", "personal_actions")
    list_filter = ("kind", "is_enabled")
    search_fields = ("system_name", "name")
    ordering = ("name",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("system_name", "name"),
                    "kind",
                    ("is_enabled", "personal_actions"),
                    "lookup_by",
                    "default_scopes",
                )
            },
        ),
        (
            _("Contacts that arrive here from now on"),
            {
                "fields": (
                    "must_be_confirmed",
                    "gives_access",
                )
            },
        ),
        (_("Keys"), {"fields": ("new_key",)}),
    )
    readonly_fields = ("new_key",)
    inlines = (KeyInline,)

    @admin.display(description=_("new key"))
    def new_key(self, point: IntegrationPoint) -> SafeString | str:
        if point._state.adding:
            return str(_("Save the point first."))
        return link(f"{reverse('admin:customers_apikey_add')}?point={point.pk}", _("Make a key"))


class KeyForm(forms.ModelForm[ApiKey]):
    scopes = scopes_field(_("Scopes"), _("None chosen: the ones its integration point gives to new keys."))


@admin.register(ApiKey)
class ApiKeyAdmin(SetupAdmin):
    """Keys are made and revoked. The key itself is in one answer, the one to its making, and nowhere else."""

    form = KeyForm
    list_display = ("prefix", "point", "name", "scopes", "created_at", "last_used_at", "state")
    list_select_related = ("point",)
    list_filter = ("point",)
    search_fields = ("prefix", "name")
    actions = ("revoke",)
    actions_detail = ("revoke_this",)
    add_fieldsets = ((None, {"fields": ("point", "name", "scopes")}),)
    fields = (("point", "name"), "prefix", "scopes", ("created_at", "last_used_at", "revoked_at"))

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return obj is None and super().has_change_permission(request, obj)

    @display(description=_("state"), label={"works": "success", "revoked": "danger"})  # type: ignore[untyped-decorator]
    def state(self, key: ApiKey) -> tuple[str, Any]:
        return ("revoked", _("revoked")) if key.revoked_at else ("works", _("works"))

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        """Make the key in place of the row the form filled; its text lives as long as this request."""
        text, made = make_key(obj.point, obj.name, obj.scopes or obj.point.default_scopes)
        obj.__dict__.update(made.__dict__)
        request.new_key = text  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _("The new key"),
            "opts": self.opts,
            "key": obj,
            "text": request.new_key,  # type: ignore[attr-defined]
        }
        return TemplateResponse(request, "admin/new_key.html", context, headers={"Cache-Control": "no-store"})

    def has_revoke_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        may = request.user.has_perm("customers.change_apikey")
        return may and (object_id is None or ApiKey.objects.filter(pk=object_id, revoked_at=None).exists())

    @action(description=_("Revoke"), icon="key_off", permissions=["revoke"])  # type: ignore[untyped-decorator]
    def revoke_this(self, request: HttpRequest, object_id: int) -> HttpResponse:
        question = self.revoke(request, ApiKey.objects.filter(pk=object_id))
        return question or HttpResponseRedirect(reverse("admin:customers_apikey_change", args=[object_id]))

    @admin.action(description=_("Revoke"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        keys = queryset.filter(revoked_at=None)
        words = {
            "title": _("Revoke keys"),
            "warning": _(
                "Whoever uses these keys is refused from now on. A revoked key cannot be used again."
            ),
            "button": _("Yes, revoke"),
        }
        if question := ask(request, self, keys, "revoke", **words):
            return question
        count = keys.update(revoked_at=timezone.now())
        self.message_user(
            request, ngettext("%d key was revoked.", "%d keys were revoked.", count) % count, messages.SUCCESS
        )
        return None


Consequence = Callable[[IdentifierKind, bool], str]
"""Whom it affects that "do not merge customers with different IDs" of a kind is switched, in a sentence."""


def _future_merges(kind: IdentifierKind, is_on: bool) -> str:
    held = Identifier.objects.filter(kind=kind, is_former=False, customer__isnull=False)
    words = {"count": held.values("customer").distinct().count(), "kind": kind.name}
    if is_on:
        text = gettext(
            "Customers with a current %(kind)s: %(count)s. From now on two of them are never merged while "
            "the values differ, neither by themselves nor by hand. Who is merged already stays merged."
        )
    else:
        text = gettext(
            "Customers with a current %(kind)s: %(count)s. From now on two of them may be merged although "
            "the values differ: the priority customer's stays current, the other becomes a former one."
        )
    return text % words


def _former_values(kind: IdentifierKind, is_on: bool) -> str:
    former = Identifier.objects.filter(kind=kind, is_former=True, customer__isnull=False)
    words = former.aggregate(values=Count("pk"), customers=Count("customer", distinct=True))
    if is_on:
        text = gettext(
            "Former values: %(values)s; customers who have them: %(customers)s. From now on these values "
            "find nobody, and can be registered anew by somebody else."
        )
    else:
        text = gettext(
            "Former values: %(values)s; customers who have them: %(customers)s. From now on these values "
            "find them again, and cannot be registered anew."
        )
    return text % words


consequences: list[Consequence] = [_future_merges, _former_values]
"""What the page tells before the switch is saved. An app above adds what it knows."""

SWITCH = "do_not_merge_different"


@admin.register(IdentifierKind)
class IdentifierKindAdmin(SetupAdmin):
    """The category is set once: values may be stored by it. The system's own kinds have but a name to
    change.
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
        """The page that tells whom the switch affects, before it is saved."""
        kind, is_on = self.get_object(request, object_id), SWITCH in request.POST
        if kind is None or kind.category != Category.UNIQUE or kind.do_not_merge_different == is_on:
            return None
        if request.POST.get("confirmed") == "yes" or not self.has_change_permission(request, kind):
            return None
        if not self.get_form(request, kind)(request.POST, instance=copy(kind)).is_valid():
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": _("Before you switch this"),
            "opts": self.opts,
            "kind": kind,
            "is_on": is_on,
            "consequences": [tell(kind, is_on) for tell in consequences],
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


@admin.register(CustomField)
class CustomFieldAdmin(SetupAdmin):
    list_display = ("name", "system_name", "type", "merge")
    search_fields = ("system_name", "name")
    ordering = ("system_name",)
    fields = (("system_name", "name"), "type", "merge")
    fixed = ("system_name", "type")


class BlockedValueForm(forms.ModelForm[BlockedValue]):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = IdentifierKind.objects.values_list("system_name", "name")
        choices = [(EVERY_KIND, _("Every kind")), *kinds]
        self.fields["type"] = forms.ChoiceField(
            choices=choices, label=_("Identifier kind"), widget=UnfoldAdminSelectWidget
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        try:
            Entry(EVERY_KIND, data.get("value", ""), data.get("pattern", ""))
        except Invalid as error:
            raise ValidationError(error.reason) from None
        return data


class TestForm(forms.Form):
    kind = forms.ChoiceField(label=_("Identifier kind"), widget=UnfoldAdminSelectWidget)
    value = forms.CharField(label=_("Value, as typed"), widget=UnfoldAdminTextInputWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = IdentifierKind.objects.values_list("system_name", "name")
        self.fields["kind"].choices = list(kinds)  # type: ignore[attr-defined]


def tested(kind: str, value: str) -> dict[str, Any]:
    """What the block list makes of a value: its normalised form, and the entries that block it (R12)."""
    config = project_config()
    by_category = normalisers(config.default_region)
    normalised, fault = None, ""
    try:
        normalised = by_category[config.kinds[kind].category](value)
    except Invalid as error:
        fault = error.reason
    return {
        "normalised": normalised,
        "fault": fault,
        "is_blocked": config.block_list.blocks(kind, value, normalised),
        "entries": list(_blocking(kind, value, normalised)),
    }


def _blocking(kind: str, value: str, normalised: str | None) -> Iterable[BlockedValue]:
    """The entries that block it, each tried by itself; what is no entry is left out."""
    config = project_config()
    by_category = normalisers(config.default_region)

    def normalise(of_kind: str, text: str) -> str | None:
        with suppress(Invalid, KeyError):
            return by_category[config.kinds[of_kind].category](text)
        return None

    for row in BlockedValue.objects.filter(type__in=(kind, EVERY_KIND)):
        with suppress(Invalid):
            entry = Entry(row.type, row.value, row.pattern)
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


@admin.register(ProjectSettings)
class ProjectSettingsAdmin(SetupAdmin):
    """One row, so its list is its page."""

    fields = ("default_region", "shared_device_limit", "suppression_list")
    fixed = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:customers_projectsettings_change", args=[1]))
