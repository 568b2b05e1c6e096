"""Why two customers may not be one: a table read from top to bottom (R22).

Each rule looks at two profiles and returns the values in conflict, or nothing. What is not in this table is
no veto: differing names, birth dates, gender, cards without account access, custom fields (R23). The table
cannot be switched off (R27).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from customers.profile import CONTACTS, Category, Key, Profile
from customers.texts import gettext_noop
from dedup.engine.outcome import Veto
from dedup.engine.remedies import Remedy
from dedup.engine.world import World

Conflicting = tuple[tuple[str, ...], tuple[str, ...]]
"""The values in conflict, of the left one and of the right one."""


@dataclass(frozen=True, slots=True)
class VetoRule:
    """One reason why two may not be one.

    `name` is stored and answered, and never changes. `sentence` is what people are told, `remedy` what would
    help. `is_overridable`: a person who names the resulting customer (R28), and a contact confirmed on both
    sides (R25), outweigh it.
    """

    name: str
    conflict: Callable[[Profile, Profile, World], Conflicting | None]
    sentence: str
    remedy: Remedy
    is_overridable: bool = False


def _apart(left: Profile, right: Profile, world: World) -> Conflicting | None:
    for a in sorted(left.maestra_ids):
        for b in sorted(right.maestra_ids):
            if frozenset((a, b)) in world.apart:
                return (str(a),), (str(b),)
    return None


def _different_unique_ids(left: Profile, right: Profile, world: World) -> Conflicting | None:
    strict = [kind.name for kind in world.kinds.values() if kind.do_not_merge_different]
    pairs = ((left.current(name), right.current(name)) for name in strict)
    differing = [(a.value, b.value) for a, b in pairs if a and b and a.value != b.value]
    return (tuple(a for a, _ in differing), tuple(b for _, b in differing)) if differing else None


def _different_account_access(left: Profile, right: Profile, _world: World) -> Conflicting | None:
    return _none_shared(left.access_contacts(), right.access_contacts())


def _different_emails(left: Profile, right: Profile, _world: World) -> Conflicting | None:
    return _none_shared(_held(left, Category.EMAIL), _held(right, Category.EMAIL))


def _different_phones(left: Profile, right: Profile, _world: World) -> Conflicting | None:
    return _none_shared(_held(left, Category.MOBILE_PHONE), _held(right, Category.MOBILE_PHONE))


def _held(profile: Profile, category: Category) -> frozenset[Key]:
    return frozenset(h.key for h in profile.held(category))


def _none_shared(left: frozenset[Key], right: frozenset[Key]) -> Conflicting | None:
    """Both have some, and not one in common."""
    if not left or not right or left & right:
        return None
    return tuple(sorted(k.value for k in left)), tuple(sorted(k.value for k in right))


VETOES: tuple[VetoRule, ...] = (
    VetoRule(
        name="apart",
        conflict=_apart,
        sentence=gettext_noop('The two were marked "never merge", or their merge was undone.'),
        remedy=Remedy.LIFT_APART,
    ),
    VetoRule(
        name="different_unique_ids",
        conflict=_different_unique_ids,
        sentence=gettext_noop(
            "They have different IDs of a kind for which customers with different IDs are never merged."
        ),
        remedy=Remedy.ALLOW_DIFFERENT_IDS,
    ),
    VetoRule(
        name="different_account_access",
        conflict=_different_account_access,
        sentence=gettext_noop("Both have an account and sign in with different contacts."),
        remedy=Remedy.SHARE_ACCOUNT_ACCESS,
    ),
    VetoRule(
        name="different_emails",
        conflict=_different_emails,
        sentence=gettext_noop("They have different e-mail addresses."),
        remedy=Remedy.NAME_RESULTING_CUSTOMER,
        is_overridable=True,
    ),
    VetoRule(
        name="different_phones",
        conflict=_different_phones,
        sentence=gettext_noop("They have different mobile phones."),
        remedy=Remedy.NAME_RESULTING_CUSTOMER,
        is_overridable=True,
    ),
)
RULES = {rule.name: rule for rule in VETOES}
"""By stored name, in the table's order."""


def vetoes(left: Profile, right: Profile, world: World) -> tuple[Veto, ...]:
    """Every veto between two profiles, in the table's order."""
    return tuple(Veto(rule.name, *values) for rule in VETOES if (values := rule.conflict(left, right, world)))


def upheld(found: tuple[Veto, ...], overridden: bool) -> tuple[Veto, ...]:
    """The vetoes that stand: all of them, or those that nothing overrides."""
    return tuple(v for v in found if not RULES[v.name].is_overridable) if overridden else found


def confirmed_by_both(left: Profile, right: Profile) -> Key | None:
    """A contact that both sides have confirmed (R25)."""
    for key, mine in left.holdings.items():
        theirs = right.holdings.get(key)
        if mine.category in CONTACTS and mine.confirmed_at and theirs and theirs.confirmed_at:
            return key
    return None
