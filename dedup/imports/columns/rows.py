"""From the cells of a row to a record of the engine, by the readers of `dedup.parsing`: the one gate.

What files write otherwise than the API (dates, numbers, yes and no, `%CLEAR%`) is put into its form first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from customers.errors import invalid
from customers.normalise import CustomType, Invalid, trim
from customers.profile import MAESTRA_ID, PAYMENT_CARD, Channel, Key, Kind, SubscriptionStatus
from customers.setup.integration_points import Point
from customers.setup.project_config import ProjectConfig
from dedup.engine.record import Operation, Record, SentMembership, SentSubscription
from dedup.imports.columns import values
from dedup.imports.columns.mapping import MERGED, RESULTING, Mapping, Options, identifies
from dedup.models import ImportKind
from dedup.parsing.commerce import read_order
from dedup.parsing.details import (
    PERSONAL,
    read_custom_field,
    read_occurred_at,
    read_time_zone,
    take_personal,
)
from dedup.parsing.draft import MISSING, UNIDENTIFIED, Draft, Setting, is_empty
from dedup.parsing.identifiers import (
    lookup_key,
    maestra_id,
    read_cards,
    read_value,
)
from dedup.refusals import not_found

CLEAR = "%CLEAR%"
"""What clears a field, as null does in the API (R44)."""
REMEMBERED = 10_000
"""Values of a column that are kept with what they were read as: names and dates come again and again."""

_OPERATIONS = {
    ImportKind.CUSTOMERS: Operation.UPSERT,
    ImportKind.ORDERS: Operation.ORDER,
    ImportKind.SEGMENT: Operation.EDIT,
    ImportKind.MERGES: Operation.EDIT,
}

ORDER = " order"
"""Stands for an identifier kind where an order's number is named. Kinds of the project have no space in their
names.
"""

CellReader = Callable[[Draft, str | None], None]
"""Takes a cell that is not empty; None where it clears."""


class _Column(NamedTuple):
    at: int
    name: str
    target: str


class RowReader:
    """Reads the rows of one file; made once per chunk, because it reads the set-up once."""

    def __init__(  # noqa: PLR0917 - what one chunk has in common
        self,
        kind: ImportKind,
        header: Sequence[str],
        mapping: Mapping,
        options: Options,
        point: Point,
        config: ProjectConfig,
        now: datetime,
    ) -> None:
        region = options.default_region
        known = replace(config, default_region=region) if region else config
        self._setting = Setting(point, known, now)
        self._operation = _OPERATIONS[kind]
        self._options = options
        self._zone = ZoneInfo(options.time_zone)
        self._today = now.astimezone(self._zone).date()
        columns = [
            _Column(at, name, target)
            for at, (name, target) in enumerate(zip(header, mapping.targets, strict=True))
            if target
        ]
        self._columns = columns
        self._droppable = {column.name for column in columns if _is_droppable(column.target)}
        self._order_columns = [c for c in columns if c.target.startswith("order.")]
        self._lookup_columns = self._by_strength(c for c in columns if identifies(c.target))
        self._membership = self._chosen_membership()
        self._readers = [] if kind is ImportKind.MERGES else self._all_readers(kind)

    def record(self, cells: Sequence[str], at: datetime | None = None) -> Record:
        """Of a row of customers, orders or segment members; one that tells no time is of `at`, else of now.

        Raises `validation_error` with the columns' names as paths, `customer_not_found` where a member is
        named by a value on the block list.
        """
        draft = self._valid(cells)
        if draft.occurred_at is None and draft.order is None:
            draft.occurred_at = at
        return draft.record()

    def named(self, cells: Sequence[str]) -> list[Key]:
        """What the same record would name. Raises `validation_error` too."""
        draft = self._valid(cells)
        return [] if draft.nobody else named_by(draft)

    def _valid(self, cells: Sequence[str]) -> Draft:
        draft = self._read(cells)
        if draft.errors and self._options.drop_invalid:
            self._drop(draft)
        if not draft.errors and not draft.identifies():
            draft.fault("", " ".join((UNIDENTIFIED, *draft.warnings)))
        if draft.errors:
            raise invalid(*draft.errors)
        return draft

    def _read(self, cells: Sequence[str]) -> Draft:
        draft = Draft(self._setting, self._operation)
        draft.mode = self._options.mode
        draft.lookup_by = self._options.lookup_by
        for column, read in self._readers:
            if cell := cells[column]:
                read(draft, None if "%" in cell and cell.strip().upper() == CLEAR else cell)
        if self._order_columns:
            self._read_order(draft, cells)
        if self._operation is Operation.EDIT:
            self._read_lookup(draft, cells)
        if self._membership:
            draft.memberships.setdefault(self._membership.segmentation, self._membership)
        return draft

    def merge(self, cells: Sequence[str]) -> tuple[Key, list[Key]]:
        """Of a row of merges: the resulting customer, and those to merge into it (R28). Raises
        `validation_error`, or `customer_not_found` for a value on the block list.
        """
        draft = Draft(self._setting, Operation.EDIT)
        resulting = self._keys(draft, cells, RESULTING)
        merged = list(dict.fromkeys(self._keys(draft, cells, MERGED)))
        for role, keys in ((RESULTING, resulting), (MERGED, merged)):
            if not keys and not draft.errors and not draft.nobody:
                draft.fault(role, MISSING)
        if len(resulting) > 1:
            draft.fault(RESULTING, "Name the resulting customer by one identifier.")
        if draft.errors:
            raise invalid(*draft.errors)
        if draft.nobody:
            raise not_found(draft.nobody)
        return resulting[0], merged

    def _keys(self, draft: Draft, cells: Sequence[str], role: str) -> list[Key]:
        """The identifiers in the columns of a role; of those to merge, a cell may hold several."""
        found = [
            _lookup(draft, column.name, column.target.removeprefix(f"{role}."), part)
            for column in self._columns
            if column.target.startswith(f"{role}.")
            for part in (_listed(cells[column.at]) if role == MERGED else [cells[column.at]])
            if not is_empty(part)
        ]
        return [key for key in found if key]

    def _by_strength(self, columns: Any) -> list[_Column]:
        """In the order in which the customer of a row is looked up."""
        order = list(self._options.lookup_by or self._setting.lookup_by)
        rank = {kind: at for at, kind in enumerate(order)}
        return sorted(columns, key=lambda column: rank.get(column.target.removeprefix("ids."), len(order)))

    def _chosen_membership(self) -> SentMembership | None:
        if self._options.segment is None:
            return None
        segmentation, segment = self._options.segment
        found = self._setting.segmentations.get(segmentation)
        if found is None or segment not in found.segments:
            raise invalid(("options.segment", "There is no such segment any more."))
        return SentMembership(found.id, found.segments[segment])

    def _all_readers(self, kind: ImportKind) -> list[tuple[int, CellReader]]:
        """By column. What is said of a contact comes after the contact."""
        apart = [*self._order_columns, *(self._lookup_columns if kind is ImportKind.SEGMENT else [])]
        columns = [column for column in self._columns if column not in apart]
        columns.sort(key=lambda column: column.target.endswith((".is_confirmed", ".is_primary")))
        return [(column.at, self._reader(column)) for column in columns]

    def _reader(self, column: _Column) -> CellReader:  # noqa: PLR0911 - one branch per group of targets
        path = column.name
        group, _dot, name = column.target.partition(".")
        match group:
            case "ids" if name == MAESTRA_ID:
                return partial(_read_maestra_id, path)
            case "ids":
                return partial(_read_identifier, path, self._setting.config.kinds[name])
            case "personal":
                return self._personal(path, name)
            case "custom_fields":
                return partial(self._custom_field, path, name)
            case "subscriptions":
                channel, _dot, topic = name.partition(".")
                return _subscription(path, Channel(channel, topic))
            case "segments":
                return partial(self._segment, path, name)
            case "time_zone":
                return lambda draft, raw: read_time_zone(draft, path, group, raw)
            case "occurred_at":
                return partial(self._occurred_at, path)
            case _ if group == PAYMENT_CARD:
                return lambda draft, raw: read_cards(draft, path, group, raw)
            case _ if name:
                return partial(_read_flag, path, self._setting.config.kinds[group], name)
            case _:
                return partial(_read_identifier, path, self._setting.config.kinds[group])

    def _personal(self, path: str, name: str) -> CellReader:
        function = lru_cache(REMEMBERED)(self._personal_value(name))
        return lambda draft, raw: take_personal(draft, path, name, function, raw)

    def _personal_value(self, name: str) -> Callable[[str], Any]:
        """What makes a personal field of a text."""
        read = PERSONAL[name]
        match name:
            case "gender":
                return lambda text: read(values.gender(text))
            case "birth_date":
                return lambda text: read(self._day(text))
            case _:
                return read

    def _day(self, text: str) -> Any:
        return values.day(text, self._options.day_first, self._today)

    def _instant(self, text: str) -> datetime:
        return values.instant(text, self._options.day_first, self._zone, self._setting.now)

    def _occurred_at(self, path: str, draft: Draft, raw: str | None) -> None:
        if raw is None:
            draft.fault(path, _NOT_TO_CLEAR)
        elif at := draft.take(path, self._instant, raw):
            read_occurred_at(draft, path, "occurred_at", at)

    def _custom_field(self, path: str, name: str, draft: Draft, raw: str | None) -> None:
        if raw is None:
            draft.custom_fields[name] = None
        elif not is_empty(raw):
            custom_type = self._setting.config.custom_fields[name].type
            value = draft.take(path, partial(self._typed, custom_type), raw)
            if value is not None:
                read_custom_field(draft, path, name, custom_type, value)

    def _typed(self, custom_type: CustomType, raw: str) -> Any:
        """The cell as the API would send it."""
        match custom_type:
            case CustomType.INTEGER | CustomType.DECIMAL:
                return values.number(raw)
            case CustomType.BOOLEAN:
                value = values.yes_or_no(raw)
                return raw if value is None else value
            case CustomType.DATE:
                return self._day(raw)
            case CustomType.DATETIME:
                return self._instant(raw)
            case CustomType.LIST:
                return _listed(raw)
            case _:
                return raw

    def _segment(self, path: str, name: str, draft: Draft, raw: str | None) -> None:
        """`%CLEAR%` takes the customer out of the segmentation."""
        segmentation = self._setting.segmentations.get(name)
        if segmentation is None or not segmentation.is_static:
            draft.fault(path, "There is no such segmentation any more, or its segments are calculated.")
            return
        text = trim(raw or "")
        segment = segmentation.segments.get(text) or segmentation.segments.get(text.lower().replace(" ", "_"))
        if raw is not None and segment is None:
            if text:
                draft.fault(path, "The segmentation has no segment of this name.")
            return
        draft.memberships[segmentation.id] = SentMembership(segmentation.id, segment)

    def _read_order(self, draft: Draft, cells: Sequence[str]) -> None:
        """One row is one order (R57)."""
        noted = len(draft.errors)
        paths = {c.target: c.name for c in self._order_columns}
        values = {
            c.target.removeprefix("order."): self._order_value(draft, c, cells[c.at])
            for c in self._order_columns
        }
        if len(draft.errors) > noted:
            return
        read_order(draft, "order", "order", {name: value for name, value in values.items() if value != ""})
        draft.errors[noted:] = [
            (paths.get(path.partition("[")[0], path), message) for path, message in draft.errors[noted:]
        ]

    def _order_value(self, draft: Draft, column: _Column, cell: str) -> Any:
        if is_empty(cell):
            return ""
        match column.target:
            case "order.total":
                return draft.take(column.name, values.number, cell)
            case "order.placed_at":
                return draft.take(column.name, self._instant, cell)
            case "order.lines":
                return draft.take(column.name, _json, cell)
            case _:
                return cell

    def _read_lookup(self, draft: Draft, cells: Sequence[str]) -> None:
        """A member is somebody who is there: named by the first identifier of the row (R18)."""
        if not draft.memberships and not self._membership and not draft.errors:
            draft.fault("", "The row names no segment.")
        for column in self._lookup_columns:
            cell = cells[column.at]
            if not is_empty(cell):
                kind = column.target.removeprefix("ids.")
                draft.lookup = _lookup(draft, column.name, kind, cell)
                return

    def _drop(self, draft: Draft) -> None:
        """Values that cannot be normalised become warnings (R11); what tells who it is stays an error."""
        dropped = [(path, message) for path, message in draft.errors if path in self._droppable]
        draft.errors = [error for error in draft.errors if error[0] not in self._droppable]
        draft.warnings += [f"{path} was left out: {message}" for path, message in dropped]


def named_by(draft: Draft) -> list[Key]:
    """What a record names, as far as it is read: identifiers, payment cards, who is looked up, the order."""
    keys = list(draft.identifiers)
    if draft.cards:
        keys += [Key(PAYMENT_CARD, card) for card in draft.cards]
    if draft.maestra_id is not None:
        keys.append(Key(MAESTRA_ID, str(draft.maestra_id)))
    if draft.lookup:
        keys.append(draft.lookup)
    if draft.order:
        keys.append(Key(ORDER, draft.order.number))
    return keys


_NOT_TO_CLEAR = "It cannot be cleared. Leave the cell empty where nothing is known."


def _is_droppable(target: str) -> bool:
    """Everything but IDs, orders, segments and flags: without those a row would mean something else."""
    group, _dot, flag = target.partition(".")
    return group in {"personal", "custom_fields", "time_zone", "subscriptions"} or (
        group != "ids" and not flag and group != "occurred_at"
    )


def _read_maestra_id(path: str, draft: Draft, raw: str | None) -> None:
    if raw is None or not is_empty(raw):
        draft.maestra_id = maestra_id(draft, path, raw and trim(raw))


def _read_identifier(path: str, kind: Kind, draft: Draft, raw: str | None) -> None:
    if raw is None:
        draft.clears.add(kind.name)
    else:
        read_value(draft, path, kind, raw)


def _read_flag(path: str, kind: Kind, flag: str, draft: Draft, raw: str | None) -> None:
    """What is said of the first contact of the type in the row."""
    if raw is None or is_empty(raw):
        return
    value = values.yes_or_no(raw)
    if value is None:
        draft.fault(path, "Write yes or no.")
        return
    if flag == "is_confirmed" and value and kind.name not in draft.confirming:
        draft.fault(path, "Contacts of this type are not confirmed at this integration point. Leave it out.")
        return
    key = next((key for key in draft.identifiers if key.kind == kind.name), None)
    if key and value:
        (draft.primary if flag == "is_primary" else draft.confirmed).add(key)


def _subscription(path: str, channel: Channel) -> CellReader:
    status_of = lru_cache(REMEMBERED)(values.subscription)
    sent = {status: SentSubscription(channel, status) for status in SubscriptionStatus}

    def read(draft: Draft, raw: str | None) -> None:
        if raw is None:
            draft.fault(path, _NOT_TO_CLEAR)
        elif status := status_of(raw):
            draft.subscriptions[channel] = sent[status]
        elif not is_empty(raw):
            draft.fault(path, f"Write yes or no, or one of: {', '.join(SubscriptionStatus)}.")

    return read


def _lookup(draft: Draft, path: str, kind: str, raw: str) -> Key | None:
    """The one identifier that finds a customer, faults under the column's name."""
    noted = len(draft.errors)
    key = lookup_key(draft, "", {kind: trim(raw) if kind == MAESTRA_ID else raw})
    draft.errors[noted:] = [(path, message) for _path, message in draft.errors[noted:]]
    return key


def _listed(text: str) -> list[str]:
    """The entries of a cell that holds several: a JSON list, or with ; or | or else commas between them."""
    if text.startswith("["):
        found = _json(text)
        return [str(entry) for entry in found] if isinstance(found, list) else [text]
    separator = next((mark for mark in ";|," if mark in text), ",")
    return [entry for entry in map(trim, text.split(separator)) if entry]


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Invalid('Write it as JSON, as in [{"sku": "7"}].') from None
