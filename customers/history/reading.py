"""The change history of a profile, over all its MaestraIDs, newest first (R40).

The rows hold facts (`customers.history_kinds`), the sentences are made when they are read: each kind
of entry has one function that words it. Of each MaestraID the newest rows are read by index and then sorted,
so a page costs the same whatever the history holds.
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

ROWS = """
SELECT t.at, t.id, t.maestra_id, t.data::text, t.operation_id, o.actor, p.system_name
  FROM unnest(%(maestra_ids)s::bigint[]) AS m(id)
 CROSS JOIN LATERAL (
   SELECT * FROM customers_change c
    WHERE c.maestra_id = m.id AND c.data <> '[]'
      AND (%(after)s::timestamptz IS NULL OR (c.at, c.id) <= (%(after)s::timestamptz, %(after_id)s::bigint))
      AND (%(since)s::timestamptz IS NULL OR c.at >= %(since)s::timestamptz)
      AND (%(until)s::timestamptz IS NULL OR c.at < %(until)s::timestamptz)
      AND (%(kinds)s::jsonpath IS NULL OR c.data @? %(kinds)s::jsonpath)
    ORDER BY c.at DESC, c.id DESC LIMIT %(limit)s
 ) t
  JOIN customers_operation o ON o.id = t.operation_id
  LEFT JOIN customers_integrationpoint p ON p.id = o.point_id
 ORDER BY t.at DESC, t.id DESC LIMIT %(limit)s
"""


class HistoryCursor(NamedTuple):
    """Where a page ends: a row, and how many of its entries were shown, counted from the newest."""

    at: datetime
    id: int
    shown: int


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """`next` is None on the last page."""

    items: list[Json]
    next: HistoryCursor | None


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
    """Entries of these MaestraIDs, as the API shows them, from `since` on and before `until`; without
    `kinds`, of every kind.

    `labels` are the names for people of identifier kinds and custom fields; `masking` is what the reader may
    see.
    """
    asked = {
        "maestra_ids": list(maestra_ids),
        "kinds": _one_of(kinds),
        "since": since,
        "until": until,
        "after": after and after.at,
        "after_id": after and after.id,
        "limit": limit + 2,  # every row has an entry: those of the last page shown, a page, and one more
    }
    found = [entry for row in fetch(ROWS, asked) for entry in _exploded(row, frozenset(kinds), after)]
    items = _items(found[:limit], labels, masking)
    return HistoryPage(items, found[limit - 1].place if len(found) > limit else None)


@dataclass(frozen=True, slots=True)
class _Entry:
    place: HistoryCursor
    maestra_id: int
    facts: Facts
    operation_id: int
    actor: str
    point: str | None


def _one_of(kinds: Collection[str]) -> str | None:
    """A path that finds an entry of one of these kinds."""
    tests = " || ".join(f"@.kind == {json.dumps(kind)}" for kind in sorted(kinds))
    return f"$[*] ? ({tests})" if tests else None


def _exploded(row: Sequence[Any], kinds: frozenset[str], after: HistoryCursor | None) -> list[_Entry]:
    """The entries of a row that are wanted, the newest first, less those the page before has shown."""
    at, row_id, maestra_id, data, operation_id, actor, point = row
    skipped = after.shown if after and after[:2] == (at, row_id) else 0
    entries = reversed(json.loads(data, parse_float=Decimal))
    return [
        _Entry(HistoryCursor(at, row_id, number), maestra_id, facts, operation_id, actor, point)
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
        "at": moment(entry.place.at),
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
    """The sentences of one row's entries, in the order they happened. `customer` says what a customer is
    called in the middle of a sentence.
    """
    entries = deepcopy(data)
    for kind, namer in _namers.items():
        namer([facts for facts in entries if facts["kind"] == kind])
    return [sentence(facts, labels, customer) for facts in entries]


def register_namer(kind: str, namer: Namer) -> None:
    """Let a higher app put names in place of its IDs in the entries of a kind, a page at a time."""
    _namers[kind] = namer


_namers: dict[str, Namer] = {}


def _name(entries: Sequence[_Entry]) -> None:
    for kind, namer in _namers.items():
        facts = [entry.facts for entry in entries if entry.facts["kind"] == kind]
        if facts:
            namer(facts)
