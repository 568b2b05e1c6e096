"""The table of shared strings, which cells refer to by number, in bounded memory."""

from __future__ import annotations

import bisect
import re
import zipfile
from array import array
from collections.abc import Iterator
from functools import lru_cache
from typing import IO

from dedup.imports.files.xlsx.parts import XmlParser, blocks

STRINGS_LIMIT = 2**30
"""Bytes of XML of the table."""
CELL_LIMIT = 32_767
"""Characters of a cell: what spreadsheet programs allow."""


class SharedStrings:
    """The table by number, read as far as it is asked for and kept on the disk in blocks of some kilobytes.

    `_firsts` are the numbers of the first strings of the blocks, `_places` where on the disk these begin.
    """

    def __init__(self, archive: zipfile.ZipFile, part: str, spool: IO[bytes]) -> None:
        self._source = _strings(archive, part)
        self._spool = spool
        self._firsts = array("Q")
        self._places = array("Q")
        self._count = 0
        self._block = lru_cache(maxsize=512)(self._read)

    def __getitem__(self, index: int) -> str:
        while index >= self._count:
            if not self._store():
                raise IndexError(index)
        block = bisect.bisect_right(self._firsts, index) - 1
        return self._block(block)[index - self._firsts[block]]

    def _store(self) -> bool:
        """Put the next block on the disk; false at the end of the table."""
        texts: list[str] = []
        length = 0
        for text in self._source:
            texts.append(text)
            length += len(text) + 1
            if length > 4096:
                break
        if not texts:
            return False
        self._firsts.append(self._count)
        self._places.append(self._spool.seek(0, 2))
        self._spool.write("\0".join(texts).encode())
        self._count += len(texts)
        return True

    def _read(self, block: int) -> list[str]:
        start = self._places[block]
        end = self._places[block + 1] if block + 1 < len(self._places) else None
        self._spool.seek(start)
        return self._spool.read(-1 if end is None else end - start).decode().split("\0")


def _strings(archive: zipfile.ZipFile, part: str) -> Iterator[str]:
    """The strings in their order. Phonetic hints (`rPh`) do not belong to them."""
    ready: list[str] = []
    taken = CellText()
    inside = {"t": False, "rPh": False}

    def start(name: str, _attributes: dict[str, str]) -> None:
        if name == "si":
            taken.clear()
        elif name in inside:
            inside[name] = True
        parser.expat.CharacterDataHandler = taken.add if inside["t"] and not inside["rPh"] else None

    def end(name: str) -> None:
        if name in inside:
            inside[name] = False
            parser.expat.CharacterDataHandler = None
        elif name == "si":
            ready.append(unescaped(taken.text()))

    parser = XmlParser(start, end)
    for block in blocks(archive, part, STRINGS_LIMIT):
        parser.feed(block)
        yield from ready
        ready.clear()


_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


def unescaped(text: str) -> str:
    """The text with characters that XML does not allow put back: `_x000D_` is a carriage return, `_x005F_` an
    underscore (ECMA-376, ST_Xstring). Halves of characters and NUL, which no text holds, stay as written.
    """
    return _ESCAPED.sub(_character, text) if "_x" in text else text


def _character(match: re.Match[str]) -> str:
    code = int(match[1], 16)
    return match[0] if code == 0 or 0xD800 <= code <= 0xDFFF else chr(code)


class CellText:
    """The text of a cell while it comes in, cut off one character beyond the limit."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self._parts: list[str] = []
        self._left = CELL_LIMIT + 1

    def add(self, text: str) -> None:
        if self._left > 0:
            self._parts.append(text[: self._left])
            self._left -= len(text)

    def text(self) -> str:
        return "".join(self._parts)
