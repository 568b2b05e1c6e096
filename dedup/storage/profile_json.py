"""Profiles as JSON, for the merge journal: what undo needs, to the last digit (R46).

Exact: `from_json(to_json(profile)) == profile`, dates, moments, decimals and tuples of custom fields
included.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

from customers.profile import (
    Category,
    Channel,
    Claim,
    Holding,
    Member,
    Membership,
    Note,
    Personal,
    Profile,
    Subscription,
    SubscriptionStatus,
)

T = TypeVar("T")
Json = dict[str, Any]

MARK = "$"
"""Begins the one key of an object that stands for a value JSON does not have."""


def to_json(profile: Profile) -> Json:
    """The image of a profile. Values of a mapping bear their key themselves, or stand beside it."""
    return {
        **_fields(profile),
        "members": [_fields(m) for m in profile.members],
        "personal": _fields(profile.personal),
        "custom_fields": {name: _plain(value) for name, value in profile.custom_fields.items()},
        "holdings": [_fields(h) for h in profile.holdings.values()],
        "claims": [_fields(c) for c in profile.claims.values()],
        "cards": dict(profile.cards),
        "subscriptions": [{"key": list(key), **_fields(s)} for key, s in profile.subscriptions.items()],
        "memberships": [{"key": key, **_fields(m)} for key, m in profile.memberships.items()],
        "notes": [_fields(n) for n in profile.notes],
    }


def from_json(image: Mapping[str, Any]) -> Profile:
    """The profile of an image."""
    holdings = [_made(Holding, h, category=Category(h["category"])) for h in image["holdings"]]
    claims = [_made(Claim, c, category=Category(c["category"])) for c in image["claims"]]
    return Profile(
        maestra_id=image["maestra_id"],
        members=tuple(_made(Member, m) for m in image["members"]),
        personal=_made(Personal, image["personal"]),
        time_zone=image["time_zone"],
        custom_fields={name: _rich(value) for name, value in image["custom_fields"].items()},
        holdings={h.key: h for h in holdings},
        claims={c.key: c for c in claims},
        cards=dict(image["cards"]),
        subscriptions={Channel(*s["key"]): _subscription(s) for s in image["subscriptions"]},
        memberships={m["key"]: _made(Membership, m) for m in image["memberships"]},
        opted_out_at=_rich(image["opted_out_at"]),
        notes=tuple(_made(Note, n) for n in image["notes"]),
        is_new=image["is_new"],
    )


def _subscription(image: Json) -> Subscription:
    return _made(Subscription, image, status=SubscriptionStatus(image["status"]))


_WHOLE = frozenset({"members", "personal", "custom_fields", "holdings", "claims", "cards", "subscriptions"})
_APART = _WHOLE | {"memberships", "notes"}


def _fields(value: Any) -> Json:
    """The plain fields of a dataclass."""
    return {f.name: _plain(getattr(value, f.name)) for f in _given(type(value)) if f.name not in _APART}  # type: ignore[arg-type]


def _made(of: type[T], image: Mapping[str, Any], **given: Any) -> T:
    names = [f.name for f in _given(of) if f.name not in given]  # type: ignore[arg-type]
    return of(**{name: _rich(image[name]) for name in names}, **given)


@cache
def _given(of: type) -> tuple[Field[Any], ...]:
    """The fields a value is made of; the others follow from them."""
    return tuple(f for f in fields(of) if f.init)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    kind = _KINDS.get(type(value))
    return {f"{MARK}{kind}": _PLAIN[kind](value)} if kind else value


def _rich(value: Any) -> Any:
    if isinstance(value, list):
        return [_rich(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    ((mark, content),) = value.items()
    return _RICH[mark.removeprefix(MARK)](content)


_KINDS: Mapping[type, str] = {
    datetime: "moment",
    date: "date",
    Decimal: "decimal",
    tuple: "tuple",
    dict: "object",
}
_PLAIN: Mapping[str, Callable[[Any], Any]] = {
    "moment": datetime.isoformat,
    "date": date.isoformat,
    "decimal": str,
    "tuple": lambda entries: [_plain(entry) for entry in entries],
    "object": lambda entries: [[name, _plain(entry)] for name, entry in entries.items()],
}
_RICH: Mapping[str, Callable[[Any], Any]] = {
    "moment": datetime.fromisoformat,
    "date": date.fromisoformat,
    "decimal": Decimal,
    "tuple": lambda entries: tuple(_rich(entry) for entry in entries),
    "object": lambda entries: {name: _rich(entry) for name, entry in entries},
}
