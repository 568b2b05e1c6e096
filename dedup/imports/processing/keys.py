"""What a row names, as numbers: two rows that have none in common cannot bear on each other.

A row names the values it brings, and the customers who have them; of a device also those who ever used it,
because it joins nobody once they are too many (R26). The numbers are keyed hashes, so that what is kept of a
row tells no value to anybody without the key.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from django.conf import settings

from customers.keyed_hashes import begun_import_hash
from customers.profile import DEVICES, MAESTRA_ID, PAYMENT_CARD, Key
from customers.setup.project_config import ProjectConfig
from customers.storage.sql import Question, ask, over
from dedup.imports.columns.rows import ORDER
from dedup.storage.loading import CARDS_LOOKED_AT

CUSTOMER = " customer"
"""Stands for an identifier kind, as `ORDER` does, where a customer is named by what they have."""

VALUES = {"kind": "smallint", "value": "text"}
HELD = """
SELECT i.kind_id::text, i.value, i.customer_id
  FROM {rows} JOIN customers_identifier i ON i.kind_id = u.kind AND i.value = u.value
 WHERE i.customer_id IS NOT NULL
"""
# A device that so many used stays shared, whatever an import merges.
USERS = """
SELECT u.kind::text, u.value, p.profile_id
  FROM {rows} JOIN customers_identifier i ON i.kind_id = u.kind AND i.value = u.value
  CROSS JOIN LATERAL (
    SELECT DISTINCT c.profile_id FROM customers_deviceuse d JOIN customers_customer c ON c.id = d.origin_id
     WHERE d.identifier_id = i.id LIMIT %s
  ) p
"""
CARDS = """
SELECT 'card', h.hash, p.customer_id
  FROM unnest(%s::text[]) AS h(hash)
 CROSS JOIN LATERAL (
   SELECT DISTINCT customer_id FROM customers_paymentcard WHERE hash = h.hash ORDER BY customer_id LIMIT %s
 ) p
"""
MEMBERS = "SELECT 'member', c.id::text, c.profile_id FROM customers_customer c WHERE c.id = ANY(%s::bigint[])"
ORDERS = """
SELECT 'order', o.number, c.profile_id
  FROM customers_order o JOIN customers_customer c ON c.id = o.maestra_id WHERE o.number = ANY(%s::text[])
"""


def number_of(key: Key) -> int:
    """The key as 64 bits, the same on every host."""
    (number,) = _numbers([key])
    return number


def _numbers(keys: Sequence[Key]) -> tuple[int, ...]:
    begun = begun_import_hash(settings.HASH_KEY)
    return struct.unpack(f">{len(keys)}q", b"".join([_digest(kind, value, begun) for kind, value in keys]))


def _digest(kind: str, value: str, begun: Any) -> bytes:
    found = begun.copy()
    found.update(f"{kind}\0{value}".encode())
    digest: bytes = found.digest()
    return digest


def numbers_of(rows: Sequence[Sequence[Key]], config: ProjectConfig) -> list[list[int]]:
    """For each row the numbers of what it names, and of the customers who have that. One message to the
    database.
    """
    named = list(dict.fromkeys(chain.from_iterable(rows)))
    of_key = {key: [number] for key, number in zip(named, _numbers(named), strict=True)}
    held = _customers(named, config)
    primary_ids = list({primary_id for of in held.values() for primary_id in of})
    of_primary = dict(
        zip(
            primary_ids, _numbers([Key(CUSTOMER, str(primary_id)) for primary_id in primary_ids]), strict=True
        )
    )
    for key, of in held.items():
        of_key[key] += [of_primary[primary_id] for primary_id in of]
    return [sorted({number for key in row for number in of_key[key]}) for row in rows]


def _customers(keys: Iterable[Key], config: ProjectConfig) -> Mapping[Key, set[int]]:
    """The primary MaestraIDs of those who have, or ever used, what is named."""
    found: defaultdict[Key, set[int]] = defaultdict(set)
    for answer in ask(_questions(keys, config)):
        for what, value, primary_id in answer:
            found[_key(what, value, config)].add(primary_id)
    return found


def _questions(keys: Iterable[Key], config: ProjectConfig) -> list[Question]:
    by_kind: defaultdict[str, list[str]] = defaultdict(list)
    for key in keys:
        by_kind[key.kind].append(key.value)
    held = [
        (config.kinds[kind].id, v) for kind, values in by_kind.items() if kind in config.kinds for v in values
    ]
    device_ids = {kind.id for kind in config.kinds.values() if kind.category in DEVICES}
    used = [pair for pair in held if pair[0] in device_ids]
    questions: list[Question] = []
    if held:
        questions.append(over(HELD, VALUES, held))
    if used:
        sql, values = over(USERS, VALUES, used)
        questions.append((sql, [*values, 2 * config.shared_device_limit + 1]))
    if cards := by_kind[PAYMENT_CARD]:
        questions.append((CARDS, [cards, CARDS_LOOKED_AT]))
    for kind, sql in ((MAESTRA_ID, MEMBERS), (ORDER, ORDERS)):
        if by_kind[kind]:
            questions.append((sql, [by_kind[kind]]))
    return questions


def _key(what: str, value: str, config: ProjectConfig) -> Key:
    kinds = {"card": PAYMENT_CARD, "member": MAESTRA_ID, "order": ORDER}
    return Key(kinds[what] if what in kinds else config.kinds_by_id[int(what)].name, value)
