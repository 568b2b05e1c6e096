"""What an import has come to, in words: how far it is, what became of its rows, where a run came out
different from its dry run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from customers.errors import ErrorCode
from dedup.imports import reports
from dedup.imports.processing import outcomes
from dedup.imports.processing.results import PLAIN
from dedup.imports.reports import Progress, ReportRow
from dedup.models import Import, ImportStates, Outcomes

ROWS_SHOWN = 100
AT_WORK = (ImportStates.STAGING, ImportStates.RUNNING)

DONE = {
    Outcomes.CREATED.value: gettext_lazy("New customers"),
    Outcomes.JOINED.value: gettext_lazy("Joined a customer who was there"),
    Outcomes.CHANGED.value: gettext_lazy("Changed a customer"),
    Outcomes.UNCHANGED.value: gettext_lazy("Changed nothing"),
    Outcomes.FAILED.value: gettext_lazy("Failed"),
}
"""What became of rows, in the order to show it."""
EFFECTS = {
    outcomes.MERGED: gettext_lazy("Customers merged into others"),
    outcomes.MOVED: gettext_lazy("Contacts moved to another customer"),
    outcomes.CLAIMS: gettext_lazy("Contacts that somebody else keeps"),
    outcomes.RESUBSCRIBED: gettext_lazy("Unsubscribed people subscribed again"),
}
FAILURES = {
    ErrorCode.VALIDATION_ERROR: gettext_lazy("A value cannot be used"),
    ErrorCode.CUSTOMER_NOT_FOUND: gettext_lazy("There is no such customer"),
    ErrorCode.TECHNICAL_ID_NOT_UNIQUE: gettext_lazy("The ID belongs to another customer"),
    ErrorCode.ALREADY_REGISTERED: gettext_lazy("The contact is the account of another customer"),
    ErrorCode.AMBIGUOUS_CUSTOMER: gettext_lazy("More than one customer fits"),
    ErrorCode.MERGE_BLOCKED: gettext_lazy("The customers may not be merged"),
    ErrorCode.ERASED_PERSON: gettext_lazy("The person was erased and is not brought back"),
}


def failure(code: str) -> str:
    """Why rows failed, by their error code."""
    found = ErrorCode(code)  # type: ignore[call-arg]  # by its first value
    return str(FAILURES.get(found, found.title))


class OutcomeCount(NamedTuple):
    """How many. `outcome` names the rows that the report can be narrowed to."""

    label: str
    number: int
    outcome: str | None = None
    level: str = "plain"


def rows_by_outcome(at: Progress) -> list[OutcomeCount]:
    return [
        OutcomeCount(str(label), at.counts.get(name, 0), name, _level(name, at.counts.get(name, 0)))
        for name, label in DONE.items()
    ]


def effects(at: Progress) -> list[OutcomeCount]:
    """What the rows did beside; only what there is."""
    return [
        OutcomeCount(str(label), at.counts[name]) for name, label in EFFECTS.items() if at.counts.get(name)
    ]


def _level(outcome: str, number: int) -> str:
    return "failure" if outcome == Outcomes.FAILED.value and number else "plain"


# --- How far it is
# --------------------------------------------------------------------------------------------------------


def progress(source: Import) -> dict[str, Any]:
    """An import that is at work or paused, as its page shows it and asks for it again and again."""
    at = reports.progress(source)
    return {
        "state": source.state,
        "label": str(ImportStates(source.state).label),
        "percent": 100 * at.done // at.total if at.total else None,
        "told": _told(source, at),
        "pace": _pace(at),
        "counts": [[tile.label, intcomma(tile.number)] for tile in rows_by_outcome(at)],
    }


def _told(source: Import, at: Progress) -> str:
    if at.total is None:
        if not at.staged:
            return _("A worker will begin to read the file within seconds.")
        text = ngettext("%(rows)s row is read so far.", "%(rows)s rows are read so far.", at.staged)
        return text % {"rows": intcomma(at.staged)}
    tried, done = _("%(done)s of %(total)s rows are tried."), _("%(done)s of %(total)s rows are done.")
    words = {"done": intcomma(at.done), "total": intcomma(at.total)}
    return (tried if source.is_dry_run else done) % words


def _pace(at: Progress) -> str:
    """Rows a second and the time that is left; nothing while nobody works."""
    if at.rate is None or at.seconds_left is None:
        return ""
    words = {"rate": intcomma(max(round(at.rate), 1)), "left": _duration(at.seconds_left)}
    return _("%(rate)s rows a second, %(left)s left.") % words


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
    """Rows of which the same became, or would. `examples` have line, MaestraID and sentences."""

    slug: str
    label: str
    number: int
    examples: list[Mapping[str, Any]] = field(default_factory=list)


def failures(at: Progress, examples: Mapping[str, list[Any]]) -> list[OutcomeGroup]:
    """The failed rows by the reason, the commonest first."""
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
    """The effects and outcomes that are told nowhere else, each with its first rows."""
    elsewhere = (outcomes.RESUBSCRIBED, Outcomes.FAILED.value)
    labels = {**EFFECTS, **DONE}
    named = [name for name in labels if name not in elsewhere and examples.get(name)]
    return [OutcomeGroup(name, str(labels[name]), at.counts.get(name, 0), examples[name]) for name in named]


class Difference(NamedTuple):
    line: int
    expected: str
    actual: str


def differences(source: Import) -> dict[str, Any] | None:
    """Where a run came out different from its dry run; None where there is nothing to compare."""
    found = source.result.get("differences")
    if found is None:
        return None
    rows = (
        Difference(row["line"], *map(_outcome_label, (row["expected"], row["actual"])))
        for row in found["rows"]
    )
    return {"count": found["count"], "rows": list(rows)}


def _outcome_label(one: Mapping[str, Any]) -> str:
    """`Joined a customer who was there: 12`."""
    if one["code"]:
        return f"{DONE[Outcomes.FAILED.value]}: {failure(one['code'])}"
    label = str(DONE.get(one["outcome"], one["outcome"]))
    return f"{label}: {one['maestra_id']}" if one["maestra_id"] else label


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
    with connection.cursor() as cursor:
        cursor.execute(PLAIN + narrowed + SOME, asked)
        return list(_report_rows(cursor.fetchall()))


def _report_rows(rows: Iterable[tuple[Any, ...]]) -> Iterator[ReportRow]:
    for line, outcome, code, reason, maestra_id in rows:
        yield ReportRow(line, outcome, code or "", reason or "", maestra_id)


def summary(source: Import) -> str:
    """What a finished import came to, in one line of a list."""
    counts = source.result.get("counts", {})
    named = ((str(label), counts.get(name)) for name, label in Outcomes.choices)
    return ", ".join(f"{label} {intcomma(number)}" for label, number in named if number)
