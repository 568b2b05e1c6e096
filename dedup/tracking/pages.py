"""The endpoints without a secret key: what pages send, and personal links."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from urllib.parse import urlsplit

from csp.constants import HEADER, SELF
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from customers.client_address import client_address
from customers.errors import ErrorCode, SelfsameError
from customers.redis.rate_limit import counted
from customers.setup.project_config import project_config
from dedup.origins import origin_of_url
from dedup.tracking.inbox import append
from dedup.tracking.links import Link, address_with_visit_token, browser, follow, leads_to, read_link
from dedup.tracking.sites import BODY_LIMIT, read_page, refuse_other_origins, site_of
from dedup.tracking.visitors import may_be_recorded

COOKIE = "selfsame_device"
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
        self.headers.update(refuse_too_many(request))
        site = site_of(request.query_params.get("key", ""))
        refuse_other_origins(site, request.headers.get("Origin"))
        config = project_config()
        events = read_page(request.data, site, config, timezone.now())
        append(events, site.point_id, config)
        return Response({"accepted": len(events)}, status=HTTPStatus.ACCEPTED)


def refuse_too_many(request: Request) -> dict[str, str]:
    """Limit the requests a minute from one address; the headers that say how many are left. Without Redis
    nobody is refused.
    """
    allowance = counted(f"track:{client_address(request)}", settings.TRACK_REQUESTS_PER_MINUTE)
    if allowance and allowance.is_exceeded:
        wait = allowance.seconds_left
        detail = _("Wait %(seconds)s seconds.") % {"seconds": wait}
        raise SelfsameError(ErrorCode.RATE_LIMITED, detail, retry_after=wait)
    return allowance.headers() if allowance else {}


@never_cache
@csrf_exempt  # the token in the address is the proof, and the page needs no cookie
@require_http_methods(["GET", "HEAD", "POST"])
def personal_link(request: HttpRequest, token: str) -> HttpResponse:
    """Leads to the page that was named when the link was made, and nowhere else (R49).

    GET only asks, because scanners of mails, previews of chats and prefetching browsers open links too; the
    page that is answered follows it (POST) once it is seen. Expired links, bots and people who do not want to
    be tracked are redirected at once, without being recorded.
    """
    link = read_link(token)
    site = leads_to(link) if link else None
    if link is None or site is None:
        return render(request, "link.html", status=HTTPStatus.NOT_FOUND)
    if timezone.now() >= link.expires_at or not may_be_recorded(request):
        return redirect_to(link.url)
    return followed(request, link) if request.method == "POST" else asking(request, link)


def asking(request: HttpRequest, link: Link) -> HttpResponse:
    """The page that follows the link by its script, or by its button. It may lead to the link's site, besides
    this server.
    """
    response = render(request, "follow.html", {"host": urlsplit(link.url).hostname})
    response["Referrer-Policy"] = "no-referrer"
    response[HEADER] = build_policy(update={"form-action": [SELF, origin_of_url(link.url)]})
    return response


def followed(request: HttpRequest, link: Link) -> HttpResponse:
    """The customer signs in on this browser, and goes on to the page."""
    device = browser(request.COOKIES.get(COOKIE))
    follow(link, device, project_config(), timezone.now())
    is_own_page = urlsplit(link.url).hostname == request.get_host().partition(":")[0]
    response = redirect_to(link.url if is_own_page else address_with_visit_token(link))
    response.set_cookie(
        COOKIE, device, max_age=COOKIE_LIFE, samesite="Lax", secure=request.is_secure(), httponly=False
    )
    return response


def redirect_to(url: str) -> HttpResponse:
    """A redirect after which the page does not learn the link, which would say who the customer is."""
    response = HttpResponseRedirect(url)
    response["Referrer-Policy"] = "no-referrer"
    return response
