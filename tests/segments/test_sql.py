"""Every condition finds the people it means, whatever it is combined with."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.db import connection

from customers.setup.project_config import project_config
from segments.conditions import TYPES, Node, as_data, conditions_of, parse_node
from segments.naming import setup_of
from segments.references import ASKS, Setup, faults
from segments.sql import Compiler
from segments.wording import SENTENCES, sentence
from tests.segments.people import (
    ACTIONS,
    CHANNELS,
    FIELDS,
    NOW,
    PAGES,
    STATUSES,
    TOPICS,
    Person,
    crowd,
    meets,
    set_up,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def setup() -> Setup:
    set_up()
    return setup_of(project_config())


def found(nodes: list[Node], setup: Setup) -> list[set[int]]:
    compiler = Compiler(setup, NOW)
    columns = [f"array_agg(c.id) FILTER (WHERE {compiler.expression(node)})" for node in nodes]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(columns)} {compiler.source()}", compiler.params)
        return [set(ids or ()) for ids in cursor.fetchone()]


class Inventor:
    """Makes conditions up."""

    def __init__(self, seed: int, setup: Setup) -> None:
        self.random, self.setup = random.Random(seed), setup

    def pick(self, options: Any) -> Any:
        return self.random.choice(list(options))

    def period(self) -> dict[str, Any]:
        days = {"from": "2026-01-30", "to": "2026-02-28"}
        chosen: dict[str, Any] = self.pick(
            [
                {self.pick(["last_days", "earlier_than_days"]): self.pick([1, 7, 30, 90, 400])},
                self.pick([days, {"from": "2026-02-22"}, {"to": "2026-01-30"}]),
            ]
        )
        return chosen

    def maybe(self, **values: Any) -> dict[str, Any]:
        return values if self.random.random() < 0.5 else {}

    def compared(self, *values: Any) -> dict[str, Any]:
        return {"op": self.pick(["at_least", "at_most", "exactly"]), "value": self.pick(values)}

    def custom(self) -> dict[str, Any]:
        name = self.pick(FIELDS)
        op = self.pick(ASKS[self.setup.custom_types[name]])
        if op == "known":
            return {"field": name, "op": op.value}
        wanted = {"likes": ["tea", "rye"], "colour": ["red", "Red", "50%", "%"]}.get(name, FIELDS[name][1])
        value = self.pick(wanted)
        return {"field": name, "op": op.value, "value": str(value) if name == "score" else value}

    def condition(self, name: str) -> dict[str, Any]:
        pick = self.pick
        values: dict[str, Any] = {
            "identified": {},
            "opted_out": {},
            "contact": {
                "contact": pick(["any", "email", "mobile_phone", "discount_card"]),
                "state": pick(["held", "confirmed", "pending", "gives_access"]),
            },
            "identifier": {"kind": pick(["crm_id", "session_key", "device_id", "email"])},
            "subscription": {
                "channel": pick([*CHANNELS, "viber"]),
                "status": pick(STATUSES),
                **self.maybe(topic=pick(TOPICS)),
            },
            "orders_count": {**self.compared(0, 1, 2, 4), **self.maybe(period=self.period())},
            "orders_total": {**self.compared("0", "5.5", 20, "25.50"), **self.maybe(period=self.period())},
            "last_order": {"period": self.period()},
            "points_balance": self.compared(-3, 0, 10),
            "promo_codes_count": self.compared(0, 1, 2),
            "activity_count": {
                **self.compared(0, 1, 3),
                **self.maybe(kind=pick(ACTIONS)),
                **self.maybe(page=pick(["shoes", "50%", *PAGES[:1]])),
                **self.maybe(period=self.period()),
            },
            "last_action": {"period": self.period()},
            "gender": {"gender": pick(["male", "female", "other"])},
            "age": self.compared(18, 19, 30, 36),
            "birthday": {"days": pick([0, 1, 5, 300, 365])},
            "known": {"field": pick(["last_name", "birth_date", "gender", "time_zone", "middle_name"])},
            "custom_field": self.custom(),
            "registered": {"period": self.period()},
            "registered_through": {"point": pick(["shop", "till"])},
            "segment": {"segment": pick(["level/silver", "level/gold"])},
        }
        return {"type": name, **values[name]}

    def node(self, depth: int = 0) -> dict[str, Any]:
        if depth == 3 or self.random.random() < 0.4:
            return self.condition(self.pick(TYPES))
        inside = [self.node(depth + 1) for _n in range(self.random.randint(1, 3))]
        return {self.pick(["all", "any", "none"]): inside}


def check(nodes: list[Node], people: list[Person], setup: Setup) -> None:
    for node, ids in zip(nodes, found(nodes, setup), strict=True):
        assert ids == {p.id for p in people if meets(p, node)}, as_data(node)


def test_a_condition_finds_whom_it_means(setup: Setup) -> None:
    inventor, people = Inventor(1, setup), crowd(1)
    for name in TYPES:
        check([parse_node(inventor.condition(name)) for _n in range(25)], people, setup)


@pytest.mark.parametrize("seed", [2, 3])
def test_groups_find_whom_they_mean(seed: int, setup: Setup) -> None:
    inventor, people = Inventor(seed, setup), crowd(seed)
    nodes = [parse_node(inventor.node()) for _n in range(60)]
    for part in range(0, 60, 10):
        check(nodes[part : part + 10], people, setup)


def test_what_is_made_up_here_is_told_in_words_and_stored_without_loss(setup: Setup) -> None:
    inventor = Inventor(4, setup)
    nodes = [parse_node(inventor.node()) for _n in range(100)]
    for node in nodes:
        assert parse_node(as_data(node)) == node
        assert sentence(node, setup)
        assert faults(node, setup) == []
    assert {type(c) for node in nodes for _path, c in conditions_of(node)} == set(SENTENCES)


def test_conditions_of_one_segmentation_read_a_ledger_once(setup: Setup) -> None:
    compiler = Compiler(setup, NOW)
    week, month = {"last_days": 7}, {"last_days": 30}
    for data in (
        {"type": "orders_count", "op": "at_least", "value": 1, "period": week},
        {"type": "orders_total", "op": "at_most", "value": 50, "period": week},
        {"type": "orders_count", "op": "exactly", "value": 3, "period": month},
        {"type": "last_order", "period": month},
    ):
        compiler.expression(parse_node(data))
    assert compiler.source().count("FROM customers_order") == 1
