"""A workbook and the rows of its sheets, read as streams: neither a sheet nor the shared strings are held."""

from __future__ import annotations

import posixpath
import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from dedup.imports.files.xlsx.parts import (
    XmlParser,
    blocks,
    elements,
    main_part,
    relation_id,
    relations,
    whole_number,
)
from dedup.imports.files.xlsx.problems import CellFault, CellProblem, damaged
from dedup.imports.files.xlsx.shared_strings import CELL_LIMIT, CellText, SharedStrings, unescaped
from dedup.imports.files.xlsx.values import DateParts, cell_styles, moment_text, number_text, pictured

SHEET_LIMIT = 4 * 2**30
"""Bytes of XML of a sheet: a full one of a million rows and some fifty columns."""


class SheetRow(NamedTuple):
    """A row as it stands in the sheet. `line` is its number there, the first being 1; `cells` are the ones
    with something in them, by column counted from 0. With a `fault` one of them has no proper value.
    """

    line: int
    cells: dict[int, str]
    fault: CellFault | None = None


class Workbook(NamedTuple):
    """`sheets` are the visible ones by name, with their paths in the archive; `styles` the cell styles that
    show a date or a time, or a number by a picture of zeros. `is_from_1904`: days are counted from 1904, as
    old Macs did.
    """

    archive: zipfile.ZipFile
    sheets: Mapping[str, str]
    strings: SharedStrings
    styles: Mapping[str, DateParts | str]
    is_from_1904: bool

    def rows(self, sheet: str) -> Iterator[SheetRow]:
        """The rows of a sheet from top to bottom. Raises `WorkbookError` where it can be read no further."""
        reader = _SheetReader(self)
        for block in blocks(self.archive, self.sheets[sheet], SHEET_LIMIT):
            reader.feed(block)
            yield from reader.ready
            reader.ready.clear()


@contextmanager
def open_workbook(archive: zipfile.ZipFile) -> Iterator[Workbook]:
    """The workbook in an open ZIP archive. Raises `WorkbookError` where there is none."""
    with tempfile.TemporaryFile() as spool:
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
        strings = parts.get("sharedStrings", posixpath.join(folder, "sharedStrings.xml"))
        styles = parts.get("styles", posixpath.join(folder, "styles.xml"))
        yield Workbook(
            archive,
            sheets,
            SharedStrings(archive, strings, spool),
            cell_styles(archive, styles),
            is_from_1904,
        )


class _SheetReader:
    """Makes rows of the elements of a sheet; `ready` are those that are complete."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._parser = XmlParser(self._start, self._end)
        self.feed = self._parser.feed
        self.ready: list[SheetRow] = []
        self._text = CellText()
        self._line = 0
        self._column = -1
        self._cells: dict[int, str] = {}
        self._fault: CellFault | None = None
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
            self._line = whole_number(attributes.get("r"), self._line + 1)
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
            self.ready.append(SheetRow(self._line, self._cells, self._fault))

    def _end_cell(self) -> None:
        raw = self._text.text()
        if raw:
            self._cells[self._column] = text = self._value(raw)
            if len(text) > CELL_LIMIT:
                self._cells[self._column] = ""
                self._note(CellProblem.TOO_LONG)
            elif self._type == "e":
                self._note(CellProblem.FORMULA_ERROR, text)
        elif self._has_formula and self._type != "str":
            self._note(CellProblem.FORMULA_WITHOUT_VALUE)

    def _note(self, problem: CellProblem, text: str = "") -> None:
        """The first fault of a row is the one that is told."""
        self._fault = self._fault or CellFault(problem, _letters(self._column), text)

    def _value(self, raw: str) -> str:
        match self._type:
            case "s":
                return self._shared(raw)
            case "n":
                return self._number(raw)
            case "b":
                return {"1": "true", "0": "false"}.get(raw, raw)
            case _:
                return unescaped(raw)

    def _number(self, raw: str) -> str:
        match self._book.styles.get(self._style):
            case None:
                return number_text(raw)
            case str() as picture:
                return pictured(raw, picture)
            case parts:
                return moment_text(raw, parts, self._book.is_from_1904)

    def _shared(self, raw: str) -> str:
        try:
            return self._book.strings[int(raw)]
        except (ValueError, IndexError, UnicodeDecodeError):
            raise damaged() from None


def _column_number(letters: str) -> int:
    """0 for A, 26 for AA. Beyond what a sheet can have, the file is damaged."""
    number = 0
    if not re.fullmatch("[A-Z]{1,3}", letters):
        raise damaged()
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
