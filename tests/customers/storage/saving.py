"""Changes saved the way operations save them, for tests of the writers and of what reads after them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from customers.changes import Change
from customers.models import IdentifierKind
from customers.profile import Category, Holding, Key
from customers.setup.project_config import project_config
from customers.storage import saving as customers_saving
from customers.storage.batch import Batch, OperationInfo, RecordChanges
from customers.storage.sql import draw_ids
from dedup.storage import saving as dedup_saving
from segments import saving as segments_saving

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def minutes(count: int) -> datetime:
    return NOON + timedelta(minutes=count)


def make_kinds() -> None:
    """One kind of unique and one of other identifiers, as a project defines them."""
    IdentifierKind.objects.create(system_name="crm_id", name="CRM ID", category="unique")
    IdentifierKind.objects.create(system_name="session_key", name="Session key", category="identifier")


def new_ids(count: int) -> list[int]:
    return draw_ids("customers_customer", count)


def batch_of(
    records: Sequence[RecordChanges],
    known: Iterable[Key] = (),
    point: int | None = None,
    at: datetime = NOON,
) -> Batch:
    (operation_id,) = draw_ids("customers_operation", 1)
    operation = OperationInfo(operation_id, kind="upsert", actor="system", at=at, point=point)
    return Batch(tuple(records), operation, project_config().kinds, frozenset(known))


def save(
    records: Sequence[RecordChanges],
    known: Iterable[Key] = (),
    point: int | None = None,
    at: datetime = NOON,
) -> list[int]:
    """Save in a transaction of its own, deferred constraints checked. The IDs of the merges."""
    batch = batch_of(records, known, point, at)
    with transaction.atomic():
        customers_saving.save(batch)
        segments_saving.save(batch)
        merge_ids = dedup_saving.save(batch)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
    return merge_ids


def record(*changes: Change, at: datetime = NOON, point: int | None = None) -> RecordChanges:
    return RecordChanges(changes, at, point)


def holding(key: Key, origin: int, **flags: Any) -> Holding:
    """As typed, an e-mail is in capitals."""
    category = project_config().kinds[key.kind].category
    raw = key.value.upper() if category is Category.EMAIL else key.value
    facts = {"raw": raw, "since": NOON, **flags}
    return Holding(kind=key.kind, value=key.value, category=category, origin=origin, **facts)
