"""When a record happened, how its customer is looked up, and how its values meet
those that are stored (R13, R17, R44).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from customers.profile import MAESTRA_ID
from customers.setup.project_config import ProjectConfig
from dedup.engine.record import Mode
from dedup.parsing.consent import NOT_TO_CLEAR
from dedup.parsing.draft import LIST, RecordDraft, entries, one_of
from dedup.parsing.fields import (
    CellContext,
    CellReader,
    NotImported,
    RecordField,
    Segmentations,
    Target,
)


class OccurredAtField(RecordField):
    """When it happened; a time in the future counts as now."""

    def read(self, draft: RecordDraft, path: str, raw: Any) -> None:
        if raw is not None:
            draft.occurred_at = draft.moment(path, raw)

    def targets(self, config: ProjectConfig, segmentations: Segmentations) -> Iterable[Target]:  # noqa: ARG002
        label, spellings = gettext("Time of the record"), ("occurredat", "timestamp")
        yield Target(self.name, label, gettext("Other"), spellings=spellings)

    def cell_reader(self, part: str, column: str, context: CellContext) -> CellReader:  # noqa: ARG002
        return partial(self._read_cell, column, context)

    def _read_cell(self, column: str, context: CellContext, draft: RecordDraft, cell: str | None) -> None:
        if cell is None:
            draft.fault(column, NOT_TO_CLEAR)
        elif at := draft.take(column, context.instant, cell):
            self.read(draft, column, at)


class LookupByField(NotImported):
    """The identifier kinds by which the customer is looked up, any but the payment card hash (R13). Of a file
    it is an option.
    """

    def read(self, draft: RecordDraft, path: str, raw: Any) -> None:
        if not isinstance(raw, list):
            draft.fault(path, LIST)
            return
        kinds = {MAESTRA_ID, *draft.context.config.kinds}
        named = []
        for at, name in entries(draft, path, raw):
            if isinstance(name, str) and name in kinds:
                named.append(name)
            else:
                draft.fault(at, _("There is no identifier kind of this name to look customers up by."))
        draft.lookup_by = tuple(dict.fromkeys(named))


class ModeField(NotImported):
    """Whether values are overwritten or only filled in (R44). Of a file it is an option."""

    def read(self, draft: RecordDraft, path: str, raw: Any) -> None:
        if mode := one_of(draft, path, raw, frozenset(Mode)):
            draft.mode = Mode(mode)
