"""The one writer of a customer's record: its tables and its history, from the changes and from nothing else.

Set-based: the number of statements depends on which tables a batch touches, never on how many records it has.
Tables come in one fixed order, and new values sorted by kind and value, so that two batches cannot wait for
each other in a circle.

A value believed to have no row is inserted plainly: if somebody else was faster, that is a unique violation,
and the whole operation is to be tried again; so it is with `customers.storage.sql.Overtaken`, where a value
believed free has found a holder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from customers.changes import ApartLifted, ConfirmationAsked, Joined, KeptApart, MembershipChanged
from customers.storage.batch import Batch, RecordChanges
from customers.storage.columns import OPERATION
from customers.storage.history_rows import histories
from customers.storage.sql import Script, Table, as_json
from customers.storage.tables.base import Lineage, TableRows
from customers.storage.tables.consent import SubscriptionRows
from customers.storage.tables.former import FormerRows
from customers.storage.tables.identifiers import (
    CardRows,
    ClaimRows,
    DeviceUseRows,
    IdentifierRows,
    RelationRows,
)
from customers.storage.tables.ledger import FactRows, OrderRows, PointRows, PromoCodeRows
from customers.storage.tables.person import CustomerRows, NoteRows

OPERATIONS = Table("customers_operation", OPERATION.types)
CHANGES = Table(
    "customers_change",
    {"operation_id": "bigint", "maestra_id": "bigint", "at": "timestamptz", "data": "jsonb"},
)
WRITTEN_ELSEWHERE = frozenset({MembershipChanged, ConfirmationAsked, Joined, KeptApart, ApartLifted})
"""Changes that leave history at most, or are written by another app."""


def save(batch: Batch) -> None:
    """Write the customers' part of a batch with its history. Raises `IntegrityError` or `Overtaken` where
    another was faster.
    """
    script = Script()
    script.insert(OPERATIONS, [OPERATION.row(batch.operation)])
    for table in final_rows(batch):
        table.write(script, batch)
    _write_history(script, batch)
    script.send()


def final_rows(batch: Batch) -> list[TableRows]:
    """The rows a batch leaves behind, by table, in the order in which they are to be written. Pure.

    The lineage comes last in taking a change: what a merge moves was recorded under the profiles of before.
    """
    lineage = Lineage()
    tables = all_tables(lineage)
    handlers = handlers_of([*tables, lineage])
    for record in batch.records:
        for change in record.changes:
            for handle in handlers[type(change)]:
                handle(change, record)
    return tables


def all_tables(lineage: Lineage) -> list[TableRows]:
    """The tables in the order of writing: a row comes after those it refers to."""
    claims, former = ClaimRows(lineage), FormerRows(lineage)
    return [
        CustomerRows(lineage),
        FactRows(lineage),
        former,
        IdentifierRows(lineage, claims, former),
        claims,
        CardRows(lineage),
        DeviceUseRows(lineage),
        SubscriptionRows(lineage),
        OrderRows(lineage),
        PointRows(lineage),
        PromoCodeRows(lineage),
        NoteRows(lineage),
        RelationRows(lineage),
    ]


def handlers_of(
    tables: Iterable[TableRows | Lineage],
) -> Mapping[type, list[Callable[[Any, RecordChanges], None]]]:
    """What each change does to all the tables that it concerns."""
    found: dict[type, list[Callable[[Any, RecordChanges], None]]] = {kind: [] for kind in WRITTEN_ELSEWHERE}
    for table in tables:
        for change, handle in table.handlers().items():
            found.setdefault(change, []).append(handle)
    return found


def _write_history(script: Script, batch: Batch) -> None:
    operation = batch.operation.id
    lines = [(operation, maestra_id, at, as_json(told)) for maestra_id, at, told in histories(batch)]
    script.insert(CHANGES, lines)
