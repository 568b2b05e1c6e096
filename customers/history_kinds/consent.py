"""Entries about consent (subscriptions and the opt-out), and about segments."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from customers.changes import MembershipChanged, OptedOut, SubscriptionChanged
from customers.history_kinds.base import (
    Facts,
    FactsOf,
    HistoryEntry,
    HistoryKind,
    HistoryRows,
    HistoryTopic,
    Labels,
    entry,
)
from customers.profile import Membership, Subscription
from customers.words import CHANNELS, STATUSES


def _subscription_facts(c: SubscriptionChanged) -> HistoryRows:
    if c.is_restated:
        return []
    states: HistoryEntry = {"before": _consent(c.before), "after": _consent(c.after)}
    return entry(c, "subscription", reason=c.why, channel=c.channel.channel, topic=c.channel.topic, **states)


def _consent(s: Subscription | None) -> dict[str, Any] | None:
    return {"status": s.status, "since": s.since} if s else None


def _membership_facts(c: MembershipChanged) -> HistoryRows:
    states: HistoryEntry = {"before": _segment(c.before), "after": _segment(c.after)}
    return entry(c, "segment", reason=c.why, segmentation=c.segmentation, **states)


def _segment(m: Membership | None) -> dict[str, Any] | None:
    return {"segment": m.segment, "since": m.since} if m else None


def _opted_out_facts(c: OptedOut) -> HistoryRows:
    stated: HistoryEntry = {"stated": c.stated} if c.stated else {}
    return entry(c, "opt_out", reason=c.why, before=c.before, after=c.at, **stated)


def _subscription_sentence(facts: Facts, _labels: Labels) -> str:
    before, after = facts["before"], facts["after"]
    channel = _(CHANNELS[facts["channel"]])
    words = {
        "channel": f"{channel} ({facts['topic']})" if facts["topic"] else channel,
        "old": before and _(STATUSES[before["status"]]),
        "new": after and _(STATUSES[after["status"]]),
    }
    if after is None:
        return _("%(channel)s: the subscription was removed.") % words
    if before is None or before["status"] == after["status"]:
        return _("%(channel)s: %(new)s.") % words
    return _("%(channel)s: from %(old)s to %(new)s.") % words


def _segment_sentence(facts: Facts, _labels: Labels) -> str:
    before, after = facts["before"], facts["after"]
    words = {
        "segmentation": facts["segmentation"],
        "old": before and before["segment"],
        "new": after and after["segment"],
    }
    if after is None:
        return _("Left segment %(old)s of %(segmentation)s.") % words
    if before is None or before["segment"] == after["segment"]:
        return _("Is in segment %(new)s of %(segmentation)s.") % words
    return _("Went from segment %(old)s to %(new)s of %(segmentation)s.") % words


def _opted_out_sentence(facts: Facts, _labels: Labels) -> str:
    if facts["after"] and facts.get("stated"):
        return _("The customer refused all communication. Reason given: %(stated)s") % facts
    if facts["after"]:
        return _("The customer refused all communication.")
    return _("The refusal of all communication was taken back.")


KINDS: tuple[HistoryKind, ...] = (
    HistoryKind(
        name="subscription",
        label=gettext_noop("Subscription"),
        sentence=_subscription_sentence,
        topic=HistoryTopic.CONSENT,
    ),
    HistoryKind(
        name="opt_out",
        label=gettext_noop("Opt-out"),
        sentence=_opted_out_sentence,
        topic=HistoryTopic.CONSENT,
    ),
    HistoryKind(name="segment", label=gettext_noop("Segment"), sentence=_segment_sentence),
)
FACTS: FactsOf = {
    SubscriptionChanged: _subscription_facts,
    OptedOut: _opted_out_facts,
    MembershipChanged: _membership_facts,
}
