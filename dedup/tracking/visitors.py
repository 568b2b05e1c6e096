"""Whether a request is a person's visit, one that may be recorded."""

from __future__ import annotations

import re

from django.http import HttpRequest

OPT_OUT_COOKIE = "selfsame_opt_out"
BOTS = re.compile(
    r"bot\b|crawl|spider|scan|preview|prefetch|proxy|monitor|validator|facebookexternalhit|whatsapp/|embedly"
    r"|slack-|barracuda|mimecast|proofpoint|safelinks",
    re.IGNORECASE,
)
"""What the user agents of scanners and of the previews of chats contain, and no browser's."""


def may_be_recorded(request: HttpRequest) -> bool:
    """Whether it is a real visit, by somebody who did not opt out of tracking, here or in their browser."""
    opted_out = OPT_OUT_COOKIE in request.COOKIES
    signals = (request.headers.get("Sec-GPC"), request.headers.get("DNT"))
    return not opted_out and "1" not in signals and not is_bot(request)


def is_bot(request: HttpRequest) -> bool:
    """Whether its user agent is that of a program which opens links by itself."""
    return BOTS.search(request.headers.get("User-Agent", "")) is not None
