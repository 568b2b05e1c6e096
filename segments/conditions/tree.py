"""Conditions in groups: read from JSON and stored, asked, told in words, checked.

Stored is `{"version": 1, "all": [{"type": "orders_count", "op": "at_least", "value": 3}, …]}`: a group is
`all`, `any` or `none` of a list, a condition is its `type` with its fields.

A condition that refers to something deleted matches nobody, not even under `none`: it is left out of its
group, and a group of `all` or `none` that loses one of its conditions matches nobody either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _

from customers.errors import invalid
from segments.conditions.base import Condition, Fault
from segments.conditions.catalogue import TYPES
from segments.conditions.context import ConditionContext, Refers
from segments.conditions.fields import UnreadableError
from segments.conditions.query import Query

VERSION = 1
MOST_CONDITIONS = 100
DEEPEST = 8


class Mode(StrEnum):
    """How many of its conditions a group asks for."""

    ALL = "all"
    ANY = "any"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Group:
    """All, any or none of the conditions in it, of which there is at least one."""

    mode: Mode
    conditions: tuple[Node, ...]


Node = Condition | Group


# --- Read


def parse(data: object) -> Group:
    """A whole condition. Raises `validation_error` with every fault at its path."""
    faults: list[Fault] = []
    node = None
    if isinstance(data, dict):
        if data.get("version", VERSION) != VERSION:
            faults.append(("version", _("The only version of conditions is 1.")))
        node = _group({key: value for key, value in data.items() if key != "version"}, "", faults, 0)
    else:
        faults.append(("", _("A condition is an object with all, any or none.")))
    if node and sum(1 for _c in conditions_of(node)) > MOST_CONDITIONS:
        message = _("There are too many conditions: at most %(limit)s.") % {"limit": MOST_CONDITIONS}
        faults.append(("", message))
    if faults or node is None:
        raise invalid(*faults)
    return node


def parse_node(data: object) -> Node:
    """A group or a single condition. Raises `validation_error`."""
    faults: list[Fault] = []
    node = _node(data, "", faults, 0)
    if faults or node is None:
        raise invalid(*faults)
    return node


def _node(data: object, path: str, faults: list[Fault], depth: int) -> Node | None:
    if isinstance(data, dict) and "type" in data:
        return _condition(data, path, faults)
    if isinstance(data, dict):
        return _group(data, path, faults, depth)
    faults.append((path, _("A condition is an object with a type, or with all, any or none.")))
    return None


def _group(data: Mapping[str, object], path: str, faults: list[Fault], depth: int) -> Group | None:
    match list(data.items()):
        case [(mode, [_, *_] as entries)] if mode in list(Mode) and depth < DEEPEST:
            inside = f"{path}.{mode}" if path else str(mode)
            nodes = [_node(e, f"{inside}[{n}]", faults, depth + 1) for n, e in enumerate(entries)]
            return Group(Mode(mode), tuple(node for node in nodes if node is not None))
        case [(mode, [])] if mode in list(Mode):
            faults.append((path, _("The group is empty. Add a condition, or remove the group.")))
        case _ if depth >= DEEPEST:
            faults.append((path, _("The groups are nested too deeply.")))
        case _:
            faults.append((path, _("A group is one of all, any or none, with a list of conditions.")))
    return None


def _condition(data: Mapping[str, object], path: str, faults: list[Fault]) -> Condition | None:
    condition = TYPES.get(str(data["type"]))
    if condition is None:
        message = _("There is no such condition. Choose one of: %(types)s.") % {"types": ", ".join(TYPES)}
        faults.append((_at(path, "type"), message))
        return None
    declared = {field.name: field for field in condition.fields()}
    given = {name: data[name] for name in declared if data.get(name) is not None}
    wrong = [(str(key), _("There is no such field.")) for key in data if key not in {"type", *declared}]
    wrong += [
        (name, _("It is missing."))
        for name, field in declared.items()
        if field.is_required and name not in given
    ]
    values: dict[str, Any] = {}
    for name, value in given.items():
        try:
            values[name] = declared[name].type.read(value)
        except UnreadableError as fault:
            wrong.append((name, str(fault)))
    faults += sorted((_at(path, name), message) for name, message in wrong)
    return None if wrong else condition(**values)


def _at(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


# --- Stored


def stored_form(group: Group) -> dict[str, Any]:
    """The condition as it is stored, with its version."""
    return {"version": VERSION, **as_data(group)}


def as_data(node: Node) -> dict[str, Any]:
    """The JSON that `parse_node` takes back."""
    if isinstance(node, Group):
        return {node.mode.value: [as_data(inner) for inner in node.conditions]}
    given = ((field, getattr(node, field.name)) for field in node.fields())
    values = {field.name: field.type.stored(value) for field, value in given if value is not None}
    return {"type": node.name, **values}


# --- Looked at


def conditions_of(node: Node, path: str = "") -> Iterator[tuple[str, Condition]]:
    """The single conditions with their paths, in order."""
    if not isinstance(node, Group):
        yield path, node
        return
    inside = f"{path}.{node.mode}" if path else str(node.mode)
    for number, inner in enumerate(node.conditions):
        yield from conditions_of(inner, f"{inside}[{number}]")


def segments_of(node: Node) -> set[str]:
    """The segments a condition depends on, as `segmentation/segment`."""
    references = [reference for _path, c in conditions_of(node) for reference in c.references()]
    return {reference.name for reference in references if reference.to is Refers.SEGMENT}


def faults(node: Node, context: ConditionContext) -> list[Fault]:
    """What a condition refers to that does not exist, and values that do not suit their custom field."""
    return [
        (_at(path, name), message)
        for path, condition in conditions_of(node)
        for name, message in condition.faults(context)
    ]


def valid(node: Node, context: ConditionContext) -> Node | None:
    """The condition without what matches nobody; None where nothing is left."""
    if not isinstance(node, Group):
        return None if any(node.faults(context)) else node
    inside = [valid(inner, context) for inner in node.conditions]
    whole = tuple(inner for inner in inside if inner is not None)
    if not whole or (node.mode is not Mode.ANY and len(whole) < len(inside)):
        return None
    return replace(node, conditions=whole)


def expression(node: Node, query: Query) -> str:
    """The condition in SQL, true or false and never NULL. It must be `valid`."""
    if not isinstance(node, Group):
        return f"(({node.sql(query)}) IS TRUE)"
    inside = [expression(inner, query) for inner in node.conditions]
    match node.mode:
        case Mode.ALL:
            return f"({' AND '.join(inside)})"
        case Mode.ANY:
            return f"({' OR '.join(inside)})"
        case Mode.NONE:
            return f"(NOT ({' OR '.join(inside)}))"


# --- In words


def sentence(node: Node, context: ConditionContext) -> str:
    """The condition as what a customer has or does: “has placed at least 3 orders”."""
    if not isinstance(node, Group):
        return node.sentence(context)
    inside = [_inner_sentence(inner, context) for inner in node.conditions]
    match node.mode:
        case Mode.ALL:
            return _(" and ").join(inside)
        case Mode.ANY:
            return _(" or ").join(inside)
        case Mode.NONE if len(inside) == 1:
            return _("not: %(condition)s") % {"condition": inside[0]}
        case Mode.NONE:
            return _("none of: %(conditions)s") % {"conditions": "; ".join(inside)}


def _inner_sentence(node: Node, context: ConditionContext) -> str:
    """In brackets where it would otherwise run into the group around it."""
    text = sentence(node, context)
    return f"({text})" if isinstance(node, Group) and len(node.conditions) > 1 else text


def whole_sentence(node: Node, context: ConditionContext) -> str:
    """The condition as a sentence of its own."""
    text = sentence(node, context)
    return text[:1].upper() + text[1:]
