"""Profiles side by side, before and after: what is kept, lost and gained, and by which policy.

The same table shows a merge before it happens, one that happened, and the undo of it. Everything in it comes
from the profiles the engine decided on; nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.presentation.names import full_name
from customers.profile import Profile
from dedup.admin.profile_facets import CellLine, Facets, facets_of
from dedup.admin.value_formatter import ValueFormatter

MOST_LINES = 12
"""Values of one kind that a cell shows; the rest is counted."""
ADDED_UP = frozenset({"members", "notes"})
"""What is added up from both sides, so that none of it is ever lost."""


@dataclass(frozen=True, slots=True)
class ComparisonCell:
    lines: tuple[CellLine, ...] = ()
    sources: tuple[int, ...] = ()
    more: int = 0

    @property
    def shown(self) -> tuple[CellLine, ...]:
        return self.lines[:MOST_LINES]


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One field of all profiles. Where the sides differ, `policy` says why the result is what it is; it
    belongs to the profile's `field`.
    """

    key: str
    field: str
    group: str
    label: str
    policy: str
    before: tuple[ComparisonCell, ...]
    after: tuple[ComparisonCell, ...]
    is_new: bool = False

    @property
    def digest(self) -> str:
        """The same in two previews that show the same here, without revealing what."""
        return sha256(repr((self.before, self.after)).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class ComparisonColumn:
    """A profile as a column of the table. `role`: before, after."""

    maestra_id: int
    name: str
    role: str
    title: str


@dataclass(frozen=True, slots=True)
class Comparison:
    columns: tuple[ComparisonColumn, ...]
    rows: tuple[ComparisonRow, ...]

    @property
    def groups(
        self,
    ) -> list[tuple[str, list[tuple[ComparisonRow, list[tuple[ComparisonColumn, ComparisonCell]]]]]]:
        """Rows with their cells, by group; a policy is stated once, where it first applies."""
        grouped: dict[str, list[Any]] = {}
        stated: set[str] = set()
        for row in self.rows:
            once = replace(row, policy="") if row.policy in stated else row
            stated.add(row.policy)
            cells = list(zip(self.columns, (*row.before, *row.after), strict=True))
            grouped.setdefault(row.group, []).append((once, cells))
        return [(str(GROUPS[name]), rows) for name, rows in grouped.items()]

    @property
    def digests(self) -> dict[str, str]:
        return {row.key: row.digest for row in self.rows}

    def against(self, seen: Mapping[str, str]) -> Comparison:
        """The same, marking the rows that differ from what somebody has seen."""
        rows = (replace(row, is_new=seen.get(row.key) != row.digest) for row in self.rows)
        return replace(self, rows=tuple(rows))


GROUPS: Mapping[str, str | Promise] = {
    "contacts": gettext_lazy("Contacts and identifiers"),
    "consent": gettext_lazy("Consent"),
    "person": gettext_lazy("Personal data"),
    "segments": gettext_lazy("Segments"),
    "ledger": gettext_lazy("Orders, loyalty and activity"),
    "customer": gettext_lazy("Customer"),
}


def compare(before: Sequence[Profile], after: Sequence[Profile], formatter: ValueFormatter) -> Comparison:
    """What becomes of `before`, the rows in a fixed order."""
    old, new = [facets_of(p, formatter) for p in before], [facets_of(p, formatter) for p in after]
    keys = dict.fromkeys(key for facets in (*new, *old) for key in facets)
    groups = list(GROUPS)
    rows = [_row(key, old, new, before) for key in keys]
    rows.sort(key=lambda row: groups.index(row.group))
    return Comparison((*_columns(before, "before"), *_columns(after, "after")), tuple(rows))


def _columns(profiles: Sequence[Profile], role: str) -> Iterator[ComparisonColumn]:
    for p in profiles:
        words = _("Customer %(id)s") if role == "before" else _("Becomes customer %(id)s")
        yield ComparisonColumn(p.maestra_id, full_name(p.personal), role, words % {"id": p.maestra_id})


def _row(key: str, old: Sequence[Facets], new: Sequence[Facets], before: Sequence[Profile]) -> ComparisonRow:
    facet = next(f[key] for f in (*new, *old) if key in f)
    sources = [f[key].lines if key in f else () for f in old]
    results = [f[key].lines if key in f else () for f in new]
    after = {line.text: line.badges for lines in results for line in lines}
    is_added_up = facet.field in ADDED_UP
    cells = tuple(
        _cell(lines if is_added_up else [replace(line, mark=_mark(line, after)) for line in lines])
        for lines in sources
    )
    made = tuple(_cell(lines, () if is_added_up else _sources(lines, sources, before)) for lines in results)
    # An undo follows no policy: it gives back what was.
    has_policy = len(new) == 1 and len({frozenset(lines) for lines in (*sources, *results)}) > 1
    return ComparisonRow(
        key, facet.field, facet.group, facet.label, facet.sentence if has_policy else "", cells, made
    )


def _cell(lines: Sequence[CellLine], sources: tuple[int, ...] = ()) -> ComparisonCell:
    return ComparisonCell(tuple(lines), sources, max(len(lines) - MOST_LINES, 0))


def _mark(line: CellLine, after: Mapping[str, tuple[str, ...]]) -> str:
    if line.text not in after:
        return "lost"
    return "kept" if after[line.text] == line.badges else "changed"


def _sources(
    lines: Sequence[CellLine], sources: Sequence[Sequence[CellLine]], before: Sequence[Profile]
) -> tuple[int, ...]:
    """The customers whose values these are."""
    texts = {line.text for line in lines}
    if len(before) < 2:
        return ()
    return tuple(
        p.maestra_id
        for p, named in zip(before, sources, strict=True)
        if texts & {line.text for line in named}
    )
