"""The reference: the statements of an operation, and nothing but them, in a bare psycopg transaction.

They are captured from the operation itself, complete with their values, and sent again about other people. So
both sides do the same reads and writes; what the operation takes longer is its deciding and its Python.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

MAESTRA_ID, OPERATION_ID = 70_000_000_001, 80_000_000_001
SEQUENCES = {"customers_customer_id_seq": MAESTRA_ID, "customers_operation_id_seq": OPERATION_ID}
NOT_SENT = ("BEGIN", "ROLLBACK", "SAVEPOINT", "RELEASE", "ALTER SEQUENCE")


class TakenBack(Exception):  # noqa: N818 - it is no error
    """Ends a transaction that was only looked at."""


@dataclass(frozen=True, slots=True)
class Script:
    """The messages of one transaction, about the person with this number and MaestraID."""

    messages: tuple[str, ...]
    number: int
    maestra_id: int
    is_transaction: bool

    @property
    def round_trips(self) -> int:
        """BEGIN and COMMIT are a message each."""
        return len(self.messages) + 2 * self.is_transaction

    def about(self, number: int, maestra_id: int, operation_id: int) -> list[str]:
        """The same about somebody else."""
        return [
            message.replace(str(self.number), str(number))
            .replace(str(self.maestra_id), str(maestra_id))
            .replace(str(OPERATION_ID), str(operation_id))
            for message in self.messages
        ]


def captured(work: Callable[[], Any], number: int, maestra_id: int = MAESTRA_ID) -> Script:
    """What `work` sends. It is taken back, and what it drew from the sequences with it."""
    with CaptureQueriesContext(connection) as queries:
        try:
            with transaction.atomic():
                _number_new_rows()
                work()
                raise TakenBack
        except TakenBack:
            pass
    sent = [query["sql"] for query in queries]
    own = tuple(message for message in sent if not message.startswith(NOT_SENT))
    # An operation opens a transaction, which within the one it is captured in is a savepoint.
    is_transaction = any(message.startswith("SAVEPOINT") for message in sent)
    return Script(own, number, maestra_id, is_transaction)


def _number_new_rows() -> None:
    """Gives new rows IDs that stand out in a text."""
    with connection.cursor() as cursor:
        for name, first in SEQUENCES.items():
            cursor.execute(f"ALTER SEQUENCE {name} RESTART WITH {first}")


def bare_connection(script: Script) -> psycopg.Connection[Any]:
    """To the database of the run, without Django."""
    return psycopg.connect(os.environ["DATABASE_URL"], autocommit=not script.is_transaction)


def send(database: psycopg.Connection[Any], messages: Iterable[str]) -> None:
    """One transaction, or one message after the other where the connection commits by itself."""
    with database.cursor() as cursor:
        for message in messages:
            cursor.execute(message.encode())
            while True:
                if cursor.description:
                    cursor.fetchall()
                if not cursor.nextset():
                    break
    database.commit()
