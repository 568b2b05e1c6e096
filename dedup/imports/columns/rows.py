"""From the cells of a row to a record of the engine, by the fields of `dedup.parsing`: the one gate."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from customers.errors import invalid
from customers.normalise import trim
from customers.profile import MAESTRA_ID, PAYMENT_CARD, Channel, Key, SubscriptionStatus
from customers.setup.integration_points import Point
from customers.setup.project_config import ProjectConfig
from dedup.engine.record import Operation, Record, SentMembership, SentSubscription
from dedup.imports.columns.mapping import MERGED, RESULTING, ColumnMapping, parted
from dedup.imports.columns.options import Options
from dedup.models import ImportKind
from dedup.parsing.cells import LOST_DIGITS, has_lost_digits, listed
from dedup.parsing.commerce import OrderColumn, RowOrderReader
from dedup.parsing.consent import channel_of
from dedup.parsing.draft import MISSING, UNIDENTIFIED, ParsingContext, RecordDraft, is_empty
from dedup.parsing.fields import CellContext, CellReader
from dedup.parsing.identifiers import lookup_key
from dedup.parsing.records import IMPORTED
from dedup.parsing.records import ORDER as ORDER_FIELD
from dedup.refusals import not_found
from dedup.wording import warning_sentence

CLEAR = "%CLEAR%"
"""What clears a field, as null does in the API (R44)."""
ORDER = " order"
"""Stands for an identifier kind where an order's number is named. Kinds of the project have no space in their
names.
"""

_OPERATIONS = {
    ImportKind.CUSTOMERS: Operation.UPSERT,
    ImportKind.ORDERS: Operation.ORDER,
    ImportKind.SEGMENT: Operation.EDIT,
    ImportKind.MERGES: Operation.EDIT,
}


class _Column(NamedTuple):
    """A column that is used. Of its target, `ids.crm_id`, `field` is the record's field, `part` the rest."""

    at: int
    name: str
    field: str
    part: str

    @property
    def kind(self) -> str:
        """The identifier kind, where it is a column of identifiers."""
        return self.part or self.field

    @property
    def identifies(self) -> bool:
        return self.field in IMPORTED and IMPORTED[self.field].identifies(self.part)

    @property
    def is_droppable(self) -> bool:
        return self.field in IMPORTED and IMPORTED[self.field].is_droppable(self.part)


def _used(header: Sequence[str], mapping: ColumnMapping) -> list[_Column]:
    named = enumerate(zip(header, mapping.targets, strict=True))
    return [_Column(at, name, *parted(target)) for at, (name, target) in named if target]


class RowReader:
    """Reads the rows of one file; made once per chunk, because it reads the set-up once."""

    def __init__(  # noqa: PLR0917 - what one chunk has in common
        self,
        kind: ImportKind,
        header: Sequence[str],
        mapping: ColumnMapping,
        options: Options,
        point: Point,
        config: ProjectConfig,
        now: datetime,
        decimal_commas: Collection[str] = (),
    ) -> None:
        if options.default_region:
            config = replace(config, default_region=options.default_region)
        self._context = ParsingContext(point, config, now)
        self._cells = CellContext(
            self._context,
            day_first=options.day_first,
            time_zone=options.time_zone,
            decimal_commas=decimal_commas,
        )
        self._operation = _OPERATIONS[kind]
        self._options = options
        self._columns = columns = _used(header, mapping)
        self._droppable = {column.name for column in columns if column.is_droppable}
        self._read_order = self._order_reader()
        self._lookup_columns = self._by_strength(column for column in columns if column.identifies)
        self._membership = self._chosen_membership()
        self._statuses = self._chosen_statuses()
        self._readers = [] if kind is ImportKind.MERGES else self._all_readers(kind)

    def record(self, cells: Sequence[str], at: datetime | None = None) -> Record:
        """Of a row of customers, orders or segment members; one that tells no time is of `at`, else of now.

        Raises `validation_error` with the columns' names as paths, `customer_not_found` where a member is
        named by a value on the block list.
        """
        draft = self._valid(cells)
        draft.default_time = at or draft.default_time
        return draft.record()

    def named(self, cells: Sequence[str]) -> list[Key]:
        """What the same record would name. Raises `validation_error` too."""
        draft = self._valid(cells)
        return [] if draft.nobody else named_by(draft)

    def _valid(self, cells: Sequence[str]) -> RecordDraft:
        draft = self._read(cells)
        if draft.errors and self._options.drop_invalid:
            self._drop(draft)
        if not draft.errors and not draft.identifies():
            draft.errors.append(
                ("", " ".join((gettext(UNIDENTIFIED), *map(warning_sentence, draft.warnings))))
            )
        if draft.errors:
            raise invalid(*draft.errors)
        return draft

    def _read(self, cells: Sequence[str]) -> RecordDraft:
        draft = RecordDraft(self._context, self._operation)
        draft.mode = self._options.mode
        draft.lookup_by = self._options.lookup_by
        draft.may_resubscribe = self._options.newer_consents is not False
        draft.subscriptions.update(self._statuses)
        for column, read in self._readers:
            if cell := cells[column]:
                read(draft, None if "%" in cell and cell.strip().upper() == CLEAR else cell)
        if self._read_order:
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
        draft = RecordDraft(self._context, Operation.EDIT)
        resulting = self._keys(draft, cells, RESULTING)
        merged = list(dict.fromkeys(self._keys(draft, cells, MERGED)))
        for role, keys in ((RESULTING, resulting), (MERGED, merged)):
            if not keys and not draft.errors and not draft.nobody:
                draft.fault(role, MISSING)
        if len(resulting) > 1:
            draft.fault(RESULTING, _("Name the resulting customer by one identifier."))
        if draft.errors:
            raise invalid(*draft.errors)
        if draft.nobody:
            raise not_found(draft.nobody)
        return resulting[0], merged

    def _keys(self, draft: RecordDraft, cells: Sequence[str], role: str) -> list[Key]:
        """The identifiers in the columns of a role; of those to merge, a cell may hold several."""
        found = [
            _lookup(draft, column.name, column.part, value)
            for column in self._columns
            if column.field == role
            for value in (listed(cells[column.at]) if role == MERGED else [cells[column.at]])
            if not is_empty(value)
        ]
        return [key for key in found if key]

    def _by_strength(self, columns: Iterable[_Column]) -> list[_Column]:
        """In the order in which the customer of a row is looked up."""
        order = list(self._options.lookup_by or self._context.lookup_by)
        rank = {kind: at for at, kind in enumerate(order)}
        return sorted(columns, key=lambda column: rank.get(column.kind, len(order)))

    def _chosen_membership(self) -> SentMembership | None:
        if self._options.segment is None:
            return None
        segmentation, segment = self._options.segment
        found = self._context.segmentations.get(segmentation)
        if found is None or segment not in found.segments:
            raise invalid(("options.segment", gettext("There is no such segment any more.")))
        return SentMembership(found.id, found.segments[segment], path="options.segment")

    def _chosen_statuses(self) -> dict[Channel, SentSubscription]:
        found = (
            (channel_of(name), SubscriptionStatus(status))
            for name, status in self._options.subscriptions.items()
        )
        return {
            channel: SentSubscription(channel, status, path="options.subscriptions")
            for channel, status in found
        }

    def _all_readers(self, kind: ImportKind) -> list[tuple[int, CellReader]]:
        """By column. What is said of a contact comes after the contact."""
        apart = self._lookup_columns if kind is ImportKind.SEGMENT else []
        columns = [c for c in self._columns if c not in apart and c.field != ORDER_FIELD.name]
        columns.sort(key=lambda column: IMPORTED[column.field].rank(column.part))
        return [
            (
                column.at,
                IMPORTED[column.field].cell_reader(
                    column.part, column.name, self._cells.of_column(column.name)
                ),
            )
            for column in columns
        ]

    def _order_reader(self) -> RowOrderReader | None:
        """One row is one order (R57)."""
        columns = [OrderColumn(c.at, c.name, c.part) for c in self._columns if c.field == ORDER_FIELD.name]
        return ORDER_FIELD.row_reader(columns, self._cells) if columns else None

    def _read_lookup(self, draft: RecordDraft, cells: Sequence[str]) -> None:
        """A member is somebody who is there: named by the first identifier of the row (R18)."""
        if not draft.memberships and not self._membership and not draft.errors:
            draft.fault("", _("The row names no segment."))
        for column in self._lookup_columns:
            cell = cells[column.at]
            if not is_empty(cell):
                draft.lookup = _lookup(draft, column.name, column.kind, cell)
                return

    def _drop(self, draft: RecordDraft) -> None:
        """Values that cannot be normalised become warnings (R11); what tells who it is stays an error."""
        dropped = [(path, message) for path, message in draft.errors if path in self._droppable]
        draft.errors = [error for error in draft.errors if error[0] not in self._droppable]
        for path, message in dropped:
            draft.warn_invalid(path, message)


def named_by(draft: RecordDraft) -> list[Key]:
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


def _lookup(draft: RecordDraft, path: str, kind: str, raw: str) -> Key | None:
    """The one identifier that finds a customer, faults under the column's name."""
    if has_lost_digits(raw):
        draft.fault(path, LOST_DIGITS)
        return None
    noted = len(draft.errors)
    key = lookup_key(draft, "", {kind: trim(raw) if kind == MAESTRA_ID else raw})
    draft.errors[noted:] = [(path, message) for _path, message in draft.errors[noted:]]
    return key
