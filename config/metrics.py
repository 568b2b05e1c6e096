"""`/metrics`: what Prometheus scrapes, of all processes of this web server."""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from ipaddress import ip_address

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from dedup.models import Confirmation

FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED")


def metrics(request: HttpRequest) -> HttpResponse:
    """For this machine itself, and for whoever has `METRICS_TOKEN`."""
    if is_from_this_machine(request) or has_token(request):
        shown = generate_latest(registry()) + generate_latest(BACKLOG)
        return HttpResponse(shown, content_type=CONTENT_TYPE_LATEST)
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


class Backlog(Collector):
    """What waits in the database, as it is now."""

    def collect(self) -> Iterator[Metric]:
        """Nothing where the database does not answer: the rest is told all the same."""
        waiting = Confirmation.objects.filter(sent_at=None)
        with suppress(DatabaseError):
            found = waiting.aggregate(count=Count("pk"), oldest=Min("asked_at"))
            age = (timezone.now() - found["oldest"]).total_seconds() if found["oldest"] else 0
            yield gauge("confirmations_unsent", "Links and codes that are to be sent", found["count"])
            yield gauge("confirmations_oldest_seconds", "For how long the oldest of them waits", age)


def gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"selfsame_{name}", meaning, value=value)


BACKLOG = CollectorRegistry(auto_describe=False)
BACKLOG.register(Backlog())
