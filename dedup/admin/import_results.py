"""An import in words: its progress, the outcomes of its rows, and where a run differs from its dry run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from customers.errors import ErrorCode
from customers.storage.sql import fetch
from dedup.engine.warnings import WarningCode
from dedup.imports import reports
from dedup.imports.processing import outcomes
from dedup.imports.processing.results import PLAIN
from dedup.imports.reports import Progress, ReportRow
from dedup.models import Import, ImportStates, Outcomes

ROWS_SHOWN = 100
AT_WORK = (ImportStates.STAGING, ImportStates.RUNNING)

DONE = {
    Outcomes.CREATED.value: gettext_lazy("New customers"),
    Outcomes.JOINED.value: gettext_lazy("Joined an existing customer"),
    Outcomes.CHANGED.value: gettext_lazy("Changed a customer"),
    Outcomes.UNCHANGED.value: gettext_lazy("Changed nothing"),
    Outcomes.FAILED.value: gettext_lazy("Failed"),
}
"""Outcomes of rows, in the order they are shown."""
EFFECTS = {
    outcomes.MERGED: gettext_lazy("Customers merged into others"),
    outcomes.MOVED: gettext_lazy("Contacts moved to another customer"),
    outcomes.CLAIMS: gettext_lazy("Contacts that another customer keeps"),
    outcomes.RESUBSCRIBED: gettext_lazy("Unsubscribed customers subscribed again"),
}
FAILURES = {
    ErrorCode.VALIDATION_ERROR: gettext_lazy("Invalid value"),
    ErrorCode.CUSTOMER_NOT_FOUND: gettext_lazy("Customer not found"),
    ErrorCode.TECHNICAL_ID_NOT_UNIQUE: gettext_lazy("The ID belongs to another customer"),
    ErrorCode.ALREADY_REGISTERED: gettext_lazy("Another customer signs in with the contact"),
    ErrorCode.AMBIGUOUS_CUSTOMER: gettext_lazy("More than one customer matches"),
    ErrorCode.MERGE_BLOCKED: gettext_lazy("The customers cannot be merged"),
    ErrorCode.ERASED_PERSON: gettext_lazy("The customer was erased"),
}


def failure(code: str) -> str:
    """Why rows failed, by their error code."""
    found = ErrorCode(code)  # type: ignore[call-arg]  # by its first value
    return str(FAILURES.get(found, found.title))


class OutcomeCount(NamedTuple):
    """How many. `outcome` names the rows that the report can be filtered by."""

    name: str
    label: str
    number: int
    outcome: str | None = None
    level: str = "plain"


def rows_by_outcome(at: Progress) -> list[OutcomeCount]:
    return [
        OutcomeCount(name, str(label), at.counts.get(name, 0), name, _level(name, at.counts.get(name, 0)))
        for name, label in DONE.items()
    ]


def effects(at: Progress) -> list[OutcomeCount]:
    """What the rows did besides, and what they were warned of; only what there is."""
    labels = {**EFFECTS, **{code.value: _(code.label) for code in WarningCode}}
    return [
        OutcomeCount(name, str(label), at.counts[name])
        for name, label in labels.items()
        if at.counts.get(name)
    ]


def _level(outcome: str, number: int) -> str:
    return "failure" if outcome == Outcomes.FAILED.value and number else "plain"


# --- How far it is
# --------------------------------------------------------------------------------------------------------


def progress(source: Import) -> dict[str, Any]:
    """An import that is running or paused, as its page shows it and polls it."""
    at = reports.progress(source)
    return {
        "state": source.state,
        "label": str(ImportStates(source.state).label),
        "done": at.done,
        "total": at.total,
        "percent": 100 * at.done // at.total if at.total else None,
        "sentence": _progress_sentence(source, at),
        "pace": _pace(at),
        "counts": [[tile.label, intcomma(tile.number), tile.name] for tile in rows_by_outcome(at)],
    }


def _progress_sentence(source: Import, at: Progress) -> str:
    if at.total is None:
        if not at.staged:
            return _("Reading the file starts within seconds.")
        text = ngettext("%(rows)s row read so far.", "%(rows)s rows read so far.", at.staged)
        return text % {"rows": intcomma(at.staged)}
    tried, done = _("%(done)s of %(total)s rows tried."), _("%(done)s of %(total)s rows imported.")
    words = {"done": intcomma(at.done), "total": intcomma(at.total)}
    return (tried if source.is_dry_run else done) % words


def _pace(at: Progress) -> str:
    """Rows per second and the time left; nothing while no worker is on it."""
    if at.rate is None or at.seconds_left is None:
        return ""
    words = {"rate": intcomma(max(round(at.rate), 1)), "left": _duration(at.seconds_left)}
    return _("%(rate)s rows per second, %(left)s left.") % words


def _duration(seconds: float) -> str:
    if seconds < 60:
        return _("less than a minute")
    minutes = round(seconds / 60)
    if minutes < 120:
        return ngettext("about %(n)s minute", "about %(n)s minutes", minutes) % {"n": minutes}
    return _("about %(n)s hours") % {"n": round(minutes / 60)}


# --- What came of it
# --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OutcomeGroup:
    """Rows with the same outcome. `examples` have line, MaestraID and sentences."""

    slug: str
    label: str
    number: int
    examples: list[Mapping[str, Any]] = field(default_factory=list)


def failures(at: Progress, examples: Mapping[str, list[Any]]) -> list[OutcomeGroup]:
    """The failed rows by reason, the most frequent first."""
    found = sorted(at.failed_by.items(), key=lambda one: -one[1])
    return [
        OutcomeGroup(code, failure(code), number, examples.get(f"{outcomes.FAILED_BY}{code}", []))
        for code, number in found
    ]


def resubscribed(at: Progress, examples: Mapping[str, list[Any]]) -> OutcomeGroup:
    """People who had unsubscribed and are subscribed (R37)."""
    name = outcomes.RESUBSCRIBED
    return OutcomeGroup(name, str(EFFECTS[name]), at.counts.get(name, 0), examples.get(name, []))


def examples_by_outcome(at: Progress, examples: Mapping[str, list[Any]]) -> list[OutcomeGroup]:
    """The effects and outcomes that are shown nowhere else, each with its first rows."""
    elsewhere = (outcomes.RESUBSCRIBED, Outcomes.FAILED.value)
    labels = {**EFFECTS, **DONE}
    named = [name for name in labels if name not in elsewhere and examples.get(name)]
    return [OutcomeGroup(name, str(labels[name]), at.counts.get(name, 0), examples[name]) for name in named]


class RowOutcome(NamedTuple):
    name: str
    text: str


class Difference(NamedTuple):
    line: int
    expected: RowOutcome
    actual: RowOutcome


def differences(source: Import) -> dict[str, Any] | None:
    """Where a run had other outcomes than its dry run; None where there is nothing to compare."""
    found = source.result.get("differences")
    if found is None:
        return None
    rows = (
        Difference(row["line"], *map(_row_outcome, (row["expected"], row["actual"]))) for row in found["rows"]
    )
    return {"count": found["count"], "rows": list(rows)}


def _row_outcome(stored: Mapping[str, Any]) -> RowOutcome:
    """`Joined an existing customer: 12`."""
    name = stored["outcome"]
    label, detail = str(DONE.get(name, name)), stored["maestra_id"]
    if stored["code"]:
        label, detail = str(DONE[Outcomes.FAILED.value]), failure(stored["code"])
    return RowOutcome(name, f"{label}: {detail}" if detail else label)


# --- Its rows
# --------------------------------------------------------------------------------------------------------

# A page shows some of the rows at once, at the same cost whatever the size of the file: those of the first
# chunks that have enough of them, which the counts of the chunks tell.
FIRST_CHUNKS = """
 AND p.chunk IN (
   SELECT number
     FROM (SELECT number, found, sum(found) OVER (ORDER BY number) - found AS before
             FROM dedup_importchunk CROSS JOIN LATERAL (SELECT {found} AS found) AS of_chunk
            WHERE source_id = %(source)s) AS added_up
    WHERE found > 0 AND before < %(limit)s)
"""
OF_ANY = FIRST_CHUNKS.format(found="size")
OF_OUTCOME = FIRST_CHUNKS.format(found="(counts ->> %(outcome)s)::int") + reports.OF_OUTCOME
OF_LINE = " AND p.lines @> ARRAY[%(line)s::int] AND t.line = %(line)s"
SOME = reports.IN_ORDER + " LIMIT %(limit)s"


def some_rows(source: Import, outcome: str | None, line: int | None) -> list[ReportRow]:
    """The rows of an outcome or a line, one more than is shown where there are more."""
    if line:
        narrowed = OF_LINE + (reports.OF_OUTCOME if outcome else "")
    else:
        narrowed = OF_OUTCOME if outcome else OF_ANY
    asked = {"source": source.pk, "outcome": outcome, "line": line, "limit": ROWS_SHOWN + 1}
    return list(_report_rows(fetch(PLAIN + narrowed + SOME, asked)))


def _report_rows(rows: Iterable[tuple[Any, ...]]) -> Iterator[ReportRow]:
    for line, outcome, code, reason, maestra_id in rows:
        yield ReportRow(line, outcome, code or "", reason or "", maestra_id)


def summary(source: Import) -> str:
    """The result of a finished import, in one line of a list."""
    counts = source.result.get("counts", {})
    named = ((str(label), counts.get(name)) for name, label in Outcomes.choices)
    return ", ".join(f"{label} {intcomma(number)}" for label, number in named if number)
