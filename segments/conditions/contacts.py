"""Conditions on contacts, identifiers and subscriptions. Claims do not count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.contact_types import CONTACT_TYPES
from customers.models import Channels, Statuses
from customers.models.identifiers import CONTACT_IDS
from segments.conditions.base import CONTACTS, Condition, needed, optional
from segments.conditions.context import ConditionContext, Refers
from segments.conditions.fields import Choice, Reference, Topic, Words
from segments.conditions.query import Query

CONTACT_KINDS: Mapping[str, Sequence[int]] = {
    "any": CONTACT_IDS,
    **{type_.name: [type_.kind_id] for type_ in CONTACT_TYPES},
}
CONTACT_WORDS: Words = {
    "any": gettext_lazy("a contact of any type"),
    **{type_.name: gettext_lazy(type_.with_article) for type_ in CONTACT_TYPES},
}
STATE_WORDS: Words = {
    "held": gettext_lazy("present"),
    "confirmed": gettext_lazy("confirmed"),
    "pending": gettext_lazy("awaits confirmation"),
    "gives_access": gettext_lazy("gives account access"),
}
STATE_SENTENCES: Words = {
    "held": gettext_lazy("has %(contact)s"),
    "confirmed": gettext_lazy("has %(contact)s that is confirmed"),
    "pending": gettext_lazy("has %(contact)s that awaits confirmation"),
    "gives_access": gettext_lazy("has %(contact)s that gives account access"),
}
STATE_SQL = {
    "held": "true",
    "confirmed": "confirmed_at IS NOT NULL",
    "pending": "must_be_confirmed AND confirmed_at IS NULL",
    "gives_access": "gives_access",
}


@dataclass(frozen=True)
class Identified(Condition):
    """Has something other than devices and payment card hashes."""

    name, group, label = "identified", CONTACTS, gettext_lazy("Identified")

    def sql(self, query: Query) -> str:
        return "c.is_identified"

    def sentence(self, context: ConditionContext) -> str:
        return _("is identified")


@dataclass(frozen=True)
class Contact(Condition):
    """Has a contact of the type, or of any type, in this state."""

    name, group, label = "contact", CONTACTS, gettext_lazy("Contact")
    contact: str = needed(gettext_lazy("contact"), Choice(CONTACT_WORDS))
    state: str = needed(gettext_lazy("which"), Choice(STATE_WORDS))

    def sql(self, query: Query) -> str:
        kinds = query.bind(list(CONTACT_KINDS[self.contact]))
        return holds(f"kind_id = ANY({kinds}::smallint[]) AND {STATE_SQL[self.state]}", query)

    def sentence(self, context: ConditionContext) -> str:
        return str(STATE_SENTENCES[self.state]) % {"contact": CONTACT_WORDS[self.contact]}


@dataclass(frozen=True)
class Identifier(Condition):
    """Currently has an identifier of the kind."""

    name, group, label = "identifier", CONTACTS, gettext_lazy("Identifier")
    kind: str = needed(gettext_lazy("kind"), Reference(Refers.IDENTIFIER_KIND))

    def sql(self, query: Query) -> str:
        kind = f"(SELECT id FROM customers_identifierkind WHERE system_name = {query.bind(self.kind)})"
        return holds(f"kind_id = {kind}", query)

    def sentence(self, context: ConditionContext) -> str:
        return _("has an identifier: %(kind)s") % {"kind": context.label(Refers.IDENTIFIER_KIND, self.kind)}


@dataclass(frozen=True)
class Subscribed(Condition):
    """Has a subscription of the channel in this status, on the topic if one is given; an empty topic is the
    subscription without one.
    """

    name, group, label = "subscription", CONTACTS, gettext_lazy("Subscription")
    channel: str = needed(gettext_lazy("channel"), Choice(dict(Channels.choices)))
    status: str = needed(gettext_lazy("status"), Choice(dict(Statuses.choices)))
    topic: str | None = optional(gettext_lazy("topic"), Topic())

    def sql(self, query: Query) -> str:
        topic = "true" if self.topic is None else f"topic = {query.bind(self.topic)}"
        subscribed = query.joined(
            f"SELECT DISTINCT customer_id AS id FROM customers_subscription"
            f" WHERE channel = {query.bind(self.channel)} AND status = {query.bind(self.status)} AND {topic}"
        )
        return f"{subscribed}.id IS NOT NULL"

    def sentence(self, context: ConditionContext) -> str:
        channel, status = Channels(self.channel).label, Statuses(self.status).label
        words = {"status": status, "channel": channel, "topic": self.topic}
        if self.topic is None:
            return _("has a subscription to %(channel)s: %(status)s") % words
        if not self.topic:
            return _("has a subscription to %(channel)s without a topic: %(status)s") % words
        return _("has a subscription to %(channel)s, topic “%(topic)s”: %(status)s") % words


@dataclass(frozen=True)
class OptedOut(Condition):
    """Opted out of everything (R53)."""

    name, group, label = "opted_out", CONTACTS, gettext_lazy("Opted out")

    def sql(self, query: Query) -> str:
        return "c.opted_out_at IS NOT NULL"

    def sentence(self, context: ConditionContext) -> str:
        return _("has opted out of everything")


def holds(where: str, query: Query) -> str:
    """Whether the profile has a current identifier of which this is so."""
    held = query.joined(
        f"SELECT DISTINCT customer_id AS id FROM customers_identifier"
        f" WHERE customer_id IS NOT NULL AND NOT is_former AND {where}"
    )
    return f"{held}.id IS NOT NULL"


CONDITIONS = (Identified, Contact, Identifier, Subscribed, OptedOut)
