"""A field of a record: everything there is to say of it in one place.

How its JSON is read, what the OpenAPI schema says of it, and, where files may bring it, what columns can be
mapped to and how their cells are read. The fields there are stand in `dedup.parsing.records`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar, TypeAlias
from zoneinfo import ZoneInfo

from django.utils.functional import Promise

from customers.normalise import Invalid
from customers.setup.project_config import ProjectConfig
from dedup.parsing import cell_times, cells
from dedup.parsing.draft import ParsingContext, RecordDraft
from dedup.parsing.schemas import Schema
from segments.references import NamedSegmentation

Label: TypeAlias = str | Promise
Segmentations: TypeAlias = Mapping[str, NamedSegmentation]
CellReader: TypeAlias = Callable[[RecordDraft, str | None], None]
"""Takes a cell that is not empty; None where it clears (R44)."""

REMEMBERED = 10_000
"""Values of a column that are kept with what they were read as: names and dates come again and again."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a column can be mapped to, named like the field in the API: `personal.birth_date`. Where
    `is_single` is not set, several columns may go to it. `spellings` are the column names it is recognised
    by, without case, spaces and punctuation; `vague_spellings` those that count where no column has a better
    name, as "Phone" where there is no "Mobile".
    """

    name: str
    label: str
    group: str
    is_single: bool = True
    spellings: tuple[str, ...] = ()
    vague_spellings: tuple[str, ...] = ()


class CellContext:
    """What the cells of one file are read by: the order of day and month, the zone of times without an
    offset, the columns in which commas are known to be decimal ones.

    What a cell is read as is None where it says that there is nothing.
    """

    def __init__(
        self,
        parsing: ParsingContext,
        *,
        day_first: bool | None,
        time_zone: str,
        decimal_commas: Collection[str] = (),
    ) -> None:
        self.parsing = parsing
        self.day_first = day_first
        self.zone = ZoneInfo(time_zone)
        self.today = parsing.now.astimezone(self.zone).date()
        self._decimal_commas = decimal_commas
        self._has_decimal_commas = False

    def of_column(self, name: str) -> CellContext:
        """The same for one column."""
        if name not in self._decimal_commas:
            return self
        found = copy(self)
        found._has_decimal_commas = True
        return found

    def text(self, cell: str) -> str:
        return cell

    def identifier(self, cell: str) -> str:
        """Raises `Invalid` where a spreadsheet has shortened a long number."""
        if cells.has_lost_digits(cell):
            raise Invalid(cells.LOST_DIGITS)
        return cell

    def number(self, cell: str) -> str | None:
        found = cells.number(cell, has_decimal_commas=self._has_decimal_commas)
        return None if cells.is_placeholder(found) else found

    def gender(self, cell: str) -> str | None:
        return None if cells.is_placeholder(cell) else cells.gender(cell)

    def boolean(self, cell: str) -> bool | str | None:
        answer = cells.yes_or_no(cell)
        return (None if cells.is_placeholder(cell) else cell) if answer is None else answer

    def list(self, cell: str) -> list[str]:
        return cells.listed(cell)

    def json(self, cell: str) -> Any:
        return cells.json_value(cell)

    def day(self, cell: str) -> date | None:
        return cell_times.day(cell, self.day_first, self.today)

    def instant(self, cell: str) -> datetime | None:
        return cell_times.instant(cell, self.day_first, self.zone, self.parsing.now)


FromCell: TypeAlias = Callable[[CellContext, str], Any]
"""What the API would send for a cell; None for nothing. Raises `Invalid`."""


class RecordField:
    """One field of a record.

    A kind of field is a subclass. What comes after the field's name in a target is the `part`: `crm_id` of
    `ids.crm_id`, empty for `email`.
    """

    is_importable: ClassVar[bool] = True
    """Whether columns can be mapped to it; if not, the methods about columns are never called."""

    def __init__(self, name: str, schema: Schema) -> None:
        self.name = name
        self.schema = schema

    def read(self, draft: RecordDraft, path: str, raw: Any) -> None:
        """Take the value into the draft, faults noted with their paths. It is not an empty text."""
        raise NotImplementedError

    def targets(self, config: ProjectConfig, segmentations: Segmentations) -> Iterable[Target]:
        """What columns can be mapped to, in the order to offer them."""
        raise NotImplementedError

    def cell_reader(self, part: str, column: str, context: CellContext) -> CellReader:
        """What reads the cells of a column; faults have the column's name as their path."""
        raise NotImplementedError

    def rank(self, part: str) -> int:  # noqa: ARG002 - kinds differ
        """In which order the columns of a row are read: what adds to another column comes after it."""
        return 0

    def identifies(self, part: str) -> bool:  # noqa: ARG002 - kinds differ
        """Whether a column for it can tell who a row is about."""
        return False

    def is_droppable(self, part: str) -> bool:  # noqa: ARG002 - kinds differ
        """Whether the rest of the row means the same without an invalid value (`drop_invalid`, R11)."""
        return False


class NotImported(RecordField):
    """A field that only the API takes."""

    is_importable = False


def squeezed(name: str) -> str:
    """The letters and digits alone, in lower case: E-mail, E_MAIL and Email are one."""
    return re.sub(r"[\W_]+", "", name).casefold()
