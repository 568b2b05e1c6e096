"""Why two customers are one or are not: explained without storing anything, and decided from there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from customers.errors import SelfsameError
from customers.queries.search import MOST_NAMED, CustomerSearch
from dedup.admin.addresses import explain_address, explain_record_address, new_merge_address
from dedup.admin.customer_cards import customer_card
from dedup.admin.customer_lookup import find_customers, maestra_key
from dedup.admin.framed_page import framed_page
from dedup.admin.objections import objections
from dedup.admin.permissions import (
    KEEP_APART,
    LIFT_APART,
    MERGE,
    VIEW_PAIRS,
    require_permission,
    staff_caller,
)
from dedup.admin.value_formatter import ValueFormatter, text_of
from dedup.engine.explain import Explanation, Match, Standing, Step
from dedup.operations.apart import keep_apart, lift_apart
from dedup.operations.explaining import became_one, explain
from dedup.wording import criterion_sentence, staff_remedy

STANDINGS = {
    Standing.HELD: gettext_noop("holds it"),
    Standing.CLAIMED: gettext_noop("gave it, but does not hold it"),
    Standing.LOST: gettext_noop("gave it, but did not keep it"),
}


def explain_pair(request: HttpRequest, model_admin: ModelAdmin[Any]) -> HttpResponse:
    """Two customers by whatever identifies them; POST keeps them apart or allows a merge again."""
    require_permission(request, VIEW_PAIRS)
    if request.method == "POST":
        return _mark(request)
    formatter = ValueFormatter.of(request)
    sides = [_named_side(request.GET.get(name, "").strip(), formatter) for name in ("left", "right")]
    ids = [side.ids[0] for side in sides if len(side.ids) == 1]
    context = pair_context(request, ids, formatter) if len(ids) == 2 else {}
    return framed_page(
        request,
        model_admin,
        "explain.html",
        title=_("Compare two customers"),
        left=sides[0],
        right=sides[1],
        record_address=explain_record_address(),
        **context,
    )


@dataclass(frozen=True, slots=True)
class NamedCustomer:
    """What was typed for one of the two, and whom it leads to."""

    text: str
    ids: tuple[int, ...]
    fault: str


def _named_side(text: str, formatter: ValueFormatter) -> NamedCustomer:
    if not text:
        return NamedCustomer("", (), "")
    search = CustomerSearch(text, formatter.config, formatter.masking)
    ids = tuple(search.named_ids(MOST_NAMED + 1))
    if not ids:
        return NamedCustomer(text, ids, _("No customer found. Check the value, or use the MaestraID."))
    if len(ids) > MOST_NAMED:
        fault = _("Very many customers found. Type more, or choose one:")
        return NamedCustomer(text, ids[:MOST_NAMED], fault)
    fault = _("Several customers found. Choose one:") if len(ids) > 1 else ""
    return NamedCustomer(text, ids, fault)


def _mark(request: HttpRequest) -> HttpResponse:
    left, right = (request.POST.get(name, "") for name in ("left", "right"))
    back = HttpResponseRedirect(explain_address(left, right))
    pair = find_customers([int(text) for text in (left, right) if text.isdecimal()]).profiles
    if len(pair) != 2:
        return back
    ids = [p.maestra_id for p in pair]
    lifts = request.POST.get("decision") == "lift"
    require_permission(request, LIFT_APART if lifts else KEEP_APART)
    try:
        (lift_apart if lifts else keep_apart)(staff_caller(request), *ids)
    except SelfsameError as error:
        messages.error(request, error.detail)
    else:
        text = _("They may be merged again.") if lifts else _("These two will never be merged.")
        messages.success(request, text)
    return back


def pair_context(request: HttpRequest, ids: Sequence[int], formatter: ValueFormatter) -> dict[str, Any]:
    """The explanation of two primary MaestraIDs, as their page shows it."""
    try:
        e = explain(staff_caller(request), *map(maestra_key, ids))
    except SelfsameError as error:
        return {"refusal": error.detail}
    may, verdict = request.user.has_perm, verdict_of(e)
    against = objections([asdict(veto) for veto in e.vetoes], (e.left, e.right), formatter)
    is_apart = any(veto.name == "apart" for veto in e.vetoes)
    return {
        "explanation": e,
        "cards": [customer_card(e.left, formatter), customer_card(e.right, formatter)],
        "verdict": verdict,
        "verdict_sentence": _(VERDICTS[verdict]),
        "became_one": became_one(e, formatter.config.labels, formatter.masking),
        "matches": [_match(match, formatter) for match in e.matches],
        "objections": against,
        "steps": [_step(step, e) for step in e.steps],
        "contact": e.contact and formatter.named(*e.contact),
        "remedies": [(remedy.value, staff_remedy(remedy)) for remedy in e.remedies],
        "merge_address": new_merge_address(ids) if may(MERGE) and not e.same else None,
        "mark_address": explain_address(),
        "may_keep_apart": may(KEEP_APART) and not e.same and not is_apart,
        "may_lift": may(LIFT_APART) and is_apart,
    }


class Verdict(StrEnum):
    """The explanation in one word."""

    ONE = "one"
    MAY_MERGE = "may_merge"
    NOTHING_SHARED = "nothing_shared"
    ONLY_BY_HAND = "only_by_hand"
    BLOCKED = "blocked"


VERDICTS = {
    Verdict.ONE: gettext_noop("They are one customer already."),
    Verdict.MAY_MERGE: gettext_noop(
        "They share an identifier and nothing prevents a merge: the next record may merge them."
    ),
    Verdict.NOTHING_SHARED: gettext_noop(
        "They share nothing that would merge them automatically. You can merge them by hand."
    ),
    Verdict.ONLY_BY_HAND: gettext_noop(
        "They are not merged automatically, because their data contradict each other. You can merge them by "
        "hand."
    ),
    Verdict.BLOCKED: gettext_noop("They cannot be merged, not even by hand, unless something changes."),
}


def verdict_of(e: Explanation) -> Verdict:
    if e.same:
        return Verdict.ONE
    if e.vetoes:
        return Verdict.ONLY_BY_HAND if e.by_hand else Verdict.BLOCKED
    return Verdict.MAY_MERGE if e.matches or e.shares_payment_card else Verdict.NOTHING_SHARED


def _match(match: Match, formatter: ValueFormatter) -> dict[str, Any]:
    return {
        "match": match,
        "value": formatter.named(*match.key),
        "left": _(STANDINGS[match.left]),
        "right": _(STANDINGS[match.right]),
    }


def _step(step: Step, e: Explanation) -> dict[str, Any]:
    left, right = _weighed_both(step.left, step.right)
    return {
        "criterion": step.criterion,
        "sentence": criterion_sentence(step.criterion),
        "left": left,
        "right": right,
        "decides": step.decides,
        "wins": ("left" if e.priority == e.left.maestra_id else "right") if step.decides else "",
    }


def _weighed_both(left: Any, right: Any) -> tuple[str, str]:
    """What a criterion compares, with times as exact as it takes to see the difference."""
    shown = "", ""
    for shown_time in (text_of, partial(_exact, "%H:%M:%S"), partial(_exact, "%H:%M:%S.%f")):
        shown = _weighed(left, shown_time), _weighed(right, shown_time)
        if shown[0] != shown[1] or left == right:
            break
    return shown


def _exact(time_format: str, at: datetime) -> str:
    local = timezone.localtime(at)
    return f"{text_of(local.date())}, {local.strftime(time_format)}"


def _weighed(value: Any, shown_time: Callable[[datetime], str]) -> str:
    """What a criterion compares: yes or no, a time, a MaestraID."""
    match value:
        case (bool() as acted, datetime() as at):
            return shown_time(at) if acted else _("never; registered %(at)s") % {"at": shown_time(at)}
        case (bool(), int() as negative):
            return str(-negative)
        case _:
            return _("yes") if value else _("no")
