"""`/metrics`: what Prometheus scrapes, of all processes of this web server."""

from __future__ import annotations

import hmac
import os
from http import HTTPStatus
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED")


def metrics(request: HttpRequest) -> HttpResponse:
    """For this machine itself, and for whoever has `METRICS_TOKEN`."""
    if is_from_this_machine(request) or has_token(request):
        return HttpResponse(generate_latest(registry()), content_type=CONTENT_TYPE_LATEST)
    return HttpResponse(status=HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})


def is_from_this_machine(request: HttpRequest) -> bool:
    """Whether the connection comes from this machine, and no proxy says that it speaks for somebody else."""
    if any(name in request.META for name in FORWARDED):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:  # a Unix socket has none
        return False


def has_token(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    wanted: str = settings.METRICS_TOKEN
    given = token.strip().encode()
    return bool(wanted) and scheme.lower() == "bearer" and hmac.compare_digest(given, wanted.encode())


def registry() -> CollectorRegistry:
    """What all processes counted, where there are several."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    of_all = CollectorRegistry()
    MultiProcessCollector(of_all)  # type: ignore[no-untyped-call]
    return of_all
