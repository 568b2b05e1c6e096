"""The section of a set-up file that declares segmentations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from customers.custom_values import CustomType
from customers.errors import SelfsameError
from customers.setup.file.sections import (
    Declared,
    FileSection,
    fixed,
    listed,
    needed,
    put,
    stored,
    system_name,
    without,
)
from customers.setup.file.shapes import FileEntry, FilePlace, list_of, mapping_of, no_repetition, one_of, text
from customers.setup.project_config import project_config
from segments.conditions.context import ConditionContext, Refers
from segments.conditions.tree import Group, Node, faults, parse, stored_form
from segments.dependencies import Graph, cycle
from segments.models import Segmentation, SegmentationKinds
from segments.references import condition_context, graph_of_stored


def condition(value: Any, place: FilePlace) -> Group | None:
    """The condition of a calculated segment."""
    try:
        return parse(value)
    except SelfsameError as error:
        for fault in error.data["errors"]:
            (place.key(fault["path"]) if fault["path"] else place).fault(fault["message"])
        return None


read_segments = list_of(
    mapping_of({"system_name": system_name, "name": text(), "condition": condition}, required=["system_name"])
)
read_segmentations = list_of(
    mapping_of(
        {
            "system_name": system_name,
            "name": text(),
            "kind": one_of(SegmentationKinds.values),
            "segments": read_segments,
        },
        required=["system_name"],
    )
)


def check_segmentations(declared: Declared, place: FilePlace) -> None:
    segmentations, context = stored(Segmentation), context_with(declared)
    no_repetition(declared["segmentations"], place, "system_name")
    for entry, here in listed(declared["segmentations"], place):
        no_repetition(entry.get("segments"), here.key("segments"), "system_name")
        segmentation = segmentations.get(entry.get("system_name", ""))
        if segmentation:
            fixed(entry, here, "kind", segmentation.kind, _("its members came by it"))
        else:
            needed(entry, here, "kind")
        check_conditions(entry, segmentation.kind if segmentation else entry.get("kind"), context, here)
    if circle := cycle(graph_with(declared)):
        words = {"circle": " → ".join(circle)}
        place.fault(_("they are calculated from each other in a circle: %(circle)s") % words)


def check_conditions(entry: FileEntry, kind: str | None, context: ConditionContext, place: FilePlace) -> None:
    for segment, here in listed(entry.get("segments"), place.key("segments")):
        if "condition" in segment and kind == SegmentationKinds.STATIC:
            here.key("condition").fault(_("a static segment has none: members are put in and taken out"))
        elif segment.get("condition"):
            for path, message in faults(segment["condition"], context):
                here.key("condition").key(path).fault(message)


def context_with(declared: Declared) -> ConditionContext:
    """What conditions can refer to once the file is written."""
    present = condition_context(project_config())
    more = {
        Refers.IDENTIFIER_KIND: names_in(declared, "identifier_kinds"),
        Refers.CUSTOM_FIELD: names_in(declared, "custom_fields"),
        Refers.POINT: names_in(declared, "integration_points"),
        Refers.SEGMENT: dict(declared_segments(declared)),
    }
    types = {
        e["system_name"]: CustomType(e["type"])
        for e in entries_of(declared, "custom_fields")
        if e.get("type")
    }
    return ConditionContext(
        labels={to: {**more[to], **labels} for to, labels in present.labels.items()},
        custom_types={**types, **present.custom_types},
    )


def entries_of(declared: Declared, section: str) -> Iterator[FileEntry]:
    """The entries of a section that have a system name at least."""
    for entry in declared.get(section) or ():
        if entry and entry.get("system_name"):
            yield entry


def names_in(declared: Declared, section: str) -> Mapping[str, str]:
    return {entry["system_name"]: entry["system_name"] for entry in entries_of(declared, section)}


def declared_segments(declared: Declared) -> Iterator[tuple[str, str]]:
    for segmentation in entries_of(declared, "segmentations"):
        for segment in entries_of(segmentation, "segments"):
            name = f"{segmentation['system_name']}/{segment['system_name']}"
            yield name, name


def graph_with(declared: Declared) -> Graph:
    """Which segmentation is calculated from which once the file is written."""
    conditions: dict[str, Node] = {}
    for segmentation in entries_of(declared, "segmentations"):
        for segment in entries_of(segmentation, "segments"):
            if segment.get("condition"):
                name = f"{segmentation['system_name']}/{segment['system_name']}"
                conditions[name] = segment["condition"]
    return graph_of_stored(conditions)


def save_segmentations(entries: Iterable[FileEntry]) -> None:
    for entry in entries:
        segmentation = put(Segmentation, entry["system_name"], without(entry, "system_name", "segments"))
        for segment in entry.get("segments", ()):
            save_segment(segmentation, segment)


def save_segment(segmentation: Segmentation, entry: FileEntry) -> None:
    """Segments are made in the order of the file: the higher ID wins where dates tie, and where several
    conditions are met (R38, R51).
    """
    name = entry["system_name"]
    values = without(entry, "system_name", "condition")
    if "condition" in entry:
        values["condition"] = stored_form(entry["condition"])
    new = {"name": name.replace("_", " ").capitalize(), **values}
    objects = segmentation.segments
    objects.update_or_create(system_name=name, defaults=values, create_defaults=new)


SECTIONS = (FileSection("segmentations", read_segmentations, check_segmentations, save_segmentations),)
