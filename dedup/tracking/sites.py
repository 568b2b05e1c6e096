"""Sites, and what their pages send with the public site key (`POST /track/`).

The key is no secret: it tells whose pages these are, and serves only to send events of a device that the
sender knows. Checking origins keeps other people's pages from using it, but not programs that lie about
their origin. Therefore a page can say little (see `dedup.tracking.identify_calls`), and is told nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.utils.translation import gettext as _

from customers import normalise
from customers.errors import ErrorCode, SelfsameError
from customers.profile import DEVICE, Key
from customers.setup.integration_points import point_of
from customers.setup.project_config import ProjectConfig
from dedup.models import Site
from dedup.tracking.event_reader import FIELDS, EventReader, NewEvent
from dedup.tracking.identify_calls import read_identify_record
from dedup.tracking.links import CLICK, visitor_of

IDENTIFY = "identify"
BODY_LIMIT = 64 * 1024
"""Most bytes of a request, as many as browsers send with a beacon."""
EVENTS_LIMIT = 100
WRONG_CLOCK = timedelta(minutes=1)
"""How far a browser's clock may be off before its times are corrected."""

BODY = frozenset({DEVICE, "sent_at", "visit", "events"})
EVENT = FIELDS | {"record"}


def site_of(key: str) -> Site:
    """The site of a key. Raises `not_authenticated` for a wrong one, and where the site or its point is
    disabled.
    """
    sites = Site.objects.select_related("point").filter(is_enabled=True, point__is_enabled=True)
    site = sites.filter(key=key).first()
    if site is None:
        detail = _("No enabled site has this key. Copy the key from the site's page in the admin.")
        raise SelfsameError(ErrorCode.NOT_AUTHENTICATED, detail)
    return site


def is_of_a_site(origin: str) -> bool:
    """Whether pages of this origin may send anything, with the key of their site."""
    return Site.objects.filter(origins__contains=[origin], is_enabled=True).exists()


def refuse_other_origins(site: Site, origin: str | None) -> None:
    if origin not in site.origins:
        detail = _("Pages of this origin may not use the key. Add the origin to the site.")
        raise SelfsameError(ErrorCode.PERMISSION_DENIED, detail)


def read_page(data: Any, site: Site, config: ProjectConfig, now: datetime) -> list[NewEvent]:
    """The events a page sends. Raises `validation_error` with every fault, or `too_large`."""
    reader = EventReader(point_of(site.point), config, now)
    reader.is_object("", data, BODY)
    body: Mapping[str, Any] = data if isinstance(data, dict) else {}
    device = _device(reader, body.get(DEVICE))
    reader.clock_correction = _clock_correction(reader, body.get("sent_at"))
    items = reader.items(body, "events", EVENTS_LIMIT)
    assert device
    events = [_event(reader, site, f"events[{n}]", item, device) for n, item in enumerate(items)]
    reader.check()
    return [*_visit(body.get("visit"), site, device, now), *(event for event in events if event)]


def _device(reader: EventReader, raw: Any) -> Key | None:
    """A random UUID, so that nobody can guess another browser's."""
    try:
        return reader.device(DEVICE, DEVICE, str(UUID(raw)))
    except (ValueError, AttributeError, TypeError):
        reader.fault(DEVICE, _("Send a UUID. The tracker makes one for each browser."))
        return None


def _clock_correction(reader: EventReader, sent_at: Any) -> timedelta:
    """What to add to the browser's times, if its clock differs from ours by more than a little."""
    at = reader.normalised("sent_at", normalise.moment, sent_at) if sent_at else None
    difference = reader.now - at if at else timedelta(0)
    return difference if abs(difference) > WRONG_CLOCK else timedelta(0)


def _event(reader: EventReader, site: Site, path: str, item: Any, device: Key) -> NewEvent | None:
    if not reader.is_object(path, item, EVENT):
        return None
    event = reader.event(path, item, device=device)
    if item.get("kind") == IDENTIFY:
        return _with_record(reader, site, path, item.get("record"), event)
    if "record" in item:
        reader.fault(f"{path}.record", _("Only an event of kind identify has a record."))
    return event


def _with_record(
    reader: EventReader, site: Site, path: str, record: Any, event: NewEvent | None
) -> NewEvent | None:
    """The identify call with what the page says about its visitor."""
    if event is None or event.device is None:
        return None
    try:
        read = read_identify_record(
            record,
            event.device,
            reader.parser,
            may_send_ids=site.identifies_by_ids,
            path=f"{path}.record",
        )
    except SelfsameError as error:
        for fault in error.data["errors"]:
            reader.fault(fault["path"], fault["message"])
        return None
    named = tuple(sent.value for sent in read.identifiers if sent.key != event.device)
    return replace(event, record=record, named=named)


def _visit(token: Any, site: Site, device: Key, now: datetime) -> list[NewEvent]:
    """A visit that began with a personal link, which says who the visitor is (R49). A token that expired
    says nothing.
    """
    visitor = visitor_of(token, site.point_id) if isinstance(token, str) else None
    return [NewEvent(uuid4(), CLICK, now, device, visitor)] if visitor is not None else []
