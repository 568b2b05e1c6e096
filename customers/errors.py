"""Every refusal there is: a closed set of codes, each with its HTTP status and a title (section 12 of the
rules).

A foreseen refusal is raised as `SelfsameError`; nothing of the operation that it ends is stored.
`customers.presentation.problem` makes JSON of it. Pure: titles are translated by whoever shows them.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from customers.texts import gettext_noop


class ErrorCode(Enum):
    """code, HTTP status, title."""

    VALIDATION_ERROR = ("validation_error", 400, gettext_noop("The request is not valid"))
    NOT_AUTHENTICATED = ("not_authenticated", 401, gettext_noop("A valid key is needed"))
    PERMISSION_DENIED = ("permission_denied", 403, gettext_noop("This key may not do that"))
    CUSTOMER_NOT_FOUND = ("customer_not_found", 404, gettext_noop("No such customer"))
    NOT_FOUND = ("not_found", 404, gettext_noop("No such resource"))
    METHOD_NOT_ALLOWED = ("method_not_allowed", 405, gettext_noop("This method is not allowed here"))
    TECHNICAL_ID_NOT_UNIQUE = ("technical_id_not_unique", 409, gettext_noop("Technical IDs must be unique"))
    ALREADY_REGISTERED = ("already_registered", 409, gettext_noop("Already registered"))
    AMBIGUOUS_CUSTOMER = (
        "ambiguous_customer",
        409,
        gettext_noop("Unable to uniquely determine the customer"),
    )
    MERGE_BLOCKED = ("merge_blocked", 409, gettext_noop("These customers may not be merged"))
    STALE_PREVIEW = ("stale_preview", 409, gettext_noop("The preview no longer matches"))
    CODE_INVALID = ("code_invalid", 409, gettext_noop("This code or link is not valid"))
    CODE_EXPIRED = ("code_expired", 409, gettext_noop("This code or link has expired"))
    ERASED_PERSON = ("erased_person", 409, gettext_noop("This person has been erased"))
    IDEMPOTENCY_CONFLICT = (
        "idempotency_conflict",
        409,
        gettext_noop("This idempotency key belongs to another request"),
    )
    LENGTH_REQUIRED = ("length_required", 411, gettext_noop("The length of the body is missing"))
    TOO_LARGE = ("too_large", 413, gettext_noop("Too large"))
    UNSUPPORTED_MEDIA_TYPE = ("unsupported_media_type", 415, gettext_noop("This media type is not supported"))
    RATE_LIMITED = ("rate_limited", 429, gettext_noop("Too many requests"))
    INTERNAL_ERROR = ("internal_error", 500, gettext_noop("Something went wrong on our side"))
    BUSY = ("busy", 503, gettext_noop("Busy, try again"))

    status: int
    title: str

    def __new__(cls, code: str, status: int, title: str) -> ErrorCode:
        member = object.__new__(cls)
        member._value_ = code
        member.status = status
        member.title = title
        return member


class SelfsameError(Exception):
    """An operation that was refused. `detail` says in the reader's language what to do next, `data` is what
    the code promises (MaestraIDs, reasons, fields).
    """

    def __init__(self, code: ErrorCode, detail: str, **data: Any) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.data = data

    @property
    def status(self) -> int:
        return self.code.status

    @property
    def title(self) -> str:
        return self.code.title


FAULTS_LISTED = 100
"""Faults that a refusal lists at most; of the rest it tells the number."""


def invalid(*errors: tuple[str, str], most: int = FAULTS_LISTED) -> SelfsameError:
    """A `validation_error` naming the fields at fault as (path, message), so many at most; `more_errors` is
    the number of the others.
    """
    told = errors[:most]
    listed = [{"path": path, "message": message} for path, message in told]
    detail = "; ".join(f"{path}: {message}" if path else message for path, message in told)
    more = {"more_errors": len(errors) - most} if len(errors) > most else {}
    return SelfsameError(ErrorCode.VALIDATION_ERROR, detail, errors=listed, **more)


def shortened(error: SelfsameError, most: int) -> SelfsameError:
    """The same refusal, listing so many faults at most."""
    faults = [(fault["path"], fault["message"]) for fault in error.data.get("errors", ())]
    if len(faults) <= most:
        return error
    shorter = invalid(*faults, most=most)
    shorter.data["more_errors"] += error.data.get("more_errors", 0)
    return shorter
