"""Integration points and their API keys."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldBooleanWidget,
)

from customers.admin.base import ReadOnlyInline, SetupAdmin, ask, link
from customers.admin.key_scopes import Staff, beyond
from customers.admin.ordered_choice_widget import InOrder, InOrderField, lookup_kinds
from customers.contact_types import CONTACT_TYPES
from customers.models import (
    PASSIVE_KINDS,
    ApiKey,
    IntegrationPoint,
    Scopes,
)
from customers.setup.integration_points import make_key


def checkboxes(choices: Any, label: Any, help_text: Any = "") -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        choices=choices,
        required=False,
        label=label,
        help_text=help_text,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )


def scopes_field(label: Any, help_text: Any = "") -> forms.MultipleChoiceField:
    return checkboxes(Scopes.choices, label, help_text)


def contact_choices() -> list[tuple[str, str]]:
    return [(type_.name, gettext(type_.label)) for type_ in CONTACT_TYPES]


AS_USUAL = ""
PERSONAL_ACTIONS = [
    (AS_USUAL, _("As is usual for the kind")),
    ("True", _("Yes: customers act themselves")),
    ("False", _("No: a file, another system or a colleague speaks of them")),
]
BEYOND = _(
    "You may not see or do yourself what these scopes allow: %(scopes)s. Choose others, or ask somebody "
    "who may."
)


class StaffFormAdmin(SetupAdmin):
    """Gives its form the member of staff who fills it in."""

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"user": request.user})


class PointForm(forms.ModelForm[IntegrationPoint]):
    user: Staff
    personal_actions = forms.TypedChoiceField(
        choices=PERSONAL_ACTIONS,
        coerce=lambda chosen: str(chosen) == "True",
        empty_value=None,
        required=False,
        label=_("Counts as customer activity"),
        help_text=_(
            "What customers do themselves counts for priority, brings erased persons back and ends an "
            "unsubscription. Usual for a website, an app, a point of sale and a call centre."
        ),
        widget=UnfoldAdminSelectWidget,
    )
    is_looked_at_twice = forms.BooleanField(
        required=False,
        label=_("Although its kind is a CRM, a file import or the admin"),
        help_text=_("Only needed if you chose yes for such a kind."),
        widget=UnfoldBooleanWidget,
    )
    must_be_confirmed = checkboxes(
        contact_choices,
        _("Must be confirmed"),
        _("These contacts wait until the customer has confirmed them."),
    )
    gives_access = checkboxes(
        contact_choices,
        _("Give account access"),
        _("Customers sign in with these contacts, and no merge takes them away."),
    )
    default_scopes = scopes_field(_("Scopes of new keys"))
    lookup_by = InOrderField(
        choices=lookup_kinds,
        required=False,
        label=_("Find customers by"),
        help_text=_(
            "The identifiers by which records of this point find customers, in this order. None chosen: "
            "MaestraID, unique identifiers, then other identifiers."
        ),
        widget=InOrder(UnfoldAdminSelectWidget()),
    )

    def clean_default_scopes(self) -> list[str]:
        """A key that is made without chosen scopes gets these."""
        scopes: list[str] = self.cleaned_data["default_scopes"]
        if excess := beyond(self.user, set(scopes) - set(self.instance.default_scopes)):
            raise forms.ValidationError(BEYOND % {"scopes": ", ".join(excess)})
        return scopes

    def clean(self) -> dict[str, Any]:
        """A yes for a kind that speaks of customers needs a second look (R13)."""
        cleaned: dict[str, Any] = super().clean() or {}
        kind, is_personal = cleaned.get("kind"), cleaned.get("personal_actions")
        is_unusual = is_personal and kind in PASSIVE_KINDS and not cleaned.get("is_looked_at_twice")
        if is_unusual and {"kind", "personal_actions"} & set(self.changed_data):
            self.add_error(
                "is_looked_at_twice",
                _(
                    "A file with such a point brings back persons who were erased, and subscribes those who "
                    "unsubscribed. Tick this if its records really are what customers did themselves."
                ),
            )
        return cleaned


class KeyInline(ReadOnlyInline):
    model = ApiKey
    fields = ("prefix", "name", "scopes", "created_at", "last_used_at", "revoked_at")


@admin.register(IntegrationPoint)
class IntegrationPointAdmin(StaffFormAdmin):
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
                    "is_enabled",
                    ("personal_actions", "is_looked_at_twice"),
                    "lookup_by",
                    "default_scopes",
                )
            },
        ),
        (
            _("Contacts that arrive from now on"),
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
            return str(_("Save the integration point first."))
        return link(f"{reverse('admin:customers_apikey_add')}?point={point.pk}", _("Create a key"))


class KeyForm(forms.ModelForm[ApiKey]):
    scopes = scopes_field(
        _("Scopes"),
        _(
            "None chosen: the scopes that the integration point gives to new keys. A key may see and do at "
            "most what you may."
        ),
    )
    user: Staff

    def clean(self) -> dict[str, Any] | None:
        point = self.cleaned_data.get("point")
        chosen = self.cleaned_data.get("scopes") or (point.default_scopes if point else [])
        if excess := beyond(self.user, chosen):
            self.add_error("scopes", BEYOND % {"scopes": ", ".join(excess)})
        elif point and not chosen:
            self.add_error("scopes", gettext("A key without a scope can do nothing. Choose at least one."))
        return super().clean()


@admin.register(ApiKey)
class ApiKeyAdmin(StaffFormAdmin):
    """Keys are created and revoked. The key itself is shown once, when it is created, and never stored."""

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
        return ("revoked", _("revoked")) if key.revoked_at else ("works", _("active"))

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        """Create the key in place of the row of the form; its text lives as long as this request."""
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
            "title": _("Revoke keys?"),
            "warning": _(
                "Requests with these keys will be refused from now on. A revoked key cannot be activated "
                "again."
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
