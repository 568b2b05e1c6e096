"""How a record changes the single values of the customer it is about: functions of what is stored and what
was sent (section 7 of the rules).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from customers.profile import (
    DEVICES,
    NOBODY,
    PERSONAL_FIELDS,
    Claim,
    Holding,
    Key,
    Membership,
    Personal,
    Profile,
    Subscription,
)
from dedup.engine.record import Mode, Record, Sent, SentMembership, SentSubscription


def edited_personal(current: Personal, sent: Mapping[str, Any], mode: Mode) -> Personal:
    """What was sent is added where it contradicts nothing; one contradiction clears the whole set, and only
    what was sent stays (R42). What differs from the stored value in its form only stays as stored, unless
    every field is sent: so a person corrects how a name is written. A sent None clears its field. `fill`
    clears nothing, and of a set with a contradiction it takes nothing (R44).
    """
    if all(getattr(current, name) == value for name, value in sent.items()):
        return current
    if mode is Mode.FILL or len(sent) < len(PERSONAL_FIELDS):
        sent = {name: as_stored(getattr(current, name), value) for name, value in sent.items()}
    values = {name: value for name, value in sent.items() if value is not None}
    contradicts = any(getattr(current, name) not in (None, value) for name, value in values.items())
    if mode is Mode.FILL:
        return current if contradicts else Personal(**{**values, **current.present()})
    if contradicts:
        return Personal(**values)
    cleared = {name: None for name, value in sent.items() if value is None}
    return Personal(**{**current.present(), **values, **cleared})


_COMPARED_AS = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201b\u02bc\u02b9\u2032\u00b4\u0060\uff07", "'"),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u00ad\ufe63\uff0d", "-"),
    }
)


def as_stored(stored: Any, sent: Any) -> Any:
    """The stored value where the sent one contradicts it in nothing but its form (R42)."""
    if sent == stored or not (isinstance(stored, str) and isinstance(sent, str)):
        return sent
    return stored if _compared(sent) == _compared(stored) else sent


def _compared(text: str) -> str:
    """Without case, and with accents, apostrophes and hyphens in one form: LEE is Lee, O’Brien is O'Brien."""
    return unicodedata.normalize("NFKC", text.translate(_COMPARED_AS).casefold())


def replaced_personal(before: Personal, after: Personal, sent: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields whose stored values went because a sent one contradicts the set; none where all that went
    was cleared, or every field was sent (R42).
    """
    gone = [name for name, value in before.present().items() if getattr(after, name) != value]
    is_replaced = any(getattr(after, name) is not None for name in gone)
    return tuple(gone) if is_replaced and len(sent) < len(PERSONAL_FIELDS) else ()


def is_heeded(sent: Sent, record: Record, profile: Profile) -> bool:
    """Whether the identifier counts, the record being about this customer. `fill` ignores a new one of a kind
    that the customer has already (R44).
    """
    if record.mode is Mode.OVERWRITE or sent.category in DEVICES or sent.key in profile.holdings:
        return True
    return not any(h.kind == sent.kind and not h.is_former for h in profile.holdings.values())


def heeded(record: Record, profile: Profile) -> Record:
    """The record with what counts of it, as it is about this customer (R44)."""
    if record.mode is Mode.OVERWRITE:
        return record
    return replace(record, identifiers=tuple(s for s in record.identifiers if is_heeded(s, record, profile)))


def edited_fields(current: Mapping[str, Any], sent: Mapping[str, Any], mode: Mode) -> Mapping[str, Any]:
    """Custom fields as sent; None clears, `fill` sets only what is empty (R44)."""
    if not sent:
        return current
    if mode is Mode.FILL:
        return {**{k: v for k, v in sent.items() if v is not None}, **current}
    merged = {**current, **sent}
    return {name: value for name, value in merged.items() if value is not None}


def edited_time_zone(current: str | None, record: Record, mode: Mode) -> str | None:
    if mode is Mode.FILL:
        return current or record.time_zone
    return None if "time_zone" in record.clears else record.time_zone or current


def subscription_of(sent: SentSubscription, record: Record) -> Subscription:
    """The status as sent, from the moment that goes with it (R56)."""
    return Subscription(sent.status, sent.since or record.occurred_at)


def membership_of(sent: SentMembership, record: Record) -> Membership | None:
    """The membership as sent, from the moment that goes with it; None to leave the segmentation (R38)."""
    return None if sent.segment is None else Membership(sent.segment, sent.since or record.occurred_at)


def holding_of(sent: Sent, record: Record, origin: int, *, is_primary: bool = False) -> Holding:
    """The identifier as its sender would hold it, with the flags its integration point gives it (R13)."""
    return Holding(  # in the order of its fields, which is the fastest way to make one
        sent.kind,
        sent.value,
        sent.category,
        sent.raw,
        origin,
        record.occurred_at,
        False,
        None,
        is_primary,
        None,
        sent.must_be_confirmed,
        record.occurred_at if sent.is_confirmed else None,
        sent.gives_access,
        record.point,
    )


def claim_of(sent: Sent, record: Record, origin: int) -> Claim:
    """The contact as a claim, with the flags its record gave it (R45)."""
    return Claim(
        sent.kind,
        sent.value,
        sent.category,
        sent.raw,
        origin,
        record.occurred_at,
        sent.gives_access,
        record.point,
    )


def claim_left(holding: Holding, at: datetime) -> Claim:
    """What a customer keeps of a contact that went to somebody else (R30)."""
    h = holding
    return Claim(h.kind, h.value, h.category, h.raw, h.origin, at, h.gives_access, h.point)


def reflagged(holding: Holding, sent: Sent, at: datetime) -> Holding:
    """A held contact sent again gets the flags of the point it came through; it loses none (R14)."""
    gives_access = holding.gives_access or sent.gives_access
    must_be_confirmed = holding.must_be_confirmed or sent.must_be_confirmed
    confirmed_at = holding.confirmed_at or (at if sent.is_confirmed else None)
    flags = (gives_access, must_be_confirmed, confirmed_at)
    if flags == (holding.gives_access, holding.must_be_confirmed, holding.confirmed_at):
        return holding
    return replace(
        holding, gives_access=gives_access, must_be_confirmed=must_be_confirmed, confirmed_at=confirmed_at
    )


def waits_for_confirmation(profile: Profile, sent: Sent) -> bool:
    """A new contact that must be confirmed waits as a claim while the current primary is a confirmed one
    (R43).
    """
    if sent.is_confirmed or not sent.must_be_confirmed or sent.key in profile.holdings:
        return False
    primary = profile.primary(sent.kind)
    return primary is not None and primary.confirmed_at is not None


def requested_primary(profile: Profile, record: Record, kind: str) -> Key | None:
    """Which contact of a kind the record makes primary: the one it asks for, the first of a list, or the one
    new value (R14, R43). `fill` replaces no primary (R44).
    """
    if not may_replace_primary(profile, record, kind):
        return None
    sent = [s for s in record.identifiers if s.kind == kind]
    asked = next((s.key for s in sent if s.is_primary), None)
    if asked or not sent:
        return asked
    first = sent[0].key
    return first if len(sent) > 1 or first not in profile.holdings else None


def may_replace_primary(profile: Profile, record: Record, kind: str) -> bool:
    return record.mode is Mode.OVERWRITE or profile.primary(kind) is None


def sent_personal(sent: Mapping[str, Any]) -> Personal:
    """The personal data a new record brings."""
    return Personal(**sent) if sent else NOBODY
