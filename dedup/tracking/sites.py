"""Sites and what their pages send with the public site key (`POST /track/`).

The key is no secret: it tells whose pages these are, and is good for nothing but events of a device that
the sender can name. Origins keep other people's pages from using it; programs that lie about where they
are, they cannot keep out. Therefore what can be said with it is little (see `dedup.tracking.identifying`),
and nothing is ever answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from customers import normalise
from customers.errors import ErrorCode, SelfsameError
from customers.profile import DEVICE, Key
from customers.setup.integration_points import point_of
from customers.setup.project_config import ProjectConfig
from dedup.models import Site
from dedup.tracking.identifying import check_record
from dedup.tracking.links import CLICK, visitor_of
from dedup.tracking.reading import FIELDS, NewEvent, Reader

IDENTIFY = "identify"
BODY_LIMIT = 64 * 1024
"""Bytes of a request: what browsers send with a beacon."""
EVENTS_LIMIT = 100
WRONG_CLOCK = timedelta(minutes=1)
"""So far a browser's clock may be off before its times are corrected."""

BODY = frozenset({DEVICE, "sent_at", "visit", "events"})
EVENT = FIELDS | {"record"}


def site_of(key: str) -> Site:
    """The site of a key. Raises `not_authenticated` for a wrong one, and where the site or its point is
    disabled.
    """
    sites = Site.objects.select_related("point").filter(is_enabled=True, point__is_enabled=True)
    site = sites.filter(key=key).first()
    if site is None:
        detail = "There is no enabled site with this key. Copy it from the site's page in the admin."
        raise SelfsameError(ErrorCode.NOT_AUTHENTICATED, detail)
    return site


def is_of_a_site(origin: str) -> bool:
    """Whether pages of this origin may send anything, with the key of their site."""
    return Site.objects.filter(origins__contains=[origin], is_enabled=True).exists()


def refuse_other_origins(site: Site, origin: str | None) -> None:
    if origin not in site.origins:
        detail = "Pages of this origin may not use the key. Add it to the site's origins."
        raise SelfsameError(ErrorCode.PERMISSION_DENIED, detail)


def read_page(data: Any, site: Site, config: ProjectConfig, now: datetime) -> list[NewEvent]:
    """The events a page sends. Raises `validation_error` naming every fault, `too_large`."""
    reader = Reader(point_of(site.point), config, now)
    reader.known("", data, BODY)
    body: Mapping[str, Any] = data if isinstance(data, dict) else {}
    device = _device(reader, body.get(DEVICE))
    reader.slow = _slowness(reader, body.get("sent_at"))
    items = reader.listed(body, "events", EVENTS_LIMIT)
    assert device
    read = [_event(reader, site, f"events[{n}]", item, device) for n, item in enumerate(items)]
    reader.check()
    return [*_visit(body.get("visit"), site, device, now), *(event for event in read if event)]


def _device(reader: Reader, raw: Any) -> Key | None:
    """A random UUID: nobody can guess that of another browser."""
    try:
        return reader.device(DEVICE, DEVICE, str(UUID(raw)))
    except (ValueError, AttributeError, TypeError):
        reader.fault(DEVICE, "A browser is known by a UUID. Let the tracker make it.")
        return None


def _slowness(reader: Reader, sent_at: Any) -> timedelta:
    """What is to be added to the browser's times, so that its clock showed ours when it sent them."""
    at = reader.taken("sent_at", normalise.moment, sent_at) if sent_at else None
    slow = reader.now - at if at else timedelta(0)
    return slow if abs(slow) > WRONG_CLOCK else timedelta(0)


def _event(reader: Reader, site: Site, path: str, item: Any, device: Key) -> NewEvent | None:
    if not reader.known(path, item, EVENT):
        return None
    event = reader.event(path, item, device=device)
    if item.get("kind") == IDENTIFY:
        return _identifying(reader, site, path, item, event)
    if "record" in item:
        reader.fault(f"{path}.record", "Only an event of the kind identify has one.")
    return event


def _identifying(
    reader: Reader, site: Site, path: str, item: Mapping[str, Any], event: NewEvent | None
) -> NewEvent | None:
    record = item.get("record")
    if event is None or event.device is None:
        return None
    try:
        read = check_record(
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
    """That the visitor came by a personal link, which says who it is (R49). A token too old says nothing."""
    visitor = visitor_of(token, site.point_id) if isinstance(token, str) else None
    return [NewEvent(uuid4(), CLICK, now, device, visitor)] if visitor is not None else []
