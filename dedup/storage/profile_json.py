"""Profiles as JSON, for the merge journal: what undo needs, to the last digit (R46).

Exact: `from_json(to_json(profile)) == profile`, dates, moments, decimals and tuples of custom fields
included.

Images outlive the release that wrote them. Each tells its `version`, and reading one of any earlier version
gives a profile of today: `UPGRADERS` turn it into the next version step by step, a field it does not have
takes the default of its dataclass, and a field that no dataclass has any more is passed over (an upgrader
moves what is to live on elsewhere). An image of a later version, met while an upgrade is under way, can be
shown but not undone: what this release does not know would be lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple, TypeVar

from customers.normalise import topic_compared
from customers.profile import (
    Ages,
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
Upgrader = Callable[[Json], Json]

VERSION = 3
"""Of the images this release writes. Raised with every change of the shape of a profile."""

MARK = "$"
"""Begins the one key of an object that stands for a value JSON does not have."""


def _with_topics_compared(image: Json) -> Json:
    """Topics as they are stored since they are without case (R11): of several spellings the later one stays,
    of one date the refusal.
    """
    entries: dict[tuple[str, str], Json] = {}
    for entry in sorted(image.get("subscriptions", ()), key=_since_and_refusal):
        channel, topic = entry["key"]
        key = channel, topic_compared(topic)
        entries[key] = {**entry, "key": list(key)}
    return {**image, "subscriptions": list(entries.values())}


def _since_and_refusal(entry: Json) -> tuple[Any, bool]:
    return _rich(entry["since"]), entry["status"] == SubscriptionStatus.UNSUBSCRIBED.value


UPGRADERS: Mapping[int, Upgrader] = {
    0: dict,  # images of before there were versions have the shape of version 1
    1: _with_topics_compared,
    2: dict,  # without the ages of values, and without when identifiers were last used
}
"""By version, what makes of its image one of the next version."""


def image_of(profile: Profile) -> Json:
    """What the merge journal stores: the profile with the version of its shape."""
    return {"version": VERSION, **to_json(profile)}


def is_of_later_release(image: Mapping[str, Any]) -> bool:
    """Whether the image may hold what this release does not know."""
    return _version(image) > VERSION


def to_json(profile: Profile) -> Json:
    """The profile as JSON. A mapping becomes a list: its values know their key, or have it beside them."""
    return {
        **fields_json(profile),
        **{name: part.write(getattr(profile, name)) for name, part in _PARTS.items()},
    }


def from_json(image: Mapping[str, Any]) -> Profile:
    """The profile of an image of any version."""
    image = upgraded(image)
    parts = {name: part.read(image[name]) for name, part in _PARTS.items() if name in image}
    return from_fields(Profile, image, **parts)


def upgraded(
    image: Mapping[str, Any], upgraders: Mapping[int, Upgrader] = UPGRADERS, version: int = VERSION
) -> Json:
    """The image in the shape of a later version."""
    result = dict(image)
    for earlier in range(_version(image), version):
        result = upgraders[earlier](result)
    return result


def _version(image: Mapping[str, Any]) -> int:
    version: int = image.get("version", 0)
    return version


def fields_json(value: Any) -> Json:
    """The plain fields of a dataclass."""
    own = _given(type(value))  # type: ignore[arg-type] # mypy takes no class for hashable
    return {f.name: _plain(getattr(value, f.name)) for f in own if f.name not in _PARTS}


def from_fields(of: type[T], image: Mapping[str, Any], **given: Any) -> T:
    """A dataclass of its plain fields. Fields that are missing take their defaults."""
    own = [f.name for f in _given(of) if f.name not in given]  # type: ignore[arg-type]
    return of(**{name: _rich(image[name]) for name in own if name in image}, **given)


@cache
def _given(of: Any) -> tuple[Field[Any], ...]:
    """The fields a value is made of; the others follow from them."""
    return tuple(f for f in fields(of) if f.init)


class _Part(NamedTuple):
    """How a field of the profile that consists of several values becomes JSON, and comes back."""

    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


def _listed(of: type[Any]) -> _Part:
    return _Part(
        lambda entries: [fields_json(entry) for entry in entries],
        lambda entries: tuple(from_fields(of, entry) for entry in entries),
    )


def _identifiers(of: type[Any]) -> _Part:
    """Identifiers know their key."""

    def read(entries: Any) -> Any:
        made = (from_fields(of, entry, category=Category(entry["category"])) for entry in entries)
        return {identifier.key: identifier for identifier in made}

    return _Part(lambda entries: [fields_json(entry) for entry in entries.values()], read)


def _with_keys(write_key: Callable[[Any], Any], read_entry: Callable[[Json], tuple[Any, Any]]) -> _Part:
    """Values that do not know their key stand beside it."""
    return _Part(
        lambda entries: [{"key": write_key(key), **fields_json(entry)} for key, entry in entries.items()],
        lambda entries: dict(map(read_entry, entries)),
    )


def _subscription(entry: Json) -> tuple[Channel, Subscription]:
    status = SubscriptionStatus(entry["status"])
    return Channel(*entry["key"]), from_fields(Subscription, entry, status=status)


def _membership(entry: Json) -> tuple[int, Membership]:
    return entry["key"], from_fields(Membership, entry)


_PARTS: Mapping[str, _Part] = {
    "members": _listed(Member),
    "personal": _Part(fields_json, lambda entry: from_fields(Personal, entry)),
    "custom_fields": _Part(
        lambda values: {name: _plain(value) for name, value in values.items()},
        lambda values: {name: _rich(value) for name, value in values.items()},
    ),
    "holdings": _identifiers(Holding),
    "claims": _identifiers(Claim),
    "cards": _Part(dict, dict),
    "subscriptions": _with_keys(list, _subscription),
    "memberships": _with_keys(int, _membership),
    "notes": _listed(Note),
    "ages": _Part(
        lambda ages: {f.name: _plain(getattr(ages, f.name)) for f in fields(ages)},
        lambda entry: Ages(**{name: _rich(value) for name, value in entry.items()}),
    ),
}


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
