"""The export of everything that is stored about a person, for that person to see (R55)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from django.db import models

from customers.history.reading import history
from customers.models import Customer, IntegrationPoint, PointsMovement, PromoCode, Relation
from customers.models import Subscription as SubscriptionRow
from customers.presentation.customer import Json, present
from customers.profile import (
    PERSONAL_FIELDS,
    Claim,
    Holding,
    Profile,
)
from customers.queries.timelines import ACTIVITIES, ORDERS
from customers.setup.project_config import ProjectConfig, project_config
from customers.storage.locking import found_profile
from customers.storage.sql import as_json, as_readable_json

ExportedSection = Callable[[Profile, ProjectConfig], Any]
PAGE = 500


def export(maestra_id: int) -> Json:
    """Everything stored about the person, across all MaestraIDs, without payment card hashes (R55).

    Raises `customer_not_found`. `export_in_pieces` does the same without holding all of it in memory.
    """
    exported: Json = json.loads("".join(export_in_pieces(maestra_id)))
    return exported


def export_in_pieces(maestra_id: int) -> Iterator[str]:
    """The same as JSON text in pieces: a person with a million activities takes no more memory than any
    other. Raises `customer_not_found` at once, not only when the first piece is asked for.
    """
    return _pieces(found_profile(maestra_id), project_config())


def register_exported_section(name: str, section: ExportedSection) -> None:
    """Lets a higher app add a section with what it stores about a person."""
    _more_sections[name] = section


_more_sections: dict[str, ExportedSection] = {}


def _pieces(profile: Profile, config: ProjectConfig) -> Iterator[str]:
    for number, (name, section) in enumerate({**SECTIONS, **_more_sections}.items()):
        yield f"{',' if number else '{'}\n{as_json(name)}: "
        yield from _piece(section(profile, config))
    yield "\n}\n"


def _piece(content: Any) -> Iterator[str]:
    """The content as JSON: an iterator as a list, item by item, anything else in one piece."""
    if not isinstance(content, Iterator):
        yield as_readable_json(content)
        return
    yield "["
    for number, item in enumerate(content):
        yield f"{',' if number else ''}\n{as_readable_json(item)}"
    yield "]"


def _customer(profile: Profile, config: ProjectConfig) -> Json:
    return present(profile, config)


def _identifiers(profile: Profile, _config: ProjectConfig) -> Iterator[Json]:
    points = _points()
    for h in sorted(profile.holdings.values(), key=lambda h: (h.kind, h.since, h.value)):
        yield _held(h, points)


def _held(h: Holding, points: Mapping[int | None, str]) -> Json:
    return {
        "type": h.kind,
        "value": h.value,
        "as_typed": h.raw,
        "came_to_maestra_id": h.origin,
        "integration_point": points.get(h.point),
        "since": h.since,
        "is_former": h.is_former,
        "retired_at": h.retired_at,
        "is_primary": h.is_primary,
        "was_primary_until": h.was_primary_at,
        "is_confirmed": h.confirmed_at is not None,
        "confirmed_at": h.confirmed_at,
        "is_pending": h.is_pending,
        "gives_account_access": h.gives_access,
    }


def _claims(profile: Profile, _config: ProjectConfig) -> Iterator[Json]:
    points = _points()
    for c in sorted(profile.claims.values(), key=lambda c: (c.kind, c.since, c.value)):
        yield _claimed(c, points)


def _claimed(c: Claim, points: Mapping[int | None, str]) -> Json:
    return {
        "type": c.kind,
        "value": c.value,
        "as_typed": c.raw,
        "came_to_maestra_id": c.origin,
        "integration_point": points.get(c.point),
        "since": c.since,
        "would_give_account_access": c.gives_access,
    }


def _points() -> Mapping[int | None, str]:
    return dict(IntegrationPoint.objects.values_list("id", "name"))


def _per_maestra_id(profile: Profile, _config: ProjectConfig) -> Iterator[Json]:
    """Single values and subscriptions by MaestraID. Those of a former one are as they were when it was
    merged.
    """
    subscriptions: dict[int, list[Json]] = {}
    for row in _rows(SubscriptionRow, profile, "customer_id", "channel", "topic", "status", "since"):
        subscriptions.setdefault(row.pop("customer_id"), []).append(row)
    names = ("registered_at", *PERSONAL_FIELDS, "time_zone", "custom_fields", "opted_out_at")
    for row in Customer.objects.filter(pk__in=profile.maestra_ids).order_by("pk").values("id", *names):
        maestra_id = row.pop("id")
        yield {"maestra_id": maestra_id, **row, "subscriptions": subscriptions.get(maestra_id, [])}


def _rows(model: type[models.Model], profile: Profile, *names: str) -> Iterator[Json]:
    """The named columns of the rows of the person, in the order in which they were stored. The first name is
    the column with the MaestraID.
    """
    column = names[0]
    rows = model._default_manager.filter(**{f"{column}__in": profile.maestra_ids}).order_by("pk")
    return iter(rows.values(*names).iterator(PAGE))


def timeline(page: Callable[..., Any]) -> ExportedSection:
    """A section of all items of a timeline, the newest first, read page by page."""

    def section(profile: Profile, _config: ProjectConfig) -> Iterator[Json]:
        return _paged(lambda after: page(profile.maestra_ids, PAGE, after))

    return section


def _paged(page_after: Callable[[Any], Any]) -> Iterator[Json]:
    cursor = None
    while True:
        page = page_after(cursor)
        yield from page.items
        cursor = page.next
        if cursor is None:
            return


def _points_movements(profile: Profile, _config: ProjectConfig) -> Iterator[Json]:
    return _rows(PointsMovement, profile, "maestra_id", "number", "amount", "reason", "at")


def _promo_codes(profile: Profile, _config: ProjectConfig) -> Iterator[Json]:
    return _rows(PromoCode, profile, "maestra_id", "code", "issued_at")


def _related(profile: Profile, _config: ProjectConfig) -> list[int]:
    """Their MaestraIDs only: what is stored about another customer is not the person's."""
    relations = Relation.objects.filter(maestra_id__in=profile.maestra_ids).order_by("related_id")
    return list(relations.values_list("related_id", flat=True).distinct())


def _history(profile: Profile, config: ProjectConfig) -> Iterator[Json]:
    read = partial(history, profile.maestra_ids, labels=config.labels, limit=PAGE)
    return _paged(lambda after: read(after=after))


SECTIONS: Mapping[str, ExportedSection] = {
    "customer": _customer,
    "maestra_ids": _per_maestra_id,
    "identifiers": _identifiers,
    "claims": _claims,
    "orders": timeline(ORDERS.page),
    "points": _points_movements,
    "promo_codes": _promo_codes,
    "activities": timeline(ACTIVITIES.page),
    "related_maestra_ids": _related,
    "history": _history,
}
"""The sections of an export, in this order. Notes, subscriptions and segments of the profile are in
`customer`.
"""
