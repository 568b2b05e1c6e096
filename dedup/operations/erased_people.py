"""Records that name an erased person: a file does not bring them back, what they do themselves does (R54)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from django.utils.translation import gettext as _

from customers.errors import ErrorCode, SelfsameError
from customers.privacy import suppression
from customers.profile import PAYMENT_CARD, Key, Profile
from dedup.engine.outcome import Outcome, Refusal
from dedup.engine.record import Record
from dedup.engine.world import World

Suppressed = Mapping[Key, datetime]
"""Values on the suppression list, with the moments of their erasures."""


def suppressed_values(records: Sequence[Record], world: World) -> Suppressed:
    """Which values of the records are on the suppression list. What somebody holds by now is not asked."""
    named = {key for record in records for key in _named(record) if not _is_held(key, world)}
    return suppression.find_suppressed(named) if named else {}


def admitted(record: Record, suppressed: Suppressed, world: World) -> Record | SelfsameError:
    """The record, unless it would bring an erased person back by accident: that takes what the person did
    after the erasure. Of an order that is known already, the order is updated and nobody is touched.
    """
    erasures = [suppressed[key] for key in _named(record) if key in suppressed]
    if not erasures or (record.is_by_person and record.occurred_at > max(erasures)):
        return record
    if record.order and record.order.number in world.orders:
        return replace(record, is_order_only=True)
    return _erased_person()


def release_returned(outcomes: Sequence[Outcome | Refusal], suppressed: Suppressed) -> None:
    """Whose value somebody holds again is back: all values of that erasure are off the list."""
    held = {key for o in outcomes if isinstance(o, Outcome) for key in _held(o.profile)}
    suppression.release({at for key, at in suppressed.items() if key in held})


def _named(record: Record) -> Iterator[Key]:
    yield from (sent.key for sent in record.identifiers)
    yield from (Key(PAYMENT_CARD, card) for card in record.cards)


def _held(profile: Profile) -> Iterator[Key]:
    yield from (key for key, holding in profile.holdings.items() if not holding.is_former)
    yield from (Key(PAYMENT_CARD, card) for card in profile.cards)


def _is_held(key: Key, world: World) -> bool:
    return bool(world.card_holders.get(key.value)) if key.kind == PAYMENT_CARD else key in world.holders


def _erased_person() -> SelfsameError:
    detail = _(
        "This person asked to be forgotten. The record was not stored; remove the person from your file. "
        "Only what the person does after the erasure can register them anew."
    )
    return SelfsameError(ErrorCode.ERASED_PERSON, detail)
