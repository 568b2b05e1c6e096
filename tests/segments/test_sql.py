"""Every condition finds the people it means, whatever it is combined with."""

from __future__ import annotations

import pytest
from django.db import connection

from customers.setup.project_config import project_config
from segments.conditions.catalogue import CONDITIONS, TYPES
from segments.conditions.context import ConditionContext
from segments.conditions.query import Query
from segments.conditions.tree import Node, as_data, conditions_of, expression, faults, parse_node, sentence
from segments.references import condition_context
from tests.segments.meanings import Inventor, meets
from tests.segments.people import NOW, Person, crowd, set_up

pytestmark = pytest.mark.django_db


@pytest.fixture
def context() -> ConditionContext:
    set_up()
    return condition_context(project_config())


def found(nodes: list[Node], context: ConditionContext) -> list[set[int]]:
    query = Query(context, NOW)
    columns = [f"array_agg(c.id) FILTER (WHERE {expression(node, query)})" for node in nodes]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(columns)} {query.source()}", query.params)
        return [set(ids or ()) for ids in cursor.fetchone()]


def check(nodes: list[Node], people: list[Person], context: ConditionContext) -> None:
    for node, ids in zip(nodes, found(nodes, context), strict=True):
        assert ids == {p.id for p in people if meets(p, node)}, as_data(node)


def test_a_condition_finds_whom_it_means(context: ConditionContext) -> None:
    inventor, people = Inventor(1, context), crowd(1)
    for name in TYPES:
        check([parse_node(inventor.condition(name)) for _n in range(25)], people, context)


@pytest.mark.parametrize("seed", [2, 3])
def test_groups_find_whom_they_mean(seed: int, context: ConditionContext) -> None:
    inventor, people = Inventor(seed, context), crowd(seed)
    nodes = [parse_node(inventor.node()) for _n in range(60)]
    for part in range(0, 60, 10):
        check(nodes[part : part + 10], people, context)


def test_what_is_made_up_here_is_told_in_words_and_stored_without_loss(context: ConditionContext) -> None:
    inventor = Inventor(4, context)
    nodes = [parse_node(inventor.node()) for _n in range(100)]
    for node in nodes:
        assert parse_node(as_data(node)) == node
        assert sentence(node, context)
        assert faults(node, context) == []
    assert {type(c) for node in nodes for _path, c in conditions_of(node)} == set(CONDITIONS)


def test_conditions_of_one_segmentation_read_a_ledger_once(context: ConditionContext) -> None:
    query = Query(context, NOW)
    week, month = {"last_days": 7}, {"last_days": 30}
    for data in (
        {"type": "orders_count", "op": "at_least", "value": 1, "period": week},
        {"type": "orders_total", "op": "at_most", "value": 50, "period": week},
        {"type": "orders_count", "op": "exactly", "value": 3, "period": month},
        {"type": "last_order", "period": month},
    ):
        expression(parse_node(data), query)
    assert query.source().count("FROM customers_order") == 1
