"""Why two were taken for one person: a table (R41)."""

from __future__ import annotations

from enum import StrEnum

from customers.texts import gettext_noop


class Reason(StrEnum):
    """Stored name, `label` in lists, and the half sentence after "because" in the history, with the values
    that matched as `%(matched)s`.
    """

    MATCHED_EXACTLY = (
        "matched_exactly",
        gettext_noop("A contact or ID matched"),
        gettext_noop("they share %(matched)s"),
    )
    SAME_DEVICE = (
        "same_device",
        gettext_noop("The same device"),
        gettext_noop("they used the same device: %(matched)s"),
    )
    PAYMENT_CARD = (
        "payment_card",
        gettext_noop("The same payment card"),
        gettext_noop("they paid with the same card"),
    )
    API = (
        "api",
        gettext_noop("Asked for by API"),
        gettext_noop("somebody asked for it by API"),
    )
    ADMIN = (
        "admin",
        gettext_noop("By hand"),
        gettext_noop("a member of staff asked for it"),
    )
    BOTH_CONFIRMED = (
        "both_confirmed",
        gettext_noop("Both confirmed the same contact"),
        gettext_noop("both confirmed %(matched)s"),
    )

    label: str
    because: str

    def __new__(cls, name: str, label: str, because: str) -> Reason:
        reason = str.__new__(cls, name)
        reason._value_ = name
        reason.label = label
        reason.because = because
        return reason
