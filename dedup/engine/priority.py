"""Who goes first when two customers must settle something: a table read from top to bottom, the first
difference decides (R29).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from customers.profile import CONTACTS, Key, Profile
from customers.texts import gettext_noop


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion of priority.

    `name` is stored and answered, and never changes. `weigh` gives what is compared, of a profile and the
    contact in question; the larger goes first. `sentence` is what the explanation says beside both values.
    `because` follows "has priority, because" in a history, `keeps_because` the name of the one who holds a
    contact: "stays with customer 7, because customer 7 …".
    """

    name: str
    weigh: Callable[[Profile, Key | None], Any]
    sentence: str
    because: str
    keeps_because: str


def _gives_access(p: Profile, key: Key | None) -> bool:
    return key is not None and key in p.holdings and p.holdings[key].gives_access


def _is_confirmed(p: Profile, key: Key | None) -> bool:
    return key is not None and key in p.holdings and p.holdings[key].confirmed_at is not None


def _last_activity(p: Profile, _key: Key | None) -> tuple[bool, Any]:
    acted = p.last_action_at
    return (True, acted) if acted else (False, p.registered_at)


CRITERIA: tuple[Criterion, ...] = (
    Criterion(
        name="access_by_this_contact",
        weigh=_gives_access,
        sentence=gettext_noop("Signs in with the shared contact."),
        because=gettext_noop("they sign in with the contact"),
        keeps_because=gettext_noop("%(customer)s signs in with it"),
    ),
    Criterion(
        name="this_contact_confirmed",
        weigh=_is_confirmed,
        sentence=gettext_noop("Has confirmed the shared contact."),
        because=gettext_noop("they have confirmed the contact"),
        keeps_because=gettext_noop("%(customer)s has confirmed it"),
    ),
    Criterion(
        name="any_account_access",
        weigh=lambda p, _key: bool(p.access_contacts()),
        sentence=gettext_noop("Has account access by any contact."),
        because=gettext_noop("they have account access"),
        keeps_because=gettext_noop("%(customer)s has account access"),
    ),
    Criterion(
        name="orders",
        weigh=lambda p, _key: p.has_commerce,
        sentence=gettext_noop("Has orders, promo codes or reward points."),
        because=gettext_noop("they have orders, promo codes or reward points"),
        keeps_because=gettext_noop("%(customer)s has orders, promo codes or reward points"),
    ),
    Criterion(
        name="any_confirmed_contact",
        weigh=lambda p, _key: p.has_confirmed_contact(),
        sentence=gettext_noop("Has a confirmed contact."),
        because=gettext_noop("they have a confirmed contact"),
        keeps_because=gettext_noop("%(customer)s has a confirmed contact"),
    ),
    Criterion(
        name="last_activity",
        weigh=_last_activity,
        sentence=gettext_noop(
            "Was active more recently. Without any activity the registration date counts, behind all who "
            "were active."
        ),
        because=gettext_noop(
            "their last activity is more recent, or, where neither was ever active, their registration"
        ),
        keeps_because=gettext_noop(
            "the last activity of %(customer)s is more recent, or, where neither was ever active, the "
            "registration"
        ),
    ),
    Criterion(
        name="lower_maestra_id",
        weigh=lambda p, _key: (not p.is_new, -p.maestra_id),
        sentence=gettext_noop(
            "Has the lower MaestraID. A record that is not stored yet counts as the highest."
        ),
        because=gettext_noop("they were here first"),
        keeps_because=gettext_noop("%(customer)s was here first"),
    ),
)
ACCESS_BY_THIS_CONTACT = CRITERIA[0]
"""Decides by itself where an account-access contact is contested (R31)."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the left one has priority, and the name of the criterion that decided."""

    left_first: bool
    criterion: str


def decide_priority(left: Profile, right: Profile, contact: Key | None) -> Verdict:
    """Which of two has priority, `contact` being the disputed one or the strongest that matched (R29)."""
    for criterion in CRITERIA:
        a, b = criterion.weigh(left, contact), criterion.weigh(right, contact)
        if a != b:
            return Verdict(a > b, criterion.name)
    raise AssertionError("two different customers have different MaestraIDs")


def contact_in_question(shared: list[Key] | tuple[Key, ...], left: Profile, right: Profile) -> Key | None:
    """The strongest contact that matched; without one the first two criteria do not apply (R29)."""
    for key in shared:
        holding = right.holdings.get(key) or left.holdings.get(key)
        if holding and holding.category in CONTACTS:
            return key
    return None
