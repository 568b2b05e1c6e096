"""The kinds of entry of the change history: what each keeps of a change, and how it is told (R40).

What is kept are facts, without a word of prose; they are worded when they are read, for a reader who knows
nothing of tables. Payment card hashes are never among the facts (R10); changes that only serve the deciding
leave no entry. One more kind is one more `HistoryKind` in the module of its family.
"""

from __future__ import annotations

from collections.abc import Mapping

from customers.changes import Change
from customers.history_kinds import consent, identifiers, ledger, merges, person
from customers.history_kinds.base import Facts, FactsOf, HistoryKind, HistoryRows, HistoryTopic, Labels
from customers.words import CustomerLabel, customer_label

FAMILIES = (person, identifiers, consent, ledger, merges)
HISTORY_KINDS: Mapping[str, HistoryKind] = {kind.name: kind for family in FAMILIES for kind in family.KINDS}
"""Every kind of entry there is, by its stored name."""
FACTS: FactsOf = {change: facts for family in FAMILIES for change, facts in family.FACTS.items()}
"""What changes leave in the history; a change that is not here leaves nothing."""


def kinds_about(topic: HistoryTopic) -> tuple[str, ...]:
    """The stored names of the kinds that are listed under a topic."""
    return tuple(kind.name for kind in HISTORY_KINDS.values() if kind.topic is topic)


def history_facts(change: Change) -> HistoryRows:
    """What a change leaves in the history; nothing where it is silent."""
    facts = FACTS.get(type(change))
    return facts(change) if facts else []


def sentence(facts: Facts, labels: Mapping[str, str], customer: CustomerLabel = customer_label) -> str:
    """What happened, worded. `labels` are the names for people of identifier kinds and custom fields,
    `customer` says what a customer is called in the middle of a sentence.
    """
    return HISTORY_KINDS[facts["kind"]].sentence(facts, Labels(labels, customer))
