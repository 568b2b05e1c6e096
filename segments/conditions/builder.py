"""What the condition builder of the admin offers, as JSON for the browser. It is taken from the conditions
themselves, so the builder offers exactly what the server accepts.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy

from segments.conditions.base import Condition
from segments.conditions.catalogue import CONDITIONS
from segments.conditions.context import ConditionContext
from segments.conditions.custom_fields import ASK_WORDS, ASKS
from segments.conditions.fields import Words, options_of
from segments.conditions.tree import Mode

MODES: Words = {
    Mode.ALL: gettext_lazy("All of these"),
    Mode.ANY: gettext_lazy("At least one of these"),
    Mode.NONE: gettext_lazy("None of these"),
}


def described_types(context: ConditionContext) -> dict[str, Any]:
    """Every type of condition with its fields, and the words of the builder."""
    return {
        "modes": options_of(MODES, MODES),
        "types": [_described(condition, context) for condition in CONDITIONS],
        "customFields": {
            name: {"type": custom_type.value, "asks": options_of(ASKS[custom_type], ASK_WORDS)}
            for name, custom_type in context.custom_types.items()
        },
        "words": {name: str(text) for name, text in WORDS.items()},
    }


def _described(condition: type[Condition], context: ConditionContext) -> dict[str, Any]:
    return {
        "name": condition.name,
        "group": str(condition.group),
        "label": str(condition.label),
        "fields": [
            {
                "name": field.name,
                "label": str(field.label),
                "optional": not field.is_required,
                **field.type.described(context),
            }
            for field in condition.fields()
        ],
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
    "slow": gettext_lazy("Counting takes too long here. The next recalculation will show the number."),
    "failed": gettext_lazy("Counting failed. It is tried again with the next change."),
}
