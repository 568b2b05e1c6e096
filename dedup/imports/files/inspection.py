"""From a file on disk to rows of text: what kind of file it is, and its rows one by one.

Pure reading: no database. Memory stays bounded at any size of the file.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.errors import invalid
from dedup.imports.files import delimited, encodings, workbooks
from dedup.imports.files.containers import GZIP, ZIP, content, only_member, opened_zip, seekable
from dedup.imports.files.formats import (
    Container,
    FileFormat,
    FileRow,
    Inspected,
    Layout,
    below_header,
    unreadable,
)
from dedup.imports.files.habits import by_habits, with_habits
from dedup.imports.files.xlsx import Workbook

__all__ = ["FileFormat", "FileRow", "Inspected", "inspect", "rows"]

HEADER_WITHIN = 30
"""Lines within which the column names are looked for."""
BEGINNING = 1000
"""Rows that are read to tell what the file is."""
HEAD = 2**16
"""Bytes by which a file's kind and its delimiter are known."""
SCANNED = 64 * 2**20
"""Bytes that are looked through for the encoding, so that one name far down does not come as a surprise."""

_FOREIGN = {
    b"\xd0\xcf\x11\xe0": gettext_lazy("an old Excel workbook (.xls) or one with a password"),
    b"%PDF": gettext_lazy("a PDF"),
    b"\x89PNG": gettext_lazy("a picture"),
    b"\xff\xd8\xff": gettext_lazy("a picture"),
    b"GIF8": gettext_lazy("a picture"),
    b"7z\xbc\xaf": gettext_lazy("a 7-Zip file"),
    b"Rar!": gettext_lazy("a RAR file"),
    b"BZh": gettext_lazy("a bzip2 file"),
    b"\xfd7zXZ": gettext_lazy("an XZ file"),
    b"\x28\xb5\x2f\xfd": gettext_lazy("a Zstandard file"),
    b"SQLite format": gettext_lazy("a database"),
    b"PAR1": gettext_lazy("a Parquet file"),
    b"{": gettext_lazy("JSON"),
    b"[{": gettext_lazy("JSON"),
    b"<": gettext_lazy("XML or a web page"),
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the sender says of the file, in place of what would be detected."""

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    header_row: int | None = None
    by_position: bool = False


def inspect(
    path: Path,
    name: str,
    chosen: Chosen | None = None,
) -> Inspected:
    """What a file is, by its content, and by what its sender has `chosen`; `name` is what they called it.

    Raises `validation_error` or `too_large` where it cannot be imported, with a sentence that says why.
    """
    chosen = chosen or Chosen()
    container, layout = _kind(path)
    describe = _workbook_format if layout == "xlsx" else _text_format
    file_format, warnings = describe(path, container, chosen)
    file_format = replace(file_format, header_row=chosen.header_row, by_position=chosen.by_position)
    first = tuple(first_lines(path, file_format))
    with _lines(path, file_format) as lines:
        found = list(islice(below_header(lines, file_format, []), BEGINNING + 1))
    header = _header(found, chosen.header_row)
    body = tuple(row.cells for row in found[1:] if row.fault is None)
    warnings = [*_name_warnings(name, layout), *warnings, *_header_warnings(header)]
    return Inspected(with_habits(file_format, body), header, body, tuple(warnings), first)


def first_lines(path: Path, file_format: FileFormat) -> list[FileRow]:
    """The first lines as they stand there, in which the column names are looked for."""
    with _lines(path, file_format) as lines:
        return list(islice(lines, HEADER_WITHIN))


def rows(path: Path, file_format: FileFormat, repeated: list[int] | None = None) -> Iterator[FileRow]:
    """The rows below the header, one by one; blank ones are left out, and column names that stand again,
    whose lines go to `repeated`. Raises `validation_error` or `too_large` at the place where the file can be
    read no further.
    """
    with _lines(path, file_format) as lines:
        found = below_header(lines, file_format, [] if repeated is None else repeated)
        if header := next(found, None):
            yield from by_habits(found, header.cells, file_format)


@contextmanager
def _lines(path: Path, file_format: FileFormat) -> Iterator[Iterator[FileRow]]:
    """The rows from the top, as they stand there."""
    if file_format.layout == "xlsx":
        with seekable(path, file_format.container) as file, workbooks.opened(file) as book:
            yield workbooks.records(book, _sheet(book, file_format.sheet))
    else:
        with content(path, file_format.container) as file:
            encoding, delimiter = file_format.encoding or encodings.UTF_8, file_format.delimiter or ","
            yield delimited.records(file, encoding, delimiter)


def _header(first: list[FileRow], header_row: int | None) -> tuple[str, ...]:
    if not first and header_row:
        raise invalid(("options.header_row", _("The file has no such line.")))
    if not first:
        raise unreadable(_("The file is empty."))
    header = first[0]
    if header.fault:
        raise unreadable(_("The header cannot be read: %(fault)s") % {"fault": header.fault})
    if len(first) == 1:
        raise unreadable(_("The file holds column names and no rows."))
    return header.cells


def _kind(path: Path) -> tuple[Container, Layout]:
    with path.open("rb") as file:
        head = file.read(8)
    if head.startswith(GZIP):
        return "gzip", _unpacked_layout(path, "gzip")
    if not head.startswith(ZIP):
        return "plain", "delimited"
    with path.open("rb") as file, opened_zip(file) as archive:
        if _is_workbook(set(archive.namelist())):
            return "plain", "xlsx"
        only_member(archive)
    return "zip", _unpacked_layout(path, "zip")


def _unpacked_layout(path: Path, container: Container) -> Layout:
    with content(path, container) as file:
        head = file.read(4)
    if head.startswith(GZIP):
        raise unreadable(_("The file is packed twice. Pack it once."))
    if not head.startswith(ZIP):
        return "delimited"
    with seekable(path, container) as file, opened_zip(file) as archive:
        if not _is_workbook(set(archive.namelist())):
            raise unreadable(_("The file is packed twice. Pack it once."))
    return "xlsx"


_OTHER_OFFICE = {"word/document.xml", "ppt/presentation.xml", "xl/workbook.bin"}


def _is_workbook(members: set[str]) -> bool:
    if "[Content_Types].xml" in members:
        if members & _OTHER_OFFICE:
            raise unreadable(_("This is another kind of Office file. Save it as an Excel workbook (.xlsx)."))
        return True
    if "mimetype" in members:
        raise unreadable(_("This is an OpenDocument file. Save it as an Excel workbook (.xlsx) or as CSV."))
    return False


Described = tuple[FileFormat, list[str]]
"""The format, and what is to be warned of."""


def _workbook_format(path: Path, container: Container, chosen: Chosen) -> Described:
    with seekable(path, container) as file, workbooks.opened(file) as book:
        sheet, sheets = _sheet(book, chosen.sheet), tuple(book.sheets)
    others = [name for name in sheets if name != sheet]
    warning = _(
        "Only the sheet “%(sheet)s” is read. The workbook has others: %(others)s. "
        "The option sheet chooses another one."
    )
    is_asked = others and not chosen.sheet
    warnings = [warning % {"sheet": sheet, "others": ", ".join(others[:5])}] if is_asked else []
    return FileFormat(container, "xlsx", sheet=sheet, sheets=sheets), warnings


def _sheet(book: Workbook, name: str | None) -> str:
    """The sheet of that name; without one, the first."""
    if name is None and book.sheets:
        return next(iter(book.sheets))
    if name is None:
        raise unreadable(_("The workbook has no sheet."))
    if name not in book.sheets:
        raise invalid(("options.sheet", _("The workbook has no visible sheet of this name.")))
    return name


def _text_format(path: Path, container: Container, chosen: Chosen) -> Described:
    with content(path, container) as file:
        head = file.read(HEAD)
        _refuse_foreign(head)
        encoding = chosen.encoding
        found, warnings = (_marked(encoding, head), []) if encoding else _encoding(head, file)
    text = codecs.getincrementaldecoder(found)(errors="replace").decode(head)
    _refuse_binary(text)
    delimiter = chosen.delimiter
    if delimiter and not delimited.is_delimiter(delimiter):
        raise invalid(("delimiter", _("A delimiter is one character, such as ; or a tab, and no letter.")))
    wanted = delimiter or delimited.likely_delimiter(text.lstrip("\ufeff"), chosen.header_row)
    return FileFormat(container, "delimited", encoding=found, delimiter=wanted), warnings


def _marked(encoding: str, head: bytes) -> str:
    found = encodings.known(encoding)
    if found is None:
        raise invalid(("encoding", encodings.unknown()))
    marked = encodings.by_mark(head)
    return marked if marked and marked.startswith(found[:6]) else found  # the mark tells the byte order


def _encoding(head: bytes, rest: BinaryIO) -> tuple[str, list[str]]:
    """By its beginning, and else by looking through most of it."""
    if found := encodings.by_mark(head) or encodings.by_zeros(head):
        return found, []
    evidence = encodings.gather(_scanned(head, rest))
    found = evidence.encoding()
    if found != encodings.UTF_8:
        advice = _(
            "The file is not UTF-8. It was read as %(encoding)s; look at the names, or set the encoding."
        )
        return found, [advice % {"encoding": encodings.label(found)}]
    if evidence.bad:
        return found, [_("Some bytes of the file are not UTF-8. The rows they are in will fail.")]
    return found, []


def _scanned(head: bytes, rest: BinaryIO) -> Iterator[bytes]:
    yield head
    left = SCANNED
    while left > 0 and (block := rest.read(2**20)):
        left -= len(block)
        yield block


def _refuse_foreign(head: bytes) -> None:
    if not head:
        raise unreadable(_("The file is empty."))
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:16]
    for mark, kind in _FOREIGN.items():
        if start.startswith(mark):
            detail = _("This is %(kind)s. Save the data as CSV or as an Excel workbook (.xlsx).")
            raise unreadable(detail % {"kind": kind})


def _refuse_binary(text: str) -> None:
    """What is no text at all: where one character of twenty is none."""
    strange = sum(
        1 for letter in text if letter == "\ufffd" or (letter < " " and letter not in "\t\r\n\x01\x1f")
    )
    if strange * 20 > len(text):
        raise unreadable(_("This is no text, or its encoding is unknown. Save the data as CSV in UTF-8."))


def _name_warnings(name: str, layout: Layout) -> list[str]:
    says_workbook = name.lower().endswith((".xlsx", ".xlsm", ".xls"))
    if says_workbook and layout == "delimited":
        return [_("The file is called an Excel workbook and is delimited text. It was read as that.")]
    if name.lower().endswith((".csv", ".tsv", ".txt")) and layout == "xlsx":
        return [_("The file is called text and is an Excel workbook. It was read as that.")]
    return []


def _header_warnings(header: tuple[str, ...]) -> list[str]:
    if any("@" in name or name.lstrip("+").replace(" ", "").isdigit() for name in header):
        return [_("The first line looks like data. It must hold the names of the columns.")]
    return []
