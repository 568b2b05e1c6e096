"""The condition on a custom field: what can be asked depends on the field's type."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from customers.custom_values import CustomType, custom_value
from customers.normalise import Invalid
from segments.conditions.base import HOW, PERSONAL, VALUE, Condition, Fault, needed, optional
from segments.conditions.context import ConditionContext, Refers
from segments.conditions.fields import Choice, CustomValue, Reference, Words
from segments.conditions.query import Query


class Ask(StrEnum):
    """What can be asked of a custom field."""

    KNOWN = "known"
    IS = "is"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"


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
ASK_WORDS: Words = {
    Ask.KNOWN: gettext_lazy("is known"),
    Ask.IS: gettext_lazy("is"),
    Ask.CONTAINS: gettext_lazy("contains"),
    Ask.STARTS_WITH: gettext_lazy("starts with"),
    Ask.AT_LEAST: gettext_lazy("is at least"),
    Ask.AT_MOST: gettext_lazy("is at most"),
}
DATE_WORDS: Words = {
    Ask.KNOWN: gettext_lazy("is known"),
    Ask.IS: gettext_lazy("is"),
    Ask.AT_LEAST: gettext_lazy("is on or after"),
    Ask.AT_MOST: gettext_lazy("is on or before"),
}
ASK_SQL = {Ask.AT_LEAST: ">=", Ask.AT_MOST: "<=", Ask.IS: "="}


@dataclass(frozen=True)
class Custom(Condition):
    """A custom field is known, or compares with the value. Upper and lower case do not matter in parts of a
    text.
    """

    name, group, label = "custom_field", PERSONAL, gettext_lazy("Custom field")
    field: str = needed(gettext_lazy("field"), Reference(Refers.CUSTOM_FIELD))
    op: str = needed(HOW, Choice(ASK_WORDS))
    value: str | int | float | bool | None = optional(VALUE, CustomValue())

    def sql(self, query: Query) -> str:
        """A stored value that is of another type than its field has by now is no match and no error."""
        name = query.bind(self.field)
        if self.op == Ask.KNOWN:
            return f"c.custom_fields ? {name}"
        custom_type = query.context.custom_types[self.field]
        return ASKED[custom_type](Ask(self.op), name, self.value_of_type(custom_type), query)

    def sentence(self, context: ConditionContext) -> str:
        custom_type = context.custom_types.get(self.field)
        asks = DATE_WORDS if custom_type in (CustomType.DATE, CustomType.DATETIME) else ASK_WORDS
        ask = asks.get(self.op, ASK_WORDS[self.op])
        words = {"field": context.label(Refers.CUSTOM_FIELD, self.field), "ask": ask}
        if self.op == Ask.KNOWN:
            return _("%(field)s %(ask)s") % words
        return _("%(field)s %(ask)s %(value)s") % {**words, "value": _value_words(self.value)}

    def faults(self, context: ConditionContext) -> Iterator[Fault]:
        """A field that does not exist, or what does not suit its type."""
        missing = list(super().faults(context))
        yield from missing or self._unsuited(context.custom_types[self.field])

    def value_of_type(self, custom_type: CustomType) -> Any:
        """The value as a custom field of the type has values. Raises `Invalid`."""
        if self.value is None:
            raise Invalid(gettext_noop("It is missing."))
        return custom_value(self.value, CustomType.STRING if custom_type is CustomType.LIST else custom_type)

    def _unsuited(self, custom_type: CustomType) -> Iterator[Fault]:
        if self.op not in ASKS[custom_type]:
            asks = ", ".join(ASKS[custom_type])
            yield "op", _("That cannot be asked of this field. Use one of: %(asks)s.") % {"asks": asks}
        elif self.op != Ask.KNOWN:
            try:
                self.value_of_type(custom_type)
            except Invalid as reason:
                yield "value", reason.message(_)


def _value_words(value: object) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return f"“{value}”" if isinstance(value, str) else str(value)


# --- Their SQL, by the type of the field; `name` is the bound name of the field


def _list_asked(_ask: Ask, name: str, value: str, query: Query) -> str:
    is_list = f"jsonb_typeof(c.custom_fields -> {name}) = 'array'"
    return f"{is_list} AND c.custom_fields -> {name} ? {query.bind(value)}"


def _text_asked(ask: Ask, name: str, value: str, query: Query) -> str:
    text, wanted = f"(c.custom_fields ->> {name})", query.bind(value)
    match ask:
        case Ask.CONTAINS:
            return f"strpos(lower{text}, lower({wanted})) > 0"
        case Ask.STARTS_WITH:
            return f"starts_with(lower{text}, lower({wanted}))"
        case _:
            return f"{text} = {wanted}"


def _boolean_asked(_ask: Ask, name: str, value: bool, query: Query) -> str:
    return f"c.custom_fields -> {name} = to_jsonb({query.bind(value)}::boolean)"


def _number_asked(ask: Ask, name: str, value: int | Decimal, query: Query) -> str:
    """CASE keeps PostgreSQL from casting what is no number."""
    is_number = f"jsonb_typeof(c.custom_fields -> {name}) = 'number'"
    number = f"(c.custom_fields ->> {name})::numeric"
    return f"CASE WHEN {is_number} THEN {number} {ASK_SQL[ask]} {query.bind(value)} END"


def _moment_asked(ask: Ask, name: str, value: date, query: Query) -> str:
    """Days, and moments in UTC, are stored in ISO 8601, so they sort as text."""
    text = f"(c.custom_fields ->> {name})"
    is_day = rf"{text} ~ '^\d{{4}}-\d\d-\d\d'"
    return f'{is_day} AND {text} COLLATE "C" {ASK_SQL[ask]} {query.bind(value.isoformat())}'


ASKED: Mapping[CustomType, Callable[[Ask, str, Any, Query], str]] = {
    CustomType.STRING: _text_asked,
    CustomType.INTEGER: _number_asked,
    CustomType.DECIMAL: _number_asked,
    CustomType.BOOLEAN: _boolean_asked,
    CustomType.DATE: _moment_asked,
    CustomType.DATETIME: _moment_asked,
    CustomType.LIST: _list_asked,
}
"""How a custom field of each type is compared."""

CONDITIONS = (Custom,)
