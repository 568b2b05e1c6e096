"""The engine's rules in sentences for members of staff: what its functions say of themselves, and what would
help.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _

from dedup.engine.explain import Remedy
from dedup.engine.priority import CRITERIA
from dedup.engine.survivorship import SURVIVORSHIP
from dedup.engine.vetoes import OVERRIDABLE, VETOES


def _told(functions: object) -> Mapping[str, str]:
    return {f.__name__: " ".join((f.__doc__ or "").split()) for f in functions}  # type: ignore[attr-defined]


_VETOES, _CRITERIA = _told(VETOES), _told(CRITERIA)
_POLICIES = {name: " ".join((policy.__doc__ or "").split()) for name, policy in SURVIVORSHIP.items()}


def veto_sentence(name: str) -> str:
    """Why two may not be one (R22)."""
    return _(_VETOES[name])


def criterion_sentence(name: str) -> str:
    """What puts one customer before another (R29)."""
    return _(_CRITERIA[name])


def policy_sentence(field: str) -> str:
    """What a merged profile takes from whom, field by field (section 6 of the rules)."""
    return _(_POLICIES[field])


def is_overridable(veto: str) -> bool:
    """Whether a merge by hand outweighs it (R28)."""
    return veto in OVERRIDABLE


def remedy(of: Remedy) -> str:
    """What would have to change; on these pages a merge by hand is asked for here."""
    match of:
        case Remedy.NAME_RESULTING_CUSTOMER:
            return _("Merge them by hand: the result keeps both values.")
        case Remedy.SHARE_A_VALUE:
            return _("Let a record bring an identifier of the one for the other, or merge them by hand.")
        case _:
            return remedy_sentence(of)


def veto_choices() -> list[tuple[str, str]]:
    return [(name, _(sentence)) for name, sentence in _VETOES.items()]


def remedy_sentence(remedy: Remedy) -> str:
    """What would have to change, for people."""
    match remedy:
        case Remedy.LIFT_APART:
            return _("Somebody has to take back that these two are never the same person.")
        case Remedy.ALLOW_DIFFERENT_IDS:
            return _("Give both the same ID, or let customers with different IDs of this kind be merged.")
        case Remedy.SHARE_ACCOUNT_ACCESS:
            return _("One contact that gives account access must be held by both, or cleared on one side.")
        case Remedy.NAME_RESULTING_CUSTOMER:
            return _("Merge them by request, naming the resulting customer: it keeps both values.")
        case Remedy.SHARE_A_VALUE:
            return _("Let a record bring an identifier of the one for the other, or merge them by request.")
