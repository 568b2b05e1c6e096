"""What can be wrong with a workbook, as codes with their figures. The sentences are the caller's."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class WorkbookProblem(Enum):
    """Why a workbook cannot be read any further."""

    NOT_A_WORKBOOK = "not_a_workbook"
    """A ZIP file, but none that a spreadsheet program wrote."""
    DAMAGED = "damaged"
    DOCUMENT_TYPE = "document_type"
    """It declares entities, which no spreadsheet program does and attackers do."""
    PART_TOO_LARGE = "part_too_large"
    """A part of it unpacks to more than its limit; the figure is the size in bytes."""
    CELL_TOO_LARGE = "cell_too_large"
    """A piece of XML that would have to be held in memory as a whole."""


class WorkbookError(Exception):
    """Raised where reading ends. `figure` is the number that belongs to the problem, if any."""

    def __init__(self, problem: WorkbookProblem, figure: int = 0) -> None:
        super().__init__(problem.value)
        self.problem = problem
        self.figure = figure


class CellProblem(Enum):
    """Why a cell, and so its row, has no proper value. The rows after it can be read."""

    TOO_LONG = "too_long"
    FORMULA_ERROR = "formula_error"
    """The text is what the spreadsheet program shows, as `#DIV/0!`."""
    FORMULA_WITHOUT_VALUE = "formula_without_value"
    """Written by a program that does not calculate."""


class CellFault(NamedTuple):
    """`column` is in letters, as spreadsheets name it; `text` is what stands in the cell."""

    problem: CellProblem
    column: str
    text: str = ""


def damaged() -> WorkbookError:
    return WorkbookError(WorkbookProblem.DAMAGED)
