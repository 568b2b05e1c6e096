"""A record while it is read: what its fields fill, and what they note on the way.

What is wrong is noted with its path and reading goes on, so that the sender learns of everything at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from customers import normalise
from customers.changes import Order
from customers.normalise import Incomplete, Invalid
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
from dedup.engine.warnings import RecordWarning, WarningCode
from dedup.refusals import not_found
from segments.references import NamedSegmentation, named_segmentations

LIST_LIMIT = 100
"""Entries of any list in a record."""

UNKNOWN = _("There is no such field. Look for a typing error.")
OBJECT = _("It must be an object, in curly brackets.")
LIST = _("It must be a list, in square brackets.")
MISSING = _("It is missing.")
NOT_NULL = _("It cannot be null. Leave it out, or set what is inside it to null one by one.")
UNIDENTIFIED = _("At least one identifier is needed, one that is not on the block list.")
TOO_LONG = _("The list is too long: at most %(limit)d entries.")
ONE_OF = _("It is one of: %(names)s.")

CLEARING = frozenset({Operation.UPSERT, Operation.EDIT, Operation.SUBSCRIBE, Operation.ORDER})
"""Operations in which null clears (R44); a new customer has nothing to clear."""


class ParsingContext:
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


class ReadableField(Protocol):
    """What a draft needs of a field (`dedup.parsing.fields.RecordField`)."""

    def read(self, draft: RecordDraft, path: str, raw: Any, /) -> None: ...


class RecordDraft:
    """A record while it is read. `identifiers` are values as typed; of these are those that are sent
    `confirmed`, and as the `primary` one. Without a time of its own it happened at `default_time`.
    `path` is where in what was sent its fields are.
    """

    def __init__(self, context: ParsingContext, operation: Operation) -> None:
        plain = operation is Operation.SUBSCRIBE  # R15
        self.context = context
        self.operation = operation
        self.confirming = frozenset() if plain else context.point.must_be_confirmed
        self.accessing = frozenset() if plain else context.point.gives_access
        self.errors: list[tuple[str, str]] = []
        self.warnings: list[RecordWarning] = []
        self.identifiers: dict[Key, str] = {}
        self.confirmed: set[Key] = set()
        self.primary: set[Key] = set()
        self.cards: dict[str, None] = {}
        self.clears: set[str] = set()
        self.maestra_id: int | None = None
        self.lookup: Key | None = None
        self.nobody: Key | None = None
        self.occurred_at: datetime | None = None
        self.default_time = context.now
        self.path = ""
        self.lookup_by: tuple[str, ...] = ()
        self.mode = Mode.OVERWRITE
        self.personal: dict[str, Any] = {}
        self.time_zone: str | None = None
        self.custom_fields: dict[str, Any] = {}
        self.subscriptions: dict[Channel, SentSubscription] = {}
        self.memberships: dict[int, SentMembership] = {}
        self.opts_out = False
        self.may_resubscribe = True
        self.order: Order | None = None
        self.ledger: dict[str, Any] = {}

    def fault(self, path: str, message: str, **values: object) -> None:
        """Note what is wrong with a field. `message` is a sentence marked by `gettext_noop`, into which the
        `values` go.
        """
        self.errors.append((path, gettext(message) % values if values else gettext(message)))

    def invalid(self, path: str, error: Invalid) -> None:
        """Note why a value cannot be normalised."""
        self.errors.append((path, error.message(gettext)))

    def warn_blocked(self, path: str) -> None:
        """Note that a value on the block list was left out (R12)."""
        self.warnings.append(RecordWarning(WarningCode.BLOCKED_VALUE, path))

    def warn_invalid(self, path: str, message: str) -> None:
        """Note that a value was left out, and why."""
        self.warnings.append(RecordWarning(WarningCode.INVALID_VALUE, path, values={"message": message}))

    def is_faulty(self, path: str) -> bool:
        return any(at == path for at, _message in self.errors)

    def read(self, path: str, data: Any, fields: Mapping[str, ReadableField]) -> None:
        """Every entry of an object by the field of its name. An empty text is treated as absent (R44)."""
        if not isinstance(data, dict):
            self.fault(path, OBJECT)
            return
        for name, value in data.items():
            field = fields.get(name)
            at = f"{path}.{name}" if path else name
            if field is None:
                self.fault(shown(at), UNKNOWN)
            elif value != "":
                field.read(self, at, value)

    def lacks(self, name: str, data: Any) -> bool:
        """Whether what the operation cannot do without was not sent."""
        return isinstance(data, dict) and (data.get(name) is None or is_empty(data[name]))

    def take(self, path: str, function: Callable[[Any], Any], raw: Any) -> Any:
        """What `function` makes of a value; None, with its fault noted, where it is invalid."""
        try:
            return function(raw)
        except Incomplete as error:
            self.warn_invalid(path, error.message(gettext))
        except Invalid as error:
            if not is_empty(raw):
                self.invalid(path, error)
        return None

    def value(self, path: str, kind: Kind, raw: Any) -> str | None:
        """The normalised identifier; None where it is empty, faulty, or blocked, which is a warning (R11,
        R12).
        """
        value, fault = None, None
        try:
            value = self.context.normalise[kind.category](raw)
        except Invalid as error:
            fault = error
        if self.context.config.block_list.blocks(kind.name, raw, value):
            self.warn_blocked(path)
            return None
        if fault and not is_empty(raw):
            self.invalid(path, fault)
        return value

    def moment(self, path: str, raw: Any) -> datetime | None:
        """A point in time; one in the future counts as now."""
        at: datetime | None = self.take(path, normalise.event_moment, raw)
        return min(at, self.context.now) if at else None

    def identifies(self) -> bool:
        named = self.identifiers or self.cards or self.maestra_id is not None
        if self.operation is Operation.AUTHORIZE:
            return bool(self.identifiers)
        return bool(named) or self.lookup is not None or self.nobody is not None

    def record(self) -> Record:
        """Raises `customer_not_found` where a value on the block list is to find somebody (R12)."""
        if self.nobody:
            raise not_found(self.nobody)
        return self._record(self.context.point, self._time())

    def _record(self, point: Point, at: datetime) -> Record:
        return Record(
            operation=self.operation,
            occurred_at=at,
            identifiers=self._sent(),
            cards=tuple(self.cards),
            maestra_id=self.maestra_id,
            lookup=self.lookup,
            lookup_by=self.lookup_by or self.context.lookup_by,
            access_kinds=self.accessing,
            mode=self.mode,
            personal=self.personal,
            time_zone=self.time_zone,
            custom_fields=self.custom_fields,
            clears=frozenset(self.clears if self.operation in CLEARING else ()),
            subscriptions=tuple(self.subscriptions.values()),
            memberships=tuple(self.memberships.values()),
            opted_out_at=at if self.opts_out else None,
            may_resubscribe=self.may_resubscribe,
            personal_action=point.personal_actions or self.order is not None,
            is_passive_order=self.order is not None and not point.personal_actions,
            order=self.order,
            points=self._points(),
            promo_code=self._promo_code(),
            point=point.id,
            is_dated=at != self.default_time,
            path=self.path,
            warnings=tuple(self.warnings),
        )

    def _sent(self) -> tuple[Sent, ...]:
        """The identifiers with the flags that were sent, and those that the point gives them (R13)."""
        kinds = self.context.config.kinds
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
        """When it happened, as the record says; else when the promo code was issued.

        An order is a personal action when it was placed; what else its record says is one only through a
        point whose records are (R57).
        """
        if self.order and self.occurred_at and self.context.point.personal_actions:
            return max(self.occurred_at, self.order.placed_at)
        if self.order:
            return self.order.placed_at
        issued_at: datetime | None = self.ledger.get("issued_at")
        return self.occurred_at or issued_at or self.default_time

    def _points(self) -> PointsMovement | None:
        if self.operation is not Operation.POINTS:
            return None
        return PointsMovement(
            self.ledger["amount"], self.ledger.get("reason") or "", self.ledger.get("number")
        )

    def _promo_code(self) -> PromoCode | None:
        if self.operation is not Operation.PROMO_CODE:
            return None
        issued_at = self.ledger.get("issued_at") or self.occurred_at or self.default_time
        return PromoCode(self.ledger["code"], issued_at)


def is_empty(raw: Any) -> bool:
    """Whether it is a text with nothing in it, which is treated as absent (R44)."""
    return isinstance(raw, str) and not normalise.trim(raw)


def below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def shown(path: str) -> str:
    """A path with a name made up by the sender, short and fit for any answer."""
    return path[:200].encode("ascii", "backslashreplace").decode()


def entries(draft: RecordDraft, path: str, value: Any, limit: int = LIST_LIMIT) -> Iterator[tuple[str, Any]]:
    """A single value, or each of a list that is not too long, with its path."""
    if not isinstance(value, list):
        yield path, value
    elif len(value) > limit:
        draft.fault(path, TOO_LONG, limit=limit)
    else:
        yield from ((f"{path}[{index}]", item) for index, item in enumerate(value))


def objects(
    draft: RecordDraft, path: str, value: Any, fields: frozenset[str], limit: int = LIST_LIMIT
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


def known(draft: RecordDraft, path: str, data: Mapping[str, Any], fields: frozenset[str]) -> bool:
    unknown = [name for name in data if name not in fields]
    for name in unknown:
        draft.fault(shown(below(path, name)), UNKNOWN)
    return not unknown


def one_of(draft: RecordDraft, path: str, raw: Any, allowed: frozenset[str]) -> str | None:
    if isinstance(raw, str) and raw in allowed:
        return raw
    draft.fault(path, ONE_OF, names=", ".join(sorted(allowed)))
    return None


def optional(draft: RecordDraft, path: str, function: Callable[[Any], Any], raw: Any) -> Any:
    return None if raw is None or raw == "" else draft.take(path, function, raw)


def needed(draft: RecordDraft, path: str, function: Callable[[Any], Any], raw: Any) -> Any:
    if raw is None or is_empty(raw):
        draft.fault(path, MISSING)
        return None
    return draft.take(path, function, raw)
