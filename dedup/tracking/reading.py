"""Events as they arrive: checked all at once, and refused all together where one is at fault (R11, R12)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID, uuid4

from customers import normalise
from customers.errors import ErrorCode, SelfsameError, invalid
from customers.normalise import Invalid
from customers.profile import DEVICE, MAESTRA_ID, MOBILE_DEVICE, Key
from customers.setup.integration_points import Point
from customers.setup.project_config import ProjectConfig
from dedup.engine.draft import Draft as WorldDraft
from dedup.parsing import Parser
from dedup.parsing.commerce import is_storable
from dedup.parsing.draft import LIST, MISSING, OBJECT, UNKNOWN, below, shown
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
    """An event that may be kept. `device` or `maestra_id` or both say whose it is; `named` are the values
    in `record`.
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


class Reader:
    """Reads the events of one request through one point. Faults are collected and raised together by
    `check`.
    """

    def __init__(self, point: Point, config: ProjectConfig, now: datetime) -> None:
        self.point = point
        self.config = config
        self.now = now
        self.slow = timedelta(0)  # of the sender's clock
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

    def listed(self, data: Any, name: str, limit: int = EVENTS_LIMIT) -> list[Any]:
        """The events of a body; more than `limit` are `too_large`."""
        items = data.get(name) if isinstance(data, dict) else None
        if items is None:
            self.fault(name, MISSING)
        elif not isinstance(items, list):
            self.fault(name, LIST)
        elif len(items) > limit:
            detail = f"A request takes up to {limit} events. Send them in several."
            raise SelfsameError(ErrorCode.TOO_LARGE, detail)
        self.check()
        assert isinstance(items, list)
        return items

    def known(self, path: str, data: Any, names: frozenset[str]) -> bool:
        if not isinstance(data, dict):
            self.fault(path, OBJECT)
            return False
        for name in data.keys() - names:
            self.fault(shown(below(path, name)), UNKNOWN)
        return True

    def device(self, path: str, kind: str, raw: Any) -> Key | None:
        """The device as everything compares it. One on the block list identifies nobody (R12)."""
        asked = (kind, raw) if isinstance(raw, (str, int)) else (kind, None)
        if asked not in self.devices:
            self.devices[asked] = self._device(path, kind, raw)
        return self.devices[asked]

    def _device(self, path: str, kind: str, raw: Any) -> Key | None:
        value = self.taken(path, normalise.device, raw)
        if self.config.block_list.blocks(kind, raw, value):
            self.fault(path, "This device is on the block list: it identifies nobody.")
        return Key(kind, value) if value else None

    def taken(self, path: str, function: Callable[[Any], Any], raw: Any) -> Any:
        try:
            return function(raw)
        except Invalid as error:
            self.fault(path, error.reason)
            return None

    def moment(self, path: str, raw: Any) -> datetime:
        """A time in the future counts as now."""
        at: datetime | None = None if raw in (None, "") else self.taken(path, normalise.moment, raw)
        return min(at + self.slow, self.now) if at else self.now

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
        """The sender's, which makes a repetition harmless; without one each arrival is a new event."""
        if raw in (None, ""):
            return uuid4()
        try:
            return UUID(raw)
        except (ValueError, AttributeError, TypeError):
            self.fault(path, "It is no UUID. Write it as in 3f2b8c1e-7d4a-4c58-9b60-1f2e3d4c5b6a.")
            return uuid4()

    def _text(self, path: str, raw: Any, limit: int, *, required: bool = True) -> str:
        text = raw.strip() if isinstance(raw, str) else raw
        if required and text in (None, ""):
            self.fault(path, MISSING)
        elif not isinstance(text, str):
            self.fault(path, "It must be a text.")
        elif len(text) > limit:
            self.fault(path, f"It is too long: at most {limit} characters.")
        else:
            return text
        return ""

    def _properties(self, path: str, raw: Any) -> Mapping[str, Any]:
        if raw is None:
            return {}
        if not isinstance(raw, dict):
            self.fault(path, OBJECT)
        elif not is_storable(raw, PROPERTIES_DEPTH):
            self.fault(path, "It is nested too deeply, or holds a number or a text that cannot be stored.")
        elif len(str(raw)) > PROPERTIES_LIMIT:
            self.fault(path, f"It is too long: at most {PROPERTIES_LIMIT} characters.")
        else:
            return raw
        return {}


def read_activities(data: Any, point: Point, config: ProjectConfig, now: datetime) -> list[NewEvent]:
    """The events of `POST activities/`; raises `validation_error` naming every fault, an unknown customer
    among them.

    Each names a device, a customer by `lookup`, or both.
    """
    reader = Reader(point, config, now)
    reader.known("", data, frozenset({"activities"}))
    items = reader.listed(data, "activities")
    asked: list[tuple[str, Key | None]] = []
    events: list[NewEvent | None] = []
    for index, item in enumerate(items):
        path = f"activities[{index}]"
        if reader.known(path, item, FIELDS | WHO):
            events.append(reader.event(path, item, device=_device_of(reader, path, item)))
            asked.append((f"{path}.lookup", _lookup_of(reader, path, item)))
    owners = _owners(reader, [key for _, key in asked if key])
    named = [_named(reader, path, key, owners) for path, key in asked]
    reader.check()
    return [replace(event, maestra_id=owner) for event, owner in zip(events, named, strict=True) if event]


def _device_of(reader: Reader, path: str, item: Mapping[str, Any]) -> Key | None:
    named = [kind for kind in DEVICES if item.get(kind) not in (None, "")]
    if len(named) > 1:
        reader.fault(f"{path}.{MOBILE_DEVICE}", "An action is done on one device. Name one.")
    if not named and item.get("lookup") is None:
        reader.fault(path, "Say whose it is: name the device_id, or the customer as lookup.")
    return reader.device(f"{path}.{named[0]}", named[0], item[named[0]]) if named else None


def _lookup_of(reader: Reader, path: str, item: Mapping[str, Any]) -> Key | None:
    if item.get("lookup") is None:
        return None
    try:
        return reader.parser.lookup(item["lookup"], f"{path}.lookup")
    except SelfsameError as error:
        for fault in error.data.get("errors", [{"path": f"{path}.lookup", "message": error.detail}]):
            reader.fault(fault["path"], fault["message"])
        return None


def _owners(reader: Reader, keys: Sequence[Key]) -> Mapping[Key, int]:
    """The MaestraID that what is written about the customer bears (R46), for each key that finds one here
    (R20).
    """
    if not keys:
        return {}
    draft = WorldDraft(load(wanted_keys(keys), reader.config, lock=False).world)
    found = {key: draft.find(key, reader.point.gives_access) for key in set(keys)}
    return {
        key: int(key.value) if key.kind == MAESTRA_ID else profile.holdings[key].origin
        for key, profile in found.items()
        if profile
    }


def _named(reader: Reader, path: str, key: Key | None, owners: Mapping[Key, int]) -> int | None:
    if key and key not in owners:
        reader.fault(path, "It finds no customer. Check it, or create the customer first.")
    return owners.get(key) if key else None
