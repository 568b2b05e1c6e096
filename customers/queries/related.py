"""Related customers: those who gave the same contact, but are held to be different people (R30)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from customers.models import Relation
from customers.presentation.customer import moment
from customers.profile import Profile
from customers.storage.loading import primary_ids_of


def related_customers(profile: Profile) -> list[dict[str, Any]]:
    """The customers related to this one (R30), by their primary MaestraIDs of today. The newest contest for a
    contact comes first.
    """
    relations = list(Relation.objects.filter(maestra_id__in=profile.maestra_ids).order_by("-at", "-id"))
    primary_ids = primary_ids_of({relation.related_id for relation in relations})
    contests = [
        (primary_ids[relation.related_id], relation)
        for relation in relations
        if relation.related_id in primary_ids
    ]
    return [
        _related(primary_id, relation)
        for primary_id, relation in _newest(contests)
        if primary_id != profile.maestra_id
    ]


def _newest(relations: Iterable[tuple[int, Relation]]) -> Iterable[tuple[int, Relation]]:
    """Of several contests with the same customer for the same contact, the newest."""
    by_contest: dict[tuple[int, str, str], tuple[int, Relation]] = {}
    for primary_id, relation in relations:
        by_contest.setdefault((primary_id, relation.kind, relation.value), (primary_id, relation))
    return by_contest.values()


def _related(primary_id: int, relation: Relation) -> dict[str, Any]:
    return {
        "maestra_id": primary_id,
        "type": relation.kind,
        "value": relation.value,
        "is_kept": relation.kept,
        "decided_by": relation.decided_by,
        "at": moment(relation.at),
    }
