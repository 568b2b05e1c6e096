"""Operations on customers (POST). Each parses, acts, and answers; what they do is in
`dedup.operations`.
"""

from __future__ import annotations

from typing import Any, ClassVar, assert_never

from rest_framework.serializers import Serializer

from customers.api.access import actor_of
from customers.api.views import profile_of
from customers.errors import ErrorCode, SelfsameError
from customers.models import Scopes
from customers.privacy.opt_out import opt_out
from dedup.api import bodies, schema
from dedup.api.base import Call, OperationView
from dedup.api.idempotency import Reply
from dedup.api.serialization import batch_json, explanation_json, status_of_ledger, status_of_record
from dedup.confirmation import confirming
from dedup.engine.outcome import Outcome, OutcomeStatus
from dedup.engine.record import Operation, Record
from dedup.operations import explaining, lookups, merging, records
from dedup.operations.base import Result


class RecordView(OperationView):
    """An operation that takes one record."""

    operation: ClassVar[Operation]
    adds_to_ledger: ClassVar[bool] = False

    def act(self, call: Call) -> Reply:
        answer = records.submit_one(call.caller, call.parser.record(self.operation, call.data))
        status_of = status_of_ledger if self.adds_to_ledger else status_of_record
        return call.reply(answer, status_of(answer))


def taking(
    operation: Operation,
    name: str,
    summary: str,
    body: type[Serializer[Any]],
    description: str,
    *,
    created: bool = True,
    adds_to_ledger: bool = False,
) -> type[RecordView]:
    """The view of an operation that takes one record. `created`: 201 is an answer too, where the customer is
    new, or the entry of a ledger.
    """
    view = type(name, (RecordView,), {"operation": operation, "adds_to_ledger": adds_to_ledger})
    told = schema.operation(
        name,
        summary,
        body,
        tag="Orders and loyalty" if adds_to_ledger else "Operations",
        created=created,
        refused=schema.REFUSED_RECORD,
        description=description,
    )
    decorated: type[RecordView] = told(view)
    return decorated


RegisterView = taking(
    Operation.REGISTER,
    "register",
    "Register a customer",
    schema.RecordSerializer,
    "Always makes a new customer of the record, which then joins whoever it matches (R16, R22).",
)
UpsertView = taking(
    Operation.UPSERT,
    "upsert",
    "Create or change a customer",
    schema.UpsertSerializer,
    "Finds the customer by the record's own identifiers, and edits it; else as register (R17).",
)
EditView = taking(
    Operation.EDIT,
    "edit",
    "Change a customer",
    schema.EditSerializer,
    "Finds the customer by exactly one identifier; creates nobody (R18).",
    created=False,
)
AuthorizeView = taking(
    Operation.AUTHORIZE,
    "authorize",
    "Sign in on a device",
    schema.AuthorizeSerializer,
    "The device, and what was done on it anonymously, become the customer's (R21).",
    created=False,
)
SubscribeView = taking(
    Operation.SUBSCRIBE,
    "subscribe",
    "Subscribe",
    schema.UpsertSerializer,
    "As upsert, but its contacts give no account access and need no confirmation (R15, R56).",
)
OrdersView = taking(
    Operation.ORDER,
    "orders",
    "Save an order",
    schema.OrderedSerializer,
    "An upsert of its customer. 201 where the order is new; its number again updates it (R57).",
    adds_to_ledger=True,
)
PointsView = taking(
    Operation.POINTS,
    "points",
    "Add reward points",
    schema.PointsSerializer,
    "201 where the movement is new; its number sent again changes nothing (R58).",
    adds_to_ledger=True,
)
PromoCodesView = taking(
    Operation.PROMO_CODE,
    "promo_codes",
    "Issue a promo code",
    schema.PromoCodeSerializer,
    "201 where the code is new; sent again it changes nothing (R58).",
    adds_to_ledger=True,
)


@schema.operation(
    "lookup",
    "Find a customer",
    schema.LOOKUP,
    tag="Reading",
    refused=(ErrorCode.CUSTOMER_NOT_FOUND,),
    description="By exactly one identifier, former IDs included (R19, R20).",
)
class LookupView(OperationView):
    scope = Scopes.READ

    def act(self, call: Call) -> Reply:
        key = call.parser.lookup(call.data, "")
        return call.reply(lookups.lookup(call.caller, key))


@schema.operation(
    "confirm",
    "Confirm a contact",
    schema.CONFIRM,
    refused=(*schema.REFUSED_RECORD, ErrorCode.CODE_INVALID, ErrorCode.CODE_EXPIRED),
    description="By the token of a link, by the code of a text message, or reported by yourself (R45).",
)
class ConfirmView(OperationView):
    def act(self, call: Call) -> Reply:
        match bodies.confirming(call.data, call.parser):
            case bodies.ByToken(token):
                answer = confirming.confirm_by_token(token)
            case bodies.ByCode(lookup, contact, code):
                answer = confirming.confirm_by_code(call.caller, lookup, contact, code)
            case bodies.Reported(lookup, contact, confirmed_at):
                answer = confirming.report_confirmation(call.caller, lookup, contact, confirmed_at)
            case body:
                assert_never(body)
        return call.reply(answer)


@schema.operation(
    "opt_out",
    "Opt out",
    schema.NothingSerializer,
    tag="Privacy",
    refused=(ErrorCode.CUSTOMER_NOT_FOUND,),
    description="Ends every subscription of the profile and refuses every channel (R53).",
)
class OptOutView(OperationView):
    """Ends every subscription and refuses every channel (R53)."""

    scope = Scopes.PRIVACY

    def act(self, call: Call) -> Reply:
        bodies.Body(call.data, ()).check()
        maestra_id: int = self.kwargs["maestra_id"]
        before = profile_of(maestra_id)
        after = opt_out(maestra_id, **actor_of(self.request))
        is_new = before.opted_out_at != after.opted_out_at
        status = OutcomeStatus.CHANGED if is_new else OutcomeStatus.UNCHANGED
        return call.reply(Result(Outcome(status=status, profile=after), after))


@schema.operation(
    "batch",
    "Many records at once",
    schema.BatchSerializer,
    answer=schema.ResultsSerializer,
    description="Up to 1000 records of one operation, in order. A record that is refused fails alone.",
)
class BatchView(OperationView):
    def act(self, call: Call) -> Reply:
        batch = bodies.batch(call.data)
        sent = [_record(call, batch.operation, data) for data in batch.records]
        answers = records.submit(call.caller, sent)
        return Reply(200, {"results": batch_json(answers, call.config)})


def _record(call: Call, operation: Operation, data: Any) -> Record | SelfsameError:
    """A record of a batch, which fails alone."""
    try:
        return call.parser.record(operation, data)
    except SelfsameError as error:
        return error


@schema.operation(
    "preview",
    "See what would happen",
    schema.PREVIEW,
    answer=schema.PreviewAnswerSerializer,
    refused=(*schema.REFUSED_RECORD, ErrorCode.MERGE_BLOCKED),
    description="The answer the operation would give. Nothing is written.",
)
class PreviewView(OperationView):
    scope = Scopes.READ

    def act(self, call: Call) -> Reply:
        if isinstance(call.data, dict) and call.data.get("operation") == bodies.MERGE:
            asked = bodies.merging(call.data, call.parser, "operation")
            return call.reply(merging.merge(call.caller, asked.customers, asked.resulting, dry_run=True))
        body = bodies.Body(call.data, ("operation", "record"))
        operation = bodies.operation_of(body, bodies.MERGE)
        body.check()
        assert operation
        record = call.parser.record(operation, call.data["record"], "record")
        return call.reply(records.submit_one(call.caller, record, dry_run=True))


@schema.operation(
    "merge",
    "Merge customers",
    schema.MergeSerializer,
    tag="Merging",
    refused=(ErrorCode.CUSTOMER_NOT_FOUND, ErrorCode.MERGE_BLOCKED, ErrorCode.STALE_PREVIEW),
    description="Into the resulting one, in the order given, all or none (R28).",
)
class MergeView(OperationView):
    scope = Scopes.MERGE

    def act(self, call: Call) -> Reply:
        asked = bodies.merging(call.data, call.parser)
        token = asked.preview_token
        return call.reply(merging.merge(call.caller, asked.customers, asked.resulting, preview_token=token))


@schema.operation(
    "undo",
    "Undo a merge",
    schema.NothingSerializer,
    tag="Merging",
    refused=(ErrorCode.NOT_FOUND, ErrorCode.MERGE_BLOCKED),
    description="Both customers come back, and are held apart from then on (R46).",
)
class UndoView(OperationView):
    scope = Scopes.MERGE

    def act(self, call: Call) -> Reply:
        bodies.Body(call.data, ()).check()
        return call.reply(merging.undo(call.caller, self.kwargs["merge_id"]))


@schema.operation(
    "explain",
    "Explain two customers",
    schema.PairSerializer,
    tag="Merging",
    answer=schema.ExplanationSerializer,
    refused=(ErrorCode.CUSTOMER_NOT_FOUND,),
    description="What they share, what vetoes, who has priority, and what would have to change. Of two that "
    "are one: what made them one.",
)
class ExplainView(OperationView):
    scope = Scopes.READ

    def act(self, call: Call) -> Reply:
        left, right = bodies.pair(call.data, call.parser)
        explanation = explaining.explain(call.caller, left, right)
        became_one = explaining.became_one(explanation, call.caller.config.labels)
        return Reply(200, explanation_json(explanation, became_one))
