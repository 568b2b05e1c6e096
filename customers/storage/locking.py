"""What an operation on one stored customer begins with: the profile under lock, so that what is decided on it
still holds when it is written, and the operation's own number.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from enum import IntEnum

import psycopg
from django.db import connection
from django.utils.translation import gettext as _

from customers.errors import ErrorCode, SelfsameError
from customers.profile import Profile
from customers.storage.batch import OperationInfo
from customers.storage.loading import load_profiles, locking, primary_ids_of, profile_of
from customers.storage.sql import ask, draw_ids
from customers.storage.transactions import Contended


class Work(IntEnum):
    """What only one worker does at a time, on all hosts together: the first half of an advisory lock's
    number. The second says on what.
    """

    RECALCULATION = 0x5E60
    STAGING = 0x5E1F


@contextmanager
def alone(work: Work, on: int) -> Iterator[bool]:
    """Whether nobody else does this work, nor begins it before the end. For what takes many transactions.

    The lock is held by a connection of its own. It ends with the work, with the process and with the
    connection, and cannot go back into the pool of connections with one of them.
    """
    with closing(psycopg.connect(**connection.get_connection_params(), autocommit=True)) as holder:
        ((is_alone,),) = holder.execute("SELECT pg_try_advisory_lock(%s, %s)", [work, on % 2**31])
        try:
            yield is_alone
        finally:
            # At once: the server needs a moment to see that a connection was closed.
            with suppress(psycopg.OperationalError):
                holder.execute("SELECT pg_advisory_unlock_all()")


def primary_id_of(maestra_id: int) -> int:
    """The primary MaestraID of any of a profile's. Raises `customer_not_found`, for an erased one too."""
    primary_id = primary_ids_of([maestra_id]).get(maestra_id)
    if primary_id is None:
        raise _not_found(maestra_id)
    return primary_id


def found_profile(maestra_id: int) -> Profile:
    """The profile any MaestraID belongs to now. Raises `customer_not_found`, for an erased one too."""
    profile = profile_of(maestra_id)
    if profile is None:
        raise _not_found(maestra_id)
    return profile


def _not_found(maestra_id: int) -> SelfsameError:
    detail = _("There is no customer %(maestra_id)s. Check the MaestraID.")
    return SelfsameError(ErrorCode.CUSTOMER_NOT_FOUND, detail % {"maestra_id": maestra_id})


def lock(primary_ids: Collection[int]) -> set[int]:
    """Keep these profiles as they are until the transaction ends, locked in MaestraID order. Gives back all
    their MaestraIDs; those that were merged meanwhile are not among them.
    """
    _waited_for, locked = ask(locking(primary_ids))
    return {maestra_id for (maestra_id,) in locked}


def locked_profile(maestra_id: int) -> Profile:
    """The profile under its lock. Raises `customer_not_found`; `Contended` where it was merged meanwhile."""
    primary_id = primary_id_of(maestra_id)
    if primary_id not in lock([primary_id]) or primary_id_of(maestra_id) != primary_id:
        raise Contended
    return load_profiles([primary_id])[primary_id]


def operation_of(
    kind: str, at: datetime, actor: str, user_id: int | None, point_id: int | None
) -> OperationInfo:
    """A new operation, its ID drawn."""
    number = draw_ids("customers_operation", 1)[0]
    return OperationInfo(number, kind, actor, at, actor_user=user_id, point=point_id)
