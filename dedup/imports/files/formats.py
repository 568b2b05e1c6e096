"""What is known of a file and of its rows: plain values, shared by all that read files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

from django.utils.translation import gettext as _

from customers.errors import ErrorCode, SelfsameError, invalid

Container = Literal["plain", "gzip", "zip"]
Layout = Literal["delimited", "xlsx"]

COLUMN_LIMIT = 1000
NAME_LIMIT = 255
"""Characters of a column's name."""


@dataclass(frozen=True, slots=True)
class FileFormat:
    """How a file is to be read. `encoding` and `delimiter` are of delimited text, `sheet` of a workbook."""

    container: Container
    layout: Layout
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FileFormat:
        return cls(**data)


@dataclass(frozen=True, slots=True)
class Inspected:
    """What the beginning of a file tells. `first_rows` are those of its first thousand that can be read."""

    format: FileFormat
    header: tuple[str, ...]
    first_rows: tuple[tuple[str, ...], ...]
    warnings: tuple[str, ...] = ()


class FileRow(NamedTuple):
    """A row as it stands in the file. `line` is where it begins there, the first line being 1.

    A row with a `fault` cannot be read, and its cells are what could be made out; those after it can. One
    without has a cell for every column.
    """

    line: int
    cells: tuple[str, ...]
    fault: str | None = None


def unreadable(message: str) -> SelfsameError:
    return invalid(("file", message))


def too_large(message: str) -> SelfsameError:
    return SelfsameError(ErrorCode.TOO_LARGE, message)


def column_names(cells: Sequence[str]) -> tuple[str, ...]:
    """The names of the columns, each of which must be there once. One without a name is called by its
    number.
    """
    names = [cell.strip("\ufeff \t\r\n\xa0") for cell in cells]
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
    _refuse_duplicates(named)
    return named


def _refuse_duplicates(names: Sequence[str]) -> None:
    seen: dict[str, int] = {}
    for at, name in enumerate(names, 1):
        if first := seen.get(name):
            raise unreadable(
                _("The columns %(first)d and %(second)d have the same name, “%(name)s”. Rename one of them.")
                % {"first": first, "second": at, "name": name}
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
