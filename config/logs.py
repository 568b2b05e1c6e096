"""Logging: one line an event, and never a customer's value.

PostgreSQL names values in its errors ("Key (kind, value)=(1, ann@example.com) already exists"). Whatever is
logged passes through here, the one place where they are taken out: of an exception that came from the
database, only its class, its SQLSTATE and the table and constraint it names are logged.
"""

import re
import sys
import traceback
from collections.abc import Iterator
from typing import Any

import psycopg
import structlog
from django.db import Error as DjangoDatabaseError
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

VALUES = re.compile(r"\b(?:DETAIL|CONTEXT|HINT|LINE \d+):.*", re.DOTALL)

# The query string of an address, which may be a search for a person.
QUERY = re.compile(r"""\?[^\s"'?]*=[^\s"']*""")

# What follows acts for a customer: the links of confirmations, and personal links.
TOKEN = re.compile(r"""(?<!\w)(/(?:confirm|r)/)[^\s/"'?]+""")


def without_values(text: str) -> str:
    """A message without the parts that may quote values: a database's details, an address's query, the token
    of a link.
    """
    return without_token(QUERY.sub("?[query removed]", VALUES.sub("[details removed]", text)))


def without_token(path: str) -> str:
    """An address without the token of a confirmation or a personal link."""
    return TOKEN.sub(r"\1[token]", path)


def described(error: BaseException) -> str:
    """One line on an exception; without the message where it came from the database."""
    if isinstance(error, DjangoDatabaseError | psycopg.Error):
        return f"{type(error).__qualname__} {database_facts(error)}".rstrip()
    return f"{type(error).__qualname__}: {without_values(str(error))}".removesuffix(": ")


def database_facts(error: BaseException) -> str:
    """SQLSTATE, table and constraint of a database error, as far as known."""
    source = error if isinstance(error, psycopg.Error) else error.__cause__
    if not isinstance(source, psycopg.Error):
        return ""
    facts = (source.sqlstate, source.diag.table_name, source.diag.constraint_name)
    return " ".join(fact for fact in facts if fact)


def causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and what led to it, the first cause first."""
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if earlier:
        yield from causes(earlier)
    yield error


def format_exception(error: BaseException) -> str:
    """A traceback of source lines, each exception of the chain described."""
    parts = ("".join(traceback.format_tb(one.__traceback__)) + described(one) for one in causes(error))
    return "\n\nThen:\n\n".join(parts)


def exception_of(exc_info: ExcInfo | BaseException | bool | None) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1]
    return sys.exception() if exc_info else None


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The processor every event passes, whichever library logged it."""
    error = exception_of(event.pop("exc_info", None))
    shown: dict[str, Any] = {
        key: without_values(value) if isinstance(value, str) else value for key, value in event.items()
    }
    if error:
        shown["exception"] = format_exception(error)
    return shown


SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
"""What every event passes, whether structlog or the standard library made it."""


def logging_config(*, level: str, as_json: bool) -> dict[str, Any]:
    """The `LOGGING` setting; sets structlog up to write through it."""
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"structured": formatter(as_json=as_json)},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django's own handlers would print what was not redacted.
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": level, "propagate": True},
            # Statements carry their parameters.
            "django.db.backends": {"level": "WARNING"},
            # Logs every connection it lends and gets back.
            "psycopg.pool": {"level": "WARNING"},
        },
    }


def formatter(*, as_json: bool) -> dict[str, Any]:
    renderer = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    return {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": SHARED,
        "processors": [redact, structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    }
