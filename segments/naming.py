"""Segmentations by the names the API knows them by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from segments.models import Segment, Segmentation, SegmentationKinds


@dataclass(frozen=True, slots=True)
class NamedSegmentation:
    """A segmentation with the IDs of its segments by their system names."""

    id: int
    is_static: bool
    segments: Mapping[str, int]


def named_segmentations() -> dict[str, NamedSegmentation]:
    """All segmentations by system name, in two queries."""
    segments: dict[int, dict[str, int]] = {}
    for segmentation_id, name, segment_id in Segment.objects.values_list(
        "segmentation_id", "system_name", "id"
    ):
        segments.setdefault(segmentation_id, {})[name] = segment_id
    rows = Segmentation.objects.values_list("id", "system_name", "kind")
    return {
        name: NamedSegmentation(pk, kind == SegmentationKinds.STATIC, segments.get(pk, {}))
        for pk, name, kind in rows
    }
