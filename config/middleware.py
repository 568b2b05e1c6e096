from collections.abc import Callable

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.middleware import common

from config.health import healthz, readyz
from config.problems import DETAILS, is_api, problem
from customers.errors import ErrorCode, SelfsameError

GetResponse = Callable[[HttpRequest], HttpResponseBase]

LOOSER = {
    "/admin/": {"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]},
    "/api/v1/docs/": {"style-src": [SELF, UNSAFE_INLINE]},
}

PROBES = {"/healthz/": healthz, "/readyz/": readyz}


class HealthMiddleware:
    """Answers probes before anything else: they come by IP address and without TLS."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        probe = PROBES.get(request.path_info, self.get_response)
        return probe(request)


class ContentPolicyMiddleware(CSPMiddleware):
    """The policy of the settings, looser where a page cannot do without.

    The admin's Alpine evaluates attributes and both it and the API's documentation set styles.
    """

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        prefix = next((prefix for prefix in LOOSER if request.path_info.startswith(prefix)), None)
        if prefix:
            parts.update = LOOSER[prefix] | (parts.update or {})
        return parts


class BodyLimitMiddleware:
    """`too_large` for a body above its limit, before a byte of it is read."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        upload = request.content_type == "multipart/form-data"
        if content_length(request) > (settings.MAX_UPLOAD_SIZE if upload else settings.MAX_BODY_SIZE):
            return problem(SelfsameError(ErrorCode.TOO_LARGE, DETAILS[ErrorCode.TOO_LARGE]))
        return self.get_response(request)


def content_length(request: HttpRequest) -> int:
    """Bytes of the body; Django reads none where the header is missing or no number."""
    declared = request.META.get("CONTENT_LENGTH") or "0"
    return int(declared) if declared.isdecimal() else 0


class CommonMiddleware(common.CommonMiddleware):
    """Adds no slash to addresses of the API: the redirect would make a POST a GET without its body."""

    def should_redirect_with_slash(self, request: HttpRequest) -> bool:
        return not is_api(request) and super().should_redirect_with_slash(request)
