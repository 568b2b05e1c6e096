"""Between the engine and the tables: reads the world a batch of records can touch, and saves its changes.

The number of statements is the same for one record and for a thousand. What was read is read again under the
lock of its profiles, locked in MaestraID order; a profile that turns up only then is locked without waiting,
so that two batches can never wait for each other in a circle. Values nobody holds are arbitrated by the
unique index when they are written.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from customers.changes import Order
from customers.profile import DEVICES, MAESTRA_ID, MOVABLE, Key, Profile
from customers.provisional import provisional_ids
from customers.setup.project_config import ProjectConfig
from customers.storage.columns import ORDER
from customers.storage.loading import LOCK_AT_ONCE, READS, load_profiles, locking, primary_ids_of
from customers.storage.sql import Question, Row, array, ask
from customers.storage.transactions import Contended, wait_no_longer
from dedup.engine.confirmations import REMEMBERED
from dedup.engine.finding import BY_LOOKUP
from dedup.engine.record import Record
from dedup.engine.world import Message, World
from dedup.storage.earlier_uses import earlier_uses, uses_asked

CARDS_LOOKED_AT = 50  # customers per payment card hash that a record is tested against

# What the fields of `Wanted` are found by. Only what a batch names is asked for, because planning all of it
# takes longer than all the rest. A LATERAL with a limit is one index look-up for each value; a join may read
# the whole table, which before its first ANALYZE it mostly does.
FIND = {
    "keys": """
SELECT 'identifier', k.kind::text, k.value, i.customer_id
  FROM unnest(%(kinds)s::smallint[], %(values)s::text[]) AS k(kind, value)
  CROSS JOIN LATERAL (
    SELECT customer_id, gives_access FROM customers_identifier
     WHERE kind_id = k.kind AND value = k.value LIMIT 1
  ) i
 WHERE i.gives_access OR k.kind <> ALL(%(members_only)s::smallint[])
""",
    "maestra_ids": """
SELECT 'maestra_id', '', c.id::text, c.profile_id
  FROM customers_customer c WHERE c.id = ANY(%(maestra_ids)s) AND c.erased_at IS NULL
""",
    "cards": """
SELECT 'card', '', h.hash, p.customer_id
  FROM unnest(%(cards)s::text[]) AS h(hash)
  CROSS JOIN LATERAL (
    SELECT DISTINCT customer_id FROM customers_paymentcard
     WHERE hash = h.hash ORDER BY customer_id LIMIT %(limit)s
  ) p
""",
    "points": """
SELECT 'points', '', p.number, p.maestra_id FROM customers_pointsmovement p WHERE p.number = ANY(%(points)s)
""",
    "promo_codes": """
SELECT 'promo_code', '', p.code, p.maestra_id FROM customers_promocode p WHERE p.code = ANY(%(promo_codes)s)
""",
    "orders": """
SELECT 'order', '', o.number, o.maestra_id FROM customers_order o WHERE o.number = ANY(%(orders)s)
""",
}
# A value that nobody holds has no profile to lock, so its row is locked instead.
LOCK_FREE = """
SELECT 1 FROM unnest(%s::smallint[], %s::text[]) AS k(kind, value)
  JOIN customers_identifier i ON i.kind_id = k.kind AND i.value = k.value
 WHERE i.customer_id IS NULL ORDER BY i.id FOR NO KEY UPDATE OF i
"""
DEVICE_USERS = """
SELECT d.kind, d.value, u.profile_id
  FROM unnest(%s::smallint[], %s::text[]) AS d(kind, value)
  CROSS JOIN LATERAL (
    SELECT id FROM customers_identifier WHERE kind_id = d.kind AND value = d.value LIMIT 1
  ) i
  CROSS JOIN LATERAL (
    SELECT DISTINCT h.profile_id
      FROM customers_deviceuse u
      CROSS JOIN LATERAL (
        SELECT h.id AS profile_id
          FROM customers_customer c
          JOIN customers_customer h ON h.id = c.profile_id AND h.is_identified AND h.erased_at IS NULL
         WHERE c.id = u.origin_id LIMIT 1
      ) h
     WHERE u.identifier_id = i.id LIMIT %s
  ) u
"""
APART = """
SELECT low_id, high_id FROM dedup_apartpair
 WHERE lifted_at IS NULL AND low_id = ANY(%(ids)s::bigint[]) AND high_id = ANY(%(ids)s::bigint[])
"""
ORDERS = f"""
SELECT maestra_id, {ORDER.select()}
  FROM customers_order WHERE number = ANY(%s)
"""
MESSAGES = """
SELECT i.kind_id, i.value, c.maestra_id, coalesce(c.sent_at, c.asked_at), c.tries
  FROM (
    SELECT c.* FROM customers_identifier i JOIN dedup_confirmation c ON c.identifier_id = i.id
     WHERE (i.kind_id, i.value) IN (SELECT * FROM unnest(%(kinds)s::smallint[], %(values)s::text[]))
     UNION
    SELECT c.* FROM dedup_confirmation c WHERE c.maestra_id = ANY(%(ids)s::bigint[])
  ) c
  JOIN customers_identifier i ON i.id = c.identifier_id
 WHERE coalesce(c.sent_at, c.asked_at) > %(since)s
"""
NEW_IDS = "SELECT nextval('customers_customer_id_seq') FROM generate_series(1, %s)"
OPERATION_ID = "SELECT nextval('customers_operation_id_seq')"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a batch of records names, and so what must be read for it.

    Of the kinds `members_only` nothing is found but contacts that give account access (R20): what is hidden
    costs no more time than what does not exist.
    """

    keys: frozenset[Key] = frozenset()
    members_only: frozenset[str] = frozenset()
    maestra_ids: frozenset[int] = frozenset()
    uses: frozenset[tuple[Key, datetime]] = frozenset()
    to_confirm: frozenset[Key] = frozenset()
    cards: frozenset[str] = frozenset()
    orders: frozenset[str] = frozenset()
    points: frozenset[str] = frozenset()
    promo_codes: frozenset[str] = frozenset()
    new_customers: int = 0


@dataclass(slots=True)
class Located:
    """Where the values named were found: rows that exist, and the MaestraIDs behind them."""

    rows: dict[Key, int | None] = field(default_factory=dict)
    maestra_ids: dict[int, int] = field(default_factory=dict)
    cards: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    orders: dict[str, int] = field(default_factory=dict)
    points: dict[str, int] = field(default_factory=dict)
    promo_codes: dict[str, int] = field(default_factory=dict)

    def touched(self) -> set[int]:
        """Every MaestraID whose profile may bear on the decision."""
        ids = {primary_id for primary_id in self.rows.values() if primary_id is not None}
        ids.update(self.maestra_ids.values(), *self.cards.values())
        ids.update(self.orders.values(), self.points.values(), self.promo_codes.values())
        return ids

    def free(self) -> set[Key]:
        """The values that have a row and no holder."""
        return {key for key, holder in self.rows.items() if holder is None}


@dataclass(frozen=True, slots=True)
class Loaded:
    """A world, with what the writer must know: the values that have a row already, and, where it was locked,
    the ID for the operation.
    """

    world: World
    known: frozenset[Key]
    operation: int | None


def wanted_by(records: Iterable[Record]) -> Wanted:
    """What these records name."""
    records = list(records)
    named = wanted_keys(r.lookup for r in records if r.lookup)
    return Wanted(
        keys=named.keys.union([s.key for r in records for s in r.identifiers]),
        maestra_ids=named.maestra_ids.union([r.maestra_id for r in records if r.maestra_id is not None]),
        uses=frozenset(
            [(s.key, r.occurred_at) for r in records for s in r.identifiers if s.category in MOVABLE]
        ),
        to_confirm=frozenset([s.key for r in records for s in r.identifiers if s.must_be_confirmed]),
        cards=frozenset([card for r in records for card in r.cards]),
        orders=frozenset([r.order.number for r in records if r.order]),
        points=frozenset([r.points.number for r in records if r.points and r.points.number]),
        promo_codes=frozenset([r.promo_code.code for r in records if r.promo_code]),
        new_customers=sum(r.operation not in BY_LOOKUP for r in records),
    )


def wanted_keys(keys: Iterable[Key], access_kinds: frozenset[str] = frozenset()) -> Wanted:
    """What bare look-ups name, at a point where contacts of the `access_kinds` give account access."""
    named = list(keys)
    return Wanted(
        keys=frozenset([key for key in named if key.kind != MAESTRA_ID]),
        members_only=access_kinds,
        maestra_ids=frozenset([int(key.value) for key in named if key.kind == MAESTRA_ID]),
    )


def load(wanted: Wanted, config: ProjectConfig, *, lock: bool) -> Loaded:
    """The world that may bear on what is wanted. With `lock`, its profiles stay as they are until the
    transaction ends; without, it is read again where something moved while it was read.

    Raises `Contended` where they could not be locked as they were read, or not be read as a whole.
    """
    if lock:
        return _load_locked(wanted, config)
    for _ in range(READS):
        _answers, located = _locate(wanted, config)
        profiles = load_profiles(sorted(_primary_ids(located)))
        if _is_whole(located, profiles):
            world = _world(config, located, profiles, _further(wanted, config, located, profiles))
            return Loaded(replace(world, new_ids=provisional_ids()), _known(located, profiles), None)
    raise Contended


def _load_locked(wanted: Wanted, config: ProjectConfig) -> Loaded:
    drawn, located = _locate(wanted, config, *_draw(wanted))
    primary_ids = _primary_ids(located)
    if primary_ids:
        located, primary_ids = _locked(located, primary_ids, wanted, config)
    profiles = load_profiles(sorted(primary_ids))
    world = _world(config, located, profiles, _further(wanted, config, located, profiles))
    ((operation,),), new_ids = drawn
    new_customers = [maestra_id for (maestra_id,) in new_ids]
    return Loaded(replace(world, new_ids=new_customers), _known(located, profiles), operation)


def hold(wanted: Wanted, config: ProjectConfig) -> None:
    """Lock at once all that is wanted, for a transaction that then decides on it piece by piece. From then on
    it waits for nobody. Raises `Contended` as `load` does.
    """
    _answers, located = _locate(wanted, config)
    if primary_ids := _primary_ids(located):
        _locked(located, primary_ids, wanted, config)
    wait_no_longer()


def _is_whole(located: Located, profiles: Mapping[int, Profile]) -> bool:
    """Whether the profiles have what was found to be theirs, which was read before them."""
    nobody = Profile(0, ())
    return (
        all(
            key in profiles.get(holder, nobody).holdings
            for key, holder in located.rows.items()
            if holder is not None
        )
        and all(
            maestra_id in profiles.get(primary_id, nobody).maestra_ids
            for maestra_id, primary_id in located.maestra_ids.items()
        )
        and all(
            card in profiles.get(holder, nobody).cards
            for card, holders in located.cards.items()
            for holder in holders
        )
    )


def _known(located: Located, profiles: Mapping[int, Profile]) -> frozenset[Key]:
    """The values that have a row."""
    return frozenset(located.rows).union(*(p.holdings.keys() | p.claims.keys() for p in profiles.values()))


def _draw(wanted: Wanted) -> list[Question]:
    """The IDs that writing needs, asked for with the first message: most new customers need no further one.
    New MaestraIDs that turn out not to be needed are never used again (R1).
    """
    return [(OPERATION_ID, []), (NEW_IDS, [wanted.new_customers])]


def _locked(
    located: Located, primary_ids: set[int], wanted: Wanted, config: ProjectConfig
) -> tuple[Located, set[int]]:
    """Lock, then read again: what was found may have moved meanwhile."""
    free = located.free()
    locks = locking(primary_ids)
    if free:
        locks.append((LOCK_FREE, _columns(free, config)))
    (_waited_for, held, *_free), located = _locate(wanted, config, *locks)
    locked = {maestra_id for (maestra_id,) in held}
    primary_ids = _primary_ids(located)
    locks = []
    if more := primary_ids - locked:
        locks.append((LOCK_AT_ONCE, [array("bigint", sorted(more))]))
    if freed := located.free() - free:
        locks.append((f"{LOCK_FREE} NOWAIT", _columns(freed, config)))
    if locks:
        (held, *_free), located = _locate(wanted, config, *locks)
        primary_ids = _primary_ids(located)
        locked |= {maestra_id for (maestra_id,) in held} if more else set()
        if primary_ids - locked or located.free() - free - freed:
            raise Contended
    return located, primary_ids


def _locate(wanted: Wanted, config: ProjectConfig, *first: Question) -> tuple[list[list[Row]], Located]:
    """Find what is wanted, once the first questions are answered and the locks are had. Each statement of a
    message sees what was committed before it.
    """
    named = [sql for name, sql in FIND.items() if getattr(wanted, name)]
    if not named:
        return ask(first), Located()
    kinds, values = _columns(wanted.keys, config)
    parameters = {
        "kinds": kinds,
        "values": values,
        "members_only": array("smallint", [config.kinds[kind].id for kind in wanted.members_only]),
        "maestra_ids": list(wanted.maestra_ids),
        "cards": list(wanted.cards),
        "limit": CARDS_LOOKED_AT,
        "orders": list(wanted.orders),
        "points": list(wanted.points),
        "promo_codes": list(wanted.promo_codes),
    }
    *answers, found = ask([*first, ("UNION ALL".join(named), parameters)])
    return answers, _located(found, config)


def _located(found: Iterable[Row], config: ProjectConfig) -> Located:
    """The rows of `FIND` by what they answer."""
    located = Located()
    for what, kind, value, maestra_id in found:
        match what:
            case "identifier":
                located.rows[Key(config.kinds_by_id[int(kind)].name, value)] = maestra_id
            case "maestra_id":
                located.maestra_ids[int(value)] = maestra_id
            case "card":
                located.cards[value].add(maestra_id)
            case "points":
                located.points[value] = maestra_id
            case "promo_code":
                located.promo_codes[value] = maestra_id
            case _:
                located.orders[value] = maestra_id
    return located


def _primary_ids(located: Located) -> set[int]:
    """The primary MaestraIDs behind what was found. Ledger rows bear former ones too."""
    ledger = {*located.orders.values(), *located.points.values(), *located.promo_codes.values()}
    if not ledger:
        return located.touched()
    return (located.touched() - ledger) | set(primary_ids_of(ledger).values())


def _further(
    wanted: Wanted, config: ProjectConfig, located: Located, profiles: Mapping[int, Profile]
) -> Mapping[str, list[Row]]:
    """What else the decision depends on, in one message."""
    questions: dict[str, Question] = {}
    devices = [k for k in located.rows if config.kinds[k.kind].category in DEVICES]
    if devices:
        limit = config.shared_device_limit + 1
        questions["device_users"] = (DEVICE_USERS, [*_columns(devices, config), limit])
    if asked := uses_asked(wanted.uses, located.rows, profiles, config):
        questions["uses"] = asked
    if len(profiles) > 1:
        ids = [m.maestra_id for profile in profiles.values() for m in profile.members]
        questions["apart"] = (APART, {"ids": array("bigint", ids)})
    if located.rows.keys() & wanted.to_confirm or (profiles and wanted.to_confirm):
        questions["messages"] = (MESSAGES, _messages_asked(wanted.to_confirm, config, profiles))
    if located.orders:
        questions["orders"] = (ORDERS, [list(located.orders)])
    return defaultdict(list, zip(questions, ask([*questions.values()]), strict=True))


def _messages_asked(
    contacts: Iterable[Key], config: ProjectConfig, profiles: Mapping[int, Profile]
) -> dict[str, Any]:
    kinds, values = _columns(contacts, config)
    ids = [m.maestra_id for profile in profiles.values() for m in profile.members]
    since = timezone.now() - REMEMBERED
    return {"kinds": kinds, "values": values, "ids": array("bigint", ids), "since": since}


def _message(row: Row, config: ProjectConfig) -> tuple[Key, Message]:
    kind, value, maestra_id, at, wrong_codes = row
    return Key(config.kinds_by_id[kind].name, value), Message(maestra_id, at, wrong_codes)


def _world(
    config: ProjectConfig,
    located: Located,
    profiles: Mapping[int, Profile],
    further: Mapping[str, list[Row]],
) -> World:
    return World(
        kinds=config.kinds,
        larger_fields=config.larger_fields,
        shared_device_limit=config.shared_device_limit,
        profiles=profiles,
        primary_ids={
            m.maestra_id: primary_id for primary_id, profile in profiles.items() for m in profile.members
        },
        holders={key: primary_id for key, primary_id in located.rows.items() if primary_id is not None},
        card_holders={card: frozenset(primary_ids) for card, primary_ids in located.cards.items()},
        device_users=_device_users(further["device_users"], config),
        uses=earlier_uses(further["uses"], config),
        apart=frozenset(frozenset(pair) for pair in further["apart"]),
        orders={order.number: (maestra_id, order) for maestra_id, order in map(_order, further["orders"])},
        points=located.points,
        promo_codes=located.promo_codes,
        messages=[_message(row, config) for row in further["messages"]],
    )


def _device_users(rows: Iterable[Row], config: ProjectConfig) -> dict[Key, frozenset[int]]:
    users: dict[Key, set[int]] = defaultdict(set)
    for kind, value, primary_id in rows:
        users[Key(config.kinds_by_id[kind].name, value)].add(primary_id)
    return {key: frozenset(primary_ids) for key, primary_ids in users.items()}


def _order(row: Row) -> tuple[int, Order]:
    """An order as it is stored, after the MaestraID it stands under."""
    maestra_id, *order, lines = row
    order.append(tuple(json.loads(lines, parse_float=Decimal)))
    return maestra_id, Order(*order)


def _columns(keys: Iterable[Key], config: ProjectConfig) -> tuple[str, str]:
    """Kinds and values as two arrays, in the order in which rows are locked and written."""
    pairs = sorted((config.kinds[k.kind].id, k.value) for k in keys)
    return array("smallint", [kind for kind, _ in pairs]), array("text", [value for _, value in pairs])
