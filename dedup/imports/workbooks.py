"""XLSX, row by row, in bounded memory: the sheet and the shared texts are read as streams.

A workbook is XML from strangers: document types and entities are refused, and so is whatever would make the
parser hold more than a row.
"""

from __future__ import annotations

import bisect
import posixpath
import re
import tempfile
import zipfile
import zlib
from array import array
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from typing import IO, BinaryIO, NamedTuple
from xml.parsers import expat

from django.utils.translation import gettext as _

from customers.spreadsheets import plain_cell
from dedup.imports.containers import opened_zip
from dedup.imports.formats import FileRow, column_names, fitted, too_large, unreadable

SHEET_LIMIT = 4 * 2**30
"""Bytes of XML of a sheet: a full one of a million rows and some fifty columns."""
TEXTS_LIMIT = 2**30
"""Bytes of XML of the shared texts."""
PART_LIMIT = 16 * 2**20
"""Bytes of XML of any other part."""
CELL_LIMIT = 32_767
"""Characters of a cell, as spreadsheets have it."""
_TOKEN_LIMIT = 2**22
_DEPTH_LIMIT = 32
_NAMES_LIMIT = 1000
_BLOCK = 2**16

_DAMAGED = (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError)


class Workbook(NamedTuple):
    """`sheets` are the visible ones by name, with their place in the archive."""

    archive: zipfile.ZipFile
    sheets: Mapping[str, str]
    texts: _Texts
    dates: Mapping[str, _DateParts]
    is_from_1904: bool


class _DateParts(NamedTuple):
    """What a number format shows of a moment."""

    date: bool
    time: bool


class _Parser:
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
            raise unreadable(_damaged()) from None
        if self._fed - self.expat.CurrentByteIndex > _TOKEN_LIMIT:
            raise too_large(_("The workbook holds a cell that is too large to be read."))

    def _started(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEPTH_LIMIT:
            raise unreadable(_damaged())
        local = self._local.get(name)
        if local is None:
            local = self._local[name] = name.rpartition(":")[2]
            if len(self._local) > _NAMES_LIMIT:
                raise unreadable(_damaged())
        self._start(local, attributes)

    def _ended(self, name: str) -> None:
        self._depth -= 1
        self._end(self._local[name])


def _refuse_document_type(*_arguments: object) -> None:
    raise unreadable(_("The workbook holds a document type, which no spreadsheet program writes."))


def _damaged() -> str:
    return str(_("The workbook is damaged. Open it in a spreadsheet program and save it again."))


@contextmanager
def opened(file: BinaryIO) -> Iterator[Workbook]:
    with opened_zip(file) as archive, tempfile.TemporaryFile() as spool:
        book = _main_part(archive)
        folder = posixpath.dirname(book)
        related = _relations(archive, book)
        start = _elements(archive, book)
        is_from_1904 = any(n == "workbookPr" and a.get("date1904") in {"1", "true"} for n, a in start)
        sheets = {
            attributes.get("name", ""): related[relation].target
            for name, attributes in start
            if name == "sheet" and attributes.get("state", "visible") == "visible"
            if (relation := _relation_id(attributes)) in related
        }
        parts = {relation.type: relation.target for relation in related.values()}
        texts = parts.get("sharedStrings", posixpath.join(folder, "sharedStrings.xml"))
        styles = parts.get("styles", posixpath.join(folder, "styles.xml"))
        dates = _date_styles(archive, styles)
        yield Workbook(archive, sheets, _Texts(archive, texts, spool), dates, is_from_1904)


class _Relation(NamedTuple):
    type: str
    target: str


def _main_part(archive: zipfile.ZipFile) -> str:
    for relation in _relations(archive, "").values():
        if relation.type == "officeDocument":
            return relation.target
    raise unreadable(_("This is not an Excel workbook (.xlsx)."))


def _relations(archive: zipfile.ZipFile, part: str) -> dict[str, _Relation]:
    """What a part of the workbook refers to, by ID."""
    folder, name = posixpath.split(part)
    found = _elements(archive, posixpath.join(folder, "_rels", f"{name}.rels"))
    return {
        attributes.get("Id", ""): _Relation(
            attributes.get("Type", "").rpartition("/")[2],
            posixpath.normpath(posixpath.join("/", folder, attributes.get("Target", ""))).lstrip("/"),
        )
        for name, attributes in found
        if name == "Relationship"
    }


def _relation_id(attributes: Mapping[str, str]) -> str:
    return next((value for name, value in attributes.items() if name.rpartition(":")[2] == "id"), "")


def _elements(archive: zipfile.ZipFile, part: str) -> list[tuple[str, dict[str, str]]]:
    """All elements of a small part, with their attributes."""
    found: list[tuple[str, dict[str, str]]] = []
    parser = _Parser(lambda name, attributes: found.append((name, attributes)), lambda _name: None)
    for block in _blocks(archive, part, PART_LIMIT):
        parser.feed(block)
    return found


def _blocks(archive: zipfile.ZipFile, part: str, limit: int) -> Iterator[bytes]:
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
        raise unreadable(_damaged())
    try:
        with archive.open(info) as content:
            while block := content.read(_BLOCK):
                yield block
    except _DAMAGED:
        raise unreadable(_damaged()) from None
    yield b""


class _Texts:
    """The texts that cells share, read as far as they are asked for and kept on the disk."""

    def __init__(self, archive: zipfile.ZipFile, part: str, spool: IO[bytes]) -> None:
        self._source = _texts(archive, part)
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
        """Put the next texts on the disk, some kilobytes at a time."""
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


def _texts(archive: zipfile.ZipFile, part: str) -> Iterator[str]:
    """The shared texts in their order; how to pronounce them does not belong to them."""
    ready: list[str] = []
    taken = _Text()
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
            ready.append(taken.text())

    parser = _Parser(start, end)
    for block in _blocks(archive, part, TEXTS_LIMIT):
        parser.feed(block)
        yield from ready
        ready.clear()


class _Text:
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


def records(book: Workbook, sheet: str) -> Iterator[FileRow]:
    """The rows of a sheet, the header first. Blank ones are left out."""
    found = _sheet_rows(book, book.sheets[sheet])
    for line, cells, fault in found:
        names = column_names(_listed(cells, 0))
        if names or fault:
            yield FileRow(line, names, fault)
            break
    else:
        return
    width = len(names)
    for line, cells, fault in found:
        listed = _listed(cells, width)
        if fault:
            yield FileRow(line, tuple(listed), fault)
        elif row := fitted(line, listed, width):
            yield row


def _listed(cells: Mapping[int, str], width: int) -> list[str]:
    """At least `width` cells; more where something stands further right."""
    last = max((at for at, text in cells.items() if text), default=-1)
    return [cells.get(at, "") for at in range(max(width, last + 1))]


class _Row(NamedTuple):
    line: int
    cells: dict[int, str]
    fault: str | None


class _SheetReader:
    """Takes the elements of a sheet and makes rows of them."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._parser = _Parser(self._start, self._end)
        self.feed = self._parser.feed
        self.ready: list[_Row] = []
        self._text = _Text()
        self._line = 0
        self._column = -1
        self._cells: dict[int, str] = {}
        self._fault: str | None = None
        self._type = self._style = ""
        self._has_formula = False
        self._columns: dict[str, int] = {}

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            self._start_cell(attributes)
        elif name in {"v", "t"}:
            self._parser.expat.CharacterDataHandler = self._text.add
        elif name == "f":
            self._has_formula = True
        elif name == "row":
            self._line = _whole(attributes.get("r"), self._line + 1)
            self._cells, self._fault, self._column = {}, None, -1

    def _start_cell(self, attributes: dict[str, str]) -> None:
        reference = attributes.get("r")
        self._column = self._column_of(reference) if reference else self._column + 1
        self._type = attributes.get("t", "n")
        self._style = attributes.get("s", "0")
        self._has_formula = False
        self._text.clear()

    def _column_of(self, reference: str) -> int:
        letters = reference.rstrip("0123456789")
        found = self._columns.get(letters)
        if found is None:
            found = self._columns[letters] = _column_number(letters)
        return found

    def _end(self, name: str) -> None:
        if name in {"v", "t"}:
            self._parser.expat.CharacterDataHandler = None
        elif name == "c":
            self._end_cell()
        elif name == "row":
            self.ready.append(_Row(self._line, self._cells, self._fault))

    def _end_cell(self) -> None:
        raw = self._text.text()
        if raw:
            self._cells[self._column] = text = plain_cell(self._value(raw))
            if len(text) > CELL_LIMIT:
                self._cells[self._column] = ""
                self._note(_("Column %(column)s: the cell is longer than %(n)d characters."), n=CELL_LIMIT)
            elif self._type == "e":
                self._note(_("Column %(column)s: the formula came out as %(error)s."), error=text)
        elif self._has_formula and self._type != "str":
            self._note(
                _("Column %(column)s: the formula has no value. Save the file in a spreadsheet program.")
            )

    def _note(self, fault: str, **data: object) -> None:
        self._fault = self._fault or fault % {"column": _letters(self._column), **data}

    def _value(self, raw: str) -> str:
        match self._type:
            case "s":
                return self._shared(raw)
            case "n":
                parts = self._book.dates.get(self._style)
                return moment_text(raw, parts, self._book.is_from_1904) if parts else number_text(raw)
            case "b":
                return {"1": "true", "0": "false"}.get(raw, raw)
            case _:
                return raw

    def _shared(self, raw: str) -> str:
        try:
            return self._book.texts[int(raw)]
        except (ValueError, IndexError, UnicodeDecodeError):
            raise unreadable(_damaged()) from None


def _sheet_rows(book: Workbook, part: str) -> Iterator[_Row]:
    reader = _SheetReader(book)
    for block in _blocks(book.archive, part, SHEET_LIMIT):
        reader.feed(block)
        yield from reader.ready
        reader.ready.clear()


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else default


def _column_number(letters: str) -> int:
    """0 for A, 26 for AA. Beyond what a sheet can have, the file is damaged."""
    number = 0
    if not re.fullmatch("[A-Z]{1,3}", letters):
        raise unreadable(_damaged())
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _letters(column: int) -> str:
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def number_text(raw: str) -> str:
    """A number in plain form, as a phone or an ID is written: 1.0 as 1, 4.9123E+11 as 491230000000."""
    if raw.isdigit() and raw.isascii() and len(raw) < 16:
        return raw
    try:
        number = Decimal(repr(float(raw)))
    except ValueError:
        return raw
    if not number.is_finite() or abs(number.adjusted()) > 30:
        return raw
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def moment_text(raw: str, parts: _DateParts, is_from_1904: bool) -> str:
    """A day number as an ISO date, with or without a time, or a time alone."""
    try:
        days = float(raw)
        moment = _epoch(days, is_from_1904) + timedelta(seconds=round(days * 86400))
    except (ValueError, OverflowError):
        return number_text(raw)
    if not parts.date or (days < 1 and parts.time):
        return moment.time().isoformat()
    return moment.isoformat() if days % 1 else moment.date().isoformat()


def _epoch(days: float, is_from_1904: bool) -> datetime:
    """Spreadsheets hold 1900 for a leap year, so that days before its March count from one day later."""
    if is_from_1904:
        return datetime(1904, 1, 1)  # noqa: DTZ001 - a spreadsheet's moments have no time zone
    return datetime(1899, 12, 31 if days < 60 else 30)  # noqa: DTZ001


_BUILT_IN: Mapping[int, _DateParts] = dict(
    chain(
        ((at, _DateParts(date=True, time=False)) for at in (14, 15, 16, 17, *range(27, 37), *range(50, 59))),
        ((at, _DateParts(date=False, time=True)) for at in (18, 19, 20, 21, 45, 46, 47)),
        [(22, _DateParts(date=True, time=True))],
    )
)
_LITERALS = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')


def _date_styles(archive: zipfile.ZipFile, part: str) -> dict[str, _DateParts]:
    """The cell styles, by number, that show a date or a time."""
    found = _elements(archive, part)
    formats = {
        _whole(attributes.get("numFmtId"), -1): _shown_parts(attributes.get("formatCode", ""))
        for name, attributes in found
        if name == "numFmt"
    }
    names = [name for name, _attributes in found]
    if "cellXfs" not in names:
        return {}
    styles = [a for name, a in found[names.index("cellXfs") :] if name == "xf"]
    known = {**_BUILT_IN, **formats}
    parts = ((at, known.get(_whole(style.get("numFmtId"), 0))) for at, style in enumerate(styles))
    return {str(at): shown for at, shown in parts if shown and (shown.date or shown.time)}


def _shown_parts(code: str) -> _DateParts:
    shown = _LITERALS.sub("", code).lower().partition(";")[0]
    if "general" in shown:
        return _DateParts(date=False, time=False)
    time = "h" in shown or "s" in shown
    return _DateParts(date="d" in shown or "y" in shown or ("m" in shown and not time), time=time)
