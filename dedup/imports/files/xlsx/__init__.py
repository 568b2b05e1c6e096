"""A reader of XLSX workbooks: row by row, in bounded memory, with the standard library alone (README.md)."""

from dedup.imports.files.xlsx.problems import CellFault, CellProblem, WorkbookError, WorkbookProblem
from dedup.imports.files.xlsx.workbook import SheetRow, Workbook, open_workbook

__all__ = [
    "CellFault",
    "CellProblem",
    "SheetRow",
    "Workbook",
    "WorkbookError",
    "WorkbookProblem",
    "open_workbook",
]
