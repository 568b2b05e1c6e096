import re
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, tzinfo
from functools import cache
from typing import Any
from urllib.parse import SplitResult
from uuid import uuid4
from zoneinfo import ZoneInfo

from corsheaders import middleware as cors
from csp.constants import HEADER, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.utils import build_policy
from django.conf import settings
from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest, HttpResponseBase
from django.middleware import common
from django.utils import timezone
from structlog.contextvars import bound_contextvars
from whitenoise import middleware as whitenoise

from config.health import healthz, readyz
from config.metrics import metrics
from config.problems import foreseen, is_api, problem, too_large
from customers.api.json_body import content_length
from customers.errors import ErrorCode
from customers.setup.project_config import pinned_project_config
from dedup.tracking.sites import is_of_a_site

GetResponse = Callable[[HttpRequest], HttpResponseBase]

ADMIN = "/admin/"
LOOSER = {
    ADMIN: {"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]},
    "/api/v1/docs/": {"style-src": [SELF, UNSAFE_INLINE]},
}

PROBES: dict[str, Callable[[HttpRequest], HttpResponseBase]] = {
    "/healthz/": healthz,
    "/readyz/": readyz,
    "/metrics": metrics,
}


class RequestIdMiddleware:
    """Gives every answer a number, the caller's own if it sent one, which stands in each line of the log that
    the request leaves.
    """

    HEADER = "X-Request-Id"
    OF_CALLER = re.compile(r"[A-Za-z0-9._-]{1,128}")

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        sent = request.headers.get(self.HEADER, "")
        number = sent if self.OF_CALLER.fullmatch(sent) else uuid4().hex
        with bound_contextvars(request_id=number):
            response = self.get_response(request)
        response.headers[self.HEADER] = number
        return response


class HealthMiddleware:
    """Answers probes and scrapes before anything else: they come by IP address and without TLS."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        probe = PROBES.get(request.path_info, self.get_response)
        return probe(request)


class ContentPolicyMiddleware:
    """The Content-Security-Policy of the settings, looser for pages that need it: the admin's Alpine
    evaluates attributes, and both the admin and the API's documentation set styles.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if settings.DEBUG and response.status_code in (404, 500):
            return response  # Django's own page about them, which styles itself
        prefix = next((prefix for prefix in LOOSER if request.path_info.startswith(prefix)), "")
        response.headers.setdefault(HEADER, policy(prefix))
        return response


@cache
def policy(prefix: str) -> str:
    """The header for addresses below `prefix`."""
    return build_policy(update=LOOSER.get(prefix))


def is_call(request: HttpRequest) -> bool:
    """Whether a program calls the API. With a cookie it may be a member of staff who has a session."""
    return is_api(request) and not request.META.get("HTTP_COOKIE")


class ForPeople:
    """A middleware that calls of programs skip: they send a key, and have no session, cookies or pages."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        beyond = self.get_response if is_call(request) else super().__call__  # type: ignore[misc]
        return beyond(request)


class WhiteNoiseMiddleware(ForPeople, whitenoise.WhiteNoiseMiddleware):  # type: ignore[misc]  # it is Any
    """Static files."""


class CorsMiddleware(ForPeople, cors.CorsMiddleware):
    """Lets pages of registered sites send activity."""

    def origin_found_in_white_lists(self, origin: str, url: SplitResult) -> bool:
        return super().origin_found_in_white_lists(origin, url) or is_of_a_site(origin)


class SessionMiddleware(ForPeople, sessions.SessionMiddleware):
    """Sessions of staff."""


class AuthenticationMiddleware(ForPeople, auth.AuthenticationMiddleware):
    """The user of the session."""


class MessageMiddleware(ForPeople, messages.MessageMiddleware):
    """Messages of one page that the next one shows."""


class TimeZoneMiddleware:
    """Shows times in the time zone of the browser, which a cookie names; without one, in UTC."""

    COOKIE = "time_zone"

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with timezone.override(zone_named(request.COOKIES.get(self.COOKIE, ""))):
            return self.get_response(request)


def zone_named(name: str) -> tzinfo:
    """The IANA time zone, UTC where there is none of this name."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return UTC


class ProjectConfigMiddleware:
    """Reads the set-up once for a page of the admin, so that the whole page shows the same state of it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        is_page = request.method == "GET" and request.path_info.startswith(ADMIN)
        with pinned_project_config() if is_page else nullcontext():
            return self.get_response(request)


class BodyLimitMiddleware:
    """`too_large` for a body above its limit, before a byte of it is read; `length_required` for a body in
    chunks, whose length is not known beforehand.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "HTTP_TRANSFER_ENCODING" in request.META:
            return problem(foreseen(ErrorCode.LENGTH_REQUIRED))
        upload = request.content_type == "multipart/form-data"
        if content_length(request) > (settings.MAX_UPLOAD_SIZE if upload else settings.MAX_BODY_SIZE):
            return too_large(request)
        return self.get_response(request)


class CommonMiddleware(common.CommonMiddleware):
    """Adds no slash to addresses of the API: the redirect would make a POST a GET without its body."""

    def should_redirect_with_slash(self, request: HttpRequest) -> bool:
        return not is_api(request) and super().should_redirect_with_slash(request)
