"""The list of customers as a file, row by row."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from customers.contact_types import CONTACT_NAMES, CONTACT_TYPES
from customers.models import Customer
from customers.presentation.csv import BETWEEN_ENTRIES, csv_lines
from customers.presentation.customer import moment
from customers.presentation.masking import MaskingPolicy
from customers.profile import PERSONAL_FIELDS, Category, Profile
from customers.setup.project_config import ProjectConfig
from customers.storage.loading import load_profiles
from customers.words import FIELDS

PAGE = 500
SEPARATOR = ", "


def customers_csv(
    customers: QuerySet[Customer], config: ProjectConfig, masking: MaskingPolicy
) -> Iterator[str]:
    """The customers as CSV, the newest first, read in pages while it is sent. Without payment card hashes
    (R10).
    """
    ids = [kind.name for kind in config.kinds.values() if kind.category is Category.UNIQUE]
    fields = sorted(config.custom_fields)
    rows = (_row(profile, ids, fields, masking) for profile in _profiles(customers))
    return csv_lines(chain([_headings(config, ids, fields)], rows))


def _profiles(customers: QuerySet[Customer]) -> Iterator[Profile]:
    """A page at a time, each beginning behind the last."""
    customers = customers.order_by("-pk").prefetch_related(None)
    page = list(customers.values_list("profile_id", "pk")[:PAGE])
    while page:
        primary_ids = list(dict.fromkeys(primary_id for primary_id, _pk in page))
        profiles = load_profiles(primary_ids)
        yield from (profiles[primary_id] for primary_id in primary_ids if primary_id in profiles)
        page = list(customers.filter(pk__lt=page[-1][1]).values_list("profile_id", "pk")[:PAGE])


def _headings(config: ProjectConfig, ids: Sequence[str], fields: Sequence[str]) -> list[str]:
    personal = [_(FIELDS[name]).capitalize() for name in PERSONAL_FIELDS]
    labels = [config.labels[name] for name in (*CONTACT_NAMES, *ids, *fields)]
    own = [_("MaestraID"), _("Former MaestraIDs"), _("Registered"), _("Last active")]
    return [*own, *personal, *labels[:3], *labels[3:], _("Orders"), _("Total of orders"), _("Subscribed to")]


def _row(profile: Profile, ids: Sequence[str], fields: Sequence[str], masking: MaskingPolicy) -> list[Any]:
    former = sorted(profile.maestra_ids - {profile.maestra_id})
    last = profile.last_action_at
    return [
        profile.maestra_id,
        SEPARATOR.join(map(str, former)),
        moment(profile.registered_at),
        moment(last) if last else None,
        *(getattr(profile.personal, name) for name in PERSONAL_FIELDS),
        *(_contacts(profile, type_.category, masking) for type_ in CONTACT_TYPES),
        *(held.value if (held := profile.current(kind)) else None for kind in ids),
        *(_plain(profile.custom_fields.get(name)) for name in fields),
        profile.orders_count,
        f"{sum(m.orders_total for m in profile.members):.2f}",
        SEPARATOR.join(_subscriptions(profile)),
    ]


def _contacts(profile: Profile, category: Category, masking: MaskingPolicy) -> str:
    held = sorted(profile.held(category), key=lambda h: (not h.is_primary, h.since, h.value))
    return SEPARATOR.join(masking.value(h.kind, h.value) for h in held)


def _plain(value: Any) -> Any:
    """A list in plain words where an import splits it into the same entries, else as JSON."""
    if not isinstance(value, list):
        return value
    told = SEPARATOR.join(map(str, value))
    is_plain = not any(mark in str(entry) for entry in value for mark in BETWEEN_ENTRIES)
    return told if is_plain and not told.startswith(("[", '"')) else json.dumps(value, ensure_ascii=False)


def _subscriptions(profile: Profile) -> list[str]:
    return [
        f"{channel}/{topic}" if topic else channel
        for (channel, topic), subscription in sorted(profile.subscriptions.items())
        if subscription.status.value == "subscribed"
    ]
