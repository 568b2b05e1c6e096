"""Members of static segments, put in and taken out through the API (R51)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from rest_framework import serializers

from customers.api.schema import text
from customers.errors import ErrorCode
from customers.models import Scopes
from customers.profile import Key
from dedup.api import schema
from dedup.api.base import Call, OperationView
from dedup.api.bodies import BATCH_LIMIT, Body
from dedup.api.idempotency import Reply
from dedup.operations import lookups
from segments import members
from segments.api.views import SegmentCustomersView, segment_of
from segments.members import Actor

PUT_IN, TAKE_OUT = "put_in", "take_out"


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
    "date of entry; who is named in both lists is put in. All of it happens or nothing. Identifiers that "
    "find nobody are passed over and named.",
)
class SegmentMembersView(SegmentCustomersView, OperationView):
    """GET lists the members, POST changes them (R51, R52)."""

    of_many = True
    scope = Scopes.READ
    scopes: ClassVar[dict[str, Scopes]] = {"POST": Scopes.WRITE}

    def act(self, call: Call) -> Reply:
        segment = segment_of(self.kwargs["segment_id"])
        customers = {
            name: lookups.primary_ids_found(call.caller, keys) for name, keys in _asked(call).items()
        }
        who = Actor(call.caller.actor, call.caller.user_id, call.caller.point.id)
        found = {name: _only_found(primary_ids) for name, primary_ids in customers.items()}
        moved = members.change_members(segment, who, put_in=found[PUT_IN], take_out=found[TAKE_OUT])
        not_found = _not_found(customers)
        return Reply(200, {"put_in": moved.entered, "taken_out": moved.left, "not_found": not_found})


def _asked(call: Call) -> dict[str, list[Key]]:
    """Whom the body names, to be put in and to be taken out."""
    body = Body(call.data, (), (PUT_IN, TAKE_OUT))
    if not body.has(PUT_IN) and not body.has(TAKE_OUT):
        body.fault("", _("Say whom to put in or to take out."))
    asked = {
        name: body.lookups(call.parser, name, BATCH_LIMIT) if body.has(name) else []
        for name in (PUT_IN, TAKE_OUT)
    }
    body.check()
    return asked


def _only_found(primary_ids: Sequence[int | None]) -> list[int]:
    return [primary_id for primary_id in primary_ids if primary_id]


def _not_found(customers: Mapping[str, Sequence[int | None]]) -> list[str]:
    """The places in the request of identifiers that find nobody, such as `put_in[3]`."""
    return [
        f"{name}[{n}]"
        for name, primary_ids in customers.items()
        for n, primary_id in enumerate(primary_ids)
        if not primary_id
    ]
