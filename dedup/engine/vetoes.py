"""Why two customers may not be one: a table read from top to bottom (R22).

Each veto looks at two profiles and returns the values in conflict, or nothing. What is not in this table is
no veto: differing names, birth dates, gender, cards without account access, custom fields (R23). The table
cannot be switched off (R27).
"""

from __future__ import annotations

from collections.abc import Callable

from customers.profile import CONTACTS, Category, Key, Profile
from dedup.engine.outcome import Veto
from dedup.engine.world import World


def apart(left: Profile, right: Profile, world: World) -> Veto | None:
    """Somebody marked the two "never merge", or undid their merge."""
    for a in sorted(left.maestra_ids):
        for b in sorted(right.maestra_ids):
            if frozenset((a, b)) in world.apart:
                return Veto("apart", (str(a),), (str(b),))
    return None


def different_unique_ids(left: Profile, right: Profile, world: World) -> Veto | None:
    """Both have a current ID of a kind for which customers with different IDs are not merged, and the IDs
    differ.
    """
    strict = [kind.name for kind in world.kinds.values() if kind.do_not_merge_different]
    pairs = ((left.current(name), right.current(name)) for name in strict)
    differing = [(a.value, b.value) for a, b in pairs if a and b and a.value != b.value]
    return Veto("different_unique_ids", *zip(*differing, strict=True)) if differing else None


def different_account_access(left: Profile, right: Profile, world: World) -> Veto | None:  # noqa: ARG001
    """Both sign in with contacts of their own and share none of them."""
    return _differ("different_account_access", left.access_contacts(), right.access_contacts())


def different_emails(left: Profile, right: Profile, world: World) -> Veto | None:  # noqa: ARG001
    """Both have e-mail addresses and share none."""
    return _differ("different_emails", _values(left, Category.EMAIL), _values(right, Category.EMAIL))


def different_phones(left: Profile, right: Profile, world: World) -> Veto | None:  # noqa: ARG001
    """Both have mobile phones and share none."""
    return _differ(
        "different_phones", _values(left, Category.MOBILE_PHONE), _values(right, Category.MOBILE_PHONE)
    )


VETOES: tuple[Callable[[Profile, Profile, World], Veto | None], ...] = (
    apart,
    different_unique_ids,
    different_account_access,
    different_emails,
    different_phones,
)
# A person who names the resulting customer (R28), and a contact confirmed on both sides (R25), outweigh these
# two only.
OVERRIDABLE = frozenset({"different_emails", "different_phones"})


def vetoes(left: Profile, right: Profile, world: World) -> tuple[Veto, ...]:
    """Every veto between two profiles, in the table's order."""
    return tuple(veto for rule in VETOES if (veto := rule(left, right, world)))


def standing(found: tuple[Veto, ...], overridden: bool) -> tuple[Veto, ...]:
    """The vetoes that stand: all of them, or those that nothing overrides."""
    return tuple(v for v in found if v.name not in OVERRIDABLE) if overridden else found


def confirmed_by_both(left: Profile, right: Profile) -> Key | None:
    """A contact that both sides have confirmed (R25)."""
    for key, mine in left.holdings.items():
        theirs = right.holdings.get(key)
        if mine.category in CONTACTS and mine.confirmed_at and theirs and theirs.confirmed_at:
            return key
    return None


def _values(profile: Profile, category: Category) -> frozenset[Key]:
    return frozenset(h.key for h in profile.held(category))


def _differ(name: str, left: frozenset[Key], right: frozenset[Key]) -> Veto | None:
    if not left or not right or left & right:
        return None
    return Veto(name, tuple(sorted(k.value for k in left)), tuple(sorted(k.value for k in right)))
