"""Whom a record is about: the look-up of each operation, before anything is matched (section 3 of the rules).

Refusals come in the order not found, ambiguous, technical ID, already registered.
"""

from __future__ import annotations

from dataclasses import dataclass

from customers.profile import DEVICES, MAESTRA_ID, PAYMENT_CARD, Category, Key, Profile
from dedup.engine.draft import Draft
from dedup.engine.outcome import RefusalCode, Refused
from dedup.engine.record import Operation, Record, Sent

BY_LOOKUP = frozenset(
    {Operation.EDIT, Operation.AUTHORIZE, Operation.CONFIRM, Operation.POINTS, Operation.PROMO_CODE}
)


@dataclass(frozen=True, slots=True)
class Found:
    """The customer a record is about, and the MaestraID that what it writes bears (R46)."""

    primary_id: int
    origin_id: int


def find_subject(draft: Draft, record: Record) -> Found | None:
    """The stored customer the record is about, or None where it is a new one."""
    if record.lookup is None and is_devices_only(record):
        return _by_device(draft, record)
    if record.operation in BY_LOOKUP:
        found = _by_lookup(draft, record)
    elif record.operation is Operation.REGISTER:
        found = None
    else:
        found = _by_identifiers(draft, record)
    if found is None:
        _refuse_known_unique_ids(draft, record)
    else:
        _refuse_ids_of_others(draft, record, found)
        _refuse_registered(draft, record, found)
    return found


def is_devices_only(record: Record) -> bool:
    """Nothing but devices: whoever uses the device, or an anonymous customer (R21)."""
    named = record.identifiers and not record.cards and record.maestra_id is None
    return bool(named) and all(s.category in DEVICES for s in record.identifiers)


def _by_device(draft: Draft, record: Record) -> Found | None:
    """The customer of the first device that has one, shared or not (R21, R26)."""
    for sent in sorted(record.identifiers, key=lambda s: s.category is Category.MOBILE_DEVICE):
        if profile := draft.current_holder(sent.key):
            return Found(profile.maestra_id, profile.holdings[sent.key].origin)
    return None


def _by_lookup(draft: Draft, record: Record) -> Found:
    """The customer named by exactly one identifier (R18, R58)."""
    assert record.lookup is not None
    return _found(_sought(draft, record, record.lookup), record, record.lookup)


def _by_identifiers(draft: Draft, record: Record) -> Found | None:
    """All the record's IDs first; only without any, the weaker kinds in `lookup_by` order, the first that
    finds deciding (R17).
    """
    ids = _ids(record)
    if ids:
        return _by_ids(draft, record, ids)
    for kind in record.lookup_by:
        for sent in (s for s in record.identifiers if s.kind == kind and kind != PAYMENT_CARD):
            if profile := draft.find(sent.key, record.access_kinds):
                return _found(profile, record, sent.key)
    return None


def _ids(record: Record) -> list[Key]:
    """The record's MaestraID, always, and its unique IDs of the kinds looked up by."""
    named = [Key(MAESTRA_ID, str(record.maestra_id))] if record.maestra_id is not None else []
    unique = [
        s.key for s in record.identifiers if s.category is Category.UNIQUE and s.kind in record.lookup_by
    ]
    return named + unique


def _by_ids(draft: Draft, record: Record, ids: list[Key]) -> Found | None:
    if record.maestra_id is not None:
        _sought(draft, record, ids[0])
    owners = {owner.maestra_id: key for key in reversed(ids) if (owner := draft.owner(key))}
    if len(owners) > 1:
        raise Refused(RefusalCode.AMBIGUOUS_CUSTOMER, maestra_ids=sorted(owners), keys=ids)
    for primary_id, key in owners.items():
        return _found(draft.profiles[primary_id], record, key)
    return None


def _sought(draft: Draft, record: Record, key: Key) -> Profile:
    profile = draft.find(key, record.access_kinds)
    if profile is None:
        raise Refused(RefusalCode.CUSTOMER_NOT_FOUND, key=key)
    return profile


def _found(profile: Profile, record: Record, key: Key) -> Found:
    if record.maestra_id is not None:
        return Found(profile.maestra_id, record.maestra_id)
    origin_id = int(key.value) if key.kind == MAESTRA_ID else profile.holdings[key].origin
    return Found(profile.maestra_id, origin_id)


def _refuse_known_unique_ids(draft: Draft, record: Record) -> None:
    """A unique ID cannot be registered twice, former ones included (R2, R16)."""
    known = [s for s in record.identifiers if s.category is Category.UNIQUE and draft.owner(s.key)]
    if known:
        owners = sorted({owner.maestra_id for s in known if (owner := draft.owner(s.key))})
        raise Refused(RefusalCode.TECHNICAL_ID_NOT_UNIQUE, maestra_ids=owners, keys=[s.key for s in known])


def _refuse_ids_of_others(draft: Draft, record: Record, found: Found) -> None:
    """An ID of the record may not belong to another customer than the one found (R17)."""
    keys = [s.key for s in record.identifiers if s.category is Category.UNIQUE]
    if record.maestra_id is not None:
        keys.append(Key(MAESTRA_ID, str(record.maestra_id)))
        if draft.primary_id(record.maestra_id) is None:
            raise Refused(RefusalCode.CUSTOMER_NOT_FOUND, key=keys[-1])
    others = [key for key in keys if (owner := draft.owner(key)) and owner.maestra_id != found.primary_id]
    if others:
        primary_ids = {owner.maestra_id for key in others if (owner := draft.owner(key))}
        raise Refused(
            RefusalCode.AMBIGUOUS_CUSTOMER, maestra_ids=sorted({*primary_ids, found.primary_id}), keys=others
        )


def _refuse_registered(draft: Draft, record: Record, found: Found) -> None:
    """Another customer signs in with a contact this point would give account access: where a customer was
    found, that is final (R16). A record that found nobody is judged once it was matched.
    """
    if record.operation is not Operation.CONFIRM and (taken := signing_in_elsewhere(draft, record, found)):
        raise already_registered(draft, taken)


def signing_in_elsewhere(draft: Draft, record: Record, found: Found | None) -> list[Sent]:
    """What the record would give account access, and another customer has as such."""
    return [s for s in record.identifiers if s.gives_access and _signs_in_elsewhere(draft, s, found)]


def _signs_in_elsewhere(draft: Draft, sent: Sent, found: Found | None) -> bool:
    """Somebody else than the customer found holds the contact as account access."""
    holder = draft.current_holder(sent.key)
    if holder is None or (found and holder.maestra_id == found.primary_id):
        return False
    return holder.holdings[sent.key].gives_access


def already_registered(draft: Draft, taken: list[Sent]) -> Refused:
    holders = sorted({holder.maestra_id for s in taken if (holder := draft.current_holder(s.key))})
    return Refused(RefusalCode.ALREADY_REGISTERED, maestra_ids=holders, keys=[s.key for s in taken])
