"""What would have to change before two may be one: a table."""

from __future__ import annotations

from enum import StrEnum

from customers.texts import gettext_noop


class Remedy(StrEnum):
    """The name answered, and the sentence. `sentence_for_staff` is for the pages, where a merge is asked for
    by hand; it differs only where the API asks by request.
    """

    LIFT_APART = (
        "lift_apart",
        gettext_noop("Allow the two to merge again."),
    )
    ALLOW_DIFFERENT_IDS = (
        "allow_different_ids",
        gettext_noop("Give both the same ID, or allow customers with different IDs of this kind to merge."),
    )
    SHARE_ACCOUNT_ACCESS = (
        "share_account_access",
        gettext_noop("Give both a common contact with account access, or clear the contacts of one of them."),
    )
    NAME_RESULTING_CUSTOMER = (
        "name_resulting_customer",
        gettext_noop("Request a merge and name the resulting customer: it keeps both values."),
        gettext_noop("Merge them by hand: the result keeps both values."),
    )
    SHARE_A_VALUE = (
        "share_a_value",
        gettext_noop("Send a record of one with an identifier of the other, or request a merge."),
        gettext_noop("Send a record of one with an identifier of the other, or merge them by hand."),
    )

    sentence: str
    sentence_for_staff: str

    def __new__(cls, name: str, sentence: str, sentence_for_staff: str | None = None) -> Remedy:
        remedy = str.__new__(cls, name)
        remedy._value_ = name
        remedy.sentence = sentence
        remedy.sentence_for_staff = sentence_for_staff or sentence
        return remedy
