"""One merge: its page, and undoing it (R46)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from customers.admin.profile_registry import profile_address
from customers.changes import NoteAdded, Unmerged
from customers.errors import ErrorCode, SelfsameError
from customers.presentation.customer import note_text
from customers.profile import Note, Profile
from customers.transitions import apply
from dedup.admin.addresses import merge_address, undo_address
from dedup.admin.comparison import compare
from dedup.admin.customer_lookup import find_customers
from dedup.admin.framed_page import framed_page
from dedup.admin.merge_pages import confirmable, seen_before
from dedup.admin.permissions import (
    UNDO_MERGES,
    VIEW_MERGES,
    require_permission,
    require_read_method,
    staff_caller,
)
from dedup.admin.remarks import Remark, consent_remarks, side_by_side, sign_in_remarks
from dedup.admin.review_pages import next_address
from dedup.admin.value_formatter import ValueFormatter
from dedup.engine.outcome import Outcome
from dedup.models import Merge
from dedup.operations.base import Result
from dedup.operations.merging import undo
from dedup.storage.profile_json import from_json
from dedup.wording import criterion_sentence

OWN_VALUES = ("person", "consent", "segments")
"""The groups of single values. An undo gives them back unless they have changed since."""


def _merge(merge_id: int) -> Merge:
    entry = Merge.objects.select_related("operation", "undone_by_operation").filter(pk=merge_id).first()
    if entry is None:
        raise Http404
    return entry


def detail(request: HttpRequest, model_admin: ModelAdmin[Any], merge_id: int) -> TemplateResponse:
    """What was merged, why, and with which result."""
    require_permission(request, VIEW_MERGES)
    require_read_method(request)
    entry, formatter = _merge(merge_id), ValueFormatter.of(request)
    is_erased = not entry.result
    context = {} if is_erased else _before_and_after(entry, formatter)
    others = Merge.objects.filter(operation=entry.operation_id).exclude(pk=entry.pk).order_by("pk")
    return framed_page(
        request,
        model_admin,
        "merge_detail.html",
        title=_("Merge %(id)s") % {"id": entry.pk},
        entry=entry,
        is_erased=is_erased,
        matched=[formatter.named(value["type"], value["value"]) for value in entry.matched],
        criterion=entry.criterion and criterion_sentence(entry.criterion),
        others=others.values_list("pk", "absorbed_id"),
        survivor=profile_address(entry.survivor_id),
        undo=None if entry.undone_at or is_erased else undo_address(entry.pk),
        may_undo=request.user.has_perm(UNDO_MERGES),
        next=next_address(request.GET.get("review")),
        **context,
    )


def _before_and_after(entry: Merge, formatter: ValueFormatter) -> dict[str, Any]:
    before = [from_json(entry.before_survivor), from_json(entry.before_absorbed)]
    return side_by_side(before, [from_json(entry.result)], formatter)


def undo_merge(request: HttpRequest, model_admin: ModelAdmin[Any], merge_id: int) -> HttpResponse:
    """GET previews, POST undoes what was previewed."""
    require_permission(request, UNDO_MERGES)
    entry = _merge(merge_id)
    if request.method != "POST":
        return preview(request, model_admin, entry)
    try:
        undo(staff_caller(request), entry.pk, preview_token=request.POST.get("token", ""))
    except SelfsameError as error:
        is_stale = error.code is ErrorCode.STALE_PREVIEW
        return preview(request, model_admin, entry, seen=seen_before(request) if is_stale else None)
    words = {"one": entry.survivor_id, "other": entry.absorbed_id}
    text = _("Customers %(one)s and %(other)s are separate again, and are kept apart from now on.")
    messages.success(request, text % words)
    return HttpResponseRedirect(merge_address(entry.pk))


def preview(
    request: HttpRequest,
    model_admin: ModelAdmin[Any],
    entry: Merge,
    *,
    seen: Mapping[str, str] | None = None,
) -> TemplateResponse:
    """What comes back to whom and what stays, as the engine decides it."""
    words = {"one": entry.survivor_id, "other": entry.absorbed_id}
    context: dict[str, Any] = {
        "title": _("Undo the merge of %(other)s into %(one)s") % words,
        "entry": entry,
        "back": merge_address(entry.pk),
        "is_stale": seen is not None,
    }
    formatter = ValueFormatter.of(request)
    current = find_customers([entry.survivor_id]).profiles
    try:
        answer = undo(staff_caller(request), entry.pk, dry_run=True)
    except SelfsameError as error:
        later = [(pk, undo_address(pk)) for pk in error.data.get("merge_ids", ())]
        context |= {"error": error, "later": later, "survivor": profile_address(entry.survivor_id)}
        return framed_page(request, model_admin, "undo_refused.html", **context)
    context |= _foreseen(entry, current, answer, formatter)
    context |= confirmable(context["comparison"], answer, seen)
    return framed_page(request, model_admin, "undo.html", **context)


def _foreseen(
    entry: Merge, current: Sequence[Profile], answer: Result, formatter: ValueFormatter
) -> dict[str, Any]:
    after = _after(current, answer.outcome)
    return {
        "comparison": compare(current, after, formatter),
        "access": list(sign_in_remarks(after, formatter)),
        "consent": consent_remarks(current, after),
        "losses": [*_not_returned(answer.outcome, formatter), *_newer(entry, after[0], formatter)],
    }


def _after(current: Sequence[Profile], outcome: Outcome) -> list[Profile]:
    """Both customers, the survivor first, once all changes are applied."""
    profiles = {p.maestra_id: p for p in current}
    for change in outcome.changes:
        apply(profiles, change)
    (unmerged,) = (c for c in outcome.changes if isinstance(c, Unmerged))
    return [profiles[unmerged.customer], profiles[unmerged.restored.maestra_id]]


def _not_returned(outcome: Outcome, formatter: ValueFormatter) -> Iterator[Remark]:
    """What was cleared, lost or given to others since the merge, and so does not come back."""
    for change in outcome.changes:
        if isinstance(change, NoteAdded):
            text = note_text(_masked(change.note, formatter), formatter.config.labels)
            yield Remark("warning", "not_returned", text, change.note.maestra_id)


def _masked(note: Note, formatter: ValueFormatter) -> Note:
    return Note(note.at, note.maestra_id, note.reason, note.kind, formatter.value(note.kind, note.value))


def _newer(entry: Merge, survivor: Profile, formatter: ValueFormatter) -> Iterator[Remark]:
    """Values that changed since the merge, and so stay as they are."""
    comparison = compare([from_json(entry.before_survivor)], [survivor], formatter)
    for row in comparison.rows:
        if row.group in OWN_VALUES and _texts(row.before) != _texts(row.after):
            value = ", ".join(_texts(row.after)) or "–"
            words = {"field": row.label, "id": survivor.maestra_id, "value": value}
            text = _(
                "%(field)s has changed since the merge. Customer %(id)s keeps the present value: %(value)s."
            )
            yield Remark("info", "changed_since", text % words, survivor.maestra_id, row.key)


def _texts(cells: Sequence[Any]) -> list[str]:
    return [line.text for cell in cells for line in cell.lines]
