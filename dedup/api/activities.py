"""Activity that integrators send, and personal links for their messages (POST)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_view
from rest_framework import serializers

from customers.api.schema import AnyObject, FaultSerializer, documented, moment, text
from customers.errors import ErrorCode, invalid
from customers.models import Scopes
from dedup.api import schema
from dedup.api.base import Call, OperationView
from dedup.api.bodies import Body
from dedup.api.idempotency import Reply
from dedup.operations.lookups import lookup
from dedup.tracking.event_reader import EVENTS_LIMIT, KIND_LIMIT, TITLE_LIMIT, URL_LIMIT, read_activities
from dedup.tracking.inbox import append
from dedup.tracking.links import LIFE, LONGEST_LIFE, Link, address_of, leads_to


class ActivitySerializer(serializers.Serializer[Any]):
    uuid = serializers.UUIDField(
        required=False,
        help_text="Yours: sent again, it is the same event. Without it every arrival is a new event.",
    )
    kind = text("What happened, such as page_view.", max_length=KIND_LIMIT)
    occurred_at = moment("Now by default.", required=False)
    device_id = text("The browser.", required=False, max_length=255)
    mobile_device_id = text("The app's device.", required=False, max_length=255)
    lookup = schema.LookupField(
        required=False,
        help_text="The customer; with a device, the customer signed in on it.",
    )
    url = text(required=False, max_length=URL_LIMIT)
    title = text(required=False, max_length=TITLE_LIMIT)
    properties = AnyObject(required=False)


class ActivitiesSerializer(serializers.Serializer[Any]):
    activities = serializers.ListField(child=ActivitySerializer(), max_length=EVENTS_LIMIT)


class AcceptedSerializer(serializers.Serializer[Any]):
    accepted = serializers.IntegerField(help_text="How many events were accepted.")
    uuids = serializers.ListField(
        child=serializers.UUIDField(allow_null=True),
        help_text="The events' UUIDs, in the order you sent them; null for one that failed.",
    )
    failed = FaultSerializer(many=True, help_text="Look-ups at fault, or that find nobody.")


@extend_schema_view(
    post=documented(
        "activities",
        "Send activity",
        tag="Activity",
        request=ActivitiesSerializer,
        answers={202: AcceptedSerializer},
        refused=(ErrorCode.IDEMPOTENCY_CONFLICT,),
        description=(
            "What customers did, on a device or named by a lookup. An event whose lookup finds nobody fails "
            "alone; with any other fault nothing is accepted. Events are resolved within seconds, each once "
            "(R47 to R50)."
        ),
        examples=[
            schema.example(
                "A page view",
                {
                    "activities": [
                        {
                            "uuid": "7d1f8f0e-3c1b-4c0e-9d57-0c8f6f1d2a3b",
                            "kind": "page_view",
                            "occurred_at": "2026-01-05T10:00:00Z",
                            "device_id": "3f2b8c1e-7d4a-4c58-9b60-1f2e3d4c5b6a",
                            "url": "https://shop.example/shoes/42",
                            "title": "Running shoes",
                        }
                    ]
                },
            ),
            schema.example(
                "A message was opened",
                {"activities": [{"kind": "message_open", "lookup": {"email": "ann@example.com"}}]},
            ),
        ],
        parameters=(schema.IDEMPOTENCY_KEY,),
    )
)
class ActivitiesView(OperationView):
    scope = Scopes.TRACK
    of_many = True

    def act(self, call: Call) -> Reply:
        point = call.caller.point
        read = read_activities(call.data, point, call.config, timezone.now())
        assert point.id is not None, "only a key has this scope"
        accepted = [event for event in read.events if event]
        append(accepted, point.id, call.config)
        answer = {
            "accepted": len(accepted),
            "uuids": [str(event.uuid) if event else None for event in read.events],
            "failed": [{"path": path, "message": message} for path, message in read.failed],
        }
        return Reply(202, answer)


class PersonalLinkSerializer(serializers.Serializer[Any]):
    lookup = schema.LookupField()
    url = text("A page of the point's site.", max_length=URL_LIMIT)
    message = text(
        "What you call the message; it is kept with the activity of the click.",
        required=False,
        max_length=100,
    )
    expires_in = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=int(LONGEST_LIFE.total_seconds()),
        help_text=f"Seconds; by default {int(LIFE.total_seconds())} ({LIFE.days} days).",
    )


class PersonalLinkAnswerSerializer(serializers.Serializer[Any]):
    url = text("The address to put into the message.")
    expires_at = moment()


@extend_schema_view(
    post=documented(
        "personal_links",
        "Make a personal link",
        tag="Activity",
        request=PersonalLinkSerializer,
        answers={201: PersonalLinkAnswerSerializer},
        refused=(ErrorCode.CUSTOMER_NOT_FOUND, ErrorCode.IDEMPOTENCY_CONFLICT),
        description=(
            "An address that leads to a page of your site and says who opened it: the browser becomes the "
            "customer's (R49). Use it only in messages to this customer."
        ),
        examples=[
            schema.example(
                "A newsletter",
                {
                    "lookup": {"email": "ann@example.com"},
                    "url": "https://shop.example/sale",
                    "message": "newsletter-may",
                },
            )
        ],
        parameters=(schema.IDEMPOTENCY_KEY,),
    )
)
class PersonalLinksView(OperationView):
    def act(self, call: Call) -> Reply:
        body = Body(call.data, ("lookup", "url"), ("message", "expires_in"))
        key = body.lookup(call.parser, "lookup", call.data["lookup"]) if body.has("lookup") else None
        url, message, life = _text(body, "url", URL_LIMIT), _text(body, "message", 100), _life(body)
        body.check()
        assert key
        profile = lookup(call.caller, key).profile
        point = call.caller.point.id or 0
        link = Link(profile.maestra_id, point, url, message, timezone.now().replace(microsecond=0) + life)
        if leads_to(link) is None:
            message = _("The page must be of the integration point's site. Add its origin to the site.")
            raise invalid(("url", message))
        return Reply(201, {"url": address_of(link), "expires_at": link.expires_at.isoformat()})


def _text(body: Body, name: str, limit: int) -> str:
    value = body.data.get(name) or ""
    if isinstance(value, str) and len(value) <= limit:
        return value.strip()
    body.fault(name, _("Send a text of at most %(limit)s characters.") % {"limit": limit})
    return ""


def _life(body: Body) -> timedelta:
    seconds = body.data.get("expires_in")
    if seconds is None:
        return LIFE
    if type(seconds) is int and 0 < seconds <= LONGEST_LIFE.total_seconds():
        return timedelta(seconds=seconds)
    message = _("Send a whole number of seconds, at most %(limit)s.")
    body.fault("expires_in", message % {"limit": int(LONGEST_LIFE.total_seconds())})
    return LIFE
