"""Conditions on what customers did."""

# ruff: noqa: RUF009 - the types of fields are immutable
from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from segments.conditions.base import (
    ACTIVITY,
    COUNT,
    PERIOD,
    VALUE,
    WHEN,
    Comparison,
    Condition,
    needed,
    optional,
)
from segments.conditions.context import ConditionContext
from segments.conditions.fields import Period, Text, period_words
from segments.conditions.query import Query


@dataclass(frozen=True)
class ActivityCount(Comparison):
    """How many activities: of the kind, on pages whose address contains the text, within the period."""

    name, group, label = "activity_count", ACTIVITY, gettext_lazy("Activity on site or app")
    value: int = needed(VALUE, COUNT)
    kind: str | None = optional(gettext_lazy("kind"), Text())
    page: str | None = optional(gettext_lazy("page address contains"), Text())
    period: Period | None = optional(WHEN, PERIOD)

    def sql(self, query: Query) -> str:
        kind = f"t.kind = {query.bind(self.kind)}" if self.kind else "true"
        page = f"strpos(t.url, {query.bind(self.page)}) > 0" if self.page else "true"
        within = query.within("t.occurred_at", self.period)
        activities = query.ledger("customers_activity", "count(*)", kind, page, within)
        return self.compared(f"coalesce({activities}, 0)", query)

    def sentence(self, context: ConditionContext) -> str:
        what = _("activity “%(kind)s”") % {"kind": self.kind} if self.kind else _("any activity")
        page = " " + _("on pages with “%(page)s” in the address") % {"page": self.page} if self.page else ""
        text = ngettext(
            "did %(what)s%(page)s %(op)s once%(period)s",
            "did %(what)s%(page)s %(op)s %(value)s times%(period)s",
            self.value,
        )
        return text % {**self.words(), "what": what, "page": page}


@dataclass(frozen=True)
class LastAction(Condition):
    """The latest personal action was within the period."""

    name, group, label = "last_action", ACTIVITY, gettext_lazy("Last active")
    period: Period = needed(WHEN, PERIOD)

    def sql(self, query: Query) -> str:
        return query.within(query.latest_fact("last_action_at"), self.period)

    def sentence(self, context: ConditionContext) -> str:
        return _("was last active%(period)s") % {"period": period_words(self.period)}


CONDITIONS = (ActivityCount, LastAction)
