"""What every type of condition says of itself."""

# ruff: noqa: RUF009 - the types of fields are immutable
from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, ClassVar, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from segments.conditions.context import ConditionContext, Refers
from segments.conditions.fields import Choice, FieldType, InPeriod, Whole, Words, period_words
from segments.conditions.query import Query

Fault = tuple[str, str]
"""Where in the condition, as in `all[0].value`, and what is wrong there."""


class ConditionField(NamedTuple):
    """A field as it was declared. `label` is what the builder calls it."""

    name: str
    label: Promise
    type: FieldType
    is_required: bool


class ConditionReference(NamedTuple):
    """What a condition names, and in which field."""

    field: str
    to: Refers
    name: str


def needed(label: Promise, type_: FieldType) -> Any:
    """A field that every condition of the type has."""
    return field(metadata={"label": label, "type": type_})


def optional(label: Promise, type_: FieldType) -> Any:
    """A field that may be left out; then it is None."""
    return field(default=None, metadata={"label": label, "type": type_})


@dataclass(frozen=True)
class Condition(ABC):
    """One thing that can be asked of a profile. Its fields are declared by `needed` and `optional`.

    `name` is stored. The builder offers the condition as `label` among those of its `group`.
    """

    name: ClassVar[str]
    group: ClassVar[Promise]
    label: ClassVar[Promise]

    @abstractmethod
    def sql(self, query: Query) -> str:
        """A yes or no about the profile `c`; NULL is a no. Called only where `faults` finds nothing."""

    @abstractmethod
    def sentence(self, context: ConditionContext) -> str:
        """What a customer who meets it has or does: “has placed at least 3 orders”."""

    def faults(self, context: ConditionContext) -> Iterator[Fault]:
        """What it refers to that does not exist, by field."""
        for reference in self.references():
            if reference.name not in context.labels[reference.to]:
                yield reference.field, str(reference.to.value.missing) % {"name": reference.name}

    def references(self) -> Iterator[ConditionReference]:
        """What it refers to in the project's configuration."""
        for declared in self.fields():
            to = getattr(declared.type, "to", None)
            if to is not None:
                yield ConditionReference(declared.name, to, getattr(self, declared.name))

    @classmethod
    def fields(cls) -> tuple[ConditionField, ...]:
        return tuple(
            ConditionField(f.name, f.metadata["label"], f.metadata["type"], f.default is MISSING)
            for f in fields(cls)
        )


# --- Comparison with a number

OP_WORDS: Words = {"at_least": _("at least"), "at_most": _("at most"), "exactly": _("exactly")}
OP_SQL = {"at_least": ">=", "at_most": "<=", "exactly": "="}
COUNT = Whole(0, 1_000_000_000)
HOW, VALUE, WHEN = _("how"), _("value"), _("when")
PERIOD = InPeriod()


@dataclass(frozen=True)
class Comparison(Condition):
    """A condition that compares a number of the profile with `value`; subclasses say of which type it is."""

    op: str = needed(HOW, Choice(OP_WORDS))
    value: Any = needed(VALUE, COUNT)

    def compared(self, number: str, query: Query) -> str:
        """The comparison of an SQL expression with the value."""
        return f"{number} {OP_SQL[self.op]} {query.bind(self.value)}"

    def words(self) -> dict[str, Any]:
        """What a sentence is filled in with: `op`, `value` and `period` (empty where there is none)."""
        period = period_words(getattr(self, "period", None))
        return {"op": OP_WORDS[self.op], "value": f"{self.value:,}", "period": period}


# --- Groups of the builder

CONTACTS = _("Contacts and identifiers")
ORDERS = _("Orders and loyalty")
ACTIVITY = _("Activity")
PERSONAL = _("Personal data")
REGISTRATION = _("Registration and segments")
