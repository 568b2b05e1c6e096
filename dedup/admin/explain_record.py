"""What a record would do, as the engine decides it, without storing anything."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from customers.errors import SelfsameError, invalid
from customers.history.reading import sentences
from customers.history_kinds import history_facts
from customers.models import IntegrationPoint
from customers.provisional import is_provisional, stored_id
from customers.setup.integration_points import Point, point_of
from customers.storage.sql import as_json
from customers.words import customer_label, why_same_person
from dedup.admin.addresses import explain_address
from dedup.admin.customer_cards import customer_card
from dedup.admin.customer_lookup import find_customers
from dedup.admin.framed_page import framed_page
from dedup.admin.objections import objections
from dedup.admin.permissions import VIEW_PAIRS, require_permission, staff_caller
from dedup.admin.value_formatter import ValueFormatter
from dedup.engine.outcome import BlockedMatch, Conflict, Move, OutcomeStatus
from dedup.engine.record import Operation
from dedup.operations.base import Caller, Result
from dedup.operations.records import submit_one
from dedup.parsing.records import RECORD_TYPES, Parser
from dedup.wording import criterion_sentence, warning_sentence

OPERATIONS = {
    Operation.REGISTER: gettext_lazy("Register"),
    Operation.UPSERT: gettext_lazy("Upsert (form or import)"),
    Operation.EDIT: gettext_lazy("Edit"),
    Operation.AUTHORIZE: gettext_lazy("Authorize (sign-in)"),
    Operation.SUBSCRIBE: gettext_lazy("Subscribe"),
    Operation.ORDER: gettext_lazy("Order"),
    Operation.POINTS: gettext_lazy("Reward points"),
    Operation.PROMO_CODE: gettext_lazy("Promo code"),
}
EXAMPLE = """{
  "email": "ann@example.com",
  "mobile_phone": "(415) 555-0122",
  "personal": {"first_name": "Ann"}
}"""
OUTCOMES = {
    OutcomeStatus.CREATED: gettext_noop("A new customer would be created."),
    OutcomeStatus.JOINED: gettext_noop("The record would join an existing customer."),
    OutcomeStatus.CHANGED: gettext_noop("An existing customer would be changed."),
    OutcomeStatus.UNCHANGED: gettext_noop("Nothing would change."),
}


class RecordForm(forms.Form):
    """A record as the API takes it, and the integration point it comes through."""

    operation = forms.ChoiceField(
        label=gettext_lazy("Operation"),
        choices=[
            (operation.value, label) for operation, label in OPERATIONS.items() if operation in RECORD_TYPES
        ],
        initial=Operation.UPSERT.value,
        widget=UnfoldAdminSelectWidget,
    )
    point = forms.ModelChoiceField(
        label=gettext_lazy("Integration point"),
        queryset=IntegrationPoint.objects.order_by("name"),
        empty_label=None,
        widget=UnfoldAdminSelectWidget,
    )
    record = forms.CharField(
        label=gettext_lazy("Record"),
        initial=EXAMPLE,
        max_length=100_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 12, "spellcheck": "false", "class": "font-mono"}),
        help_text=gettext_lazy("JSON, in the format of the API."),
    )

    def clean_record(self) -> Any:
        try:
            return json.loads(self.cleaned_data["record"], parse_float=Decimal)
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError(_("This is not valid JSON: %(fault)s.") % {"fault": error}) from None


def explain_record(request: HttpRequest, model_admin: ModelAdmin[Any]) -> HttpResponse:
    """What a record would do. Nothing is stored."""
    require_permission(request, VIEW_PAIRS)
    form = RecordForm(request.POST if request.method == "POST" else None)
    result: dict[str, Any] = {}
    if form.is_bound and form.is_valid():
        result = _context_of(request, form.cleaned_data)
    return framed_page(
        request,
        model_admin,
        "explain_record.html",
        title=_("Test a record"),
        form=form,
        explain_address=explain_address(),
        **result,
    )


def _context_of(request: HttpRequest, asked: dict[str, Any]) -> dict[str, Any]:
    formatter, point = ValueFormatter.of(request), point_of(asked["point"])
    try:
        answer = _decide(request, point, Operation(asked["operation"]), asked["record"], formatter)
    except SelfsameError as error:
        found = find_customers(error.data.get("maestra_ids", ())).profiles
        return {"error": error, "involved": [customer_card(p, formatter) for p in found]}
    return _outcome_context(answer, formatter)


def _decide(
    request: HttpRequest, point: Point, operation: Operation, data: Any, formatter: ValueFormatter
) -> Result:
    now = timezone.now()
    if not isinstance(data, dict):
        raise invalid(("record", _("A record must be a JSON object.")))
    parsed = Parser(point, formatter.config, now).record(operation, data)
    actor = staff_caller(request).actor
    return submit_one(Caller(actor=actor, point=point, read_with=formatter.config), parsed, dry_run=True)


def _outcome_context(answer: Result, formatter: ValueFormatter) -> dict[str, Any]:
    """The decision, from its outcome down to every entry of the change history."""
    outcome = answer.outcome
    return {
        "outcome": outcome.status.value,
        "outcome_sentence": _(OUTCOMES[outcome.status]),
        "customer": None
        if is_provisional(answer.profile.maestra_id)
        else customer_card(answer.profile, formatter),
        "merges": [
            {
                "absorbed": m.absorbed.maestra_id,
                "survivor": m.customer,
                "reason": why_same_person(m.decision.reason, _named(m.decision.matched, formatter)),
                "criterion": m.decision.criterion,
                "criterion_sentence": m.decision.criterion and criterion_sentence(m.decision.criterion),
                "priority": m.decision.priority,
            }
            for m in outcome.merges
        ],
        "conflicts": [_conflict(conflict, formatter) for conflict in outcome.conflicts],
        "moves": [_move(move, formatter) for move in outcome.moved],
        "apart": [_blocked_match(match, answer, formatter) for match in outcome.blocked_matches],
        "warnings": [warning_sentence(warning) for warning in outcome.warnings],
        "history": _history(answer, formatter),
    }


def _named(keys: Sequence[Any], formatter: ValueFormatter) -> str:
    return ", ".join(formatter.named(*key) for key in keys) or _("an identifier")


def _conflict(conflict: Conflict, formatter: ValueFormatter) -> dict[str, Any]:
    words = {
        "value": formatter.named(*conflict.key),
        "winner": customer_label(conflict.kept_by),
        "loser": customer_label(conflict.lost_by),
        "criterion": criterion_sentence(conflict.criterion),
    }
    text = _("%(value)s stays with %(winner)s and does not go to %(loser)s. What decides: %(criterion)s")
    return {"conflict": conflict, "winner": stored_id(conflict.kept_by), "sentence": text % words}


def _move(move: Move, formatter: ValueFormatter) -> dict[str, Any]:
    words = {
        "value": formatter.named(*move.key),
        "giver": customer_label(move.giver),
        "taker": customer_label(move.taker),
    }
    sentence = _("%(value)s goes from %(giver)s to %(taker)s.") % words
    return {"move": move, "sentence": sentence}


def _blocked_match(match: BlockedMatch, answer: Result, formatter: ValueFormatter) -> dict[str, Any]:
    """Two that match and cannot merge. The explanation page says more of two that are stored."""
    ids = (match.left, match.right)
    other = find_customers([match.right]).profiles
    return {
        "left": customer_label(match.left),
        "right": customer_label(match.right),
        "shared": _named(match.shared, formatter),
        "objections": objections(
            [asdict(veto) for veto in match.vetoes], (answer.profile, *other), formatter
        ),
        "address": None if any(map(is_provisional, ids)) else explain_address(*ids),
    }


def _history(answer: Result, formatter: ValueFormatter) -> list[dict[str, Any]]:
    """What the change history would say, as it will be stored and worded."""
    rows = [row for change in answer.outcome.changes for row in history_facts(change)]
    facts = json.loads(as_json([entry for _maestra_id, entry in rows]), parse_float=Decimal)
    said = sentences(formatter.masking.facts(facts), formatter.config.labels)
    return [
        {
            "kind": entry["kind"],
            "maestra_id": stored_id(maestra_id),
            "customer": customer_label(maestra_id),
            "sentence": sentence,
        }
        for (maestra_id, entry), sentence in zip(rows, said, strict=True)
    ]
