"""Who goes first when two customers must settle something: a table read from top to bottom, the first
difference decides (R29).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from customers.profile import CONTACTS, Key, Profile


def access_by_this_contact(p: Profile, key: Key | None) -> bool:
    """Signs in with the contact in question."""
    return key is not None and key in p.holdings and p.holdings[key].gives_access


def this_contact_confirmed(p: Profile, key: Key | None) -> bool:
    """Confirmed the contact in question."""
    return key is not None and key in p.holdings and p.holdings[key].confirmed_at is not None


def any_account_access(p: Profile, key: Key | None) -> bool:  # noqa: ARG001
    """Signs in with any contact or card."""
    return bool(p.access_contacts())


def orders(p: Profile, key: Key | None) -> bool:  # noqa: ARG001
    """Has orders, promo codes or reward-point movements."""
    return p.has_commerce


def any_confirmed_contact(p: Profile, key: Key | None) -> bool:  # noqa: ARG001
    """Has any confirmed contact."""
    return p.has_confirmed_contact()


def last_activity(p: Profile, key: Key | None) -> tuple[bool, Any]:  # noqa: ARG001
    """Was active later; whoever never acted counts by the registration date, behind everyone who did."""
    acted = p.last_action_at
    return (True, acted) if acted else (False, p.registered_at)


def lower_maestra_id(p: Profile, key: Key | None) -> tuple[bool, int]:  # noqa: ARG001
    """Has the lower MaestraID; a record not yet stored counts as the highest."""
    return (not p.is_new, -p.maestra_id)


CRITERIA: tuple[Callable[[Profile, Key | None], Any], ...] = (
    access_by_this_contact,
    this_contact_confirmed,
    any_account_access,
    orders,
    any_confirmed_contact,
    last_activity,
    lower_maestra_id,
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the left one has priority, and the name of the criterion that decided."""

    left_first: bool
    criterion: str


def prior(left: Profile, right: Profile, contact: Key | None) -> Verdict:
    """Which of two has priority, `contact` being the disputed one or the strongest that matched (R29)."""
    for criterion in CRITERIA:
        a, b = criterion(left, contact), criterion(right, contact)
        if a != b:
            return Verdict(a > b, criterion.__name__)
    raise AssertionError("two different customers have different MaestraIDs")


def contact_in_question(shared: list[Key] | tuple[Key, ...], left: Profile, right: Profile) -> Key | None:
    """The strongest contact that matched; without one the first two criteria do not apply (R29)."""
    for key in shared:
        holding = right.holdings.get(key) or left.holdings.get(key)
        if holding and holding.category in CONTACTS:
            return key
    return None
