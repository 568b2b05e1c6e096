from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from customers.admin.base import Kept, RecordedInline, ask, link
from customers.block_list import Entry
from customers.models import (
    EVERY_KIND,
    ApiKey,
    BlockedValue,
    Categories,
    CustomField,
    IdentifierKind,
    IntegrationPoint,
    ProjectSettings,
    Scopes,
)
from customers.models.setup import PROJECT_CATEGORIES
from customers.normalise import Invalid
from customers.points import make_key
from customers.profile import MAESTRA_ID


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

    class Meta:
        widgets = {"lookup_by": UnfoldAdminTextInputWidget}

    def clean_lookup_by(self) -> list[str]:
        """R13: any kinds but the payment card hash, each once."""
        names: list[str] = self.cleaned_data["lookup_by"]
        known = [MAESTRA_ID, *IdentifierKind.objects.values_list("system_name", flat=True)]
        for name in names:
            if name not in known:
                raise ValidationError(
                    _("There is no kind “%(name)s”. There are: %(known)s."),
                    params={"name": name, "known": ", ".join(known)},
                )
        if len(set(names)) < len(names):
            raise ValidationError(_("Name each kind once."))
        return names


class KeyInline(RecordedInline):
    model = ApiKey
    fields = ("prefix", "name", "scopes", "created_at", "last_used_at", "revoked_at")


@admin.register(IntegrationPoint)
class IntegrationPointAdmin(Kept):
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
                    ("email_must_be_confirmed", "email_gives_access"),
                    ("mobile_phone_must_be_confirmed", "mobile_phone_gives_access"),
                    ("discount_card_must_be_confirmed", "discount_card_gives_access"),
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
class ApiKeyAdmin(Kept):
    """Keys are made and revoked. The key itself is in one answer, the one to its making, and nowhere else."""

    form = KeyForm
    list_display = ("prefix", "point", "name", "scopes", "created_at", "last_used_at", "state")
    list_select_related = ("point",)
    list_filter = ("point",)
    search_fields = ("prefix", "name")
    actions = ("revoke",)
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

    @admin.action(description=_("Revoke"), permissions=["change"])
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


@admin.register(IdentifierKind)
class IdentifierKindAdmin(Kept):
    """The category is set once: values may be stored by it. The system's own kinds have but a name to
    change.
    """

    list_display = ("name", "system_name", "category", "do_not_merge_different")
    search_fields = ("system_name", "name")
    ordering = ("id",)
    fields = (("system_name", "name"), "category", "do_not_merge_different")
    fixed = ("system_name", "category")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        switch = ("do_not_merge_different",) if obj and obj.category != Categories.UNIQUE else ()
        return (*super().get_readonly_fields(request, obj), *switch)

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "category":
            kwargs["choices"] = [c for c in db_field.choices if c[0] in PROJECT_CATEGORIES]
        return super().formfield_for_choice_field(db_field, request, **kwargs)


@admin.register(CustomField)
class CustomFieldAdmin(Kept):
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


@admin.register(BlockedValue)
class BlockedValueAdmin(Kept):
    form = BlockedValueForm
    list_display = ("shown", "type", "value", "pattern")
    list_filter = ("type",)
    search_fields = ("value", "pattern")
    ordering = ("type", "value", "pattern")
    fields = ("type", "value", "pattern")
    fixed = ()
    actions = ("delete_selected",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("customers.delete_blockedvalue")

    @admin.display(description=_("entry"))
    def shown(self, entry: BlockedValue) -> str:
        return entry.value or entry.pattern


@admin.register(ProjectSettings)
class ProjectSettingsAdmin(Kept):
    """One row, so its list is its page."""

    fields = ("default_region", "shared_device_limit", "suppression_list")
    fixed = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:customers_projectsettings_change", args=[1]))
