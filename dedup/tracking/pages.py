"""The endpoints without a secret key: what pages send, and personal links."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from customers.errors import ErrorCode, SelfsameError
from customers.redis.rate_limit import is_within_limit, seconds_left
from customers.setup.project_config import project_config
from dedup.tracking.inbox import append
from dedup.tracking.links import address_with_visit_token, browser, follow, leads_to, read_link
from dedup.tracking.sites import BODY_LIMIT, read_page, refuse_other_origins, site_of

COOKIE = "selfsame_device"
OPT_OUT_COOKIE = "selfsame_opt_out"
COOKIE_LIFE = timedelta(days=365)


@extend_schema(exclude=True)
class TrackView(APIView):
    """Takes what a page's tracker sends. A beacon comes as text, so every content type is read as JSON."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    body_limit = BODY_LIMIT

    def get_parsers(self) -> list[BaseParser]:
        parsers = super().get_parsers()
        for parser in parsers:
            parser.media_type = "*/*"
        return parsers

    def post(self, request: Request) -> Response:
        refuse_too_many(request)
        site = site_of(request.query_params.get("key", ""))
        refuse_other_origins(site, request.headers.get("Origin"))
        config = project_config()
        events = read_page(request.data, site, config, timezone.now())
        append(events, site.point_id, config)
        return Response({"accepted": len(events)}, status=HTTPStatus.ACCEPTED)


def refuse_too_many(request: Request) -> None:
    """Limit the requests a minute from one address. Without Redis nobody is refused."""
    if not is_within_limit(f"track:{address_of(request)}", settings.TRACK_REQUESTS_PER_MINUTE):
        wait = seconds_left()
        detail = _("Wait %(seconds)s seconds.") % {"seconds": wait}
        raise SelfsameError(ErrorCode.RATE_LIMITED, detail, retry_after=wait)


def address_of(request: Request) -> str:
    """The address a request comes from: from our own proxy, where there is one, else the connection's."""
    forwarded: str = request.META.get("HTTP_X_FORWARDED_FOR", "")
    if settings.SECURE_PROXY_SSL_HEADER and forwarded:
        return forwarded.rpartition(",")[2].strip()
    return str(request.META.get("REMOTE_ADDR", ""))


@never_cache
@require_safe
def personal_link(request: HttpRequest, token: str) -> HttpResponse:
    """Redirects to the page that was named when the link was made, and nowhere else (R49).

    Prefetches, expired links and people who do not want to be tracked are redirected without being recorded.
    """
    link = read_link(token)
    site = leads_to(link) if link else None
    if link is None or site is None:
        return render(request, "link.html", status=HTTPStatus.NOT_FOUND)
    now = timezone.now()
    if now >= link.expires_at or not may_be_recorded(request):
        return redirect_to(link.url)
    device = browser(request.COOKIES.get(COOKIE))
    follow(link, device, project_config(), now)
    is_own_page = urlsplit(link.url).hostname == request.get_host().partition(":")[0]
    response = redirect_to(link.url if is_own_page else address_with_visit_token(link))
    response.set_cookie(
        COOKIE, device, max_age=COOKIE_LIFE, samesite="Lax", secure=request.is_secure(), httponly=False
    )
    return response


def may_be_recorded(request: HttpRequest) -> bool:
    """Whether it is a real visit, by somebody who did not opt out of tracking, here or in their browser."""
    ahead = "prefetch" in request.headers.get("Sec-Purpose", request.headers.get("Purpose", ""))
    opted_out = OPT_OUT_COOKIE in request.COOKIES
    signals = (request.headers.get("Sec-GPC"), request.headers.get("DNT"))
    return request.method == "GET" and not ahead and not opted_out and "1" not in signals


def redirect_to(url: str) -> HttpResponse:
    """A redirect after which the page does not learn the link, which would say who the customer is."""
    response = HttpResponseRedirect(url)
    response["Referrer-Policy"] = "no-referrer"
    return response
