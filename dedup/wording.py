"""The engine's tables in translated sentences, by the names that are stored and answered."""

from __future__ import annotations

from django.utils.translation import gettext as _

from dedup.engine.priority import CRITERIA
from dedup.engine.remedies import Remedy
from dedup.engine.survivorship import SURVIVORSHIP
from dedup.engine.vetoes import RULES
from dedup.engine.warnings import RecordWarning

_CRITERIA = {criterion.name: criterion.sentence for criterion in CRITERIA}
_POLICIES = {policy.field: policy.sentence for policy in SURVIVORSHIP}


def veto_sentence(name: str) -> str:
    """Why two may not be one (R22)."""
    return _(RULES[name].sentence)


def veto_remedy(name: str) -> str:
    """What would help against it, for members of staff."""
    return staff_remedy(RULES[name].remedy)


def is_overridable(veto: str) -> bool:
    """Whether a merge by hand outweighs it (R28)."""
    return RULES[veto].is_overridable


def veto_choices() -> list[tuple[str, str]]:
    return [(name, _(rule.sentence)) for name, rule in RULES.items()]


def criterion_sentence(name: str) -> str:
    """What puts one customer before another (R29)."""
    return _(_CRITERIA[name])


def policy_sentence(field: str) -> str:
    """What a merged profile takes from whom, field by field (section 6 of the rules)."""
    return _(_POLICIES[field])


def warning_sentence(warning: RecordWarning) -> str:
    """What a record's sender is warned of."""
    told = {"path": warning.path, "fields": ", ".join(warning.fields), **warning.values}
    return _(warning.code.sentence) % told


def remedy_sentence(remedy: Remedy) -> str:
    """What would have to change, for integrators."""
    return _(remedy.sentence)


def staff_remedy(remedy: Remedy) -> str:
    """What would have to change, for members of staff: a merge is asked for on a page."""
    return _(remedy.sentence_for_staff)
