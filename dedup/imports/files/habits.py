"""What the numbers of a file's columns are, told by its first rows, and what of its cells is read by that.

Whole numbers that a program wrote with a decimal point (`70013.0`) lose it, so that one ID is one. Numbers of
payment cards are taken out before anything stores or shows them (R10).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from django.utils.translation import gettext as _

from dedup.imports.files.formats import FileFormat, FileRow
from dedup.parsing.cells import has_decimal_comma

MASK = "••••"
ENOUGH = 5
"""Long numbers of a column, of which half are no payment cards: then none is one, but by chance."""
_WHOLE = re.compile(r"\d+(?:\.0+)?", re.ASCII)
# Of fewer than 16 digits, only those that begin as cards of that length do.
_LONG = re.compile(r"(?<![\d+])(?:[3-6](?:[ -]?\d){12,14}|[1-9](?:[ -]?\d){15,18})(?!\d)", re.ASCII)
_LONGER_THAN_PHONES = re.compile(r"(?<![\d+])[1-9](?:[ -]?\d){15,18}(?!\d)", re.ASCII)
_OF_PHONES = re.compile(r"phone|mobil|tel|handy|cell|msisdn|whatsapp|fax", re.IGNORECASE)
BETWEEN = "\x1f"

Rows = Sequence[Sequence[str]]


def with_habits(file_format: FileFormat, rows: Rows) -> FileFormat:
    """The format with what the first rows tell of the columns."""
    return replace(
        file_format,
        whole_numbers=_places(rows, _are_whole),
        decimal_commas=_places(rows, lambda cells: any(map(has_decimal_comma, cells))),
        long_numbers=_places(rows, _are_numbers_of_their_own),
    )


def _places(rows: Rows, are: Callable[[list[str]], bool]) -> tuple[int, ...]:
    columns = ([cell for cell in column if cell] for column in zip(*rows, strict=True))
    return tuple(at for at, cells in enumerate(columns) if cells and are(cells))


def _are_whole(cells: list[str]) -> bool:
    return all(map(_WHOLE.fullmatch, cells))


def _are_numbers_of_their_own(cells: list[str]) -> bool:
    found = [cell for cell in cells if _LONG.fullmatch(cell)]
    return len(found) >= ENOUGH and sum(map(is_card_number, found)) * 2 < len(found)


def is_card_number(text: str) -> bool:
    """Whether a number of 13 to 19 digits has the check digit of payment cards (ISO/IEC 7812)."""
    digits = [int(character) for character in reversed(text) if character.isdigit()]
    doubled = (digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[1::2])
    return any(digits) and (sum(digits[::2]) + sum(doubled)) % 10 == 0


def by_habits(found: Iterator[FileRow], header: Sequence[str], file_format: FileFormat) -> Iterator[FileRow]:
    """The rows with whole numbers as such, and without payment cards."""
    whole, own = tuple(file_format.whole_numbers), frozenset(file_format.long_numbers)
    for row in found:
        cells = row.cells
        # Looking into every cell would take longer than reading it.
        long = [cell for cell in cells if len(cell) > 12 and ("@" not in cell or " " in cell)]
        if (long and any(map(_LONG.search, long))) or (whole and ".0" in BETWEEN.join(cells)):
            yield _without_cards(_without_points(row, whole), header, own)
        else:
            yield row


def _without_points(row: FileRow, whole: Sequence[int]) -> FileRow:
    if row.fault is not None:
        return row
    cells = list(row.cells)
    for at in whole:
        if _WHOLE.fullmatch(cells[at]):
            cells[at] = cells[at].partition(".")[0]
    return FileRow(row.line, tuple(cells))


def _without_cards(row: FileRow, header: Sequence[str], own: frozenset[int]) -> FileRow:
    """The row, refused and masked if it holds the number of a payment card."""
    line, cells, fault = row
    masked = tuple(
        cell if at in own else _pattern(header[at : at + 1]).sub(_masked, cell)
        for at, cell in enumerate(cells)
    )
    at = next((at for at, cell in enumerate(cells) if masked[at] != cell), None)
    if at is None:
        return row
    detail = _(
        "The column “%(name)s” holds the number of a payment card, which must not be stored. Send a hash of "
        "it as payment_card_hash, or leave the column out of the file."
    )
    name = header[at] if at < len(header) else str(at + 1)
    return FileRow(line, masked, fault or detail % {"name": name})


def _pattern(name: Sequence[str]) -> re.Pattern[str]:
    """Phones have up to 15 digits, and one in ten of them the check digit of a card."""
    return _LONGER_THAN_PHONES if name and _OF_PHONES.search(name[0]) else _LONG


def _masked(match: re.Match[str]) -> str:
    return MASK if is_card_number(match[0]) else match[0]
