"""Personal links (R49): signed addresses in messages that say whom they were sent to, and redirect to a page.

Nothing is stored for a link: it carries the customer, the page and when it expires, signed. So a million
links cost nothing, and an erasure leaves nothing behind: the link of an erased customer redirects and does
nothing else.

Browsers separate the cookies of different sites, so the shop's pages do not see the cookie of this server.
Where a link leads to another host, the page gets a token, signed and valid for minutes, which its tracker
sends back with its own device. It never gets a device: whoever made the link could choose one they know,
and so share it with the visitor.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode, urlsplit
from uuid import UUID, uuid4

from django.conf import settings
from django.core import signing

from customers.profile import DEVICE, Key
from customers.setup.project_config import ProjectConfig
from dedup.models import Site
from dedup.origins import origin_of_url
from dedup.tracking.event_reader import NewEvent
from dedup.tracking.inbox import append

SALT = "selfsame.personal_link"
VISIT_SALT = "selfsame.visit"
VISIT_LIFE = timedelta(minutes=10)
VISIT_PARAMETER = "selfsame_visit"
CLICK = "personal_link"
"""The kind of activity that opening a link is."""
LIFE = timedelta(days=30)
LONGEST_LIFE = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Link:
    """`message` is what the sender calls the message that contains the link."""

    maestra_id: int
    point: int
    url: str
    message: str
    expires_at: datetime


def address_of(link: Link) -> str:
    """The address to put into the message."""
    content = [link.maestra_id, link.point, link.url, link.message, int(link.expires_at.timestamp())]
    return f"{settings.PUBLIC_URL}/r/{signing.dumps(content, salt=SALT, compress=True)}/"


def read_link(token: str) -> Link | None:
    """The link of a token; None where we did not sign it."""
    try:
        maestra_id, point, url, message, ends = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError):
        return None
    return Link(maestra_id, point, url, message, datetime.fromtimestamp(ends, tz=UTC))


def leads_to(link: Link) -> Site | None:
    """The site of the link's page, by its present origins; None where it may not lead there any more."""
    site = Site.objects.select_related("point").filter(point=link.point, is_enabled=True).first()
    return site if site and origin_of_url(link.url) in site.origins else None


def follow(link: Link, device: str, config: ProjectConfig, now: datetime) -> None:
    """Record that the link was opened: the customer signs in on the browser (R21), personally (R29)."""
    event = NewEvent(
        uuid4(),
        CLICK,
        now,
        Key(DEVICE, device),
        link.maestra_id,
        url=link.url,
        properties={"message": link.message} if link.message else {},
    )
    append([event], link.point, config)


def address_with_visit_token(link: Link) -> str:
    """The page's address with the token for its tracker."""
    token = signing.dumps([link.maestra_id, link.point], salt=VISIT_SALT)
    parts = urlsplit(link.url)
    query = "&".join(filter(None, (parts.query, urlencode({VISIT_PARAMETER: token}))))
    return parts._replace(query=query).geturl()


def visitor_of(token: str, point: int) -> int | None:
    """The customer of a visit token that a page of this point got; None for any other token."""
    try:
        maestra_id, of_point = signing.loads(token, salt=VISIT_SALT, max_age=VISIT_LIFE)
    except (signing.BadSignature, ValueError):
        return None
    return int(maestra_id) if of_point == point else None


def browser(cookie: str | None) -> str:
    """The browser's device ID: the one in the tracker's cookie, or a new one."""
    try:
        return str(UUID(cookie or ""))
    except ValueError:
        return str(uuid4())
