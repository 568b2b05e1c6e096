"""The page of a profile: the header, its tabs at addresses of their own, and what can be done from it.

A former MaestraID leads to today's profile (R1). Staff who may not see contacts get them masked everywhere on
the page; each one they have shown is recorded.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.admin import profile_registry
from customers.admin.contacts import contact_of, in_order, token_of
from customers.admin.profile_registry import ProfileAction, ProfilePage, ShownProfile
from customers.errors import SelfsameError
from customers.models import Customer, Reveal, RevealKinds
from customers.notes import LONGEST, add_note
from customers.presentation.names import full_name
from customers.profile import CONTACTS, Claim, Holding, Key
from customers.setup.project_config import project_config
from customers.storage.loading import HIGHEST_MAESTRA_ID, load_profiles, primary_ids_of

FIRST_TAB = "personal"
IN_HEADER = 6
"""Contacts that the header shows; the others are a click away."""


def urls() -> list[URLPattern]:
    wrap = admin.site.admin_view
    return [
        path(
            "<int:maestra_id>/tab/<slug:slug>/",
            wrap(tab_view),
            name="customers_customer_tab",
        ),
        path(
            "<int:maestra_id>/page/<slug:slug>/",
            wrap(page_view),
            name="customers_customer_page",
        ),
    ]


def tab_view(request: HttpRequest, maestra_id: int, slug: str) -> HttpResponse:
    """One tab of a profile."""
    tab = profile_registry.tab(slug)
    if tab is None:
        raise Http404
    if request.method not in ("GET", "HEAD") or not request.user.has_perm(tab.permission):
        raise PermissionDenied
    primary_id = primary_id_or_404(maestra_id)
    if primary_id is None:
        return erased_view(request, maestra_id)
    if primary_id != maestra_id:
        return _redirect_to_primary(request, maestra_id, primary_id, slug)
    return rendered(shown_to(request, primary_id), slug)


def page_view(request: HttpRequest, maestra_id: int, slug: str) -> HttpResponse:
    """A page that an app registered below the profile."""
    page = profile_registry.page(slug)
    if page is None:
        raise Http404
    if not (request.user.has_perm(page.permission) and request.user.has_perm(profile_registry.VIEW)):
        raise PermissionDenied
    primary_id = primary_id_or_404(maestra_id)
    if primary_id is None:
        return erased_view(request, maestra_id)
    return page.view(shown_to(request, primary_id))


def primary_id_or_404(maestra_id: int) -> int | None:
    """The primary MaestraID; None for an erased customer."""
    primary_id = primary_ids_of([maestra_id]).get(maestra_id)
    if primary_id is None and not (
        maestra_id <= HIGHEST_MAESTRA_ID and Customer.objects.filter(pk=maestra_id).exists()
    ):
        raise Http404
    return primary_id


def _redirect_to_primary(request: HttpRequest, maestra_id: int, primary_id: int, slug: str) -> HttpResponse:
    """From a former MaestraID to today's profile."""
    text = _("%(former)s is a former MaestraID. It was merged into customer %(primary_id)s, shown here.")
    messages.info(request, text % {"former": maestra_id, "primary_id": primary_id})
    query = request.META.get("QUERY_STRING")
    return HttpResponseRedirect(
        profile_registry.tab_address(primary_id, slug) + (f"?{query}" if query else "")
    )


def shown_to(request: HttpRequest, primary_id: int) -> ShownProfile:
    """The profile as this reader may see it."""
    profile = load_profiles([primary_id]).get(primary_id)
    if profile is None:  # merged or erased in this very moment
        raise Http404
    return ShownProfile(request, profile, project_config(), profile_registry.masking_of(request))


def rendered(shown: ShownProfile, slug: str, **more: Any) -> TemplateResponse:
    tab = profile_registry.tab(slug)
    assert tab
    return page_with(shown, tab.template, slug=slug, tab_title=tab.title, **tab.context(shown), **more)


def page_with(shown: ShownProfile, template: str, **context: Any) -> TemplateResponse:
    """A page with the profile's header above it."""
    name = full_name(shown.profile.personal)
    title = name or _("Customer %s") % shown.maestra_id
    everything = {
        **admin.site.each_context(shown.request),
        "title": title,
        "opts": Customer._meta,
        "original": Customer(pk=shown.maestra_id),
        "shown": shown,
        "header": header(shown, name),
        "tabs": [
            {
                "slug": tab.slug,
                "title": tab.title,
                "address": shown.address(tab.slug),
                "is_open": tab.slug == context.get("slug"),
            }
            for tab in profile_registry.tabs_for(shown)
        ],
        "actions": [button(shown, action) for action in profile_registry.actions_for(shown)],
        **context,
    }
    return TemplateResponse(shown.request, template, everything, headers={"Cache-Control": "no-store"})


def header(shown: ShownProfile, name: str) -> dict[str, Any]:
    """Who it is, at a glance."""
    profile = shown.profile
    held = [h for h in profile.holdings.values() if h.category in CONTACTS]
    rows: list[Holding | Claim] = [*in_order(held), *profile.claims.values()]
    contacts = [contact_of(shown, row, {}) for row in rows]
    personal = profile.personal
    return {
        "name": name,
        "initials": "".join((part or "")[:1] for part in (personal.first_name, personal.last_name)).upper(),
        "contacts": contacts[:IN_HEADER],
        "more_contacts": max(0, len(contacts) - IN_HEADER),
        "former": [pk for pk in shown.maestra_ids if pk != shown.maestra_id],
        "registered_at": profile.registered_at,
        "last_action_at": profile.last_action_at,
        "orders_count": profile.orders_count,
        "opted_out_at": profile.opted_out_at,
        "is_identified": profile.is_identified,
    }


def button(shown: ShownProfile, action: ProfileAction) -> dict[str, Any]:
    return {
        "title": action.title,
        "icon": action.icon,
        "address": action.address(shown),
        "fields": action.post(shown) if action.post else None,
        "is_dangerous": action.is_dangerous,
    }


def erased_view(request: HttpRequest, maestra_id: int) -> HttpResponse:
    """What is left of an erased customer: that there was one (R54)."""
    row = Customer.objects.get(pk=maestra_id)
    context = {
        **admin.site.each_context(request),
        "title": _("Customer %s") % maestra_id,
        "opts": Customer._meta,
        "customer": row,
    }
    return TemplateResponse(request, "admin/customers/erased.html", context)


# --- Pages of this app's own


def reveal(shown: ShownProfile) -> HttpResponse:
    """Show one masked contact, and record who looked (POST: it leaves a trace)."""
    if shown.request.method != "POST":
        return HttpResponseRedirect(shown.address("identifiers"))
    asked = shown.request.POST.get("token", "")
    keys = [*shown.profile.holdings, *shown.profile.claims]
    key = next((key for key in keys if token_of(key) == asked and shown.masking.masks(*key)), None)
    if key is None:
        messages.error(shown.request, _("This contact is no longer here."))
        return HttpResponseRedirect(shown.address("identifiers"))
    record_reveal(shown.request, RevealKinds.CONTACT, shown.maestra_id, key)
    revealed = replace(shown, masking=replace(shown.masking, revealed=frozenset({key})))
    return rendered(revealed, "identifiers", revealed=True)


def record_reveal(
    request: HttpRequest, kind: RevealKinds, maestra_id: int | None, key: Key | None = None
) -> None:
    """Who was shown what of whom."""
    Reveal.objects.create(
        user_id=request.user.pk,
        user_name=request.user.get_username(),
        kind=kind,
        maestra_id=maestra_id,
        identifier_kind=key.kind if key else "",
    )


def note(shown: ShownProfile) -> HttpResponse:
    """Write a note on the profile."""
    text = shown.request.POST.get("text", "").replace("\r\n", "\n")
    if shown.request.method != "POST":
        return HttpResponseRedirect(shown.address(FIRST_TAB))
    user = shown.request.user
    try:
        add_note(shown.maestra_id, text, actor=f"user:{user.get_username()}", user_id=user.pk)
    except SelfsameError as error:
        faults = [entry["message"] for entry in error.data.get("errors", [])] or [error.detail]
        return rendered(shown, FIRST_TAB, note_faults=faults, note_text=text, note_limit=LONGEST)
    messages.success(shown.request, _("The note was added."))
    return HttpResponseRedirect(shown.address(FIRST_TAB))


def from_the_list(action: str) -> dict[str, Any]:
    """An action of the list of customers, done to one: the list asks before it does it."""
    return {
        "address": lambda _shown: reverse("admin:customers_customer_changelist") + "?shown=all",
        "post": lambda shown: {"action": action, "_selected_action": str(shown.maestra_id)},
    }


profile_registry.register_page(ProfilePage("reveal", reveal, permission="customers.reveal_contacts"))
profile_registry.register_page(ProfilePage("note", note, permission="customers.add_note"))
profile_registry.register_action(
    ProfileAction(
        gettext_lazy("Export as JSON"),
        "download",
        lambda shown: reverse("admin:customers_customer_export", args=[shown.maestra_id]),
        "customers.change_customer",
        order=80,
    )
)
profile_registry.register_action(
    ProfileAction(
        gettext_lazy("Opt out of everything"),
        "unsubscribe",
        permission="customers.change_customer",
        order=85,
        **from_the_list("opt_out"),
    )
)
profile_registry.register_action(
    ProfileAction(
        gettext_lazy("Erase"),
        "delete_forever",
        permission="customers.delete_customer",
        order=90,
        is_dangerous=True,
        **from_the_list("erase"),
    )
)
