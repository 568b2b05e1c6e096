"""The customers behind the MaestraIDs of an address or a form."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from customers.profile import MAESTRA_ID, Key, Profile
from customers.storage.loading import HIGHEST_MAESTRA_ID, load_profiles, primary_ids_of


@dataclass(frozen=True, slots=True)
class FoundCustomers:
    """The profiles behind some MaestraIDs, in the order asked for and each once. `remarks` say which of the
    MaestraIDs are unknown or former.
    """

    profiles: tuple[Profile, ...]
    remarks: tuple[str, ...]

    @property
    def ids(self) -> list[int]:
        return [profile.maestra_id for profile in self.profiles]


def find_customers(maestra_ids: Iterable[int]) -> FoundCustomers:
    """Former MaestraIDs lead to today's profile; unknown and erased ones to none."""
    asked = list(dict.fromkeys(maestra_ids))
    primary_ids = primary_ids_of(asked)
    profiles = load_profiles(sorted(set(primary_ids.values())))
    chosen = dict.fromkeys(primary_ids[maestra_id] for maestra_id in asked if maestra_id in primary_ids)
    return FoundCustomers(
        tuple(profiles[primary_id] for primary_id in chosen if primary_id in profiles),
        tuple(_remarks(asked, primary_ids)),
    )


def _remarks(asked: Sequence[int], primary_ids: dict[int, int]) -> Iterable[str]:
    for maestra_id in asked:
        primary_id = primary_ids.get(maestra_id)
        if primary_id is None:
            yield _("Customer %(id)s does not exist or was erased.") % {"id": maestra_id}
        elif primary_id != maestra_id:
            words = {"id": maestra_id, "primary_id": primary_id}
            yield _("%(id)s is a former MaestraID of customer %(primary_id)s.") % words


def maestra_key(maestra_id: int) -> Key:
    return Key(MAESTRA_ID, str(maestra_id))


def as_maestra_id(text: str) -> int | None:
    """A MaestraID as somebody typed it."""
    is_number = text.isascii() and text.isdigit() and len(text) < 20
    return int(text) if is_number and 0 < int(text) <= HIGHEST_MAESTRA_ID else None
