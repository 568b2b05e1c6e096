"""Segments in the change history: by the names the API knows them by, in place of their IDs (R52)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from segments.profile_part import names_of


def name_segments(entries: Iterable[dict[str, Any]]) -> None:
    """Put names into `segment` entries as they were read."""
    for facts in entries:
        for side in ("before", "after"):
            if facts[side]:
                facts["segmentation"], facts[side]["segment"] = names_of(facts[side]["segment"])
