"""A profile as the JSON of the API. It is the same for a stored, a previewed and a just changed profile.

Payment card hashes are never part of it (R10). Times are ISO 8601 in UTC, with the offset written as +00:00.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from customers.contact_types import CONTACT_TYPES
from customers.presentation.masking import UNMASKED, MaskingPolicy
from customers.profile import BY_HAND, Category, Holding, Member, Note, Personal, Profile
from customers.provisional import is_provisional, stored_id
from customers.setup.project_config import ProjectConfig
from customers.words import customer_label, why_held

Json = dict[str, Any]


def present(profile: Profile, config: ProjectConfig, masking: MaskingPolicy = UNMASKED) -> Json:
    """The customer as the API shows them. A profile that is not stored has no MaestraID yet."""
    former = (m for m in profile.maestra_ids - {profile.maestra_id} if not is_provisional(m))
    return {
        "maestra_id": stored_id(profile.maestra_id),
        "former_maestra_ids": sorted(former),
        "registered_at": moment(profile.registered_at) if profile.members else None,
        "ids": _ids(profile),
        "former_ids": _former_ids(profile),
        **{type_.plural: _contacts(profile, type_.category, masking) for type_ in CONTACT_TYPES},
        "claims": masking.facts([{"type": kind, "value": value} for kind, value in sorted(profile.claims)]),
        "devices": _values(profile, Category.DEVICE),
        "mobile_devices": _values(profile, Category.MOBILE_DEVICE),
        "personal": _personal(profile.personal),
        "time_zone": profile.time_zone,
        "custom_fields": {name: _plain(value) for name, value in sorted(profile.custom_fields.items())},
        "subscriptions": _subscriptions(profile),
        "segments": [],
        "facts": _facts(profile),
        "notes": _notes(profile, config, masking),
    } | {key: presenter(profile) for key, presenter in _presenters.items()}


def register_presenter(key: str, presenter: Callable[[Profile], Any]) -> None:
    """Lets a higher app fill in a key of the customer's JSON."""
    _presenters[key] = presenter


_presenters: dict[str, Callable[[Profile], Any]] = {}


def moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def number(value: Decimal) -> int | float:
    """A decimal as a JSON number."""
    return int(value) if value == value.to_integral_value() else float(value)


def note_text(note: Note, labels: Mapping[str, str]) -> str:
    """A note as a sentence (R30, R46). `labels` are the names of identifier kinds for people."""
    if note.reason == BY_HAND:
        return note.value
    words = {"kind": labels.get(note.kind, note.kind), "value": note.value}
    if note.reason == "not_returned":
        return _("%(kind)s %(value)s did not come back with the undo: the profile no longer held it.") % words
    words["customer"] = customer_label(note.related) if note.related else _("another customer")
    if note.decided_by:
        words["because"] = why_held(note.decided_by, words["customer"])
        return _("%(kind)s %(value)s stays with %(customer)s, because %(because)s.") % words
    return _("%(kind)s %(value)s stays with %(customer)s.") % words


def _by_age(holdings: Iterable[Holding]) -> list[Holding]:
    return sorted(holdings, key=lambda h: (h.since, h.value))


def _values(profile: Profile, category: Category) -> list[str]:
    return [h.value for h in _by_age(profile.held(category))]


def _contacts(profile: Profile, category: Category, masking: MaskingPolicy) -> list[Json]:
    """The primary first, then by age."""
    held = sorted(profile.held(category), key=lambda h: (not h.is_primary, h.since, h.value))
    return [
        {
            "value": masking.value(h.kind, h.value),
            "is_primary": h.is_primary,
            "is_confirmed": h.confirmed_at is not None,
            "is_pending": h.is_pending,
            "gives_account_access": h.gives_access,
        }
        for h in held
    ]


def _ids(profile: Profile) -> Json:
    """The current value of a unique kind, the list of values of any other."""
    ids: Json = {h.kind: h.value for h in profile.held(Category.UNIQUE)}
    for h in _by_age(profile.held(Category.IDENTIFIER)):
        ids.setdefault(h.kind, []).append(h.value)
    return dict(sorted(ids.items()))


def _former_ids(profile: Profile) -> dict[str, list[str]]:
    """The former values of unique kinds. Of each kind, the value that was retired last comes first."""
    former = [(h.retired_at, h) for h in profile.holdings.values() if h.is_former and h.retired_at]
    ids: dict[str, list[str]] = {}
    for _retired_at, h in sorted(former, key=lambda pair: (pair[0], pair[1].value), reverse=True):
        ids.setdefault(h.kind, []).append(h.value)
    return dict(sorted(ids.items()))


def _personal(personal: Personal) -> Json:
    return {name: _plain(value) for name, value in personal.present().items()}


def _plain(value: Any) -> Any:
    """A stored value as JSON can have it."""
    match value:
        case datetime():
            return moment(value)
        case Decimal():
            return number(value)
        case date():
            return value.isoformat()
        case _:
            return value


def _subscriptions(profile: Profile) -> list[Json]:
    return [
        {
            "channel": channel,
            "topic": topic or None,
            "status": subscription.status.value,
            "since": moment(subscription.since),
        }
        for (channel, topic), subscription in sorted(profile.subscriptions.items())
    ]


def _facts(profile: Profile) -> Json:
    """Sums over the ledgers of all MaestraIDs (R39). Money is text, so that no digit is lost."""
    members: tuple[Member, ...] = profile.members
    last = profile.last_action_at
    return {
        "orders_count": profile.orders_count,
        "orders_total": f"{sum((m.orders_total for m in members), Decimal(0)):.2f}",
        "points_balance": number(sum((m.points_balance for m in members), Decimal(0))),
        "promo_codes_count": sum(m.promo_codes_count for m in members),
        "last_activity_at": moment(last) if last else None,
    }


def _notes(profile: Profile, config: ProjectConfig, masking: MaskingPolicy) -> list[Json]:
    newest_first = sorted(profile.notes, key=lambda n: n.at, reverse=True)
    masked = [replace(note, value=masking.value(note.kind, note.value)) for note in newest_first]
    return [
        {"at": moment(n.at), "text": note_text(n, config.labels), "related_maestra_id": n.related}
        for n in masked
    ]
