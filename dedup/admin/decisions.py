from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter

from customers.admin.base import Recorded, ask, customer_link, do_each
from customers.admin.words import criterion, lines, values
from customers.points import STAFF
from dedup.engine.vetoes import VETOES
from dedup.models import ApartPair, Merge, ReviewPair, ReviewStatuses
from dedup.operations import Caller, keep_apart, lift_apart, undo

VETO_SENTENCES = {veto.__name__: " ".join((veto.__doc__ or "").split()) for veto in VETOES}


def sides(veto: Mapping[str, Any]) -> str:
    """The values in conflict, those of the one against those of the other."""
    return f"({', '.join(veto['left'])} / {', '.join(veto['right'])})"


def staff(request: HttpRequest) -> Caller:
    """The member of staff behind a request, who acts through no integration point."""
    return Caller(actor=f"user:{request.user.get_username()}", point=STAFF, user_id=request.user.pk)


@admin.register(Merge)
class MergeAdmin(Recorded):
    list_display = ("id", "at", "survivor", "absorbed", "reason", "decided", "undone_at")
    list_filter = ("reason", ("at", RangeDateTimeFilter))
    search_fields = ("survivor_id", "absorbed_id")
    search_help_text = _("A MaestraID.")
    actions = ("undo",)
    # The images hold everything undo needs, payment card hashes too: they are not for the eye.
    fields = (
        ("survivor", "absorbed"),
        "absorbed_ids",
        ("at", "operation"),
        "reason",
        "shared",
        ("decided", "priority"),
        ("undone_at", "undone_by_operation"),
    )
    readonly_fields = ("survivor", "absorbed", "shared", "decided", "priority")

    def has_undo_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("dedup.change_merge")

    @admin.action(description=_("Undo"), permissions=["undo"])
    def undo(self, request: HttpRequest, queryset: QuerySet[Merge]) -> HttpResponse | None:
        # The latest first: an earlier merge can only be undone after the later ones.
        merges = queryset.order_by("-pk")
        words = {
            "title": _("Undo merges"),
            "warning": _(
                "Both customers come back as they were, with what changed since, and stay apart from then on."
            ),
            "button": _("Yes, undo"),
        }
        if question := ask(request, self, merges, "undo", **words):
            return question
        do_each(self, request, merges, lambda merge: undo(staff(request), merge.pk), _("undone."))
        return None

    @admin.display(description=_("values that matched"))
    def shared(self, merge: Merge) -> str | None:
        return values(merge.matched)

    @admin.display(description=_("why it had priority"))
    def decided(self, merge: Merge) -> str | None:
        return criterion(merge.criterion)

    @admin.display(description=_("customer with priority"))
    def priority(self, merge: Merge) -> SafeString | None:
        return customer_link(merge.priority_id)

    @admin.display(description=_("resulting customer"))
    def survivor(self, merge: Merge) -> SafeString | None:
        return customer_link(merge.survivor_id)

    @admin.display(description=_("merged customer"))
    def absorbed(self, merge: Merge) -> SafeString | None:
        return customer_link(merge.absorbed_id)


class PairAdmin(Recorded):
    search_fields = ("low_id", "high_id")
    search_help_text = _("A MaestraID.")
    readonly_fields: tuple[str, ...] = ("low", "high")

    @admin.display(description=_("one"))
    def low(self, pair: ApartPair | ReviewPair) -> SafeString | None:
        return customer_link(pair.low_id)

    @admin.display(description=_("other"))
    def high(self, pair: ApartPair | ReviewPair) -> SafeString | None:
        return customer_link(pair.high_id)


@admin.register(ApartPair)
class ApartPairAdmin(PairAdmin):
    list_display = ("__str__", "low", "high", "why", "at", "lifted_at")
    fields = (("low", "high"), "why", ("at", "lifted_at"))
    actions = ("lift",)

    def has_lift_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("dedup.change_apartpair")

    @admin.action(description=_("Let them merge again"), permissions=["lift"])
    def lift(self, request: HttpRequest, queryset: QuerySet[ApartPair]) -> HttpResponse | None:
        pairs = queryset.filter(lifted_at=None)
        words = {
            "title": _("Let pairs merge again"),
            "warning": _("The next record that matches both of a pair may make them one customer."),
            "button": _("Yes, let them merge"),
        }
        if question := ask(request, self, pairs, "lift", **words):
            return question
        work = lambda pair: lift_apart(staff(request), pair.low_id, pair.high_id)  # noqa: E731
        do_each(self, request, pairs, work, _("no longer held apart."))
        return None


@admin.register(ReviewPair)
class ReviewPairAdmin(PairAdmin):
    list_display = ("__str__", "low", "high", "why", "at", "status")
    list_filter = ("status",)
    fields = (("low", "high"), "in_common", "against", ("at", "status"))
    readonly_fields = ("low", "high", "in_common", "against")
    actions = ("mark_seen", "hold_apart")

    def has_review_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("dedup.change_reviewpair")

    @admin.display(description=_("why they stay apart"))
    def why(self, pair: ReviewPair) -> SafeString | None:
        return lines(VETO_SENTENCES[veto["name"]] for veto in pair.vetoes)

    @admin.display(description=_("shared values"))
    def in_common(self, pair: ReviewPair) -> str | None:
        return values(pair.shared)

    @admin.display(description=_("why they stay apart"))
    def against(self, pair: ReviewPair) -> SafeString | None:
        return lines(f"{VETO_SENTENCES[veto['name']]} {sides(veto)}" for veto in pair.vetoes)

    @admin.action(description=_("Mark as reviewed"), permissions=["review"])
    def mark_seen(self, request: HttpRequest, queryset: QuerySet[ReviewPair]) -> None:
        queryset.update(status=ReviewStatuses.SEEN)
        self.message_user(request, _("Marked as reviewed."), messages.SUCCESS)

    @admin.action(description=_("Never merge these"), permissions=["review"])
    def hold_apart(self, request: HttpRequest, queryset: QuerySet[ReviewPair]) -> HttpResponse | None:
        words = {
            "title": _("Hold apart"),
            "warning": _("These customers are never merged, whatever they share, until somebody lifts it."),
            "button": _("Yes, hold apart"),
        }
        if question := ask(request, self, queryset, "hold_apart", **words):
            return question
        work = lambda pair: keep_apart(staff(request), pair.low_id, pair.high_id)  # noqa: E731
        do_each(self, request, queryset, work, _("held apart."))
        queryset.update(status=ReviewStatuses.SEEN)
        return None
