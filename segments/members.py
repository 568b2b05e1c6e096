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
    """How many customers entered the segment, how many left it, and how many stayed as they were. `unknown`
    MaestraIDs are nobody's.
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
    """What is to be done, and by whom. The MaestraIDs of `entering` become members, all others that it is
    carried out for leave.
    """

    segment: Segment
    entering: frozenset[int]
    kind: str
    who: Actor
    at: datetime

    def decide(self, entering: Collection[int]) -> Decide:
        """The segment for the customers with these primary MaestraIDs, and for those who leave."""
        segment = self.segment.pk
        return lambda primary_id, is_in: (
            segment if primary_id in entering else None if is_in == segment else is_in
        )


def change_members(
    segment: Segment, who: Actor, *, put_in: Collection[int] = (), take_out: Collection[int] = ()
) -> MembershipResult:
    """Make customers members of a static segment, and end the memberships of others: up to `AT_ONCE` of them
    in one transaction. Who becomes a member leaves the segmentation's other segments; who is to leave stays
    in those. Who is named in both is a member. Former MaestraIDs are accepted.

    Raises `validation_error` for a calculated segment.
    """
    if segment.segmentation.kind != SegmentationKinds.STATIC:
        raise invalid(
            ("", _("This segment is calculated: its members are the customers who meet its condition."))
        )
    kind = "put_in_segment" if put_in else "take_out_of_segment"
    request = _Request(segment, frozenset(put_in), kind, who, timezone.now())
    return _in_parts(request, [*put_in, *take_out])


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
        # First, for whoever becomes a member holds the segment.
        list(Segment.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
        # Memberships of former MaestraIDs, which were kept for an undo.
        Membership.objects.filter(segment__in=ids, customer__is_head=False).delete()
        Segment.objects.filter(pk__in=ids).delete()


def _empty(segment: Segment, who: Actor) -> None:
    request = _Request(segment, frozenset(), "delete_segment", who, timezone.now())
    members = segment.memberships.filter(customer__is_head=True).values_list("customer", flat=True)
    _in_parts(request, members)


def _in_parts(request: _Request, maestra_ids: Iterable[int]) -> MembershipResult:
    ids = sorted(set(maestra_ids))
    parts = (ids[first : first + AT_ONCE] for first in range(0, len(ids), AT_ONCE))
    return sum((in_transaction(partial(_part, request, part)) for part in parts), MembershipResult())


def _part(request: _Request, ids: Sequence[int]) -> MembershipResult:
    primary_ids, who = primary_ids_of(ids), request.who
    wanted = frozenset(primary_ids.values())
    entering = {primary_ids[maestra_id] for maestra_id in request.entering & primary_ids.keys()}
    moved = move(
        wanted,
        request.segment.segmentation_id,
        request.decide(entering),
        lambda: operation_of(request.kind, request.at, who.actor, who.user_id, who.point_id),
        at=request.at,
        why=Why.RECORD,
    )
    if moved.present != wanted:
        raise Contended
    unknown = tuple(maestra_id for maestra_id in ids if maestra_id not in primary_ids)
    left = moved.changed - moved.entered
    return MembershipResult(moved.entered, left, len(wanted) - moved.changed, unknown)
