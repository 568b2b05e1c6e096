"""Conditions on personal data."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from customers.models import Customer, Genders
from customers.profile import PERSONAL_FIELDS
from segments.conditions.base import PERSONAL, VALUE, Comparison, Condition, needed
from segments.conditions.context import ConditionContext
from segments.conditions.fields import Choice, Whole, Words
from segments.conditions.query import Query

PERSONAL_WORDS: Words = {
    field.name: field.verbose_name
    for field in Customer._meta.fields
    if field.name in {*PERSONAL_FIELDS, "time_zone"}
}


@dataclass(frozen=True)
class Gender(Condition):
    """Has this gender."""

    name, group, label = "gender", PERSONAL, gettext_lazy("Gender")
    gender: str = needed(gettext_lazy("gender"), Choice(dict(Genders.choices)))

    def sql(self, query: Query) -> str:
        return f"c.gender = {query.bind(self.gender)}"

    def sentence(self, context: ConditionContext) -> str:
        return _("has the gender: %(gender)s") % {"gender": Genders(self.gender).label}


@dataclass(frozen=True)
class Age(Comparison):
    """How many whole years old today (UTC)."""

    name, group, label = "age", PERSONAL, gettext_lazy("Age")
    value: int = needed(VALUE, Whole(0, 150))

    def sql(self, query: Query) -> str:
        years = f"extract(year FROM age({query.bind(query.today)}::date, c.birth_date))"
        return self.compared(years, query)

    def sentence(self, context: ConditionContext) -> str:
        text = ngettext("is %(op)s %(value)s year old", "is %(op)s %(value)s years old", self.value)
        return text % self.words()


@dataclass(frozen=True)
class Birthday(Condition):
    """The next birthday is at most so many days from today (UTC); 0 is today."""

    name, group, label = "birthday", PERSONAL, gettext_lazy("Birthday")
    days: int = needed(gettext_lazy("within days"), Whole(0, 366))

    def sql(self, query: Query) -> str:
        """Of this year's birthday and the next year's, the first that has not passed. PostgreSQL takes a
        29 February for the 28th in other years.
        """
        today = f"{query.bind(query.today)}::date"
        years = f"(extract(year FROM {today}) - extract(year FROM c.birth_date))::int"
        this, following = (f"(c.birth_date + make_interval(years => {years} + {n}))::date" for n in (0, 1))
        coming = f"CASE WHEN {this} >= {today} THEN {this} ELSE {following} END"
        return f"({coming}) - {today} <= {query.bind(self.days)}"

    def sentence(self, context: ConditionContext) -> str:
        if not self.days:
            return _("has a birthday today")
        text = ngettext("has a birthday today or tomorrow", "has a birthday within %(days)s days", self.days)
        return text % {"days": self.days}


@dataclass(frozen=True)
class Known(Condition):
    """A field of the personal data, or the time zone, is known."""

    name, group, label = "known", PERSONAL, gettext_lazy("Known personal data")
    field: str = needed(gettext_lazy("field"), Choice(PERSONAL_WORDS))

    def sql(self, query: Query) -> str:
        return f"c.{self.field} IS NOT NULL"

    def sentence(self, context: ConditionContext) -> str:
        return _("has a known %(field)s") % {"field": PERSONAL_WORDS[self.field]}


CONDITIONS = (Gender, Age, Birthday, Known)
