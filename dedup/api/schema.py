"""What the OpenAPI schema says of the operations (see `customers.api.schema`)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    PolymorphicProxySerializer,
    extend_schema_field,
    extend_schema_view,
)
from rest_framework import serializers

from customers.api.schema import (
    AnyObject,
    CustomerSerializer,
    HistoryEntrySerializer,
    IdentifierSerializer,
    ProblemSerializer,
    documented,
    moment,
    page_of,
    parameter,
    text,
)
from customers.contact_types import CONTACT_NAMES
from customers.errors import ErrorCode
from dedup.api.bodies import BATCH_LIMIT, MERGE, MERGE_LIMIT, RECORDED
from dedup.engine.explain import Standing
from dedup.engine.outcome import OutcomeStatus
from dedup.engine.priority import CRITERIA
from dedup.engine.reasons import Reason
from dedup.engine.record import Operation
from dedup.engine.remedies import Remedy
from dedup.engine.vetoes import RULES
from dedup.engine.warnings import WarningCode
from dedup.parsing.records import RECORD_TYPES
from dedup.parsing.schemas import LOOKUP as LOOKUP_SCHEMA
from dedup.parsing.schemas import Choices, JsonSchema, ObjectSchema, Schema

CRITERION_NAMES = [criterion.name for criterion in CRITERIA]
VETO_NAMES = list(RULES)

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The same key and body within 24 hours give the first answer again, without acting again and "
    "with the header `Idempotency-Replayed: true`. A `validation_error` uses no key up.",
)

# --- Records ---------------------------------------------------------------------------------------------

# What they say stands with the fields of `dedup.parsing`, which read them.


@cache
def component(schema: ObjectSchema) -> type[serializers.Serializer[Any]]:
    """The serializer that describes an object, always the same one."""
    required = schema.required
    fields = {name: _field(part, required=name in required) for name, part in schema.properties.items()}
    attributes = {"__doc__": schema.description or None, **fields}
    return type(f"{schema.name}Serializer", (serializers.Serializer,), attributes)


def _field(schema: Schema, *, required: bool) -> Any:
    match schema:
        case ObjectSchema():
            return component(schema)(many=schema.is_list, required=required)
        case Choices():
            return serializers.ChoiceField(
                choices=schema.choices,
                required=required,
                allow_null=schema.is_nullable,
                help_text=schema.description,
            )
        case _:
            return fragment(schema)(required=required)


def fragment(schema: JsonSchema) -> Any:
    """A field that the schema shows as it is."""
    return extend_schema_field(schema)(type("FragmentField", (serializers.JSONField,), {}))


def record_of(operation: Operation) -> type[serializers.Serializer[Any]]:
    """The body of an operation."""
    return component(RECORD_TYPES[operation].schema)


LookupField = fragment(LOOKUP_SCHEMA)

# --- Other bodies ----------------------------------------------------------------------------------------


class ByTokenSerializer(serializers.Serializer[Any]):
    token = text()


class ByCodeSerializer(serializers.Serializer[Any]):
    lookup = LookupField()
    contact = LookupField(help_text=f"One of {', '.join(CONTACT_NAMES)}.")
    code = text()


class ReportedSerializer(serializers.Serializer[Any]):
    lookup = LookupField()
    contact = LookupField(help_text=f"One of {', '.join(CONTACT_NAMES)}.")
    confirmed_at = moment()


CONFIRM = PolymorphicProxySerializer(
    "Confirm", [ByTokenSerializer, ByCodeSerializer, ReportedSerializer], resource_type_field_name=None
)


class BatchSerializer(serializers.Serializer[Any]):
    operation = serializers.ChoiceField(choices=[operation.value for operation in RECORDED])
    records = serializers.ListField(child=AnyObject(), max_length=BATCH_LIMIT)


class RecordPreviewSerializer(serializers.Serializer[Any]):
    operation = serializers.ChoiceField(choices=[operation.value for operation in RECORDED])
    record = AnyObject(help_text="What the operation takes.")


class MergeSerializer(serializers.Serializer[Any]):
    customers = serializers.ListField(child=LookupField(), min_length=1, max_length=MERGE_LIMIT)
    resulting = LookupField(help_text="Keeps its MaestraID, and its data have priority.")
    preview_token = text("From a preview: refused where the customers changed since.", required=False)


class MergePreviewSerializer(serializers.Serializer[Any]):
    operation = serializers.ChoiceField(choices=[MERGE])
    customers = serializers.ListField(child=LookupField(), min_length=1, max_length=MERGE_LIMIT)
    resulting = LookupField()


PREVIEW = PolymorphicProxySerializer(
    "Preview", [RecordPreviewSerializer, MergePreviewSerializer], resource_type_field_name=None
)


class PairSerializer(serializers.Serializer[Any]):
    customers = serializers.ListField(child=LookupField(), min_length=2, max_length=2)


class NothingSerializer(serializers.Serializer[Any]):
    """An empty object."""


LOOKUP: dict[str, Any] = {
    "application/json": {name: value for name, value in LOOKUP_SCHEMA.items() if name != "description"}
}

# --- Answers ---------------------------------------------------------------------------------------------


class ConflictSerializer(IdentifierSerializer):
    """A contact two customers named who may not be one."""

    kept_by = serializers.IntegerField(allow_null=True)
    lost_by = serializers.IntegerField(allow_null=True)
    decided_by = serializers.ChoiceField(choices=CRITERION_NAMES)
    pending = serializers.BooleanField(help_text="The loser keeps a claim until it confirms the contact.")


@extend_schema_field({"type": ["integer", "null"]})
class MaestraId(serializers.JSONField):
    pass


def moved_fields() -> dict[str, serializers.Field[Any, Any, Any, Any]]:
    """`from` is no name Python knows."""
    return {"from": MaestraId(), "to": MaestraId()}


MovedSerializer = type("MovedSerializer", (IdentifierSerializer,), moved_fields())


def warning_fields() -> dict[str, serializers.Field[Any, Any, Any, Any]]:
    """`fields` is what serializers call their own."""
    return {
        "code": serializers.ChoiceField(choices=list(WarningCode)),
        "detail": text("What was left out, and why."),
        "path": text("Of the field, as in `errors`.", required=False),
        "fields": serializers.ListField(
            child=text(), required=False, help_text="Paths of all that were left out."
        ),
        "retry_at": moment("When a further message can be sent.", required=False),
    }


WarningSerializer = type("WarningSerializer", (serializers.Serializer,), warning_fields())


class AnswerSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=list(OutcomeStatus))
    maestra_id = serializers.IntegerField(
        allow_null=True,
        help_text="Null in the preview of a new customer, and for an order that stands without a person.",
    )
    merged_maestra_ids = serializers.ListField(child=serializers.IntegerField())
    customer = CustomerSerializer(
        allow_null=True, help_text="Null for an order that stands without a person."
    )
    merge_ids = serializers.ListField(
        child=serializers.IntegerField(), help_text="Journal entries, for undo."
    )
    conflicts = ConflictSerializer(many=True)
    moved = MovedSerializer(many=True)
    warnings = WarningSerializer(many=True)


class PreviewAnswerSerializer(AnswerSerializer):
    preview_token = text("For the merge that was previewed.")


RESULT = PolymorphicProxySerializer(
    "Result", [AnswerSerializer, ProblemSerializer], resource_type_field_name=None, many=True
)


@extend_schema_field(RESULT)
class ResultsField(serializers.JSONField):
    pass


class ResultsSerializer(serializers.Serializer[Any]):
    results = ResultsField(
        help_text="In the order of the records: an answer, or the problem of the one that failed."
    )


class SharedSerializer(IdentifierSerializer):
    standing = serializers.ListField(
        child=serializers.ChoiceField(choices=list(Standing)),
        help_text="How either customer stands to the value.",
    )


class VetoSerializer(serializers.Serializer[Any]):
    name = serializers.ChoiceField(choices=VETO_NAMES)
    sentence = text()
    values = serializers.ListField(
        child=serializers.ListField(child=text()), help_text="In conflict, on either side."
    )


@extend_schema_field({"type": "array", "items": {}})
class Anything(serializers.JSONField):
    pass


class CriterionSerializer(serializers.Serializer[Any]):
    name = serializers.ChoiceField(choices=CRITERION_NAMES)
    sentence = text()
    values = Anything(help_text="On either side.")
    decides = serializers.BooleanField()


class PrioritySerializer(serializers.Serializer[Any]):
    maestra_id = serializers.IntegerField(allow_null=True)
    decided_by = serializers.ChoiceField(choices=CRITERION_NAMES, allow_null=True)
    contact = IdentifierSerializer(allow_null=True, help_text="The contact in question.")
    criteria = CriterionSerializer(many=True)


class RemedySerializer(serializers.Serializer[Any]):
    name = serializers.ChoiceField(choices=list(Remedy))
    sentence = text()


class ExplanationSerializer(serializers.Serializer[Any]):
    customers = serializers.ListField(child=serializers.IntegerField())
    is_one_customer = serializers.BooleanField()
    became_one = HistoryEntrySerializer(
        many=True,
        help_text="Of one customer, what was merged or joined, and undone: the latest entries. Empty where "
        "every record was found to be about it.",
    )
    shared = SharedSerializer(many=True)
    shares_payment_card = serializers.BooleanField()
    vetoes = VetoSerializer(many=True)
    can_merge_by_request = serializers.BooleanField()
    priority = PrioritySerializer()
    remedies = RemedySerializer(many=True, help_text="What would have to change.")


class MergedSerializer(serializers.Serializer[Any]):
    merge_id = serializers.IntegerField()
    maestra_id = serializers.IntegerField(help_text="The resulting customer.")
    merged_maestra_id = serializers.IntegerField()
    merged_maestra_ids = serializers.ListField(child=serializers.IntegerField())
    reason = serializers.ChoiceField(choices=list(Reason))
    matched = IdentifierSerializer(many=True)
    priority_maestra_id = serializers.IntegerField(
        allow_null=True, help_text="Null where the record's data had it."
    )
    decided_by = serializers.ChoiceField(choices=CRITERION_NAMES, allow_null=True)
    actor = text()
    at = moment()
    undone_at = moment(allow_null=True)


MERGES = page_of(MergedSerializer)


class OwnerSerializer(IdentifierSerializer):
    maestra_id = serializers.IntegerField(help_text="The person's primary MaestraID today.")
    held_as = serializers.IntegerField(help_text="The MaestraID under which the value was held.")


ASKED = (
    parameter("type", "The system name of an identifier kind.", required=True),
    parameter("value", "The value, in any spelling.", required=True),
    parameter("at", "A time; now where it is not said.", OpenApiTypes.DATETIME),
)

# --- Examples --------------------------------------------------------------------------------------------

ANN = {
    "email": "ann@example.com",
    "mobile_phone": "+1 415 555 0122",
    "device_id": "3f2b8c1e-7d4a-4c58-9b60-1f2e3d4c5b6a",
    "personal": {"first_name": "Ann", "birth_date": "1990-01-31"},
    "subscriptions": [{"channel": "email", "topic": "news", "status": "subscribed"}],
}


def example(name: str, value: Any) -> OpenApiExample:
    return OpenApiExample(name, value, request_only=True)


EXAMPLES: dict[str, list[OpenApiExample]] = {
    "register": [example("A registration form", ANN)],
    "upsert": [
        example("A form", ANN),
        example("A row of a file", {"ids": {"crm_id": "301"}, "email": "ann@example.com", "mode": "fill"}),
    ],
    "edit": [
        example(
            "A new e-mail",
            {"lookup": {"maestra_id": 7}, "email": {"value": "ann@new.example", "is_primary": True}},
        ),
        example("Clear the phones", {"lookup": {"email": "ann@example.com"}, "mobile_phone": None}),
    ],
    "authorize": [
        example(
            "A sign-in",
            {"lookup": {"email": "ann@example.com"}, "device_id": "3f2b8c1e-7d4a-4c58-9b60-1f2e3d4c5b6a"},
        )
    ],
    "subscribe": [
        example(
            "A newsletter form",
            {"email": "ann@example.com", "subscriptions": [{"channel": "email", "status": "subscribed"}]},
        )
    ],
    "confirm": [
        example("The token of a link", {"token": "Zm9v…"}),
        example(
            "The code of a text message",
            {"lookup": {"maestra_id": 7}, "contact": {"mobile_phone": "+14155550122"}, "code": "123456"},
        ),
        example(
            "Confirmed by yourself",
            {
                "lookup": {"maestra_id": 7},
                "contact": {"email": "ann@example.com"},
                "confirmed_at": "2026-01-05T10:00:00Z",
            },
        ),
    ],
    "batch": [
        example("Two upserts", {"operation": "upsert", "records": [ANN, {"email": "bob@example.com"}]})
    ],
    "preview": [
        example("A registration", {"operation": "register", "record": ANN}),
        example(
            "A merge",
            {"operation": "merge", "customers": [{"maestra_id": 12}], "resulting": {"maestra_id": 7}},
        ),
    ],
    "merge": [example("Two into one", {"customers": [{"maestra_id": 12}], "resulting": {"maestra_id": 7}})],
    "explain": [example("Two customers", {"customers": [{"maestra_id": 7}, {"email": "bob@example.com"}]})],
    "orders": [
        example(
            "An order",
            {
                "order": {
                    "number": "A-1001",
                    "total": "59.90",
                    "currency": "USD",
                    "placed_at": "2026-01-05T10:00:00Z",
                    "status": "paid",
                    "lines": [{"sku": "shoe-42", "quantity": 1, "price": "59.90"}],
                },
                "customer": {"email": "ann@example.com"},
            },
        )
    ],
    "points": [
        example(
            "A purchase",
            {"lookup": {"email": "ann@example.com"}, "amount": 50, "reason": "purchase", "number": "P-1"},
        )
    ],
    "promo_codes": [example("A code", {"lookup": {"email": "ann@example.com"}, "code": "SPRING-7"})],
}

# --- The operations --------------------------------------------------------------------------------------

REFUSED_RECORD = (
    ErrorCode.CUSTOMER_NOT_FOUND,
    ErrorCode.TECHNICAL_ID_NOT_UNIQUE,
    ErrorCode.ALREADY_REGISTERED,
    ErrorCode.AMBIGUOUS_CUSTOMER,
    ErrorCode.ERASED_PERSON,
)


def operation(
    name: str,
    summary: str,
    request: Any,
    *,
    tag: str = "Operations",
    created: bool = False,
    answer: Any = AnswerSerializer,
    refused: Iterable[ErrorCode] = (),
    description: str = "",
) -> Any:
    """Decorates a view with what its POST is. `created`: 201 is an answer too."""
    answers = {201: answer, 200: answer} if created else {200: answer}
    return extend_schema_view(
        post=documented(
            name,
            summary,
            tag=tag,
            request=request,
            answers=answers,
            refused=(*refused, ErrorCode.IDEMPOTENCY_CONFLICT),
            description=description,
            examples=EXAMPLES.get(name, ()),
            parameters=(IDEMPOTENCY_KEY,),
        )
    )
