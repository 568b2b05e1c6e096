"""What is known of a file and of its rows: plain values, shared by all that read files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

from django.utils.translation import gettext as _

from customers.errors import ErrorCode, SelfsameError, invalid
from customers.presentation.csv import plain_cell

Container = Literal["plain", "gzip", "zip"]
Layout = Literal["delimited", "xlsx"]

COLUMN_LIMIT = 1000
NAME_LIMIT = 255
"""Characters of a column's name."""
NULL = "\\N"
"""What MySQL and PostgreSQL write for no value."""
_AROUND_NAMES = "\ufeff \t\r\n\xa0"


@dataclass(frozen=True, slots=True)
class FileFormat:
    """How a file is to be read. `encoding` and `delimiter` are of delimited text, `sheet` of a workbook that
    has these `sheets`.

    The column names are in the line `header_row`, by default the first that is not blank; with `by_position`
    they may occur twice. The last three say what the first rows tell of columns, by their places: all numbers
    of it are whole ones, some have a decimal comma, or are long and no payment cards.
    """

    container: Container
    layout: Layout
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    sheets: Sequence[str] = ()
    header_row: int | None = None
    by_position: bool = False
    whole_numbers: Sequence[int] = ()
    decimal_commas: Sequence[int] = ()
    long_numbers: Sequence[int] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FileFormat:
        return cls(**data)


@dataclass(frozen=True, slots=True)
class Inspected:
    """What the beginning of a file tells. `first_rows` are those of its first thousand that can be read,
    `first_lines` its first lines as they stand there.
    """

    format: FileFormat
    header: tuple[str, ...]
    first_rows: tuple[tuple[str, ...], ...]
    warnings: tuple[str, ...] = ()
    first_lines: tuple[FileRow, ...] = ()


class FileRow(NamedTuple):
    """A row as it stands in the file. `line` is where it begins there, the first line being 1.

    A row with a `fault` cannot be read, and its cells are what could be made out; those after it can. One
    without has a cell for every column.
    """

    line: int
    cells: tuple[str, ...]
    fault: str | None = None


def plain(cell: str) -> str:
    """The cell without the apostrophe that marks it as text, and empty for the NULL of databases."""
    return "" if cell == NULL else plain_cell(cell)


def unreadable(message: str) -> SelfsameError:
    return invalid(("file", message))


def too_large(message: str) -> SelfsameError:
    return SelfsameError(ErrorCode.TOO_LARGE, message)


def below_header(found: Iterator[FileRow], file_format: FileFormat, repeated: list[int]) -> Iterator[FileRow]:
    """The header first, then the rows with a cell for every column. Blank ones are left out, and so are
    column names that stand again further down, whose lines go to `repeated`.
    """
    for row in found:
        if row.line < (file_format.header_row or 0):
            continue
        names = column_names(row.cells, by_position=file_format.by_position)
        if names or row.fault:
            yield FileRow(row.line, names, row.fault)
            rows = found if file_format.layout == "delimited" else _padded(found, len(names))
            yield from _fitted(rows, row.cells, len(names), repeated)
            return


def _padded(found: Iterator[FileRow], width: int) -> Iterator[FileRow]:
    """Of a sheet, the cells behind the last one that is filled are empty."""
    for row in found:
        yield row._replace(cells=row.cells + ("",) * (width - len(row.cells)))


def _fitted(
    found: Iterator[FileRow], header: Sequence[str], width: int, repeated: list[int]
) -> Iterator[FileRow]:
    names = [name.strip(_AROUND_NAMES) for name in header[:width]]
    first = {*header[:1], f"\ufeff{names[0]}" if names else "", *names[:1]}
    for row in found:
        line, cells, fault = row
        if cells and cells[0] in first and [cell.strip(_AROUND_NAMES) for cell in cells[:width]] == names:
            repeated.append(line)
        elif fault or (len(cells) == width and cells[0]):
            yield row
        elif fits := fitted(line, cells, width):
            yield fits


def column_names(cells: Sequence[str], *, by_position: bool) -> tuple[str, ...]:
    """The names of the columns, each of which must be there once, or else gets the number of its occurrence.
    One without a name is called by its number.
    """
    names = [cell.strip(_AROUND_NAMES) for cell in cells]
    while names and not names[-1]:
        names.pop()
    if len(names) > COLUMN_LIMIT:
        raise too_large(_("The file has more than %(limit)d columns.") % {"limit": COLUMN_LIMIT})
    named = tuple(name or _("Column %(number)d") % {"number": at} for at, name in enumerate(names, 1))
    if long := next((at for at, name in enumerate(named, 1) if len(name) > NAME_LIMIT), None):
        raise unreadable(
            _("The name of column %(number)d is too long. Does the first line hold the column names?")
            % {"number": long}
        )
    if by_position:
        return _numbered(named)
    _refuse_duplicates(named)
    return named


def _numbered(names: Sequence[str]) -> tuple[str, ...]:
    """`email`, and `email (2)` for the second one."""
    found: dict[str, None] = {}
    for name in names:
        told, number = name, 1
        while told in found:
            number += 1
            told = f"{name} ({number})"
        found[told] = None
    return tuple(found)


def _refuse_duplicates(names: Sequence[str]) -> None:
    seen: dict[str, int] = {}
    for at, name in enumerate(names, 1):
        if first := seen.get(name):
            detail = _(
                "The columns %(first)d and %(second)d have the same name, “%(name)s”. Rename one of them, or "
                'choose "position" for the option duplicate_headers, by which the second is called '
                "“%(name)s (2)”."
            )
            raise invalid(
                ("options.duplicate_headers", detail % {"first": first, "second": at, "name": name})
            )
        seen[name] = at


def fitted(line: int, cells: Sequence[str], width: int) -> FileRow | None:
    """The row with a cell for every column, or its fault; None where nothing stands in it."""
    if not any(cells):
        return None
    if len(cells) > width and not any(cells[width:]):
        cells = cells[:width]
    return FileRow(line, tuple(cells), None if len(cells) == width else _ragged(len(cells), width))


def _ragged(count: int, width: int) -> str:
    return _(
        "The row has %(count)d cells where the header has %(width)d columns. "
        "Look for a delimiter or a quotation mark too many or too few."
    ) % {"count": count, "width": width}
