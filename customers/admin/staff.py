"""Staff and their roles, in the admin's own look. A role is a set of things its members may do."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Count, Q, QuerySet
from django.forms.models import ModelChoiceIterator
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from customers.admin.base import ReadOnlyAdmin, SetupAdmin

admin.site.unregister(User)
admin.site.unregister(Group)

MEANINGS: dict[str, str | Promise] = {
    "customers.change_customer": _("Opt customers out and export their data"),
    "customers.delete_customer": _("Erase customers"),
    "customers.add_note": _("Write notes"),
}
"""What a permission allows, where its own name does not say it. Apps above add theirs."""

ACTIONS = {"view": _("View"), "add": _("Add"), "change": _("Change"), "delete": _("Delete")}


def offered() -> QuerySet[Permission]:
    """The permissions that some page asks for: none to change what cannot be changed."""
    wanted = Q(pk__in=[])
    for model, page in admin.site._registry.items():
        of_model = Q(
            content_type__app_label=model._meta.app_label, content_type__model=model._meta.model_name
        )
        if isinstance(page, ReadOnlyAdmin):
            plain = [f"{action}_{model._meta.model_name}" for action in ("add", "change", "delete")]
            of_model &= ~Q(codename__in=plain)
        elif (
            isinstance(page, SetupAdmin)
            and type(page).has_delete_permission is SetupAdmin.has_delete_permission
        ):
            of_model &= ~Q(codename=f"delete_{model._meta.model_name}")
        wanted |= of_model
    for name in MEANINGS:
        app, codename = name.split(".")
        wanted |= Q(content_type__app_label=app, codename=codename)
    permissions = Permission.objects.filter(wanted).select_related("content_type")
    return permissions.order_by("content_type__app_label", "content_type__model", "pk")


class ByModel(ModelChoiceIterator):  # type: ignore[type-arg]
    """Permissions grouped by what they are about."""

    def __iter__(self) -> Iterator[Any]:
        for content_type, permissions in groupby(self.queryset, key=lambda p: p.content_type):
            model = content_type.model_class()
            name = model._meta.verbose_name_plural if model else content_type.name
            yield capfirst(str(name)), [self.choice(permission) for permission in permissions]


class Checkboxes(UnfoldAdminCheckboxSelectMultipleWidget):  # type: ignore[misc]
    template_name = "admin/customers/checkbox_groups.html"

    class Media:
        css = {"all": ("customers/setup.css",)}


class PermissionsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    iterator = ByModel

    def label_from_instance(self, permission: Any) -> str:
        if meaning := MEANINGS.get(f"{permission.content_type.app_label}.{permission.codename}"):
            return str(meaning)
        action, _separator, model = permission.codename.partition("_")
        is_plain = model == permission.content_type.model and action in ACTIONS
        return str(ACTIONS[action]) if is_plain else permission.name


class RoleForm(forms.ModelForm[Group]):
    permissions = PermissionsField(
        queryset=Permission.objects.none(),
        required=False,
        label=_("Permissions"),
        widget=Checkboxes,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["permissions"].queryset = offered()  # type: ignore[attr-defined]

    def clean_permissions(self) -> QuerySet[Permission]:
        """The chosen ones, and those of the role that the page does not offer."""
        chosen: QuerySet[Permission] = self.cleaned_data["permissions"]
        if not self.instance.pk:
            return chosen
        kept = self.instance.permissions.exclude(pk__in=offered().values("pk"))
        return Permission.objects.filter(Q(pk__in=chosen.values("pk")) | Q(pk__in=kept.values("pk")))


@admin.register(User)
class UserAdmin(BaseUserAdmin, ModelAdmin):  # type: ignore[misc,type-arg]
    """Permissions come from roles alone, so that one page shows who may do what."""

    compressed_fields = False
    filter_horizontal = ()
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": (("first_name", "last_name"), "email")}),
        (_("Permissions"), {"fields": ("is_active", "is_staff", "groups", "is_superuser")}),
        (_("Dates"), {"fields": (("last_login", "date_joined"),)}),
    )
    readonly_fields = ("last_login", "date_joined")
    list_display = ("username", "first_name", "last_name", "roles", "is_active", "is_superuser", "last_login")
    list_filter = ("groups", "is_active", "is_superuser")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """There are few roles: each has its box."""
        roles = {
            "label": _("Roles"),
            "help_text": _("Permissions of several roles add up."),
            "widget": UnfoldAdminCheckboxSelectMultipleWidget,
        }
        kwargs |= roles if db_field.name == "groups" else {}
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    @admin.display(description=_("roles"))
    def roles(self, user: User) -> str | None:
        return ", ".join(group.name for group in user.groups.all()) or None


@admin.register(Group)
class GroupAdmin(BaseGroupAdmin, ModelAdmin):  # type: ignore[misc]
    compressed_fields = False
    form = RoleForm
    filter_horizontal = ()
    list_display = ("name", "members", "abilities")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        counts = {
            "member_count": Count("user", distinct=True),
            "ability_count": Count("permissions", distinct=True),
        }
        return super().get_queryset(request).annotate(**counts)

    @admin.display(description=_("members of staff"))
    def members(self, group: Any) -> int:
        return int(group.member_count)

    @admin.display(description=_("permissions"))
    def abilities(self, group: Any) -> int:
        return int(group.ability_count)
