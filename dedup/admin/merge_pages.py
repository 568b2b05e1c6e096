"""Merging by hand: pick customers, choose which one the others are merged into, preview, confirm (R28).

Only what was previewed can be confirmed: the form carries the token of the preview, and digests of its rows,
so that after a stale preview the next one can mark what has changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from customers.admin.profile_registry import profile_address
from customers.changes import Merged
from customers.errors import ErrorCode, SelfsameError
from customers.models import Customer
from customers.profile import Profile
from customers.queries.search import CustomerSearch
from dedup.admin.addresses import merge_address, new_merge_address
from dedup.admin.comparison import Comparison
from dedup.admin.customer_cards import customer_card
from dedup.admin.customer_lookup import FoundCustomers, as_maestra_id, find_customers, maestra_key
from dedup.admin.framed_page import framed_page
from dedup.admin.objections import objections
from dedup.admin.permissions import MERGE, require_permission, staff_caller
from dedup.admin.remarks import side_by_side
from dedup.admin.value_formatter import ValueFormatter
from dedup.engine.merge import Ranking, rank
from dedup.engine.reasons import Reason
from dedup.operations.base import Result
from dedup.operations.merging import merge
from dedup.wording import criterion_sentence

BY_PRIORITY = "priority"
MOST_AT_ONCE = 10
MOST_FOUND = 8
SEEN_SALT = "dedup.admin.merging.seen"


@dataclass(frozen=True, slots=True)
class MergeRequest:
    """What the address or the form asks for: customers, the one that stays, and the pair under review."""

    customers: list[int]
    resulting: str
    review: int | None

    @classmethod
    def of(cls, data: Any) -> MergeRequest:
        named = (as_maestra_id(text) for text in data.getlist("customer"))
        return cls(
            [maestra_id for maestra_id in named if maestra_id][:MOST_AT_ONCE],
            data.get("resulting", BY_PRIORITY),
            as_maestra_id(data.get("review", "")),
        )


def new(request: HttpRequest, model_admin: ModelAdmin[Any]) -> HttpResponse:
    """All steps: GET picks and chooses, the first POST previews, the second merges."""
    require_permission(request, MERGE)
    asked = MergeRequest.of(request.POST if request.method == "POST" else request.GET)
    found = find_customers(asked.customers)
    if request.method != "POST" or len(found.profiles) < 2:
        return choose(request, model_admin, asked, found)
    resulting = _resulting(asked, found, rank(found.profiles))
    if request.POST.get("step") == "confirm":
        return confirm(request, model_admin, asked, found, resulting)
    return preview(request, model_admin, asked, found, resulting)


def _resulting(asked: MergeRequest, found: FoundCustomers, ranking: Ranking) -> int:
    """The customer chosen, else the one with priority."""
    chosen = as_maestra_id(asked.resulting)
    return next((p.maestra_id for p in found.profiles if chosen in p.maestra_ids), ranking.first)


# --- Pick and choose
# --------------------------------------------------------------------------------------------------------


def choose(
    request: HttpRequest, model_admin: ModelAdmin[Any], asked: MergeRequest, found: FoundCustomers
) -> TemplateResponse:
    formatter = ValueFormatter.of(request)
    term = request.GET.get("q", "").strip()
    ids = found.ids
    ranking = rank(found.profiles) if len(ids) > 1 else None
    results = _search(term, formatter, ids) if term else []
    remarks = list(found.remarks)
    if request.method == "POST":
        remarks.append(_("Choose at least two customers."))
    return framed_page(
        request,
        model_admin,
        "merge_choose.html",
        title=_("Merge customers"),
        remarks=remarks,
        picked=[(customer_card(p, formatter), _without(p, ids)) for p in found.profiles],
        ids=ids,
        term=term,
        results=[(card, new_merge_address([*ids, card.maestra_id])) for card in results],
        is_full=len(ids) >= MOST_AT_ONCE,
        ranking=ranking,
        reasons=_reasons(ranking),
        review=asked.review,
    )


def _without(profile: Profile, ids: Sequence[int]) -> str:
    return new_merge_address([maestra_id for maestra_id in ids if maestra_id != profile.maestra_id])


def _search(term: str, formatter: ValueFormatter, but: Sequence[int]) -> list[Any]:
    primary_ids = Customer.objects.filter(is_head=True, erased_at=None)
    ids = (
        CustomerSearch(term, formatter.config, formatter.masking)
        .among(primary_ids)
        .exclude(pk__in=but)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    return [customer_card(p, formatter) for p in find_customers(ids[:MOST_FOUND]).profiles]


def _reasons(ranking: Ranking | None) -> list[tuple[int, str, str]]:
    """Over whom the first customer has priority: by which criterion, and its sentence (R29)."""
    over = ranking.over.items() if ranking else ()
    return [(other, name, criterion_sentence(name)) for other, name in over]


# --- Preview
# --------------------------------------------------------------------------------------------------------


def preview(
    request: HttpRequest,
    model_admin: ModelAdmin[Any],
    asked: MergeRequest,
    found: FoundCustomers,
    resulting: int,
    *,
    seen: Mapping[str, str] | None = None,
) -> TemplateResponse:
    """What would happen, by the engine itself. With `seen`, an earlier preview went stale."""
    formatter = ValueFormatter.of(request)
    context: dict[str, Any] = {
        "title": _("Merge into customer %(id)s") % {"id": resulting},
        "ids": found.ids,
        "resulting": resulting,
        "back": new_merge_address(found.ids),
        "review": asked.review,
        "is_stale": seen is not None,
        "remarks": found.remarks,
    }
    try:
        result = _would_merge(request, found, resulting)
    except SelfsameError as error:
        context |= _blocked(error, found, formatter)
        return framed_page(request, model_admin, "merge_blocked.html", **context)
    context |= side_by_side(*sides(result), formatter)
    context |= confirmable(context["comparison"], result, seen)
    return framed_page(request, model_admin, "merge_preview.html", **context)


def _would_merge(request: HttpRequest, found: FoundCustomers, resulting: int) -> Result:
    caller, resulting_key = staff_caller(request), maestra_key(resulting)
    return merge(caller, _keys(found), resulting_key, dry_run=True, reason=Reason.ADMIN)


def _blocked(error: SelfsameError, found: FoundCustomers, formatter: ValueFormatter) -> dict[str, Any]:
    return {
        "error": error,
        "objections": objections(error.data.get("vetoes", ()), found.profiles, formatter),
        "cards": [customer_card(p, formatter) for p in found.profiles],
    }


def confirmable(comparison: Comparison, answer: Result, seen: Mapping[str, str] | None) -> dict[str, Any]:
    """The table, with what changed since `seen` marked, and what the form sends to confirm exactly this."""
    return {
        "comparison": comparison if seen is None else comparison.against(seen),
        "token": answer.preview_token,
        "seen": signing.dumps(comparison.digests, salt=SEEN_SALT, compress=True),
    }


def sides(answer: Result) -> tuple[list[Profile], list[Profile]]:
    """The profiles a merge begins with, the resulting customer first, and the one it ends with."""
    merges: Sequence[Merged] = answer.outcome.merges
    before = [merges[0].survivor] if merges else [answer.profile]
    return [*before, *(m.absorbed for m in merges)], [answer.profile]


def _keys(found: FoundCustomers) -> list[Any]:
    return [maestra_key(maestra_id) for maestra_id in found.ids]


# --- Confirm
# --------------------------------------------------------------------------------------------------------


def confirm(
    request: HttpRequest,
    model_admin: ModelAdmin[Any],
    asked: MergeRequest,
    found: FoundCustomers,
    resulting: int,
) -> HttpResponse:
    token = request.POST.get("token", "")
    try:
        answer = merge(
            staff_caller(request),
            _keys(found),
            maestra_key(resulting),
            preview_token=token,
            reason=Reason.ADMIN,
        )
    except SelfsameError as error:
        if error.code in (ErrorCode.STALE_PREVIEW, ErrorCode.MERGE_BLOCKED):
            return preview(request, model_admin, asked, found, resulting, seen=seen_before(request))
        messages.error(request, error.detail)
        return HttpResponseRedirect(new_merge_address(asked.customers))
    messages.success(request, _success(answer, found))
    return HttpResponseRedirect(_next_page(answer, asked))


def seen_before(request: HttpRequest) -> dict[str, str]:
    """What the page of the form showed."""
    try:
        digests: dict[str, str] = signing.loads(request.POST.get("seen", ""), salt=SEEN_SALT)
    except signing.BadSignature:
        return {}
    return digests


def _success(answer: Result, found: FoundCustomers) -> str:
    words = {"ids": ", ".join(map(str, found.ids)), "primary_id": answer.profile.maestra_id}
    text = _("Customers %(ids)s are now one profile: customer %(primary_id)s. You can undo the merge.")
    return text % words


def _next_page(answer: Result, asked: MergeRequest) -> str:
    """The merge with its Undo button; from the review queue the last one of several leads on."""
    if not answer.merge_ids:
        return profile_address(answer.profile.maestra_id)
    review = f"?review={asked.review}" if asked.review else ""
    return merge_address(answer.merge_ids[-1]) + review
