"""Which segmentation is calculated from which, and so in what order. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from segments.conditions.tree import Node, segments_of

Graph = Mapping[str, frozenset[str]]
"""Segmentations by system name, each with those its conditions refer to."""


def segmentations_of(condition: Node) -> frozenset[str]:
    """The segmentations that a condition refers to."""
    return frozenset(name.partition("/")[0] for name in segments_of(condition))


def cycle(graph: Graph) -> list[str] | None:
    """A circle of segmentations each of which needs the next, the first named again at the end. One that
    refers to itself is one.
    """
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle[::-1]
    return None


def in_order(graph: Graph) -> list[str]:
    """Every segmentation after those it refers to. Raises `CycleError`."""
    return list(TopologicalSorter(graph).static_order())
