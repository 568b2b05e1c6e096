"""What the sender of a record is told beside the outcome: what was left out, and why. A table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from customers.texts import gettext_noop


class WarningCode(StrEnum):
    """The code that is answered and counted, its `label` in counts, and its `sentence`. Into this go the
    `path` of the field in question, or its `fields`, and the values of the warning.
    """

    BLOCKED_VALUE = (
        "blocked_value",
        gettext_noop("Values on the block list were left out"),
        gettext_noop("%(path)s is on the block list and was left out."),
    )
    INVALID_VALUE = (
        "invalid_value",
        gettext_noop("Invalid values were left out"),
        gettext_noop("%(path)s was left out: %(message)s"),
    )
    CONFIRMATION_LEFT_OUT = (
        "confirmation_left_out",
        gettext_noop("Confirmations were left out"),
        gettext_noop("%(path)s was left out: contacts that subscribe brings are not confirmed."),
    )
    CONFIRMATION_PAUSED = (
        "confirmation_paused",
        gettext_noop("No further confirmation was sent yet"),
        gettext_noop(
            "No further link or code was sent to %(path)s, because of those before. The next one can be sent "
            "at %(retry_at)s."
        ),
    )
    ORDER_OF_ANOTHER = (
        "order_of_another",
        gettext_noop("Orders of another customer"),
        gettext_noop("order %(number)s stays with the customer it was first placed for"),
    )
    PERSONAL_DATA_REPLACED = (
        "personal_data_replaced",
        gettext_noop("Personal data were replaced"),
        gettext_noop(
            "What was sent contradicts the personal data stored before, which were replaced as a whole: "
            "%(fields)s."
        ),
    )
    OLDER_DATA = (
        "older_data",
        gettext_noop("Data older than what is stored were left out"),
        gettext_noop("%(fields)s was left out: what is stored is younger."),
    )
    KEPT_UNSUBSCRIBED = (
        "kept_unsubscribed",
        gettext_noop("Unsubscribed customers stay unsubscribed"),
        gettext_noop(
            "%(fields)s was left out: the customer unsubscribed. They can subscribe again themselves; an "
            "unsubscription from this alone also ends by a newer consent that is sent with its own date."
        ),
    )

    label: str
    sentence: str

    def __new__(cls, name: str, label: str, sentence: str) -> WarningCode:
        code = str.__new__(cls, name)
        code._value_ = name
        code.label = label
        code.sentence = sentence
        return code


@dataclass(frozen=True, slots=True)
class RecordWarning:
    """`path` names the field at fault as errors do; `fields` are the paths of all that were left out, where a
    warning is about several. `values` are what else its sentence tells.
    """

    code: WarningCode
    path: str = ""
    fields: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
