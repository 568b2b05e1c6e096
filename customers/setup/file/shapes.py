"""The shapes a set-up file is made of, and the faults found in it.

A reader takes a value and its place in the file and gives back what it means. What it cannot read it names
at that place and gives back as None, so that one pass finds every fault; a file with faults is never
written, so None reaches no table.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from customers.normalise import Invalid

ValueReader = Callable[[Any, "FilePlace"], Any]
FileEntry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FilePlace:
    """A spot in the file, `integration_points[0].kind`, and the list of all faults found so far."""

    path: str = ""
    faults: list[str] = field(default_factory=list)

    def key(self, name: object) -> FilePlace:
        return FilePlace(f"{self.path}.{name}" if self.path else str(name), self.faults)

    def index(self, number: int) -> FilePlace:
        return FilePlace(f"{self.path}[{number}]", self.faults)

    def fault(self, message: str) -> Any:
        """Note it, and give back the None that a faulty value reads as."""
        self.faults.append(f"{self.path}: {message}" if self.path else message)
        return None


def text(limit: int = 255) -> ValueReader:
    """A text that is not empty, of at most `limit` characters."""

    def read(value: Any, place: FilePlace) -> Any:
        if not isinstance(value, str):
            return place.fault(f"a text is needed, so put {as_written(value)} in quotes")
        if not value.strip():
            return place.fault("it is empty")
        if len(value) > limit:
            return place.fault(f"it is too long: at most {limit} characters")
        return value

    return read


def normalised(normalise: Callable[[str], Any], limit: int = 255) -> ValueReader:
    """A text that `normalise` accepts; what that says of any other is the fault."""

    def read(value: Any, place: FilePlace) -> Any:
        given = text(limit)(value, place)
        try:
            return None if given is None else normalise(given)
        except Invalid as error:
            return place.fault(str(error))

    return read


def boolean(value: Any, place: FilePlace) -> Any:
    return value if isinstance(value, bool) else place.fault(f"write true or false, not {as_written(value)}")


def whole_number(lowest: int, highest: int) -> ValueReader:
    def read(value: Any, place: FilePlace) -> Any:
        if type(value) is int and lowest <= value <= highest:
            return value
        return place.fault(f"write a whole number from {lowest} to {highest}, not {as_written(value)}")

    return read


def one_of(choices: Collection[str]) -> ValueReader:
    def read(value: Any, place: FilePlace) -> Any:
        return value if value in list(choices) else place.fault(not_among(value, choices))

    return read


def list_of(reader: ValueReader) -> ValueReader:
    def read(value: Any, place: FilePlace) -> Any:
        if not isinstance(value, list):
            return place.fault("a list is needed")
        return [reader(item, place.index(number)) for number, item in enumerate(value)]

    return read


def mapping_of(readers: Mapping[str, ValueReader], required: Collection[str] = ()) -> ValueReader:
    """A mapping with these keys and no others."""

    def read(value: Any, place: FilePlace) -> Any:
        if not isinstance(value, dict):
            return place.fault("a mapping of keys to values is needed")
        for name in value:
            if name not in readers:
                place.key(name).fault(not_among(name, readers, "key"))
        for name in required:
            if name not in value:
                place.key(name).fault("it is missing")
        known = [name for name in readers if name in value]
        return {name: readers[name](value[name], place.key(name)) for name in known}

    return read


def not_among(value: Any, choices: Collection[str], what: str = "value") -> str:
    """The sentence for something that is none of the choices, with the one that was probably meant."""
    meant = get_close_matches(str(value), list(choices), n=1)
    advice = f"did you mean {meant[0]}?" if meant else f"use one of: {', '.join(choices)}"
    return f"unknown {what} {as_written(value)}; {advice}"


def as_written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def no_repetition(entries: Collection[FileEntry | None] | None, place: FilePlace, *keys: str) -> None:
    """Names every entry that declares what an earlier one of the same list declares already."""
    seen: dict[tuple[Any, ...], int] = {}
    for number, entry in enumerate(entries or ()):
        identity = tuple(entry.get(key) for key in keys) if entry else ()
        if any(identity) and identity in seen:
            place.index(number).fault(f"{place.index(seen[identity]).path} declares the same")
        seen.setdefault(identity, number)
