"""Trying again what lost a race: serialization failures, deadlocks, locks not had at once, unique violations.

The whole of read, decide and write is repeated, a bounded number of times, with a growing random pause. And
giving up what takes too long.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.db import IntegrityError, OperationalError, transaction
from django.utils.translation import gettext as _

from customers.errors import ErrorCode, SelfsameError
from customers.storage.sql import Overtaken, execute, fetch_value

T = TypeVar("T")

TRIES = 12
FIRST_PAUSE = 0.004  # seconds; doubled by each try up to the longest
LONGEST_PAUSE = 0.25
# serialization_failure, deadlock_detected, lock_not_available, unique_violation, exclusion_violation
RACES = frozenset({"40001", "40P01", "55P03", "23505", "23P01"})

QUERY_CANCELED = "57014"
PATIENCE = "50ms"
"""How long a transaction waits for a lock that holds others already. Much less than `deadlock_timeout`."""


class Contended(Exception):  # noqa: N818 - it never leaves a transaction
    """What was read changed before it could be locked. Nothing was written; the whole can be tried again."""


def lost_a_race(error: Exception) -> bool:
    """Whether an error says only that somebody else was faster."""
    if isinstance(error, (Contended, Overtaken)):
        return True
    return getattr(error.__cause__, "sqlstate", None) in RACES


def in_transaction(work: Callable[[], T], tries: int = TRIES) -> T:
    """What `work` returns, done in one transaction, or in a savepoint where one is open already.

    Raises `busy` where the database stayed contended through all tries.
    """
    for attempt in range(tries):
        try:
            with transaction.atomic():
                return work()
        except (Contended, IntegrityError, OperationalError) as error:
            if not lost_a_race(error):
                raise
            time.sleep(random.random() * min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt))
    detail = _("Many requests change the same customers at this moment. Try again in a second.")
    raise SelfsameError(ErrorCode.BUSY, detail, retry_after=1)


def wait_no_longer() -> None:
    """From here to its end the transaction waits for no lock, but a moment (`PATIENCE`): what it cannot have
    is a race that it lost.

    For one that locks more than once: what it gathered first, it may wait for, like everybody in MaestraID
    order. What turns up later is out of that order, and who then waits can be waited for.
    """
    fetch_value("SELECT set_config('lock_timeout', %s, true)", [PATIENCE])


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """A transaction none of whose statements takes longer. Raises TimeoutError where one would."""
    try:
        with transaction.atomic():
            execute("SELECT set_config('statement_timeout', %s, true)", [str(int(seconds * 1000))])
            yield
            execute("SET LOCAL statement_timeout TO DEFAULT")
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != QUERY_CANCELED:
            raise
        raise TimeoutError(f"A statement took longer than {seconds} s.") from error
