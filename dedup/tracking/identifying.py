"""What a page says of its visitor (`tracker.identify`), and how far it is believed.

The site key stands in the page, so anybody can send anything with it. Therefore a page

- names contacts as plain texts and the person's data, nothing else: no flags, no segments, no
  subscriptions, no merges, and IDs only where the site says so. Nothing is confirmed by it and nothing
  gives account access, as in a subscription (R15); no message is sent because of it;
- fills what is empty and changes nothing that is there (R44);
- is believed only as far as nobody else is concerned: a contact that another customer holds is left out,
  unless the site says otherwise. Who attached a browser to a stranger's profile could add a phone of their
  own to it. To recognise a stored customer on a new browser is for a sign-in (`customers/authorize/`, with
  a secret key) or a personal link (R49).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.utils import timezone

from customers.errors import ErrorCode, SelfsameError, invalid
from customers.profile import CONTACTS, DEVICES, MAESTRA_ID, Key
from customers.setup.integration_points import CONTACT_KINDS
from dedup.engine.record import Operation, Record
from dedup.models import Site
from dedup.operations.base import Caller
from dedup.parsing import Parser
from dedup.parsing.draft import MISSING, OBJECT, UNKNOWN, below, shown
from dedup.tracking.holders import holders_of

FIELDS = frozenset({*CONTACT_KINDS, "ids", "personal", "time_zone"})


def check_record(data: Any, device: Key, parser: Parser, *, may_send_ids: bool, path: str) -> Record:
    """What a page says, as a record. Raises `validation_error` where it may not, or nobody can read it."""
    if not isinstance(data, dict):
        raise invalid((path, MISSING if data is None else OBJECT))
    faults = [(shown(below(path, name)), UNKNOWN) for name in data.keys() - FIELDS]
    named = [kind for kind in CONTACT_KINDS if data.get(kind) not in (None, "")]
    faults += [
        (below(path, kind), "A page names a contact as a text.")
        for kind in named
        if not isinstance(data[kind], str)
    ]
    ids = data.get("ids")
    if ids and not may_send_ids:
        faults.append((below(path, "ids"), "Pages of this site may not send IDs."))
    elif isinstance(ids, dict) and MAESTRA_ID in ids:
        faults.append((below(path, f"ids.{MAESTRA_ID}"), "A page may not name a MaestraID."))
    if not named and not ids:
        faults.append((path, "Name a contact, or an ID where the site's pages may."))
    if faults:
        raise invalid(*faults)
    return _parsed(data, device, parser, path)


def _parsed(data: Mapping[str, Any], device: Key, parser: Parser, path: str = "") -> Record:
    said = {name: value for name, value in data.items() if value is not None}
    return parser.record(Operation.SUBSCRIBE, {**said, device.kind: device.value, "mode": "fill"}, path)


def identifying(
    said: Iterable[tuple[int, Mapping[str, Any], Key | None]], holders: Mapping[Key, int], caller: Caller
) -> dict[int, Record | SelfsameError]:
    """The records of what pages said, by the number of their events. `holders` are the profiles of the
    devices.
    """
    config = caller.config
    parser = Parser(caller.point, config, timezone.now())
    devices = {number: device for number, _, device in said if device}
    records = {number: _read(data, device, parser) for number, data, device in said if device}
    site = Site.objects.filter(point=caller.point.id).first()
    if site and site.finds_customers:
        return records
    valid = [record for record in records.values() if isinstance(record, Record)]
    held = _primary_ids_of_contacts(valid, caller)
    return {
        number: _as_far_as_nobody_else(record, held, holders.get(devices[number]))
        for number, record in records.items()
    }


def _read(data: Mapping[str, Any], device: Key, parser: Parser) -> Record | SelfsameError:
    """The set-up may have changed since the event was taken in."""
    try:
        return replace(_parsed(data, device, parser), personal_action=True)
    except SelfsameError as error:
        return error


def _primary_ids_of_contacts(records: Sequence[Record], caller: Caller) -> dict[Key, int]:
    kinds, by_id = caller.config.kinds, caller.config.kinds_by_id
    places = {(kinds[s.kind].id, s.value) for r in records for s in r.identifiers if s.category in CONTACTS}
    return {
        Key(by_id[kind].name, value): holder.primary_id
        for (kind, value), holder in holders_of(places).items()
    }


def _as_far_as_nobody_else(
    record: Record | SelfsameError, held: Mapping[Key, int], own: int | None
) -> Record | SelfsameError:
    if isinstance(record, SelfsameError):
        return record
    left = tuple(s for s in record.identifiers if held.get(s.key, own) == own)
    if all(s.category in DEVICES for s in left):
        return SelfsameError(
            ErrorCode.PERMISSION_DENIED,
            "The page named somebody who is a customer already, which anybody could do. Let the customer "
            "sign in, or send a personal link.",
        )
    return replace(record, identifiers=left)
