"""Entries about identifiers: values added, removed, claimed or confirmed, and who of two customers got a
contact that both gave.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from customers.changes import (
    Claimed,
    ContactLost,
    ContactReceived,
    Held,
    Released,
    Unclaimed,
    UsedBefore,
    Why,
)
from customers.contact_types import CONTACT_TYPES
from customers.history_kinds.base import (
    Facts,
    FactsOf,
    HistoryEntry,
    HistoryKind,
    HistoryRows,
    HistoryTopic,
    Labels,
    entry,
    keeper,
    named,
)
from customers.profile import Category, Claim, Holding
from customers.words import why_priority

KIND_OF: Mapping[Category, str] = {
    **{type_.category: type_.name for type_ in CONTACT_TYPES},
    Category.UNIQUE: "identifier",
    Category.IDENTIFIER: "identifier",
    Category.DEVICE: "device",
    Category.MOBILE_DEVICE: "device",
}
# Flags of an identifier: what is said where one is set and where one is taken away.
FLAGS: Mapping[str, tuple[str, str]] = {
    "is_former": (gettext_noop("became a former value"), gettext_noop("is current again")),
    "is_primary": (gettext_noop("became the primary one"), gettext_noop("is no longer the primary one")),
    "is_confirmed": (gettext_noop("was confirmed"), gettext_noop("is no longer confirmed")),
    "is_pending": (
        gettext_noop("awaits confirmation"),
        gettext_noop("no longer awaits confirmation"),
    ),
    "gives_account_access": (
        gettext_noop("gives account access"),
        gettext_noop("no longer gives account access"),
    ),
}


def _held_facts(c: Held) -> HistoryRows:
    """A confirmed value has an entry of its own that says so, also where the confirmation is what brought the
    value (then there are two entries).
    """
    old, new = c.before, c.after
    if old and _only_confirmed(old, new):
        return _confirmed_facts(c)
    entries = entry(
        c,
        KIND_OF[new.category],
        reason=c.why,
        related=c.taken_from,
        type=new.kind,
        value=new.value,
        before=old and _flags(old),
        after=_flags(new),
    )
    was_just_confirmed = c.why is Why.CONFIRMED and new.confirmed_at and not (old and old.confirmed_at)
    return entries + _confirmed_facts(c) if was_just_confirmed else entries


def _confirmed_facts(c: Held) -> HistoryRows:
    return entry(c, "confirmed", reason=c.why, type=c.after.kind, value=c.after.value)


def _only_confirmed(before: Holding, after: Holding) -> bool:
    return (
        before.confirmed_at is None
        and after.confirmed_at is not None
        and replace(before, confirmed_at=after.confirmed_at) == after
    )


def _flags(h: Holding) -> dict[str, bool]:
    flags = {}
    if h.is_former:
        flags["is_former"] = True
    if h.is_primary:
        flags["is_primary"] = True
    if h.confirmed_at:
        flags["is_confirmed"] = True
    elif h.must_be_confirmed:
        flags["is_pending"] = True
    if h.gives_access:
        flags["gives_account_access"] = True
    return flags


def _used_before_facts(c: UsedBefore) -> HistoryRows:
    facts: HistoryEntry = {"type": c.key.kind, "value": c.key.value, "at": c.at, "until": c.until}
    return entry(c, KIND_OF[c.category], reason=Why.RECORD, related=c.holder, **facts)


def _released_facts(c: Released) -> HistoryRows:
    h = c.holding
    facts: HistoryEntry = {"type": h.kind, "value": h.value, "before": _flags(h), "after": None}
    return entry(c, KIND_OF[h.category], reason=c.why, related=c.to, **facts)


def _claimed_facts(c: Claimed) -> HistoryRows:
    return _claim(c, c.claim, before=None, after={"is_claim": True})


def _unclaimed_facts(c: Unclaimed) -> HistoryRows:
    return _claim(c, c.claim, before={"is_claim": True}, after=None)


def _claim(c: Claimed | Unclaimed, claim: Claim, **states: Any) -> HistoryRows:
    return entry(c, KIND_OF[claim.category], reason=c.why, type=claim.kind, value=claim.value, **states)


def _lost_facts(c: ContactLost) -> HistoryRows:
    facts: HistoryEntry = {"type": c.kind, "value": c.value, "decided_by": c.criterion}
    return entry(
        c, "contact_lost", reason=Why.SETTLED, related=c.to, **facts, was_held=c.was_held, pending=c.pending
    )


def _received_facts(c: ContactReceived) -> HistoryRows:
    facts: HistoryEntry = {"type": c.kind, "value": c.value, "decided_by": c.criterion}
    return entry(c, "contact_received", reason=Why.SETTLED, related=c.other, **facts, was_held=c.was_held)


def _identifier_sentence(facts: Facts, labels: Labels) -> str:
    """What happened to a value: it was claimed, removed or added, its flags changed, or it was used while it
    stayed with somebody else.
    """
    other = facts.get("related")
    words = {"value": named(facts, labels), "other": other and labels.customer(other)}
    if "after" not in facts:
        return _used_before_sentence(words)
    before, after = facts["before"], facts["after"]
    if "is_claim" in (before or {}) or "is_claim" in (after or {}):
        return _claim_sentence(after is not None, words)
    if after is None:
        return _removed_sentence(words)
    if before is None:
        return _added_sentence(words, after)
    return _flags_sentence(named(facts, labels), before, after)


def _used_before_sentence(words: Facts) -> str:
    if words["other"]:
        return _("%(value)s was used; it stays with %(other)s, who used it later.") % words
    return _("%(value)s was used; it stays with somebody who used it later.") % words


def _claim_sentence(is_made: bool, words: Facts) -> str:
    if is_made:
        return (
            _("%(value)s was given, but this customer does not hold it: it is a claim, and matches nobody.")
            % words
        )
    return _("%(value)s is no longer claimed.") % words


def _removed_sentence(words: Facts) -> str:
    if words["other"]:
        return _("%(value)s went to %(other)s.") % words
    return _("%(value)s was removed.") % words


def _added_sentence(words: Facts, after: Facts) -> str:
    if words["other"]:
        return _("%(value)s came from %(other)s.") % words
    extra = [_(FLAGS[flag][0]) for flag in ("is_pending", "gives_account_access") if after.get(flag)]
    return "; ".join([_("%(value)s was added") % words, *extra]) + "."


def _flags_sentence(value: str, before: Facts, after: Facts) -> str:
    changed = [flag for flag in FLAGS if bool(before.get(flag)) != bool(after.get(flag))]
    said = [_(FLAGS[flag][not after.get(flag)]) for flag in changed]
    return f"{value} {'; '.join(said)}." if said else _("%(value)s was updated.") % {"value": value}


def _confirmed_sentence(facts: Facts, labels: Labels) -> str:
    return _("%(value)s was confirmed.") % {"value": named(facts, labels)}


def _lost_sentence(facts: Facts, labels: Labels) -> str:
    """Why another customer holds a contact that this one gave (R30)."""
    words = {"value": named(facts, labels), **keeper(facts, labels)}
    text = (
        _("%(value)s went to %(customer)s, because %(because)s.")
        if facts["was_held"]
        else _("%(value)s stays with %(customer)s, because %(because)s.")
    )
    return text % words


def _received_sentence(facts: Facts, labels: Labels) -> str:
    """Why this customer holds a contact that another one gave too (R30)."""
    words = {
        "value": named(facts, labels),
        "customer": labels.customer(facts["related"]),
        "because": why_priority(facts["decided_by"]),
    }
    text = (
        _("%(value)s, given by %(customer)s too, stays with this customer, because %(because)s.")
        if facts["was_held"]
        else _("%(value)s, given by %(customer)s too, came to this customer, because %(because)s.")
    )
    return text % words


KINDS: tuple[HistoryKind, ...] = (
    *(
        HistoryKind(
            name=type_.name, label=type_.label, sentence=_identifier_sentence, topic=HistoryTopic.IDENTIFIERS
        )
        for type_ in CONTACT_TYPES
    ),
    HistoryKind(
        name="identifier",
        label=gettext_noop("Identifier"),
        sentence=_identifier_sentence,
        topic=HistoryTopic.IDENTIFIERS,
    ),
    HistoryKind(
        name="device",
        label=gettext_noop("Device"),
        sentence=_identifier_sentence,
        topic=HistoryTopic.IDENTIFIERS,
    ),
    HistoryKind(
        name="confirmed",
        label=gettext_noop("Contact confirmed"),
        sentence=_confirmed_sentence,
        topic=HistoryTopic.IDENTIFIERS,
    ),
    HistoryKind(
        name="contact_lost",
        label=gettext_noop("Contact lost"),
        sentence=_lost_sentence,
        topic=HistoryTopic.IDENTIFIERS,
        needs_other=True,
    ),
    HistoryKind(
        name="contact_received",
        label=gettext_noop("Contact received"),
        sentence=_received_sentence,
        topic=HistoryTopic.IDENTIFIERS,
        needs_other=True,
    ),
)
FACTS: FactsOf = {
    Held: _held_facts,
    Released: _released_facts,
    UsedBefore: _used_before_facts,
    Claimed: _claimed_facts,
    Unclaimed: _unclaimed_facts,
    ContactLost: _lost_facts,
    ContactReceived: _received_facts,
}
