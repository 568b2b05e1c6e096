"""Why two customers are one or are not, and what a record would do: asked and answered without a trace."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from customers.errors import SelfsameError, invalid
from customers.history.reading import worded
from customers.history.sentences import REASONS
from customers.models import IntegrationPoint
from customers.queries.search import holders
from customers.setup.integration_points import Point, point_of
from customers.storage.history_facts import history_facts
from customers.storage.sql import as_json
from dedup.admin.comparing import Reader, shown
from dedup.admin.pages import (
    card,
    demand,
    explain_address,
    find,
    maestra_key,
    new_merge_address,
    page,
    record_address,
    staff,
    who,
)
from dedup.admin.vetoing import objections
from dedup.engine.explain import Explanation, Match, Standing, Step
from dedup.engine.outcome import BlockedMatch, Conflict, Move, OutcomeStatus
from dedup.engine.record import Operation
from dedup.operations.apart import keep_apart, lift_apart
from dedup.operations.base import Caller, Result
from dedup.operations.explaining import became_one, explain
from dedup.operations.records import submit_one
from dedup.parsing import FIELDS, Parser
from dedup.storage.loading import IMAGINARY
from dedup.wording import criterion_sentence, remedy

VIEW = "dedup.view_reviewpair"
HOLD_APART, LIFT = "dedup.add_apartpair", "dedup.change_apartpair"
MERGE = "dedup.add_merge"

STANDINGS = {
    Standing.HELD: gettext_noop("holds it"),
    Standing.CLAIMED: gettext_noop("named it, but does not hold it"),
    Standing.LOST: gettext_noop("named it and lost it"),
}


# --- Two customers
# --------------------------------------------------------------------------------------------------------


def two(request: HttpRequest, model_admin: ModelAdmin[Any]) -> HttpResponse:
    """Two customers by whatever identifies them; POST holds them apart or lets them together again."""
    demand(request, VIEW)
    if request.method == "POST":
        return _mark(request)
    reader = Reader.of(request)
    sides = [_asked(request.GET.get(name, "").strip(), reader) for name in ("left", "right")]
    ids = [side.ids[0] for side in sides if len(side.ids) == 1]
    context = pair_context(request, ids, reader) if len(ids) == 2 else {}
    return page(
        request,
        model_admin,
        "explain.html",
        title=_("Why are two customers one, or two?"),
        left=sides[0],
        right=sides[1],
        record_address=record_address(),
        **context,
    )


@dataclass(frozen=True, slots=True)
class Side:
    """What was typed for one of the two, and whom it leads to."""

    text: str
    ids: tuple[int, ...]
    fault: str


def _asked(text: str, reader: Reader) -> Side:
    if not text:
        return Side("", (), "")
    ids = tuple(sorted(holders(text, reader.known)))
    if not ids:
        return Side(text, ids, _("Nobody is found by this. Check it, or take the MaestraID."))
    fault = _("Several customers are found by this. Choose one by its MaestraID.") if len(ids) > 1 else ""
    return Side(text, ids, fault)


def _mark(request: HttpRequest) -> HttpResponse:
    left, right = (request.POST.get(name, "") for name in ("left", "right"))
    back = HttpResponseRedirect(explain_address(left, right))
    pair = find([int(text) for text in (left, right) if text.isdecimal()]).profiles
    if len(pair) != 2:
        return back
    ids = [p.maestra_id for p in pair]
    lifts = request.POST.get("decision") == "lift"
    demand(request, LIFT if lifts else HOLD_APART)
    try:
        (lift_apart if lifts else keep_apart)(staff(request), *ids)
    except SelfsameError as error:
        messages.error(request, error.detail)
    else:
        said = (
            _("They may be merged again.")
            if lifts
            else _("They are never merged, until somebody lifts that.")
        )
        messages.success(request, said)
    return back


def pair_context(request: HttpRequest, ids: Sequence[int], reader: Reader) -> dict[str, Any]:
    """The explanation of two primary MaestraIDs, for the eye."""
    try:
        e = explain(staff(request), *map(maestra_key, ids))
    except SelfsameError as error:
        return {"refusal": error.detail}
    may = request.user.has_perm
    against = objections([asdict(veto) for veto in e.vetoes], (e.left, e.right), reader)
    is_apart = any(veto.name == "apart" for veto in e.vetoes)
    return {
        "explanation": e,
        "cards": [card(e.left, reader), card(e.right, reader)],
        "verdict": _verdict(e),
        "became_one": became_one(e, reader.known.labels, reader.masking),
        "matches": [_match(match, reader) for match in e.matches],
        "objections": against,
        "steps": [_step(step, e) for step in e.steps],
        "contact": e.contact and reader.named(*e.contact),
        "remedies": [remedy(one) for one in e.remedies],
        "merge_address": new_merge_address(ids) if may(MERGE) and not e.same else None,
        "mark_address": explain_address(),
        "may_hold_apart": may(HOLD_APART) and not e.same and not is_apart,
        "may_lift": may(LIFT) and is_apart,
    }


def _verdict(e: Explanation) -> str:
    """The answer in one sentence."""
    words = {"left": e.left.maestra_id, "right": e.right.maestra_id}
    if e.same:
        return _("They are one customer: %(left)s.") % words
    if not e.vetoes and (e.matches or e.shares_payment_card):
        text = _("They share something, and nothing speaks against it: the next record may make them one.")
    elif not e.vetoes:
        text = _("They have nothing in common that would make them one. A person may merge them.")
    elif e.by_hand:
        text = _("They stay two by themselves, because they contradict each other. A person may merge them.")
    else:
        text = _("They are two, and nobody can merge them before something changes.")
    return text % words


def _match(match: Match, reader: Reader) -> dict[str, str]:
    return {
        "value": reader.named(*match.key),
        "left": _(STANDINGS[match.left]),
        "right": _(STANDINGS[match.right]),
    }


def _step(step: Step, e: Explanation) -> dict[str, Any]:
    left, right = (_weighed(value) for value in (step.left, step.right))
    return {
        "sentence": criterion_sentence(step.criterion),
        "left": left,
        "right": right,
        "decides": step.decides,
        "wins": ("left" if e.priority == e.left.maestra_id else "right") if step.decides else "",
    }


def _weighed(value: Any) -> str:
    """What a criterion compares, for the eye: yes or no, a time, a MaestraID."""
    match value:
        case (bool() as acted, datetime() as at):
            return shown(at) if acted else _("never; registered %(at)s") % {"at": shown(at)}
        case (bool(), int() as negative):
            return str(-negative)
        case _:
            return _("yes") if value else _("no")


# --- A record
# --------------------------------------------------------------------------------------------------------

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
STATUSES = {
    OutcomeStatus.CREATED: gettext_noop("A new customer would be made."),
    OutcomeStatus.JOINED: gettext_noop("The record would join a customer who is there already."),
    OutcomeStatus.CHANGED: gettext_noop("A customer who is there already would be changed."),
    OutcomeStatus.UNCHANGED: gettext_noop("Nothing would change."),
}


class RecordForm(forms.Form):
    """A record as the API takes it, and the door it comes through."""

    operation = forms.ChoiceField(
        label=gettext_lazy("Operation"),
        choices=[(operation.value, label) for operation, label in OPERATIONS.items() if operation in FIELDS],
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
        help_text=gettext_lazy("JSON, as the API takes it."),
    )

    def clean_record(self) -> Any:
        try:
            return json.loads(self.cleaned_data["record"], parse_float=Decimal)
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError(_("This is no JSON: %(fault)s.") % {"fault": error}) from None


def record(request: HttpRequest, model_admin: ModelAdmin[Any]) -> HttpResponse:
    """What a record would do. Nothing is stored."""
    demand(request, VIEW)
    form = RecordForm(request.POST if request.method == "POST" else None)
    told: dict[str, Any] = {}
    if form.is_bound and form.is_valid():
        told = _tried(request, form.cleaned_data)
    return page(
        request,
        model_admin,
        "explain_record.html",
        title=_("What would a record do?"),
        form=form,
        explain_address=explain_address(),
        **told,
    )


def _tried(request: HttpRequest, asked: dict[str, Any]) -> dict[str, Any]:
    reader, point = Reader.of(request), point_of(asked["point"])
    try:
        answer = _decided(request, point, Operation(asked["operation"]), asked["record"], reader)
    except SelfsameError as error:
        found = find(error.data.get("maestra_ids", ())).profiles
        return {"error": error, "involved": [card(p, reader) for p in found]}
    return _told(answer, reader)


def _decided(request: HttpRequest, point: Point, operation: Operation, data: Any, reader: Reader) -> Result:
    now = timezone.now()
    if not isinstance(data, dict):
        raise invalid(("record", _("A record is a JSON object.")))
    parsed = Parser(point, reader.known, now).record(operation, data)
    actor = staff(request).actor
    return submit_one(Caller(actor=actor, point=point, setup=reader.known), parsed, dry_run=True)


def _told(answer: Result, reader: Reader) -> dict[str, Any]:
    """The decision, from what happens to whom down to every entry of the history."""
    outcome = answer.outcome
    return {
        "outcome": _(STATUSES[outcome.status]),
        "customer": None if answer.profile.maestra_id >= IMAGINARY else card(answer.profile, reader),
        "merges": [
            {
                "absorbed": m.absorbed.maestra_id,
                "survivor": m.customer,
                "reason": _(REASONS[m.decision.reason]) % {"matched": _named(m.decision.matched, reader)},
                "criterion": m.decision.criterion and criterion_sentence(m.decision.criterion),
                "priority": m.decision.priority,
            }
            for m in outcome.merges
        ],
        "conflicts": [_conflict(conflict, reader) for conflict in outcome.conflicts],
        "moves": [_move(move, reader) for move in outcome.moved],
        "apart": [_kept(kept, answer, reader) for kept in outcome.blocked_matches],
        "warnings": outcome.warnings,
        "history": _history(answer, reader),
    }


def _named(keys: Sequence[Any], reader: Reader) -> str:
    return ", ".join(reader.named(*key) for key in keys) or _("an identifier")


def _conflict(conflict: Conflict, reader: Reader) -> str:
    words = {
        "value": reader.named(*conflict.key),
        "winner": who(conflict.kept_by),
        "loser": who(conflict.lost_by),
        "criterion": criterion_sentence(conflict.criterion),
    }
    text = _("%(value)s stays with %(winner)s, not with %(loser)s. What decides: %(criterion)s")
    return text % words


def _move(move: Move, reader: Reader) -> str:
    words = {"value": reader.named(*move.key), "giver": who(move.giver), "taker": who(move.taker)}
    return _("%(value)s goes from %(giver)s to %(taker)s.") % words


def _kept(kept: BlockedMatch, answer: Result, reader: Reader) -> dict[str, Any]:
    """Two that match and stay apart. The explanation page tells more of two that are stored."""
    ids = (kept.left, kept.right)
    other = find([kept.right]).profiles
    return {
        "who": " – ".join(who(one) for one in ids),
        "shared": _named(kept.shared, reader),
        "objections": objections([asdict(veto) for veto in kept.vetoes], (answer.profile, *other), reader),
        "address": None if max(ids) >= IMAGINARY else explain_address(*ids),
    }


def _history(answer: Result, reader: Reader) -> list[tuple[str, str]]:
    """What the change history would say, as it will be stored and worded."""
    told = [(who, entry) for change in answer.outcome.changes for who, entry in history_facts(change)]
    facts = json.loads(as_json([entry for _who_, entry in told]), parse_float=Decimal)
    sentences = worded(reader.masking.facts(facts), reader.known.labels)
    whose = [maestra_id for maestra_id, _entry in told]
    provisional = {maestra_id for maestra_id in whose if maestra_id >= IMAGINARY}
    said = zip(whose, sentences, strict=True)
    return [(who(maestra_id), _without(sentence, provisional)) for maestra_id, sentence in said]


def _without(sentence: str, provisional: set[int]) -> str:
    """MaestraIDs that nobody has yet are not told."""
    for one in provisional:
        sentence = sentence.replace(str(one), _("(new)"))
    return sentence
