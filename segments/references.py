"""Segmentations and segments by their system names, and everything that conditions can refer to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from customers.models import CustomField, IdentifierKind, IntegrationPoint
from customers.setup.project_config import ProjectConfig
from segments.conditions.context import ConditionContext, Refers
from segments.conditions.tree import Node, parse
from segments.dependencies import Graph, segmentations_of
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


def condition_context(config: ProjectConfig) -> ConditionContext:
    """What conditions can refer to at present."""
    segments = Segment.objects.select_related("segmentation").order_by("segmentation__name", "id")
    return ConditionContext(
        labels={
            Refers.IDENTIFIER_KIND: _labels(IdentifierKind.objects.values_list("system_name", "name")),
            Refers.CUSTOM_FIELD: _labels(CustomField.objects.values_list("system_name", "name")),
            Refers.POINT: _labels(IntegrationPoint.objects.values_list("system_name", "name")),
            Refers.SEGMENT: {segment_path(s): f"{s.segmentation.name}: {s.name}" for s in segments},
        },
        custom_types={name: field.type for name, field in config.custom_fields.items()},
    )


def segment_path(segment: Segment) -> str:
    """How conditions refer to a segment: `loyalty/gold`."""
    return f"{segment.segmentation.system_name}/{segment.system_name}"


def graph_of_stored(instead: Mapping[str, Node] | None = None) -> Graph:
    """Every segmentation with those its conditions refer to. `instead` are conditions that are to replace the
    stored ones, or to be added to them, by the paths of their segments.
    """
    segments = Segment.objects.exclude(condition=None).select_related("segmentation")
    conditions = {**{segment_path(s): parse(s.condition) for s in segments}, **(instead or {})}
    graph: dict[str, frozenset[str]] = dict.fromkeys(
        Segmentation.objects.values_list("system_name", flat=True), frozenset()
    )
    for name, condition in conditions.items():
        segmentation = name.partition("/")[0]
        graph[segmentation] = graph.get(segmentation, frozenset()) | segmentations_of(condition)
    return graph


def _labels(rows: object) -> Mapping[str, str]:
    return dict(rows)  # type: ignore[call-overload, no-any-return]
