"""Erasure: forgetting a person under all their MaestraIDs (R54).

What only this person has is removed from every table. A value that another customer holds or claims too stays
with that customer. Orders, points and activities remain as amounts and counts, under a MaestraID that finds
nobody any more. Rows of identifiers remain with their value blanked, because activities of others may refer
to them.

The rows of other customers may name the person too. Which customers these are is known from links that exist
on both sides: related customers, notes, history entries that name the other customer, devices used by both,
and what higher apps know (undone merges, pairs to review). So an erasure reads the histories of a few
customers and not of all, in a number of statements that does not depend on how much data there is.

Every app takes part with a module `erasure`, imported when the apps are loaded, which registers an `Eraser`
for the tables of that app.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from customers.changes import Erased
from customers.privacy import suppression
from customers.privacy.redaction import ErasedPerson, entries_without, fields_of
from customers.profile import PAYMENT_CARD, PERSONAL_FIELDS, Key, Profile
from customers.setup.project_config import ProjectConfig, project_config
from customers.storage import saving
from customers.storage.batch import Batch, RecordChanges
from customers.storage.locking import found_profile, lock, operation_of
from customers.storage.sql import as_json, execute, fetch
from customers.storage.transactions import Contended, in_transaction, wait_no_longer

SINGLE_VALUES = (*PERSONAL_FIELDS, "time_zone")

# MaestraIDs of customers whose rows may name the person, from the links on either side.
LINKED = """
SELECT (e.entry ->> 'related')::bigint
  FROM customers_change c CROSS JOIN LATERAL jsonb_array_elements(c.data) AS e(entry)
 WHERE c.maestra_id = ANY(%(ids)s) AND e.entry ? 'related'
UNION SELECT related_id FROM customers_relation WHERE maestra_id = ANY(%(ids)s)
UNION SELECT maestra_id FROM customers_relation WHERE related_id = ANY(%(ids)s)
UNION SELECT related FROM customers_note WHERE maestra_id = ANY(%(ids)s) AND related IS NOT NULL
UNION SELECT maestra_id FROM customers_note WHERE related = ANY(%(ids)s)
UNION SELECT other.origin_id FROM customers_deviceuse mine
        JOIN customers_deviceuse other ON other.identifier_id = mine.identifier_id
       WHERE mine.origin_id = ANY(%(ids)s)
"""
# All MaestraIDs of the profiles that any of these belong to, each with its primary one.
PROFILES = """
SELECT m.id, m.profile_id FROM customers_customer m
 WHERE m.profile_id IN (SELECT profile_id FROM customers_customer WHERE id = ANY(%s))
"""
# Every value that the person's own rows name: held or claimed now, or named in notes, related customers or
# the history. The jsonpath finds every object with `type` and `value` at any depth of an entry.
NAMED = """
SELECT k.system_name, i.value
  FROM (
    SELECT id FROM customers_identifier WHERE customer_id = %(primary_id)s
    UNION SELECT identifier_id FROM customers_claim WHERE customer_id = %(primary_id)s
  ) own
  JOIN customers_identifier i USING (id) JOIN customers_identifierkind k ON k.id = i.kind_id
UNION SELECT k.system_name, f.value
  FROM customers_formeridentifier f JOIN customers_identifierkind k ON k.id = f.kind_id
 WHERE f.customer_id = %(primary_id)s
UNION SELECT kind, value FROM customers_note WHERE maestra_id = ANY(%(ids)s)
UNION SELECT kind, value FROM customers_relation WHERE maestra_id = ANY(%(ids)s)
UNION SELECT e.named ->> 'type', e.named ->> 'value'
  FROM customers_change c
 CROSS JOIN LATERAL jsonb_path_query(c.data, '$.** ? (exists(@.type) && exists(@.value))') AS e(named)
 WHERE c.maestra_id = ANY(%(ids)s) AND jsonb_typeof(e.named) = 'object'
"""
# The rows of these values, in the order in which everybody locks them.
LOCK_VALUES = """
SELECT i.id FROM unnest(%(kinds)s::smallint[], %(values)s::text[]) AS v(kind, value)
  JOIN customers_identifier i ON i.kind_id = v.kind AND i.value = v.value
 ORDER BY i.id FOR UPDATE OF i
"""
# Those rows read under the lock. The last column says whether another customer has, had or claims the value.
VALUES = """
SELECT k.system_name, i.value, i.id,
       coalesce(i.customer_id <> %(primary_id)s, false)
       OR EXISTS (
         SELECT FROM customers_claim c WHERE c.identifier_id = i.id AND c.customer_id <> %(primary_id)s)
       OR EXISTS (
         SELECT FROM customers_formeridentifier f
          WHERE f.kind_id = i.kind_id AND f.value = i.value AND f.customer_id <> %(primary_id)s)
  FROM customers_identifier i JOIN customers_identifierkind k ON k.id = i.kind_id
 WHERE i.id = ANY(%(rows)s)
"""
CARDS_OF_OTHERS = "SELECT hash FROM customers_paymentcard WHERE hash = ANY(%s) AND customer_id <> %s"
# Fields of the person as JSON objects: those of every MaestraID as they are now, and what the history says
# that they were before and after a change. A change by a merge or an undo may have brought another customer's
# fields, so it does not count.
OWN_FIELDS = f"""
SELECT to_jsonb(c) FROM (
  SELECT {", ".join(SINGLE_VALUES)}, custom_fields FROM customers_customer WHERE id = ANY(%(ids)s)
) c
UNION
SELECT jsonb_build_object('custom_fields', s.side)
  FROM customers_change c
 CROSS JOIN LATERAL jsonb_array_elements(c.data) AS e(entry)
 CROSS JOIN LATERAL (VALUES (e.entry -> 'before'), (e.entry -> 'after')) AS s(side)
 WHERE c.maestra_id = ANY(%(ids)s) AND e.entry ->> 'kind' IN ('personal_data', 'custom_fields')
   AND e.entry ->> 'reason' NOT IN ('merge', 'undo')
"""
# Rows of the histories of others to look through, with whether they were written while both were one profile
# (`shared`). Looked through are all of those, as they may hold the person's fields; of the others only the
# rows that have one of the person's values or MaestraIDs (`names`) anywhere in them.
OTHERS_HISTORY = """
SELECT c.id, c.data, l.shared
  FROM customers_change c
 CROSS JOIN LATERAL (
   SELECT EXISTS (
     SELECT FROM unnest(%(life_ids)s::bigint[], %(first)s::bigint[], %(last)s::bigint[]) AS l(id, first, last)
      WHERE l.id = c.maestra_id AND c.operation_id BETWEEN l.first AND l.last
   )
 ) AS l(shared)
 WHERE c.maestra_id = ANY(%(others)s)
   AND (l.shared OR jsonb_path_exists(c.data, '$.** ? (@ == $names[*])', %(names)s::jsonb))
 ORDER BY c.id
"""
FORGET_OWN_HISTORY = """
UPDATE customers_change SET data = '[]', erased_at = %(at)s WHERE maestra_id = ANY(%(ids)s) AND data <> '[]'
"""
FORGET_IN_HISTORY = """
UPDATE customers_change c SET data = u.data, erased_at = %s
  FROM unnest(%s::bigint[], %s::jsonb[]) AS u(id, data) WHERE c.id = u.id
"""
# Notes or related customers (`table`) of the person, about the person (column `other`), or of others about a
# value that was only the person's.
FORGET_REMARKS = """
DELETE FROM {table} r
 WHERE r.maestra_id = ANY(%(ids)s) OR r.{other} = ANY(%(ids)s)
    OR (r.maestra_id = ANY(%(others)s) AND (r.kind, r.value) IN (
          SELECT kind, value FROM unnest(%(kinds)s::text[], %(values)s::text[]) AS v(kind, value)))
"""
OTHER_OF = {"customers_note": "related", "customers_relation": "related_id"}
KEPT_OF_ORDER_LINES = (
    "sku", "product_id", "item_id", "quantity", "count", "price", "unit_price", "amount", "total", "discount",
    "tax", "currency",
)  # fmt: skip
"""What stays of the lines of an order: which goods, how many, for how much. Anything else may say something
of the person.
"""
# The lines of each order again, each with only the keys that are `kept`, and of those only numbers and texts.
STRIP_ORDERS = """
UPDATE customers_order o SET lines = (
  SELECT coalesce(jsonb_agg(
    (SELECT coalesce(jsonb_object_agg(f.name, f.fact), '{}') FROM jsonb_each(l.line) AS f(name, fact)
      WHERE f.name = ANY(%(kept)s) AND jsonb_typeof(f.fact) IN ('number', 'string')) ORDER BY l.place), '[]')
    FROM jsonb_array_elements(o.lines) WITH ORDINALITY AS l(line, place))
 WHERE o.maestra_id = ANY(%(ids)s) AND o.lines <> '[]'
"""
# Texts that begin with a space are never normalised values (R11): nobody can send the text that stands for an
# erased one.
STRIP_POINTS = """
UPDATE customers_pointsmovement SET number = NULL, reason = ''
 WHERE maestra_id = ANY(%(ids)s) AND (number IS NOT NULL OR reason <> '')
"""
STRIP_PROMO_CODES = "UPDATE customers_promocode SET code = ' erased ' || id WHERE maestra_id = ANY(%(ids)s)"
STRIP_ACTIVITIES = """
UPDATE customers_activity SET device_id = NULL, url = '', title = '', properties = '{}'
 WHERE maestra_id = ANY(%(ids)s)
   AND (device_id IS NOT NULL OR url <> '' OR title <> '' OR properties <> '{}')
"""
STRIP_LEDGERS = (STRIP_ORDERS, STRIP_POINTS, STRIP_PROMO_CODES, STRIP_ACTIVITIES)
BLANK_VALUES = "UPDATE customers_identifier SET value = ' erased ' || id, raw = '' WHERE id = ANY(%s)"


@dataclass(frozen=True, slots=True)
class SharedLife:
    """A time during which other MaestraIDs belonged to one profile with the person: from the operation that
    merged them to the one that separated them again. What was written in between under those MaestraIDs may
    be the person's data.
    """

    others: frozenset[int]
    first_operation: int
    last_operation: int


@dataclass(frozen=True, slots=True)
class Links:
    """Other customers whose rows may name the person, as an app knows them."""

    others: frozenset[int] = frozenset()
    shared_lives: tuple[SharedLife, ...] = ()


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure that is under way: what each `Eraser` needs to know.

    `person.keys` are the values that nobody else holds or claims, `rows` the IDs of their identifier rows.
    `others` are MaestraIDs of other customers whose rows may name the person. `batch` is what will be saved
    of it.
    """

    person: ErasedPerson
    rows: tuple[int, ...]
    others: frozenset[int]
    batch: Batch

    @property
    def maestra_ids(self) -> list[int]:
        return sorted(self.person.maestra_ids)

    @property
    def at(self) -> datetime:
        return self.batch.operation.at

    @property
    def texts(self) -> list[str]:
        """The person's values, without their kinds."""
        return sorted({key.value for key in self.person.keys})


def no_links(_maestra_ids: Collection[int]) -> Links:
    return Links()


@dataclass(frozen=True, slots=True)
class Eraser:
    """How a higher app takes part: `erase` removes the person from its tables, `links` says whose rows may
    name the person. Each takes a fixed number of statements.
    """

    erase: Callable[[Erasure], None]
    links: Callable[[Collection[int]], Links] = no_links


def register_eraser(eraser: Eraser) -> None:
    """Lets a higher app take part in every erasure (R54)."""
    if eraser not in _erasers:
        _erasers.append(eraser)


_erasers: list[Eraser] = []


def erase(
    maestra_id: int,
    *,
    actor: str,
    user_id: int | None = None,
    point_id: int | None = None,
    stated: str = "",
) -> None:
    """Forgets the person with this MaestraID, and all other MaestraIDs of theirs (R54). `stated` is the
    reason a colleague gives, which stays in the history. Raises
    `customer_not_found`.
    """
    in_transaction(lambda: _erase(maestra_id, actor, user_id, point_id, stated))


def _erase(maestra_id: int, actor: str, user_id: int | None, point_id: int | None, stated: str) -> None:
    config, scope = project_config(), _locked_scope(maestra_id)
    profile, now = scope.profile, timezone.now()
    keys, rows = _own_values(profile, config)
    change = Erased(
        customer=profile.maestra_id,
        maestra_id=profile.maestra_id,
        maestra_ids=tuple(sorted(profile.maestra_ids)),
        stated=stated,
    )
    operation = operation_of("erase", now, actor, user_id, point_id)
    batch = Batch((RecordChanges((change,), now, point_id),), operation, config.kinds)
    person = ErasedPerson(profile.maestra_ids, keys, _own_fields(profile))
    erasure = Erasure(person, rows, scope.others, batch)
    suppression.suppress([*keys, *_own_cards(profile)], now)
    _forget_in_histories(erasure, scope.shared_lives)
    _strip_ledgers(erasure)
    for eraser in _erasers:
        eraser.erase(erasure)
    saving.save(batch)
    execute(BLANK_VALUES, [list(rows)])


@dataclass(frozen=True, slots=True)
class _Scope:
    """The person's profile, all MaestraIDs of the customers it is linked with, and the primary MaestraIDs of
    all of them, which are to be locked.
    """

    profile: Profile
    others: frozenset[int]
    primary_ids: frozenset[int]
    shared_lives: tuple[SharedLife, ...]


def _locked_scope(maestra_id: int) -> _Scope:
    """Reads who is concerned, locks them and reads again. Raises `Contended` where somebody changed it in
    between, so that the transaction is tried again.
    """
    before = _scope(maestra_id)
    locked = lock(before.primary_ids)
    # What else it takes, such as waiting events, may be held by somebody who waits for these customers.
    wait_no_longer()
    scope = _scope(maestra_id)
    if scope.profile.maestra_id != before.profile.maestra_id or not scope.primary_ids <= locked:
        raise Contended
    return scope


def _scope(maestra_id: int) -> _Scope:
    profile = found_profile(maestra_id)
    primary_id, own = profile.maestra_id, profile.maestra_ids
    links = [eraser.links(own) for eraser in _erasers]
    linked = {row[0] for row in fetch(LINKED, {"ids": list(own)})}.union(*(link.others for link in links))
    members = fetch(PROFILES, [[primary_id, *linked]])
    return _Scope(
        profile,
        others=frozenset(maestra_id for maestra_id, _primary_id in members) - own,
        primary_ids=frozenset(primary_id for _maestra_id, primary_id in members),
        shared_lives=tuple(life for link in links for life in link.shared_lives),
    )


def _own_values(profile: Profile, config: ProjectConfig) -> tuple[frozenset[Key], tuple[int, ...]]:
    """The values that nobody else holds or claims, with the IDs of their identifier rows.

    Values that the person once had and that nobody has now are among them. Not every value has a row.
    """
    primary_id = profile.maestra_id
    named = {Key(*row) for row in fetch(NAMED, {"primary_id": primary_id, "ids": list(profile.maestra_ids)})}
    placed = sorted((config.kinds[key.kind].id, key.value) for key in named if key.kind in config.kinds)
    columns = {"kinds": [kind for kind, _ in placed], "values": [value for _, value in placed]}
    locked = [row[0] for row in fetch(LOCK_VALUES, columns)]
    others: set[Key] = set()
    own: list[int] = []
    for kind, value, row, is_anothers in fetch(VALUES, {"primary_id": primary_id, "rows": locked}):
        if is_anothers:
            others.add(Key(kind, value))
        else:
            own.append(row)
    return frozenset(named - others), tuple(sorted(own))


def _own_cards(profile: Profile) -> list[Key]:
    """The person's payment card hashes that nobody else has."""
    shared = {row[0] for row in fetch(CARDS_OF_OTHERS, [list(profile.cards), profile.maestra_id])}
    return [Key(PAYMENT_CARD, card) for card in sorted(profile.cards.keys() - shared)]


def _own_fields(profile: Profile) -> frozenset[tuple[str, str]]:
    """The person's own personal data and custom fields, present and past, without what a merge brought."""
    own: set[tuple[str, str]] = set()
    for (text,) in fetch(OWN_FIELDS, {"ids": list(profile.maestra_ids)}):
        row = json.loads(text, parse_float=Decimal)
        custom_fields = row.pop("custom_fields")
        own |= fields_of(row) | fields_of(custom_fields)
    return frozenset(own)


def _forget_in_histories(erasure: Erasure, lives: Sequence[SharedLife]) -> None:
    execute(FORGET_OWN_HISTORY, {"ids": erasure.maestra_ids, "at": erasure.at})
    redacted: dict[int, str] = {}
    for row, text, shared in fetch(OTHERS_HISTORY, _named_where(erasure, lives)):
        entries = json.loads(text, parse_float=Decimal)
        left = entries_without(entries, erasure.person, shared_life=shared)
        if left != entries:
            redacted[row] = as_json(left)
    execute(FORGET_IN_HISTORY, [erasure.at, list(redacted), list(redacted.values())])
    keys = sorted(erasure.person.keys)
    where = {
        "ids": erasure.maestra_ids,
        "others": sorted(erasure.others),
        "kinds": [key.kind for key in keys],
        "values": [key.value for key in keys],
    }
    for table, other in OTHER_OF.items():
        execute(FORGET_REMARKS.format(table=table, other=other), where)


def _named_where(erasure: Erasure, lives: Iterable[SharedLife]) -> dict[str, Any]:
    spans = [(other, life) for life in lives for other in sorted(life.others)]
    return {
        "others": sorted(erasure.others),
        "names": as_json({"names": [*erasure.texts, *erasure.maestra_ids]}),
        "life_ids": [other for other, _ in spans],
        "first": [life.first_operation for _, life in spans],
        "last": [life.last_operation for _, life in spans],
    }


def _strip_ledgers(erasure: Erasure) -> None:
    for statement in STRIP_LEDGERS:
        execute(statement, {"ids": erasure.maestra_ids, "kept": list(KEPT_OF_ORDER_LINES)})
