"""The kinds of history entries: what each stores of a change, and the sentence that it is shown as (R40).

Stored are facts, without any prose. Their sentence is made when they are read, in the language of the reader,
who need not know anything of tables. Payment card hashes are never among the facts (R10). Changes that matter
only to later decisions leave no entry. One more kind is one more `HistoryKind` in the module of its family.
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
    """The entries that a change leaves in the history; none for a silent change."""
    facts = FACTS.get(type(change))
    return facts(change) if facts else []


def sentence(facts: Facts, labels: Mapping[str, str], customer: CustomerLabel = customer_label) -> str:
    """The sentence of an entry. `labels` are the names of identifier kinds and custom fields for people,
    `customer` says what a customer is called in a sentence.
    """
    return HISTORY_KINDS[facts["kind"]].sentence(facts, Labels(labels, customer))
