"""Of whom an opt-out or an erasure asks: their names, and what of each it will reach (R53, R54)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from customers.admin.profile_registry import masking_of
from customers.models import Customer
from customers.presentation.masking import MaskingPolicy
from customers.presentation.names import full_name
from customers.profile import CONTACTS, Profile
from customers.storage.loading import load_profiles
from customers.words import customer_label


class ReachedCustomer(NamedTuple):
    maestra_id: int
    name: str
    reached: list[str]


def described(request: HttpRequest, customers: QuerySet[Customer]) -> list[ReachedCustomer]:
    """The profiles of these rows, each once, as this reader may see them."""
    profiles = load_profiles(sorted(set(customers.values_list("profile_id", flat=True))))
    masking = masking_of(request)
    return [
        ReachedCustomer(primary_id, _name(profile), list(_reached(profile, masking)))
        for primary_id, profile in sorted(profiles.items())
    ]


def _name(profile: Profile) -> str:
    label = customer_label(profile.maestra_id)
    name = full_name(profile.personal)
    return f"{name} ({label})" if name else label


def _reached(profile: Profile, masking: MaskingPolicy) -> Iterator[str]:
    held = sorted(h.key for h in profile.holdings.values() if h.category in CONTACTS and not h.is_former)
    yield from (masking.value(key.kind, key.value) for key in held)
    if count := len(profile.subscriptions):
        yield ngettext("%d subscription", "%d subscriptions", count) % count
    if count := profile.orders_count:
        yield ngettext("%d order", "%d orders", count) % count
    former = sorted(profile.maestra_ids - {profile.maestra_id})
    if former:
        yield _("former MaestraIDs %(numbers)s") % {"numbers": ", ".join(map(str, former))}
