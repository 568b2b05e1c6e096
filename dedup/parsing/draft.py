"""A record while it is read: what the readers of its fields fill, and what they note on the way.

A reader takes the path, the name and the value of a field. What is wrong is noted with its path and reading
goes on, so that the sender learns of everything at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from customers import normalise
from customers.changes import Order
from customers.normalise import Invalid
from customers.profile import MAESTRA_ID, Category, Channel, Key, Kind
from customers.setup.integration_points import Point
from customers.setup.project_config import ProjectConfig, normalisers
from dedup.engine.record import (
    Mode,
    Operation,
    PointsMovement,
    PromoCode,
    Record,
    Sent,
    SentMembership,
    SentSubscription,
)
from dedup.refusals import not_found
from segments.naming import NamedSegmentation, named_segmentations

LIST_LIMIT = 100
"""Entries of any list in a record."""

UNKNOWN = "There is no such field. Look for a typing error."
OBJECT = "It must be an object, in curly brackets."
LIST = "It must be a list, in square brackets."
MISSING = "It is missing."
NOT_NULL = "It cannot be null. Leave it out, or set what is inside it to null one by one."
UNIDENTIFIED = "At least one identifier is needed, one that is not on the block list."
BLOCKED = "is on the block list and was left out."

CLEARING = frozenset({Operation.UPSERT, Operation.EDIT, Operation.SUBSCRIBE, Operation.ORDER})
"""Operations in which null clears (R44); a new customer has nothing to clear."""


class Setting:
    """What all records of a request share. What it needs of the set-up is read once."""

    def __init__(self, point: Point, config: ProjectConfig, now: datetime) -> None:
        self.point = point
        self.config = config
        self.now = now
        self.normalise = normalisers(config.default_region)

    @cached_property
    def segmentations(self) -> Mapping[str, NamedSegmentation]:
        return named_segmentations()

    @cached_property
    def lookup_by(self) -> tuple[str, ...]:
        """The point's kinds; by default MaestraID, unique kinds, non-unique kinds (R17)."""
        if self.point.lookup_by:
            return self.point.lookup_by
        kinds = self.config.kinds.values()
        unique = [kind.name for kind in kinds if kind.category is Category.UNIQUE]
        others = [kind.name for kind in kinds if kind.category is Category.IDENTIFIER]
        return (MAESTRA_ID, *unique, *others)


class Draft:
    """A record while it is read. `identifiers` are values as typed; of these are those that are sent
    `confirmed`, and as the `primary` one.
    """

    def __init__(self, setting: Setting, operation: Operation) -> None:
        plain = operation is Operation.SUBSCRIBE  # R15
        self.setting = setting
        self.operation = operation
        self.confirming = frozenset() if plain else setting.point.must_be_confirmed
        self.accessing = frozenset() if plain else setting.point.gives_access
        self.errors: list[tuple[str, str]] = []
        self.warnings: list[str] = []
        self.identifiers: dict[Key, str] = {}
        self.confirmed: set[Key] = set()
        self.primary: set[Key] = set()
        self.cards: dict[str, None] = {}
        self.clears: set[str] = set()
        self.maestra_id: int | None = None
        self.lookup: Key | None = None
        self.nobody: Key | None = None
        self.occurred_at: datetime | None = None
        self.lookup_by: tuple[str, ...] = ()
        self.mode = Mode.OVERWRITE
        self.personal: dict[str, Any] = {}
        self.time_zone: str | None = None
        self.custom_fields: dict[str, Any] = {}
        self.subscriptions: dict[Channel, SentSubscription] = {}
        self.memberships: dict[int, SentMembership] = {}
        self.order: Order | None = None
        self.ledger: dict[str, Any] = {}

    def fault(self, path: str, message: str) -> None:
        self.errors.append((path, message))

    def is_faulty(self, path: str) -> bool:
        return any(at == path for at, _message in self.errors)

    def read(self, path: str, data: Any, fields: Mapping[str, Reader]) -> None:
        """Every entry of an object by the reader of its name. An empty text is as good as absent (R44)."""
        if not isinstance(data, dict):
            self.fault(path, OBJECT)
            return
        for name, value in data.items():
            reader = fields.get(name)
            at = f"{path}.{name}" if path else name
            if reader is None:
                self.fault(shown(at), UNKNOWN)
            elif value != "":
                reader(self, at, name, value)

    def lacks(self, name: str, data: Any) -> bool:
        """Whether what the operation cannot do without was not sent."""
        return isinstance(data, dict) and (data.get(name) is None or is_empty(data[name]))

    def take(self, path: str, function: Callable[[Any], Any], raw: Any) -> Any:
        """What `function` makes of a value; None, with its fault noted, where it is invalid."""
        try:
            return function(raw)
        except Invalid as error:
            if not is_empty(raw):
                self.fault(path, error.reason)
            return None

    def value(self, path: str, kind: Kind, raw: Any) -> str | None:
        """The normalised identifier; None where it is empty, faulty, or blocked, which is a warning (R11,
        R12).
        """
        value, reason = None, None
        try:
            value = self.setting.normalise[kind.category](raw)
        except Invalid as error:
            reason = error.reason
        if self.setting.config.block_list.blocks(kind.name, raw, value):
            self.warnings.append(f"{path} {BLOCKED}")
            return None
        if reason and not is_empty(raw):
            self.fault(path, reason)
        return value

    def moment(self, path: str, raw: Any) -> datetime | None:
        """A point in time; one in the future counts as now."""
        at: datetime | None = self.take(path, normalise.moment, raw)
        return min(at, self.setting.now) if at else None

    def identifies(self) -> bool:
        named = self.identifiers or self.cards or self.maestra_id is not None
        if self.operation is Operation.AUTHORIZE:
            return bool(self.identifiers)
        return bool(named) or self.lookup is not None or self.nobody is not None

    def record(self) -> Record:
        if self.nobody:
            raise not_found(self.nobody)
        point = self.setting.point
        return Record(
            operation=self.operation,
            occurred_at=self._time(),
            identifiers=self._sent(),
            cards=tuple(self.cards),
            maestra_id=self.maestra_id,
            lookup=self.lookup,
            lookup_by=self.lookup_by or self.setting.lookup_by,
            access_kinds=self.accessing,
            mode=self.mode,
            personal=self.personal,
            time_zone=self.time_zone,
            custom_fields=self.custom_fields,
            clears=frozenset(self.clears if self.operation in CLEARING else ()),
            subscriptions=tuple(self.subscriptions.values()),
            memberships=tuple(self.memberships.values()),
            personal_action=point.personal_actions or self.order is not None,
            order=self.order,
            points=self._points(),
            promo_code=self._promo_code(),
            point=point.id,
            warnings=tuple(self.warnings),
        )

    def _sent(self) -> tuple[Sent, ...]:
        """The identifiers with the flags that were sent, and those that the point gives them (R13)."""
        kinds = self.setting.config.kinds
        return tuple(
            [
                Sent(
                    key.kind,
                    key.value,
                    kinds[key.kind].category,
                    raw,
                    key in self.primary,
                    key in self.confirmed,
                    key.kind in self.confirming,
                    key.kind in self.accessing,
                )
                for key, raw in self.identifiers.items()
            ]
        )

    def _time(self) -> datetime:
        """When it happened, as the record says; else when the promo code was issued, else now.

        An order is a personal action when it was placed; what else its record says is one only through a
        point whose records are (R57).
        """
        if self.order and self.occurred_at and self.setting.point.personal_actions:
            return max(self.occurred_at, self.order.placed_at)
        if self.order:
            return self.order.placed_at
        issued_at: datetime | None = self.ledger.get("issued_at")
        return self.occurred_at or issued_at or self.setting.now

    def _points(self) -> PointsMovement | None:
        if self.operation is not Operation.POINTS:
            return None
        return PointsMovement(
            self.ledger["amount"], self.ledger.get("reason") or "", self.ledger.get("number")
        )

    def _promo_code(self) -> PromoCode | None:
        if self.operation is not Operation.PROMO_CODE:
            return None
        issued_at = self.ledger.get("issued_at") or self.occurred_at or self.setting.now
        return PromoCode(self.ledger["code"], issued_at)


Reader = Callable[[Draft, str, str, Any], None]
Fields = Mapping[str, Reader]


def is_empty(raw: Any) -> bool:
    """An empty text is as good as absent (R44)."""
    return isinstance(raw, str) and not normalise.trim(raw)


def below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def shown(path: str) -> str:
    """A path with a name made up by the sender, short and fit for any answer."""
    return path[:200].encode("ascii", "backslashreplace").decode()


def entries(draft: Draft, path: str, value: Any, limit: int = LIST_LIMIT) -> Iterator[tuple[str, Any]]:
    """A single value, or each of a list that is not too long, with its path."""
    if not isinstance(value, list):
        yield path, value
    elif len(value) > limit:
        draft.fault(path, f"The list is too long: at most {limit} entries.")
    else:
        yield from ((f"{path}[{index}]", item) for index, item in enumerate(value))


def objects(
    draft: Draft, path: str, value: Any, fields: frozenset[str], limit: int = LIST_LIMIT
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each object of a list, with its path; their fields are known ones."""
    if not isinstance(value, list):
        draft.fault(path, NOT_NULL if value is None else LIST)
        return
    for at, item in entries(draft, path, value, limit):
        if not isinstance(item, dict):
            draft.fault(at, OBJECT)
        elif known(draft, at, item, fields):
            yield at, item


def known(draft: Draft, path: str, data: Mapping[str, Any], fields: frozenset[str]) -> bool:
    unknown = [name for name in data if name not in fields]
    for name in unknown:
        draft.fault(shown(below(path, name)), UNKNOWN)
    return not unknown


def one_of(draft: Draft, path: str, raw: Any, allowed: frozenset[str]) -> str | None:
    if isinstance(raw, str) and raw in allowed:
        return raw
    draft.fault(path, f"It is one of: {', '.join(sorted(allowed))}.")
    return None


def optional(draft: Draft, path: str, function: Callable[[Any], Any], raw: Any) -> Any:
    return None if raw is None or raw == "" else draft.take(path, function, raw)


def needed(draft: Draft, path: str, function: Callable[[Any], Any], raw: Any) -> Any:
    if raw is None or is_empty(raw):
        draft.fault(path, MISSING)
        return None
    return draft.take(path, function, raw)
