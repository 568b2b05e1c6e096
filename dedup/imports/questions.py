"""What has to be asked of a file before its columns are known: in which line their names are, and what to do
with two of one name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from django.utils.translation import gettext as _

from customers.errors import SelfsameError, invalid
from dedup.imports.columns.mapping import ColumnMapping
from dedup.imports.columns.options import BY_POSITION, Options
from dedup.imports.files.inspection import Inspected, inspect

HEADER_COLUMNS = 2
"""Columns that are known in a line by which it is taken for the one with the names."""
DUPLICATES = "options.duplicate_headers"

Recognise = Callable[[Sequence[str]], ColumnMapping]


def inspected(
    path: Path, name: str, options: Options, recognise: Recognise, *, guesses: bool
) -> tuple[Inspected, Options, list[str]]:
    """What a file is, how it is read, and what was guessed of that. Raises `validation_error` for what it
    does not guess.
    """
    guessed: list[str] = []
    while True:
        try:
            found = inspect(path, name, options.of_file)
        except SelfsameError as error:
            if not guesses or _path_of(error) != DUPLICATES:
                raise
            guessed.append(_("Columns have the same name. They are told apart by a number: “email (2)”."))
            options = replace(options, duplicate_headers=BY_POSITION)
            continue
        line = None if options.header_row else _header_elsewhere(found, recognise)
        if line is None:
            return found, options, guessed
        if not guesses:
            raise _asked(line)
        said = _("The column names were taken from line %(line)d, and the lines above it left out.")
        guessed.append(said % {"line": line})
        options = replace(options, header_row=line)


def _asked(line: int) -> SelfsameError:
    detail = _(
        "The first line does not look like column names, and line %(line)d does. Choose with the option "
        "header_row in which line they are; those above it are left out."
    )
    return invalid(("options.header_row", detail % {"line": line}))


def _path_of(error: SelfsameError) -> str:
    return next((fault["path"] for fault in error.data.get("errors", ())), "")


def _header_elsewhere(found: Inspected, recognise: Recognise) -> int | None:
    """The line that looks like column names, if none of the header's is known."""
    if any(recognise(found.header).targets):
        return None
    for line, cells, _fault in found.first_lines:
        names = [cell.strip() for cell in cells]
        if len(list(filter(None, recognise(names).targets))) >= HEADER_COLUMNS:
            return line
    return None
