"""What the condition builder of the admin is made of: every condition of the closed set with its fields and
what may stand in them, in words. Taken from the readers of `segments.conditions`, so that it offers exactly
what the server takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from customers.models import Channels, Genders, Statuses
from segments.conditions import TYPES, Condition, Mode, State, reader_of, required
from segments.readers import Amount, Choice, Reader, Reference, Refers, Scalar, Text, Time, Whole
from segments.references import ASKS, Setup
from segments.wording import ASKS as ASK_WORDS
from segments.wording import CONTACTS, OPS, PERSONAL

Words = Mapping[str, Promise]
Options = list[tuple[str, str]]

MODES: Words = {
    Mode.ALL: gettext_lazy("All of these"),
    Mode.ANY: gettext_lazy("At least one of these"),
    Mode.NONE: gettext_lazy("None of these"),
}
WHO, DID, BOUGHT, PERSON, ELSE = (
    gettext_lazy("Contacts and identifiers"),
    gettext_lazy("Activity"),
    gettext_lazy("Orders and loyalty"),
    gettext_lazy("Personal data"),
    gettext_lazy("Registration and segments"),
)
LABELS: Mapping[str, tuple[Promise, Promise]] = {
    "identified": (WHO, gettext_lazy("Identified")),
    "contact": (WHO, gettext_lazy("Contact")),
    "identifier": (WHO, gettext_lazy("Identifier")),
    "subscription": (WHO, gettext_lazy("Subscription")),
    "opted_out": (WHO, gettext_lazy("Opted out")),
    "orders_count": (BOUGHT, gettext_lazy("Number of orders")),
    "orders_total": (BOUGHT, gettext_lazy("Total of orders")),
    "last_order": (BOUGHT, gettext_lazy("Last order")),
    "points_balance": (BOUGHT, gettext_lazy("Reward points")),
    "promo_codes_count": (BOUGHT, gettext_lazy("Promo codes")),
    "activity_count": (DID, gettext_lazy("Activity on site or app")),
    "last_action": (DID, gettext_lazy("Last active")),
    "gender": (PERSON, gettext_lazy("Gender")),
    "age": (PERSON, gettext_lazy("Age")),
    "birthday": (PERSON, gettext_lazy("Birthday")),
    "known": (PERSON, gettext_lazy("Known personal data")),
    "custom_field": (PERSON, gettext_lazy("Custom field")),
    "registered": (ELSE, gettext_lazy("Registered")),
    "registered_through": (ELSE, gettext_lazy("Registered through")),
    "segment": (ELSE, gettext_lazy("In another segment")),
}
"""Each condition with the group it is offered in and its name."""
FIELDS: Words = {
    "contact": gettext_lazy("contact"),
    "state": gettext_lazy("which"),
    "kind": gettext_lazy("kind"),
    "channel": gettext_lazy("channel"),
    "status": gettext_lazy("status"),
    "topic": gettext_lazy("topic"),
    "op": gettext_lazy("how"),
    "value": gettext_lazy("value"),
    "period": gettext_lazy("when"),
    "page": gettext_lazy("page address contains"),
    "field": gettext_lazy("field"),
    "gender": gettext_lazy("gender"),
    "days": gettext_lazy("within days"),
    "point": gettext_lazy("integration point"),
    "segment": gettext_lazy("segment"),
}
STATES: Words = {
    State.HELD: gettext_lazy("present"),
    State.CONFIRMED: gettext_lazy("confirmed"),
    State.PENDING: gettext_lazy("awaits its confirmation"),
    State.GIVES_ACCESS: gettext_lazy("gives account access"),
}
CHOICES: Mapping[str, Words | Mapping[str, str]] = {
    "contact": CONTACTS,
    "state": STATES,
    "op": {**ASK_WORDS, **OPS},
    "field": PERSONAL,
    "channel": dict(Channels.choices),
    "status": dict(Statuses.choices),
    "gender": dict(Genders.choices),
}


def described_types(setup: Setup) -> dict[str, Any]:
    """All of it, as JSON for the browser."""
    return {
        "modes": _options(MODES, MODES),
        "types": [_type(name, condition, setup) for name, condition in TYPES.items()],
        "customFields": {
            name: {"type": of.value, "asks": _options(ASKS[of], ASK_WORDS)}
            for name, of in setup.custom_types.items()
        },
        "words": {name: str(text) for name, text in WORDS.items()},
    }


def _type(name: str, condition: type[Condition], setup: Setup) -> dict[str, Any]:
    group, label = LABELS[name]
    needed = required(condition)
    return {
        "name": name,
        "group": str(group),
        "label": str(label),
        "fields": [
            {
                "name": f.name,
                "label": str(FIELDS[f.name]),
                "optional": f.name not in needed,
                **_input(f.name, reader_of(condition, f.name), setup),
            }
            for f in fields(condition)
        ],
    }


def _input(name: str, reader: Reader, setup: Setup) -> dict[str, Any]:
    """The input for a field, with what it offers."""
    match reader:
        case Choice(options):
            return {"input": "choice", "options": _options(options, CHOICES[name])}
        case Whole(lowest, highest):
            return {"input": "whole", "min": lowest, "max": highest}
        case Reference(to):
            return {"input": "reference", "options": list(setup.labels[to].items()), "empty": str(EMPTY[to])}
        case Text(may_be_empty=True):
            return {"input": "topic"}
        case _:
            return {"input": INPUTS[type(reader)]}


def _options(names: Iterable[str], words: Mapping[str, Any]) -> Options:
    return [(str(name), str(words[name])) for name in names]


INPUTS: Mapping[type[Reader], str] = {Amount: "amount", Text: "text", Time: "period", Scalar: "custom"}
EMPTY: Mapping[Refers, Promise] = {
    Refers.IDENTIFIER_KIND: gettext_lazy("Choose a kind"),
    Refers.CUSTOM_FIELD: gettext_lazy("Choose a field"),
    Refers.POINT: gettext_lazy("Choose a point"),
    Refers.SEGMENT: gettext_lazy("Choose a segment"),
}
WORDS: Words = {
    "addCondition": gettext_lazy("Add a condition"),
    "addGroup": gettext_lazy("Add a group"),
    "removeCondition": gettext_lazy("Remove this condition"),
    "removeGroup": gettext_lazy("Remove this group"),
    "condition": gettext_lazy("Condition"),
    "group": gettext_lazy("Group"),
    "mode": gettext_lazy("Who meets"),
    "deleted": gettext_lazy("(deleted)"),
    "anyTime": gettext_lazy("at any time"),
    "lastDays": gettext_lazy("in the last … days"),
    "earlierThanDays": gettext_lazy("more than … days ago"),
    "between": gettext_lazy("between two days"),
    "days": gettext_lazy("days"),
    "from": gettext_lazy("from"),
    "to": gettext_lazy("to"),
    "anyTopic": gettext_lazy("any topic"),
    "noTopic": gettext_lazy("without a topic"),
    "thisTopic": gettext_lazy("this topic:"),
    "topicName": gettext_lazy("name of the topic"),
    "any": gettext_lazy("any"),
    "yes": gettext_lazy("yes"),
    "no": gettext_lazy("no"),
    "utc": gettext_lazy("UTC"),
    "noCondition": gettext_lazy("Nobody is in this segment until it has a condition."),
    "incomplete": gettext_lazy("Complete the conditions marked below to see how many customers match."),
    "counting": gettext_lazy("Counting…"),
    "totalOne": gettext_lazy("1 customer meets this condition"),
    "totalMany": gettext_lazy("%s customers meet this condition"),
    "one": gettext_lazy("1 customer"),
    "many": gettext_lazy("%s customers"),
    "slow": gettext_lazy("Counting would take too long here. The recalculation will tell."),
    "failed": gettext_lazy("The count could not be had. It is tried again with the next change."),
}
