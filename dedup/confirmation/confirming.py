"""Confirming a contact: by the link of an e-mail, by the code of a text message, or as reported by an
integrator (R45).

The customer, and whoever holds the contact, are locked first and the link or code after them, in the order in
which an erasure locks them.
"""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from customers.errors import ErrorCode, SelfsameError
from customers.profile import MAESTRA_ID, Key, Profile
from customers.setup.integration_points import STAFF
from customers.storage.loading import profile_of
from customers.storage.transactions import in_transaction
from dedup.confirmation.sending import (
    count_wrong_try,
    is_code_of,
    is_spent,
    key_of,
    link_of,
    locked,
    mark_used,
    sent_code,
)
from dedup.engine.record import Operation, Record, Sent
from dedup.operations.base import Caller, Result
from dedup.operations.lookups import lookup
from dedup.operations.records import submit_one
from dedup.storage.loading import hold, wanted_keys

THE_CUSTOMER = Caller(actor="customer", point=STAFF)
"""Whoever opens a link needs no key: its token is the proof."""


def confirm_by_token(token: str) -> Result:
    """The link in an e-mail was opened. Raises `code_invalid`, `code_expired`."""
    return in_transaction(lambda: _confirm_by_token(token))


def _confirm_by_token(token: str) -> Result:
    asked = link_of(token)
    if asked is None:
        raise code_invalid()
    hold(wanted_keys([Key(MAESTRA_ID, str(asked.maestra_id)), key_of(asked.identifier)]), THE_CUSTOMER.config)
    now, row = timezone.now(), locked(asked)
    if row is None:
        raise code_invalid()
    if is_spent(row, now):
        raise code_expired()
    profile = profile_of(row.maestra_id)
    if profile is None:
        raise code_invalid()
    result = _confirm(THE_CUSTOMER, profile, key_of(row.identifier), now)
    mark_used(row, now)
    return result


def confirm_by_code(caller: Caller, customer: Key, contact: Key, code: str) -> Result:
    """The customer typed in the code of a text message. A wrong code counts as a try, although the request is
    refused: the count is stored before the refusal is raised.

    Raises `customer_not_found`, `code_invalid`, `code_expired`.
    """
    result = in_transaction(lambda: _confirm_by_code(caller, customer, contact, code))
    if result is None:
        raise code_invalid()
    return result


def _confirm_by_code(caller: Caller, customer: Key, contact: Key, code: str) -> Result | None:
    hold(wanted_keys([customer, contact]), caller.config)
    profile, now = lookup(caller, customer).profile, timezone.now()
    row = sent_code(profile, contact)
    if row is None:
        raise code_invalid()
    if is_spent(row, now):
        raise code_expired()
    if not is_code_of(row, code):
        count_wrong_try(row)
        return None
    result = _confirm(caller, profile, contact, now)
    mark_used(row, now)
    return result


def report_confirmation(caller: Caller, customer: Key, contact: Key, confirmed_at: datetime) -> Result:
    """The integrator has confirmed the contact themselves. A time in the future counts as now.

    Raises `customer_not_found`, `code_invalid` where the customer neither holds nor claims the contact.
    """
    return in_transaction(lambda: _report_confirmation(caller, customer, contact, confirmed_at))


def _report_confirmation(caller: Caller, customer: Key, contact: Key, confirmed_at: datetime) -> Result:
    hold(wanted_keys([customer, contact]), caller.config)
    profile, at = lookup(caller, customer).profile, min(confirmed_at, timezone.now())
    named = profile.claims.get(contact) or profile.holdings.get(contact)
    if named and contact.kind in caller.point.gives_access and not named.gives_access:
        raise code_invalid()  # hidden at this point, it is none of the customer's (R20)
    return _confirm(caller, profile, contact, at, is_dated=True)


def _confirm(
    caller: Caller, profile: Profile, contact: Key, at: datetime, *, is_dated: bool = False
) -> Result:
    """Submit a record that brings the contact confirmed, with the flags that the contact came with, so that a
    claim can win it (R30).
    """
    named = profile.claims.get(contact) or profile.holdings.get(contact)
    if named is None:
        raise code_invalid()
    held = profile.holdings.get(contact)
    sent = Sent(
        contact.kind,
        contact.value,
        named.category,
        named.raw,
        is_confirmed=True,
        must_be_confirmed=held is None or held.must_be_confirmed,
        gives_access=named.gives_access,
    )
    record = Record(
        Operation.CONFIRM,
        at,
        identifiers=(sent,),
        lookup=Key(MAESTRA_ID, str(profile.maestra_id)),
        personal_action=True,
        point=named.point,
        is_dated=is_dated,
    )
    return submit_one(caller, record)


def code_invalid() -> SelfsameError:
    detail = _("This code or link is wrong, was used already, or the contact was removed. Ask for a new one.")
    return SelfsameError(ErrorCode.CODE_INVALID, detail)


def code_expired() -> SelfsameError:
    detail = _("This code or link is too old, or was tried too often. Ask for a new one.")
    return SelfsameError(ErrorCode.CODE_EXPIRED, detail)
