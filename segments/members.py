"""Members of static segments, put in and taken out by hand and by API (R51), and the end of a segment."""

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
from segments.models import Membership, Segment, SegmentationKinds
from segments.moving import Decide, move

AT_ONCE = 2_000
"""Customers of one transaction."""

MOST_LEAVING = 10_000
"""Members that a segment may have when it is deleted."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, as in `customers.storage.batch.OperationInfo`."""

    actor: str
    user_id: int | None = None
    point_id: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """How many entered and left a segment, and how many stay as they were. `unknown` MaestraIDs lead to
    nobody.
    """

    entered: int = 0
    left: int = 0
    unchanged: int = 0
    unknown: tuple[int, ...] = ()

    def __add__(self, other: Answer) -> Answer:
        return Answer(
            self.entered + other.entered,
            self.left + other.left,
            self.unchanged + other.unchanged,
            self.unknown + other.unknown,
        )


@dataclass(frozen=True, slots=True)
class _Order:
    """What is to be done, and by whom."""

    segment: Segment
    decide: Decide
    kind: str
    who: Actor
    at: datetime


def put_in(segment: Segment, maestra_ids: Collection[int], who: Actor) -> Answer:
    """Make customers members of a static segment; in the segmentation's others they are no longer. Former
    MaestraIDs will do. Raises `validation_error` for a calculated segment.
    """
    decide: Decide = lambda _primary_id, _is_in: segment.pk  # noqa: E731
    return _done(_Order(segment, decide, "put_in_segment", who, timezone.now()), maestra_ids)


def take_out(segment: Segment, maestra_ids: Collection[int], who: Actor) -> Answer:
    """End memberships of a static segment; who is in another of the segmentation stays there."""
    return _done(_Order(segment, _out_of(segment), "take_out_of_segment", who, timezone.now()), maestra_ids)


def _out_of(segment: Segment) -> Decide:
    return lambda _primary_id, is_in: None if is_in == segment.pk else is_in


def delete(segments: Collection[Segment], who: Actor) -> None:
    """Delete segments of either kind, whose members leave them first (R52). Raises `validation_error` where
    they have more than `MOST_LEAVING`. What refers to them then refers to nobody.
    """
    ids = [segment.pk for segment in segments]
    present = Membership.objects.filter(segment__in=ids, customer__is_head=True)
    if len(present.order_by().values_list("pk")[: MOST_LEAVING + 1]) > MOST_LEAVING:
        raise invalid(("", _("More than %d customers are members. Take them out first.") % MOST_LEAVING))
    for segment in segments:
        _empty(segment, who)
    with transaction.atomic():
        # Of former MaestraIDs, kept for an undo.
        Membership.objects.filter(segment__in=ids, customer__is_head=False).delete()
        Segment.objects.filter(pk__in=ids).delete()


def _empty(segment: Segment, who: Actor) -> None:
    order = _Order(segment, _out_of(segment), "delete_segment", who, timezone.now())
    members = segment.memberships.filter(customer__is_head=True).values_list("customer", flat=True)
    _in_parts(order, members)


def _done(order: _Order, maestra_ids: Collection[int]) -> Answer:
    if order.segment.segmentation.kind != SegmentationKinds.STATIC:
        raise invalid(("", _("This segment is calculated: its members are those who meet its condition.")))
    return _in_parts(order, maestra_ids)


def _in_parts(order: _Order, maestra_ids: Iterable[int]) -> Answer:
    ids = sorted(set(maestra_ids))
    parts = (ids[first : first + AT_ONCE] for first in range(0, len(ids), AT_ONCE))
    return sum((in_transaction(partial(_part, order, part)) for part in parts), Answer())


def _part(order: _Order, ids: Sequence[int]) -> Answer:
    primary_ids, who = primary_ids_of(ids), order.who
    wanted = frozenset(primary_ids.values())
    moved = move(
        wanted,
        order.segment.segmentation_id,
        order.decide,
        lambda: operation_of(order.kind, order.at, who.actor, who.user_id, who.point_id),
        at=order.at,
        why=Why.RECORD,
    )
    if moved.present != wanted:
        raise Contended
    unknown = tuple(maestra_id for maestra_id in ids if maestra_id not in primary_ids)
    return Answer(moved.entered, moved.left, len(wanted) - max(moved.entered, moved.left), unknown)
