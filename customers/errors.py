"""Every refusal the system gives: a closed set of codes, each with its HTTP status and a title (section 12 of
the rules).

A foreseen refusal is raised as `SelfsameError`; nothing of the operation it ends is stored.
"""

from __future__ import annotations

from enum import Enum
from typing import Any


class ErrorCode(Enum):
    """code, HTTP status, title."""

    VALIDATION_ERROR = ("validation_error", 400, "The request is not valid")
    NOT_AUTHENTICATED = ("not_authenticated", 401, "A valid key is needed")
    PERMISSION_DENIED = ("permission_denied", 403, "This key may not do that")
    CUSTOMER_NOT_FOUND = ("customer_not_found", 404, "No such customer")
    NOT_FOUND = ("not_found", 404, "No such resource")
    METHOD_NOT_ALLOWED = ("method_not_allowed", 405, "This method is not allowed here")
    TECHNICAL_ID_NOT_UNIQUE = ("technical_id_not_unique", 409, "Technical IDs must be unique")
    ALREADY_REGISTERED = ("already_registered", 409, "Already registered")
    AMBIGUOUS_CUSTOMER = ("ambiguous_customer", 409, "Unable to uniquely determine the customer")
    MERGE_BLOCKED = ("merge_blocked", 409, "These customers may not be merged")
    STALE_PREVIEW = ("stale_preview", 409, "The preview no longer matches")
    CODE_INVALID = ("code_invalid", 409, "This code or link is not valid")
    CODE_EXPIRED = ("code_expired", 409, "This code or link has expired")
    ERASED_PERSON = ("erased_person", 409, "This person has been erased")
    IDEMPOTENCY_CONFLICT = ("idempotency_conflict", 409, "This idempotency key belongs to another request")
    LENGTH_REQUIRED = ("length_required", 411, "The length of the body is missing")
    TOO_LARGE = ("too_large", 413, "Too large")
    UNSUPPORTED_MEDIA_TYPE = ("unsupported_media_type", 415, "This media type is not supported")
    RATE_LIMITED = ("rate_limited", 429, "Too many requests")
    INTERNAL_ERROR = ("internal_error", 500, "Something went wrong on our side")
    BUSY = ("busy", 503, "Busy, try again")

    status: int
    title: str

    def __new__(cls, code: str, status: int, title: str) -> ErrorCode:
        member = object.__new__(cls)
        member._value_ = code
        member.status = status
        member.title = title
        return member


class SelfsameError(Exception):
    """An operation that was refused. `detail` says what to do next, `data` is what the code promises (IDs,
    reasons, fields).
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

    def problem(self) -> dict[str, Any]:
        """The refusal as an RFC 9457 problem object: an HTTP answer, or a failed item of a batch."""
        return {
            "type": f"urn:selfsame:{self.code.value}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code.value,
            **self.data,
        }


def invalid(*errors: tuple[str, str]) -> SelfsameError:
    """A `validation_error` naming every field at fault as (path, message)."""
    listed = [{"path": path, "message": message} for path, message in errors]
    detail = "; ".join(f"{path}: {message}" if path else message for path, message in errors)
    return SelfsameError(ErrorCode.VALIDATION_ERROR, detail, errors=listed)
