"""Customers that do not exist yet: those a preview would create, and a record that is weighed as a customer.

A preview draws no MaestraID from the database. It numbers its customers from beyond all that will ever be
drawn, so that nothing else of a decision differs from one that is stored; whoever shows such a number shows
what is said instead.
"""

from __future__ import annotations

from collections.abc import Iterator

NO_MAESTRA_ID = 0
"""Stands in a record weighed as a customer for the MaestraID it does not have."""
_FIRST = 1 << 62


def is_provisional(maestra_id: int) -> bool:
    """Whether nobody is stored under it, and nobody will be."""
    return maestra_id == NO_MAESTRA_ID or maestra_id >= _FIRST


def stored_id(maestra_id: int) -> int | None:
    """The MaestraID as it is answered and kept: None of a customer that does not exist yet."""
    return None if is_provisional(maestra_id) else maestra_id


def provisional_ids() -> Iterator[int]:
    """MaestraIDs for the customers a preview would create, more than any batch has records."""
    return iter(range(_FIRST, _FIRST + 1_000_000))
