"""XLSX, row by row, in bounded memory: the sheet and the shared texts are read as streams."""

from __future__ import annotations

import posixpath
import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple

from django.utils.translation import gettext as _

from customers.presentation.csv import plain_cell
from dedup.imports.files.containers import opened_zip
from dedup.imports.files.formats import FileRow, column_names, fitted, unreadable
from dedup.imports.files.xlsx.parts import (
    Parser,
    blocks,
    damaged,
    elements,
    main_part,
    relation_id,
    relations,
    whole,
)
from dedup.imports.files.xlsx.shared_strings import CELL_LIMIT, Text, Texts
from dedup.imports.files.xlsx.values import DateParts, date_styles, moment_text, number_text

SHEET_LIMIT = 4 * 2**30
"""Bytes of XML of a sheet: a full one of a million rows and some fifty columns."""


class Workbook(NamedTuple):
    """`sheets` are the visible ones by name, with their place in the archive."""

    archive: zipfile.ZipFile
    sheets: Mapping[str, str]
    texts: Texts
    dates: Mapping[str, DateParts]
    is_from_1904: bool


@contextmanager
def opened(file: BinaryIO) -> Iterator[Workbook]:
    with opened_zip(file) as archive, tempfile.TemporaryFile() as spool:
        book = main_part(archive)
        folder = posixpath.dirname(book)
        related = relations(archive, book)
        start = elements(archive, book)
        is_from_1904 = any(n == "workbookPr" and a.get("date1904") in {"1", "true"} for n, a in start)
        sheets = {
            attributes.get("name", ""): related[relation].target
            for name, attributes in start
            if name == "sheet" and attributes.get("state", "visible") == "visible"
            if (relation := relation_id(attributes)) in related
        }
        parts = {relation.type: relation.target for relation in related.values()}
        texts = parts.get("sharedStrings", posixpath.join(folder, "sharedStrings.xml"))
        styles = parts.get("styles", posixpath.join(folder, "styles.xml"))
        dates = date_styles(archive, styles)
        yield Workbook(archive, sheets, Texts(archive, texts, spool), dates, is_from_1904)


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
        self._parser = Parser(self._start, self._end)
        self.feed = self._parser.feed
        self.ready: list[_Row] = []
        self._text = Text()
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
            self._line = whole(attributes.get("r"), self._line + 1)
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
            raise unreadable(damaged()) from None


def _sheet_rows(book: Workbook, part: str) -> Iterator[_Row]:
    reader = _SheetReader(book)
    for block in blocks(book.archive, part, SHEET_LIMIT):
        reader.feed(block)
        yield from reader.ready
        reader.ready.clear()


def _column_number(letters: str) -> int:
    """0 for A, 26 for AA. Beyond what a sheet can have, the file is damaged."""
    number = 0
    if not re.fullmatch("[A-Z]{1,3}", letters):
        raise unreadable(damaged())
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
