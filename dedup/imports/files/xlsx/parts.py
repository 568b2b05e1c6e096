"""The parts of a workbook: XML files in a ZIP archive, which refer to each other by relations.

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

from dedup.imports.files.xlsx.problems import WorkbookError, WorkbookProblem, damaged

PART_LIMIT = 16 * 2**20
"""Bytes of XML of a part that is read as a whole."""
_TOKEN_LIMIT = 2**22
_DEPTH_LIMIT = 32
_NAMES_LIMIT = 1000
_BLOCK = 2**16

_DAMAGED = (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError)


class XmlParser:
    """Expat with limits that no real workbook reaches. Names come without their namespace prefix."""

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
            raise damaged() from None
        if self._fed - self.expat.CurrentByteIndex > _TOKEN_LIMIT:
            raise WorkbookError(WorkbookProblem.CELL_TOO_LARGE)

    def _started(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEPTH_LIMIT:
            raise damaged()
        local = self._local.get(name)
        if local is None:
            local = self._local[name] = name.rpartition(":")[2]
            if len(self._local) > _NAMES_LIMIT:
                raise damaged()
        self._start(local, attributes)

    def _ended(self, name: str) -> None:
        self._depth -= 1
        self._end(self._local[name])


def _refuse_document_type(*_arguments: object) -> None:
    raise WorkbookError(WorkbookProblem.DOCUMENT_TYPE)


class Relation(NamedTuple):
    """What a part refers to: the last word of the relation's type, and the path of its target."""

    type: str
    target: str


def main_part(archive: zipfile.ZipFile) -> str:
    """The path of the part that lists the sheets. Raises `WorkbookError` where there is none."""
    for relation in relations(archive, "").values():
        if relation.type == "officeDocument":
            return relation.target
    raise WorkbookError(WorkbookProblem.NOT_A_WORKBOOK)


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
    parser = XmlParser(lambda name, attributes: found.append((name, attributes)), lambda _name: None)
    for block in blocks(archive, part, PART_LIMIT):
        parser.feed(block)
    return found


def blocks(archive: zipfile.ZipFile, part: str, limit: int) -> Iterator[bytes]:
    """The bytes of a part, then an empty block for its end; nothing where there is no such part. Raises
    `WorkbookError` where it is damaged or larger than `limit`.
    """
    try:
        info = archive.getinfo(part)
    except KeyError:
        return
    if info.file_size > limit:
        raise WorkbookError(WorkbookProblem.PART_TOO_LARGE, info.file_size)
    if info.flag_bits & 0x1 or info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise damaged()
    try:
        with archive.open(info) as content:
            while block := content.read(_BLOCK):
                yield block
    except _DAMAGED:
        raise damaged() from None
    yield b""


def whole_number(text: str | None, default: int) -> int:
    """The number in an attribute, `default` where there is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else default
