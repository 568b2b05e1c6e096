"""Integration points and their keys: through which door data enters, and what that door says of it (R13).

A key is shown once, when it is made; stored is its SHA-256 digest, which is enough because a key has 256
random bits. Every process remembers the keys it has met until the set-up changes (see
`customers.setup.project_config`), and with it points and keys.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from customers.errors import invalid
from customers.models import ApiKey, IntegrationPoint, Scopes
from customers.setup.project_config import project_config_version
from customers.setup.remembered import Remembered
from customers.storage.sql import fetch_row

KEY_MARK = "ssk"
PREFIX_LENGTH = 8
MARK_USE_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Point:
    """An integration point as its records find it (R13).

    `must_be_confirmed` and `gives_access` are the contact kinds that are flagged. `lookup_by` are identifier
    kinds in order; empty stands for MaestraID, unique kinds, non-unique kinds (R17). `id` is None where no
    point is behind a reading: a member of staff.
    """

    id: int | None
    system_name: str
    kind: str
    is_enabled: bool = True
    personal_actions: bool = False
    lookup_by: tuple[str, ...] = ()
    must_be_confirmed: frozenset[str] = frozenset()
    gives_access: frozenset[str] = frozenset()


STAFF = Point(id=None, system_name="admin", kind="admin")
"""What a member of staff reads through: it hides nothing and flags nothing."""


@dataclass(frozen=True, slots=True)
class Access:
    """A key that was accepted, with its point and what it may do. `setup` is the version it was found in."""

    key_id: int
    prefix: str
    scopes: frozenset[str]
    point: Point
    setup: int

    @property
    def actor(self) -> str:
        return f"key:{self.prefix}"


class NewKey(NamedTuple):
    """`text` is the only copy there will ever be."""

    text: str
    key: ApiKey


def make_key(point: IntegrationPoint, name: str, scopes: Iterable[str]) -> NewKey:
    """A new key of the point, as `ssk_<prefix>_<secret>`. Raises `validation_error` without a scope."""
    prefix = secrets.token_hex(PREFIX_LENGTH // 2)
    text = f"{KEY_MARK}_{prefix}_{secrets.token_urlsafe(32)}"
    wanted = set(scopes)
    chosen = [scope.value for scope in Scopes if scope.value in wanted]
    if not chosen:
        raise invalid(("scopes", _("A key without a scope can do nothing. Choose at least one.")))
    key = ApiKey.objects.create(point=point, name=name, prefix=prefix, digest=digest(text), scopes=chosen)
    return NewKey(text, key)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


_POINT_FIELDS = (
    "id",
    "system_name",
    "kind",
    "is_enabled",
    "personal_actions",
    "lookup_by",
    "must_be_confirmed",
    "gives_access",
)
_KEY = f"""
SELECT k.id, k.prefix, k.scopes, k.last_used_at, {", ".join(f"p.{name}" for name in _POINT_FIELDS)}
  FROM customers_apikey k JOIN customers_integrationpoint p ON p.id = k.point_id
 WHERE k.digest = %s AND k.revoked_at IS NULL AND p.is_enabled
"""


@dataclass(slots=True)
class _Met:
    """A key this process has met, and when its use was last noted."""

    access: Access
    noted_at: datetime | None


_keys: Remembered[dict[str, _Met]] = Remembered()
"""The keys met, by digest."""


def access_of(text: str, now: datetime) -> Access | None:
    """Whom a key belongs to; None for a wrong or revoked key and for a disabled point. For a key that was met
    before, one read of one row.
    """
    met = _met(digest(text), project_config_version())
    if met is None:
        return None
    if met.noted_at is None or now - met.noted_at > MARK_USE_EVERY:
        _mark_used(met.access.key_id)
        met.noted_at = now
    return met.access


def _met(key: str, version: int) -> _Met | None:
    keys: dict[str, _Met] = _keys.of(version, dict)
    if key not in keys and (found := _found(key, version)):
        keys[key] = found
    return keys.get(key)


def _found(key: str, version: int) -> _Met | None:
    row = fetch_row(_KEY, [key])
    if row is None:
        return None
    key_id, prefix, scopes, last_used_at, *point = row
    return _Met(Access(key_id, prefix, frozenset(scopes), _point(point), version), last_used_at)


def _mark_used(key_id: int) -> None:
    """Once a minute at most, also where many requests arrive at once."""
    stale = Q(last_used_at=None) | Q(last_used_at__lt=Now() - MARK_USE_EVERY)
    ApiKey.objects.filter(stale, id=key_id).update(last_used_at=Now())


def point_of(row: IntegrationPoint) -> Point:
    """The point as its records find it."""
    return _point([getattr(row, name) for name in _POINT_FIELDS])


def _point(row: Sequence[Any]) -> Point:
    point_id, system_name, kind, is_enabled, personal_actions, lookup_by, confirmed, access = row
    return Point(
        id=point_id,
        system_name=system_name,
        kind=kind,
        is_enabled=is_enabled,
        personal_actions=personal_actions,
        lookup_by=tuple(lookup_by),
        must_be_confirmed=frozenset(confirmed),
        gives_access=frozenset(access),
    )
