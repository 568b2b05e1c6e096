"""Operations on customers (POST): each view parses the body, calls an operation of `dedup.operations`, and
replies.

What decorates a view describes it in OpenAPI.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, assert_never

from rest_framework.request import Request

from customers.api.base import actor_of
from customers.changes import Change, OrderSaved, PointsAdded, PromoCodeIssued
from customers.errors import FAULTS_LISTED, ErrorCode, SelfsameError, shortened
from customers.models import Scopes
from customers.privacy.opt_out import opt_out
from customers.storage.locking import found_profile
from dedup.api import bodies, schema
from dedup.api.base import Call, OperationView
from dedup.api.idempotency import Reply
from dedup.api.serialization import batch_json, explanation_json
from dedup.confirmation import confirming
from dedup.engine.outcome import Outcome, OutcomeStatus
from dedup.engine.record import Operation, Record
from dedup.operations import explaining, lookups, merging, records
from dedup.operations.base import Result

OK, CREATED = 200, 201
LOYALTY = "Orders and loyalty"


class RecordView(OperationView):
    """An operation that takes one record."""

    operation: ClassVar[Operation]

    def act(self, call: Call) -> Reply:
        record = call.parser.record(self.operation, call.data)
        result = records.submit_one(call.caller, record)
        return call.reply(result, CREATED if self.has_created(result) else OK)

    def has_created(self, result: Result) -> bool:
        """Whether a customer came into being."""
        return result.outcome.status is OutcomeStatus.CREATED


class LedgerView(RecordView):
    """A record of a customer who ordered, or earned something."""

    def has_created(self, result: Result) -> bool:
        """Whether the order, movement or promo code is new."""
        return any(map(_is_new_entry, result.outcome.changes))


def _is_new_entry(change: Change) -> bool:
    match change:
        case OrderSaved(before=None) | PointsAdded() | PromoCodeIssued():
            return True
    return False


@schema.operation(
    "register",
    "Register a customer",
    schema.record_of(Operation.REGISTER),
    created=True,
    refused=schema.REFUSED_RECORD,
    description="Always makes a new customer of the record, which then joins whoever it matches.",
)
class RegisterView(RecordView):
    """R16, R22"""

    operation = Operation.REGISTER


@schema.operation(
    "upsert",
    "Create or change a customer",
    schema.record_of(Operation.UPSERT),
    created=True,
    refused=schema.REFUSED_RECORD,
    description="Finds the customer by the record's own identifiers, and edits it; else as register.",
)
class UpsertView(RecordView):
    """R17"""

    operation = Operation.UPSERT


@schema.operation(
    "edit",
    "Change a customer",
    schema.record_of(Operation.EDIT),
    refused=schema.REFUSED_RECORD,
    description="Finds the customer by exactly one identifier; creates nobody.",
)
class EditView(RecordView):
    """R18"""

    operation = Operation.EDIT


@schema.operation(
    "authorize",
    "Sign in on a device",
    schema.record_of(Operation.AUTHORIZE),
    refused=schema.REFUSED_RECORD,
    description="The device, and what was done on it anonymously, become the customer's.",
)
class AuthorizeView(RecordView):
    """R21"""

    operation = Operation.AUTHORIZE


@schema.operation(
    "subscribe",
    "Subscribe",
    schema.record_of(Operation.UPSERT),
    created=True,
    refused=schema.REFUSED_RECORD,
    description="As upsert, but its contacts give no account access and need no confirmation.",
)
class SubscribeView(RecordView):
    """R15, R56"""

    operation = Operation.SUBSCRIBE


@schema.operation(
    "orders",
    "Save an order",
    schema.record_of(Operation.ORDER),
    tag=LOYALTY,
    created=True,
    refused=schema.REFUSED_RECORD,
    description="An upsert of its customer. 201 where the order is new; its number sent again updates it.",
)
class OrdersView(LedgerView):
    """R57"""

    operation = Operation.ORDER


@schema.operation(
    "points",
    "Add reward points",
    schema.record_of(Operation.POINTS),
    tag=LOYALTY,
    created=True,
    refused=schema.REFUSED_RECORD,
    description="201 where the movement is new; its number sent again changes nothing.",
)
class PointsView(LedgerView):
    """R58"""

    operation = Operation.POINTS


@schema.operation(
    "promo_codes",
    "Issue a promo code",
    schema.record_of(Operation.PROMO_CODE),
    tag=LOYALTY,
    created=True,
    refused=schema.REFUSED_RECORD,
    description="201 where the code is new; sent again it changes nothing.",
)
class PromoCodesView(LedgerView):
    """R58"""

    operation = Operation.PROMO_CODE


@schema.operation(
    "lookup",
    "Find a customer",
    schema.LOOKUP,
    tag="Reading",
    refused=(ErrorCode.CUSTOMER_NOT_FOUND,),
    description="By exactly one identifier, former IDs included.",
)
class LookupView(OperationView):
    """R19, R20"""

    scope = Scopes.READ

    def act(self, call: Call) -> Reply:
        key = call.parser.lookup(call.data, "")
        return call.reply(lookups.lookup(call.caller, key))


@schema.operation(
    "confirm",
    "Confirm a contact",
    schema.CONFIRM,
    refused=(*schema.REFUSED_RECORD, ErrorCode.CODE_INVALID, ErrorCode.CODE_EXPIRED),
    description="By the token of a link, by the code of a text message, or reported by yourself.",
)
class ConfirmView(OperationView):
    """R45"""

    def act(self, call: Call) -> Reply:
        match bodies.confirming(call.data, call.parser):
            case bodies.ByToken(token):
                result = confirming.confirm_by_token(token)
            case bodies.ByCode(lookup, contact, code):
                result = confirming.confirm_by_code(call.caller, lookup, contact, code)
            case bodies.Reported(lookup, contact, confirmed_at):
                result = confirming.report_confirmation(call.caller, lookup, contact, confirmed_at)
            case body:
                assert_never(body)
        return call.reply(result)


@schema.operation(
    "opt_out",
    "Opt out",
    schema.NothingSerializer,
    tag="Privacy",
    refused=(ErrorCode.CUSTOMER_NOT_FOUND,),
    description="Ends every subscription of the profile and refuses every channel.",
)
class OptOutView(OperationView):
    """Ends every subscription and refuses every channel (R53)."""

    scope = Scopes.PRIVACY

    def act(self, call: Call) -> Reply:
        bodies.Body(call.data, ()).check()
        maestra_id: int = self.kwargs["maestra_id"]
        before = found_profile(maestra_id)
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
    of_many = True

    def act(self, call: Call) -> Reply:
        batch = bodies.batch(call.data)
        parsed = list(_records_or_errors(call, batch))
        results = records.submit(call.caller, parsed)
        return Reply(OK, {"results": batch_json(results, call.config)})


def _records_or_errors(call: Call, batch: bodies.Batch) -> Iterator[Record | SelfsameError]:
    """A record of a batch fails alone. All of them list as many faults as a single one could; but each has
    at least its first.
    """
    left = FAULTS_LISTED
    for data in batch.records:
        try:
            yield call.parser.record(batch.operation, data)
        except SelfsameError as error:
            refusal = shortened(error, max(left, 1))
            left -= len(refusal.data.get("errors", ()))
            yield refusal


@schema.operation(
    "preview",
    "See what would happen",
    schema.PREVIEW,
    answer=schema.PreviewAnswerSerializer,
    refused=(*schema.REFUSED_RECORD, ErrorCode.MERGE_BLOCKED),
    description="The answer the operation would give. Nothing is written. Takes the scope `write`; that of a "
    "merge takes `read`.",
)
class PreviewView(OperationView):
    """What an operation would answer is for those who may do it: it shows whom a record would join, also by
    a contact that looking up does not find (R20). A merge names its customers, and shows them alone.
    """

    def scope_of(self, request: Request) -> Scopes:
        return Scopes.READ if _is_of_merge(request.data) else Scopes.WRITE

    def act(self, call: Call) -> Reply:
        if _is_of_merge(call.data):
            asked = bodies.merging(call.data, call.parser, "operation")
            return call.reply(merging.merge(call.caller, asked.customers, asked.resulting, dry_run=True))
        body = bodies.Body(call.data, ("operation", "record"))
        operation = bodies.operation_of(body, bodies.MERGE)
        body.check()
        assert operation
        record = call.parser.record(operation, call.data["record"], "record")
        return call.reply(records.submit_one(call.caller, record, dry_run=True))


def _is_of_merge(body: Any) -> bool:
    return isinstance(body, dict) and body.get("operation") == bodies.MERGE


@schema.operation(
    "merge",
    "Merge customers",
    schema.MergeSerializer,
    tag="Merging",
    refused=(ErrorCode.CUSTOMER_NOT_FOUND, ErrorCode.MERGE_BLOCKED, ErrorCode.STALE_PREVIEW),
    description="Into the resulting one, in the order given, all or none.",
)
class MergeView(OperationView):
    """R28"""

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
    description="Both customers come back, and are held apart from then on.",
)
class UndoView(OperationView):
    """R46"""

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
        return Reply(OK, explanation_json(explanation, became_one))
