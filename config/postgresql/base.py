"""Django's PostgreSQL, whose pool gives out only connections that live."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.db.backends.postgresql import base
from psycopg import Connection, OperationalError


class DatabaseWrapper(base.DatabaseWrapper):
    """After a restart of the server all pooled connections are lost. The first that is found so has the pool
    look at the others too: the pool's own check looks at one at a time, and pauses longer after each.
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
