"""What a record says of the customer besides identifiers: the person, consent, segments, when and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from customers import normalise
from customers.models import Channels
from customers.normalise import CustomType
from customers.profile import MAESTRA_ID, Channel, SubscriptionStatus
from dedup.engine.record import Mode, SentMembership, SentSubscription
from dedup.parsing.draft import (
    LIST,
    NOT_NULL,
    OBJECT,
    Draft,
    Fields,
    entries,
    objects,
    one_of,
    optional,
    shown,
)
from segments.naming import NamedSegmentation

PERSONAL: Mapping[str, Callable[[Any], Any]] = {
    "last_name": normalise.name,
    "first_name": normalise.name,
    "middle_name": normalise.name,
    "birth_date": normalise.birth_date,
    "gender": normalise.gender,
}
GENDER_NOT_KNOWN = "unknown"


def read_personal(draft: Draft, path: str, _name: str, value: Any) -> None:
    draft.read(path, value, PERSONAL_FIELDS)


def _personal_field(draft: Draft, path: str, name: str, raw: Any) -> None:
    take_personal(draft, path, name, PERSONAL[name], raw)


def take_personal(draft: Draft, path: str, name: str, function: Callable[[Any], Any], raw: Any) -> None:
    """Null clears the field (R44); a gender that is not known says nothing, like an empty text."""
    if raw is None:
        draft.personal[name] = None
        return
    value = draft.take(path, function, raw)
    if value is not None and value != GENDER_NOT_KNOWN:
        draft.personal[name] = value


def read_time_zone(draft: Draft, path: str, name: str, raw: Any) -> None:
    if raw is None:
        draft.clears.add(name)
    else:
        draft.time_zone = draft.take(path, normalise.time_zone, raw)


def read_custom_fields(draft: Draft, path: str, _name: str, value: Any) -> None:
    if not isinstance(value, dict):
        draft.fault(path, NOT_NULL if value is None else OBJECT)
        return
    for name, raw in value.items():
        definition = draft.setting.config.custom_fields.get(name)
        at = f"{path}.{name}"
        if definition is None:
            draft.fault(shown(at), "There is no custom field of this name.")
        elif raw is None:
            draft.custom_fields[name] = None
        elif raw != "":
            read_custom_field(draft, at, name, definition.type, raw)


def read_custom_field(draft: Draft, path: str, name: str, custom_type: CustomType, raw: Any) -> None:
    value = draft.take(path, lambda raw: normalise.custom_value(raw, custom_type), raw)
    if value is not None:
        draft.custom_fields[name] = as_stored(value)


def as_stored(value: normalise.CustomValue) -> Any:
    """A custom field's value as the profile has it: dates as text, a list as a list."""
    match value:
        case tuple():
            return list(value)
        case date():
            return value.isoformat()
        case _:
            return value


_SUBSCRIPTION_FIELDS = frozenset({"channel", "topic", "status", "since"})
_CHANNELS = frozenset(Channels.values)
_STATUSES = frozenset(SubscriptionStatus)


def read_subscriptions(draft: Draft, path: str, _name: str, value: Any) -> None:
    for at, item in objects(draft, path, value, _SUBSCRIPTION_FIELDS):
        channel = one_of(draft, f"{at}.channel", item.get("channel"), _CHANNELS)
        status = one_of(draft, f"{at}.status", item.get("status"), _STATUSES)
        topic = optional(draft, f"{at}.topic", normalise.name, item.get("topic")) or ""
        since = _since(draft, at, item)
        if channel and status:
            sent = SentSubscription(Channel(channel, topic), SubscriptionStatus(status), since)
            _put_once(draft, at, draft.subscriptions, sent.channel, sent)


_SEGMENT_FIELDS = frozenset({"segmentation", "segment", "since"})


def read_segments(draft: Draft, path: str, _name: str, value: Any) -> None:
    for at, item in objects(draft, path, value, _SEGMENT_FIELDS):
        segmentation = _segmentation(draft, f"{at}.segmentation", item.get("segmentation"))
        since = _since(draft, at, item)
        if segmentation is None:
            continue
        segment, is_known = _segment(draft, f"{at}.segment", segmentation, item.get("segment", ""))
        if is_known:
            sent = SentMembership(segmentation.id, segment, since)
            _put_once(draft, at, draft.memberships, segmentation.id, sent)


def _segmentation(draft: Draft, path: str, name: Any) -> NamedSegmentation | None:
    found = draft.setting.segmentations.get(name) if isinstance(name, str) else None
    if found is None:
        draft.fault(path, "There is no segmentation of this name.")
    elif not found.is_static:
        draft.fault(path, "Its segments are calculated: nobody is put in or out by hand.")
        return None
    return found


def _segment(draft: Draft, path: str, segmentation: NamedSegmentation, name: Any) -> tuple[int | None, bool]:
    """The segment's ID, None to take the customer out of the segmentation, and whether it is known (R51)."""
    if name is None:
        return None, True
    found = segmentation.segments.get(name) if isinstance(name, str) else None
    if found is None:
        draft.fault(path, "The segmentation has no segment of this name.")
    return found, found is not None


def _put_once(draft: Draft, path: str, into: dict[Any, Any], key: Any, sent: Any) -> None:
    if into.setdefault(key, sent) != sent:
        draft.fault(path, "The same is said differently further up. Say it once.")


def _since(draft: Draft, path: str, item: Mapping[str, Any]) -> datetime | None:
    raw = item.get("since")
    return None if raw is None or raw == "" else draft.moment(f"{path}.since", raw)


def read_occurred_at(draft: Draft, path: str, _name: str, raw: Any) -> None:
    if raw is not None:
        draft.occurred_at = draft.moment(path, raw)


def read_lookup_by(draft: Draft, path: str, _name: str, value: Any) -> None:
    """Any kinds but the payment card hash (R13)."""
    if not isinstance(value, list):
        draft.fault(path, LIST)
        return
    kinds = {MAESTRA_ID, *draft.setting.config.kinds}
    named = []
    for at, name in entries(draft, path, value):
        if isinstance(name, str) and name in kinds:
            named.append(name)
        else:
            draft.fault(at, "There is no identifier kind of this name to look customers up by.")
    draft.lookup_by = tuple(dict.fromkeys(named))


def read_mode(draft: Draft, path: str, _name: str, raw: Any) -> None:
    if mode := one_of(draft, path, raw, frozenset(Mode)):
        draft.mode = Mode(mode)


PERSONAL_FIELDS: Fields = dict.fromkeys(PERSONAL, _personal_field)
