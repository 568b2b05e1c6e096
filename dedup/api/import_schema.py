"""What the OpenAPI schema says of imports (see `customers.api.schema`)."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema_field, extend_schema_view
from rest_framework import serializers

from customers.api.schema import (
    PAGING,
    AnyObject,
    documented,
    get,
    moment,
    page_of,
    parameter,
    text,
)
from customers.errors import ErrorCode
from dedup.api.schema import IDEMPOTENCY_KEY
from dedup.models import ImportKinds, ImportStates, Outcomes

TAG = "Imports"


@extend_schema_field({"type": "object", "additionalProperties": {"type": "integer"}})
class CountsField(serializers.JSONField):
    pass


@extend_schema_field(
    {"type": ["object", "null"], "additionalProperties": {"type": "array", "items": {"type": "object"}}}
)
class ExamplesField(serializers.JSONField):
    pass


@extend_schema_field({"type": "object", "additionalProperties": {"type": ["string", "null"]}})
class MappingField(serializers.JSONField):
    pass


@extend_schema_field({"type": "object", "additionalProperties": {"type": "string", "format": "uri"}})
class LinksField(serializers.JSONField):
    pass


@extend_schema_field({"type": "string", "format": "binary"})
class UploadField(serializers.FileField):
    pass


class UploadSerializer(serializers.Serializer[Any]):
    file = UploadField(help_text="CSV or TSV in any usual encoding, or XLSX; also as .gz or .zip.")
    kind = serializers.ChoiceField(choices=ImportKinds.choices)
    mapping = text(
        'JSON: the target of columns by name, as in `{"CrmID": "ids.crm_id", "Notes": null}`; the others '
        "go where their names suggest. Or the name of a saved mapping.",
        required=False,
    )
    options = text(
        "JSON with any of `dry_run`, `lookup_by`, `mode` (`overwrite`, `fill`), `drop_invalid`, `day_first`, "
        "`newer_consents`, "
        "`default_region`, `time_zone`, `segment`, `encoding`, `delimiter`.",
        required=False,
    )


class ImportSummarySerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=ImportStates.choices)
    kind = serializers.ChoiceField(choices=ImportKinds.choices)
    name = text("The file's.", allow_blank=True)
    integration_point = text()
    is_dry_run = serializers.BooleanField()
    dry_run_id = serializers.IntegerField(allow_null=True, help_text="The dry run it was started from.")
    created_at = moment()
    finished_at = moment(allow_null=True)
    links = LinksField()


class RowsSerializer(serializers.Serializer[Any]):
    staged = serializers.IntegerField(help_text="Read from the file.")
    total = serializers.IntegerField(allow_null=True, help_text="Null until the file is read.")
    done = serializers.IntegerField()
    failed = serializers.IntegerField()


class DifferenceSerializer(serializers.Serializer[Any]):
    line = serializers.IntegerField()
    expected = AnyObject()
    actual = AnyObject()


class DifferencesSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    rows = DifferenceSerializer(many=True)


class ImportSerializer(ImportSummarySerializer):
    rows = RowsSerializer()
    counts = CountsField(
        help_text="Rows by outcome; and `merged` stored customers, `contacts_moved`, `claims`, and people "
        "`resubscribed` who had unsubscribed; and rows by the code of their warnings. Of a dry run: what "
        "would be."
    )
    failed_by = CountsField(help_text="Failed rows by error code.")
    rows_per_second = serializers.FloatField(allow_null=True)
    seconds_left = serializers.FloatField(allow_null=True)
    mapping = MappingField(help_text="The target of each column.")
    unmapped = serializers.ListField(child=text(), help_text="Columns whose values are not taken.")
    options = AnyObject()
    warnings = serializers.ListField(child=text())
    problem = AnyObject(allow_null=True, help_text="Why it failed.")
    examples = ExamplesField(
        allow_null=True, help_text="Of a dry run: lines with what would happen to whom, by kind of outcome."
    )
    differences = DifferencesSerializer(
        allow_null=True, help_text="Where a run came out different from its dry run."
    )


class ReportRowSerializer(serializers.Serializer[Any]):
    line = serializers.IntegerField(help_text="In the file; the header is line 1.")
    outcome = serializers.ChoiceField(
        choices=Outcomes.choices, allow_null=True, help_text="Null where it was not worked."
    )
    code = text("Of the error.", allow_blank=True)
    reason = text("Why it failed, or what of it was left out.", allow_blank=True)
    maestra_id = serializers.IntegerField(allow_null=True)


class ReportSerializer(serializers.Serializer[Any]):
    results = ReportRowSerializer(many=True)


def _csv(description: str) -> OpenApiResponse:
    return OpenApiResponse(OpenApiTypes.STR, description)


imports = extend_schema_view(
    get=documented(
        "imports",
        "Imports",
        tag=TAG,
        answers={200: page_of(ImportSummarySerializer, previous=True)},
        parameters=PAGING,
        refused=(ErrorCode.VALIDATION_ERROR, ErrorCode.NOT_FOUND),
    ),
    post=documented(
        "start_import",
        "Import a file",
        description="The file is taken in and worked afterwards. The address in `links.self` tells how far.",
        tag=TAG,
        request={"multipart/form-data": UploadSerializer},
        answers={202: ImportSerializer},
        refused=(ErrorCode.IDEMPOTENCY_CONFLICT,),
        parameters=(IDEMPOTENCY_KEY,),
    ),
)
KNOWN: dict[str, Any] = {"tag": TAG, "refused": (ErrorCode.NOT_FOUND, ErrorCode.VALIDATION_ERROR)}
one_import = get("import", "How far an import is", answer=ImportSerializer, **KNOWN)
import_report = extend_schema_view(
    get=documented(
        "import_report",
        "What became of every row",
        answers={
            (200, "application/json"): ReportSerializer,
            (200, "text/csv"): _csv("A line for each row"),
        },
        parameters=(
            parameter("format", "`json` where it is not said.", enum=["json", "csv"]),
            parameter("outcome", "Only rows of this outcome.", enum=Outcomes.values),
        ),
        **KNOWN,
    )
)
failed_rows = extend_schema_view(
    get=documented(
        "import_failed",
        "The failed rows, to be mended and sent again",
        answers={(200, "text/csv"): _csv("The same columns, and the reason")},
        **KNOWN,
    )
)


def import_action(name: str, summary: str, *, starts: bool = False) -> Any:
    """Decorates a view with what its POST is. `starts`: it makes another import."""
    return extend_schema_view(
        post=documented(
            name,
            summary,
            tag=TAG,
            answers={202 if starts else 200: ImportSerializer},
            refused=(ErrorCode.NOT_FOUND, ErrorCode.VALIDATION_ERROR, ErrorCode.IDEMPOTENCY_CONFLICT),
            parameters=(IDEMPOTENCY_KEY,),
        )
    )
