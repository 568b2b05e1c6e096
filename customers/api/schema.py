"""What the OpenAPI schema says of requests and answers. The shapes are declared here once, and only
described: requests are read by `dedup.parsing`, answers made by `customers.presentation.customer` and its
kin.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from django.db.models import DateField, Field
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
)
from rest_framework import serializers

from customers.contact_types import CONTACT_TYPES
from customers.errors import ErrorCode
from customers.history_kinds import HISTORY_KINDS
from customers.models import Channels, Customer, Statuses
from customers.profile import PERSONAL_FIELDS

PROBLEM = "application/problem+json"

V = TypeVar("V")


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "customers.api.base.ApiKeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:  # noqa: ARG002
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "The key of an integration point, as in `Api-Key ssk_1f0c…`",
        }


def text(help_text: str = "", **options: Any) -> serializers.CharField:
    return serializers.CharField(help_text=help_text, **options)


def moment(help_text: str = "", **options: Any) -> serializers.DateTimeField:
    return serializers.DateTimeField(help_text=help_text, **options)


# --- Problems --------------------------------------------------------------------------------------------


class FaultSerializer(serializers.Serializer[Any]):
    path = text("Which field, as in `subscriptions[0].channel`; empty for the whole body.", allow_blank=True)
    message = text("What is wrong, and what to send instead.")


class ProblemSerializer(serializers.Serializer[Any]):
    """A refusal (RFC 9457). Nothing of the request was stored."""

    type = text()
    title = text()
    status = serializers.IntegerField()
    detail = text("What to do next.", allow_blank=True)
    code = serializers.ChoiceField(choices=[code.value for code in ErrorCode])
    errors = FaultSerializer(many=True, required=False)  # type: ignore[assignment]  # declared, it is no attribute


EVERYWHERE = (
    ErrorCode.NOT_AUTHENTICATED,
    ErrorCode.PERMISSION_DENIED,
    ErrorCode.RATE_LIMITED,
    ErrorCode.BUSY,
)
WITH_BODY = (ErrorCode.VALIDATION_ERROR, ErrorCode.TOO_LARGE, ErrorCode.UNSUPPORTED_MEDIA_TYPE)


def problems(codes: Iterable[ErrorCode]) -> dict[tuple[int, str], OpenApiResponse]:
    """One response for each status, naming its codes."""
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(code.status, []).append(code.value)
    return {
        (status, PROBLEM): OpenApiResponse(ProblemSerializer, " · ".join(f"`{code}`" for code in names))
        for status, names in sorted(by_status.items())
    }


Answers = Mapping[Any, Any]
"""By status, or by status and media type."""


def documented(
    operation: str,
    summary: str,
    *,
    tag: str,
    answers: Answers,
    description: str = "",
    request: Any = None,
    refused: Iterable[ErrorCode] = (),
    examples: Iterable[OpenApiExample] = (),
    parameters: Iterable[OpenApiParameter] = (),
) -> Any:
    """What the schema says of one method. `refused` are the codes beyond those of every request."""
    codes = (*EVERYWHERE, *(WITH_BODY if request else ()), *refused)
    return extend_schema(
        operation_id=operation,
        summary=summary,
        description=description,
        tags=[tag],
        request=request,
        responses={**answers, **problems(dict.fromkeys(codes))},
        examples=list(examples),
        parameters=list(parameters),
        filters=None,
    )


def get(operation: str, summary: str, *, answer: Any, **more: Any) -> Any:
    """Decorates a view with what its GET is."""
    return extend_schema_view(get=documented(operation, summary, answers={200: answer}, **more))


# --- A customer ------------------------------------------------------------------------------------------


@extend_schema_field(
    {"type": "object", "additionalProperties": {"type": ["string", "array"], "items": {"type": "string"}}}
)
class IdsField(serializers.JSONField):
    """A text for a unique kind, a list for any other."""


@extend_schema_field(
    {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}}
)
class FormerIdsField(serializers.JSONField):
    pass


@extend_schema_field({"type": "object", "additionalProperties": True})
class AnyObject(serializers.JSONField):
    pass


@extend_schema_field({"type": "number"})
class Number(serializers.FloatField):
    pass


class ContactSerializer(serializers.Serializer[Any]):
    value = text()
    is_primary = serializers.BooleanField()
    is_confirmed = serializers.BooleanField()
    is_pending = serializers.BooleanField(help_text="Awaits its confirmation.")
    gives_account_access = serializers.BooleanField()


class IdentifierSerializer(serializers.Serializer[Any]):
    type = text("The system name of the identifier kind.")
    value = text()


def column(name: str) -> serializers.Field[Any, Any, Any, Any]:
    """What a column of customers holds, which may be absent."""
    field = Customer._meta.get_field(name)
    assert isinstance(field, Field)
    if field.choices:
        return serializers.ChoiceField(choices=field.choices, required=False)
    return serializers.DateField(required=False) if isinstance(field, DateField) else text(required=False)


PersonalSerializer = type(
    "PersonalSerializer", (serializers.Serializer,), {name: column(name) for name in PERSONAL_FIELDS}
)


class SubscriptionSerializer(serializers.Serializer[Any]):
    channel = serializers.ChoiceField(choices=Channels.choices)
    topic = text(allow_null=True)
    status = serializers.ChoiceField(choices=Statuses.choices)
    since = moment()


class MembershipSerializer(serializers.Serializer[Any]):
    segmentation = text()
    segment = text()
    since = moment()


class FactsSerializer(serializers.Serializer[Any]):
    orders_count = serializers.IntegerField()
    orders_total = serializers.RegexField(r"^-?\d+\.\d\d$")
    points_balance = Number()
    promo_codes_count = serializers.IntegerField()
    last_activity_at = moment("The last personal action.", allow_null=True)


class NoteSerializer(serializers.Serializer[Any]):
    at = moment()
    text = serializers.CharField()
    related_maestra_id = serializers.IntegerField(allow_null=True)


class CustomerSerializer(serializers.Serializer[Any]):
    """One profile, with everything of all its MaestraIDs."""

    maestra_id = serializers.IntegerField(allow_null=True, help_text="Null in the preview of a new customer.")
    former_maestra_ids = serializers.ListField(child=serializers.IntegerField())
    registered_at = moment(allow_null=True)
    ids = IdsField(help_text="A text for a unique kind, a list for any other.")
    former_ids = FormerIdsField()
    claims = IdentifierSerializer(many=True, help_text="Contacts the customer named that it does not hold.")
    devices = serializers.ListField(child=text())
    mobile_devices = serializers.ListField(child=text())
    personal = PersonalSerializer()
    time_zone = text(allow_null=True)
    custom_fields = AnyObject()
    subscriptions = SubscriptionSerializer(many=True)
    segments = MembershipSerializer(many=True)
    facts = FactsSerializer()
    notes = NoteSerializer(many=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """With a list of contacts for each type there is."""
        contacts = {type_.plural: ContactSerializer(many=True) for type_ in CONTACT_TYPES}
        return {**super().get_fields(), **contacts}


# --- Lists -----------------------------------------------------------------------------------------------


class HistoryEntrySerializer(serializers.Serializer[Any]):
    at = moment("When it was told. Entries are in this order.")
    occurred_at = moment("When it happened; null where that is the same.", allow_null=True)
    kind = serializers.ChoiceField(choices=list(HISTORY_KINDS))
    maestra_id = serializers.IntegerField(help_text="The MaestraID it happened to.")
    operation_id = serializers.IntegerField()
    actor = text()
    integration_point = text(allow_null=True)
    reason = text(allow_null=True)
    data = AnyObject()  # type: ignore[assignment]  # declared, it is no attribute
    related_maestra_id = serializers.IntegerField(allow_null=True)
    sentence = text("The same in plain words.")


class OrderSerializer(serializers.Serializer[Any]):
    maestra_id = serializers.IntegerField(help_text="The MaestraID it was placed under.")
    number = text()
    total = serializers.RegexField(r"^-?\d+\.\d\d$")
    currency = text(allow_blank=True)
    placed_at = moment()
    status = text(allow_blank=True)
    lines = serializers.ListField(child=AnyObject())


class ActivitySerializer(serializers.Serializer[Any]):
    maestra_id = serializers.IntegerField()
    kind = text()
    occurred_at = moment()
    device_id = text(allow_null=True)
    url = text(allow_blank=True)
    title = text(allow_blank=True)
    properties = AnyObject()


class SessionSerializer(serializers.Serializer[Any]):
    """One device's chain of actions with pauses of at most 30 minutes."""

    device_id = text(allow_null=True)
    started_at = moment()
    ended_at = moment()
    actions_count = serializers.IntegerField()
    maestra_ids = serializers.ListField(child=serializers.IntegerField())


class RelatedSerializer(serializers.Serializer[Any]):
    maestra_id = serializers.IntegerField()
    type = text()
    value = text()
    is_kept = serializers.BooleanField(help_text="The contact stayed with, or came to, this customer.")
    decided_by = text(allow_null=True)
    at = moment()


def list_of(item: type[serializers.Serializer[Any]], **more: serializers.Field[Any, Any, Any, Any]) -> Any:
    """`{"results": [item]}`, with further fields."""
    name = item.__name__.removesuffix("Serializer") + ("Page" if more else "List")
    return type(f"{name}Serializer", (serializers.Serializer,), {"results": item(many=True), **more})()


def page_of(item: type[serializers.Serializer[Any]], *, previous: bool = False) -> Any:
    """A page; `next` is the address of the one after it."""
    links = ("next", "previous") if previous else ("next",)
    return list_of(item, **{link: serializers.URLField(allow_null=True) for link in links})


def parameter(name: str, description: str, kind: Any = OpenApiTypes.STR, **more: Any) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.QUERY, description=description, **more)


PAGING = (
    parameter("cursor", "From `next` of the page before."),
    parameter(
        "limit",
        "How many: 1 to 1000, 50 where it is not said.",
        {"type": "integer", "minimum": 1, "maximum": 1000},
    ),
)
BETWEEN = (
    parameter("kind", "Only entries of these kinds.", many=True, enum=list(HISTORY_KINDS)),
    parameter("since", "Told from this time on.", OpenApiTypes.DATETIME),
    parameter("until", "Told before this time.", OpenApiTypes.DATETIME),
)
HISTORY = page_of(HistoryEntrySerializer)
ORDERS = page_of(OrderSerializer)
ACTIVITIES = page_of(ActivitySerializer)
SESSIONS = page_of(SessionSerializer)
RELATED = list_of(RelatedSerializer)
CUSTOMERS = page_of(CustomerSerializer, previous=True)
ANYTHING = {"type": "object", "additionalProperties": True}
ABOUT_CUSTOMER: dict[str, Any] = {"tag": "Reading", "refused": (ErrorCode.CUSTOMER_NOT_FOUND,)}
LISTED: dict[str, Any] = {
    "tag": "Reading",
    "refused": (ErrorCode.VALIDATION_ERROR, ErrorCode.CUSTOMER_NOT_FOUND),
}

erasure = extend_schema_view(
    delete=documented(
        "erase",
        "Forget a person",
        description="Removes everything that names the person, under every MaestraID.",
        tag="Privacy",
        answers={204: None},
        refused=(ErrorCode.CUSTOMER_NOT_FOUND,),
    )
)
"""Decorates a view with what its DELETE is."""


def listed(operation: str, summary: str) -> Any:
    """Decorates a list of customers, whose filters speak for themselves."""
    return extend_schema_view(
        get=extend_schema(
            operation_id=operation,
            summary=summary,
            tags=["Reading"],
            parameters=list(PAGING),
            filters=True,
            responses={
                200: CUSTOMERS,
                **problems((*EVERYWHERE, ErrorCode.VALIDATION_ERROR, ErrorCode.NOT_FOUND)),
            },
        )
    )
