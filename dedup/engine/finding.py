"""Whom a record is about: the look-up of each operation, before anything is matched (section 3 of the rules).

Refusals come in the order not found, ambiguous, technical ID, already registered.
"""

from __future__ import annotations

from dataclasses import dataclass

from customers.profile import DEVICES, MAESTRA_ID, PAYMENT_CARD, Category, Key, Profile
from dedup.engine.editing import heeded
from dedup.engine.outcome import RefusalCode, Refused
from dedup.engine.record import Operation, Record, Sent
from dedup.engine.unit_of_work import UnitOfWork

BY_LOOKUP = frozenset(
    {Operation.EDIT, Operation.AUTHORIZE, Operation.CONFIRM, Operation.POINTS, Operation.PROMO_CODE}
)


@dataclass(frozen=True, slots=True)
class Subject:
    """The customer a record is about. What the record writes is recorded under `origin_id`, one of the
    customer's MaestraIDs (R46).
    """

    primary_id: int
    origin_id: int


def find_subject(work: UnitOfWork, record: Record) -> Subject | None:
    """The stored customer the record is about, or None where it is a new one."""
    if record.lookup is None and is_devices_only(record):
        return _by_device(work, record)
    if record.operation in BY_LOOKUP:
        subject = _by_lookup(work, record)
    elif record.operation is Operation.REGISTER:
        subject = None
    else:
        subject = _by_identifiers(work, record)
    if subject is None:
        _refuse_known_unique_ids(work, record)
    else:
        _refuse_ids_of_others(work, record, subject)
        _refuse_registered(work, heeded(record, work.profiles[subject.primary_id]), subject)
    return subject


def is_devices_only(record: Record) -> bool:
    """Whether the record names nothing but devices: it is then about whoever uses the device, or about an
    anonymous customer (R21).
    """
    named = record.identifiers and not record.cards and record.maestra_id is None
    return bool(named) and all(s.category in DEVICES for s in record.identifiers)


def _by_device(work: UnitOfWork, record: Record) -> Subject | None:
    """The customer of the first device that has one, shared or not (R21, R26)."""
    for sent in sorted(record.identifiers, key=lambda s: s.category is Category.MOBILE_DEVICE):
        if profile := work.current_holder(sent.key):
            return Subject(profile.maestra_id, profile.holdings[sent.key].origin)
    return None


def _by_lookup(work: UnitOfWork, record: Record) -> Subject:
    """The customer named by exactly one identifier (R18, R58)."""
    assert record.lookup is not None
    return _subject_of(_customer_with(work, record, record.lookup), record, record.lookup)


def _by_identifiers(work: UnitOfWork, record: Record) -> Subject | None:
    """By all the record's IDs, if it has any; else by the weaker kinds in the order of `lookup_by`, of which
    the first that finds somebody decides (R17).
    """
    ids = _ids(record)
    if ids:
        return _by_ids(work, record, ids)
    for kind in record.lookup_by:
        for sent in (s for s in record.identifiers if s.kind == kind and kind != PAYMENT_CARD):
            if profile := work.find(sent.key, record.access_kinds):
                return _subject_of(profile, record, sent.key)
    return None


def _ids(record: Record) -> list[Key]:
    """The record's MaestraID, and its unique IDs of the kinds that `lookup_by` names."""
    named = [Key(MAESTRA_ID, str(record.maestra_id))] if record.maestra_id is not None else []
    unique = [
        s.key for s in record.identifiers if s.category is Category.UNIQUE and s.kind in record.lookup_by
    ]
    return named + unique


def _by_ids(work: UnitOfWork, record: Record, ids: list[Key]) -> Subject | None:
    if record.maestra_id is not None:
        _customer_with(work, record, ids[0])
    owners = {owner.maestra_id: key for key in reversed(ids) if (owner := work.owner(key))}
    if len(owners) > 1:
        raise Refused(RefusalCode.AMBIGUOUS_CUSTOMER, maestra_ids=sorted(owners), keys=ids)
    for primary_id, key in owners.items():
        return _subject_of(work.profiles[primary_id], record, key)
    return None


def _customer_with(work: UnitOfWork, record: Record, key: Key) -> Profile:
    profile = work.find(key, record.access_kinds)
    if profile is None:
        raise Refused(RefusalCode.CUSTOMER_NOT_FOUND, key=key)
    return profile


def _subject_of(profile: Profile, record: Record, key: Key) -> Subject:
    if record.maestra_id is not None:
        return Subject(profile.maestra_id, record.maestra_id)
    origin_id = int(key.value) if key.kind == MAESTRA_ID else profile.holdings[key].origin
    return Subject(profile.maestra_id, origin_id)


def _refuse_known_unique_ids(work: UnitOfWork, record: Record) -> None:
    """A unique ID cannot be registered twice, not even a former one (R2, R16)."""
    taken = [s for s in record.identifiers if s.category is Category.UNIQUE and work.owner(s.key)]
    if taken:
        owners = sorted({owner.maestra_id for s in taken if (owner := work.owner(s.key))})
        raise Refused(RefusalCode.TECHNICAL_ID_NOT_UNIQUE, maestra_ids=owners, keys=[s.key for s in taken])


def _refuse_ids_of_others(work: UnitOfWork, record: Record, subject: Subject) -> None:
    """An ID of the record may not belong to another customer than the one found (R17)."""
    keys = [s.key for s in record.identifiers if s.category is Category.UNIQUE]
    if record.maestra_id is not None:
        keys.append(Key(MAESTRA_ID, str(record.maestra_id)))
        if work.primary_id(record.maestra_id) is None:
            raise Refused(RefusalCode.CUSTOMER_NOT_FOUND, key=keys[-1])
    others = [key for key in keys if (owner := work.owner(key)) and owner.maestra_id != subject.primary_id]
    if others:
        primary_ids = {owner.maestra_id for key in others if (owner := work.owner(key))}
        raise Refused(
            RefusalCode.AMBIGUOUS_CUSTOMER,
            maestra_ids=sorted({*primary_ids, subject.primary_id}),
            keys=others,
        )


def _refuse_registered(work: UnitOfWork, record: Record, subject: Subject) -> None:
    """Refuses a record of a customer that was found, if it would give account access to a contact with which
    somebody else signs in (R16). A record that found nobody is refused only after matching, which may yet
    join it to that customer.
    """
    if record.operation is not Operation.CONFIRM and (taken := signing_in_elsewhere(work, record, subject)):
        raise already_registered(work, taken)


def signing_in_elsewhere(work: UnitOfWork, record: Record, subject: Subject | None) -> list[Sent]:
    """The contacts that the record would give account access, and that another customer signs in with."""
    return [s for s in record.identifiers if s.gives_access and _signs_in_elsewhere(work, s, subject)]


def _signs_in_elsewhere(work: UnitOfWork, sent: Sent, subject: Subject | None) -> bool:
    """Whether somebody else than the subject holds the contact as account access."""
    holder = work.current_holder(sent.key)
    if holder is None or (subject and holder.maestra_id == subject.primary_id):
        return False
    return holder.holdings[sent.key].gives_access


def already_registered(work: UnitOfWork, taken: list[Sent]) -> Refused:
    holders = sorted({holder.maestra_id for s in taken if (holder := work.current_holder(s.key))})
    return Refused(RefusalCode.ALREADY_REGISTERED, maestra_ids=holders, keys=[s.key for s in taken])
