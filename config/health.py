"""What load balancers and orchestrators ask."""

from collections.abc import Callable

from django.core.cache import cache
from django.http import HttpRequest, JsonResponse

from customers.presentation.problem import RETRY_AFTER
from customers.storage.sql import fetch_value


def ask_database() -> None:
    fetch_value("SELECT 1")


def ask_redis() -> None:
    cache.get("readyz")


PARTS: dict[str, Callable[[], None]] = {"database": ask_database, "redis": ask_redis}


def answers(ask: Callable[[], None]) -> bool:
    try:
        ask()
    except Exception:  # whatever keeps a part from answering, it is not ready
        return False
    return True


def healthz(_request: HttpRequest) -> JsonResponse:
    """The process lives."""
    return JsonResponse({"status": "ok"})


def readyz(_request: HttpRequest) -> JsonResponse:
    """The process can serve: its database and Redis answer. 503 otherwise."""
    parts = {name: "ok" if answers(ask) else "unavailable" for name, ask in PARTS.items()}
    if set(parts.values()) == {"ok"}:
        return JsonResponse({"status": "ok", **parts})
    headers = {"Retry-After": str(RETRY_AFTER)}
    return JsonResponse({"status": "unavailable", **parts}, status=503, headers=headers)
