"""Members of static segments, put in and taken out by hand and by API (R51), and the deletion of segments."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.changes import Why
from customers.errors import invalid
from customers.storage.loading import primary_ids_of
from customers.storage.locking import operation_of
from customers.storage.transactions import Contended, in_transaction
from segments.bulk_moves import Decide, move
from segments.models import Membership, Segment, SegmentationKinds

AT_ONCE = 2_000
"""Most customers of one transaction."""

MOST_LEAVING = 10_000
"""Most members a segment may have when it is deleted."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, as in `customers.storage.batch.OperationInfo`."""

    actor: str
    user_id: int | None = None
    point_id: int | None = None


@dataclass(frozen=True, slots=True)
class MembershipResult:
    """How many customers entered and left segments, and how many stayed as they were. `unknown` MaestraIDs
    are nobody's.
    """

    entered: int = 0
    left: int = 0
    unchanged: int = 0
    unknown: tuple[int, ...] = ()

    def __add__(self, other: MembershipResult) -> MembershipResult:
        return MembershipResult(
            self.entered + other.entered,
            self.left + other.left,
            self.unchanged + other.unchanged,
            self.unknown + other.unknown,
        )


@dataclass(frozen=True, slots=True)
class _Request:
    """What is to be done, and by whom."""

    segment: Segment
    decide: Decide
    kind: str
    who: Actor
    at: datetime


def put_in(segment: Segment, maestra_ids: Collection[int], who: Actor) -> MembershipResult:
    """Make customers members of a static segment; they leave the segmentation's other segments. Former
    MaestraIDs are accepted. Raises `validation_error` for a calculated segment.
    """
    decide: Decide = lambda _primary_id, _is_in: segment.pk  # noqa: E731
    return _change_members(_Request(segment, decide, "put_in_segment", who, timezone.now()), maestra_ids)


def take_out(segment: Segment, maestra_ids: Collection[int], who: Actor) -> MembershipResult:
    """End memberships of a static segment; customers in another segment of the segmentation stay there."""
    return _change_members(
        _Request(segment, _out_of(segment), "take_out_of_segment", who, timezone.now()), maestra_ids
    )


def _out_of(segment: Segment) -> Decide:
    return lambda _primary_id, is_in: None if is_in == segment.pk else is_in


def delete(segments: Collection[Segment], who: Actor) -> None:
    """Delete segments of either kind; their members leave them first (R52). Raises `validation_error` where
    there are more than `MOST_LEAVING`. Conditions that refer to them then match nobody.
    """
    ids = [segment.pk for segment in segments]
    present = Membership.objects.filter(segment__in=ids, customer__is_head=True)
    if len(present.order_by().values_list("pk")[: MOST_LEAVING + 1]) > MOST_LEAVING:
        message = _("More than %(limit)s customers are members. Take them out first.")
        raise invalid(("", message % {"limit": MOST_LEAVING}))
    for segment in segments:
        _empty(segment, who)
    with transaction.atomic():
        # Memberships of former MaestraIDs, which were kept for an undo.
        Membership.objects.filter(segment__in=ids, customer__is_head=False).delete()
        Segment.objects.filter(pk__in=ids).delete()


def _empty(segment: Segment, who: Actor) -> None:
    request = _Request(segment, _out_of(segment), "delete_segment", who, timezone.now())
    members = segment.memberships.filter(customer__is_head=True).values_list("customer", flat=True)
    _in_parts(request, members)


def _change_members(request: _Request, maestra_ids: Collection[int]) -> MembershipResult:
    if request.segment.segmentation.kind != SegmentationKinds.STATIC:
        raise invalid(
            ("", _("This segment is calculated: its members are the customers who meet its condition."))
        )
    return _in_parts(request, maestra_ids)


def _in_parts(request: _Request, maestra_ids: Iterable[int]) -> MembershipResult:
    ids = sorted(set(maestra_ids))
    parts = (ids[first : first + AT_ONCE] for first in range(0, len(ids), AT_ONCE))
    return sum((in_transaction(partial(_part, request, part)) for part in parts), MembershipResult())


def _part(request: _Request, ids: Sequence[int]) -> MembershipResult:
    primary_ids, who = primary_ids_of(ids), request.who
    wanted = frozenset(primary_ids.values())
    moved = move(
        wanted,
        request.segment.segmentation_id,
        request.decide,
        lambda: operation_of(request.kind, request.at, who.actor, who.user_id, who.point_id),
        at=request.at,
        why=Why.RECORD,
    )
    if moved.present != wanted:
        raise Contended
    unknown = tuple(maestra_id for maestra_id in ids if maestra_id not in primary_ids)
    return MembershipResult(moved.entered, moved.left, len(wanted) - max(moved.entered, moved.left), unknown)
