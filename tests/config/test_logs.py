import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import structlog
from django.db import IntegrityError, connection

from config.logs import format_exception, logging_config, without_values

VALUE = "ann@example.com"


@pytest.mark.parametrize(
    ("logged", "kept"),
    [
        ("Not Found: /r/WzEsMiwi:1sX-4_x/", "Not Found: /r/[token]/"),
        ('"GET /confirm/abc_DEF-1 HTTP/1.1" 200', '"GET /confirm/[token] HTTP/1.1" 200'),
        ("Not Found: /api/v1/orders/r/17/", "Not Found: /api/v1/orders/r/17/"),
    ],
)
def test_tokens_of_links_are_taken_out(logged: str, kept: str):
    assert without_values(logged) == kept


def provoke() -> IntegrityError:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS held")
        cursor.execute("CREATE TEMPORARY TABLE held (value text CONSTRAINT one_holder UNIQUE)")
        cursor.execute("INSERT INTO held VALUES (%s)", [VALUE])
        try:
            cursor.execute("INSERT INTO held VALUES (%s)", [VALUE])
        except IntegrityError as error:
            return error
    raise AssertionError("the database accepted a second holder")


@pytest.mark.django_db(transaction=True)
def test_a_database_s_error_is_told_without_values():
    error = provoke()
    assert VALUE in str(error)
    told = format_exception(error)
    assert VALUE not in told
    assert "UniqueViolation 23505 held one_holder" in told
    assert "IntegrityError 23505 held one_holder" in told


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("get_logger", [logging.getLogger, structlog.get_logger])
def test_nothing_that_is_logged_quotes_the_database(get_logger: Any, lines: io.StringIO):
    error = provoke()
    try:
        raise RuntimeError(f"saving failed: {error}") from error
    except RuntimeError:
        get_logger("config.tested").exception("could not save: %s", error)
    line = json.loads(lines.getvalue())
    assert line["event"] == (
        'could not save: duplicate key value violates unique constraint "one_holder"\n[details removed]'
    )
    assert "RuntimeError: saving failed" in line["exception"]
    assert VALUE not in lines.getvalue()


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What a production's handler writes."""
    formatter = dict(logging_config(level="INFO", as_json=True)["formatters"]["structured"])
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(formatter.pop("()")(**formatter))
    logger = logging.getLogger("config.tested")
    logger.addHandler(handler)
    yield handler.stream
    logger.removeHandler(handler)


def test_other_errors_keep_their_message():
    assert format_exception(LookupError("no such room")) == "LookupError: no such room"


def test_messages_lose_what_may_quote_values():
    message = str(
        psycopg.errors.UniqueViolation(
            "duplicate key\nDETAIL:  Key (value)=(ann@example.com) already exists."
        )
    )
    assert without_values(message) == "duplicate key\n[details removed]"


def test_requests_are_logged_without_their_queries():
    line = '"GET /api/v1/customers/?search=ann%40example.com&limit=1 HTTP/1.1" 200 5'
    assert without_values(line) == '"GET /api/v1/customers/?[query removed] HTTP/1.1" 200 5'
    assert without_values("Is it so? a=1") == "Is it so? a=1"
