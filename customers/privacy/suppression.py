"""The suppression list: values of erased persons, as keyed hashes only, so that no file brings an erased
person back by accident (R54).

In a project that switched the list off nothing is put on it, and nothing is found on it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from customers.keyed_hashes import SUPPRESSION
from customers.profile import Key
from customers.storage.sql import execute, fetch

_SWITCHED_ON = "(SELECT suppression_list FROM customers_projectsettings WHERE id = 1)"
FIND = f"SELECT digest FROM customers_suppressedvalue WHERE digest = ANY(%s) AND {_SWITCHED_ON}"
SUPPRESS = f"""
INSERT INTO customers_suppressedvalue (digest, at)
SELECT digest, %s FROM unnest(%s::text[]) AS given (digest) WHERE {_SWITCHED_ON} ORDER BY digest
ON CONFLICT DO NOTHING
"""


def text_of(key: Key) -> str:
    """A normalised value with the system name of its kind, as it is hashed."""
    return f"{key.kind}\0{key.value}"


def suppressed(digests: Collection[str]) -> set[str]:
    """Which of these are on the list. One statement."""
    if not digests:
        return set()
    return {digest for (digest,) in fetch(FIND, [list(digests)])}


def find_suppressed(keys: Iterable[Key]) -> set[Key]:
    """Which of these values were an erased person's. One statement."""
    digests = {digest: key for key in keys for digest in SUPPRESSION.hashes(text_of(key))}
    return {digests[digest] for digest in suppressed(digests)}


def suppress(keys: Iterable[Key], at: datetime) -> None:
    """Put values on the list, if the project keeps one."""
    digests = [SUPPRESSION.hash(text_of(key)) for key in keys]
    if digests:
        execute(SUPPRESS, [at, digests])
