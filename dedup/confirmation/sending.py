"""Confirming contacts by a link or a code (R45).

What waits to be sent is in the outbox (`dedup.storage.confirmation_outbox`). A worker sends it; what could
not be sent is tried again. Of links and codes only digests are kept. A later one replaces the one before it.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from smtplib import SMTPDataError, SMTPRecipientsRefused

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from structlog.stdlib import get_logger

from customers.keyed_hashes import CONFIRMATION
from customers.models import Identifier
from customers.profile import Key, Profile
from customers.storage.loading import profile_of
from dedup.confirmation.sms import send_text
from dedup.engine.confirmations import CODE_LIFE, WRONG_CODES, free_from
from dedup.models import Confirmation, ConfirmationKinds

LINK_LIFE = timedelta(days=3)
CODE_DIGITS = 6
PAUSES = (timedelta(seconds=15), timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1))
"""After each failure; the last one after all further ones."""
MOST_COUNTED = 1000
"""Failures of one message."""
REFUSED = (SMTPRecipientsRefused, SMTPDataError)
"""A server that works does not take this one message."""


log = get_logger(__name__)


def send_waiting(limit: int = 500) -> int:
    """Send what was not sent yet, each in a transaction of its own; how many went out.

    What fails is tried again later. Where the server is away nothing more of the kind is tried for now: each
    would wait for it.
    """
    sent, away = 0, set[str]()
    for confirmation_id, kind in list(_due()[:limit]):
        if kind in away:
            continue
        try:
            with transaction.atomic():
                sent += _send_if_awaited(confirmation_id)
        except Exception as error:
            log.exception("confirmation_not_sent", confirmation=confirmation_id)
            _put_off(confirmation_id)
            if not isinstance(error, REFUSED):
                away.add(kind)
    return sent


def _due() -> QuerySet[Confirmation, tuple[int, str]]:
    """What is to be sent now, as IDs with their kinds, in the order in which it was asked for."""
    due = Q(retry_at=None) | Q(retry_at__lte=timezone.now())
    return Confirmation.objects.filter(due, sent_at=None).order_by("pk").values_list("pk", "kind")


def _put_off(confirmation_id: int) -> None:
    """Try it again after a while, each time a longer one."""
    row = Confirmation.objects.filter(pk=confirmation_id)
    failures = row.values_list("failures", flat=True).first() or 0
    pause = PAUSES[min(failures, len(PAUSES) - 1)]
    row.update(failures=min(failures + 1, MOST_COUNTED), retry_at=timezone.now() + pause)


def _send_if_awaited(confirmation_id: int) -> bool:
    """Send it, unless another worker is sending it, or the contact no longer awaits a confirmation."""
    waiting = Confirmation.objects.select_for_update(of=("self",), skip_locked=True).filter(sent_at=None)
    row = waiting.select_related("identifier").filter(pk=confirmation_id).first()
    if row is None:
        return False
    profile = profile_of(row.maestra_id)
    key = key_of(row.identifier)
    if profile is None or not awaits(profile, key):
        row.delete()
        return False
    _drop_earlier(row, profile)
    secret = new_secret(row.kind)
    is_link = row.kind == ConfirmationKinds.LINK
    row.digest = CONFIRMATION.hash(secret if is_link else code_text(row.pk, secret))
    row.sent_at = timezone.now()
    row.expires_at = row.sent_at + (LINK_LIFE if is_link else CODE_LIFE)
    row.save()
    _deliver(row, key.value, secret)
    return True


def _drop_earlier(row: Confirmation, profile: Profile) -> None:
    """Only the latest link or code for a contact is valid."""
    earlier = Confirmation.objects.filter(
        identifier=row.identifier_id, maestra_id__in=profile.maestra_ids, used_at=None, pk__lt=row.pk
    )
    earlier.filter(sent_at=None).delete()
    # What was sent counts towards how much may be sent.
    earlier.update(digest=None)


def _deliver(row: Confirmation, value: str, secret: str) -> None:
    if row.kind == ConfirmationKinds.LINK:
        link = f"{settings.PUBLIC_URL}/confirm/{secret}/"
        text = _("Please confirm your e-mail address by opening this link within three days:\n\n%(link)s\n")
        send_mail(_("Please confirm your e-mail address"), text % {"link": link}, None, [value])
    else:
        text = _("Your confirmation code is %(code)s. It is valid for 15 minutes.")
        send_text(value, text % {"code": secret})


def new_secret(kind: str) -> str:
    """A link's token, or a code's digits."""
    if kind == ConfirmationKinds.LINK:
        return secrets.token_urlsafe(32)
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"


def code_text(confirmation_id: int, code: str) -> str:
    """What is hashed of a code. It is so short that the ID of its row is hashed with it: the same code sent
    twice has two digests.
    """
    return f"{confirmation_id}:{code}"


def is_code_of(row: Confirmation, code: str) -> bool:
    given = CONFIRMATION.hashes(code_text(row.pk, code))
    return any(hmac.compare_digest(row.digest or "", digest) for digest in given)


def awaits(profile: Profile, key: Key) -> bool:
    """Whether the contact, held or claimed by this customer, is still to be confirmed."""
    holding = profile.holdings.get(key)
    return key in profile.claims or (holding is not None and holding.is_pending)


def key_of(identifier: Identifier) -> Key:
    """The value as the engine compares it."""
    return Key(identifier.kind.system_name, identifier.value)


def sent_code(profile: Profile, key: Key) -> Confirmation | None:
    """The code last sent to this customer for this contact, locked so that no two tries count as one."""
    rows = Confirmation.objects.select_for_update(of=("self",)).filter(
        kind=ConfirmationKinds.CODE,
        identifier__kind__system_name=key.kind,
        identifier__value=key.value,
        maestra_id__in=profile.maestra_ids,
        used_at=None,
        digest__isnull=False,
    )
    return rows.order_by("-pk").first()


def link_of(token: str) -> Confirmation | None:
    """The unused link with this token."""
    rows = Confirmation.objects.select_related("identifier__kind")
    digests = CONFIRMATION.hashes(token)
    return rows.filter(kind=ConfirmationKinds.LINK, digest__in=digests, used_at=None).first()


def locked(row: Confirmation) -> Confirmation | None:
    """The same link, locked; None where it was used, replaced or erased meanwhile."""
    rows = Confirmation.objects.select_for_update(of=("self",)).select_related("identifier__kind")
    return rows.filter(pk=row.pk, digest=row.digest, used_at=None).first()


def is_spent(row: Confirmation, now: datetime) -> bool:
    """Too old; or the contact was tried too often, also with other codes, and by others who claim it."""
    if row.expires_at is None or row.expires_at <= now:
        return True
    tried = Confirmation.objects.filter(
        identifier=row.identifier_id, tries__gt=0, sent_at__gt=now - CODE_LIFE
    ).values_list("sent_at", "tries")
    wrong = [sent_at for sent_at, tries in tried if sent_at for _try in range(tries)]
    return free_from(wrong, WRONG_CODES, now) > now


def count_wrong_try(row: Confirmation) -> None:
    """After too many of them all codes for the contact have expired (`WRONG_CODES`)."""
    Confirmation.objects.filter(pk=row.pk).update(tries=F("tries") + 1)


def mark_used(row: Confirmation, now: datetime) -> None:
    """A link or code works once."""
    Confirmation.objects.filter(pk=row.pk).update(used_at=now)
