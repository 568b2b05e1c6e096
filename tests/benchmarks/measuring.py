"""Measuring two things against each other, and showing what came of it."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Table:
    """Figures under their headings. `notes` say what was compared with what."""

    title: str
    headings: tuple[str, ...]
    rows: list[tuple[str | float, ...]] = field(default_factory=list)
    notes: str = ""

    def __str__(self) -> str:
        lines = [self.headings, *(tuple(map(shown, row)) for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        body = "\n".join("  " + _line(line, widths) for line in lines)
        return "\n".join(filter(None, ("", self.title, body, self.notes)))

    def as_json(self) -> dict[str, Any]:
        rows = [dict(zip(self.headings, row, strict=True)) for row in self.rows]
        return {"title": self.title, "rows": rows, "notes": self.notes}


def shown(value: str | float) -> str:
    match value:
        case str():
            return value
        case float() if value < 1000:
            return f"{value:.2f}"
        case _:
            return f"{value:,.0f}"


def _line(line: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = zip(line, widths, strict=True)
    return "  ".join([first[0].ljust(first[1]), *(text.rjust(width) for text, width in rest)])


def milliseconds(work: Work) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def alternating(ours: Sequence[Work], reference: Sequence[Work]) -> tuple[float, float]:
    """The median milliseconds of either, done in turns, so that what else the machine does strikes both."""
    taken: tuple[list[float], list[float]] = ([], [])
    gc.collect()
    for number, pair in enumerate(zip(ours, reference, strict=True)):
        # Neither is always the one that finds the caches warm.
        for side in (0, 1) if number % 2 else (1, 0):
            taken[side].append(milliseconds(pair[side]))
    return median(taken[0]), median(taken[1])
