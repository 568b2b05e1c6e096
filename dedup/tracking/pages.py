"""The doors without a secret key: what pages send, and where personal links lead."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from customers.api.access import KeyThrottle
from customers.errors import ErrorCode, SelfsameError
from customers.setup.project_config import project_config
from dedup.tracking.inbox import append
from dedup.tracking.links import browser, follow, handed_over, leads_to, read_link
from dedup.tracking.sites import BODY_LIMIT, read_page, refuse_other_origins, site_of

COOKIE = "selfsame_device"
OPT_OUT_COOKIE = "selfsame_opt_out"
COOKIE_LIFE = timedelta(days=365)


@extend_schema(exclude=True)
class TrackView(APIView):
    """Takes what a page's tracker sends. A beacon is text to the browser, so any content type is read as
    JSON.
    """

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def get_parsers(self) -> list[BaseParser]:
        parsers = super().get_parsers()
        for parser in parsers:
            parser.media_type = "*/*"
        return parsers

    def post(self, request: Request) -> Response:
        refuse_too_many(request)
        site = site_of(request.query_params.get("key", ""))
        refuse_other_origins(site, request.headers.get("Origin"))
        if int(request.META.get("CONTENT_LENGTH") or 0) > BODY_LIMIT:
            raise SelfsameError(ErrorCode.TOO_LARGE, f"A page sends up to {BODY_LIMIT} bytes at once.")
        config = project_config()
        events = read_page(request.data, site, config, timezone.now())
        append(events, site.point_id, config)
        return Response({"accepted": len(events)}, status=HTTPStatus.ACCEPTED)


def refuse_too_many(request: Request) -> None:
    """So many requests a minute of one address. Without Redis nobody is refused."""
    limit: int = settings.TRACK_REQUESTS_PER_MINUTE
    if limit and not KeyThrottle.is_within(f"track:{address_of(request)}", limit):
        wait = KeyThrottle().wait()
        raise SelfsameError(ErrorCode.RATE_LIMITED, f"Wait {wait:.0f} seconds.", retry_after=round(wait))


def address_of(request: Request) -> str:
    """Where the request comes from: what our own proxy says, if there is one, and nobody else's header."""
    forwarded: str = request.META.get("HTTP_X_FORWARDED_FOR", "")
    if settings.SECURE_PROXY_SSL_HEADER and forwarded:
        return forwarded.rpartition(",")[2].strip()
    return str(request.META.get("REMOTE_ADDR", ""))


@never_cache
@require_safe
def personal_link(request: HttpRequest, token: str) -> HttpResponse:
    """Leads to the page, which the sender named when the link was made, and nowhere else (R49).

    What only looks at the link, and who does not want to be followed, are led on all the same.
    """
    link = read_link(token)
    site = leads_to(link) if link else None
    if link is None or site is None:
        return render(request, "link.html", status=HTTPStatus.NOT_FOUND)
    now = timezone.now()
    if now >= link.expires_at or not wants_to_be_known(request):
        return led_to(link.url)
    device = browser(request.COOKIES.get(COOKIE))
    follow(link, device, project_config(), now)
    is_own_page = urlsplit(link.url).hostname == request.get_host().partition(":")[0]
    response = led_to(link.url if is_own_page else handed_over(link))
    response.set_cookie(
        COOKIE, device, max_age=COOKIE_LIFE, samesite="Lax", secure=request.is_secure(), httponly=False
    )
    return response


def wants_to_be_known(request: HttpRequest) -> bool:
    """Neither a look ahead, nor somebody who opted out or whose browser says not to track them."""
    ahead = "prefetch" in request.headers.get("Sec-Purpose", request.headers.get("Purpose", ""))
    opted_out = OPT_OUT_COOKIE in request.COOKIES
    signals = (request.headers.get("Sec-GPC"), request.headers.get("DNT"))
    return request.method == "GET" and not ahead and not opted_out and "1" not in signals


def led_to(url: str) -> HttpResponse:
    response = HttpResponseRedirect(url)
    response["Referrer-Policy"] = "no-referrer"
    return response
