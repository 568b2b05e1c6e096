"""Rows in and out in bulk: statements that take any number of rows, sent together.

A `Script` collects statements and sends them in as few round trips as PostgreSQL allows: everything between
two COPYs is one message. Statements for no rows are left out, so the number sent depends on what there is to
write and never on how many rows. It relies on Django's default of binding parameters on the client, which is
what lets one message hold many statements.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from itertools import repeat
from operator import is_
from typing import Any

import orjson
from django.db import OperationalError, connection
from psycopg.errors import SerializationFailure
from psycopg.types.datetime import TimestamptzLoader

Row = tuple[Any, ...]

COPY_FROM = 20
"""Rows from which COPY is faster than INSERT."""


class Overtaken(OperationalError):  # noqa: N818 - it says what happened
    """What was read is no longer so, which a row count tells. To be treated as the serialization failure
    that is its cause.
    """


DRAW = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"
Params = Sequence[Any] | Mapping[str, Any]
Question = tuple[str, Params]
"""A statement with its parameters."""
Types = Mapping[str, str]
"""Columns with their PostgreSQL types."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it is written: its name and the columns that are given."""

    name: str
    types: Types

    @property
    def columns(self) -> str:
        return ", ".join(self.types)


@dataclass(frozen=True, slots=True)
class _Statement:
    sql: str
    params: Sequence[Any]
    expected: int | None = None


class Script:
    """Statements to be sent in their order."""

    def __init__(self) -> None:
        self._waiting: list[_Statement] = []

    def execute(self, sql: str, params: Sequence[Any], *, expected: int | None = None) -> None:
        """`expected`: how many rows it must touch; another number raises `Overtaken`."""
        self._waiting.append(_Statement(sql, params, expected))

    def with_rows(self, sql: str, types: Types, rows: Sequence[Row], *, expected: int | None = None) -> None:
        """A statement over `rows`, a table `u` where it says `{rows}`. Without rows there is none."""
        if rows:
            self.execute(*over(sql, types, rows), expected=expected)

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        """Plain insert, by COPY where there are many: a row that exists already is a unique violation."""
        if len(rows) < COPY_FROM:
            sql = f"INSERT INTO {table.name} ({table.columns}) SELECT * FROM {{rows}}"
            self.with_rows(sql, table.types, rows)
        else:
            self.send()
            _copy(table, rows)

    def send(self) -> None:
        """Send what waits, in one message."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        with _cursor() as cursor:
            cursor.execute(_message(cursor, [(statement.sql, statement.params) for statement in waiting]))
            for statement in waiting:
                if statement.expected not in (None, cursor.rowcount):
                    raise Overtaken from SerializationFailure("Rows are no longer as they were read")
                cursor.nextset()


def execute(sql: str, params: Params | None = None) -> int:
    """Run a statement; how many rows it touched."""
    with _cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)


def fetch(sql: str, params: Params | None = None) -> list[Row]:
    """The rows a statement answers with."""
    with _reading_cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[Row] = cursor.fetchall()
    return rows


def fetch_row(sql: str, params: Params | None = None) -> Row | None:
    """The first of them, None where there is none."""
    return next(iter(fetch(sql, params)), None)


def fetch_value(sql: str, params: Params | None = None) -> Any:
    """The first column of the first row, None where there is none."""
    row = fetch_row(sql, params)
    return row[0] if row else None


def draw_ids(table: str, count: int) -> list[int]:
    """IDs for rows to be written, in ascending order and never drawn again."""
    return [number for (number,) in fetch(DRAW, [table, count])]


def ask(questions: Sequence[Question]) -> list[list[Row]]:
    """The rows that each statement answers with. They are sent in one message. Outside a transaction they all
    see the tables as they were at one moment.
    """
    if not questions:
        return []
    answers = []
    with _reading_cursor() as cursor, _answered_at_one_moment(cursor, _message(cursor, questions)):
        for _ in questions:
            answers.append(cursor.fetchall())
            cursor.nextset()
    return answers


@contextmanager
def _answered_at_one_moment(cursor: Any, message: str) -> Iterator[None]:
    """Send a message that reads a snapshot. Its transaction begins and ends in the message itself: around it,
    it would take two more round trips. Within a transaction each statement sees what was committed before it.
    """
    if connection.in_atomic_block:
        cursor.execute(message)
        yield
        return
    try:
        cursor.execute(f"BEGIN ISOLATION LEVEL REPEATABLE READ;\n{message};\nCOMMIT")
        cursor.nextset()
        yield
    except Exception:
        connection.rollback()
        raise


@contextmanager
def _cursor() -> Iterator[Any]:
    """A cursor all of whose errors are Django's. Its own wrapper lets some pass as psycopg raises them, such
    as those that the end of a COPY brings.
    """
    with connection.wrap_database_errors, connection.cursor() as cursor:
        yield cursor


@contextmanager
def _reading_cursor() -> Iterator[Any]:
    """A cursor that reads moments by psycopg's own loader: Django's takes ten times as long."""
    with _cursor() as cursor:
        cursor.adapters.register_loader("timestamptz", TimestamptzLoader)
        yield cursor


def _message(cursor: Any, statements: Iterable[Question]) -> str:
    """The statements with their parameters in place: each by itself, because psycopg keeps how a short one is
    made up, and works a long one out every time.
    """
    return ";\n".join([cursor.mogrify(sql, params) for sql, params in statements])


def over(sql: str, types: Types, rows: Sequence[Row]) -> tuple[str, list[str]]:
    """A statement over `rows` with its parameters: one array a column, however many rows."""
    arrays = ", ".join(f"%s::{of}[]" for of in types.values())
    columns = zip(types.values(), zip(*rows, strict=True), strict=True)
    params = [array(of, values) for of, values in columns]
    return sql.format(rows=f"unnest({arrays}) AS u ({', '.join(types)})"), params


def array(of: str, values: Sequence[Any]) -> str:
    """Values as an array literal, which a statement casts: psycopg takes long over lists."""
    if not values:
        return "{}"
    if of in INTEGERS:  # as JSON writes them, but for the brackets
        return f"{{{orjson.dumps(values, list).decode()[1:-1]}}}"
    if of not in TEXTS:
        return "{" + ",".join(_plain_texts(of, values, "NULL")) + "}"
    quoted = ["NULL" if v is None else f'"{text}"' for v, text in _escaped(values, _QUOTED, _IN_QUOTES)]
    return "{" + ",".join(quoted) + "}"


def _copy(table: Table, rows: Sequence[Row]) -> None:
    columns = zip(table.types.values(), zip(*rows, strict=True), strict=True)
    lines = map("\t".join, zip(*(_copied(of, values) for of, values in columns), strict=True))
    with (
        _cursor() as cursor,
        cursor.copy(f"COPY {table.name} ({table.columns}) FROM STDIN") as copy,
    ):
        copy.write("\n".join(lines))


def _copied(of: str, values: Sequence[Any]) -> Iterable[str]:
    """A column as COPY text. In most columns all rows have the same value, which is rendered once."""
    if all(map(is_, values, repeat(values[0]))):
        (text,) = _copied_texts(of, values[:1])
        return repeat(text, len(values))
    return _copied_texts(of, values)


def _copied_texts(of: str, values: Sequence[Any]) -> Iterable[str]:
    if of not in TEXTS:
        return _plain_texts(of, values, NULL)
    return [NULL if v is None else text for v, text in _escaped(values, _COPIED, _IN_COPY)]


def _plain_texts(of: str, values: Sequence[Any], null: str) -> Iterable[str]:
    """Numbers, moments and the like, which need no escaping. Each is rendered once: dates repeat."""
    text = _moment if of == "timestamptz" else str
    seen = {value: null if value is None else text(value) for value in set(values)}
    return map(seen.__getitem__, values)


@lru_cache(maxsize=10_000)
def _moment(at: datetime) -> str:
    """Slow to render, and what a record happens at goes into a column of every table."""
    return str(at)


def _escaped(
    values: Sequence[str | None], special: re.Pattern[str], escapes: Mapping[int, str]
) -> Iterable[tuple[str | None, str]]:
    """Texts beside themselves escaped. All in one go, as one text: PostgreSQL takes none with a NUL in it."""
    whole = "\0".join([value or "" for value in values])
    if special.search(whole):
        whole = whole.translate(escapes)
    return zip(values, whole.split("\0"), strict=True)


TEXTS = frozenset({"text", "jsonb"})
INTEGERS = frozenset({"smallint", "integer", "bigint"})
NULL = r"\N"
_COPIED = re.compile(r"[\\\n\r\t]")
_IN_COPY = str.maketrans({"\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t"})
_QUOTED = re.compile(r'[\\"]')
_IN_QUOTES = str.maketrans({"\\": r"\\", '"': r"\""})


def as_json(value: Any) -> str:
    """JSON for a jsonb column: dates in ISO 8601, numbers to their last digit."""
    try:
        return orjson.dumps(value, _plain).decode()
    except orjson.JSONEncodeError:
        return orjson.dumps(_spelled(value), _plain).decode()


def as_readable_json(value: Any) -> str:
    """The same with each entry on a line of its own, for people to read."""
    return orjson.dumps(_spelled(value), _plain, orjson.OPT_INDENT_2).decode()


def _plain(value: object) -> object:
    match value:
        case Decimal():
            return orjson.Fragment(f"{value:f}")
        case tuple():  # one with names
            return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _spelled(value: Any) -> Any:
    """The same with its whole numbers spelled out: orjson takes none of over 64 bits."""
    match value:
        case dict():
            return {name: _spelled(item) for name, item in value.items()}
        case list() | tuple():
            return [_spelled(item) for item in value]
        case int() if not isinstance(value, bool):
            return orjson.Fragment(str(value))
    return value
