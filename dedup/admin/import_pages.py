"""Imports by hand: upload a file, map its columns, try it without storing anything, run it, read the report.

The work is done by a worker. These pages tell it what to do and show its progress.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.urls import reverse
from django.utils.translation import gettext as _

from customers.errors import SelfsameError
from customers.setup.integration_points import point_of
from customers.setup.project_config import project_config
from dedup.admin import import_results as results
from dedup.admin.customer_lookup import as_maestra_id
from dedup.admin.framed_page import framed_page
from dedup.admin.import_forms import (
    NEEDED,
    READING,
    FileColumn,
    OptionsForm,
    RereadForm,
    UploadForm,
    columns_of,
    columns_sent,
    offered,
    points,
    refuse_columns,
    show_samples,
)
from dedup.admin.permissions import (
    ADD_IMPORTS,
    CHANGE_IMPORTS,
    VIEW_IMPORTS,
    require_permission,
    require_read_method,
    staff_caller,
)
from dedup.imports import operations, reports
from dedup.imports.columns.options import OF_FILE, Options
from dedup.models import Import, ImportKind, ImportMapping, ImportStates, Outcomes
from segments.references import named_segmentations

SEE_VALUES = "customers.view_contacts"
"""Reasons, examples and rows contain personal data of the file."""
ENDED = (ImportStates.FINISHED, ImportStates.CANCELLED, ImportStates.FAILED)


def address(name: str, source: Import) -> str:
    return reverse(f"admin:dedup_import_{name}", args=[source.pk])


def _found(import_id: int) -> Import:
    try:
        return operations.find(import_id)
    except SelfsameError:
        raise Http404 from None


def _may_import(request: HttpRequest, kind: ImportKind) -> bool:
    may = request.user.has_perm
    return may(ADD_IMPORTS) and (kind not in NEEDED or may(NEEDED[kind]))


def _to_import(request: HttpRequest, import_id: int) -> Import:
    """The import, for whoever may run it."""
    source = _found(import_id)
    if not _may_import(request, ImportKind(source.kind)):
        raise PermissionDenied
    return source


# --- Upload
# --------------------------------------------------------------------------------------------------------


def new(request: HttpRequest, model_admin: ModelAdmin[Any]) -> HttpResponse:
    """Upload a file; its columns come next."""
    require_permission(request, ADD_IMPORTS)
    is_sent = request.method == "POST"
    form = UploadForm(request.user.has_perm, *((request.POST, request.FILES) if is_sent else ()))
    if is_sent and form.is_valid():
        try:
            return HttpResponseRedirect(address("map", _uploaded(request, form.cleaned_data)))
        except SelfsameError as error:
            form.refuse(error)
    title = _("Import a file")
    has_points = is_sent or points().exists()
    return framed_page(
        request, model_admin, "imports/upload.html", title=title, form=form, has_points=has_points
    )


def _uploaded(request: HttpRequest, sent: Mapping[str, Any]) -> Import:
    caller = staff_caller(request)
    chosen = {name: sent[name] for name in READING}
    return operations.upload(
        point=point_of(sent["point"]),
        actor=caller.actor,
        user_id=caller.user_id,
        file=sent["file"],
        name=sent["file"].name,
        kind=ImportKind(sent["kind"]),
        options=Options.read(chosen, project_config(), named_segmentations()),
        guesses=True,
    )


# --- Columns
# --------------------------------------------------------------------------------------------------------


def mapped(request: HttpRequest, model_admin: ModelAdmin[Any], import_id: int) -> HttpResponse:
    """Map the columns and choose how rows are read; then a dry run, or after a question the run itself."""
    source = _to_import(request, import_id)
    if source.state != ImportStates.UPLOADED:
        return HttpResponseRedirect(address("change", source))
    if request.method == "POST":
        return _begin(request, model_admin, source)
    saved = _saved(source, request.GET.get("saved", ""))
    targets = operations.mapping_of(source, saved.name).targets if saved else source.targets
    form = OptionsForm(source, None, {**source.options, **_without_format(saved)})
    return _columns(request, model_admin, source, columns_of(source.header, targets), form, saved=saved)


def _saved(source: Import, number: str) -> ImportMapping | None:
    pk = as_maestra_id(number)
    return ImportMapping.objects.filter(kind=source.kind, pk=pk).first() if pk else None


def _without_format(saved: ImportMapping | None) -> dict[str, Any]:
    """The options of a saved mapping; how a file is written, each file says itself."""
    options = saved.options if saved else {}
    return {name: value for name, value in options.items() if name not in OF_FILE}


def _begin(request: HttpRequest, model_admin: ModelAdmin[Any], source: Import) -> HttpResponse:
    if request.POST.get("step") == "reread":
        return _read_again(request, model_admin, source)
    columns = columns_sent(source.header, request.POST)
    form = OptionsForm(source, request.POST, source.options)
    options = form.read()
    step = request.POST.get("step")
    # Whom the file would subscribe although they had refused is only known after a dry run.
    is_dry_run = step != "run" or bool(options and options.newer_consents)
    if options is None or step == "back":
        return _columns(request, model_admin, source, columns, form)
    if not is_dry_run and request.POST.get("confirmed") != "yes":
        return _confirm_run(request, model_admin, source, columns)
    try:
        _save_and_begin(request, source, columns, options, is_dry_run=is_dry_run)
    except SelfsameError as error:
        faults = refuse_columns(columns, error)
        return _columns(request, model_admin, source, columns, form, faults=faults)
    return HttpResponseRedirect(address("change", source))


def _read_again(request: HttpRequest, model_admin: ModelAdmin[Any], source: Import) -> HttpResponse:
    """The file read otherwise, with its columns as they are recognised then."""
    form = RereadForm(source, request.POST)
    if form.is_valid():
        chosen = {**source.options, **dict.fromkeys(OF_FILE), **form.cleaned_data}
        try:
            operations.reread(source, Options.read(chosen, project_config(), named_segmentations()))
        except SelfsameError as error:
            form.refuse(error)
        else:
            return HttpResponseRedirect(address("map", source))
    columns = columns_of(source.header, source.targets)
    return _columns(
        request, model_admin, source, columns, OptionsForm(source, None, source.options), reading=form
    )


def _save_and_begin(
    request: HttpRequest, source: Import, columns: list[FileColumn], options: Options, *, is_dry_run: bool
) -> None:
    mapping = {column.name: column.choice for column in columns}
    name = request.POST.get("save_as", "").strip()
    with transaction.atomic():
        begun = operations.begin(source, mapping=mapping, options=options, is_dry_run=is_dry_run)
        if name:
            operations.save_mapping(name, begun)
    if name:
        messages.success(request, _("The mapping was saved as “%(name)s”.") % {"name": name})


def _columns(
    request: HttpRequest,
    model_admin: ModelAdmin[Any],
    source: Import,
    columns: list[FileColumn],
    form: OptionsForm,
    *,
    faults: Iterable[str] = (),
    saved: ImportMapping | None = None,
    reading: RereadForm | None = None,
) -> HttpResponse:
    if request.user.has_perm(SEE_VALUES):
        show_samples(source, columns)
    return framed_page(
        request,
        model_admin,
        "imports/map.html",
        title=_("Columns of %(name)s") % {"name": source.name},
        source=source,
        columns=columns,
        groups=offered(source, named_segmentations()),
        unmapped=[column.name for column in columns if not column.target],
        form=form,
        faults=list(faults),
        mappings=operations.fitting(ImportKind(source.kind), source.header),
        saved=saved,
        warnings=operations.warnings_of(source),
        # What a dry run has staged is not read again.
        reading=None if source.dry_run else reading or RereadForm(source, None),
    )


def _confirm_run(
    request: HttpRequest, model_admin: ModelAdmin[Any], source: Import, columns: list[FileColumn]
) -> HttpResponse:
    kept = [
        (name, value) for name, value in request.POST.items() if name not in ("csrfmiddlewaretoken", "step")
    ]
    return framed_page(
        request,
        model_admin,
        "imports/confirm_run.html",
        title=_("Import without a dry run?"),
        source=source,
        unmapped=[column.name for column in columns if not column.target],
        kept=kept,
    )


# --- Progress and result
# --------------------------------------------------------------------------------------------------------


def show(request: HttpRequest, model_admin: ModelAdmin[Any], import_id: int) -> HttpResponse:
    require_permission(request, VIEW_IMPORTS)
    require_read_method(request)
    source = _found(import_id)
    may_import = _may_import(request, ImportKind(source.kind))
    if source.state == ImportStates.UPLOADED and may_import:
        return HttpResponseRedirect(address("map", source))
    has_ended = source.state in ENDED
    return framed_page(
        request,
        model_admin,
        "imports/show.html",
        title=source.name,
        source=source,
        unmapped=operations.unmapped_columns(source),
        warnings=operations.warnings_of(source),
        run=_runs(source).order_by("-pk").first() if source.is_dry_run else None,
        has_ended=has_ended,
        may_import=may_import,
        may_change=request.user.has_perm(CHANGE_IMPORTS),
        may_see_values=request.user.has_perm(SEE_VALUES),
        **(_outcome(request, source) if has_ended else {"progress": results.progress(source)}),
    )


def _outcome(request: HttpRequest, source: Import) -> dict[str, Any]:
    """The result of an import that has ended; of a dry run, what a run would do."""
    at = reports.progress(source)
    sees = source.is_dry_run and request.user.has_perm(SEE_VALUES)
    examples = reports.examples_of(source) if sees else {}
    return {
        "at": at,
        "tiles": [*results.rows_by_outcome(at), *results.effects(at)],
        "resubscribed": results.resubscribed(at, examples),
        "groups": results.examples_by_outcome(at, examples),
        "failures": results.failures(at, examples),
        "differences": results.differences(source),
        "has_report": source.is_staged and not source.rows_dropped_at,
    }


def progress(request: HttpRequest, _model_admin: ModelAdmin[Any], import_id: int) -> HttpResponse:
    """The progress, which the page polls."""
    require_permission(request, VIEW_IMPORTS)
    return JsonResponse(results.progress(_found(import_id)), headers={"Cache-Control": "no-store"})


# --- What can be done with it
# --------------------------------------------------------------------------------------------------------


def run(request: HttpRequest, _model_admin: ModelAdmin[Any], import_id: int) -> HttpResponse:
    """Do for real what a dry run tried. A dry run is run once, however often the button is pressed."""
    source = _to_import(request, import_id)
    if request.method != "POST":
        return HttpResponseRedirect(address("change", source))
    caller = staff_caller(request)
    with transaction.atomic():
        Import.objects.select_for_update().get(pk=source.pk)
        earlier = _runs(source).exclude(state__in=[ImportStates.CANCELLED, ImportStates.FAILED]).first()
        if earlier:
            return HttpResponseRedirect(address("change", earlier))
        try:
            started = operations.run(
                source,
                actor=caller.actor,
                user_id=caller.user_id,
                leave_out_refusals=request.POST.get("resubscribe") != "yes",
            )
        except SelfsameError as error:
            messages.error(request, error.detail)
            return HttpResponseRedirect(address("change", source))
    return HttpResponseRedirect(address("change", started))


def _runs(dry_run: Import) -> QuerySet[Import]:
    """What was begun for real with the rows of a dry run."""
    return dry_run.runs.filter(is_dry_run=False).exclude(state=ImportStates.UPLOADED)


def remap(request: HttpRequest, _model_admin: ModelAdmin[Any], import_id: int) -> HttpResponse:
    """The rows of a dry run again, to change where their columns go."""
    source = _to_import(request, import_id)
    if request.method == "POST":
        caller = staff_caller(request)
        try:
            again = operations.remap(source, actor=caller.actor, user_id=caller.user_id)
            return HttpResponseRedirect(address("map", again))
        except SelfsameError as error:
            messages.error(request, error.detail)
    return HttpResponseRedirect(address("change", source))


def pause(request: HttpRequest, _model_admin: ModelAdmin[Any], import_id: int) -> HttpResponse:
    return _act(
        request, import_id, operations.pause, _("The import pauses once the rows being processed are done.")
    )


def resume(request: HttpRequest, _model_admin: ModelAdmin[Any], import_id: int) -> HttpResponse:
    return _act(request, import_id, operations.resume, _("The import goes on."))


def cancel(request: HttpRequest, model_admin: ModelAdmin[Any], import_id: int) -> HttpResponse:
    """Asks first: a cancelled import cannot be resumed."""
    if request.method == "POST":
        return _act(request, import_id, operations.cancel, _("The import was cancelled."))
    require_permission(request, CHANGE_IMPORTS)
    source = _found(import_id)
    if source.state in ENDED:
        return HttpResponseRedirect(address("change", source))
    at = reports.progress(source)
    title = _("Cancel this import?")
    return framed_page(request, model_admin, "imports/cancel.html", title=title, source=source, at=at)


def _act(
    request: HttpRequest, import_id: int, work: Callable[[Import], Import], done: str
) -> HttpResponseRedirect:
    require_permission(request, CHANGE_IMPORTS)
    source = _found(import_id)
    if request.method == "POST":
        try:
            work(source)
        except SelfsameError as error:
            messages.error(request, error.detail)
        else:
            messages.success(request, done)
    return HttpResponseRedirect(address("change", source))


# --- Its rows
# --------------------------------------------------------------------------------------------------------


def report(request: HttpRequest, model_admin: ModelAdmin[Any], import_id: int) -> HttpResponse:
    """The first rows of an outcome, or one line; all of them are in the report to download."""
    source = _with_rows(request, import_id)
    outcome, line = request.GET.get("outcome", ""), request.GET.get("line", "").strip()
    outcome = outcome if outcome in Outcomes.values else ""
    number = as_maestra_id(line)
    is_known = not line or (number is not None and number <= source.last_line)
    rows = results.some_rows(source, outcome or None, number) if is_known else []
    return framed_page(
        request,
        model_admin,
        "imports/report.html",
        title=_("Rows of %(name)s") % {"name": source.name},
        source=source,
        rows=[(row, _outcome_label(row)) for row in rows[: results.ROWS_SHOWN]],
        has_more=len(rows) > results.ROWS_SHOWN,
        outcomes=results.DONE.items(),
        outcome=outcome,
        line=line,
    )


def _outcome_label(row: reports.ReportRow) -> str:
    if row.code:
        return results.failure(row.code)
    return str(results.DONE[row.outcome]) if row.outcome else _("Not processed")


def report_file(request: HttpRequest, _model_admin: ModelAdmin[Any], import_id: int) -> HttpResponseBase:
    source = _with_rows(request, import_id)
    return _csv(reports.report_file(source), f"import-{source.pk}-report.csv")


def failed_file(request: HttpRequest, _model_admin: ModelAdmin[Any], import_id: int) -> HttpResponseBase:
    """The failed rows in the columns they came in, to be corrected and imported again."""
    source = _with_rows(request, import_id)
    return _csv(reports.failed_file(source), f"import-{source.pk}-failed.csv")


def _with_rows(request: HttpRequest, import_id: int) -> Import:
    require_permission(request, VIEW_IMPORTS)
    require_permission(request, SEE_VALUES)
    source = _found(import_id)
    if source.rows_dropped_at or not source.is_staged:
        raise Http404
    return source


def _csv(lines: Iterable[str], name: str) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)
