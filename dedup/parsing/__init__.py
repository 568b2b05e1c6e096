"""JSON in, records out: the one gate through which data from outside reaches the engine (R11–R17, R44).

By tables and plain code, because an import sends every one of its rows through here. What a field is stands
in `table`; the cells of files are read by the same fields.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from customers.errors import invalid
from customers.profile import Key
from customers.setup.integration_points import Point
from customers.setup.project_config import ProjectConfig
from dedup.engine.record import Operation, Record
from dedup.parsing.draft import MISSING, UNIDENTIFIED, ParsingContext, RecordDraft, below
from dedup.parsing.identifiers import lookup_key
from dedup.parsing.table import RECORD_TYPES
from dedup.refusals import not_found


def parse_record(
    operation: Operation, data: Any, point: Point, config: ProjectConfig, now: datetime, *, path: str = ""
) -> Record:
    """The record of one operation; raises `validation_error` naming every field at fault with its path.

    For a batch make one `Parser`: it reads what it needs of the set-up once.
    """
    return Parser(point, config, now).record(operation, data, path)


def parse_lookup(data: Any, point: Point, config: ProjectConfig, *, path: str = "lookup") -> Key:
    """The one identifier of `{kind: value}`; a value on the block list finds nobody (R12)."""
    return Parser(point, config, timezone.now()).lookup(data, path)


class Parser:
    """Reads the records of one point, by one state of the set-up, at one moment."""

    def __init__(self, point: Point, config: ProjectConfig, now: datetime) -> None:
        self.context = ParsingContext(point, config, now)

    def record(self, operation: Operation, data: Any, path: str = "") -> Record:
        """As `parse_record`."""
        draft = RecordDraft(self.context, operation)
        taken = RECORD_TYPES[operation]
        draft.read(path, data, taken.fields)
        for name in taken.required:
            if draft.lacks(name, data) and not draft.is_faulty(below(path, name)):
                draft.fault(below(path, name), MISSING)
        if not draft.errors and not draft.identifies():
            draft.fault(below(path, taken.identified_by) if taken.identified_by else path, UNIDENTIFIED)
        if draft.errors:
            raise invalid(*draft.errors)
        return draft.record()

    def lookup(self, data: Any, path: str) -> Key:
        """As `parse_lookup`."""
        draft = RecordDraft(self.context, Operation.EDIT)
        key = lookup_key(draft, path, data)
        if draft.errors:
            raise invalid(*draft.errors)
        if key is None:
            raise not_found(Key(next(iter(data)), ""))
        return key
