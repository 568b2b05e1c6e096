"""A customer at a glance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from django.utils.translation import gettext as _

from customers.admin.profile_registry import profile_address
from customers.contact_types import CONTACT_TYPES
from customers.presentation.names import full_name
from customers.profile import Profile
from dedup.admin.value_formatter import ValueFormatter, text_of


@dataclass(frozen=True, slots=True)
class CustomerCard:
    maestra_id: int
    name: str
    contacts: tuple[str, ...]
    facts: tuple[str, ...]
    address: str


def customer_card(profile: Profile, formatter: ValueFormatter) -> CustomerCard:
    held = chain.from_iterable(profile.held(type_.category) for type_ in CONTACT_TYPES)
    contacts = [h for h in held if h.is_primary]
    return CustomerCard(
        maestra_id=profile.maestra_id,
        name=full_name(profile.personal) or _("No name"),
        contacts=tuple(formatter.value(h.kind, h.value) for h in contacts),
        facts=tuple(_facts(profile)),
        address=profile_address(profile.maestra_id),
    )


def _facts(profile: Profile) -> Iterable[str]:
    yield _("Registered %(at)s") % {"at": text_of(profile.registered_at)}
    if profile.last_action_at:
        yield _("Last active %(at)s") % {"at": text_of(profile.last_action_at)}
    if profile.orders_count:
        yield _("Orders: %(count)s") % {"count": profile.orders_count}
    if profile.access_contacts():
        yield _("Has account access")
    if former := sorted(profile.maestra_ids - {profile.maestra_id}):
        yield _("Former MaestraIDs: %(ids)s") % {"ids": ", ".join(map(str, former))}
