"""What can be done with an import: upload, begin, run what was tried dry, pause, resume, cancel.

The rows themselves are worked elsewhere (`dedup.imports.processing.chunks`), by whichever worker comes to
them. Nothing here waits for that.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.errors import ErrorCode, SelfsameError, invalid
from customers.setup.integration_points import Point, point_of
from customers.setup.project_config import project_config
from dedup.imports.columns.mapping import (
    ColumnMapping,
    look_alikes,
    read_mapping,
    recognise,
    require_usable,
    unmapped,
)
from dedup.imports.columns.options import Options
from dedup.imports.processing.results import sums
from dedup.imports.processing.slices import wake_after_commit
from dedup.imports.questions import inspected
from dedup.models import (
    Import,
    ImportBlock,
    ImportChunk,
    ImportKind,
    ImportMapping,
    ImportPiece,
    ImportStates,
)
from dedup.parsing.cell_times import day_first_in
from segments.references import named_segmentations

BLOCK = 1 << 20
NAME_LIMIT = 255
WORKING = (ImportStates.STAGING, ImportStates.RUNNING, ImportStates.PAUSED)
UPLOADS_KEPT = timedelta(days=1)
"""A file that nobody does anything with."""

Columns = Mapping[str, Any]
"""The target of each column by its name."""


def upload(
    *,
    point: Point,
    actor: str,
    user_id: int | None,
    file: IO[bytes],
    name: str,
    kind: ImportKind,
    options: Options,
    guesses: bool = False,
) -> Import:
    """Take a file in, with the mapping that its column names suggest. Nothing happens with it before `begin`.

    Raises `validation_error` or `too_large` where it cannot be imported, and where it has to be asked how the
    file is read; with `guesses` it is read as is likely, with a warning.
    """
    assert point.id  # only staff who read have no point
    with TemporaryDirectory(prefix="selfsame-import-") as folder:
        path = Path(folder) / "file"
        with path.open("wb") as copy:
            shutil.copyfileobj(file, copy)
        source = Import(point_id=point.id, actor=actor, actor_user_id=user_id, kind=kind)
        source.name, source.size = name[-NAME_LIMIT:], path.stat().st_size
        _describe(source, path, options, point, guesses=guesses)
        with transaction.atomic():
            source.save()
            _store(source, path)
    source.refresh_from_db()
    return source


def reread(source: Import, options: Options) -> Import:
    """Read an upload otherwise; its columns are recognised anew. Raises as `upload` does."""
    with transaction.atomic(), TemporaryDirectory(prefix="selfsame-import-") as folder:
        source = _locked(source, ImportStates.UPLOADED)
        path = Path(folder) / "file"
        with path.open("wb") as copy:
            for data in source.blocks.order_by("number").values_list("data", flat=True).iterator(1):
                copy.write(data)
        _describe(source, path, options, point_of(source.point), guesses=False)
        source.save()
    return source


def _describe(source: Import, path: Path, options: Options, point: Point, *, guesses: bool) -> None:
    """What the file is, and how it is read where nobody says otherwise."""
    recognised = partial(_recognised, source, point)
    found, options, guessed = inspected(path, source.name, options, recognised, guesses=guesses)
    mapping = recognised(found.header)
    if options.day_first is None:
        options = replace(options, day_first=day_first_in(found.first_rows))
    source.format, source.header = found.format.to_json(), list(found.header)
    source.targets, source.options = list(mapping.targets), options.to_json()
    source.warnings = [*guessed, *found.warnings]


def _recognised(source: Import, point: Point, names: Sequence[str]) -> ColumnMapping:
    return recognise(ImportKind(source.kind), names, project_config(), named_segmentations(), point)


def _store(source: Import, path: Path) -> None:
    with path.open("rb") as file:
        number = 0
        while data := file.read(BLOCK):
            ImportBlock.objects.create(source=source, number=number, data=data)
            number += 1


def begin(
    source: Import, *, mapping: Columns | str | None = None, options: Options | None = None, is_dry_run: bool
) -> Import:
    """Have an upload worked. `mapping` is {column: target} or the name of a saved one; columns it does not
    name go where their names suggest, those it puts to null nowhere.

    Raises `validation_error` naming each column at fault, or what no column is mapped to.
    """
    with transaction.atomic():
        source = _locked(source, ImportStates.UPLOADED)
        if source.dry_run:
            _require_rows(source.dry_run)
        if options is not None:
            source.options = options.to_json()
        if mapping is not None:
            source.targets = list(mapping_of(source, mapping).targets)
        _require_usable(source)
        source.is_dry_run, source.state = is_dry_run, ImportStates.STAGING
        source.save()
        wake_after_commit()
    return source


def mapping_of(source: Import, mapping: Columns | str) -> ColumnMapping:
    """A mapping by hand, or a saved one as far as the file has its columns; the rest as recognised."""
    kind, point = ImportKind(source.kind), point_of(source.point)
    if isinstance(mapping, str):
        mapping = _columns_of(kind, mapping, source.header)
    config, segmentations = project_config(), named_segmentations()
    recognised = recognise(kind, source.header, config, segmentations, point).to_json(source.header)
    chosen = [target for target in mapping.values() if target]
    rest = {column: target for column, target in recognised.items() if target not in chosen}
    return read_mapping(kind, source.header, {**rest, **mapping}, config, segmentations, point)


def _require_usable(source: Import) -> None:
    options = Options.read(source.options, project_config(), named_segmentations())
    require_usable(ImportKind(source.kind), ColumnMapping(tuple(source.targets)), options)


def start(
    *,
    point: Point,
    actor: str,
    user_id: int | None,
    file: IO[bytes],
    name: str,
    kind: ImportKind,
    options: Options,
    mapping: Columns | str | None = None,
    is_dry_run: bool = False,
) -> Import:
    """Upload and begin at once."""
    with transaction.atomic():
        source = upload(
            point=point, actor=actor, user_id=user_id, file=file, name=name, kind=kind, options=options
        )
        return begin(source, mapping=mapping, is_dry_run=is_dry_run)


def run(dry_run: Import, *, actor: str, user_id: int | None, leave_out_refusals: bool = False) -> Import:
    """Run a finished dry run for real, with the same rows and mapping. The report then says what came out
    different. With `leave_out_refusals` nobody is subscribed who had refused (R56).

    Raises `validation_error` where it was no dry run, is not finished or is run already, or its rows were
    dropped.
    """
    with transaction.atomic():
        _require_not_run(dry_run)
        source = _with_rows_of(dry_run, actor, user_id, ImportStates.STAGING)
        if leave_out_refusals:
            source.options = {**source.options, "newer_consents": False}
            source.save(update_fields=["options"])
        wake_after_commit()
    return source


def _require_not_run(dry_run: Import) -> None:
    """Whoever comes second waits for the first, and learns of its run."""
    Import.objects.select_for_update(of=("self",)).get(pk=dry_run.pk)
    run = dry_run.runs.filter(is_dry_run=False, state__in=(*WORKING, ImportStates.FINISHED)).first()
    if run:
        detail = _("It was run already, as import %(number)d. To import the file once more, upload it again.")
        raise invalid(("", detail % {"number": run.pk}))


def remap(dry_run: Import, *, actor: str, user_id: int | None) -> Import:
    """The rows of a dry run once more, to be mapped or read otherwise. Nothing happens with them before
    `begin`.

    Raises `validation_error` as `run` does.
    """
    return _with_rows_of(dry_run, actor, user_id, ImportStates.UPLOADED)


def _with_rows_of(dry_run: Import, actor: str, user_id: int | None, state: ImportStates) -> Import:
    if not dry_run.is_dry_run or dry_run.state != ImportStates.FINISHED:
        raise invalid(("", _("Only a dry run that is finished can be run.")))
    _require_rows(dry_run)
    kept = ("name", "size", "kind", "format", "header", "targets", "options", "point_id")
    source = Import.objects.create(
        **{field: getattr(dry_run, field) for field in kept},
        actor=actor,
        actor_user_id=user_id,
        dry_run=dry_run,
        state=state,
    )
    source.refresh_from_db()
    return source


def _require_rows(dry_run: Import) -> None:
    if dry_run.rows_dropped_at:
        raise invalid(("", _("The rows of this dry run are no longer kept. Upload the file again.")))


def pause(source: Import) -> Import:
    """No further chunk is begun; those in progress are finished. A file that is being read will be read anew.

    Raises `validation_error` where it is not in progress.
    """
    with transaction.atomic():
        source = _locked(source, ImportStates.STAGING, ImportStates.RUNNING)
        source.state = ImportStates.PAUSED
        source.save()
    return source


def resume(source: Import) -> Import:
    """Go on after a pause. Raises `validation_error` where there is none."""
    with transaction.atomic():
        source = _locked(source, ImportStates.PAUSED)
        if source.is_staged:
            source.state, source.running_since = ImportStates.RUNNING, timezone.now()
        else:
            source.state = ImportStates.STAGING
        source.save()
        wake_after_commit()
    return source


def cancel(source: Import) -> Import:
    """Go no further. What is done stays done; the rows that were not worked are told by the report."""
    with transaction.atomic():
        source = _locked(source, ImportStates.UPLOADED, *WORKING)
        source.state, source.finished_at = ImportStates.CANCELLED, timezone.now()
        source.save()
        ImportBlock.objects.filter(source=source).delete()
    return source


def _locked(source: Import, *states: ImportStates) -> Import:
    """The import as it stands, if it is in one of these states."""
    found = Import.objects.select_for_update(of=("self",)).select_related("point").get(pk=source.pk)
    if found.state not in states:
        label = ImportStates(found.state).label
        raise invalid(
            ("", _("That cannot be done with this import now. Its state: %(state)s.") % {"state": label})
        )
    return found


def find(import_id: int) -> Import:
    """Raises `not_found`."""
    found = Import.objects.select_related("point", "dry_run").filter(pk=import_id).first()
    if found is None:
        raise SelfsameError(ErrorCode.NOT_FOUND, _("There is no import with this number."))
    return found


def unmapped_columns(source: Import) -> tuple[str, ...]:
    """Columns whose values are not taken."""
    return unmapped(source.header, ColumnMapping(tuple(source.targets)))


def warnings_of(source: Import) -> list[str]:
    """What is to be known of the file, and of columns that look like others and are not used."""
    kind, mapping = ImportKind(source.kind), ColumnMapping(tuple(source.targets))
    alike = look_alikes(kind, source.header, mapping, project_config(), named_segmentations())
    return [*source.warnings, *alike]


# --- Saved mappings --------------------------------------------------------------------------------------


def save_mapping(name: str, source: Import) -> ImportMapping:
    """Keep the mapping of an import under a name, in place of the one that has it."""
    mapping = ColumnMapping(tuple(source.targets))
    values = {"columns": mapping.to_json(source.header), "options": source.options, "changed_at": Now()}
    saved, _is_new = ImportMapping.objects.update_or_create(kind=source.kind, name=name, defaults=values)
    return saved


def fitting(kind: ImportKind, header: Collection[str]) -> list[ImportMapping]:
    """The saved mappings that know columns of this file, the one that knows most of them first."""
    names = set(header)
    saved = ImportMapping.objects.filter(kind=kind).order_by("name")
    known = [(len(names & mapping.columns.keys()), mapping) for mapping in saved]
    return [mapping for count, mapping in sorted(known, key=lambda one: -one[0]) if count]


def _columns_of(kind: ImportKind, name: str, header: Collection[str]) -> Columns:
    saved = ImportMapping.objects.filter(kind=kind, name=name).first()
    if saved is None:
        raise invalid(("mapping", _("There is no saved mapping of this name for this kind of import.")))
    return {column: target for column, target in saved.columns.items() if column in header}


# --- What is kept ----------------------------------------------------------------------------------------


def drop_old_rows() -> None:
    """Drop row data whose time is over, and files that nobody did anything with. What was counted stays."""
    Import.objects.filter(state=ImportStates.UPLOADED, created_at__lt=Now() - UPLOADS_KEPT).delete()
    days = timedelta(days=settings.IMPORT_ROWS_KEPT_DAYS)
    old = Import.objects.filter(finished_at__lt=Now() - days, rows_dropped_at=None)
    for import_id in list(old.values_list("pk", flat=True)):
        _drop_rows(import_id)


def _drop_rows(import_id: int) -> None:
    with transaction.atomic():
        source = Import.objects.select_for_update().get(pk=import_id)
        source.result = {"counts": sums(source), **source.result}
        source.rows_dropped_at = timezone.now()
        ImportPiece.objects.filter(source=source).delete()
        ImportChunk.objects.filter(source=source).delete()
        source.save()
