"""The review queue: pairs that share a value and cannot merge (R22), one after the other."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from customers.errors import SelfsameError
from dedup.admin.addresses import new_merge_address, review_address
from dedup.admin.customer_lookup import as_maestra_id, find_customers
from dedup.admin.explain_pair import pair_context
from dedup.admin.framed_page import framed_page
from dedup.admin.permissions import (
    KEEP_APART,
    MERGE,
    REVIEW_PAIRS,
    VIEW_PAIRS,
    require_permission,
    require_read_method,
    staff_caller,
)
from dedup.admin.value_formatter import ValueFormatter
from dedup.models import ReviewPair, ReviewStatuses
from dedup.operations.apart import keep_apart


def _pair(pair_id: int) -> ReviewPair:
    pair = ReviewPair.objects.filter(pk=pair_id).first()
    if pair is None:
        raise Http404
    return pair


def next_open(pair: ReviewPair) -> ReviewPair | None:
    """The next pair in the queue, or the first one after the last."""
    others = ReviewPair.objects.filter(status=ReviewStatuses.OPEN).exclude(pk=pair.pk).order_by("-at", "-pk")
    below = others.filter(Q(at__lt=pair.at) | Q(at=pair.at, pk__lt=pair.pk))
    return below.first() or others.first()


def next_address(pair_id: str | None) -> str | None:
    """Of the pair after this one in the queue; None for an unknown pair or an empty queue."""
    number = as_maestra_id(pair_id or "")
    pair = ReviewPair.objects.filter(pk=number).first() if number else None
    following = next_open(pair) if pair else None
    return review_address(following.pk) if following else None


def show(request: HttpRequest, model_admin: ModelAdmin[Any], pair_id: int) -> HttpResponse:
    """The pair explained, with what can be decided."""
    require_permission(request, VIEW_PAIRS)
    require_read_method(request)
    pair, formatter = _pair(pair_id), ValueFormatter.of(request)
    found = find_customers([pair.low_id, pair.high_id])
    following = next_open(pair)
    may = request.user.has_perm
    ids = found.ids
    context = pair_context(request, ids, formatter) if len(ids) == 2 else {}
    words = {"low": pair.low_id, "high": pair.high_id}
    return framed_page(
        request,
        model_admin,
        "review.html",
        title=_("Are customers %(low)s and %(high)s the same person?") % words,
        pair=pair,
        is_one=any({pair.low_id, pair.high_id} <= p.maestra_ids for p in found.profiles),
        remarks=found.remarks,
        shared_values=[formatter.named(value["type"], value["value"]) for value in pair.shared],
        next=review_address(following.pk) if following else None,
        merge=new_merge_address(ids, review=pair.pk) if len(ids) == 2 and may(MERGE) else None,
        may_decide=may(REVIEW_PAIRS),
        decide=reverse("admin:dedup_reviewpair_decide", args=[pair.pk]),
        **context,
    )


def decide(request: HttpRequest, _model_admin: ModelAdmin[Any], pair_id: int) -> HttpResponse:
    """Never merge them, or mark them as reviewed; then the next pair."""
    require_permission(request, REVIEW_PAIRS)
    pair = _pair(pair_id)
    if request.method != "POST":
        return HttpResponseRedirect(review_address(pair.pk))
    if request.POST.get("decision") == "apart":
        require_permission(request, KEEP_APART)
        try:
            keep_apart(staff_caller(request), pair.low_id, pair.high_id)
        except SelfsameError as error:
            messages.error(request, error.detail)
            return HttpResponseRedirect(review_address(pair.pk))
        text = _("Customers %(low)s and %(high)s will never be merged. “Kept apart” in the menu undoes that.")
    else:
        text = _("Customers %(low)s and %(high)s are marked as reviewed.")
    ReviewPair.objects.filter(pk=pair.pk).update(status=ReviewStatuses.SEEN)
    messages.success(request, text % {"low": pair.low_id, "high": pair.high_id})
    return HttpResponseRedirect(next_address(str(pair.pk)) or reverse("admin:dedup_reviewpair_changelist"))
