"""Identifiers of a record: IDs, contacts with their flags, devices, cards; and of a look-up (R2–R15)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from customers import normalise
from customers.profile import MAESTRA_ID, WITH_PRIMARY, Category, Key, Kind
from customers.storage.loading import HIGHEST_MAESTRA_ID
from dedup.engine.record import Operation
from dedup.parsing.draft import (
    BLOCKED,
    MISSING,
    NOT_NULL,
    OBJECT,
    Draft,
    below,
    entries,
    is_empty,
    known,
    shown,
)


def read_ids(draft: Draft, path: str, _name: str, value: Any) -> None:
    if not isinstance(value, dict):
        draft.fault(path, NOT_NULL if value is None else OBJECT)
        return
    for name, raw in value.items():
        if raw == "":
            continue
        at = f"{path}.{name}"
        if name == MAESTRA_ID:
            _own_maestra_id(draft, at, raw)
        elif kind := _project_kind(draft, name):
            read_id(draft, at, kind, raw)
        else:
            draft.fault(shown(at), "There is no identifier kind of this name.")


def _project_kind(draft: Draft, name: str) -> Kind | None:
    kind = draft.setting.config.kinds.get(name)
    return kind if kind and kind.category in (Category.UNIQUE, Category.IDENTIFIER) else None


def _own_maestra_id(draft: Draft, path: str, raw: Any) -> None:
    if draft.operation is Operation.REGISTER:
        draft.fault(path, "Registering makes a new customer. To change a stored one, use upsert or edit.")
    else:
        draft.maestra_id = maestra_id(draft, path, raw)


def maestra_id(draft: Draft, path: str, raw: Any) -> int | None:
    number = int(raw) if isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) < 20 else raw
    if type(number) is int and 0 < number <= HIGHEST_MAESTRA_ID:
        return number
    draft.fault(path, "A MaestraID is a whole number from 1 on.")
    return None


def read_id(draft: Draft, path: str, kind: Kind, raw: Any) -> None:
    """A unique ID is one value, others may be several (R2, R4)."""
    if raw is None:
        draft.clears.add(kind.name)
    elif isinstance(raw, list) and kind.category is Category.UNIQUE:
        draft.fault(
            path, "A customer has one current value of this kind. Send a text or a whole number, not a list."
        )
    else:
        _plain_values(draft, path, kind, raw)


def _plain_values(draft: Draft, path: str, kind: Kind, raw: Any) -> None:
    """Values without flags."""
    for at, item in entries(draft, path, raw):
        if item != "":
            read_value(draft, at, kind, item)


def read_value(draft: Draft, path: str, kind: Kind, raw: Any) -> None:
    """One value of any kind, without flags."""
    if value := draft.value(path, kind, raw):
        draft.identifiers.setdefault(Key(kind.name, value), str(raw))


def read_device(draft: Draft, path: str, name: str, raw: Any) -> None:
    if raw is None:
        draft.clears.add(name)
    else:
        _plain_values(draft, path, draft.setting.config.kinds[name], raw)


def read_cards(draft: Draft, path: str, name: str, raw: Any) -> None:
    """Payment card hashes, keyed before anything else sees them (R10)."""
    if raw is None:
        draft.clears.add(name)
        return
    for at, item in entries(draft, path, raw):
        value = draft.take(at, normalise.identifier, item)
        if draft.setting.config.block_list.blocks(name, item, value):
            draft.warnings.append(f"{at} {BLOCKED}")
        elif value:
            draft.cards[normalise.payment_card_hash(value, settings.HASH_KEY)] = None


_CONTACT_FIELDS = frozenset({"value", "is_confirmed", "is_primary"})


def read_contact(draft: Draft, path: str, name: str, raw: Any) -> None:
    """A text, an object, or a list of them, the first one primary; null clears the type (R44)."""
    if raw is None or (isinstance(raw, dict) and raw.get("value", "") is None):
        draft.clears.add(name)
        return
    kind = draft.setting.config.kinds[name]
    if isinstance(raw, str):
        read_value(draft, path, kind, raw)
        return
    primary = {at: key for at, item in entries(draft, path, raw) if (key := _contact(draft, at, kind, item))}
    if len(set(primary.values())) > 1:
        draft.fault(f"{list(primary)[1]}.is_primary", "Only one value can be the primary one.")


def _contact(draft: Draft, path: str, kind: Kind, item: Any) -> Key | None:
    """Takes one contact; its key where it is sent as the primary one. A value sent twice counts once, with
    the flags of both.
    """
    at, raw, is_primary, is_confirmed = path, item, False, False
    if isinstance(item, dict):
        if not known(draft, path, item, _CONTACT_FIELDS):
            return None
        is_primary = _flag(draft, path, "is_primary", item) and kind.category in WITH_PRIMARY
        is_confirmed = _flag(draft, path, "is_confirmed", item) and _may_confirm(draft, path, kind)
        at, raw = f"{path}.value", item.get("value", "")
    value = draft.value(at, kind, raw)
    if not value:
        return None
    key = Key(kind.name, value)
    draft.identifiers[key] = str(raw)
    if is_confirmed:
        draft.confirmed.add(key)
    if is_primary:
        draft.primary.add(key)
    return key if is_primary else None


def _flag(draft: Draft, path: str, name: str, item: Mapping[str, Any]) -> bool:
    value = item.get(name, False)
    if not isinstance(value, bool):
        draft.fault(f"{path}.{name}", "Write true or false.")
    return value is True


def _may_confirm(draft: Draft, path: str, kind: Kind) -> bool:
    """Only a point that asks for confirmation may bring one; subscribe leaves it out (R13, R15)."""
    at = f"{path}.is_confirmed"
    if kind.name not in draft.setting.point.must_be_confirmed:
        draft.fault(at, "Contacts of this type are not confirmed at this integration point. Leave it out.")
    elif kind.name not in draft.confirming:
        draft.warnings.append(f"{at} was left out: contacts that subscribe brings are not confirmed.")
    return kind.name in draft.confirming


def read_lookup(draft: Draft, path: str, _name: str, value: Any) -> None:
    draft.lookup = lookup_key(draft, path, value)


def lookup_key(draft: Draft, path: str, value: Any) -> Key | None:
    """Exactly one `{kind: value}`; None where it is faulty, or blocked and so finds nobody (R12, R18)."""
    if not isinstance(value, dict) or len(value) != 1:
        draft.fault(path, 'Name exactly one identifier, as in {"email": "ann@example.com"}.')
        return None
    [(name, raw)] = value.items()
    at = below(path, name)
    if name == MAESTRA_ID:
        number = maestra_id(draft, at, raw)
        return Key(MAESTRA_ID, str(number)) if number else None
    kind = draft.setting.config.kinds.get(name)
    if kind is None:
        draft.fault(shown(at), "There is no identifier kind of this name.")
        return None
    return _lookup_value(draft, at, kind, raw)


def _lookup_value(draft: Draft, path: str, kind: Kind, raw: Any) -> Key | None:
    if raw is None or is_empty(raw):
        draft.fault(path, MISSING)
        return None
    noted = len(draft.errors)
    value = draft.value(path, kind, raw)
    if value is None and len(draft.errors) == noted:
        draft.nobody = Key(kind.name, "")
    return Key(kind.name, value) if value else None
