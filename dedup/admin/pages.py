"""What the pages of decisions share: who acts, which customers are meant, and the frame around a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from customers.profile import MAESTRA_ID, Category, Key, Profile
from customers.setup.integration_points import STAFF
from customers.storage.loading import HIGHEST_MAESTRA_ID, load_profiles, primary_ids_of
from dedup.admin.comparing import Reader, full_name, shown
from dedup.operations.base import Caller
from dedup.storage.loading import IMAGINARY


def staff(request: HttpRequest) -> Caller:
    """The member of staff behind a request, who acts through no integration point."""
    return Caller(actor=f"user:{request.user.get_username()}", point=STAFF, user_id=request.user.pk)


def demand(request: HttpRequest, permission: str) -> None:
    """Raises `PermissionDenied` for whoever lacks it."""
    if not request.user.has_perm(permission):
        raise PermissionDenied


def only_look(request: HttpRequest) -> None:
    """Raises `PermissionDenied` for what would write: what was recorded is not edited."""
    if request.method not in ("GET", "HEAD"):
        raise PermissionDenied


def page(
    request: HttpRequest,
    model_admin: ModelAdmin[Any],
    template: str,
    **context: Any,
) -> TemplateResponse:
    """A page in the admin's frame. Personal data is on it, so nothing keeps a copy."""
    frame = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "show_back_button": True,
        "own_heading": True,
        **context,
    }
    answer = TemplateResponse(request, f"admin/dedup/{template}", frame)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def maestra_key(maestra_id: int) -> Key:
    return Key(MAESTRA_ID, str(maestra_id))


def as_maestra_id(text: str) -> int | None:
    """A MaestraID as somebody typed it."""
    is_number = text.isascii() and text.isdigit() and len(text) < 20
    return int(text) if is_number and 0 < int(text) <= HIGHEST_MAESTRA_ID else None


@dataclass(frozen=True, slots=True)
class Found:
    """The profiles behind some MaestraIDs, in their order, each once, with what is to be said of the rest."""

    profiles: tuple[Profile, ...]
    remarks: tuple[str, ...]


def find(maestra_ids: Iterable[int]) -> Found:
    """Former MaestraIDs lead to their profile; nobody is there for unknown and erased ones."""
    asked = list(dict.fromkeys(maestra_ids))
    primary_ids = primary_ids_of(asked)
    profiles = load_profiles(sorted(set(primary_ids.values())))
    chosen = dict.fromkeys(primary_ids[one] for one in asked if one in primary_ids)
    return Found(tuple(profiles[primary_id] for primary_id in chosen), tuple(_remarks(asked, primary_ids)))


def _remarks(asked: Sequence[int], primary_ids: dict[int, int]) -> Iterable[str]:
    for one in asked:
        if one not in primary_ids:
            yield _("There is no customer %(id)s, or the person was erased.") % {"id": one}
        elif primary_ids[one] != one:
            yield _("%(id)s is a former MaestraID of customer %(primary_id)s.") % {
                "id": one,
                "primary_id": primary_ids[one],
            }


@dataclass(frozen=True, slots=True)
class Card:
    """A customer at a glance."""

    maestra_id: int
    name: str
    contacts: tuple[str, ...]
    facts: tuple[str, ...]
    address: str


def card(profile: Profile, reader: Reader) -> Card:
    held = [*profile.held(Category.EMAIL), *profile.held(Category.MOBILE_PHONE)]
    contacts = [h for h in held if h.is_primary]
    return Card(
        maestra_id=profile.maestra_id,
        name=full_name(profile) or _("No name"),
        contacts=tuple(reader.value(h.kind, h.value) for h in contacts),
        facts=tuple(_facts(profile)),
        address=customer_address(profile.maestra_id),
    )


def _facts(profile: Profile) -> Iterable[str]:
    yield _("Registered %(at)s") % {"at": shown(profile.registered_at)}
    if profile.last_action_at:
        yield _("Last active %(at)s") % {"at": shown(profile.last_action_at)}
    if profile.orders_count:
        yield _("Orders: %(count)s") % {"count": profile.orders_count}
    if profile.access_contacts():
        yield _("Has account access")
    if former := sorted(profile.maestra_ids - {profile.maestra_id}):
        yield _("Former MaestraIDs: %(ids)s") % {"ids": ", ".join(map(str, former))}


def who(maestra_id: int) -> str:
    """A customer in the middle of a sentence; one that a preview would make has no number yet."""
    return _("the new customer") if maestra_id >= IMAGINARY else _("customer %(id)s") % {"id": maestra_id}


# --- Addresses
# --------------------------------------------------------------------------------------------------------


def customer_address(maestra_id: int) -> str:
    return reverse("admin:customers_customer_change", args=[maestra_id])


def merge_address(merge_id: int) -> str:
    return reverse("admin:dedup_merge_change", args=[merge_id])


def undo_address(merge_id: int) -> str:
    return reverse("admin:dedup_merge_undo", args=[merge_id])


def new_merge_address(maestra_ids: Iterable[int] = (), **more: Any) -> str:
    query = [("customer", maestra_id) for maestra_id in maestra_ids] + list(more.items())
    return reverse("admin:dedup_merge_new") + (f"?{urlencode(query)}" if query else "")


def explain_address(left: object = None, right: object = None) -> str:
    query = {name: value for name, value in (("left", left), ("right", right)) if value is not None}
    return reverse("admin:dedup_reviewpair_explain") + (f"?{urlencode(query)}" if query else "")


def record_address() -> str:
    return reverse("admin:dedup_reviewpair_explain_record")


def review_address(pair_id: int) -> str:
    return reverse("admin:dedup_reviewpair_change", args=[pair_id])
