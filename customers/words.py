"""What things are called in sentences: fields, channels, statuses, customers, reasons.

Merges and history entries store the names of criteria and reasons. The app that decides knows what these
mean, and registers the words for them here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from customers.profile import PERSONAL_LABELS
from customers.provisional import is_provisional

FIELDS: Mapping[str, str] = {**PERSONAL_LABELS, "time_zone": gettext_noop("time zone")}
"""The fields of the person, by their names in the profile."""
CHANNELS: Mapping[str, str] = {
    "email": gettext_noop("E-mail"),
    "sms": gettext_noop("SMS"),
    "web_push": gettext_noop("Web push"),
    "mobile_push": gettext_noop("Mobile push"),
    "viber": gettext_noop("Viber"),
    "call": gettext_noop("Call"),
}
STATUSES: Mapping[str, str] = {
    "subscribed": gettext_noop("subscribed"),
    "awaiting_confirmation": gettext_noop("awaiting confirmation"),
    "unsubscribed": gettext_noop("unsubscribed"),
}
"""Of subscriptions, in the middle of a sentence."""

CustomerLabel = Callable[[int], str]
"""Gives what the customer with a MaestraID is called in the middle of a sentence."""


def customer_label(maestra_id: int) -> str:
    """A customer in the middle of a sentence; one that a preview would create has no MaestraID yet."""
    return _("the new customer") if is_provisional(maestra_id) else _("customer %(id)s") % {"id": maestra_id}


# Half sentences by the stored names of criteria (why a customer has priority; why they hold a contact) and of
# reasons.
_priority: dict[str, str] = {}
_holding: dict[str, str] = {}
_reasons: dict[str, str] = {}


def register_criterion(name: str, *, because: str, keeps_because: str) -> None:
    """Lets the app that decides say what a priority criterion means, in two half sentences to be translated:
    `because` says why "it", a customer, has priority; `keeps_because` why `%(customer)s` holds a contact.
    """
    _priority[name], _holding[name] = because, keeps_because


def register_reason(name: str, because: str) -> None:
    """Lets the app that decides say why two customers were taken for one person, in a half sentence to be
    translated. The values that matched are `%(matched)s` in it.
    """
    _reasons[name] = because


def criteria() -> frozenset[str]:
    """The stored names of all criteria."""
    return frozenset(_priority)


def why_priority(criterion: str) -> str:
    """After "has priority, because" (R29)."""
    return _(_priority[criterion])


def why_held(criterion: str, customer: str) -> str:
    """After "stays with customer 7, because": why that customer holds a contact (R29)."""
    return _(_holding[criterion]) % {"customer": customer}


def why_same_person(reason: str, matched: str) -> str:
    """After "was merged, because" (R41). `matched` are the values that matched, as text."""
    return _(_reasons[reason]) % {"matched": matched or _("an identifier")}
