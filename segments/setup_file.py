"""The section of a set-up file that declares segmentations."""

from __future__ import annotations

from collections.abc import Iterable

from customers.setup_file.sections import (
    Declared,
    Section,
    fixed,
    listed,
    needed,
    put,
    stored,
    system_name,
    without,
)
from customers.setup_file.shapes import Entry, Place, list_of, mapping_of, no_repetition, one_of, text
from segments.models import Segmentation, SegmentationKinds

read_segments = list_of(mapping_of({"system_name": system_name, "name": text()}, required=["system_name"]))
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


def check_segmentations(declared: Declared, place: Place) -> None:
    segmentations = stored(Segmentation)
    no_repetition(declared["segmentations"], place, "system_name")
    for entry, here in listed(declared["segmentations"], place):
        no_repetition(entry.get("segments"), here.key("segments"), "system_name")
        if segmentation := segmentations.get(entry.get("system_name", "")):
            fixed(entry, here, "kind", segmentation.kind, "its members came by it")
        else:
            needed(entry, here, "kind")


def save_segmentations(entries: Iterable[Entry]) -> None:
    for entry in entries:
        segmentation = put(Segmentation, entry["system_name"], without(entry, "system_name", "segments"))
        for segment in entry.get("segments", ()):
            save_segment(segmentation, segment)


def save_segment(segmentation: Segmentation, entry: Entry) -> None:
    """Segments are made in the order of the file: the higher ID wins where dates tie (R38)."""
    name = entry["system_name"]
    values = without(entry, "system_name")
    new = {"name": name.replace("_", " ").capitalize(), **values}
    objects = segmentation.segments
    objects.update_or_create(system_name=name, defaults=values, create_defaults=new)


SECTIONS = (Section("segmentations", read_segmentations, check_segmentations, save_segmentations),)
