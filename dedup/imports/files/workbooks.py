"""Workbooks as files to be imported: the rows and problems of the reader (`xlsx`) in our words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO

from django.utils.translation import gettext as _

from customers.errors import SelfsameError
from dedup.imports.files.containers import opened_zip
from dedup.imports.files.formats import FileRow, plain, too_large, unreadable
from dedup.imports.files.xlsx import (
    CellFault,
    CellProblem,
    Workbook,
    WorkbookError,
    WorkbookProblem,
    open_workbook,
)
from dedup.imports.files.xlsx.shared_strings import CELL_LIMIT


@contextmanager
def opened(file: BinaryIO) -> Iterator[Workbook]:
    """Whatever is wrong with the workbook is raised as `validation_error` or `too_large`, also while its rows
    are read within.
    """
    with opened_zip(file) as archive:
        try:
            with open_workbook(archive) as book:
                yield book
        except WorkbookError as error:
            raise _refusal(error) from None


def records(book: Workbook, sheet: str) -> Iterator[FileRow]:
    """The rows of a sheet, each up to its last cell with something in it."""
    for line, cells, fault in book.rows(sheet):
        yield FileRow(line, _listed(cells), fault and _sentence(fault))


def _listed(cells: Mapping[int, str]) -> tuple[str, ...]:
    last = max((at for at, text in cells.items() if text), default=-1)
    return tuple([plain(cells.get(at, "")) for at in range(last + 1)])


def _refusal(error: WorkbookError) -> SelfsameError:
    match error.problem:
        case WorkbookProblem.NOT_A_WORKBOOK:
            return unreadable(_("This is not an Excel workbook (.xlsx)."))
        case WorkbookProblem.DAMAGED:
            return unreadable(
                _("The workbook is damaged. Open it in a spreadsheet program and save it again.")
            )
        case WorkbookProblem.DOCUMENT_TYPE:
            return unreadable(_("The workbook holds a document type, which no spreadsheet program writes."))
        case WorkbookProblem.PART_TOO_LARGE:
            return too_large(
                _("The workbook unpacks to %(size)d MB, which is too large. Save it as CSV and import that.")
                % {"size": error.figure // 2**20}
            )
        case WorkbookProblem.CELL_TOO_LARGE:
            return too_large(_("The workbook holds a cell that is too large to be read."))


def _sentence(fault: CellFault) -> str:
    return {
        CellProblem.TOO_LONG: _("Column %(column)s: the cell is longer than %(n)d characters."),
        CellProblem.FORMULA_ERROR: _("Column %(column)s: the formula came out as %(error)s."),
        CellProblem.FORMULA_WITHOUT_VALUE: _(
            "Column %(column)s: the formula has no value. Save the file in a spreadsheet program."
        ),
    }[fault.problem] % {"column": fault.column, "n": CELL_LIMIT, "error": fault.text}
