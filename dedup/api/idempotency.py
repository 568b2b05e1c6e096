"""The same Idempotency-Key and body within 24 hours get the first reply again, and nothing is done again,
also when two arrive at once.

The row is the first thing written, in the transaction of the operation itself: a second request waits for the
unique index and then reads the reply. So a reply is stored exactly when what it reports is. A refusal is a
reply too, and commits its row alone. A `validation_error` and a failure on our side (5xx) leave no row: the
same key may come again, with the mended body.

`maestra_ids` of a row are the customers that its reply shows. By them an erasure finds it (R54); the reply is
then `erased_person`. Keys and bodies are stored as keyed hashes only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from customers.errors import ErrorCode, SelfsameError, invalid
from customers.keyed_hashes import IDEMPOTENCY
from customers.storage.sql import fetch_value
from dedup.models import IdempotencyKey

LIFETIME = timedelta(hours=24)
KEY_LIMIT = 255
REPLAYED = "Idempotency-Replayed"
"""The header of an answer that is given again."""
SERVER_ERROR = 500
_CODES = {code.value: code for code in ErrorCode}

Hashes = tuple[str, ...]
"""Of a key or a body, as `customers.keyed_hashes` gives them: the present one, and an earlier release's."""

# An expired row is taken over as if it did not exist. No row comes back where another request has the key.
_CLAIM = """
INSERT INTO dedup_idempotencykey AS stored (scope, key, body_hash, maestra_ids, created_at)
SELECT %(scope)s, %(key)s, %(body)s, '{}', clock_timestamp()
 WHERE NOT EXISTS (
   SELECT FROM dedup_idempotencykey e WHERE e.scope = %(scope)s AND e.key = %(earlier_key)s
      AND e.created_at >= clock_timestamp() - %(lifetime)s
 )
ON CONFLICT (scope, key) DO UPDATE
SET body_hash = excluded.body_hash, status = NULL, response = NULL, maestra_ids = '{}',
    created_at = excluded.created_at
WHERE stored.created_at < excluded.created_at - %(lifetime)s
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a request is answered with."""

    status: int
    body: Any
    is_replayed: bool = False


class ReplayedRefusal(SelfsameError):  # noqa: N818 - as its base is
    """A refusal that the first request with the key got."""


def once(scope: str, key: str, request: Any, work: Callable[[], Reply]) -> Reply:
    """The reply of `work`, or the reply to the first request with this key.

    Keys of different scopes have nothing to do with each other. `request`, any JSON value, must be that of
    the first request. Raises `idempotency_conflict` where it is another, and the refusal that `work` raised,
    the second time as `ReplayedRefusal`. A `validation_error` uses no key up.
    """
    if len(key) > KEY_LIMIT:
        message = _("It is too long: at most %(limit)s characters.") % {"limit": KEY_LIMIT}
        raise invalid(("Idempotency-Key", message))
    keys = IDEMPOTENCY.hashes(key)
    bodies = IDEMPOTENCY.hashes(json.dumps(request, sort_keys=True, separators=(",", ":")))
    with transaction.atomic():
        row = _claim(scope, keys, bodies)
        reply = _act(row, work) if row else _first_reply(scope, keys, bodies)
    if isinstance(reply, SelfsameError):
        raise reply
    return reply


def _claim(scope: str, keys: Hashes, bodies: Hashes) -> int | None:
    """The row's ID, or None where another request has used the key."""
    key, earlier_key = keys
    given = {"scope": scope, "key": key, "earlier_key": earlier_key, "body": bodies[0], "lifetime": LIFETIME}
    row_id: int | None = fetch_value(_CLAIM, given)
    return row_id


def _act(row: int, work: Callable[[], Reply]) -> Reply | SelfsameError:
    """Do the work, and store its reply.

    There is no savepoint around `work`: an operation rolls back by itself what it did, and a refusal may
    leave something behind on purpose, such as the count of wrong codes.
    """
    try:
        reply = work()
    except SelfsameError as refusal:
        if refusal.status >= SERVER_ERROR or refusal.code is ErrorCode.VALIDATION_ERROR:
            raise
        response = {"code": refusal.code.value, "detail": refusal.detail, "data": refusal.data}
        _store(row, refusal.status, response)
        return refusal
    _store(row, reply.status, reply.body)
    return reply


def _store(row: int, status: int, response: Any) -> None:
    plain = json.loads(json.dumps(response, cls=DjangoJSONEncoder))
    shown = sorted(set(maestra_ids_in(plain)))
    IdempotencyKey.objects.filter(id=row).update(status=status, response=plain, maestra_ids=shown)


def _first_reply(scope: str, keys: Hashes, bodies: Hashes) -> Reply | SelfsameError:
    """What the first request got. It has committed, or this one would have claimed the key."""
    first = IdempotencyKey.objects.filter(scope=scope, key__in=keys).latest("created_at")
    if first.body_hash not in bodies:
        detail = _("This Idempotency-Key was used for another request. Use a new key for each new request.")
        raise SelfsameError(ErrorCode.IDEMPOTENCY_CONFLICT, detail)
    assert first.status is not None
    stored: Any = first.response
    if first.status < ErrorCode.VALIDATION_ERROR.status:
        return Reply(first.status, stored, is_replayed=True)
    return ReplayedRefusal(_CODES[stored["code"]], stored["detail"], **stored["data"])


_NAMES_OF_IDS = frozenset(
    {
        "maestra_id",
        "maestra_ids",
        "merged_maestra_ids",
        "former_maestra_ids",
        "related_maestra_id",
        "kept_by",
        "lost_by",
        "from",
        "to",
    }
)


def maestra_ids_in(body: Any, name: str = "") -> Iterator[int]:
    """Every MaestraID that a reply shows."""
    match body:
        case dict():
            for key, value in body.items():
                yield from maestra_ids_in(value, key)
        case list():
            for item in body:
                yield from maestra_ids_in(item, name)
        case int() if name in _NAMES_OF_IDS:
            yield body


def forget(maestra_ids: Collection[int], rows: Collection[int] = ()) -> None:
    """Blank these rows, and the replies that show any of these customers. Sent again, their requests are
    refused and not acted upon (R54).
    """
    detail = _("The answer to this request was erased with the person it was about.")
    refusal = SelfsameError(ErrorCode.ERASED_PERSON, detail)
    response = {"code": refusal.code.value, "detail": refusal.detail, "data": {}}
    shown = IdempotencyKey.objects.filter(Q(maestra_ids__overlap=list(maestra_ids)) | Q(pk__in=rows))
    shown.update(status=refusal.status, response=response, maestra_ids=[])


def purge() -> int:
    """Delete what has expired. Returns the number of rows."""
    return IdempotencyKey.objects.filter(created_at__lt=Now() - LIFETIME).delete()[0]
