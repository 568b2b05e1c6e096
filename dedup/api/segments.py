"""Members of static segments, put in and taken out through the API (R51)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from rest_framework import serializers

from customers.api.schema import text
from customers.errors import ErrorCode
from customers.models import Scopes
from dedup.api import schema
from dedup.api.base import Call, OperationView
from dedup.api.bodies import BATCH_LIMIT, Body
from dedup.api.idempotency import Reply
from dedup.operations import lookups
from segments import members
from segments.api.views import SegmentCustomersView, segment_of
from segments.members import Actor


class SegmentMembersSerializer(serializers.Serializer[Any]):
    put_in = serializers.ListField(child=schema.LookupField(), required=False, max_length=BATCH_LIMIT)
    take_out = serializers.ListField(child=schema.LookupField(), required=False, max_length=BATCH_LIMIT)


class SegmentMovedSerializer(serializers.Serializer[Any]):
    put_in = serializers.IntegerField(help_text="How many are in the segment who were not before.")
    taken_out = serializers.IntegerField(help_text="How many are no longer in it.")
    not_found = serializers.ListField(
        child=text(), help_text="The places in the request of identifiers that find nobody."
    )


@schema.operation(
    "segment_members",
    "Put customers into a static segment, or take them out",
    SegmentMembersSerializer,
    answer=SegmentMovedSerializer,
    refused=(ErrorCode.NOT_FOUND,),
    description="Who is put in leaves the other segments of the segmentation. Who is in it already keeps the "
    "date of entry. Identifiers that find nobody are passed over and named (R51, R52).",
)
class SegmentMembersView(SegmentCustomersView, OperationView):
    """GET lists the members, POST changes them."""

    scope = Scopes.READ
    scopes: ClassVar[dict[str, Scopes]] = {"POST": Scopes.WRITE}

    def act(self, call: Call) -> Reply:
        segment = segment_of(self.kwargs["segment_id"])
        body = Body(call.data, (), ("put_in", "take_out"))
        if not body.has("put_in") and not body.has("take_out"):
            body.fault("", _("Say whom to put in or to take out."))
        asked = {
            name: body.lookups(call.parser, name, BATCH_LIMIT) if body.has(name) else []
            for name in ("put_in", "take_out")
        }
        body.check()
        found = {name: lookups.primary_ids_found(call.caller, keys) for name, keys in asked.items()}
        moved = {
            name: [primary_id for primary_id in primary_ids if primary_id]
            for name, primary_ids in found.items()
        }
        who = Actor(call.caller.actor, call.caller.user_id, call.caller.point.id)
        left = members.take_out(segment, moved["take_out"], who).left
        entered = members.put_in(segment, moved["put_in"], who).entered
        places = (
            (name, n)
            for name, primary_ids in found.items()
            for n, primary_id in enumerate(primary_ids)
            if not primary_id
        )
        missing = [f"{name}[{n}]" for name, n in places]
        return Reply(200, {"put_in": entered, "taken_out": left, "not_found": missing})
