"""The rest of the set-up: custom fields and the settings of the project."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from customers.admin.base import SetupAdmin
from customers.models import (
    CustomField,
    ProjectSettings,
)


@admin.register(CustomField)
class CustomFieldAdmin(SetupAdmin):
    list_display = ("name", "system_name", "type", "merge")
    search_fields = ("system_name", "name")
    ordering = ("system_name",)
    fields = (("system_name", "name"), "type", "merge")
    fixed = ("system_name", "type")


@admin.register(ProjectSettings)
class ProjectSettingsAdmin(SetupAdmin):
    """One row, so its list is its page."""

    fields = ("default_region", "shared_device_limit", "suppression_list")
    fixed = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:customers_projectsettings_change", args=[1]))
