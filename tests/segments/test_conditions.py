"""What a condition may say, what is said of one that may not, and what it refers to."""

from __future__ import annotations

from inspect import isabstract
from typing import Any

import pytest

from customers.custom_values import CustomType
from customers.errors import SelfsameError
from segments.conditions.base import ACTIVITY, CONTACTS, ORDERS, PERSONAL, REGISTRATION, Condition
from segments.conditions.builder import described_types
from segments.conditions.catalogue import CONDITIONS, TYPES
from segments.conditions.context import ConditionContext, Refers
from segments.conditions.tree import as_data, faults, parse, segments_of, sentence, stored_form, valid
from segments.dependencies import cycle, in_order
from tests.segments.meanings import MEANINGS

INPUTS = {"choice", "whole", "amount", "text", "topic", "period", "reference", "custom"}
"""What `builder.js` draws."""
OPTED_OUT = {"type": "opted_out"}
CONTEXT = ConditionContext(
    labels={
        Refers.IDENTIFIER_KIND: {"crm_id": "CRM ID"},
        Refers.CUSTOM_FIELD: {"size": "Size", "seen": "Seen"},
        Refers.POINT: {"till": "Till"},
        Refers.SEGMENT: {"loyalty/gold": "Loyalty: Gold"},
    },
    custom_types={"size": CustomType.INTEGER, "seen": CustomType.DATETIME},
)


def told(data: Any) -> dict[str, str]:
    """The faults of a condition by their paths."""
    with pytest.raises(SelfsameError) as refused:
        parse(data)
    return {entry["path"]: entry["message"] for entry in refused.value.data["errors"]}


@pytest.mark.parametrize(
    ("data", "paths"),
    [
        (None, {""}),
        ([], {""}),
        ({}, {""}),
        ({"all": []}, {""}),
        ({"all": {}}, {""}),
        ({"all": [OPTED_OUT], "any": [OPTED_OUT]}, {""}),
        ({"some": [OPTED_OUT]}, {""}),
        ({"version": 2, "all": [OPTED_OUT]}, {"version"}),
        ({"all": ["opted_out"]}, {"all[0]"}),
        ({"all": [{"type": "nonsense"}]}, {"all[0].type"}),
        ({"any": [{"type": "opted_out", "x": 1}]}, {"any[0].x"}),
        ({"none": [OPTED_OUT, {"all": []}]}, {"none[1]"}),
        ({"all": [{"type": "orders_count"}]}, {"all[0].op", "all[0].value"}),
        ({"all": [{"type": "orders_count", "op": "over", "value": -1}]}, {"all[0].op", "all[0].value"}),
        ({"all": [{"type": "orders_count", "op": "at_least", "value": True}]}, {"all[0].value"}),
        ({"all": [{"type": "orders_total", "op": "at_least", "value": "NaN"}]}, {"all[0].value"}),
        ({"all": [{"type": "orders_total", "op": "at_least", "value": 10**400}]}, {"all[0].value"}),
        ({"all": [{"type": "last_order", "period": {}}]}, {"all[0].period"}),
        ({"all": [{"type": "last_order", "period": {"last_days": 0}}]}, {"all[0].period"}),
        ({"all": [{"type": "last_order", "period": {"from": "2026-02-30"}}]}, {"all[0].period"}),
        (
            {"all": [{"type": "last_order", "period": {"from": "2026-02-02", "to": "2026-02-01"}}]},
            {"all[0].period"},
        ),
        ({"all": [{"type": "activity_count", "op": "exactly", "value": 0, "page": "a\0b"}]}, {"all[0].page"}),
        ({"all": [OPTED_OUT] * 101}, {""}),
    ],
)
def test_every_fault_is_named_at_its_place(data: Any, paths: set[str]) -> None:
    assert told(data).keys() == paths


def test_groups_are_not_nested_without_end() -> None:
    deep: dict[str, Any] = OPTED_OUT
    for _n in range(2000):
        deep = {"all": [deep]}
    assert "nested too deep" in next(iter(told(deep).values()))


def test_what_is_stored_names_its_version_and_reads_as_it_was() -> None:
    period = {"from": "2026-01-01", "to": "2026-01-31"}
    data = {"any": [{"type": "orders_total", "op": "at_least", "value": "59.90", "period": period}]}
    stored = stored_form(parse(data))
    assert stored == {"version": 1, **data}
    assert parse(stored) == parse(data)


def test_a_condition_is_told_in_words() -> None:
    orders = {"type": "orders_count", "op": "at_least", "value": 3, "period": {"last_days": 90}}
    data = {
        "all": [
            {"type": "contact", "contact": "email", "state": "confirmed"},
            {"any": [orders, OPTED_OUT]},
            {"none": [{"type": "segment", "segment": "loyalty/gold"}]},
        ]
    }
    assert sentence(parse(data), CONTEXT) == (
        "has an e-mail that is confirmed and (placed at least 3 orders in the last 90 days or has opted out "
        "of everything) and not: is in segment Loyalty: Gold"
    )


def gone(name: str = "crm") -> dict[str, str]:
    return {"type": "identifier", "kind": name}


@pytest.mark.parametrize(
    ("data", "left"),
    [
        ({"all": [gone(), OPTED_OUT]}, None),
        ({"none": [gone(), OPTED_OUT]}, None),
        ({"any": [gone(), OPTED_OUT]}, {"any": [OPTED_OUT]}),
        ({"any": [gone()]}, None),
        ({"none": [{"none": [gone()]}]}, None),
        ({"any": [{"all": [gone(), OPTED_OUT]}, OPTED_OUT]}, {"any": [OPTED_OUT]}),
        ({"all": [gone("crm_id")]}, {"all": [gone("crm_id")]}),
    ],
)
def test_what_refers_to_something_deleted_matches_nobody(data: Any, left: Any) -> None:
    found = valid(parse(data), CONTEXT)
    assert (found and as_data(found)) == left


@pytest.mark.parametrize(
    ("condition", "place"),
    [
        ({"type": "identifier", "kind": "crm"}, "all[0].kind"),
        ({"type": "registered_through", "point": "shop"}, "all[0].point"),
        ({"type": "segment", "segment": "loyalty/silver"}, "all[0].segment"),
        ({"type": "custom_field", "field": "colour", "op": "known"}, "all[0].field"),
        ({"type": "custom_field", "field": "size", "op": "contains", "value": "4"}, "all[0].op"),
        ({"type": "custom_field", "field": "size", "op": "is", "value": "large"}, "all[0].value"),
        ({"type": "custom_field", "field": "size", "op": "at_least"}, "all[0].value"),
        ({"type": "custom_field", "field": "seen", "op": "at_least", "value": "2026-01-01"}, "all[0].value"),
    ],
)
def test_what_is_not_there_or_does_not_suit_is_named(condition: dict[str, Any], place: str) -> None:
    assert [path for path, _message in faults(parse({"all": [condition]}), CONTEXT)] == [place]


def test_segmentations_come_after_those_they_are_calculated_from() -> None:
    graph = {"a": frozenset({"c"}), "b": frozenset[str](), "c": frozenset({"b"})}
    assert in_order(graph) == ["b", "c", "a"]
    assert cycle(graph) is None
    circle = cycle({**graph, "b": frozenset({"a"})})
    assert circle
    assert "→".join(circle) in "a→c→b→a→c→b→a"
    assert cycle({"a": frozenset({"a"})}) == ["a", "a"]
    inside = parse({"none": [{"any": [{"type": "segment", "segment": "x/y"}]}]})
    assert segments_of(inside) == {"x/y"}


def types_of_conditions(base: type[Condition] = Condition) -> set[type[Condition]]:
    """All that are written down, listed in the catalogue or not."""
    below = {found for subclass in base.__subclasses__() for found in types_of_conditions(subclass)}
    return below if isabstract(base) else {base, *below}


def test_every_condition_is_in_the_catalogue_under_a_name_of_its_own() -> None:
    assert types_of_conditions() == set(CONDITIONS)
    assert len(TYPES) == len(CONDITIONS)


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda condition: condition.name)
def test_every_condition_says_what_its_family_says(condition: type[Condition]) -> None:
    """What abstract methods do not enforce: names, and a meaning to compare the SQL with."""
    assert condition.name
    assert condition.label
    assert condition.group in (CONTACTS, ORDERS, ACTIVITY, PERSONAL, REGISTRATION)
    assert condition.__doc__
    assert condition.name in MEANINGS
    assert all(field.label and field.type for field in condition.fields())


def test_the_builder_offers_every_condition_with_its_fields() -> None:
    described = described_types(CONTEXT)["types"]
    fields = {entry["name"]: [field["name"] for field in entry["fields"]] for entry in described}
    assert fields == {c.name: [field.name for field in c.fields()] for c in CONDITIONS}
    assert all(field["input"] in INPUTS for entry in described for field in entry["fields"])
