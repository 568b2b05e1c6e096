"""CSV and its relatives, row by row, as fast as the standard library reads them and in bounded memory.

A row that cannot be read costs itself and no other: where a quotation mark is never closed, the rows it would
have swallowed are read again.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain
from typing import BinaryIO

from django.utils.translation import gettext as _

from dedup.imports.files.encodings import label
from dedup.imports.files.formats import FileRow, plain

BLOCK = 2**18
LINE_LIMIT = 2**20
"""Characters of a physical line."""
ROW_LIMIT = 2**23
"""Characters of a row of many lines."""
SHOWN = 1000
"""Characters that are shown of a line that could not be read."""
CELL_LIMIT = 131_072
"""Characters of a cell: the standard library's own limit."""

DELIMITERS = (",", ";", "\t", "|", "^", "~", ":", "\x1f", "\x01", "¦", "§", "#", "*")
"""The likely ones, the likeliest first."""

_MARK_INVALID = "dedup.imports.mark_invalid"
_INVALID = re.compile("[\udc00-\udcff]")
_ESCAPED = re.compile(r"'[=+\-@＝＋－＠\t\r\n'\"\d]|\\N")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_SEPARATOR_LINE = re.compile(r"\"?sep=(.)\"?\s*", re.IGNORECASE)


def _mark_invalid(error: UnicodeError) -> tuple[str, int]:
    """A byte that is not of the encoding becomes a character that is in no text, and is known by it later."""
    assert isinstance(error, UnicodeDecodeError)
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(_MARK_INVALID, _mark_invalid)


def _is_clean(text: str) -> bool:
    """Whether no cell in it has to be looked at."""
    return "\0" not in text and not _ESCAPED.search(text) and (text.isascii() or not _INVALID.search(text))


class _RowTooLongError(Exception):
    """A quoted cell goes on for more lines than any row has."""


class _Lines:
    """The physical lines in lists, one per block of the file.

    Lists are kept as long as the row being read, which begins at line `begun`, may have to be read again.
    `is_clean` until there was anything that a plain line does not have.
    """

    def __init__(self, content: BinaryIO, encoding: str) -> None:
        self._content = content
        self._decode = codecs.getincrementaldecoder(encoding)(errors=_MARK_INVALID).decode
        self._rest: list[str] = []
        self._rest_length = 0
        self._kept: deque[tuple[int, list[str]]] = deque()
        self._next_line = 1
        self._at_end = False
        self.begun = 1
        self.is_clean = True
        self.overlong: set[int] = set()

    def __iter__(self) -> Iterator[list[str]]:
        return self

    def __next__(self) -> list[str]:
        while self._kept and self._kept[0][0] + len(self._kept[0][1]) <= self.begun:
            self._kept.popleft()
        if sum(sum(map(len, lines)) for _first, lines in self._kept) > ROW_LIMIT:
            raise _RowTooLongError
        lines = self._read()
        self._kept.append((self._next_line, lines))
        self._next_line += len(lines)
        return lines

    def again_from(self, line: int) -> Iterator[str]:
        """The lines from that one on, once more as far as they were read already."""
        for first, lines in tuple(self._kept):
            for at in range(max(line - first, 0), len(lines)):
                yield lines[at]
        yield from chain.from_iterable(self)

    def text(self, line: int) -> str:
        """The physical line as it stands in the file, or the beginning of it."""
        for first, lines in self._kept:
            if first <= line < first + len(lines):
                return _UNSTORABLE.sub("\ufffd", lines[line - first].rstrip("\r\n"))[:SHOWN]
        return ""

    def forget(self) -> int:
        """Give up what was read so far; the number of the next line."""
        self._kept.clear()
        return self._next_line

    def _read(self) -> list[str]:
        while not self._at_end:
            block = self._content.read(BLOCK)
            self._at_end = not block
            text = self._decode(block, final=self._at_end)
            if self.is_clean and not _is_clean(text):
                self.is_clean = False
            if lines := self._split(text):
                return lines
        raise StopIteration

    def _split(self, text: str) -> list[str]:
        """The lines that are complete. One that is too long is left blank."""
        if "\n" not in text and "\r" not in text and not self._at_end:
            self._add_to_rest(text)
            return []
        begun = "".join(self._rest)
        lines = io.StringIO(begun + text, newline="").readlines()
        if self._rest_length > LINE_LIMIT:
            self.is_clean = False
            self.overlong.add(self._next_line)
            lines[0] = "\n"
        self._rest, self._rest_length = [], 0
        if lines and not self._at_end and not lines[-1].endswith("\n"):
            self._add_to_rest(lines.pop())
        return lines

    def _add_to_rest(self, text: str) -> None:
        self._rest_length += len(text)
        if self._rest_length <= LINE_LIMIT:
            self._rest.append(text)


def records(content: BinaryIO, encoding: str, delimiter: str) -> Iterator[FileRow]:
    """The rows from the first line on, whatever their width, but for a line `sep=;` at the top."""
    found = _records(_Lines(content, encoding), label(encoding), delimiter)
    for row in found:
        if not _SEPARATOR_LINE.fullmatch(delimiter.join(row.cells)):
            yield row
        break
    yield from found


def _records(lines: _Lines, encoding: str, delimiter: str) -> Iterator[FileRow]:
    """Every row that is not blank, whatever its width."""
    make = tuple.__new__  # four times as fast as the constructor of a named tuple
    offset = 1
    source: Iterator[str] = chain.from_iterable(lines)
    reader = csv.reader(source, delimiter=delimiter, strict=True)
    while True:
        try:
            for cells in reader:
                line, lines.begun = lines.begun, offset + reader.line_num
                if not lines.is_clean:
                    yield from _watched(lines, line, cells, encoding)
                elif cells:
                    yield make(FileRow, (line, tuple(cells), None))
            return
        except csv.Error as error:
            line, lines.begun = lines.begun, lines.begun + 1
            spans_lines = offset + reader.line_num > lines.begun
            yield FileRow(line, (lines.text(line),), _unreadable(error, spans_lines=spans_lines))
            if not spans_lines:
                continue
            source = lines.again_from(lines.begun)
        except _RowTooLongError:
            fault = _("The row is longer than %(n)d characters.") % {"n": ROW_LIMIT}
            yield FileRow(lines.begun, (lines.text(lines.begun),), fault)
            lines.begun = lines.forget()
            source = lines.again_from(lines.begun)
        offset = lines.begun
        reader = csv.reader(source, delimiter=delimiter, strict=True)


def _unreadable(error: csv.Error, *, spans_lines: bool) -> str:
    reason = str(error)
    if reason == "unexpected end of data" or (spans_lines and reason.startswith("field larger")):
        return _("A quotation mark opens a cell in this row and is never closed.")
    if reason.startswith("field larger"):
        return _("A cell of the row is longer than %(n)d characters.") % {"n": CELL_LIMIT}
    return _("A quotation mark stands inside a quoted cell. Write it twice, or leave it out.")


def _watched(lines: _Lines, line: int, cells: Sequence[str], encoding: str) -> Iterator[FileRow]:
    """A row of a file in which something was wrong: here, or somewhere above."""
    if lines.overlong and any(at in lines.overlong for at in range(line, lines.begun)):
        yield FileRow(line, (), _("The line is longer than %(n)d characters.") % {"n": LINE_LIMIT})
    elif fault := _unstorable(cells, encoding):
        yield FileRow(line, tuple(_UNSTORABLE.sub("\ufffd", cell) for cell in cells), fault)
    elif cells:
        yield FileRow(line, tuple(map(plain, cells)))


def _unstorable(cells: Sequence[str], encoding: str) -> str | None:
    for at, cell in enumerate(cells, 1):
        if match := _UNSTORABLE.search(cell):
            if match[0] == "\0":
                return _("Cell %(number)d holds a NUL byte, which is in no text.") % {"number": at}
            return _(
                "Cell %(number)d, character %(place)d: the byte 0x%(byte)02X is not %(encoding)s. "
                "Save the file as UTF-8, or say which encoding it has."
            ) % {
                "number": at,
                "place": match.start() + 1,
                "byte": ord(match[0]) & 0xFF,
                "encoding": encoding,
            }
    return None


def is_delimiter(text: str) -> bool:
    """Whether a file can be delimited by it: any one character that is no letter, digit or quotation mark."""
    return len(text) == 1 and not text.isalnum() and text not in '"\r\n\0'


def likely_delimiter(text: str, header_row: int | None = None) -> str:
    """The delimiter by which most rows at the beginning of a file have as many cells as the header, or as
    most others have, where lines stand above it.
    """
    if match := _SEPARATOR_LINE.fullmatch(text.split("\n", 1)[0]):
        return match[1]
    text = "\n".join(text.splitlines()[(header_row or 1) - 1 :])
    return max(DELIMITERS, key=lambda delimiter: _regularity(text, delimiter))


def _regularity(text: str, delimiter: str) -> tuple[float, int, float, int]:
    widths = _widths(text, delimiter)
    if not widths:
        return 0.0, 0, 0.0, 0
    counted = Counter(widths)
    usual = max(counted, key=lambda width: (counted[width], width))
    by_header = (round(counted[widths[0]] / len(widths), 1), widths[0]) if widths[0] > 1 else (0.0, 0)
    return *by_header, *((round(counted[usual] / len(widths), 1), usual) if usual > 1 else (0.0, 0))


def _widths(text: str, delimiter: str) -> list[int]:
    widths: list[int] = []
    with suppress(csv.Error):
        found = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        widths.extend(len(cells) for cells in found if any(cells))
    # The last line may be cut off.
    return widths[:-1] if len(widths) > 2 else widths
