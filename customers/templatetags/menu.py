"""Where a page is, in the words of the menu, so that each page has one name."""

from __future__ import annotations

from typing import Any

from django import template

register = template.Library()


@register.inclusion_tag("admin/breadcrumbs.html", takes_context=True)
def breadcrumbs(context: template.Context) -> dict[str, Any]:
    """The group of the menu, the page, and the object that is shown. A page that is not in the menu has its
    title alone.
    """
    parts = _in_menu(context) or [{"title": context.get("title"), "link": None}]
    original = context.get("original")
    if original and not isinstance(original, str):
        parts.append({"title": original, "link": None})
    return {"parts": parts}


def _in_menu(context: template.Context) -> list[dict[str, Any]]:
    for group in context.get("sidebar_navigation") or ():
        for item in group["items"]:
            if item.get("active"):
                page = {"title": item["title"], "link": item["link"]}
                has_own_name = group.get("title") and group["title"] != item["title"]
                return [{"title": group["title"], "link": None}, page] if has_own_name else [page]
    return []
