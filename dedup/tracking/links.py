"""Personal links (R49): signed addresses in messages that tell whom they were sent to, and lead on to a
page.

Nothing is stored for a link: it carries the customer, the page and its end, signed. So a million links cost
nothing, and an erasure leaves nothing behind: a link to a customer who is gone leads on and does nothing
else.

A browser keeps apart what it knows of two sites, so the shop's pages do not see the cookie of this server.
Where a link leads to another host, the page is handed a token, signed and good for minutes, which its
tracker sends back with its own device. Never a device: whoever chose it would share it with the visitor.
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
from dedup.tracking.inbox import append
from dedup.tracking.reading import NewEvent

SALT = "selfsame.personal_link"
VISIT_SALT = "selfsame.visit"
VISIT_LIFE = timedelta(minutes=10)
VISIT_PARAMETER = "selfsame_visit"
CLICK = "personal_link"
"""The activity that opening a link is."""
LIFE = timedelta(days=30)
LONGEST_LIFE = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Link:
    """`message` is what the sender calls the message that the link stands in."""

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
    """The link a token stands for; None for one that was never made here."""
    try:
        maestra_id, point, url, message, ends = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError):
        return None
    return Link(maestra_id, point, url, message, datetime.fromtimestamp(ends, tz=UTC))


def leads_to(link: Link) -> Site | None:
    """The site the link's page is of, as its origins are today; None where it may not lead there any more."""
    site = Site.objects.select_related("point").filter(point=link.point, is_enabled=True).first()
    return site if site and origin_of_url(link.url) in site.origins else None


def follow(link: Link, device: str, config: ProjectConfig, now: datetime) -> None:
    """The customer signed in on the browser, as authorize (R21), by a personal action (R29)."""
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


def handed_over(link: Link) -> str:
    """The page's address with the token for its tracker."""
    token = signing.dumps([link.maestra_id, link.point], salt=VISIT_SALT)
    parts = urlsplit(link.url)
    query = "&".join(filter(None, (parts.query, urlencode({VISIT_PARAMETER: token}))))
    return parts._replace(query=query).geturl()


def visitor_of(token: str, point: int) -> int | None:
    """The customer a page of this point was handed a token for; None for any other token."""
    try:
        maestra_id, of_point = signing.loads(token, salt=VISIT_SALT, max_age=VISIT_LIFE)
    except (signing.BadSignature, ValueError):
        return None
    return int(maestra_id) if of_point == point else None


def browser(cookie: str | None) -> str:
    """The device of a browser: what the tracker's cookie says, or a new one."""
    try:
        return str(UUID(cookie or ""))
    except ValueError:
        return str(uuid4())
