"""The one writer of a customer's record: its tables and its history, from the changes and from nothing else.

Set-based: the number of statements depends on which tables a batch touches, never on how many records it has.
Tables come in one fixed order, and new values sorted by kind and value, so that two batches cannot wait for
each other in a circle.

A value believed to have no row is inserted plainly: if somebody else was faster, that is a unique violation,
and the whole operation is to be tried again; so it is with `customers.storage.sql.Overtaken`, where a value
believed free has found a holder.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from customers.profile import NOBODY, Category, Key
from customers.storage import columns
from customers.storage.batch import Batch, OperationInfo
from customers.storage.columns import (
    CLAIM,
    HOLDING,
    NOTE,
    OPERATION,
    ORDER,
    PERSONAL,
    PROMO_CODE,
    SUBSCRIPTION,
)
from customers.storage.compaction import CustomFields, FinalState, Value, compact
from customers.storage.history_rows import histories
from customers.storage.sql import Row, Script, Table, array, as_json, fetch

SINGLES = {
    **PERSONAL.types,
    "time_zone": "text",
    "opted_out_at": "timestamptz",
    "is_identified": "boolean",
    "erased_at": "timestamptz",
}
CUSTOMERS = Table(
    "customers_customer",
    {
        "id": "bigint",
        "profile_id": "bigint",
        "registered_at": "timestamptz",
        "point_id": "bigint",
        **SINGLES,
        "custom_fields": "jsonb",
    },
)
FACTS = Table("customers_customerfacts", {"customer_id": "bigint", **columns.FACTS.types})
HELD = {"customer_id": "bigint", **HOLDING.types}
IDENTIFIERS = Table(
    "customers_identifier",
    {"kind_id": "smallint", "value": "text", "is_unique_kind": "boolean", **HELD},
)
ADDRESS = {"kind_id": "smallint", "value": "text"}
CHANNEL = {"customer_id": "bigint", "channel": "text", "topic": "text"}
SUBSCRIPTIONS = Table("customers_subscription", {**CHANNEL, **SUBSCRIPTION.types})
ORDERS = Table("customers_order", {"maestra_id": "bigint", **ORDER.types})
POINTS = Table("customers_pointsmovement", columns.POINTS.types)
PROMO_CODES = Table("customers_promocode", PROMO_CODE.types)
NOTES = Table("customers_note", NOTE.types)
OPERATIONS = Table("customers_operation", OPERATION.types)
CHANGES = Table(
    "customers_change",
    {"operation_id": "bigint", "maestra_id": "bigint", "at": "timestamptz", "data": "jsonb"},
)
DRAW = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"
# Counts are added to those there are; a new row begins with them.
ADD_FACTS = f"""
INSERT INTO {FACTS.name} AS f ({FACTS.columns}) SELECT * FROM {{rows}}
ON CONFLICT (customer_id) DO UPDATE SET
  orders_count = f.orders_count + EXCLUDED.orders_count,
  orders_total = f.orders_total + EXCLUDED.orders_total,
  points_count = f.points_count + EXCLUDED.points_count,
  points_balance = f.points_balance + EXCLUDED.points_balance,
  promo_codes_count = f.promo_codes_count + EXCLUDED.promo_codes_count,
  last_action_at = GREATEST(f.last_action_at, EXCLUDED.last_action_at)
"""
MOVES = {"id": "bigint", "primary_id": "bigint"}
POINT_AT_HEAD = f"""
UPDATE {CUSTOMERS.name} c SET profile_id = u.primary_id
  FROM {{rows}} WHERE c.id = u.id AND c.profile_id <> u.primary_id
"""
GROUPS = ("personal", "time_zone", "opted_out_at", "is_identified", "erased_at")
"""Single values that are written together or not at all. A row names its own: the others stay as they are."""


def _setters() -> str:
    groups = {**dict.fromkeys(PERSONAL.types, "personal"), **{name: name for name in GROUPS[1:]}}
    return ",\n  ".join(
        f"{column} = CASE WHEN '{group}' = ANY(u.groups::text[]) THEN u.{column} ELSE c.{column} END"
        for column, group in groups.items()
    )


CHANGED = {
    "id": "bigint",
    "groups": "text",  # an array as text, for there are no arrays of uneven arrays
    **SINGLES,
    "is_emptied": "boolean",
    "removed": "text",  # the same
    "custom_fields": "jsonb",
}
# Of a customer only the groups its row names are written. Custom fields: what is left of the old ones, with
# the new ones over them.
SET_SINGLES = f"""
UPDATE {CUSTOMERS.name} c SET
  {_setters()},
  custom_fields = (CASE WHEN u.is_emptied THEN '{{{{}}}}' ELSE c.custom_fields - u.removed::text[] END)
    || u.custom_fields
  FROM {{rows}}
 WHERE c.id = u.id
"""
FREE = {name: False if of == "boolean" else None for name, of in HELD.items() if name != "raw"}
"""The columns of a value that nobody holds. It stays as it was typed."""
# A value keeps its row for ever; with nobody as its holder it is free.
FREE_VALUES = f"""
UPDATE {IDENTIFIERS.name} SET ({", ".join(FREE)}) = ROW ({", ".join(["%s"] * len(FREE))})
 WHERE customer_id = ANY(%s)
"""
# Tables whose rows go to the survivor of a merge with what it absorbs.
MOVING = (IDENTIFIERS.name, "customers_claim", "customers_paymentcard")
MOVE = "UPDATE {table} t SET customer_id = u.primary_id FROM {{rows}} WHERE t.customer_id = u.id"
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
DROP_SUBSCRIPTIONS_OF = "DELETE FROM customers_subscription WHERE customer_id = ANY(%s)"
DROP_SUBSCRIPTIONS = """
DELETE FROM customers_subscription s USING {rows}
 WHERE s.customer_id = u.customer_id AND s.channel = u.channel AND s.topic = u.topic
"""
SUBSCRIBE = f"""
INSERT INTO {SUBSCRIPTIONS.name} ({SUBSCRIPTIONS.columns}) SELECT * FROM {{rows}}
ON CONFLICT ({", ".join(CHANNEL)}) DO UPDATE SET {SUBSCRIPTION.replaced()}
"""
UPDATE_ORDERS = f"""
UPDATE {ORDERS.name} o SET {", ".join(f"{name} = u.{name}" for name in ORDER.types if name != "number")}
  FROM {{rows}} WHERE o.number = u.number
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


def draw_ids(table: str, count: int) -> list[int]:
    """IDs for rows to be written, never drawn again."""
    return [number for (number,) in fetch(DRAW, [table, count])]


def save(batch: Batch) -> None:
    """Write the customers' part of a batch with its history. Raises `IntegrityError` or `Overtaken` where
    another was faster.
    """
    final = compact(batch)
    script = Script()
    _write_operation(script, batch.operation)
    _write_customers(script, final)
    _write_facts(script, final)
    _take_away(script, final, batch)
    _move(script, final)
    _write_values(script, final, batch)
    _write_claims(script, final, batch)
    _write_cards_and_devices(script, final, batch)
    _write_subscriptions(script, final)
    _write_ledgers(script, final)
    _write_remarks(script, final)
    _write_history(script, batch)
    script.send()


def _write_operation(script: Script, o: OperationInfo) -> None:
    script.insert(OPERATIONS, [OPERATION.row(o)])


def _write_customers(script: Script, f: FinalState) -> None:
    script.insert(CUSTOMERS, [_new_customer(f, maestra_id) for maestra_id in sorted(f.created)])
    script.with_rows(POINT_AT_HEAD, MOVES, _moves(f))
    changed = (f.singles.keys() | f.custom_fields.keys()) - f.created.keys()
    script.with_rows(
        SET_SINGLES, CHANGED, [_changed_customer(f, maestra_id) for maestra_id in sorted(changed)]
    )


def _moves(f: FinalState) -> list[Row]:
    """Pointers that change, rows made in this batch left out: they are inserted with the final one."""
    return [(old, primary_id) for old, primary_id in sorted(f.primary_ids.items()) if old not in f.created]


def _new_customer(f: FinalState, maestra_id: int) -> Row:
    registered_at, point = f.created[maestra_id]
    singles = f.singles.get(maestra_id, {})
    fields = f.custom_fields.get(maestra_id)
    return (
        maestra_id,
        f.primary_id(maestra_id),
        registered_at,
        point,
        *_single_values(singles, is_identified=False),
        as_json(fields.values) if fields else "{}",
    )


def _changed_customer(f: FinalState, maestra_id: int) -> Row:
    singles = f.singles.get(maestra_id, {})
    fields = f.custom_fields.get(maestra_id, CustomFields())
    return (
        maestra_id,
        array("text", list(singles)),
        *_single_values(singles, is_identified=None),
        fields.is_emptied,
        array("text", sorted(fields.removed)),
        as_json(fields.values),
    )


def _single_values(singles: dict[str, Any], *, is_identified: bool | None) -> Row:
    return (
        *PERSONAL.row(singles.get("personal", NOBODY)),
        singles.get("time_zone"),
        singles.get("opted_out_at"),
        singles.get("is_identified", is_identified),
        singles.get("erased_at"),
    )


def _write_facts(script: Script, f: FinalState) -> None:
    """Counts of new customers are inserted, those of others added up."""
    new, old = _split(sorted(f.facts), f)
    script.insert(FACTS, _fact_rows(f, new))
    script.with_rows(ADD_FACTS, FACTS.types, _fact_rows(f, old))


def _split(customers: Iterable[int], f: FinalState) -> tuple[list[int], list[int]]:
    """Those created in the batch, whose rows cannot exist yet, and the others."""
    new: list[int] = []
    old: list[int] = []
    for customer in customers:
        (new if customer in f.created else old).append(customer)
    return new, old


def _fact_rows(f: FinalState, maestra_ids: Iterable[int]) -> list[Row]:
    return [(maestra_id, *columns.FACTS.row(f.facts[maestra_id])) for maestra_id in maestra_ids]


def _take_away(script: Script, f: FinalState, batch: Batch) -> None:
    """What stood with customers before the batch and does not any more. Before the merges move the rest."""
    emptied, erased = sorted(f.emptied), sorted(f.erased)
    if emptied:
        script.execute(FREE_VALUES, [*FREE.values(), emptied])
        script.execute(DROP_CLAIMS_OF, [emptied])
    dropped = ((customer, key) for customer, key in sorted(f.dropped_claims) if customer not in f.created)
    script.with_rows(
        DROP_CLAIMS, DROPPED_CLAIMS, [(customer, *_address(key, batch)) for customer, key in dropped]
    )
    if erased:
        script.execute(DROP_CARDS_OF, [erased])
        script.execute(DROP_DEVICE_USES_OF, [erased])
    script.with_rows(DROP_CARDS, DROPPED_CARDS, sorted(f.dropped_cards))


def _move(script: Script, f: FinalState) -> None:
    """With the merges."""
    moves = [(old, primary_id) for old, primary_id in _moves(f) if old != primary_id]
    for table in MOVING:
        script.with_rows(MOVE.format(table=table), MOVES, moves)


def _write_values(script: Script, f: FinalState, batch: Batch) -> None:
    """Insert what is new, and give every other value to its last holder."""
    new: list[Row] = []
    given: list[Row] = []
    for key, value in (f.values | _claimed_values(f, batch)).items():
        kind, holder = batch.kinds[key.kind], _holder(f, value)
        if value.is_stored or key in batch.known:
            given.append((kind.id, key.value, value.was_free, *holder))
        else:
            new.append((kind.id, key.value, kind.category is Category.UNIQUE, *holder))
    script.insert(IDENTIFIERS, sorted(new))
    script.with_rows(GIVE_VALUES, GIVEN, sorted(given), expected=len(given))


def _claimed_values(f: FinalState, batch: Batch) -> dict[Key, Value]:
    """A claimed value that nobody holds needs a row as well."""
    claimed = {key: claim for claims in f.claims.values() for key, claim in claims.items()}
    missing = (claimed.keys() - f.values.keys()).difference(batch.known)
    return {key: Value(claimed[key].raw) for key in missing}


def _holder(f: FinalState, value: Value) -> Row:
    """The columns of `HELD`."""
    if value.customer is None or value.holding is None:
        return (None, value.raw, *_FREE)
    return (f.primary_ids.get(value.customer, value.customer), *HOLDING.row(value.holding))


_FREE = tuple(FREE.values())[1:]


def _write_claims(script: Script, f: FinalState, batch: Batch) -> None:
    found = [
        (*_address(key, batch), customer, claim.origin, claim)
        for customer, claims in f.claims.items()
        for key, claim in claims.items()
    ]
    found.sort(key=lambda row: row[:4])
    rows = [(kind, value, customer, *CLAIM.row(claim)) for kind, value, customer, _, claim in found]
    script.with_rows(PUT_CLAIMS, CLAIMS, rows, expected=len(rows))


def _address(key: Key, batch: Batch) -> tuple[int, str]:
    return batch.kinds[key.kind].id, key.value


def _write_cards_and_devices(script: Script, f: FinalState, batch: Batch) -> None:
    cards = [
        (card, customer, origin, since)
        for customer, found in f.cards.items()
        for card, (origin, since) in found.items()
    ]
    script.with_rows(ADD_CARDS, CARDS, sorted(cards))
    uses = [(*_address(key, batch), origin, at) for key, origin, at in f.device_uses]
    script.with_rows(ADD_DEVICE_USES, DEVICE_USES, sorted(use for use in uses if use[2] not in f.erased))


def _write_subscriptions(script: Script, f: FinalState) -> None:
    if f.resubscribed:
        script.execute(DROP_SUBSCRIPTIONS_OF, [sorted(f.resubscribed)])
    ended: list[Row] = []
    new: list[Row] = []
    old: list[Row] = []
    for (customer, channel), subscription in sorted(f.subscriptions.items(), key=lambda item: item[0]):
        key = (customer, channel.channel, channel.topic)
        if subscription is None:
            ended.append(key)
        else:
            (new if customer in f.created else old).append((*key, *SUBSCRIPTION.row(subscription)))
    script.with_rows(DROP_SUBSCRIPTIONS, CHANNEL, ended)
    script.insert(SUBSCRIPTIONS, new)
    script.with_rows(SUBSCRIBE, SUBSCRIPTIONS.types, old)


def _write_ledgers(script: Script, f: FinalState) -> None:
    rows: dict[bool, list[Row]] = {True: [], False: []}
    for _number, row in sorted(f.orders.items()):
        *order, lines = ORDER.row(row.order)
        rows[row.is_new].append((row.maestra_id, *order, as_json(lines)))
    script.insert(ORDERS, rows[True])
    script.with_rows(UPDATE_ORDERS, ORDERS.types, rows[False], expected=len(rows[False]))
    points = sorted(f.points, key=lambda c: c.number or "")
    script.insert(POINTS, [columns.POINTS.row(c) for c in points])
    script.insert(PROMO_CODES, sorted(PROMO_CODE.row(c) for c in f.promo_codes))


def _write_remarks(script: Script, f: FinalState) -> None:
    script.insert(NOTES, [NOTE.row(note) for note in f.notes])
    relations = [
        (maestra_id, related, key.kind, key.value, criterion, kept, at)
        for (maestra_id, related, key), (criterion, kept, at) in sorted(f.relations.items())
    ]
    script.with_rows(RELATE, RELATIONS, relations)


def _write_history(script: Script, batch: Batch) -> None:
    operation = batch.operation.id
    lines = [(operation, maestra_id, at, as_json(told)) for maestra_id, at, told in histories(batch)]
    script.insert(CHANGES, lines)
