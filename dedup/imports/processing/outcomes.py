"""What became of the rows of a chunk, as it is kept: an outcome for each, what they did in numbers, and in a
dry run examples in sentences.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from customers.changes import Change, Claimed, Created, Held, OptedOut, SubscriptionChanged
from customers.errors import SelfsameError
from customers.history.reading import sentences
from customers.history_kinds import history_facts
from customers.profile import CONTACTS, SubscriptionStatus
from customers.provisional import is_provisional, stored_id
from customers.setup.project_config import ProjectConfig
from customers.words import CustomerLabel, customer_label
from dedup.engine.outcome import OutcomeStatus
from dedup.imports.processing.staged_rows import TextRow
from dedup.models import Outcomes
from dedup.operations.base import Result, ResultOrError
from dedup.wording import warning_sentence

EXAMPLES_OF_EACH = 2
"""In one chunk. Of a long file there are more chunks than anybody wants examples."""
MERGED, MOVED, CLAIMS, RESUBSCRIBED = "merged", "contacts_moved", "claims", "resubscribed"
EFFECTS = (MERGED, MOVED, CLAIMS, RESUBSCRIBED)
"""Beside the outcomes of rows: stored customers that merged, contacts that changed hands, claims, and people
subscribed who had unsubscribed.
"""
FAILED_BY = "failed:"

ReportedRow = tuple[str, str, str, int | None]
OUTCOME_OF = {status: Outcomes(status).value for status in OutcomeStatus}


@dataclass(slots=True)
class ChunkResult:
    """`rows` has an outcome, error code, reason and MaestraID for each row of a chunk, in its order."""

    rows: list[ReportedRow]
    counts: Counter[str]
    examples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def chunk_result(answers: Sequence[ResultOrError]) -> ChunkResult:
    """What is kept of the rows that were answered so."""
    rows = [_row(answer) for answer in answers]
    decided = [answer for answer in answers if isinstance(answer, Result)]
    resubscribed: set[int] = set()
    counts = Counter([outcome for outcome, _, _, _ in rows])
    counts.update([f"{FAILED_BY}{code}" for _, code, _, _ in rows if code])
    counts.update([effect for answer in decided for effect in _effects(answer, resubscribed)])
    counts.update([code for answer in decided for code in _warned_by(answer)])
    counts[MERGED] = sum([len(answer.outcome.merges) for answer in decided])
    counts[RESUBSCRIBED] = len(resubscribed)
    return ChunkResult(rows, +counts)  # without zeros


def _row(answer: ResultOrError) -> ReportedRow:
    if isinstance(answer, SelfsameError):
        return Outcomes.FAILED.value, answer.code.value, answer.detail, None
    outcome = answer.outcome
    return (
        OUTCOME_OF[outcome.status],
        "",
        " ".join(map(warning_sentence, outcome.warnings)),
        _customer(answer),
    )


def _customer(answer: Result) -> int | None:
    """The customer a row ended in; none where a dry run would create it."""
    return stored_id(answer.profile.maestra_id)


def _warned_by(answer: Result) -> set[str]:
    """The codes of the row's warnings, each once: rows are counted."""
    return {warning.code.value for warning in answer.outcome.warnings}


def _effects(answer: Result, resubscribed: set[int]) -> Iterator[str]:
    for change in answer.outcome.changes:
        match change:
            case Held(before=None, taken_from=int(), after=holding) if holding.category in CONTACTS:
                yield MOVED
            case Claimed():
                yield CLAIMS
            case SubscriptionChanged() | OptedOut() if _resubscribes(change):
                resubscribed.add(answer.profile.maestra_id)


def _resubscribes(change: Change) -> bool:
    """Whether somebody who had unsubscribed, or refused all communication, is subscribed."""
    match change:
        case SubscriptionChanged(before=before, after=after):
            was = before is not None and before.status is SubscriptionStatus.UNSUBSCRIBED
            return was and after is not None and after.status is not SubscriptionStatus.UNSUBSCRIBED
        case OptedOut(before=datetime(), at=None):
            return True
    return False


def examples(
    rows: Sequence[TextRow], answers: Sequence[ResultOrError], config: ProjectConfig
) -> dict[str, list[dict[str, Any]]]:
    """The first rows of each kind of outcome and effect, with what would happen to whom."""
    label = _labels(rows, answers)
    found: dict[str, list[dict[str, Any]]] = {}
    for row, answer in zip(rows, answers, strict=True):
        names = [name for name in _shown_by(answer) if len(found.get(name, ())) < EXAMPLES_OF_EACH]
        if names:
            example = _example(row, answer, config, label)
            for name in names:
                found.setdefault(name, []).append(example)
    return found


def _shown_by(answer: ResultOrError) -> Iterator[str]:
    """What the answer is an example of."""
    if isinstance(answer, SelfsameError):
        yield f"{FAILED_BY}{answer.code.value}"
        return
    yield answer.outcome.status.value
    if answer.outcome.merges:
        yield MERGED
    resubscribed: set[int] = set()
    yield from dict.fromkeys(_effects(answer, resubscribed))
    if resubscribed:
        yield RESUBSCRIBED


def _labels(rows: Sequence[TextRow], answers: Sequence[ResultOrError]) -> CustomerLabel:
    """What customers are called in examples: one that does not exist yet, by the line that creates it."""
    lines = {
        change.maestra_id: row.line
        for row, answer in zip(rows, answers, strict=True)
        if isinstance(answer, Result)
        for change in answer.outcome.changes
        if isinstance(change, Created)
    }

    def label(maestra_id: int) -> str:
        if is_provisional(maestra_id) and maestra_id in lines:
            return _("the new customer of line %(line)s") % {"line": lines[maestra_id]}
        return customer_label(maestra_id)

    return label


def _example(
    row: TextRow, answer: ResultOrError, config: ProjectConfig, label: CustomerLabel
) -> dict[str, Any]:
    if isinstance(answer, SelfsameError):
        return {"line": row.line, "maestra_id": None, "sentences": [answer.detail]}
    rows = [fact for change in answer.outcome.changes for fact in history_facts(change)]
    said = sentences([entry for _maestra_id, entry in rows], config.labels, label)
    lines = [
        text if maestra_id in answer.profile.maestra_ids else f"{_capitalized(label(maestra_id))}: {text}"
        for (maestra_id, _entry), text in zip(rows, said, strict=True)
    ]
    return {"line": row.line, "maestra_id": _customer(answer), "sentences": lines}


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]
