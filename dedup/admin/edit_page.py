"""Editing a customer by hand: the operation of the API's edit, with its rules and errors (R18, R42–R44).

What a member of staff sends is first tried without storing it. Where more would happen than was entered
(customers merge, a contact goes to another customer, something is cleared, account access changes), the page
says so in the words of the history and asks. If the customer changes in the meantime, it asks again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.admin.profile import FIRST_TAB, page_with
from customers.admin.profile_registry import (
    ProfileAction,
    ProfilePage,
    ShownProfile,
    page_address,
    profile_address,
    register_action,
    register_page,
)
from customers.changes import Released, Unclaimed
from customers.errors import SelfsameError
from customers.history.reading import sentences
from customers.history_kinds import history_facts
from customers.profile import Key, Profile
from dedup.admin.edit_form import Body, EditForm, body_of
from dedup.admin.permissions import staff_caller
from dedup.engine.outcome import Outcome
from dedup.engine.record import Operation, Record
from dedup.operations.base import Caller, Result
from dedup.operations.records import submit_one
from dedup.parsing.records import parse_record
from dedup.wording import warning_sentence

PERMISSION = "customers.edit_customer"


def edit(shown: ShownProfile) -> HttpResponse:
    posted = shown.request.method == "POST"
    form = EditForm(shown, shown.request.POST if posted else None)
    if not posted or not form.is_valid():
        return _page(shown, form)
    body = body_of(form)
    if not body:
        messages.info(shown.request, _("There was nothing to save."))
        return HttpResponseRedirect(shown.address(FIRST_TAB))
    try:
        return _ask_or_save(shown, body)
    except SelfsameError as error:
        form.refused(error)
        return _page(shown, form)


def _ask_or_save(shown: ShownProfile, body: Body) -> HttpResponse:
    """Save, after a question where there is something to ask."""
    caller = staff_caller(shown.request)
    record = _record(shown, caller, body)
    preview = submit_one(caller, record, dry_run=True)
    confirmed = shown.request.POST.get("confirmed", "")
    if needs_confirmation(shown.profile, preview.outcome) and confirmed != preview.preview_token:
        return _question(shown, preview, was_asked=bool(confirmed))
    answer = submit_one(caller, record)
    messages.success(shown.request, _("The changes have been saved."))
    for warning in answer.outcome.warnings:
        messages.warning(shown.request, warning_sentence(warning))
    return HttpResponseRedirect(profile_address(answer.profile.maestra_id))


def _record(shown: ShownProfile, caller: Caller, body: Body) -> Record:
    whole = {"lookup": {"maestra_id": shown.maestra_id}, **body}
    return parse_record(Operation.EDIT, whole, caller.point, shown.config, timezone.now())


def needs_confirmation(before: Profile, outcome: Outcome) -> bool:
    """Whether more happens than was entered, or something that cannot simply be entered again."""
    lost = any(isinstance(change, Released | Unclaimed) for change in outcome.changes)
    access = before.access_contacts() != outcome.profile.access_contacts()
    return bool(outcome.merges or outcome.conflicts or outcome.moved or lost or access)


def _question(shown: ShownProfile, preview: Result, *, was_asked: bool) -> HttpResponse:
    context = {
        "tab_title": _("Edit"),
        "was_asked": was_asked,
        "effects": list(effects(shown, preview.outcome)),
        "access": list(access_facts(shown, preview.outcome)),
        "merged": [merge.absorbed.maestra_id for merge in preview.outcome.merges],
        "token": preview.preview_token,
        "sent": [
            (name, value)
            for name, values in shown.request.POST.lists()
            for value in values
            if name not in ("csrfmiddlewaretoken", "confirmed")
        ],
    }
    return page_with(shown, "admin/dedup/edit_ask.html", **context)


def effects(shown: ShownProfile, outcome: Outcome) -> Iterator[tuple[int, str]]:
    """What would happen under which MaestraID, in the words of the history."""
    rows = [row for change in outcome.changes for row in history_facts(change)]
    said = sentences([shown.masking.facts(entry) for _pk, entry in rows], shown.config.labels)
    for (maestra_id, _entry), text in zip(rows, said, strict=True):
        yield maestra_id, text


class AccessChange(NamedTuple):
    """`change`: lost, gained."""

    change: str
    text: str


def access_facts(shown: ShownProfile, outcome: Outcome) -> Iterator[AccessChange]:
    """How the contacts change with which the customer signs in."""
    before, after = shown.profile.access_contacts(), outcome.profile.access_contacts()
    for key in sorted(before - after):
        text = _("%s will no longer give account access: the customer cannot sign in with it any more.")
        yield AccessChange("lost", text % _named(shown, key))
    for key in sorted(after - before):
        text = _("%s will give account access to this customer.")
        yield AccessChange("gained", text % _named(shown, key))


def _named(shown: ShownProfile, key: Key) -> str:
    return f"{shown.config.labels[key.kind]} {shown.masking.value(key.kind, key.value)}"


def _page(shown: ShownProfile, form: EditForm) -> HttpResponse:
    return page_with(shown, "admin/dedup/edit.html", form=form, tab_title=_("Edit"))


register_page(ProfilePage("edit", edit, permission=PERMISSION))
register_action(
    ProfileAction(
        gettext_lazy("Edit"),
        "edit",
        lambda shown: page_address(shown.maestra_id, "edit"),
        PERMISSION,
        order=10,
    ),
)
