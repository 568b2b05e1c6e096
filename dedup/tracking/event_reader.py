"""Events as they arrive: a request's events are checked together, and one at fault refuses all (R11, R12).
One whose customer is not found fails alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from django.utils.translation import gettext as _

from customers import normalise
from customers.errors import ErrorCode, SelfsameError, invalid
from customers.normalise import Invalid
from customers.profile import DEVICE, MAESTRA_ID, MOBILE_DEVICE, Key
from customers.setup.integration_points import Point
from customers.setup.project_config import ProjectConfig
from dedup.engine.unit_of_work import UnitOfWork
from dedup.parsing.commerce import is_storable
from dedup.parsing.draft import LIST, MISSING, OBJECT, UNKNOWN, below, shown
from dedup.parsing.records import Parser
from dedup.storage.loading import load, wanted_keys

EVENTS_LIMIT = 1000
"""Events of one request."""
KIND_LIMIT = 100
URL_LIMIT = 2000
TITLE_LIMIT = 500
PROPERTIES_DEPTH = 5
PROPERTIES_LIMIT = 8192
"""Characters of an event's properties, roughly as they are stored."""

DEVICES = (DEVICE, MOBILE_DEVICE)
FIELDS = frozenset({"uuid", "kind", "occurred_at", "url", "title", "properties"})
WHO = frozenset({*DEVICES, "lookup"})


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A checked event. `device`, `maestra_id` or both say whose it is. `record` is what a page says about its
    visitor in an identify call, `named` the normalised values in it, by which an erasure finds it.
    """

    uuid: UUID
    kind: str
    occurred_at: datetime
    device: Key | None = None
    maestra_id: int | None = None
    url: str = ""
    title: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)
    record: Mapping[str, Any] | None = None
    named: tuple[str, ...] = ()


class EventReader:
    """Reads the events of one request through one point. Faults are collected and raised together by
    `check`. `clock_correction` is added to the sender's times.
    """

    def __init__(self, point: Point, config: ProjectConfig, now: datetime) -> None:
        self.point = point
        self.config = config
        self.now = now
        self.clock_correction = timedelta(0)
        self.errors: list[tuple[str, str]] = []
        self.devices: dict[tuple[str, Any], Key | None] = {}

    @cached_property
    def parser(self) -> Parser:
        return Parser(self.point, self.config, self.now)

    def check(self) -> None:
        if self.errors:
            raise invalid(*self.errors)

    def fault(self, path: str, message: str) -> None:
        self.errors.append((path, message))

    def items(self, data: Any, name: str, limit: int = EVENTS_LIMIT) -> list[Any]:
        """The events of a body; more than `limit` are `too_large`."""
        items = data.get(name) if isinstance(data, dict) else None
        if items is None:
            self.fault(name, MISSING)
        elif not isinstance(items, list):
            self.fault(name, LIST)
        elif len(items) > limit:
            detail = _("Send at most %(limit)s events in one request.")
            raise SelfsameError(ErrorCode.TOO_LARGE, detail % {"limit": limit})
        self.check()
        assert isinstance(items, list)
        return items

    def is_object(self, path: str, data: Any, names: frozenset[str]) -> bool:
        """Whether it is an object; each field that is not among the names is a fault."""
        if not isinstance(data, dict):
            self.fault(path, OBJECT)
            return False
        for name in data.keys() - names:
            self.fault(shown(below(path, name)), UNKNOWN)
        return True

    def device(self, path: str, kind: str, raw: Any) -> Key | None:
        """The device, normalised. One on the block list identifies nobody and is a fault (R12)."""
        asked = (kind, raw) if isinstance(raw, (str, int)) else (kind, None)
        if asked not in self.devices:
            self.devices[asked] = self._device(path, kind, raw)
        return self.devices[asked]

    def _device(self, path: str, kind: str, raw: Any) -> Key | None:
        value = self.normalised(path, normalise.device, raw)
        if self.config.block_list.blocks(kind, raw, value):
            self.fault(path, _("This device is on the block list."))
        return Key(kind, value) if value else None

    def normalised(self, path: str, function: Callable[[Any], Any], raw: Any) -> Any:
        """What a function of `customers.normalise` makes of the value; None for a fault."""
        try:
            return function(raw)
        except Invalid as error:
            self.fault(path, error.message(_))
            return None

    def moment(self, path: str, raw: Any) -> datetime:
        """When it happened: now where it does not say, or says a time in the future."""
        if raw in (None, ""):
            return self.now
        correction = self.clock_correction
        at = self.normalised(path, lambda raw: normalise.event_moment(raw, correction), raw)
        return min(at, self.now) if at else self.now

    def event(self, path: str, data: Mapping[str, Any], **who: Any) -> NewEvent | None:
        """What every event says, wherever it comes from."""
        before = len(self.errors)
        read = NewEvent(
            uuid=self._uuid(below(path, "uuid"), data.get("uuid")),
            kind=self._text(below(path, "kind"), data.get("kind"), KIND_LIMIT),
            occurred_at=self.moment(below(path, "occurred_at"), data.get("occurred_at")),
            url=self._text(below(path, "url"), data.get("url") or "", URL_LIMIT, required=False),
            title=self._text(below(path, "title"), data.get("title") or "", TITLE_LIMIT, required=False),
            properties=self._properties(below(path, "properties"), data.get("properties")),
            **who,
        )
        return None if len(self.errors) > before else read

    def _uuid(self, path: str, raw: Any) -> UUID:
        """The sender's UUID, by which a repetition is recognised; without one each arrival is a new event."""
        if raw in (None, ""):
            return uuid4()
        try:
            return UUID(raw)
        except (ValueError, AttributeError, TypeError):
            self.fault(path, _("Send a UUID, as in 3f2b8c1e-7d4a-4c58-9b60-1f2e3d4c5b6a."))
            return uuid4()

    def _text(self, path: str, raw: Any, limit: int, *, required: bool = True) -> str:
        text = raw.strip() if isinstance(raw, str) else raw
        if required and text in (None, ""):
            self.fault(path, MISSING)
        elif not isinstance(text, str):
            self.fault(path, _("It must be a text."))
        elif len(text) > limit:
            self.fault(path, _("Send at most %(limit)s characters.") % {"limit": limit})
        else:
            return text
        return ""

    def _properties(self, path: str, raw: Any) -> Mapping[str, Any]:
        if raw is None:
            return {}
        if not isinstance(raw, dict):
            self.fault(path, OBJECT)
        elif not is_storable(raw, PROPERTIES_DEPTH):
            self.fault(path, _("It is nested too deeply, or holds a number or text that cannot be stored."))
        elif len(str(raw)) > PROPERTIES_LIMIT:
            self.fault(path, _("Send at most %(limit)s characters.") % {"limit": PROPERTIES_LIMIT})
        else:
            return raw
        return {}


class ReadActivities(NamedTuple):
    """The events of a request in its order, None for each that failed alone, with the faults of those."""

    events: list[NewEvent | None]
    failed: list[tuple[str, str]]


def read_activities(data: Any, point: Point, config: ProjectConfig, now: datetime) -> ReadActivities:
    """The events of `POST activities/`, each of a device, a customer (`lookup`), or both.

    An event whose look-up is at fault or finds nobody fails alone. Raises `validation_error` with every fault
    where there is another one, or no event is left.
    """
    reader = EventReader(point, config, now)
    reader.is_object("", data, frozenset({"activities"}))
    events: list[NewEvent | None] = []
    lookups: list[Lookup] = []
    for index, item in enumerate(reader.items(data, "activities")):
        path = f"activities[{index}]"
        if reader.is_object(path, item, FIELDS | WHO):
            events.append(reader.event(path, item, device=_device_of(reader, path, item)))
            lookups.append(_lookup_of(reader, path, item))
    origin_ids = _origin_ids(reader, [lookup.key for lookup in lookups if lookup.key])
    faults = [_faults(lookup, origin_ids) for lookup in lookups]
    failed = [fault for found in faults for fault in found]
    if reader.errors or (failed and all(faults)):
        raise invalid(*reader.errors, *failed)
    return ReadActivities(
        [
            None if event is None or found else replace(event, maestra_id=_origin_id(lookup, origin_ids))
            for event, lookup, found in zip(events, lookups, faults, strict=True)
        ],
        failed,
    )


class Lookup(NamedTuple):
    """How an event names its customer, and where; no key where it does not, or where there are faults."""

    path: str
    key: Key | None
    faults: tuple[tuple[str, str], ...] = ()


def _device_of(reader: EventReader, path: str, item: Mapping[str, Any]) -> Key | None:
    named = [kind for kind in DEVICES if item.get(kind) not in (None, "")]
    if len(named) > 1:
        reader.fault(f"{path}.{MOBILE_DEVICE}", _("An activity happens on one device. Send only one."))
    if not named and item.get("lookup") is None:
        reader.fault(path, _("Say whose activity it is: send a device_id, or the customer as lookup."))
    return reader.device(f"{path}.{named[0]}", named[0], item[named[0]]) if named else None


def _lookup_of(reader: EventReader, item_path: str, item: Mapping[str, Any]) -> Lookup:
    path = f"{item_path}.lookup"
    if item.get("lookup") is None:
        return Lookup(path, None)
    try:
        return Lookup(path, reader.parser.lookup(item["lookup"], path))
    except SelfsameError as error:
        faults = error.data.get("errors", [{"path": path, "message": error.detail}])
        return Lookup(path, None, tuple((fault["path"], fault["message"]) for fault in faults))


def _origin_ids(reader: EventReader, keys: Sequence[Key]) -> Mapping[Key, int]:
    """For each key that finds a customer through this point (R20), the MaestraID under which what they do is
    recorded (R46).
    """
    if not keys:
        return {}
    work = UnitOfWork(load(wanted_keys(keys, reader.point.gives_access), reader.config, lock=False).world)
    profiles = {key: work.find(key, reader.point.gives_access) for key in set(keys)}
    return {
        key: int(key.value) if key.kind == MAESTRA_ID else profile.holdings[key].origin
        for key, profile in profiles.items()
        if profile
    }


def _faults(lookup: Lookup, origin_ids: Mapping[Key, int]) -> Sequence[tuple[str, str]]:
    if lookup.key is None or lookup.key in origin_ids:
        return lookup.faults
    return [(lookup.path, _("No customer is found by it. Check it, or create the customer first."))]


def _origin_id(lookup: Lookup, origin_ids: Mapping[Key, int]) -> int | None:
    return None if lookup.key is None else origin_ids[lookup.key]
