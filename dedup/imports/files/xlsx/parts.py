"""The parts of a workbook: files of XML in a ZIP, which refer to each other.

They come from strangers: document types and entities are refused, and so is whatever would make the parser
hold more than a row.
"""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple
from xml.parsers import expat

from django.utils.translation import gettext as _

from dedup.imports.files.formats import too_large, unreadable

PART_LIMIT = 16 * 2**20
"""Bytes of XML of a part that is read as a whole."""
_TOKEN_LIMIT = 2**22
_DEPTH_LIMIT = 32
_NAMES_LIMIT = 1000
_BLOCK = 2**16

_DAMAGED = (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError)


class Parser:
    """Expat with the limits that a workbook never meets. Names are without their prefix."""

    def __init__(self, start: Callable[[str, dict[str, str]], None], end: Callable[[str], None]) -> None:
        self.expat = expat.ParserCreate()
        self.expat.buffer_text = True
        self._start, self._end = start, end
        self.expat.StartElementHandler = self._started
        self.expat.EndElementHandler = self._ended
        self.expat.StartDoctypeDeclHandler = _refuse_document_type
        self._local: dict[str, str] = {}
        self._depth = 0
        self._fed = 0

    def feed(self, data: bytes) -> None:
        self._fed += len(data)
        try:
            self.expat.Parse(data, not data)
        except expat.ExpatError:
            raise unreadable(damaged()) from None
        if self._fed - self.expat.CurrentByteIndex > _TOKEN_LIMIT:
            raise too_large(_("The workbook holds a cell that is too large to be read."))

    def _started(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEPTH_LIMIT:
            raise unreadable(damaged())
        local = self._local.get(name)
        if local is None:
            local = self._local[name] = name.rpartition(":")[2]
            if len(self._local) > _NAMES_LIMIT:
                raise unreadable(damaged())
        self._start(local, attributes)

    def _ended(self, name: str) -> None:
        self._depth -= 1
        self._end(self._local[name])


def _refuse_document_type(*_arguments: object) -> None:
    raise unreadable(_("The workbook holds a document type, which no spreadsheet program writes."))


def damaged() -> str:
    return str(_("The workbook is damaged. Open it in a spreadsheet program and save it again."))


class Relation(NamedTuple):
    type: str
    target: str


def main_part(archive: zipfile.ZipFile) -> str:
    for relation in relations(archive, "").values():
        if relation.type == "officeDocument":
            return relation.target
    raise unreadable(_("This is not an Excel workbook (.xlsx)."))


def relations(archive: zipfile.ZipFile, part: str) -> dict[str, Relation]:
    """What a part of the workbook refers to, by ID."""
    folder, name = posixpath.split(part)
    found = elements(archive, posixpath.join(folder, "_rels", f"{name}.rels"))
    return {
        attributes.get("Id", ""): Relation(
            attributes.get("Type", "").rpartition("/")[2],
            posixpath.normpath(posixpath.join("/", folder, attributes.get("Target", ""))).lstrip("/"),
        )
        for name, attributes in found
        if name == "Relationship"
    }


def relation_id(attributes: Mapping[str, str]) -> str:
    return next((value for name, value in attributes.items() if name.rpartition(":")[2] == "id"), "")


def elements(archive: zipfile.ZipFile, part: str) -> list[tuple[str, dict[str, str]]]:
    """All elements of a small part, with their attributes."""
    found: list[tuple[str, dict[str, str]]] = []
    parser = Parser(lambda name, attributes: found.append((name, attributes)), lambda _name: None)
    for block in blocks(archive, part, PART_LIMIT):
        parser.feed(block)
    return found


def blocks(archive: zipfile.ZipFile, part: str, limit: int) -> Iterator[bytes]:
    """The bytes of a part, and an empty end. Nothing where the workbook has no such part."""
    try:
        info = archive.getinfo(part)
    except KeyError:
        return
    if info.file_size > limit:
        raise too_large(
            _("The workbook unpacks to %(size)d MB, which is too large. Save it as CSV and import that.")
            % {"size": info.file_size // 2**20}
        )
    if info.flag_bits & 0x1 or info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise unreadable(damaged())
    try:
        with archive.open(info) as content:
            while block := content.read(_BLOCK):
                yield block
    except _DAMAGED:
        raise unreadable(damaged()) from None
    yield b""


def whole(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else default
