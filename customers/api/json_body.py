"""JSON that comes in, read strictly. What would take too much memory is refused before it is built."""

from __future__ import annotations

import gc
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from itertools import accumulate
from threading import Lock
from typing import IO, Any, NoReturn

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework import exceptions, parsers

from customers.errors import ErrorCode, SelfsameError, invalid

MOST_VALUES = 100_000
"""Values of a body, those within objects and lists included: a hundred for each record of the largest batch.
As objects they take many times the memory of their text.
"""
DEEPEST = 32
"""Objects and lists within each other. A record has six."""
LARGE = 64 * 1024
"""Bytes from which on bodies are built one by one in a process, which takes no longer, and only when what is
left of the ones before is cleared away: requests and errors are held by their circles of references until
there are many of them.
"""
PIECE = 64 * 1024
"""Bytes of a body that nobody wants, at a time."""

_READING = Lock()
_OUT_OF_STRUCTURE = bytes(set(range(256)) - set(b'[]{},"'))
_TEXT = re.compile(rb'"[^"]*+"')
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


class JSONParser(parsers.BaseParser):
    """JSON in UTF-8: no NaN, no text that a database cannot store, nothing above a limit.

    A view may have a `body_limit` of its own, in bytes. The body is not kept besides what it says, as REST
    framework does for its own parser.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,  # noqa: ARG002
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        view, request = (parser_context or {}).get("view"), (parser_context or {}).get("request")
        limit: int = getattr(view, "body_limit", settings.MAX_BODY_SIZE)
        if request and content_length(request) > limit:
            _skip(stream)
            raise _too_large(_("Send at most %(limit)s bytes at once.") % {"limit": limit})
        try:
            return read_json(stream.read())
        except ValueError as error:
            detail = _("The body is not JSON: %(reason)s.") % {"reason": error}
            raise exceptions.ParseError(detail) from error


def _skip(stream: IO[bytes]) -> None:
    """Read a body to its end, which `MAX_BODY_SIZE` has seen to: many clients send all before they listen."""
    while stream.read(PIECE):
        pass


def content_length(request: HttpRequest) -> int:
    """Bytes of the body. Where the header is missing or not a number, Django reads none."""
    declared = request.META.get("CONTENT_LENGTH") or "0"
    return int(declared) if declared.isdecimal() else 0


def read_json(raw: bytes) -> Any:
    """The value of a JSON text. Raises `ValueError` where it is none, `too_large` where it holds too much,
    `validation_error` naming the texts in it that no database stores, and the keys that stand twice.
    """
    refuse_excess(raw)
    objects = _Objects()
    with _one_by_one() if len(raw) > LARGE else nullcontext():
        try:
            value = json.loads(raw.decode(), parse_constant=_no_constant, object_pairs_hook=objects)
        except RecursionError as error:
            raise ValueError(error) from error
    if not objects.are_plain:
        _refuse_repeated(value)
    if b"\\u0000" in raw or b"\\ud" in raw.lower():
        _refuse_unstorable(value)
    return value


@contextmanager
def _one_by_one() -> Iterator[None]:
    with _READING:
        gc.collect()
        yield


def refuse_excess(raw: bytes) -> None:
    """`too_large` for JSON of too many values, or nested too deep. What is not properly nested is left to the
    parser.
    """
    structure = _structure(raw)
    if sum(map(structure.count, (b",", b"[", b"{"))) > MOST_VALUES:
        raise _too_large(_("Send at most %(limit)s values at once.") % {"limit": MOST_VALUES})
    brackets = structure.translate(None, b",")
    depths = list(accumulate(map(_STEPS.__getitem__, brackets), initial=0))
    if depths[-1] == 0 and max(depths) > DEEPEST:
        raise _too_large(_("Nest objects and lists at most %(limit)s deep.") % {"limit": DEEPEST})


def _structure(raw: bytes) -> bytes:
    """The brackets and commas that stand outside of texts. By operations on bytes alone: many times faster
    than parsing, and without a Python object for each text.
    """
    plain = raw.replace(rb"\\", b"").replace(rb"\"", b"") if b"\\" in raw else raw
    # Two texts with nothing of the structure between them become one, which changes nothing outside of them.
    marks = plain.translate(None, _OUT_OF_STRUCTURE).replace(b'""', b"")
    return _TEXT.sub(b"", marks).replace(b'"', b"") if b'"' in marks else marks


def _too_large(detail: str) -> SelfsameError:
    return SelfsameError(ErrorCode.TOO_LARGE, detail)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


class _Repeating(dict[str, Any]):
    """An object in whose text keys stand more than once."""

    keys_repeated: tuple[str, ...] = ()


class _Objects:
    """Makes objects of their pairs. `are_plain` as long as no key stood twice in one of them."""

    are_plain = True

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) == len(pairs):
            return made
        self.are_plain = False
        repeating = _Repeating(made)
        counts = Counter(key for key, _value in pairs)
        repeating.keys_repeated = tuple(key for key, count in counts.items() if count > 1)
        return repeating


def _refuse_repeated(value: Any) -> None:
    """Of two values under one key nobody knows which was meant, and readers differ in which they take."""
    message = _("It stands here more than once. Send it once.")
    raise invalid(*((path, message) for path in _repeated(value)))


def _repeated(value: Any, path: str = "") -> Iterator[str]:
    """Paths of the keys that stand more than once in an object."""
    if isinstance(value, _Repeating):
        yield from (_below(path, key) for key in value.keys_repeated)
    match value:
        case dict():
            for key, item in value.items():
                yield from _repeated(item, _below(path, key))
        case list():
            for index, item in enumerate(value):
                yield from _repeated(item, f"{path}[{index}]")


def _below(path: str, key: str) -> str:
    shown = key.encode(errors="replace").decode()
    return f"{path}.{shown}" if path else shown


def _refuse_unstorable(value: Any) -> None:
    if paths := list(_unstorable(value)):
        message = _("Take the NUL and half surrogate characters out of it.")
        raise invalid(*((path, message) for path in paths))


def _unstorable(value: Any, path: str = "") -> Iterator[str]:
    """Paths of texts, keys included, that have no UTF-8 or contain NUL."""
    match value:
        case str():
            if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
                yield path
        case dict():
            for key, item in value.items():
                yield from _unstorable(key, path)
                yield from _unstorable(item, _below(path, key))
        case list():
            for index, item in enumerate(value):
                yield from _unstorable(item, f"{path}[{index}]")
