"""Django's PostgreSQL backend, with a pool that hands out only connections that work."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.db.backends.postgresql import base
from psycopg import Connection, OperationalError


class DatabaseWrapper(base.DatabaseWrapper):
    """After a restart of the server all pooled connections are broken. The first one that is found so makes
    the pool check all of them: by itself it would find them one at a time, with growing pauses.
    """

    def get_new_connection(self, conn_params: Any) -> Any:
        connection = super().get_new_connection(conn_params)
        if self.pool is None or lives(connection):
            return connection
        self.pool.putconn(connection)
        self.pool.check()
        return super().get_new_connection(conn_params)


def lives(connection: Connection[Any]) -> bool:
    """Whether the server answers on it."""
    with suppress(OperationalError):
        connection.execute("")
        return True
    return False
