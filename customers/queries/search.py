"""Finding customers by whatever somebody types into a search box: a MaestraID, an identifier in any spelling,
the beginning of a name. Every search goes by index.
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

# Holders of any of the values, which come as parallel arrays of kind, name of the kind and value. The fourth
# parameter are the kinds of which former values find their customer too (R3), the fifth those of which only
# values that give account access find theirs (R20).
_HOLDERS = """
SELECT i.customer_id, k.name, i.value, i.is_former
  FROM unnest(%s::smallint[], %s::text[], %s::text[]) AS k(kind, name, value)
  JOIN customers_identifier i ON i.kind_id = k.kind AND i.value = k.value
 WHERE i.customer_id IS NOT NULL
   AND (NOT i.is_former OR i.kind_id = ANY(%s::smallint[]))
   AND (i.gives_access OR i.kind_id <> ALL(%s::smallint[]))
"""


MANY = 5000
"""Up to so many customers of a name are read from the index of names first. Where more have it, going through
the customers one after the other soon meets enough of them for a page.
"""

# ORDER BY asks for the order that the index has already (`~<~` compares as text_pattern_ops does). So
# PostgreSQL reads the index in its order and stops at the limit, however many rows it expects.
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
    """Those of the customers whom the text finds, by MaestraID, identifier or name."""
    identified, named = holders(text, config, access_kinds), named_ids(text)
    if named is not None:
        return customers.filter(id__in=identified | named)
    customers = customers.alias(_last=Lower("last_name"), _first=Lower("first_name"))
    return customers.filter(Q(id__in=identified) | _named(trim(text).lower()))


def _named(text: str) -> Q:
    """Either name begins with the text; or the text is both names, in either order, the second perhaps cut
    short.
    """
    names = Q(_last__startswith=text) | Q(_first__startswith=text)
    first, _, last = text.partition(" ")
    if last:
        names |= Q(_first=first, _last__startswith=last) | Q(_last=first, _first__startswith=last)
    return names


def named_ids(text: str) -> set[int] | None:
    """The MaestraIDs, former ones too, whose names are as `_named` says; None where there are more than
    `MANY`.
    """
    queries = list(_name_queries(trim(text).lower()))
    sql = "UNION ALL".join(statement for statement, _ in queries)
    rows = fetch(sql, [value for _, values in queries for value in values])
    ids = {maestra_id for (maestra_id,) in rows}
    return ids if len(ids) <= MANY else None


def _name_queries(text: str) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """One statement for each way to read the text as names, with its parameters."""
    for name in ("last_name", "first_name"):
        yield _BEGINNING.format(name), (_like(text), MANY + 1)
    first, _, last = text.partition(" ")
    if last:
        for names in (("first_name", "last_name"), ("last_name", "first_name")):
            yield _BOTH.format(*names), (first, _like(last), MANY + 1)


def _like(beginning: str) -> str:
    return f"{connection.ops.prep_for_like_query(beginning)}%"


class SearchHit(NamedTuple):
    """A customer whom a text found: by a value of which kind (`maestra_id` for a MaestraID), and whether that
    is a former one (R1, R3).
    """

    primary_id: int
    kind: str
    value: str
    is_former: bool


def find_hits(text: str, config: ProjectConfig, access_kinds: Collection[str] = ()) -> list[SearchHit]:
    """The customers whom the text finds as a MaestraID or as a value of any kind, former ones included. Of
    `access_kinds` only values that give account access are found (R20).
    """
    values = list(_values(text, config))
    former = [kind.id for kind in config.kinds.values() if kind.searches_history]
    restricted = [config.kinds[name].id for name in access_kinds]
    kinds, names = [kind.id for kind, _value in values], [kind.name for kind, _value in values]
    rows = fetch(_HOLDERS, (kinds, names, [value for _kind, value in values], former, restricted))
    return [*_by_maestra_id(text), *(SearchHit(*row) for row in rows)]


def holders(text: str, config: ProjectConfig, access_kinds: Collection[str] = ()) -> set[int]:
    """The primary MaestraIDs of the customers whom `find_hits` finds."""
    return {hit.primary_id for hit in find_hits(text, config, access_kinds)}


def _values(text: str, config: ProjectConfig) -> Iterator[tuple[Kind, str]]:
    """What the text is as a value of each kind, normalised, where it can be one and is not on the block list
    (R12).
    """
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
