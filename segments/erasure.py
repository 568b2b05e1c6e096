"""What an erasure and an export take from this app (R54, R55)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from customers.privacy import erasure, export
from customers.profile import Profile
from customers.setup.project_config import ProjectConfig
from segments import saving
from segments.models import Membership
from segments.profile_part import names_of


def erase(forgotten: erasure.Erasure) -> None:
    """End the memberships of every MaestraID, those a merge left as they were included."""
    saving.save(forgotten.batch)


def memberships(profile: Profile, _config: ProjectConfig) -> Iterator[dict[str, Any]]:
    """For an export: the segments of each MaestraID."""
    found = Membership.objects.filter(customer__in=profile.maestra_ids).order_by("pk")
    for maestra_id, segment, since in found.values_list("customer_id", "segment_id", "since"):
        yield {"maestra_id": maestra_id, **names_of(segment)._asdict(), "since": since}


erasure.register_eraser(erasure.Eraser(erase))
export.register_exported_section("memberships", memberships)
