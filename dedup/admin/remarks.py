"""What must not be overlooked before a merge or an undo: account access, consent, losses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from customers.profile import Profile, SubscriptionStatus
from customers.words import STATUSES
from dedup.admin.comparison import Comparison, ComparisonRow, compare
from dedup.admin.profile_facets import CellLine, channel_name
from dedup.admin.value_formatter import ValueFormatter


@dataclass(frozen=True, slots=True)
class Remark:
    """A fact that must not be overlooked. `level`: danger, warning, info."""

    level: str
    text: str


def sign_in_remarks(profiles: Sequence[Profile], formatter: ValueFormatter) -> Iterator[Remark]:
    """Who signs in with what."""
    for p in profiles:
        if p.access_contacts():
            words = {"id": p.maestra_id, "values": _values(p.access_contacts(), formatter)}
            yield Remark("info", _("Customer %(id)s signs in with %(values)s.") % words)


def access_remarks(
    before: Sequence[Profile], after: Sequence[Profile], formatter: ValueFormatter
) -> Iterator[Remark]:
    """Who signs in with what, and whose data that opens after a merge."""
    yield from sign_in_remarks(before, formatter)
    for p in after:
        others = [q for q in before if q.maestra_id in p.maestra_ids and not q.access_contacts()]
        for q in others if p.access_contacts() else ():
            words = {"id": q.maestra_id, "values": _values(p.access_contacts(), formatter)}
            text = _(
                "Customer %(id)s does not sign in. Whoever signs in with %(values)s will see the orders, "
                "points and contacts of customer %(id)s too."
            )
            yield Remark("danger", text % words)


def _values(keys: Iterable[Any], formatter: ValueFormatter) -> str:
    return ", ".join(formatter.named(*key) for key in sorted(keys))


def consent_remarks(before: Sequence[Profile], after: Sequence[Profile]) -> list[Remark]:
    """Every subscription whose status becomes another, those that end a refusal first.

    Who becomes part of whom is told by the MaestraIDs: a merge makes one of several, an undo two of one.
    """
    pairs = [(old, new) for old in before for new in after if old.maestra_ids & new.maestra_ids]
    told = [(old, new, (new if len(after) > 1 else old).maestra_id) for old, new in pairs]
    found = [remark for old, new, whose in told for remark in _consent_changes(old, new, whose)]
    return sorted(found, key=lambda remark: remark.level)  # danger before warning


def _consent_changes(old: Profile, new: Profile, maestra_id: int) -> Iterator[Remark]:
    words: dict[str, Any] = {"id": maestra_id}
    if new.opted_out_at and not old.opted_out_at:
        yield Remark("warning", _("Customer %(id)s will be opted out of all communication.") % words)
    if old.opted_out_at and not new.opted_out_at:
        yield Remark("danger", _("Customer %(id)s will no longer be opted out of all communication.") % words)
    for channel, is_now in sorted(new.subscriptions.items()):
        was = old.subscriptions.get(channel)
        if was and was.status is not is_now.status:
            level = "danger" if was.status is SubscriptionStatus.UNSUBSCRIBED else "warning"
            statuses = {"old": _(STATUSES[was.status.value]), "new": _(STATUSES[is_now.status.value])}
            text = _("%(channel)s: customer %(id)s was %(old)s and becomes %(new)s.")
            yield Remark(level, text % {**words, **statuses, "channel": channel_name(channel)})


def loss_remarks(comparison: Comparison) -> Iterator[Remark]:
    """What of the sides the result does not have, and IDs that retire to history."""
    sides = [column for column in comparison.columns if column.role == "before"]
    told = [row for row in comparison.rows if row.group in ("contacts", "person", "segments")]
    for row in told:
        for column, cell in zip(sides, row.before, strict=True):
            words: dict[str, Any] = {"id": column.maestra_id, "field": row.label}
            for line in cell.lines:
                words["value"] = line.text
                if line.mark == "lost":
                    text = _("%(field)s “%(value)s” of customer %(id)s is not kept.")
                    yield Remark("warning", text % words)
                elif line.mark == "changed" and _retires(line, row):
                    text = _(
                        "%(field)s %(value)s of customer %(id)s becomes a former one, "
                        "which still finds the profile."
                    )
                    yield Remark("info", text % words)


def _retires(line: CellLine, row: ComparisonRow) -> bool:
    former = _("former")
    after = {one.text: one.badges for cell in row.after for one in cell.lines}
    return former in after[line.text] and former not in line.badges


def side_by_side(
    before: Sequence[Profile], after: Sequence[Profile], formatter: ValueFormatter
) -> dict[str, Any]:
    """What any page shows that sets profiles side by side."""
    comparison = compare(before, after, formatter)
    return {
        "comparison": comparison,
        "access": list(access_remarks(before, after, formatter)),
        "consent": consent_remarks(before, after),
        "losses": list(loss_remarks(comparison)),
    }
