"""What the profile page shows of decisions: merges, pairs to review and pairs kept apart."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from customers.admin.customer_admin import CustomerAdmin
from customers.admin.profile_registry import (
    ProfileAction,
    ProfileTab,
    ShownProfile,
    register_action,
    register_tab,
)
from customers.models import Customer
from dedup.admin.addresses import (
    explain_address,
    merge_address,
    new_merge_address,
    review_address,
    undo_address,
)
from dedup.admin.merge_pages import MOST_AT_ONCE
from dedup.admin.permissions import MERGE, UNDO_MERGES, VIEW_MERGES, VIEW_PAIRS
from dedup.models import ApartPair, Merge, ReviewPair
from dedup.wording import veto_sentence

MOST = 50
"""Rows of each kind that the tab shows, the newest first."""


def context(shown: ShownProfile) -> dict[str, Any]:
    ids = shown.maestra_ids
    either = Q(low_id__in=ids) | Q(high_id__in=ids)
    mine = Q(survivor_id__in=ids) | Q(absorbed_ids__overlap=ids)
    merges = Merge.objects.filter(mine).defer("before_survivor", "before_absorbed", "result")
    apart = ApartPair.objects.filter(either, lifted_at=None).order_by("-at", "-pk")
    review = ReviewPair.objects.filter(either).order_by("-at", "-pk")
    return {
        "merges": [_merge(entry, shown) for entry in merges.order_by("-pk")[:MOST]],
        "apart": [_pair(pair, shown) for pair in apart[:MOST]],
        "review": [
            {
                **_pair(pair, shown),
                "why": [veto_sentence(veto["name"]) for veto in pair.vetoes],
                "address": review_address(pair.pk),
            }
            for pair in review[:MOST]
        ],
    }


def _merge(entry: Merge, shown: ShownProfile) -> dict[str, Any]:
    may_undo = shown.may(UNDO_MERGES) and not entry.undone_at
    return {
        "entry": entry,
        "address": merge_address(entry.pk),
        "undo": undo_address(entry.pk) if may_undo else None,
    }


def _pair(pair: Any, shown: ShownProfile) -> dict[str, Any]:
    """The pair, seen from this profile."""
    ours, other = pair.low_id, pair.high_id
    if ours not in shown.profile.maestra_ids:
        ours, other = other, ours
    return {"pair": pair, "other": other, "explain": explain_address(ours, other)}


@admin.action(description=_("Merge…"), permissions=["merge"])
def merge_chosen(
    _model_admin: CustomerAdmin, _request: HttpRequest, queryset: QuerySet[Customer]
) -> HttpResponse:
    """From the list of customers to the page that previews their merge."""
    chosen = queryset.order_by("pk").values_list("pk", flat=True)[:MOST_AT_ONCE]
    return HttpResponseRedirect(new_merge_address(chosen))


CustomerAdmin.add_action("merge", merge_chosen, MERGE)
register_tab(
    ProfileTab(
        slug="merges",
        title=_("Merges"),
        template="admin/dedup/tab_merges.html",
        context=context,
        order=75,
        permission=VIEW_MERGES,
    )
)
register_action(
    ProfileAction(
        title=_("Merge…"),
        icon="merge",
        address=lambda shown: new_merge_address([shown.maestra_id]),
        permission=MERGE,
        order=30,
    )
)
register_action(
    ProfileAction(
        title=_("Compare…"),
        icon="compare_arrows",
        address=lambda shown: explain_address(shown.maestra_id),
        permission=VIEW_PAIRS,
        order=40,
    )
)
