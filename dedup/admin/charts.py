"""A bar chart as figures for an SVG, drawn by the template: no script, and legible by a screen formatter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

WIDTH, HEIGHT, GAP = 600, 120, 4
LEAST_TALL = 4
"""So many a day are as high as the picture, so that a single one does not look like many."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One day: its place in the picture, and what it stands for."""

    day: date
    number: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    slug: str
    title: str
    bars: tuple[Bar, ...]
    total: int
    most: int
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def first(self) -> date:
        return self.bars[0].day

    @property
    def last(self) -> date:
        return self.bars[-1].day


def chart(slug: str, title: str, days: Sequence[tuple[date, int]]) -> Chart:
    """The tallest bar is as high as the picture; a day with anything at all can be seen."""
    most = max(number for _day, number in days)
    step = WIDTH / len(days)
    bars = tuple(_bar(index * step, step, day, number, most) for index, (day, number) in enumerate(days))
    return Chart(slug, title, bars, sum(number for _day, number in days), most)


def _bar(x: float, step: float, day: date, number: int, most: int) -> Bar:
    height = max(HEIGHT * number / max(most, LEAST_TALL), 2) if number else 0
    return Bar(
        day, number, round(x + GAP / 2, 2), round(HEIGHT - height, 2), round(step - GAP, 2), round(height, 2)
    )
