"""The change history of a profile, over all its MaestraIDs, what was told last first (R40).

A row has the entries of one record and one MaestraID. They are stored as facts (`customers.history_kinds`),
and their sentences are made when they are read. Rows are in the order in which they were told, whenever
what they tell of happened. For a page the newest rows of each MaestraID are read by index and then sorted
together, so a page costs the same however long the history is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from customers.history_kinds import sentence
from customers.presentation.customer import Json, moment
from customers.presentation.masking import UNMASKED, MaskingPolicy
from customers.storage.sql import fetch
from customers.words import CustomerLabel, customer_label

Facts = dict[str, Any]

# Of each MaestraID the rows told last, by index; then those of all. Rows of a profile get their IDs in the
# order in which they are told, because each is written under the lock of the profile. `<=`: the row in which
# the page before ended may have entries that it did not show. `kinds` is an SQL/JSON path that finds an entry
# of these kinds.
ROWS = """
SELECT t.told_at, t.id, t.maestra_id, t.at, t.data::text, t.operation_id, t.actor, p.system_name
  FROM unnest(%(maestra_ids)s::bigint[]) AS m(id)
 CROSS JOIN LATERAL (
   SELECT c.*, o.at AS told_at, o.actor, o.point_id
     FROM customers_change c JOIN customers_operation o ON o.id = c.operation_id
    WHERE c.maestra_id = m.id AND c.data <> '[]'
      AND (%(after)s::bigint IS NULL OR c.id <= %(after)s::bigint)
      AND (%(since)s::timestamptz IS NULL OR o.at >= %(since)s::timestamptz)
      AND (%(until)s::timestamptz IS NULL OR o.at < %(until)s::timestamptz)
      AND (%(kinds)s::jsonpath IS NULL OR c.data @? %(kinds)s::jsonpath)
    ORDER BY c.id DESC LIMIT %(limit)s
 ) t
  LEFT JOIN customers_integrationpoint p ON p.id = t.point_id
 ORDER BY t.id DESC LIMIT %(limit)s
"""


class HistoryCursor(NamedTuple):
    """Where a page ends: the last row of the page, told `at` a time, and how many of its entries the page
    shows, counted from the newest. The next page begins with the rest of that row.
    """

    at: datetime
    id: int
    shown: int


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """`next` is None on the last page."""

    items: list[Json]
    next: HistoryCursor | None


# Each row has an entry at least. Wanted are, beside the rows of the page, the row that the page before ended
# in, of which nothing may be left, and one that shows whether there is a next page.
ROWS_BESIDE_THE_PAGE = 2


def history(
    maestra_ids: Collection[int],
    *,
    labels: Mapping[str, str],
    kinds: Collection[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    after: HistoryCursor | None = None,
    limit: int = 50,
    masking: MaskingPolicy = UNMASKED,
) -> HistoryPage:
    """A page of the history entries of these MaestraIDs, as the API shows them: told from `since` on and
    before `until`, of these `kinds` or, without any, of every kind.

    `labels` are the names of identifier kinds and custom fields for people, `masking` says what the reader
    may see.
    """
    parameters = {
        "maestra_ids": list(maestra_ids),
        "kinds": _path_to(kinds),
        "since": since,
        "until": until,
        "after": after and after.id,
        "limit": limit + ROWS_BESIDE_THE_PAGE,
    }
    rows, wanted = fetch(ROWS, parameters), frozenset(kinds)
    entries = [entry for row in rows for entry in _entries_of(row, wanted, after)]
    items = _items(entries[:limit], labels, masking)
    return HistoryPage(items, entries[limit - 1].cursor if len(entries) > limit else None)


@dataclass(frozen=True, slots=True)
class _Entry:
    """`occurred_at` is when what it tells of happened."""

    cursor: HistoryCursor
    maestra_id: int
    occurred_at: datetime
    facts: Facts
    operation_id: int
    actor: str
    point: str | None


def _path_to(kinds: Collection[str]) -> str | None:
    """An SQL/JSON path that finds entries of these kinds; None for every kind."""
    tests = " || ".join(f"@.kind == {json.dumps(kind)}" for kind in sorted(kinds))
    return f"$[*] ? ({tests})" if tests else None


def _entries_of(row: Sequence[Any], kinds: frozenset[str], after: HistoryCursor | None) -> list[_Entry]:
    """The entries of a row that are of these kinds, the newest first, without those that the page before
    shows.
    """
    told_at, row_id, maestra_id, occurred_at, data, *source = row
    skipped = after.shown if after and after.id == row_id else 0
    entries = reversed(json.loads(data, parse_float=Decimal))
    return [
        _Entry(HistoryCursor(told_at, row_id, number), maestra_id, occurred_at, facts, *source)
        for number, facts in enumerate(entries, start=1)
        if number > skipped and (not kinds or facts["kind"] in kinds)
    ]


def _items(entries: Sequence[_Entry], labels: Mapping[str, str], masking: MaskingPolicy) -> list[Json]:
    _name(entries)
    return [_item(entry, labels, masking) for entry in entries]


def _item(entry: _Entry, labels: Mapping[str, str], masking: MaskingPolicy) -> Json:
    facts = masking.facts(entry.facts)
    data = {name: _plain(value) for name, value in facts.items() if name not in ("kind", "reason", "related")}
    return {
        "at": moment(entry.cursor.at),
        "occurred_at": None if entry.occurred_at == entry.cursor.at else moment(entry.occurred_at),
        "kind": facts["kind"],
        "maestra_id": entry.maestra_id,
        "operation_id": entry.operation_id,
        "actor": entry.actor,
        "integration_point": entry.point,
        "reason": facts.get("reason"),
        "data": data,
        "related_maestra_id": facts.get("related"),
        "sentence": sentence(facts, labels),
    }


def _plain(value: Any) -> Any:
    """Decimals as text, so that no digit is lost on the way."""
    match value:
        case Decimal():
            return f"{value:f}"
        case dict():
            return {name: _plain(entry) for name, entry in value.items()}
        case _:
            return value


Namer = Callable[[list[Facts]], None]


def sentences(
    data: Sequence[Facts], labels: Mapping[str, str], customer: CustomerLabel = customer_label
) -> list[str]:
    """The sentences of the entries of one row, in the order in which they happened. `labels` are the names of
    identifier kinds and custom fields for people, `customer` says what a customer is called in a sentence.
    """
    entries = deepcopy(data)
    for kind, namer in _namers.items():
        namer([facts for facts in entries if facts["kind"] == kind])
    return [sentence(facts, labels, customer) for facts in entries]


def register_namer(kind: str, namer: Namer) -> None:
    """Lets a higher app put names in place of its IDs into the entries of a kind, before their sentences are
    made. The namer is given the entries of a whole page, and changes them in place.
    """
    _namers[kind] = namer


_namers: dict[str, Namer] = {}


def _name(entries: Sequence[_Entry]) -> None:
    for kind, namer in _namers.items():
        facts = [entry.facts for entry in entries if entry.facts["kind"] == kind]
        if facts:
            namer(facts)
