"""Imports as the tests of them see them: a project, files made of lists, and work done in this process."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from customers.models import CustomField, IdentifierKind, IntegrationPoint
from customers.setup.integration_points import Point, point_of
from customers.setup.project_config import project_config
from dedup.imports import operations, reports
from dedup.imports.columns.options import Options
from dedup.imports.processing.chunks import step_of
from dedup.models import Import, ImportKind
from segments.models import Segment, Segmentation
from segments.references import named_segmentations

AT = datetime(2026, 1, 5, 10, tzinfo=UTC)
HEADER = ("CrmID", "Email", "MobilePhone", "FirstName")
ANN, BOB, CLO = "ann@example.com", "bob@example.com", "clo@example.com"
PHONE, PHONE_2 = "+14155550101", "+14155550102"


def project(**point: Any) -> Point:
    """A project with the usual kinds, and the point that files come through."""
    IdentifierKind.objects.create(system_name="crm_id", name="CRM ID", category="unique")
    IdentifierKind.objects.create(system_name="session_key", name="Session key", category="identifier")
    CustomField.objects.create(system_name="shoe_size", name="Shoe size", type="integer", merge="larger")
    loyalty = Segmentation.objects.create(system_name="loyalty", name="Loyalty")
    Segment.objects.create(segmentation=loyalty, system_name="gold", name="Gold")
    given = {
        "system_name": "files",
        "name": "Files",
        "kind": "file_import",
        "personal_actions": False,
        **point,
    }
    return point_of(IntegrationPoint.objects.create(**given))


def csv_of(rows: Iterable[Sequence[str]], header: Sequence[str] = HEADER) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    return text.getvalue().encode()


def sent(
    point: Point,
    rows: Iterable[Sequence[str]],
    header: Sequence[str] = HEADER,
    *,
    kind: str = "customers",
    mapping: Any = None,
    is_dry_run: bool = False,
    **options: Any,
) -> Import:
    """A file taken in, not worked yet."""
    started = operations.start(
        point=point,
        actor="user:tester",
        user_id=None,
        file=io.BytesIO(csv_of(rows, header)),
        name="people.csv",
        kind=ImportKind(kind),
        mapping=mapping,
        options=Options.read(options, project_config(), named_segmentations()),
        is_dry_run=is_dry_run,
    )
    return dated(started)


def dated(source: Import) -> Import:
    """The first import was uploaded at `AT`, each other one a minute after the one before it."""
    before = Import.objects.filter(pk__lt=source.pk).count()
    Import.objects.filter(pk=source.pk).update(created_at=AT + timedelta(minutes=before))
    return operations.find(source.pk)


def worked(source: Import) -> Import:
    """The import when nothing of it is left to do."""
    while step_of(source):
        source = operations.find(source.pk)
    return operations.find(source.pk)


def imported(*given: Any, **more: Any) -> Import:
    return worked(sent(*given, **more))


def tried(source: Import) -> Import:
    """What a dry run told of, done."""
    return worked(dated(operations.run(source, actor="user:tester", user_id=None)))


def outcomes(source: Import) -> list[str | None]:
    return [row.code or row.outcome for row in reports.report_rows(source)]


def customers_of(source: Import) -> list[int | None]:
    return [row.maestra_id for row in reports.report_rows(source)]


def counts(source: Import) -> dict[str, int]:
    at = reports.progress(source)
    return {**at.counts, **{f"failed: {code}": number for code, number in at.failed_by.items()}}


def count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])
