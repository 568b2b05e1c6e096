"""How the values of a set-up file are read: texts, switches, lists, mappings; and the faults found in them.

A reader takes a value and its place in the file, and returns what the value means. For a value it cannot read
it notes a fault at that place and returns None. So one pass finds every fault; and since a file with faults
is never written, no such None reaches a table.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from django.utils.translation import gettext as _

from customers.normalise import Invalid

ValueReader = Callable[[Any, "FilePlace"], Any]
"""The value and its place in; what it means out, or None with a fault noted."""
FileEntry = Mapping[str, Any]
"""One item of a list in the file: `{"system_name": …}`."""


@dataclass(frozen=True, slots=True)
class FilePlace:
    """A place in the file, as `integration_points[0].kind`, with the list of all faults found so far. Every
    place of a file shares that list.
    """

    path: str = ""
    faults: list[str] = field(default_factory=list)

    def key(self, name: object) -> FilePlace:
        return FilePlace(f"{self.path}.{name}" if self.path else str(name), self.faults)

    def index(self, number: int) -> FilePlace:
        return FilePlace(f"{self.path}[{number}]", self.faults)

    def fault(self, message: str) -> Any:
        """Note the fault. Returns None, which is what a faulty value is read as."""
        self.faults.append(f"{self.path}: {message}" if self.path else message)
        return None


def text(limit: int = 255) -> ValueReader:
    """A text that is not empty, of at most `limit` characters."""

    def read(value: Any, place: FilePlace) -> Any:
        if not isinstance(value, str):
            return place.fault(
                _("a text is needed, so put %(value)s in quotes") % {"value": as_written(value)}
            )
        if not value.strip():
            return place.fault(_("it is empty"))
        if len(value) > limit:
            return place.fault(_("it is too long: at most %(limit)s characters") % {"limit": limit})
        return value

    return read


def normalised(normalise: Callable[[str], Any], limit: int = 255) -> ValueReader:
    """A text, in the form that `normalise` gives it. What `normalise` refuses is a fault, in its words."""

    def read(value: Any, place: FilePlace) -> Any:
        typed = text(limit)(value, place)
        try:
            return None if typed is None else normalise(typed)
        except Invalid as error:
            return place.fault(error.message(_))

    return read


def boolean(value: Any, place: FilePlace) -> Any:
    if isinstance(value, bool):
        return value
    return place.fault(_("write true or false, not %(value)s") % {"value": as_written(value)})


def whole_number(lowest: int, highest: int) -> ValueReader:
    def read(value: Any, place: FilePlace) -> Any:
        if type(value) is int and lowest <= value <= highest:
            return value
        words = {"lowest": lowest, "highest": highest, "value": as_written(value)}
        return place.fault(_("write a whole number from %(lowest)s to %(highest)s, not %(value)s") % words)

    return read


def one_of(choices: Collection[str]) -> ValueReader:
    def read(value: Any, place: FilePlace) -> Any:
        return value if value in list(choices) else place.fault(not_among(value, choices))

    return read


def list_of(reader: ValueReader) -> ValueReader:
    def read(value: Any, place: FilePlace) -> Any:
        if not isinstance(value, list):
            return place.fault(_("a list is needed"))
        return [reader(item, place.index(number)) for number, item in enumerate(value)]

    return read


def not_empty(reader: ValueReader) -> ValueReader:
    """A list of at least one item."""

    def read(value: Any, place: FilePlace) -> Any:
        return reader(value, place) if value != [] else place.fault(_("name at least one"))

    return read


def mapping_of(readers: Mapping[str, ValueReader], required: Collection[str] = ()) -> ValueReader:
    """A mapping with these keys and no others. Keys that are not `required` may be left out."""

    def read(value: Any, place: FilePlace) -> Any:
        if not isinstance(value, dict):
            return place.fault(_("a mapping of keys to values is needed"))
        for name in value:
            if name not in readers:
                place.key(name).fault(not_among(name, readers, _("key")))
        for name in required:
            if name not in value:
                place.key(name).fault(_("it is missing"))
        return {
            name: reader(value[name], place.key(name)) for name, reader in readers.items() if name in value
        }

    return read


def not_among(value: Any, choices: Collection[str], what: str = "") -> str:
    """The fault of something that is none of the choices, with the choice that was probably meant. `what`
    says what the choices are, translated; without it they are values.
    """
    words = {"what": what or _("value"), "value": as_written(value), "choices": ", ".join(choices)}
    if similar := get_close_matches(str(value), list(choices), n=1):
        return _("unknown %(what)s %(value)s; did you mean %(similar)s?") % {**words, "similar": similar[0]}
    return _("unknown %(what)s %(value)s; use one of: %(choices)s") % words


def as_written(value: Any) -> str:
    """A value as the file may have it, for the sentence of a fault: texts in quotation marks."""
    return json.dumps(value, ensure_ascii=False, default=str)


def no_repetition(entries: Collection[FileEntry | None] | None, place: FilePlace, *keys: str) -> None:
    """Notes a fault at every entry that has the same values under `keys` as an earlier entry of the list."""
    seen: dict[tuple[Any, ...], int] = {}
    for number, entry in enumerate(entries or ()):
        identity = tuple(entry.get(key) for key in keys) if entry else ()
        if any(identity) and identity in seen:
            earlier = place.index(seen[identity]).path
            place.index(number).fault(_("%(place)s declares the same") % {"place": earlier})
        seen.setdefault(identity, number)
