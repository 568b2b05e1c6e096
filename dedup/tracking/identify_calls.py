"""Identify calls (`tracker.identify`): what a page says about its visitor, and how far it is believed.

The site key stands in the page, so anybody can send anything with it. Therefore a page

- names contacts as plain texts and personal data, nothing else: no flags, no segments, no subscriptions, no
  merges, and IDs only where the site allows it. It confirms nothing and gives no account access, like a
  subscription (R15); no message is sent because of it;
- fills what is empty and changes nothing that is there (R44);
- is believed only as far as it concerns nobody else: a contact that another customer holds is left out,
  unless the site allows it. Otherwise anybody could attach their browser to a stranger's profile, and then
  add a phone of their own to it. A stored customer is recognised on a new browser by a sign-in
  (`customers/authorize/`, with a secret key) or a personal link (R49).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from django.utils import timezone
from django.utils.translation import gettext as _

from customers.contact_types import CONTACT_NAMES
from customers.errors import ErrorCode, SelfsameError, invalid
from customers.profile import CONTACTS, DEVICES, MAESTRA_ID, Key
from dedup.engine.record import Operation, Record
from dedup.models import Site
from dedup.operations.base import Caller
from dedup.parsing.draft import MISSING, OBJECT, UNKNOWN, below, shown
from dedup.parsing.records import Parser
from dedup.tracking.holders import StoredValue, holders_of

FIELDS = frozenset({*CONTACT_NAMES, "ids", "personal", "time_zone"})


class IdentifyCall(NamedTuple):
    """An identify call as it waits in the inbox: the event's ID and time, what the page said, and the
    browser.
    """

    event_id: int
    at: datetime
    said: Mapping[str, Any]
    device: Key


def read_identify_record(data: Any, device: Key, parser: Parser, *, may_send_ids: bool, path: str) -> Record:
    """What a page says, as a record. Raises `validation_error` where the page may not say it, or it cannot
    be read.
    """
    if not isinstance(data, dict):
        raise invalid((path, MISSING if data is None else OBJECT))
    if faults := list(_faults(data, path, may_send_ids=may_send_ids)):
        raise invalid(*faults)
    return _parsed(data, device, parser, path)


def records_of_calls(
    calls: Sequence[IdentifyCall], profiles: Mapping[Key, int], caller: Caller
) -> dict[int, Record | SelfsameError]:
    """The records of identify calls, or why they are refused, by event ID. `profiles` are the primary
    MaestraIDs of those who hold the devices.
    """
    parser = Parser(caller.point, caller.config, timezone.now())
    records = {call.event_id: _read_again(call, parser) for call in calls}
    site = Site.objects.filter(point=caller.point.id).first()
    if site and site.finds_customers:
        return records
    holders = _holders_of_contacts([r for r in records.values() if isinstance(r, Record)], caller)
    own = {call.event_id: profiles.get(call.device) for call in calls}
    return {
        event_id: _without_contacts_of_others(record, holders, own[event_id])
        if isinstance(record, Record)
        else record
        for event_id, record in records.items()
    }


def _faults(data: Mapping[str, Any], path: str, *, may_send_ids: bool) -> Iterator[tuple[str, str]]:
    """What a page may not say, by its path."""
    for name in data.keys() - FIELDS:
        yield shown(below(path, name)), UNKNOWN
    contacts = [kind for kind in CONTACT_NAMES if data.get(kind) not in (None, "")]
    for kind in contacts:
        if not isinstance(data[kind], str):
            yield below(path, kind), _("Send the contact as a text.")
    ids = data.get("ids")
    if ids and not may_send_ids:
        yield below(path, "ids"), _("Pages of this site may not send IDs.")
    elif isinstance(ids, dict) and MAESTRA_ID in ids:
        yield below(path, f"ids.{MAESTRA_ID}"), _("A page may not send a MaestraID.")
    if not contacts and not ids:
        yield path, _("Send at least one contact, or an ID where the site allows it.")


def _parsed(data: Mapping[str, Any], device: Key, parser: Parser, path: str = "") -> Record:
    given = {name: value for name, value in data.items() if value is not None}
    return parser.record(Operation.SUBSCRIBE, {**given, device.kind: device.value, "mode": "fill"}, path)


def _read_again(call: IdentifyCall, parser: Parser) -> Record | SelfsameError:
    """It could be read when it arrived, but the project's configuration may have changed since."""
    try:
        record = _parsed(call.said, call.device, parser)
        return replace(record, occurred_at=call.at, is_dated=True, personal_action=True)
    except SelfsameError as error:
        return error


def _holders_of_contacts(records: Sequence[Record], caller: Caller) -> dict[Key, int]:
    """The profiles that hold the contacts of these records."""
    kinds, kinds_by_id = caller.config.kinds, caller.config.kinds_by_id
    contacts = {
        StoredValue(kinds[sent.kind].id, sent.value)
        for record in records
        for sent in record.identifiers
        if sent.category in CONTACTS
    }
    return {
        Key(kinds_by_id[stored.kind_id].name, stored.value): holder.primary_id
        for stored, holder in holders_of(contacts).items()
    }


def _without_contacts_of_others(
    record: Record, holders: Mapping[Key, int], own: int | None
) -> Record | SelfsameError:
    """The record with the contacts that nobody holds, or the profile `own` itself."""
    left = tuple(sent for sent in record.identifiers if holders.get(sent.key, own) == own)
    if all(sent.category in DEVICES for sent in left):
        return SelfsameError(
            ErrorCode.PERMISSION_DENIED,
            _(
                "The page named a contact of a customer who is known already, which anybody could do. Have "
                "the customer sign in, or send them a personal link."
            ),
        )
    return replace(record, identifiers=left)
