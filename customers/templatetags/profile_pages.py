"""What the templates of the pages share: times in the reader's zone, badges, and small icons."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

register = template.Library()


def as_moment(value: datetime | str) -> datetime:
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return timezone.localtime(at)


@register.filter
def when(value: datetime | str | None) -> SafeString | str:
    """A time of the reader's zone, to the minute."""
    return _time(value, "j M Y, H:i") if value else "–"


@register.filter
def day(value: datetime | str | None) -> SafeString | str:
    return _time(value, "j M Y") if value else "–"


@register.filter
def clock(value: datetime | str) -> SafeString:
    return _time(value, "H:i")


def _time(value: datetime | str, form: str) -> SafeString:
    at = as_moment(value)
    title = date_format(at, "j F Y, H:i:s T")
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', at.isoformat(), title, date_format(at, form)
    )


@register.inclusion_tag("admin/customers/badges.html")
def badges(contact: Any) -> dict[str, Any]:
    """What is true of a contact, as badges."""
    return {"contact": contact}


@register.simple_tag
def icon(name: str) -> SafeString:
    return format_html('<span class="material-symbols-outlined sf-icon" aria-hidden="true">{}</span>', name)


@register.simple_tag(takes_context=True)
def page_query(context: template.Context, name: str, value: str) -> str:
    """The address's query with this parameter, or without it where the value is empty."""
    parameters = context["request"].GET.copy()
    parameters.pop(name, None)
    if value:
        parameters[name] = value
    return f"?{parameters.urlencode()}"


@register.filter
def day_text(value: datetime | str) -> str:
    """A day as text alone, for a picture."""
    return date_format(as_moment(value), "j M Y")


@register.filter
def earlier_than(value: datetime | str, other: datetime | str) -> bool:
    return as_moment(value) < as_moment(other)


@register.filter
def get(mapping: Mapping[str, Any], name: str) -> Any:
    return mapping.get(name)


@register.filter
def who(name: str) -> str:
    """Who acted, in words."""
    kind, _colon, who = name.partition(":")
    match kind:
        case "key":
            return _("API key %s") % who
        case "user":
            return who
    return _("the system")


@register.filter
def actor(name: str) -> str:
    """The same in a line of history."""
    return _("by %s") % who(name)
