"""What things are called in the middle of a sentence: fields, channels, statuses, customers, reasons.

The record stores the names of criteria and reasons. What they mean is known to the app that decides, and that
app registers the words here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from customers.profile import PERSONAL_LABELS
from customers.provisional import is_provisional

FIELDS: Mapping[str, str] = {**PERSONAL_LABELS, "time_zone": gettext_noop("time zone")}
"""The fields of the person."""
CHANNELS: Mapping[str, str] = {
    "email": gettext_noop("E-mail"),
    "sms": gettext_noop("SMS"),
    "web_push": gettext_noop("Web push"),
    "mobile_push": gettext_noop("Mobile push"),
    "viber": gettext_noop("Viber"),
    "call": gettext_noop("Calls"),
}
STATUSES: Mapping[str, str] = {
    "subscribed": gettext_noop("subscribed"),
    "awaiting_confirmation": gettext_noop("awaiting confirmation"),
    "unsubscribed": gettext_noop("unsubscribed"),
}

CustomerLabel = Callable[[int], str]
"""What a customer is called in the middle of a sentence, by MaestraID."""


def customer_label(maestra_id: int) -> str:
    """A customer in the middle of a sentence; one that a preview would create has no MaestraID yet."""
    return _("the new customer") if is_provisional(maestra_id) else _("customer %(id)s") % {"id": maestra_id}


_priority: dict[str, str] = {}
_holding: dict[str, str] = {}
_reasons: dict[str, str] = {}


def register_criterion(name: str, *, because: str, keeps_because: str) -> None:
    """Both are half sentences to be translated. `because` is said of "it", the customer with priority;
    `keeps_because` names whoever holds a contact as `%(customer)s`.
    """
    _priority[name], _holding[name] = because, keeps_because


def register_reason(name: str, because: str) -> None:
    """Why two were taken for one person: a half sentence to be translated, with the values that matched as
    `%(matched)s`.
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
    """After "was merged, because" (R41). `matched` are the values, worded."""
    return _(_reasons[reason]) % {"matched": matched or _("an identifier")}
