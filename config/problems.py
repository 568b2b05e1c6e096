"""Errors as RFC 9457 problem details: the one place where a refusal becomes an HTTP answer."""

import math
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext
from django.views import defaults
from rest_framework import exceptions
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from structlog.stdlib import get_logger

from customers.errors import ErrorCode, SelfsameError, invalid
from customers.presentation.problem import headers_of, problem_json
from customers.storage.transactions import Contended, lost_a_race
from dedup.api.idempotency import REPLAYED, ReplayedRefusal

log = get_logger(__name__)

CODES: tuple[tuple[type[Exception] | tuple[type[Exception], ...], ErrorCode], ...] = (
    ((exceptions.NotAuthenticated, exceptions.AuthenticationFailed), ErrorCode.NOT_AUTHENTICATED),
    ((exceptions.PermissionDenied, PermissionDenied), ErrorCode.PERMISSION_DENIED),
    ((exceptions.NotFound, Http404), ErrorCode.NOT_FOUND),
    (exceptions.MethodNotAllowed, ErrorCode.METHOD_NOT_ALLOWED),
    (exceptions.UnsupportedMediaType, ErrorCode.UNSUPPORTED_MEDIA_TYPE),
    (exceptions.Throttled, ErrorCode.RATE_LIMITED),
    (RequestDataTooBig, ErrorCode.TOO_LARGE),
    ((exceptions.ParseError, SuspiciousOperation), ErrorCode.VALIDATION_ERROR),
)
DETAILS = {
    ErrorCode.NOT_AUTHENTICATED: gettext_noop(
        "Send a valid key in the header 'Authorization: Api-Key <key>'."
    ),
    ErrorCode.NOT_FOUND: gettext_noop("There is nothing at this address. Addresses end in '/'."),
    ErrorCode.LENGTH_REQUIRED: gettext_noop(
        "Send the body in one piece, with its length in the header Content-Length."
    ),
    ErrorCode.TOO_LARGE: gettext_noop("The request is larger than this server accepts. Send less at a time."),
    ErrorCode.BUSY: gettext_noop(
        "Others are changing the same customers. Nothing was stored; send the request again."
    ),
    ErrorCode.INTERNAL_ERROR: gettext_noop(
        "Nothing was stored. Send it again; if it fails again, tell the operator when."
    ),
}

# Whether the last commit took place is not known here; a repeat with the same Idempotency-Key finds out.
UNAVAILABLE = gettext_noop(
    "The database does not answer. Send the request again, with the Idempotency-Key it had."
)


def foreseen(code: ErrorCode) -> SelfsameError:
    """A refusal whose message is fixed."""
    return SelfsameError(code, _(DETAILS[code]))


def problem(error: SelfsameError) -> JsonResponse:
    """The answer to a refusal."""
    headers = headers_of(error)
    if isinstance(error, ReplayedRefusal):
        headers[REPLAYED] = "true"
    return JsonResponse(
        problem_json(error), status=error.status, headers=headers, content_type="application/problem+json"
    )


def exception_handler(error: Exception, _context: dict[str, Any]) -> JsonResponse | None:
    """REST framework's `EXCEPTION_HANDLER`. An unforeseen error is left to Django, which logs it."""
    refusal = as_refusal(error)
    return problem(refusal) if refusal else None


def as_refusal(error: Exception) -> SelfsameError | None:
    """The refusal that an exception means; None for an error that was not foreseen."""
    match error:
        case SelfsameError():
            return error
        case exceptions.ValidationError():
            return invalid(*flattened(error.detail))
        case OperationalError() | Contended() if lost_a_race(error):
            log.warning("database_busy", exc_info=error)
            return foreseen(ErrorCode.BUSY)
        case OperationalError() | InterfaceError():
            log.warning("database_unavailable", exc_info=error)
            return SelfsameError(ErrorCode.BUSY, _(UNAVAILABLE))
        case exceptions.Throttled():
            wait = math.ceil(getattr(error, "wait", None) or 1)
            detail = ngettext("Wait %(count)s second.", "Wait %(count)s seconds.", wait) % {"count": wait}
            return SelfsameError(ErrorCode.RATE_LIMITED, detail, retry_after=wait)
    return next((refused(code, error) for kinds, code in CODES if isinstance(error, kinds)), None)


def refused(code: ErrorCode, error: Exception) -> SelfsameError:
    """The refusal with this code, in our own words where we have some."""
    detail = _(DETAILS[code]) if code in DETAILS else said_by(error) or _(code.title)
    return invalid(("", detail)) if code is ErrorCode.VALIDATION_ERROR else SelfsameError(code, detail)


def said_by(error: Exception) -> str:
    """What REST framework says itself, in the reader's language."""
    return str(error.detail) if isinstance(error, exceptions.APIException) else ""


def flattened(detail: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """REST framework's nested validation messages as (path, message), such as `records[3].email`."""
    match detail:
        case dict():
            for key, value in detail.items():
                yield from flattened(value, path if key == "non_field_errors" else below(path, key))
        case list() if any(isinstance(item, dict | list) for item in detail):
            for index, item in enumerate(detail):
                yield from flattened(item, f"{path}[{index}]")
        case list():
            yield from ((path, str(message)) for message in detail)
        case _:
            yield path, str(detail)


def below(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)


# --- Outside the views of the API ---------------------------------------------------------------------------


TRACK = "/track/"
"""Not part of the API, but called by programs too."""


def is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if is_api(request):
        return problem(as_refusal(exception) or invalid(("", _("The request cannot be read."))))
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if is_api(request):
        return problem(refused(ErrorCode.PERMISSION_DENIED, exception))
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if is_api(request):
        return problem(refused(ErrorCode.NOT_FOUND, exception))
    return defaults.page_not_found(request, exception)


def too_large(request: HttpRequest) -> HttpResponseBase:
    """The answer to a body above its limit: a page for a form of the admin, else a problem object."""
    if request.path_info.startswith("/admin/") and "text/html" in request.headers.get("Accept", ""):
        return render(request, "413.html", {"most": settings.MAX_UPLOAD_SIZE}, status=413)
    return problem(foreseen(ErrorCode.TOO_LARGE))


def server_error(request: HttpRequest) -> HttpResponseBase:
    """The answer to an exception that nothing caught, in a view or a middleware: a middleware may be the
    first to notice that the database does not answer.
    """
    error = sys.exception()
    refusal = as_refusal(error) if isinstance(error, Exception) else None
    if refusal and refusal.code is ErrorCode.BUSY:
        return unavailable(request, refusal)
    if is_api(request):
        return problem(foreseen(ErrorCode.INTERNAL_ERROR))
    return defaults.server_error(request)


def unavailable(request: HttpRequest, refusal: SelfsameError) -> HttpResponseBase:
    """`busy`, as a page for people."""
    if is_api(request) or request.path_info == TRACK:
        return problem(refusal)
    page = render_to_string("503.html", request=request)
    return HttpResponse(page, status=refusal.status, headers=headers_of(refusal))


# --- Content negotiation ------------------------------------------------------------------------------------


class LenientNegotiation(DefaultContentNegotiation):
    """Answers in JSON where a client accepts nothing that we have, instead of refusing."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        known = list(renderers)
        if len(known) == 1:
            return known[0], str(known[0].media_type)
        try:
            renderer, media_type = super().select_renderer(request, known, format_suffix)
        except exceptions.NotAcceptable:
            return known[0], str(known[0].media_type)
        return renderer, media_type
