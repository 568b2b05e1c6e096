"""What a kind of history entry is, and what all of them share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from customers.changes import Change
from customers.words import CustomerLabel, why_held

HistoryEntry = dict[str, Any]
"""`{"kind": …, "reason"?: …, "related"?: MaestraID, …facts}`, as it is stored."""
HistoryRows = list[tuple[int, HistoryEntry]]
"""Entries with the MaestraID each happened to."""
Facts = Mapping[str, Any]
"""An entry as it is read."""
FactsOf = Mapping[type, Callable[[Any], HistoryRows]]
"""For each change of a family, what makes its history entries."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What things are called in a sentence: identifier kinds and custom fields by their system names,
    customers by their MaestraIDs.
    """

    names: Mapping[str, str]
    customer: CustomerLabel


class HistoryTopic(Enum):
    """Where on the profile the entries of a kind are listed beside what they changed."""

    IDENTIFIERS = "identifiers"
    CONSENT = "consent"
    ORIGIN = "origin"
    """How the profile came together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryKind:
    """One kind of entry of the change history (R40).

    `name` is stored and part of the API, so it never changes. `label` is what people filter by. `sentence`
    makes the sentence of the facts. `needs_other`: without the other customer that it names the entry says
    nothing, so it is removed when that customer is erased. `has_fields`: its `before` and `after` are fields
    of the person, which an erasure takes out (R54).
    """

    name: str
    label: str
    sentence: Callable[[Facts, Labels], str]
    topic: HistoryTopic | None = None
    needs_other: bool = False
    has_fields: bool = False


def entry(
    change: Change, kind: str, *, reason: str | None = None, related: int | None = None, **facts: Any
) -> HistoryRows:
    """One entry, of the MaestraID the change happened to."""
    facts["kind"] = kind
    if reason is not None:
        facts["reason"] = reason
    if related is not None:
        facts["related"] = related
    return [(change.maestra_id, facts)]


def named(facts: Facts, labels: Labels) -> str:
    """`Mobile phone +1 415…`"""
    return f"{labels.names.get(facts['type'], facts['type'])} {facts['value']}"


def capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def keeper(facts: Facts, labels: Labels) -> dict[str, str]:
    """The other customer, and why they hold the contact (R29): for the sentence."""
    customer = labels.customer(facts["related"])
    return {"customer": customer, "because": why_held(facts["decided_by"], customer)}
