"""Finding customers by whatever somebody types: a MaestraID, an identifier in any spelling, the beginning of
a name. By index.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from customers.kinds import Catalogue, normalisers
from customers.models import Customer
from customers.normalise import Invalid, trim
from customers.profile import Kind
from customers.reading import HIGHEST_MAESTRA_ID, heads_of

# A former value finds its customer where its kind says so (R3). Of some kinds only values that give account
# access are seen (R20).
_HOLDERS = """
SELECT DISTINCT i.customer_id
  FROM unnest(%s::smallint[], %s::text[]) AS k(kind, value)
  JOIN customers_identifier i ON i.kind_id = k.kind AND i.value = k.value
 WHERE i.customer_id IS NOT NULL
   AND (NOT i.is_former OR i.kind_id = ANY(%s::smallint[]))
   AND (i.gives_access OR i.kind_id <> ALL(%s::smallint[]))
"""


def matching(
    customers: QuerySet[Customer], text: str, catalogue: Catalogue, access_kinds: Collection[str] = ()
) -> QuerySet[Customer]:
    """The customers, of these, whom the text leads to."""
    text = trim(text)
    found = Q(id__in=holders(text, catalogue, access_kinds)) | _named(text.lower())
    return customers.alias(_last=Lower("last_name"), _first=Lower("first_name")).filter(found)


def _named(text: str) -> Q:
    """The beginning of either name, or both names in either order."""
    names = Q(_last__startswith=text) | Q(_first__startswith=text)
    first, _, last = text.partition(" ")
    if last:
        names |= Q(_first=first, _last__startswith=last) | Q(_last=first, _first__startswith=last)
    return names


def holders(text: str, catalogue: Catalogue, access_kinds: Collection[str] = ()) -> set[int]:
    """Primary MaestraIDs that a MaestraID, or the value of an identifier, leads to; former ones included (R1,
    R3).
    """
    values = list(_values(text, catalogue))
    former = [kind.id for kind in catalogue.kinds.values() if kind.searches_history]
    restricted = [catalogue.kinds[name].id for name in access_kinds]
    with connection.cursor() as cursor:
        cursor.execute(
            _HOLDERS, [[kind.id for kind, _ in values], [value for _, value in values], former, restricted]
        )
        found = {row[0] for row in cursor.fetchall()}
    return found | set(_by_maestra_id(text))


def _values(text: str, catalogue: Catalogue) -> Iterator[tuple[Kind, str]]:
    """What the text may be: a value of any kind, unless it is on the block list (R12)."""
    by_category = normalisers(catalogue.default_region)
    for kind in catalogue.kinds.values():
        with suppress(Invalid):
            value = by_category[kind.category](text)
            if not catalogue.block_list.blocks(kind.name, text, value):
                yield kind, value


def _by_maestra_id(text: str) -> Collection[int]:
    if text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= HIGHEST_MAESTRA_ID:
        return heads_of([int(text)]).values()
    return ()
