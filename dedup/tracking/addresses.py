"""Addresses of pages as they are stored: without the values of parameters that say who somebody is, or let
them in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote, unquote_plus

from django.conf import settings

PARAMETER = re.compile(r"([?&#;])([^=?&#;]+)=([^&#;]*)")
"""Of the query or of the fragment, which may have a query of its own."""


def without_secrets(url: str) -> str:
    """The address with sensitive parameters (`SENSITIVE_PARAMETERS`) left empty, also in addresses that are
    themselves a parameter.
    """
    return PARAMETER.sub(_without_secret, url)


def _without_secret(found: re.Match[str]) -> str:
    mark, name, value = found.groups()
    if unquote_plus(name).strip().lower() in settings.SENSITIVE_PARAMETERS:
        return f"{mark}{name}="
    inner = unquote(value)
    cleaned = without_secrets(inner) if inner != value else value
    return found[0] if cleaned == inner else f"{mark}{name}={quote(cleaned, safe='')}"


def with_clean_addresses(properties: Mapping[str, Any]) -> dict[str, Any]:
    """What a page says beside its address; the values that are addresses, such as its referrer."""
    return {
        name: without_secrets(value) if isinstance(value, str) and "://" in value else value
        for name, value in properties.items()
    }
