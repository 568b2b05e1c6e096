"""What conditions refer to, and what becomes of a condition whose referent is gone.

A condition that refers to something deleted matches nobody, under `none` as little as elsewhere: it is left
out of the group it stands in, and an `all` or `none` that loses one of its conditions is lost with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.normalise import CustomType, Invalid, custom_value
from segments.conditions import (
    Ask,
    Condition,
    Custom,
    Fault,
    Group,
    Mode,
    Node,
    conditions_of,
    references_of,
)
from segments.readers import Refers


@dataclass(frozen=True, slots=True)
class Setup:
    """What there is to refer to: names for people by system name. Segments as `segmentation/segment`."""

    labels: Mapping[Refers, Mapping[str, str]]
    custom_types: Mapping[str, CustomType]

    def label(self, to: Refers, name: str) -> str:
        return self.labels[to].get(name) or _("“%(name)s” (deleted)") % {"name": name}


ASKS: Mapping[CustomType, tuple[Ask, ...]] = {
    CustomType.STRING: (Ask.KNOWN, Ask.IS, Ask.CONTAINS, Ask.STARTS_WITH),
    CustomType.INTEGER: (Ask.KNOWN, Ask.IS, Ask.AT_LEAST, Ask.AT_MOST),
    CustomType.DECIMAL: (Ask.KNOWN, Ask.IS, Ask.AT_LEAST, Ask.AT_MOST),
    CustomType.BOOLEAN: (Ask.KNOWN, Ask.IS),
    CustomType.DATE: (Ask.KNOWN, Ask.IS, Ask.AT_LEAST, Ask.AT_MOST),
    CustomType.DATETIME: (Ask.KNOWN, Ask.AT_LEAST, Ask.AT_MOST),
    CustomType.LIST: (Ask.KNOWN, Ask.CONTAINS),
}
"""What can be asked of a custom field of each type."""

MISSING: Mapping[Refers, Promise] = {
    Refers.IDENTIFIER_KIND: gettext_lazy("There is no identifier kind “%(name)s” (any more)."),
    Refers.CUSTOM_FIELD: gettext_lazy("There is no custom field “%(name)s” (any more)."),
    Refers.POINT: gettext_lazy("There is no integration point “%(name)s” (any more)."),
    Refers.SEGMENT: gettext_lazy("There is no segment “%(name)s” (any more)."),
}


def faults(node: Node, setup: Setup) -> list[Fault]:
    """What a condition refers to that is not there, and values that do not suit their custom field."""
    return [
        (f"{path}.{name}" if path else name, message)
        for path, condition in conditions_of(node)
        for name, message in _faults(condition, setup)
    ]


def valid(node: Node, setup: Setup) -> Node | None:
    """The condition without what matches nobody; None where nothing is left."""
    if not isinstance(node, Group):
        return None if any(_faults(node, setup)) else node
    inside = [valid(inner, setup) for inner in node.conditions]
    whole = tuple(inner for inner in inside if inner is not None)
    if not whole or (node.mode is not Mode.ANY and len(whole) < len(inside)):
        return None
    return replace(node, conditions=whole)


def _faults(condition: Condition, setup: Setup) -> Iterator[Fault]:
    for field, to, name in references_of(condition):
        if name not in setup.labels[to]:
            yield field, str(MISSING[to]) % {"name": name}
        elif isinstance(condition, Custom):
            yield from _unsuited(condition, setup.custom_types[name])


def _unsuited(condition: Custom, custom_type: CustomType) -> Iterator[Fault]:
    if condition.op not in ASKS[custom_type]:
        asks = ", ".join(ASKS[custom_type])
        yield "op", _("That cannot be asked of this field. Use one of: %(asks)s.") % {"asks": asks}
    elif condition.op != Ask.KNOWN:
        try:
            compared_with(condition, custom_type)
        except Invalid as reason:
            yield "value", str(reason)


def compared_with(condition: Custom, custom_type: CustomType) -> Any:
    """The value of a condition as its custom field holds values. Raises `Invalid`."""
    if condition.value is None:
        raise Invalid(_("It is missing."))
    return custom_value(condition.value, CustomType.STRING if custom_type is CustomType.LIST else custom_type)
