"""Entries about merges: what became one profile and why, what was separated again, and what is held apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from customers.changes import ApartLifted, Decision, Joined, KeptApart, Merged, Unmerged, Why
from customers.history_kinds.base import (
    Facts,
    FactsOf,
    HistoryEntry,
    HistoryKind,
    HistoryRows,
    HistoryTopic,
    Labels,
    capitalized,
    entry,
    named,
)
from customers.profile import PAYMENT_CARD, Key
from customers.words import why_priority, why_same_person


def _joined_facts(c: Joined) -> HistoryRows:
    return entry(c, "joined", reason=c.decision.reason, **_evidence(c.decision))


def _merged_facts(c: Merged) -> HistoryRows:
    facts: HistoryEntry = {"merged_maestra_ids": sorted(c.absorbed.maestra_ids), **_evidence(c.decision)}
    return entry(c, "merged", reason=c.decision.reason, related=c.absorbed.maestra_id, **facts)


def _evidence(decision: Decision) -> dict[str, Any]:
    return {
        "matched": matched(decision.matched),
        "priority_maestra_id": decision.priority,
        "decided_by": decision.criterion,
    }


def matched(keys: Iterable[Key]) -> list[dict[str, str]]:
    """The values that matched, as they may be stored and shown: without payment card hashes (R10)."""
    return [{"type": key.kind, "value": key.value} for key in keys if key.kind != PAYMENT_CARD]


def _unmerged_facts(c: Unmerged) -> HistoryRows:
    """One entry in the history of each of the two customers."""
    back = c.restored.maestra_id
    facts: HistoryEntry = {"merge_id": c.merge_id, "restored_maestra_ids": sorted(c.restored.maestra_ids)}
    survivor = entry(c, "unmerged", reason=Why.UNDO, related=back, **facts)
    (_, restored), *_ = entry(c, "unmerged", reason=Why.UNDO, related=c.customer, **facts)
    return [*survivor, (back, restored)]


def _kept_apart_facts(c: KeptApart) -> HistoryRows:
    return entry(c, "apart", reason=c.why, related=c.other, is_lifted=False)


def _apart_lifted_facts(c: ApartLifted) -> HistoryRows:
    return entry(c, "apart", related=c.other, is_lifted=True)


def _joined_sentence(facts: Facts, labels: Labels) -> str:
    return _("Data that came in joined this customer, because %(because)s.") % {
        "because": _why(facts, labels)
    }


def _merged_sentence(facts: Facts, labels: Labels) -> str:
    """Who was merged, why, and whose data had priority (R41)."""
    words = {"customer": labels.customer(facts["related"]), "because": _why(facts, labels)}
    parts = [_("%(customer)s was merged into this one, because %(because)s") % words]
    criterion = facts.get("decided_by")
    if criterion and facts["priority_maestra_id"]:
        first = labels.customer(facts["priority_maestra_id"])
        priority = {"customer": first, "because": why_priority(criterion)}
        parts.append(_("%(customer)s had priority: %(because)s") % priority)
    return capitalized("; ".join(parts)) + "."


def _why(facts: Facts, labels: Labels) -> str:
    matched = ", ".join(named(value, labels) for value in facts["matched"])
    return why_same_person(facts["reason"], matched)


def _unmerged_sentence(facts: Facts, labels: Labels) -> str:
    return _("The merge with %(customer)s was undone: they are two customers again.") % {
        "customer": labels.customer(facts["related"])
    }


def _apart_sentence(facts: Facts, labels: Labels) -> str:
    text = (
        _("This customer may be merged with %(customer)s again.")
        if facts["is_lifted"]
        else _("This customer is never to be merged with %(customer)s.")
    )
    return text % {"customer": labels.customer(facts["related"])}


KINDS: tuple[HistoryKind, ...] = (
    HistoryKind(
        name="joined", label=gettext_noop("Joined"), sentence=_joined_sentence, topic=HistoryTopic.ORIGIN
    ),
    HistoryKind(
        name="merged",
        label=gettext_noop("Merged"),
        sentence=_merged_sentence,
        topic=HistoryTopic.ORIGIN,
        needs_other=True,
    ),
    HistoryKind(
        name="unmerged",
        label=gettext_noop("Merge undone"),
        sentence=_unmerged_sentence,
        topic=HistoryTopic.ORIGIN,
        needs_other=True,
    ),
    HistoryKind(name="apart", label=gettext_noop("Kept apart"), sentence=_apart_sentence, needs_other=True),
)
FACTS: FactsOf = {
    Joined: _joined_facts,
    Merged: _merged_facts,
    Unmerged: _unmerged_facts,
    KeptApart: _kept_apart_facts,
    ApartLifted: _apart_lifted_facts,
}
