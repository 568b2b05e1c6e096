"""Finding customers by whatever somebody types: a MaestraID, an identifier in any spelling, the beginning of
a name. By index.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import NamedTuple

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from customers.models import Customer
from customers.normalise import Invalid, trim
from customers.profile import MAESTRA_ID, Kind
from customers.setup.project_config import ProjectConfig, normalisers
from customers.storage.loading import HIGHEST_MAESTRA_ID, primary_ids_of
from customers.storage.sql import fetch

Customers = QuerySet[Customer]

# A former value finds its customer where its kind says so (R3). Of some kinds only values that give account
# access are seen (R20).
_HOLDERS = """
SELECT i.customer_id, k.name, i.value, i.is_former
  FROM unnest(%s::smallint[], %s::text[], %s::text[]) AS k(kind, name, value)
  JOIN customers_identifier i ON i.kind_id = k.kind AND i.value = k.value
 WHERE i.customer_id IS NOT NULL
   AND (NOT i.is_former OR i.kind_id = ANY(%s::smallint[]))
   AND (i.gives_access OR i.kind_id <> ALL(%s::smallint[]))
"""


MANY = 5000
"""So many customers of a name are picked out of its index; more are met soon enough one after the other."""

# The order, asked for, is the index's own: the search stays in it, however many it is expected to find.
_BEGINNING = """
(SELECT id FROM customers_customer WHERE lower({0}) LIKE %s ORDER BY lower({0}) USING ~<~ LIMIT %s)
"""
_BOTH = """
(SELECT id FROM customers_customer WHERE lower({0}) = %s AND lower({1}) LIKE %s
  ORDER BY lower({0}) USING ~<~, lower({1}) USING ~<~ LIMIT %s)
"""


def matching(
    customers: Customers, text: str, config: ProjectConfig, access_kinds: Collection[str] = ()
) -> Customers:
    """The customers, of these, whom the text leads to."""
    found, named = holders(text, config, access_kinds), named_ids(text)
    if named is not None:
        return customers.filter(id__in=found | named)
    customers = customers.alias(_last=Lower("last_name"), _first=Lower("first_name"))
    return customers.filter(Q(id__in=found) | _named(trim(text).lower()))


def _named(text: str) -> Q:
    """The beginning of either name, or both names in either order."""
    names = Q(_last__startswith=text) | Q(_first__startswith=text)
    first, _, last = text.partition(" ")
    if last:
        names |= Q(_first=first, _last__startswith=last) | Q(_last=first, _first__startswith=last)
    return names


def named_ids(text: str) -> set[int] | None:
    """MaestraIDs, former ones among them, of the names that `_named` describes; None for too many."""
    picks = list(_picks(trim(text).lower()))
    rows = fetch("UNION ALL".join(sql for sql, _ in picks), [v for _, values in picks for v in values])
    found = {maestra_id for (maestra_id,) in rows}
    return found if len(found) <= MANY else None


def _picks(text: str) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    for name in ("last_name", "first_name"):
        yield _BEGINNING.format(name), (_like(text), MANY + 1)
    first, _, last = text.partition(" ")
    if last:
        for names in (("first_name", "last_name"), ("last_name", "first_name")):
            yield _BOTH.format(*names), (first, _like(last), MANY + 1)


def _like(beginning: str) -> str:
    return f"{connection.ops.prep_for_like_query(beginning)}%"


class SearchHit(NamedTuple):
    """Whom a text leads to, as what: by a value of which kind, or by a MaestraID, and whether it is a former
    one (R1, R3).
    """

    primary_id: int
    kind: str
    value: str
    is_former: bool


def find_hits(text: str, config: ProjectConfig, access_kinds: Collection[str] = ()) -> list[SearchHit]:
    """Everything that a MaestraID, or the value of an identifier, leads to; former ones included."""
    values = list(_values(text, config))
    former = [kind.id for kind in config.kinds.values() if kind.searches_history]
    restricted = [config.kinds[name].id for name in access_kinds]
    kinds, names = [kind.id for kind, _value in values], [kind.name for kind, _value in values]
    rows = fetch(_HOLDERS, (kinds, names, [value for _kind, value in values], former, restricted))
    return [*_by_maestra_id(text), *(SearchHit(*row) for row in rows)]


def holders(text: str, config: ProjectConfig, access_kinds: Collection[str] = ()) -> set[int]:
    """Primary MaestraIDs of those the text leads to."""
    return {found.primary_id for found in find_hits(text, config, access_kinds)}


def _values(text: str, config: ProjectConfig) -> Iterator[tuple[Kind, str]]:
    """What the text may be: a value of any kind, unless it is on the block list (R12)."""
    by_category = normalisers(config.default_region)
    for kind in config.kinds.values():
        with suppress(Invalid):
            value = by_category[kind.category](text)
            if not config.block_list.blocks(kind.name, text, value):
                yield kind, value


def _by_maestra_id(text: str) -> list[SearchHit]:
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= HIGHEST_MAESTRA_ID):
        return []
    primary_id = primary_ids_of([int(text)]).get(int(text))
    return [SearchHit(primary_id, MAESTRA_ID, text, is_former=primary_id != int(text))] if primary_id else []
