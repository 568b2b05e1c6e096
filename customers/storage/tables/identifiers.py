"""Who holds and who claims which values: identifiers, claims, payment cards, device uses, and between whom a
contact was contested.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import itemgetter

from customers.changes import (
    CardDropped,
    CardSeen,
    Claimed,
    ContactLost,
    ContactReceived,
    Erased,
    Held,
    IdentifierUsed,
    Merged,
    Released,
    Unclaimed,
    Unmerged,
    UsedBefore,
)
from customers.profile import DEVICES, WITH_PRIMARY, Category, Claim, Holding, Key
from customers.storage.batch import Batch, RecordChanges
from customers.storage.columns import CLAIM, HOLDING
from customers.storage.sql import Row, Script, Table, draw_ids
from customers.storage.tables.base import Handlers, Lineage, TableRows
from customers.storage.tables.former import ADDRESS, FormerRows, address

HELD = {"customer_id": "bigint", **HOLDING.types}
IDENTIFIERS = Table(
    "customers_identifier",
    {"kind_id": "smallint", "value": "text", "is_unique_kind": "boolean", **HELD},
)
NUMBERED = Table(IDENTIFIERS.name, {"id": "bigint", **IDENTIFIERS.types})
FREE = {name: False if of == "boolean" else None for name, of in HELD.items() if name != "raw"}
"""The columns of a value that nobody holds. It stays as it was typed."""
# A value keeps its row for ever; with nobody as its holder it is free.
FREE_VALUES = f"""
UPDATE {IDENTIFIERS.name} SET ({", ".join(FREE)}) = ROW ({", ".join(["%s"] * len(FREE))})
 WHERE customer_id = ANY(%s)
"""
GIVEN = {**ADDRESS, "was_free": "boolean", **HELD}
# Where the changes presuppose that nobody holds the value (`was_free`), a row that has found a holder
# meanwhile is left alone: the number of rows then tells that the batch was overtaken.
GIVE_VALUES = f"""
UPDATE {IDENTIFIERS.name} i SET
  {", ".join(f"{name} = u.{name}" for name in HELD)}
  FROM {{rows}}
 WHERE i.kind_id = u.kind_id AND i.value = u.value
   AND (NOT u.was_free OR i.customer_id IS NULL OR i.is_former)
"""
USED = {**ADDRESS, "used_at": "timestamptz"}
# A value that was taken away in the same batch stays as it is.
USE = f"""
UPDATE {IDENTIFIERS.name} i SET used_at = u.used_at FROM {{rows}}
 WHERE i.kind_id = u.kind_id AND i.value = u.value AND i.customer_id IS NOT NULL
"""
DROP_CLAIMS_OF = "DELETE FROM customers_claim WHERE customer_id = ANY(%s)"
DROPPED_CLAIMS = {"customer_id": "bigint", **ADDRESS}
DROP_CLAIMS = f"""
DELETE FROM customers_claim c USING {{rows}}, {IDENTIFIERS.name} i
 WHERE i.kind_id = u.kind_id AND i.value = u.value
   AND c.identifier_id = i.id AND c.customer_id = u.customer_id
"""
CLAIMS = {**ADDRESS, "customer_id": "bigint", **CLAIM.types}
# Each MaestraID has one claim to a value, its latest. After a merge it stands under the survivor.
PUT_CLAIMS = f"""
INSERT INTO customers_claim (identifier_id, customer_id, {CLAIM.select()})
SELECT i.id, u.customer_id, {CLAIM.select("u")}
  FROM {{rows}} JOIN {IDENTIFIERS.name} i ON i.kind_id = u.kind_id AND i.value = u.value
    ON CONFLICT (identifier_id, origin_id) DO UPDATE SET
  customer_id = EXCLUDED.customer_id, {CLAIM.replaced("origin_id")}
"""
DROP_CARDS_OF = "DELETE FROM customers_paymentcard WHERE customer_id = ANY(%s)"
DROPPED_CARDS = {"customer_id": "bigint", "hash": "text"}
DROP_CARDS = """
DELETE FROM customers_paymentcard p USING {rows}
 WHERE p.customer_id = u.customer_id AND p.hash = u.hash
"""
CARDS = {"hash": "text", "customer_id": "bigint", "origin_id": "bigint", "since": "timestamptz"}
# A card the profile has already stays as it first came.
ADD_CARDS = """
INSERT INTO customers_paymentcard (hash, customer_id, origin_id, since)
SELECT u.hash, u.customer_id, u.origin_id, u.since
  FROM {rows}
 WHERE NOT EXISTS (
   SELECT FROM customers_paymentcard p WHERE p.hash = u.hash AND p.customer_id = u.customer_id
 )
    ON CONFLICT (hash, origin_id) DO UPDATE SET customer_id = EXCLUDED.customer_id
"""
DROP_DEVICE_USES_OF = "DELETE FROM customers_deviceuse WHERE origin_id = ANY(%s)"
DEVICE_USES = {**ADDRESS, "origin_id": "bigint", "since": "timestamptz"}
# LATERAL with a limit: one index look-up for each value, whatever the planner believes of the table.
ADD_DEVICE_USES = f"""
INSERT INTO customers_deviceuse (identifier_id, origin_id, since)
SELECT i.id, u.origin_id, u.since
  FROM {{rows}}
  CROSS JOIN LATERAL (
    SELECT id FROM {IDENTIFIERS.name} i WHERE i.kind_id = u.kind_id AND i.value = u.value LIMIT 1
  ) i
    ON CONFLICT (identifier_id, since, origin_id) DO NOTHING
"""
RELATIONS = {
    "maestra_id": "bigint",
    "related_id": "bigint",
    "kind": "text",
    "value": "text",
    "decided_by": "text",
    "kept": "boolean",
    "at": "timestamptz",
}
RELATE = f"""
INSERT INTO customers_relation ({", ".join(RELATIONS)}) SELECT * FROM {{rows}}
ON CONFLICT (maestra_id, related_id, kind, value) DO UPDATE SET
  decided_by = EXCLUDED.decided_by, kept = EXCLUDED.kept, at = EXCLUDED.at
"""


@dataclass(slots=True)
class Value:
    """The row of a value. `customer` is its holder at the time it was given, None where nobody holds it.

    `is_stored` tells that the changes themselves presuppose the row, `was_free` that they presuppose nobody
    holds it. `is_anew`: the customer did not hold it before, so that somebody else may have retired it.
    """

    raw: str
    customer: int | None = None
    holding: Holding | None = None
    is_stored: bool = False
    was_free: bool = False
    is_anew: bool = False


class ClaimRows(TableRows):
    """`emptied` are customers whose claims are taken away before the batch gives any, `dropped` single claims
    to be taken away, under the customer they stood under before the batch.
    """

    def __init__(self, lineage: Lineage) -> None:
        super().__init__(lineage)
        self.emptied: set[int] = set()
        self.dropped: set[tuple[int, Key]] = set()
        self.claims: defaultdict[int, dict[Key, Claim]] = defaultdict(dict)

    def handlers(self) -> Handlers:
        return {
            Claimed: self._claimed,
            Unclaimed: self._unclaimed,
            Merged: self._merged,
            Unmerged: self._unmerged,
            Erased: self._erased,
        }

    def _claimed(self, c: Claimed, _: RecordChanges) -> None:
        self._drop(c.customer, c.claim.key)
        self.claims[c.customer][c.claim.key] = c.claim

    def _unclaimed(self, c: Unclaimed, _: RecordChanges) -> None:
        self._drop(c.customer, c.claim.key)
        self.claims[c.customer].pop(c.claim.key, None)

    def _drop(self, customer: int, key: Key) -> None:
        self.dropped.update((row, key) for row in self.lineage.rows_of(customer))

    def _merged(self, c: Merged, _: RecordChanges) -> None:
        """Those of both, the survivor's where both have one (R36)."""
        away = c.absorbed.maestra_id
        for key in c.absorbed.claims.keys() & c.survivor.claims.keys():
            self._drop(away, key)
        self.claims[c.customer] = {**self.claims.pop(away, {}), **self.claims.get(c.customer, {})}

    def _unmerged(self, c: Unmerged, _: RecordChanges) -> None:
        self._empty(c.customer)
        for profile in (c.restored, c.remaining):
            self.claims[profile.maestra_id] = dict(profile.claims)

    def _erased(self, c: Erased, _: RecordChanges) -> None:
        self._empty(c.customer)

    def _empty(self, customer: int) -> None:
        self.emptied.update(self.lineage.rows_of(customer))
        self.claims.pop(customer, None)

    def write(self, script: Script, batch: Batch) -> None:
        if self.emptied:
            script.execute(DROP_CLAIMS_OF, [sorted(self.emptied)])
        created = self.lineage.created
        dropped = [(customer, key) for customer, key in sorted(self.dropped) if customer not in created]
        script.with_rows(
            DROP_CLAIMS, DROPPED_CLAIMS, [(customer, *address(key, batch)) for customer, key in dropped]
        )
        self.move(script, "customers_claim")
        rows = self._rows(batch)
        script.with_rows(PUT_CLAIMS, CLAIMS, rows, expected=len(rows))

    def _rows(self, batch: Batch) -> list[Row]:
        found = [
            (*address(key, batch), customer, claim.origin, claim)
            for customer, claims in self.claims.items()
            for key, claim in claims.items()
        ]
        found.sort(key=lambda row: row[:4])
        return [(kind, value, customer, *CLAIM.row(claim)) for kind, value, customer, _, claim in found]

    def by_value(self) -> dict[Key, Claim]:
        """A claim to each value that is claimed."""
        return {key: claim for claims in self.claims.values() for key, claim in claims.items()}


class IdentifierRows(TableRows):
    """`emptied` are customers whose identifiers are taken away before the batch gives any, `used` the values
    of which nothing else changes.
    """

    def __init__(self, lineage: Lineage, claims: ClaimRows, former: FormerRows) -> None:
        super().__init__(lineage)
        self.claims = claims
        self.former = former
        self.emptied: set[int] = set()
        self.values: dict[Key, Value] = {}
        self.used: dict[Key, datetime] = {}

    def handlers(self) -> Handlers:
        return {
            Held: self._held,
            IdentifierUsed: self._used,
            Released: self._released,
            Unmerged: self._unmerged,
            Erased: self._erased,
        }

    def _held(self, c: Held, _: RecordChanges) -> None:
        """A customer that had a former value before has it as before, whoever counts (R3)."""
        holding, key = c.after, c.after.key
        if holding.is_former and (c.before is None or c.before.is_former):
            return
        row = self.values.get(key)
        if row is None:
            was_held = c.before is not None or c.taken_from is not None
            row = self.values[key] = Value(holding.raw, is_stored=was_held, was_free=not was_held)
        elif row.customer is not None and row.holding and row.holding.is_former:
            self._displace(row.customer, row.holding, c.customer)
        row.is_anew = row.is_anew or c.before is None or c.before.is_former
        row.raw, row.customer, row.holding = holding.raw, c.customer, holding

    def _displace(self, customer: int, holding: Holding, by: int) -> None:
        """Somebody registers anew what a customer retired in this batch."""
        if self.lineage.primary_id(customer) != by:
            self.former.put(customer, holding)

    def _used(self, c: IdentifierUsed, _: RecordChanges) -> None:
        row = self.values.get(c.key)
        if row and row.holding:
            row.holding = replace(row.holding, used_at=c.at)
        self.used[c.key] = c.at

    def _released(self, c: Released, _: RecordChanges) -> None:
        """Takes the value from its holder only: it may have been given on already."""
        row = self.values.get(c.holding.key)
        if row is None:
            self.values[c.holding.key] = Value(c.holding.raw, is_stored=True)
        elif row.customer is not None and self.lineage.primary_id(row.customer) == c.customer:
            row.customer = row.holding = None
        else:
            row.was_free = False

    def _unmerged(self, c: Unmerged, _: RecordChanges) -> None:
        """Both sides are written whole from their images."""
        self._empty(c.customer)
        for profile in (c.restored, c.remaining):
            for key, holding in profile.holdings.items():
                if not holding.is_former:
                    self.values[key] = Value(holding.raw, profile.maestra_id, holding, is_stored=True)

    def _erased(self, c: Erased, _: RecordChanges) -> None:
        self._empty(c.customer)

    def _empty(self, customer: int) -> None:
        """Take every identifier from a profile, those given in this batch included."""
        self.emptied.update(self.lineage.rows_of(customer))
        for row in self.values.values():
            if row.customer is not None and self.lineage.primary_id(row.customer) == customer:
                row.customer = row.holding = None

    def write(self, script: Script, batch: Batch) -> None:
        """Insert what is new, and give every other value to its last holder."""
        if self.emptied:
            script.execute(FREE_VALUES, [*FREE.values(), sorted(self.emptied)])
        self.move(script, IDENTIFIERS.name)
        new: list[Row] = []
        given: list[Row] = []
        anew: list[tuple[int, str, int | None]] = []
        for key, value in (self.values | self._unheld(batch)).items():
            kind, holder = batch.kinds[key.kind], self._holder(value)
            if value.is_stored or key in batch.known:
                given.append((kind.id, key.value, value.was_free, *holder))
                if value.is_anew and kind.category is Category.UNIQUE:
                    anew.append((kind.id, key.value, holder[0]))
            else:
                new.append((kind.id, key.value, kind.category is Category.UNIQUE, *holder))
        _insert(script, new, {kind.id for kind in batch.kinds.values() if kind.category in WITH_PRIMARY})
        self.former.displace(script, anew)
        script.with_rows(GIVE_VALUES, GIVEN, sorted(given), expected=len(given))
        self.former.settle(script, batch)
        used = [(*address(key, batch), at) for key, at in self.used.items() if key not in self.values]
        script.with_rows(USE, USED, sorted(used))

    def _unheld(self, batch: Batch) -> dict[Key, Value]:
        """A value that is claimed, or was held before, needs a row as well."""
        claimed = {key: claim.raw for key, claim in self.claims.by_value().items()}
        named = self.former.raw_values() | claimed
        missing = (named.keys() - self.values.keys()).difference(batch.known)
        return {key: Value(named[key]) for key in missing}

    def _holder(self, value: Value) -> Row:
        """The columns of `HELD`."""
        if value.customer is None or value.holding is None:
            return (None, value.raw, *_FREE)
        return (self.lineage.primary_id(value.customer), *HOLDING.row(value.holding))


def _insert(script: Script, rows: Sequence[Row], with_primary: set[int]) -> None:
    """Insert new values, given in the order told, in the order in which everybody writes them.

    Where a customer gets several of a kind (of those `with_primary`) of the same time, they are numbered in
    the order told, in which profiles are read: it decides who follows a lost primary (R7).
    """
    groups = (_group_of(row) for row in rows if row[0] in with_primary)
    alike = Counter([group for group in groups if None not in group])
    if len(alike) == alike.total():
        script.insert(IDENTIFIERS, sorted(rows))
        return
    ids = draw_ids(IDENTIFIERS.name, len(rows))
    numbered = zip(ids, rows, strict=True)
    script.insert(
        NUMBERED, [(number, *row) for number, row in sorted(numbered, key=lambda pair: pair[1][:2])]
    )


_group_of = itemgetter(*(list(IDENTIFIERS.types).index(name) for name in ("kind_id", "customer_id", "since")))
_FREE = tuple(FREE.values())[1:]


class DeviceUseRows(TableRows):
    """Since when a device is whose: each time that somebody comes to hold it (R8, R26), or is known to have
    used it before (R59). Of plain identifiers there is the latter only.
    """

    def __init__(self, lineage: Lineage) -> None:
        super().__init__(lineage)
        self.uses: set[tuple[Key, int, datetime]] = set()
        self.erased: set[int] = set()

    def handlers(self) -> Handlers:
        return {Held: self._held, UsedBefore: self._used_before, Erased: self._erased}

    def _used_before(self, c: UsedBefore, _: RecordChanges) -> None:
        self.uses |= {(c.key, c.maestra_id, c.at), (c.key, c.holder_origin, c.until)}

    def _held(self, c: Held, _: RecordChanges) -> None:
        if c.before is None and c.after.category in DEVICES:
            self.uses.add((c.after.key, c.after.origin, c.after.since))

    def _erased(self, c: Erased, _: RecordChanges) -> None:
        self.erased.update(c.maestra_ids)

    def write(self, script: Script, batch: Batch) -> None:
        if self.erased:
            script.execute(DROP_DEVICE_USES_OF, [sorted(self.erased)])
        uses = [
            (*address(key, batch), origin, at) for key, origin, at in self.uses if origin not in self.erased
        ]
        script.with_rows(ADD_DEVICE_USES, DEVICE_USES, sorted(uses))


class CardRows(TableRows):
    """Hashes of payment cards (R10), each with the MaestraID and the time that it first came with. `dropped`
    are single ones to be taken away, under the customer they stood under before the batch.
    """

    def __init__(self, lineage: Lineage) -> None:
        super().__init__(lineage)
        self.cards: defaultdict[int, dict[str, tuple[int, datetime]]] = defaultdict(dict)
        self.dropped: set[tuple[int, str]] = set()
        self.erased: set[int] = set()

    def handlers(self) -> Handlers:
        return {
            CardSeen: self._seen,
            CardDropped: self._dropped,
            Merged: self._merged,
            Unmerged: self._unmerged,
            Erased: self._erased,
        }

    def _seen(self, c: CardSeen, record: RecordChanges) -> None:
        self.cards[c.customer].setdefault(c.card, (c.maestra_id, record.at))

    def _dropped(self, c: CardDropped, _: RecordChanges) -> None:
        self._drop(c.customer, [c.card])
        self.cards[c.customer].pop(c.card, None)

    def _drop(self, customer: int, cards: Iterable[str]) -> None:
        rows = self.lineage.rows_of(customer)
        self.dropped.update((row, card) for card in cards for row in rows)

    def _merged(self, c: Merged, _: RecordChanges) -> None:
        """Those of both, the survivor's where both have one (R36)."""
        away = c.absorbed.maestra_id
        self._drop(away, c.absorbed.cards.keys() & c.survivor.cards.keys())
        self.cards[c.customer] = {**self.cards.pop(away, {}), **self.cards.get(c.customer, {})}

    def _unmerged(self, c: Unmerged, record: RecordChanges) -> None:
        for profile in (c.restored, c.remaining):
            cards = {card: (origin, record.at) for card, origin in profile.cards.items()}
            self.cards[profile.maestra_id] = cards

    def _erased(self, c: Erased, _: RecordChanges) -> None:
        self.cards.pop(c.customer, None)
        self.erased.update(c.maestra_ids)

    def write(self, script: Script, _: Batch) -> None:
        if self.erased:
            script.execute(DROP_CARDS_OF, [sorted(self.erased)])
        script.with_rows(DROP_CARDS, DROPPED_CARDS, sorted(self.dropped))
        self.move(script, "customers_paymentcard")
        cards = [
            (card, customer, origin, since)
            for customer, found in self.cards.items()
            for card, (origin, since) in found.items()
        ]
        script.with_rows(ADD_CARDS, CARDS, sorted(cards))


class RelationRows(TableRows):
    """Between whom a contact was contested, and who kept it (R30)."""

    def __init__(self, lineage: Lineage) -> None:
        super().__init__(lineage)
        self.relations: dict[tuple[int, int, Key], tuple[str, bool, datetime]] = {}

    def handlers(self) -> Handlers:
        return {ContactLost: self._lost, ContactReceived: self._received}

    def _lost(self, c: ContactLost, record: RecordChanges) -> None:
        self.relations[c.maestra_id, c.to, Key(c.kind, c.value)] = (c.criterion, False, record.at)

    def _received(self, c: ContactReceived, record: RecordChanges) -> None:
        self.relations[c.maestra_id, c.other, Key(c.kind, c.value)] = (c.criterion, True, record.at)

    def write(self, script: Script, _: Batch) -> None:
        relations = [
            (maestra_id, related, key.kind, key.value, criterion, kept, at)
            for (maestra_id, related, key), (criterion, kept, at) in sorted(self.relations.items())
        ]
        script.with_rows(RELATE, RELATIONS, relations)
