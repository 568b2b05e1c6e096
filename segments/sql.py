"""Conditions as one statement over all profiles (R51).

Each condition is a yes or no about a row of primary MaestraID, `c`. What a profile's own row does not tell is
brought in by relations, `(id, …)` with at most one row for each profile, joined to it: each aggregate is made
once for everybody, however many conditions ask for it, all those of a ledger in one pass over it, and a plan
can neither probe row by row nor depend on luck with memory. Ledgers and facts stand per MaestraID; a row of a
former one is credited to its profile through the few former ones, so that the many profiles of one MaestraID
cost nothing extra.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from customers.contact_types import CONTACT_TYPES
from customers.models.identifiers import CONTACT_IDS
from customers.normalise import CustomType
from segments import conditions as of
from segments.conditions import Ask, Mode, Node, Op, State
from segments.readers import Period
from segments.references import Setup, compared_with

CONTACT_KINDS: Mapping[str, Sequence[int]] = {
    of.ANY_CONTACT: CONTACT_IDS,
    **{type_.name: [type_.kind_id] for type_ in CONTACT_TYPES},
}
CONTACT_STATES: Mapping[str, str] = {
    State.HELD: "true",
    State.CONFIRMED: "confirmed_at IS NOT NULL",
    State.PENDING: "must_be_confirmed AND confirmed_at IS NULL",
    State.GIVES_ACCESS: "gives_access",
}
OPS: Mapping[str, str] = {Op.AT_LEAST: ">=", Op.AT_MOST: "<=", Op.EXACTLY: "="}
ASKED: Mapping[str, str] = {Ask.AT_LEAST: ">=", Ask.AT_MOST: "<=", Ask.IS: "="}

PROFILES = "c.is_head AND c.erased_at IS NULL"
FACTS = "SELECT customer_id AS id, * FROM customers_customerfacts"
FORMER_FACTS = """
SELECT m.profile_id AS id, sum(f.orders_count) AS orders_count, sum(f.orders_total) AS orders_total,
       sum(f.points_balance) AS points_balance, sum(f.promo_codes_count) AS promo_codes_count,
       max(f.last_action_at) AS last_action_at
  FROM customers_customer m JOIN customers_customerfacts f ON f.customer_id = m.id
 WHERE NOT m.is_head GROUP BY m.profile_id
"""
FORMER_REGISTRATION = """
SELECT DISTINCT ON (profile_id) profile_id AS id, registered_at, point_id
  FROM customers_customer WHERE NOT is_head ORDER BY profile_id, registered_at, id
"""
# Rows of a ledger, summed up for each profile.
LEDGER = """
SELECT coalesce(m.profile_id, t.maestra_id) AS id, {sums}
  FROM {table} t LEFT JOIN customers_customer m ON m.id = t.maestra_id AND NOT m.is_head
 WHERE {where} GROUP BY 1
"""
Sum = tuple[str, str]
"""An aggregate, and which rows it is of."""


@dataclass(slots=True)
class Compiler:
    """Makes expressions, and gathers the relations and parameters they need.

    `now` is the moment all periods are counted from. Conditions are expected to be sound (see
    `segments.references`).
    """

    setup: Setup
    now: datetime
    params: dict[str, Any] = field(default_factory=dict)
    relations: dict[str, str] = field(default_factory=dict)
    ledgers: dict[str, dict[Sum, str]] = field(default_factory=dict)

    @property
    def today(self) -> date:
        return self.now.astimezone(UTC).date()

    def expression(self, node: Node) -> str:
        """A yes or no, never NULL."""
        if isinstance(node, of.Group):
            inside = [self.expression(inner) for inner in node.conditions]
            return GROUPS[node.mode](inside)
        return f"(({EXPRESSIONS[type(node)](self, node)}) IS TRUE)"

    def bind(self, value: object) -> str:
        """A parameter; the same value is the same one, so that equal relations are found equal."""
        for name, bound in self.params.items():
            if type(bound) is type(value) and bound == value:
                return f"%({name})s"
        name = f"p{len(self.params)}"
        self.params[name] = value
        return f"%({name})s"

    def joined(self, sql: str) -> str:
        """The alias of a relation."""
        return self.relations.setdefault(sql, f"r{len(self.relations)}")

    def source(self) -> str:
        """`FROM … WHERE …` with everything the expressions made so far refer to."""
        sums = {_summed(table, sums): table for table, sums in self.ledgers.items()}
        relations = {**self.relations, **sums}
        joins = [f"LEFT JOIN ({sql}) {alias} ON {alias}.id = c.id" for sql, alias in relations.items()]
        return "\n".join(["FROM customers_customer c", *joins, f"WHERE {PROFILES}"])

    def within(self, column: str, period: Period | None) -> str:
        match period:
            case None:
                return "true"
            case Period(last_days=int(days)):
                return f"{column} >= {self.bind(self.now - timedelta(days=days))}"
            case Period(earlier_than_days=int(days)):
                return f"{column} < {self.bind(self.now - timedelta(days=days))}"
            case Period(since=since, until=until):
                first = f"{column} >= {self.bind(_midnight(since))}" if since else "true"
                last = f"{column} < {self.bind(_midnight(until + timedelta(days=1)))}" if until else "true"
                return f"{first} AND {last}"

    def fact(self, name: str) -> str:
        """A number of the profile, over all its MaestraIDs."""
        own, former = self.joined(FACTS), self.joined(FORMER_FACTS)
        return f"coalesce({own}.{name}, 0) + coalesce({former}.{name}, 0)"

    def ledger(self, table: str, aggregate: str, *where: str) -> str:
        """A sum over a ledger for each profile; NULL where the profile has no such rows."""
        sums = self.ledgers.setdefault(table, {})
        return f"{table}.{sums.setdefault((aggregate, ' AND '.join(where)), f's{len(sums)}')}"

    def compared(self, number: str, condition: Any) -> str:
        return f"{number} {OPS[condition.op]} {self.bind(condition.value)}"


def _summed(table: str, sums: Mapping[Sum, str]) -> str:
    columns = [f"{aggregate} FILTER (WHERE {where}) AS {name}" for (aggregate, where), name in sums.items()]
    wanted = " OR ".join(f"({where})" for where in dict.fromkeys(where for _aggregate, where in sums))
    return LEDGER.format(table=table, sums=", ".join(columns), where=wanted)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


GROUPS: Mapping[Mode, Callable[[Iterable[str]], str]] = {
    Mode.ALL: lambda inside: f"({' AND '.join(inside)})",
    Mode.ANY: lambda inside: f"({' OR '.join(inside)})",
    Mode.NONE: lambda inside: f"(NOT ({' OR '.join(inside)}))",
}


def _holds(q: Compiler, where: str) -> str:
    """Of current identifiers."""
    alias = q.joined(
        f"SELECT DISTINCT customer_id AS id FROM customers_identifier"
        f" WHERE customer_id IS NOT NULL AND NOT is_former AND {where}"
    )
    return f"{alias}.id IS NOT NULL"


def _contact(q: Compiler, c: of.Contact) -> str:
    kinds = q.bind(list(CONTACT_KINDS[c.contact]))
    return _holds(q, f"kind_id = ANY({kinds}::smallint[]) AND {CONTACT_STATES[c.state]}")


def _identified(_q: Compiler, _c: of.Identified) -> str:
    return "c.is_identified"


def _identifier(q: Compiler, c: of.Identifier) -> str:
    kind = f"(SELECT id FROM customers_identifierkind WHERE system_name = {q.bind(c.kind)})"
    return _holds(q, f"kind_id = {kind}")


def _subscribed(q: Compiler, c: of.Subscribed) -> str:
    topic = "true" if c.topic is None else f"topic = {q.bind(c.topic)}"
    alias = q.joined(
        f"SELECT DISTINCT customer_id AS id FROM customers_subscription"
        f" WHERE channel = {q.bind(c.channel)} AND status = {q.bind(c.status)} AND {topic}"
    )
    return f"{alias}.id IS NOT NULL"


def _opted_out(_q: Compiler, _c: of.OptedOut) -> str:
    return "c.opted_out_at IS NOT NULL"


def _orders_count(q: Compiler, c: of.OrdersCount) -> str:
    if c.period is None:
        return q.compared(q.fact("orders_count"), c)
    return q.compared(_orders(q, "count(*)", c.period), c)


def _orders_total(q: Compiler, c: of.OrdersTotal) -> str:
    if c.period is None:
        return q.compared(q.fact("orders_total"), c)
    return q.compared(_orders(q, "sum(t.total)", c.period), c)


def _orders(q: Compiler, aggregate: str, period: Period) -> str:
    return f"coalesce({q.ledger('customers_order', aggregate, q.within('t.placed_at', period))}, 0)"


def _last_order(q: Compiler, c: of.LastOrder) -> str:
    return q.within(q.ledger("customers_order", "max(t.placed_at)", "true"), c.period)


def _activity_count(q: Compiler, c: of.ActivityCount) -> str:
    kind = f"t.kind = {q.bind(c.kind)}" if c.kind else "true"
    page = f"strpos(t.url, {q.bind(c.page)}) > 0" if c.page else "true"
    within = q.within("t.occurred_at", c.period)
    done = q.ledger("customers_activity", "count(*)", kind, page, within)
    return q.compared(f"coalesce({done}, 0)", c)


def _last_action(q: Compiler, c: of.LastAction) -> str:
    own, former = q.joined(FACTS), q.joined(FORMER_FACTS)
    return q.within(f"greatest({own}.last_action_at, {former}.last_action_at)", c.period)


def _points_balance(q: Compiler, c: of.PointsBalance) -> str:
    return q.compared(q.fact("points_balance"), c)


def _promo_codes_count(q: Compiler, c: of.PromoCodesCount) -> str:
    return q.compared(q.fact("promo_codes_count"), c)


def _custom(q: Compiler, c: of.Custom) -> str:
    """A stored value of another type than the field has by now is no match and no error."""
    name = q.bind(c.field)
    if c.op == Ask.KNOWN:
        return f"c.custom_fields ? {name}"
    custom_type = q.setup.custom_types[c.field]
    return CUSTOM[custom_type](q, Ask(c.op), name, compared_with(c, custom_type))


def _list_asked(q: Compiler, _ask: Ask, name: str, value: str) -> str:
    is_list = f"jsonb_typeof(c.custom_fields -> {name}) = 'array'"
    return f"{is_list} AND c.custom_fields -> {name} ? {q.bind(value)}"


def _text_asked(q: Compiler, ask: Ask, name: str, value: str) -> str:
    text, wanted = f"(c.custom_fields ->> {name})", q.bind(value)
    match ask:
        case Ask.CONTAINS:
            return f"strpos(lower{text}, lower({wanted})) > 0"
        case Ask.STARTS_WITH:
            return f"starts_with(lower{text}, lower({wanted}))"
        case _:
            return f"{text} = {wanted}"


def _boolean_asked(q: Compiler, _ask: Ask, name: str, value: bool) -> str:
    return f"c.custom_fields -> {name} = to_jsonb({q.bind(value)}::boolean)"


def _number_asked(q: Compiler, ask: Ask, name: str, value: int | Decimal) -> str:
    is_number = f"jsonb_typeof(c.custom_fields -> {name}) = 'number'"
    number = f"(c.custom_fields ->> {name})::numeric"
    return f"CASE WHEN {is_number} THEN {number} {ASKED[ask]} {q.bind(value)} END"


def _moment_asked(q: Compiler, ask: Ask, name: str, value: date) -> str:
    """Days, and moments in UTC, are stored in ISO 8601, so they sort as text."""
    text = f"(c.custom_fields ->> {name})"
    is_day = rf"{text} ~ '^\d{{4}}-\d\d-\d\d'"
    return f'{is_day} AND {text} COLLATE "C" {ASKED[ask]} {q.bind(value.isoformat())}'


CUSTOM: Mapping[CustomType, Callable[[Compiler, Ask, str, Any], str]] = {
    CustomType.STRING: _text_asked,
    CustomType.INTEGER: _number_asked,
    CustomType.DECIMAL: _number_asked,
    CustomType.BOOLEAN: _boolean_asked,
    CustomType.DATE: _moment_asked,
    CustomType.DATETIME: _moment_asked,
    CustomType.LIST: _list_asked,
}
"""How a custom field of each type is compared."""


def _gender(q: Compiler, c: of.Gender) -> str:
    return f"c.gender = {q.bind(c.gender)}"


def _known(_q: Compiler, c: of.Known) -> str:
    return f"c.{c.field} IS NOT NULL"


def _birthday(q: Compiler, c: of.Birthday) -> str:
    """In years without a 29 February it is the 28th."""
    today = f"{q.bind(q.today)}::date"
    years = f"(extract(year FROM {today}) - extract(year FROM c.birth_date))::int"
    this, following = (f"(c.birth_date + make_interval(years => {years} + {n}))::date" for n in (0, 1))
    coming = f"CASE WHEN {this} >= {today} THEN {this} ELSE {following} END"
    return f"({coming}) - {today} <= {q.bind(c.days)}"


def _age(q: Compiler, c: of.Age) -> str:
    years = f"extract(year FROM age({q.bind(q.today)}::date, c.birth_date))"
    return q.compared(years, c)


def _registered(q: Compiler, c: of.Registered) -> str:
    former = q.joined(FORMER_REGISTRATION)
    return q.within(f"least(c.registered_at, {former}.registered_at)", c.period)


def _registered_through(q: Compiler, c: of.RegisteredThrough) -> str:
    former = q.joined(FORMER_REGISTRATION)
    earlier = f"{former}.registered_at < c.registered_at"
    point = f"(SELECT id FROM customers_integrationpoint WHERE system_name = {q.bind(c.point)})"
    return f"CASE WHEN {earlier} THEN {former}.point_id ELSE c.point_id END = {point}"


def _in_segment(q: Compiler, c: of.InSegment) -> str:
    segmentation, _, name = c.segment.partition("/")
    alias = q.joined(
        "SELECT m.customer_id AS id FROM segments_membership m JOIN segments_segment s ON s.id = m.segment_id"
        f" JOIN segments_segmentation g ON g.id = s.segmentation_id"
        f" WHERE g.system_name = {q.bind(segmentation)} AND s.system_name = {q.bind(name)}"
    )
    return f"{alias}.id IS NOT NULL"


EXPRESSIONS: Mapping[type, Callable[[Compiler, Any], str]] = {
    of.Contact: _contact,
    of.Identified: _identified,
    of.Identifier: _identifier,
    of.Subscribed: _subscribed,
    of.OptedOut: _opted_out,
    of.OrdersCount: _orders_count,
    of.OrdersTotal: _orders_total,
    of.LastOrder: _last_order,
    of.ActivityCount: _activity_count,
    of.LastAction: _last_action,
    of.PointsBalance: _points_balance,
    of.PromoCodesCount: _promo_codes_count,
    of.Custom: _custom,
    of.Gender: _gender,
    of.Known: _known,
    of.Birthday: _birthday,
    of.Age: _age,
    of.Registered: _registered,
    of.RegisteredThrough: _registered_through,
    of.InSegment: _in_segment,
}
"""How each condition of the closed set is asked."""
