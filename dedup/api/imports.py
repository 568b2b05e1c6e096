"""Imports: files in (POST), how far they are and what became of their rows (GET)."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import file_digest
from typing import Any, ClassVar

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils.translation import gettext as _
from rest_framework import parsers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from customers.api.base import ApiView, access
from customers.api.json_body import read_json
from customers.api.paging import CustomerPagination, refuse_unknown
from customers.errors import invalid
from customers.models import Scopes
from customers.presentation.customer import moment
from customers.setup.project_config import project_config
from dedup.api import import_schema as schema
from dedup.api.base import caller_of, once_per_key
from dedup.api.idempotency import REPLAYED, Reply
from dedup.imports import operations, reports
from dedup.imports.columns.options import Options
from dedup.models import Import, ImportKind, Outcomes
from segments.references import named_segmentations

FIELDS = frozenset({"file", "kind", "mapping", "options"})
CSV, JSON = "csv", "json"


class ImportView(ApiView):
    """A key needs `import`; to read, `read` is enough as well."""

    scope = Scopes.IMPORT
    staff_permission: ClassVar[str] = "dedup.view_import"

    def scope_of(self, request: Request) -> Scopes:
        key = access(request)
        if request.method == "POST" or (key and Scopes.IMPORT.value in key.scopes):
            return Scopes.IMPORT
        return Scopes.READ


@schema.imports
class ImportsView(ImportView):
    """The imports, the newest first; POST takes a file in."""

    masks_contacts = True
    parser_classes = (parsers.MultiPartParser,)

    def get(self, request: Request) -> Response:
        refuse_unknown(request)
        pages = CustomerPagination()
        found = pages.paginate_queryset(Import.objects.select_related("point"), request, self) or []
        return pages.get_paginated_response([_summary(source, request) for source in found])

    def post(self, request: Request) -> Response:
        body = _body(request)
        return _repeatable(request, body, lambda: _start(request, body))


@schema.one_import
class OneImportView(ImportView):
    """How far an import is and what came of it."""

    def get(self, request: Request, import_id: int) -> Response:
        refuse_unknown(request)
        return Response(shown(operations.find(import_id), request))


class _ActionView(ImportView):
    """Something done with an import."""

    def act(self, source: Import, request: Request) -> Reply:
        raise NotImplementedError

    def post(self, request: Request, import_id: int) -> Response:
        return _repeatable(request, request.data, lambda: self.act(operations.find(import_id), request))


@schema.import_action("run_import", "Run a finished dry run for real", starts=True)
class RunView(_ActionView):
    def act(self, source: Import, request: Request) -> Reply:
        caller = caller_of(request)
        started = operations.run(source, actor=caller.actor, user_id=caller.user_id)
        return Reply(202, shown(started, request))


@schema.import_action("pause_import", "Pause an import")
class PauseView(_ActionView):
    def act(self, source: Import, request: Request) -> Reply:
        return Reply(200, shown(operations.pause(source), request))


@schema.import_action("resume_import", "Go on with an import")
class ResumeView(_ActionView):
    def act(self, source: Import, request: Request) -> Reply:
        return Reply(200, shown(operations.resume(source), request))


@schema.import_action("cancel_import", "Cancel an import")
class CancelView(_ActionView):
    """What is done stays done."""

    def act(self, source: Import, request: Request) -> Reply:
        return Reply(200, shown(operations.cancel(source), request))


class IgnoresFormat(BaseContentNegotiation):
    """`format` is the report's own parameter, and not REST framework's."""

    def select_renderer(
        self,
        request: Request,  # noqa: ARG002 - the signature of REST framework
        renderers: Any,
        format_suffix: str | None = None,  # noqa: ARG002
    ) -> tuple[BaseRenderer, str]:
        first: BaseRenderer = renderers[0]
        return first, str(first.media_type)

    def select_parser(self, request: Request, parsers: Any) -> Any:  # noqa: ARG002
        return parsers[0]


class _FileView(ImportView):
    content_negotiation_class = IgnoresFormat


@schema.import_report
class ReportView(_FileView):
    """What became of every row, in the order of the file; sent while it is read."""

    def get(self, request: Request, import_id: int) -> HttpResponseBase:
        refuse_unknown(request, "format", "outcome")
        name = _one_of(request, "format", (JSON, CSV)) or _wanted(request)
        outcome = _one_of(request, "outcome", Outcomes.values)
        source = operations.find(import_id)
        if name == CSV:
            return _csv(reports.report_file(source, outcome), f"import-{source.pk}-report.csv")
        return StreamingHttpResponse(reports.report_json(source, outcome), content_type="application/json")


@schema.failed_rows
class FailedView(_FileView):
    """The failed rows as a file of the same columns, with the reason."""

    def get(self, request: Request, import_id: int) -> HttpResponseBase:
        refuse_unknown(request)
        source = operations.find(import_id)
        return _csv(reports.failed_file(source), f"import-{source.pk}-failed.csv")


def _csv(lines: Any, name: str) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


def _wanted(request: Request) -> str:
    return CSV if "text/csv" in request.headers.get("Accept", "") else JSON


def _one_of(request: Request, name: str, allowed: Any) -> str | None:
    value = request.query_params.get(name)
    if value is not None and value not in allowed:
        raise invalid((name, _("It is one of: %(names)s.") % {"names": ", ".join(allowed)}))
    return value


# --- What is sent ----------------------------------------------------------------------------------------


def _body(request: Request) -> dict[str, Any]:
    """The fields of the form. Raises `validation_error` naming each at fault."""
    data: Any = request.data
    unknown = _("There is no such field. Look for a typing error.")
    errors = [(name[:100], unknown) for name in data if name not in FIELDS]
    file, kind = data.get("file"), data.get("kind")
    if not isinstance(file, UploadedFile):
        errors.append(("file", _("Send the file in this field, as multipart/form-data.")))
    if kind not in list(ImportKind):
        errors.append(("kind", _("It is one of: %(names)s.") % {"names": ", ".join(ImportKind)}))
    body = {"file": file, "kind": kind}
    for name in ("mapping", "options"):
        body[name] = _json(name, data.get(name), errors)
    if errors:
        raise invalid(*errors)
    return body


def _json(name: str, text: Any, errors: list[tuple[str, str]]) -> Any:
    """An object; a mapping may be the name of a saved one too."""
    if text in (None, ""):
        return None
    value = _parsed(text)
    if isinstance(value, dict):
        return value
    if name == "mapping" and isinstance(text, str) and not text.lstrip().startswith(("{", "[")):
        return text
    errors.append((name, _("It must be an object, in curly brackets.")))
    return None


def _parsed(text: Any) -> Any:
    try:
        return read_json(text.encode()) if isinstance(text, str) else None
    except ValueError:
        return None


def _start(request: Request, body: dict[str, Any]) -> Reply:
    options = {**(body["options"] or {})}
    is_dry_run = options.pop("dry_run", False)
    if not isinstance(is_dry_run, bool):
        raise invalid(("options.dry_run", _("It is true or false.")))
    caller = caller_of(request)
    file: UploadedFile[bytes] = body["file"]
    started = operations.start(
        point=caller.point,
        actor=caller.actor,
        user_id=caller.user_id,
        file=file,
        name=file.name or "",
        kind=ImportKind(body["kind"]),
        mapping=body["mapping"],
        options=Options.read(options, project_config(), named_segmentations()),
        is_dry_run=is_dry_run,
    )
    return Reply(202, shown(started, request))


def _repeatable(request: Request, body: Any, work: Callable[[], Reply]) -> Response:
    """The same answer for the same Idempotency-Key; of a file its digest is compared."""
    reply = once_per_key(request, work, body=_comparable(body))
    headers = {REPLAYED: "true"} if reply.is_replayed else None
    return Response(reply.body, status=reply.status, headers=headers)


def _comparable(body: Any) -> Any:
    file = body.get("file") if isinstance(body, dict) else None
    if not isinstance(file, UploadedFile):
        return body
    file.seek(0)
    digest = file_digest(file, "sha256").hexdigest()
    file.seek(0)
    return {**body, "file": [file.name, digest]}


# --- What is answered ------------------------------------------------------------------------------------


def _summary(source: Import, request: Request) -> dict[str, Any]:
    """An import as it stands in a list."""
    return {
        "id": source.pk,
        "state": source.state,
        "kind": source.kind,
        "name": source.name,
        "integration_point": source.point.system_name,
        "is_dry_run": source.is_dry_run,
        "dry_run_id": source.dry_run_id,
        "created_at": moment(source.created_at),
        "finished_at": source.finished_at and moment(source.finished_at),
        "links": _links(source, request),
    }


def shown(source: Import, request: Request) -> dict[str, Any]:
    """An import with all that is known of it."""
    at = reports.progress(source)
    return {
        **_summary(source, request),
        "rows": {"staged": at.staged, "total": at.total, "done": at.done, "failed": at.failed},
        "counts": at.counts,
        "failed_by": at.failed_by,
        "rows_per_second": at.rate and round(at.rate, 1),
        "seconds_left": at.seconds_left and round(at.seconds_left),
        "mapping": dict(zip(source.header, source.targets, strict=True)),
        "unmapped": list(operations.unmapped_columns(source)),
        "options": source.options,
        "warnings": operations.warnings_of(source),
        "problem": source.problem,
        "examples": reports.examples_of(source) if source.is_dry_run else None,
        "differences": source.result.get("differences"),
    }


def _links(source: Import, request: Request) -> dict[str, str]:
    names = {"self": "import", "report": "import-report", "failed": "import-failed"}
    actions = {name: f"import-{name}" for name in ("run", "pause", "resume", "cancel")}
    if not source.is_dry_run:
        del actions["run"]
    return {
        name: reverse(route, kwargs={"import_id": source.pk}, request=request)
        for name, route in {**names, **actions}.items()
    }
