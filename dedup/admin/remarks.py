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
    """A fact that must not be overlooked, of one customer and where it is about one, of one field.

    `level`: danger, warning, info. `name` says which fact it is, without words.
    """

    level: str
    name: str
    text: str
    maestra_id: int | None = None
    field: str = ""


def sign_in_remarks(profiles: Sequence[Profile], formatter: ValueFormatter) -> Iterator[Remark]:
    """Who signs in with what."""
    for p in profiles:
        if p.access_contacts():
            words = {"id": p.maestra_id, "values": _values(p.access_contacts(), formatter)}
            text = _("Customer %(id)s signs in with %(values)s.") % words
            yield Remark("info", "signs_in", text, p.maestra_id)


def access_remarks(
    before: Sequence[Profile], after: Sequence[Profile], formatter: ValueFormatter
) -> Iterator[Remark]:
    """Who signs in with what, and who will see whose data after a merge."""
    yield from sign_in_remarks(before, formatter)
    for p in after:
        others = [q for q in before if q.maestra_id in p.maestra_ids and not q.access_contacts()]
        for q in others if p.access_contacts() else ():
            words = {"id": q.maestra_id, "values": _values(p.access_contacts(), formatter)}
            text = _(
                "Customer %(id)s has no account. Whoever signs in with %(values)s will also see the orders, "
                "points and contacts of customer %(id)s."
            )
            yield Remark("danger", "account_opens", text % words, q.maestra_id)


def _values(keys: Iterable[Any], formatter: ValueFormatter) -> str:
    return ", ".join(formatter.named(*key) for key in sorted(keys))


def consent_remarks(before: Sequence[Profile], after: Sequence[Profile]) -> list[Remark]:
    """Every subscription that changes its status, those that override an "unsubscribed" first.

    The MaestraIDs tell which profile becomes which: a merge makes one of several, an undo two of one.
    """
    pairs = [(old, new) for old in before for new in after if old.maestra_ids & new.maestra_ids]
    changes = [
        remark
        for old, new in pairs
        for remark in _consent_changes(old, new, (new if len(after) > 1 else old).maestra_id)
    ]
    return sorted(changes, key=lambda remark: remark.level)  # danger before warning


def _consent_changes(old: Profile, new: Profile, maestra_id: int) -> Iterator[Remark]:
    words: dict[str, Any] = {"id": maestra_id}
    if new.opted_out_at and not old.opted_out_at:
        text = _("Customer %(id)s will be opted out of all communication.") % words
        yield Remark("warning", "opted_out", text, maestra_id, "opted_out_at")
    if old.opted_out_at and not new.opted_out_at:
        text = _("Customer %(id)s will no longer be opted out of all communication.") % words
        yield Remark("danger", "opt_out_ends", text, maestra_id, "opted_out_at")
    for channel, is_now in sorted(new.subscriptions.items()):
        was = old.subscriptions.get(channel)
        if was and was.status is not is_now.status:
            level = "danger" if was.status is SubscriptionStatus.UNSUBSCRIBED else "warning"
            statuses = {"old": _(STATUSES[was.status.value]), "new": _(STATUSES[is_now.status.value])}
            text = _("%(channel)s: customer %(id)s changes from %(old)s to %(new)s.")
            text %= {**words, **statuses, "channel": channel_name(channel)}
            name = f"{was.status.value}_to_{is_now.status.value}"
            yield Remark(level, name, text, maestra_id, f"subscriptions {channel.channel} {channel.topic}")


def loss_remarks(comparison: Comparison) -> Iterator[Remark]:
    """Values of either side that the result does not have, and IDs that become former ones."""
    sides = [column for column in comparison.columns if column.role == "before"]
    rows = [row for row in comparison.rows if row.group in ("contacts", "person", "segments")]
    for row in rows:
        for column, cell in zip(sides, row.before, strict=True):
            words: dict[str, Any] = {"id": column.maestra_id, "field": row.label}
            for line in cell.lines:
                words["value"] = line.text
                if line.mark == "lost":
                    text = _("%(field)s “%(value)s” of customer %(id)s is lost.") % words
                    yield Remark("warning", "lost", text, column.maestra_id, row.key)
                elif line.mark == "changed" and _retires(line, row):
                    text = _(
                        "%(field)s %(value)s of customer %(id)s becomes a former value. "
                        "It still finds the profile."
                    )
                    yield Remark("info", "retires", text % words, column.maestra_id, row.key)


def _retires(line: CellLine, row: ComparisonRow) -> bool:
    former = _("former")
    after = {value.text: value.badges for cell in row.after for value in cell.lines}
    return former in after[line.text] and former not in line.badges


def side_by_side(
    before: Sequence[Profile], after: Sequence[Profile], formatter: ValueFormatter
) -> dict[str, Any]:
    """What every page shows that sets profiles side by side."""
    comparison = compare(before, after, formatter)
    return {
        "comparison": comparison,
        "access": list(access_remarks(before, after, formatter)),
        "consent": consent_remarks(before, after),
        "losses": list(loss_remarks(comparison)),
    }
