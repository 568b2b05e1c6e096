"""Origins of web pages, as browsers name them: scheme, host and port, nothing else."""

from __future__ import annotations

from urllib.parse import urlsplit

from customers.normalise import Invalid
from customers.texts import gettext_noop

SCHEMES = {"https": 443, "http": 80}


def origin_of(text: str) -> str:
    """The origin as a browser writes it. Raises `Invalid` for what is more, or less, than one."""
    text = text.strip().lower()
    origin, parts = origin_of_url(text), urlsplit(text)
    if origin is None or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise Invalid(
            gettext_noop(
                "Write an origin: scheme, host and port if it is not the usual one, as in https://shop.example."
            )
        )
    return origin


def origin_of_url(url: str) -> str | None:
    """The origin of a page's address; None where a browser might read another one into it."""
    if not url.isascii() or "\\" in url or any(character <= " " for character in url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if (
        parts.scheme not in SCHEMES
        or not parts.hostname
        or "@" in parts.netloc
        or not url.startswith(f"{parts.scheme}://")
    ):
        return None
    usual = port is None or port == SCHEMES[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" if usual else f"{parts.scheme}://{host}:{port}"
