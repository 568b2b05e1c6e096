"""The admin's frame around a page of this app."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest
from django.template.response import TemplateResponse


def framed_page(
    request: HttpRequest,
    model_admin: ModelAdmin[Any],
    template: str,
    **context: Any,
) -> TemplateResponse:
    """A page of `admin/dedup/` in the admin's frame. Personal data is on it, so nothing may store a copy."""
    frame = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "show_back_button": True,
        "own_heading": True,
        **context,
    }
    response = TemplateResponse(request, f"admin/dedup/{template}", frame)
    response.headers["Cache-Control"] = "no-store"
    return response
