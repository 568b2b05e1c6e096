"""The one writer of what decisions leave behind: the merge journal, pairs held apart, pairs to review,
confirmations to be sent.

Their history is written by `customers.storage.saving` with everything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime

from customers.changes import ApartLifted, KeptApart, Merged, Unmerged
from customers.history_kinds.merges import matched
from customers.storage.batch import Batch
from customers.storage.sql import Row, Script, array, as_json, fetch, over
from dedup.engine.outcome import BlockedMatch
from dedup.storage.confirmation_outbox import add_confirmations
from dedup.storage.profile_json import image_of

JOURNAL = {
    "operation_id": "bigint",
    "survivor_id": "bigint",
    "absorbed_id": "bigint",
    "absorbed_ids": "text",  # an array as text, for there are no arrays of uneven arrays
    "reason": "text",
    "criterion": "text",
    "priority_id": "bigint",
    "matched": "jsonb",
    "before_survivor": "jsonb",
    "before_absorbed": "jsonb",
    "result": "jsonb",
    "at": "timestamptz",
}
# IDs are given in the order of the rows.
ENTER = f"""
INSERT INTO dedup_merge ({", ".join(JOURNAL)})
SELECT {", ".join("u.absorbed_ids::bigint[]" if name == "absorbed_ids" else f"u.{name}" for name in JOURNAL)}
  FROM {{rows}} RETURNING id
"""
UNDONE = {"id": "bigint", "operation_id": "bigint", "at": "timestamptz"}
UNDO = """
UPDATE dedup_merge m SET undone_at = u.at, undone_by_operation_id = u.operation_id
  FROM {rows} WHERE m.id = u.id AND m.undone_at IS NULL
"""
PAIR = {"low_id": "bigint", "high_id": "bigint"}
APART = {**PAIR, "why": "text", "at": "timestamptz"}
HOLD_APART = """
INSERT INTO dedup_apartpair (low_id, high_id, why, at) SELECT * FROM {rows}
ON CONFLICT (low_id, high_id) WHERE lifted_at IS NULL DO NOTHING
"""
LIFTED_PAIRS = {**PAIR, "at": "timestamptz"}
LIFT = """
UPDATE dedup_apartpair p SET lifted_at = u.at FROM {rows}
 WHERE p.low_id = u.low_id AND p.high_id = u.high_id AND p.lifted_at IS NULL
"""
TO_REVIEW = {**PAIR, "shared": "jsonb", "vetoes": "jsonb", "at": "timestamptz"}
# Met again for other values, a pair that somebody has looked at is to be looked at again.
REVIEW = """
INSERT INTO dedup_reviewpair AS p (low_id, high_id, shared, vetoes, at) SELECT * FROM {rows}
ON CONFLICT (low_id, high_id) DO UPDATE SET
  shared = EXCLUDED.shared, vetoes = EXCLUDED.vetoes, at = EXCLUDED.at,
  status = CASE WHEN p.shared = EXCLUDED.shared AND p.vetoes = EXCLUDED.vetoes THEN p.status ELSE 'open' END
"""
REVIEWED = """
UPDATE dedup_reviewpair p SET status = 'seen' FROM {rows}
 WHERE p.low_id = u.low_id AND p.high_id = u.high_id AND p.status = 'open'
"""

Pair = tuple[int, int]


def save(batch: Batch) -> list[int]:
    """Write the dedup part of a batch. The IDs of its merges, in their order.

    Undoing comes first: the same customer may then be merged anew.
    """
    merges = batch.only(Merged)
    now, operation = batch.operation.at, batch.operation.id
    script = Script()
    undone = sorted(c.merge_id for c in batch.only(Unmerged))
    script.with_rows(UNDO, UNDONE, [(merge_id, operation, now) for merge_id in undone])
    apart, lifted = _pairs(batch.only(KeptApart, ApartLifted))
    script.with_rows(HOLD_APART, APART, [(*pair, why, now) for pair, why in sorted(apart.items())])
    script.with_rows(REVIEWED, PAIR, sorted({*apart, *_merged_pairs(merges)}))
    script.with_rows(LIFT, LIFTED_PAIRS, [(*pair, now) for pair in sorted(lifted)])
    add_confirmations(script, batch)
    script.send()
    return _journal([_journal_row(c, operation, now) for c in merges])


def _pairs(changes: Iterable[KeptApart | ApartLifted]) -> tuple[dict[Pair, str], set[Pair]]:
    """The pairs that end up held apart, with why, and those that were let go."""
    apart: dict[Pair, str] = {}
    lifted: set[Pair] = set()
    for change in changes:
        match change:
            case KeptApart():
                apart[_pair(change.maestra_id, change.other)] = change.why.value
                lifted.discard(_pair(change.maestra_id, change.other))
            case ApartLifted():
                apart.pop(_pair(change.maestra_id, change.other), None)
                lifted.add(_pair(change.maestra_id, change.other))
    return apart, lifted


def _merged_pairs(merges: Iterable[Merged]) -> set[Pair]:
    """Every two MaestraIDs that became one person: there is nothing left to review."""
    return {_pair(a, b) for c in merges for a in c.survivor.maestra_ids for b in c.absorbed.maestra_ids}


def _pair(one: int, other: int) -> Pair:
    return min(one, other), max(one, other)


def _journal(rows: Sequence[Row]) -> list[int]:
    if not rows:
        return []
    return sorted(merge_id for (merge_id,) in fetch(*over(ENTER, JOURNAL, rows)))


def _journal_row(c: Merged, operation: int, now: datetime) -> Row:
    d = c.decision
    images = (as_json(image_of(profile)) for profile in (c.survivor, c.absorbed, c.result))
    return (
        operation,
        c.customer,
        c.absorbed.maestra_id,
        array("bigint", sorted(c.absorbed.maestra_ids)),
        d.reason,
        d.criterion,
        d.priority,
        as_json(matched(d.matched)),
        *images,
        now,
    )


def save_review_pairs(kept: Iterable[BlockedMatch], now: datetime) -> None:
    """Put pairs that share a value and may not merge into the review queue, each once, as they last met
    (R22).
    """
    rows = {_pair(k.left, k.right): _review_row(k, now) for k in kept}
    script = Script()
    script.with_rows(REVIEW, TO_REVIEW, [(*pair, *row) for pair, row in sorted(rows.items())])
    script.send()


def _review_row(k: BlockedMatch, now: datetime) -> Row:
    return as_json(matched(k.shared)), as_json([asdict(veto) for veto in k.vetoes]), now
