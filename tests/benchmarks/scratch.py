"""A database for one run, with a project in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

NAME = f"selfsame_benchmarks_{os.getpid()}"


@contextmanager
def scratch_database() -> Iterator[None]:
    """Within it, DATABASE_URL names an empty database on the same server."""
    server = os.environ["DATABASE_URL"]
    name = sql.Identifier(NAME)
    _administer(server, sql.SQL("CREATE DATABASE {}").format(name))
    os.environ["DATABASE_URL"] = urlsplit(server)._replace(path=f"/{NAME}").geturl()
    try:
        yield
    finally:
        _administer(server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
        os.environ["DATABASE_URL"] = server


def _administer(server: str, statement: sql.Composed) -> None:
    with psycopg.connect(server, dbname="postgres", autocommit=True) as connection:
        connection.execute(statement)
