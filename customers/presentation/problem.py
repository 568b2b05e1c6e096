"""A refusal as JSON (RFC 9457)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from customers.errors import SelfsameError


def problem_json(error: SelfsameError) -> dict[str, Any]:
    """The problem object of a refusal: the whole answer, or a failed item of a batch."""
    return {
        "type": f"urn:selfsame:{error.code.value}",
        "title": _(error.title),
        "status": error.status,
        "detail": error.detail,
        "code": error.code.value,
        **error.data,
    }
