"""Memberships as part of a profile: how they are read, and how the API shows them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from customers.presentation.customer import moment
from customers.profile import Membership, Profile
from customers.storage.loading import PartialProfiles, ProfilePart
from customers.storage.sql import Row, fetch

MEMBERSHIPS = """
SELECT customer_id, segmentation_id, segment_id, since FROM segments_membership
 WHERE customer_id = ANY(%(primary_ids)s::bigint[])
"""
# All of them at once: there are few, and a page of customers shows many.
NAMES = """
SELECT s.id, g.system_name, s.system_name
  FROM segments_segment s JOIN segments_segmentation g ON g.id = s.segmentation_id
 UNION ALL
SELECT id, segmentation, segment FROM segments_formersegment
"""


class Names(NamedTuple):
    """A segment as the API calls it."""

    segmentation: str
    segment: str


def fill(profiles: PartialProfiles, rows: Iterable[Row]) -> None:
    for primary_id, segmentation, segment, since in rows:
        profiles[primary_id].memberships[segmentation] = Membership(segment, since)


def present_segments(profile: Profile) -> list[dict[str, Any]]:
    """The customer's segments by system name, in the order of the segmentations' names (R51)."""
    named = sorted((names_of(m.segment), m.since) for m in profile.memberships.values())
    return [{**names._asdict(), "since": moment(since)} for names, since in named]


def names_of(segment: int) -> Names:
    """The names of a segment, deleted or not. They are cached: the database lets neither of them change. A
    segment that was deleted before names of deleted ones were stored is called by its ID.
    """
    if segment not in cached_names:
        cached_names.update((pk, Names(segmentation, name)) for pk, segmentation, name in fetch(NAMES))
    return cached_names.get(segment) or Names("?", str(segment))


cached_names: dict[int, Names] = {}

PART = ProfilePart(MEMBERSHIPS, fill)
