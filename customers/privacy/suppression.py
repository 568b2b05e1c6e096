"""The suppression list: values of erased persons, as keyed hashes only, so that no file brings an erased
person back by accident (R54).

The values of one erasure have its moment in common. They leave the list together, once the person is back. In
a project that switched the list off nothing is put on it, and nothing is found on it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from customers.keyed_hashes import SUPPRESSION
from customers.profile import Key
from customers.storage.sql import execute, fetch

_SWITCHED_ON = "(SELECT suppression_list FROM customers_projectsettings WHERE id = 1)"
FIND = f"SELECT digest, at FROM customers_suppressedvalue WHERE digest = ANY(%s) AND {_SWITCHED_ON}"
# Of a value that was erased twice the later erasure counts.
SUPPRESS = f"""
INSERT INTO customers_suppressedvalue (digest, at)
SELECT digest, %s FROM unnest(%s::text[]) AS given (digest) WHERE {_SWITCHED_ON} ORDER BY digest
ON CONFLICT (digest) DO UPDATE SET at = EXCLUDED.at
"""
RELEASE = "DELETE FROM customers_suppressedvalue WHERE at = ANY(%s)"


def text_of(key: Key) -> str:
    """A normalised value with the system name of its kind, as it is hashed."""
    return f"{key.kind}\0{key.value}"


def suppressed(digests: Collection[str]) -> Mapping[str, datetime]:
    """Which of these are on the list, and when their persons were erased. One statement."""
    return dict(fetch(FIND, [list(digests)])) if digests else {}


def find_suppressed(keys: Iterable[Key]) -> dict[Key, datetime]:
    """Which of these values were an erased person's, and when that person was erased. One statement."""
    digests = {digest: key for key in keys for digest in SUPPRESSION.hashes(text_of(key))}
    found: dict[Key, datetime] = {}
    for digest, at in suppressed(digests).items():
        key = digests[digest]
        found[key] = max(at, found.get(key, at))
    return found


def suppress(keys: Iterable[Key], at: datetime) -> None:
    """Put the values of an erasure at this moment on the list, if the project keeps one."""
    digests = [SUPPRESSION.hash(text_of(key)) for key in keys]
    if digests:
        execute(SUPPRESS, [at, digests])


def release(moments: Collection[datetime]) -> None:
    """Take the values of these erasures off the list: their persons are back."""
    if moments:
        execute(RELEASE, [sorted(moments)])
