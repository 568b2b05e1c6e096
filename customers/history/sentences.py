"""The change history in plain words: for each kind of entry one function, for a reader who knows nothing of
tables.

The words follow the facts of `customers.storage.history_facts`. What is sensitive is not among those facts
(R10).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from customers.contact_types import CONTACT_NAMES
from customers.presentation.customer import CustomerLabel, customer_label
from customers.presentation.decisions import why_held, why_one, why_priority
from customers.profile import BY_HAND

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Labels:
    """What things are called: identifier kinds and custom fields by their system names, customers by
    MaestraID.
    """

    names: Mapping[str, str]
    customer: CustomerLabel


def sentence(facts: Facts, labels: Mapping[str, str], customer: CustomerLabel = customer_label) -> str:
    """What happened, worded. `labels` are the names for people of identifier kinds and custom fields,
    `customer` says what a customer is called in the middle of a sentence.
    """
    return SENTENCES[facts["kind"]](facts, Labels(labels, customer))


FIELDS: Mapping[str, str] = {
    "last_name": gettext_noop("last name"),
    "first_name": gettext_noop("first name"),
    "middle_name": gettext_noop("middle name"),
    "birth_date": gettext_noop("birth date"),
    "gender": gettext_noop("gender"),
    "time_zone": gettext_noop("time zone"),
}
STATUSES: Mapping[str, str] = {
    "subscribed": gettext_noop("subscribed"),
    "awaiting_confirmation": gettext_noop("awaiting confirmation"),
    "unsubscribed": gettext_noop("unsubscribed"),
}
CHANNELS: Mapping[str, str] = {
    "email": gettext_noop("E-mail"),
    "sms": gettext_noop("SMS"),
    "web_push": gettext_noop("Web push"),
    "mobile_push": gettext_noop("Mobile push"),
    "viber": gettext_noop("Viber"),
    "call": gettext_noop("Calls"),
}
# Flags of an identifier: what is said where one is set and where one is taken away.
FLAGS: Mapping[str, tuple[str, str]] = {
    "is_former": (gettext_noop("went to its history"), gettext_noop("is current again")),
    "is_primary": (gettext_noop("became the primary one"), gettext_noop("is no longer the primary one")),
    "is_confirmed": (gettext_noop("was confirmed"), gettext_noop("is no longer confirmed")),
    "is_pending": (
        gettext_noop("waits for its confirmation"),
        gettext_noop("no longer waits for confirmation"),
    ),
    "gives_account_access": (
        gettext_noop("gives account access"),
        gettext_noop("no longer gives account access"),
    ),
}


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def named(facts: Facts, labels: Labels) -> str:
    """`Mobile phone +1 415…`"""
    return f"{labels.names.get(facts['type'], facts['type'])} {facts['value']}"


def _created(_facts: Facts, _labels: Labels) -> str:
    return _("The customer was created.")


def _fields(facts: Facts, labels: Labels) -> str:
    """Field by field, what it was and what it is."""
    before, after = facts["before"], facts["after"]
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    parts = [_field(name, before.get(name), after.get(name), labels) for name in changed]
    return _capitalized("; ".join(parts)) + "."


def _field(name: str, before: Any, after: Any, labels: Labels) -> str:
    label = _(FIELDS[name]) if name in FIELDS else labels.names.get(name, name)
    words = {"field": label, "old": _shown(before)}
    if after is None:
        return _("%(field)s “%(old)s” was cleared") % words
    words["new"] = _shown(after)
    if before is None:
        return _("%(field)s is now “%(new)s”") % words
    return _("%(field)s changed from “%(old)s” to “%(new)s”") % words


def _shown(value: Any) -> str:
    match value:
        case bool():
            return _("yes") if value else _("no")
        case list():
            return ", ".join(map(str, value))
    return str(value)


def _identifier(facts: Facts, labels: Labels) -> str:
    """What became of a value: it came, it went, it is only claimed, or other things are said of it now."""
    before, after = facts["before"], facts["after"]
    other = facts.get("related")
    words = {"value": named(facts, labels), "other": other and labels.customer(other)}
    if "is_claim" in (before or {}) or "is_claim" in (after or {}):
        return _claim(after is not None, words)
    if after is None:
        return _gone(words)
    if before is None:
        return _come(words, after)
    return _flags(named(facts, labels), before, after)


def _claim(is_made: bool, words: Facts) -> str:
    if is_made:
        return _("%(value)s was named, but is not held: it waits, and matches nobody.") % words
    return _("%(value)s is no longer waited for.") % words


def _gone(words: Facts) -> str:
    if words["other"]:
        return _("%(value)s went to %(other)s.") % words
    return _("%(value)s was removed.") % words


def _come(words: Facts, after: Facts) -> str:
    if words["other"]:
        return _("%(value)s came from %(other)s.") % words
    extra = [_(FLAGS[flag][0]) for flag in ("is_pending", "gives_account_access") if after.get(flag)]
    return "; ".join([_("%(value)s was added") % words, *extra]) + "."


def _flags(value: str, before: Facts, after: Facts) -> str:
    changed = [flag for flag in FLAGS if bool(before.get(flag)) != bool(after.get(flag))]
    said = [_(FLAGS[flag][not after.get(flag)]) for flag in changed]
    return f"{value} {'; '.join(said)}." if said else _("%(value)s was updated.") % {"value": value}


def _confirmed(facts: Facts, labels: Labels) -> str:
    return _("%(value)s was confirmed.") % {"value": named(facts, labels)}


def _lost(facts: Facts, labels: Labels) -> str:
    """Why a contact is not, or no longer, here (R30)."""
    words = {"value": named(facts, labels), **_keeper(facts, labels)}
    text = (
        _("%(value)s went to %(customer)s, because %(because)s.")
        if facts["was_held"]
        else _("%(value)s stays with %(customer)s, because %(because)s.")
    )
    return text % words


def _keeper(facts: Facts, labels: Labels) -> dict[str, str]:
    """The other customer, and why that one holds the contact (R29)."""
    customer = labels.customer(facts["related"])
    return {"customer": customer, "because": why_held(facts["decided_by"], customer)}


def _received(facts: Facts, labels: Labels) -> str:
    """Why a contact stayed here, or came (R30)."""
    words = {
        "value": named(facts, labels),
        "customer": labels.customer(facts["related"]),
        "because": why_priority(facts["decided_by"]),
    }
    text = (
        _("%(value)s, named by %(customer)s too, stays with this customer, because %(because)s.")
        if facts["was_held"]
        else _("%(value)s, named by %(customer)s too, came to this customer, because %(because)s.")
    )
    return text % words


def _note(facts: Facts, labels: Labels) -> str:
    if facts.get("reason") == BY_HAND:
        return _("Note: %(text)s") % {"text": facts["value"]}
    words = {"value": named(facts, labels)}
    if facts.get("decided_by") and facts.get("related"):
        text = _("Note: %(value)s stays with %(customer)s, because %(because)s.")
        return text % {**words, **_keeper(facts, labels)}
    return _("Note: %(value)s did not come back with the undo: the profile no longer held it.") % words


def _subscription(facts: Facts, _labels: Labels) -> str:
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


def _segment(facts: Facts, _labels: Labels) -> str:
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


def _opted_out(facts: Facts, _labels: Labels) -> str:
    if facts["after"]:
        return _("The customer refused all communication.")
    return _("The refusal of all communication was taken back.")


def _order(facts: Facts, _labels: Labels) -> str:
    before, after = facts["before"], facts["after"]
    words = {
        "number": facts["number"],
        "amount": f"{Decimal(after['total']):.2f} {after['currency']}".strip(),
        "status": after["status"],
    }
    if before is None:
        return _("Order %(number)s over %(amount)s was placed.") % words
    if before["status"] != after["status"]:
        return _("Order %(number)s over %(amount)s is now “%(status)s”.") % words
    return _("Order %(number)s was updated: %(amount)s.") % words


def _points(facts: Facts, _labels: Labels) -> str:
    words = {"amount": facts["amount"], "why": facts["why"]}
    text = _("%(amount)s reward points: %(why)s.") if facts["why"] else _("%(amount)s reward points.")
    return text % words


def _promo_code(facts: Facts, _labels: Labels) -> str:
    return _("Promo code %(code)s was issued.") % {"code": facts["code"]}


def _joined(facts: Facts, labels: Labels) -> str:
    return _("Data that came in joined this customer, because %(because)s.") % {
        "because": _why(facts, labels)
    }


def _merged(facts: Facts, labels: Labels) -> str:
    """Who was merged, why, and whose data had priority (R41)."""
    words = {"customer": labels.customer(facts["related"]), "because": _why(facts, labels)}
    said = [_("%(customer)s was merged into this one, because %(because)s") % words]
    criterion = facts.get("decided_by")
    if criterion and facts["priority_maestra_id"]:
        first = labels.customer(facts["priority_maestra_id"])
        priority = {"customer": first, "because": why_priority(criterion)}
        said.append(_("%(customer)s had priority: %(because)s") % priority)
    return _capitalized("; ".join(said)) + "."


def _why(facts: Facts, labels: Labels) -> str:
    matched = ", ".join(named(value, labels) for value in facts["matched"])
    return why_one(facts["reason"], matched)


def _unmerged(facts: Facts, labels: Labels) -> str:
    return _("The merge with %(customer)s was undone: they are two again.") % {
        "customer": labels.customer(facts["related"])
    }


def _apart(facts: Facts, labels: Labels) -> str:
    text = (
        _("May be merged with %(customer)s again.")
        if facts["is_lifted"]
        else _("Is never to be merged with %(customer)s.")
    )
    return text % {"customer": labels.customer(facts["related"])}


def _erased(_facts: Facts, _labels: Labels) -> str:
    return _("The customer was erased.")


SENTENCES: Mapping[str, Callable[[Facts, Labels], str]] = {
    "created": _created,
    "personal_data": _fields,
    **dict.fromkeys(CONTACT_NAMES, _identifier),
    "identifier": _identifier,
    "device": _identifier,
    "custom_fields": _fields,
    "subscription": _subscription,
    "segment": _segment,
    "confirmed": _confirmed,
    "contact_lost": _lost,
    "contact_received": _received,
    "note": _note,
    "joined": _joined,
    "merged": _merged,
    "unmerged": _unmerged,
    "apart": _apart,
    "opt_out": _opted_out,
    "erased": _erased,
    "order": _order,
    "points": _points,
    "promo_code": _promo_code,
}
"""Every kind of entry there is."""
