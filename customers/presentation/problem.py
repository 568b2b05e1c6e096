"""A refusal as JSON (RFC 9457), and the headers that go with it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from customers.errors import ErrorCode, SelfsameError

RETRY_AFTER = 1
"""Seconds after which another try is worth it, where nothing more exact is known."""


def problem_json(error: SelfsameError) -> dict[str, Any]:
    """The problem object of a refusal: the whole answer, or a failed item of a batch."""
    return {
        "type": f"urn:selfsame:{error.code.value}",
        "title": _(error.title),
        "status": error.status,
        "detail": _detail(error),
        "code": error.code.value,
        **error.data,
    }


def _detail(error: SelfsameError) -> str:
    """What is wrong, and where not all of it is listed, how much more there is."""
    more: int = error.data.get("more_errors", 0)
    if not more:
        return error.detail
    others = ngettext("There is %(count)s more fault.", "There are %(count)s more faults.", more)
    return f"{error.detail} {others % {'count': more}}"


def headers_of(error: SelfsameError) -> dict[str, str]:
    """The headers of an answer that refuses: when to try again, and with what."""
    match error.code:
        case ErrorCode.NOT_AUTHENTICATED:
            return {"WWW-Authenticate": "Api-Key"}
        case ErrorCode.RATE_LIMITED | ErrorCode.BUSY:
            return {"Retry-After": str(error.data.get("retry_after", RETRY_AFTER))}
    return {}
