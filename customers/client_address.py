"""Where a request comes from, behind as many proxies as the settings say."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

NETWORK = 64
"""Bits of an IPv6 address that stand for one line: of the rest whoever has it chooses freely."""


def client_address(request: HttpRequest) -> str | None:
    """The address of the client, of IPv6 that of its network; None where it has none, as at a Unix socket.

    Each of our own proxies adds to the end of X-Forwarded-For whom it was called by, so the client stands
    before what the others added. What stands further ahead is what anybody may have written.
    """
    forwarded = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    count: int = settings.TRUSTED_PROXIES
    by_proxy = forwarded[-count] if 0 < count <= len(forwarded) else ""
    return _normalised(by_proxy) or _normalised(request.META.get("REMOTE_ADDR", ""))


def _normalised(text: str) -> str | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ip_network((int(address), NETWORK), strict=False).network_address)
