"""Profiles side by side, before and after: what is kept, lost and gained, and by which policy.

The same table shows a merge before it happens, one that happened, and the undo of it. Everything in it comes
from the profiles the engine decided on; nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from django.http import HttpRequest
from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from customers.admin.tabs import masking_of
from customers.history.sentences import CHANNELS, FIELDS, STATUSES
from customers.models.people import Genders
from customers.presentation.masking import MaskingPolicy, masked_hash
from customers.profile import PERSONAL_FIELDS, STRENGTH, Channel, Holding, Profile, SubscriptionStatus
from customers.setup.project_config import ProjectConfig, project_config
from dedup.wording import policy_sentence
from segments.reading import names_of

MOST_LINES = 12
"""Values of one kind that a cell shows; the rest is counted."""
ADDED_UP = frozenset({"members", "notes"})
"""What both sides bring to the result, so that nothing of it is ever lost."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks: the words of the set-up, and what of the values may be seen."""

    known: ProjectConfig
    masking: MaskingPolicy
    sees_cards: bool

    @classmethod
    def of(cls, request: HttpRequest) -> Reader:
        may = request.user.has_perm
        return cls(project_config(), masking_of(request), sees_cards=may("customers.view_paymentcard"))

    def label(self, system_name: str) -> str:
        return self.known.labels.get(system_name, system_name)

    def value(self, kind: str, value: str) -> str:
        return self.masking.value(kind, value)

    def named(self, kind: str, value: str) -> str:
        return f"{self.label(kind)} {self.value(kind, value)}"


@dataclass(frozen=True, slots=True)
class Line:
    """One value in a cell. `badges` tell more of it; `mark` what becomes of it: kept, changed, lost."""

    text: str
    badges: tuple[str, ...] = ()
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    lines: tuple[Line, ...] = ()
    sources: tuple[int, ...] = ()
    more: int = 0

    @property
    def shown(self) -> tuple[Line, ...]:
        return self.lines[:MOST_LINES]


@dataclass(frozen=True, slots=True)
class Row:
    """One field of all profiles. `policy` tells why the result is what it is, where the sides differ."""

    key: str
    group: str
    label: str
    policy: str
    before: tuple[Cell, ...]
    after: tuple[Cell, ...]
    is_new: bool = False

    @property
    def digest(self) -> str:
        """Tells whether two previews show the same here, without telling what."""
        return sha256(repr((self.before, self.after)).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Column:
    """A profile as a column of the table. `role`: before, after."""

    maestra_id: int
    name: str
    role: str
    title: str


@dataclass(frozen=True, slots=True)
class Comparison:
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    @property
    def groups(self) -> list[tuple[str, list[tuple[Row, list[tuple[Column, Cell]]]]]]:
        """Rows with their cells, by group; a policy is told where it first applies."""
        grouped: dict[str, list[Any]] = {}
        told: set[str] = set()
        for row in self.rows:
            once = replace(row, policy="") if row.policy in told else row
            told.add(row.policy)
            cells = list(zip(self.columns, (*row.before, *row.after), strict=True))
            grouped.setdefault(row.group, []).append((once, cells))
        return [(str(GROUPS[name]), rows) for name, rows in grouped.items()]

    @property
    def digests(self) -> dict[str, str]:
        return {row.key: row.digest for row in self.rows}

    def against(self, seen: Mapping[str, str]) -> Comparison:
        """The same, with the rows marked that somebody has not seen so yet."""
        rows = (replace(row, is_new=seen.get(row.key) != row.digest) for row in self.rows)
        return replace(self, rows=tuple(rows))


GROUPS: Mapping[str, str | Promise] = {
    "contacts": gettext_lazy("Contacts and identifiers"),
    "consent": gettext_lazy("Consent"),
    "person": gettext_lazy("Personal data"),
    "segments": gettext_lazy("Segments"),
    "ledger": gettext_lazy("Orders, loyalty and activity"),
    "customer": gettext_lazy("Customer"),
}

FLAGS: Mapping[str, Callable[[Holding], Any]] = {
    gettext_noop("gives account access"): lambda h: h.gives_access,
    gettext_noop("primary"): lambda h: h.is_primary,
    gettext_noop("confirmed"): lambda h: h.confirmed_at,
    gettext_noop("awaits confirmation"): lambda h: h.is_pending,
    gettext_noop("former"): lambda h: h.is_former,
}


def compare(before: Sequence[Profile], after: Sequence[Profile], reader: Reader) -> Comparison:
    """What becomes of `before`, the rows in a fixed order."""
    old, new = [_facets(p, reader) for p in before], [_facets(p, reader) for p in after]
    keys = dict.fromkeys(key for facets in (*new, *old) for key in facets)
    groups = list(GROUPS)
    rows = [_row(key, old, new, before) for key in keys]
    rows.sort(key=lambda row: groups.index(row.group))
    return Comparison((*_columns(before, "before"), *_columns(after, "after")), tuple(rows))


def _columns(profiles: Sequence[Profile], role: str) -> Iterator[Column]:
    for p in profiles:
        words = _("Customer %(id)s") if role == "before" else _("Becomes customer %(id)s")
        yield Column(p.maestra_id, full_name(p), role, words % {"id": p.maestra_id})


def full_name(profile: Profile) -> str:
    p = profile.personal
    return " ".join(filter(None, (p.first_name, p.middle_name, p.last_name)))


@dataclass(frozen=True, slots=True)
class Facet:
    """A field's value for the eye; `field` is the profile's, whose policy decides it."""

    group: str
    label: str
    field: str
    lines: tuple[Line, ...]
    policy: str = ""

    @property
    def sentence(self) -> str:
        return self.policy or policy_sentence(self.field)


Facets = dict[str, Facet]


def _row(key: str, old: Sequence[Facets], new: Sequence[Facets], before: Sequence[Profile]) -> Row:
    facet = next(f[key] for f in (*new, *old) if key in f)
    sources = [f[key].lines if key in f else () for f in old]
    results = [f[key].lines if key in f else () for f in new]
    after = {line.text: line.badges for lines in results for line in lines}
    is_added_up = facet.field in ADDED_UP
    cells = tuple(
        _cell(lines if is_added_up else [replace(line, mark=_mark(line, after)) for line in lines])
        for lines in sources
    )
    made = tuple(_cell(lines, () if is_added_up else _named_by(lines, sources, before)) for lines in results)
    # An undo follows no policy: it gives back what was.
    is_told = len(new) == 1 and len({frozenset(lines) for lines in (*sources, *results)}) > 1
    return Row(key, facet.group, facet.label, facet.sentence if is_told else "", cells, made)


def _cell(lines: Sequence[Line], sources: tuple[int, ...] = ()) -> Cell:
    return Cell(tuple(lines), sources, max(len(lines) - MOST_LINES, 0))


def _mark(line: Line, after: Mapping[str, tuple[str, ...]]) -> str:
    if line.text not in after:
        return "lost"
    return "kept" if after[line.text] == line.badges else "changed"


def _named_by(
    lines: Sequence[Line], sources: Sequence[Sequence[Line]], before: Sequence[Profile]
) -> tuple[int, ...]:
    """Whose values these are."""
    texts = {line.text for line in lines}
    if len(before) < 2:
        return ()
    return tuple(
        p.maestra_id
        for p, named in zip(before, sources, strict=True)
        if texts & {line.text for line in named}
    )


# --- What of a profile is shown, in the order of the page
# --------------------------------------------------------------------------------------------------------


def _facets(p: Profile, reader: Reader) -> Facets:
    return {
        key: facet
        for part in (_identifiers, _consent, _person, _memberships, _ledger)
        for key, facet in part(p, reader)
        if facet.lines
    }


Named = Iterator[tuple[str, Facet]]


def _identifiers(p: Profile, reader: Reader) -> Named:
    by_kind: dict[str, list[Line]] = {}
    order = {name: (STRENGTH[kind.category], name) for name, kind in reader.known.kinds.items()}
    ranked = sorted(p.holdings.values(), key=lambda h: (h.is_former, not h.is_primary, h.since, h.value))
    for h in ranked:
        flags = tuple(_(word) for word, is_true in FLAGS.items() if is_true(h))
        by_kind.setdefault(h.kind, []).append(Line(reader.value(h.kind, h.value), flags))
    for kind in sorted(by_kind, key=lambda name: order[name]):
        yield f"holdings {kind}", Facet("contacts", reader.label(kind), "holdings", tuple(by_kind[kind]))
    claims = tuple(Line(reader.named(*key)) for key in sorted(p.claims))
    yield "claims", Facet("contacts", _("Named, but held by somebody else"), "claims", claims)
    if reader.sees_cards:
        cards = tuple(Line(masked_hash(card)) for card in sorted(p.cards))
        yield "cards", Facet("contacts", _("Payment cards"), "cards", cards)


def channel_name(channel: Channel) -> str:
    name = _(CHANNELS[channel.channel])
    return f"{name} ({channel.topic})" if channel.topic else name


def _consent(p: Profile, _reader: Reader) -> Named:
    refused = (Line(shown(p.opted_out_at)),) if p.opted_out_at else ()
    yield "opted_out_at", Facet("consent", _("Refused all communication"), "opted_out_at", refused)
    for channel, subscription in sorted(p.subscriptions.items()):
        line = Line(_(STATUSES[subscription.status.value]), (shown(subscription.since),))
        key = f"subscriptions {channel.channel} {channel.topic}"
        yield key, Facet("consent", channel_name(channel), "subscriptions", (line,))


def _person(p: Profile, reader: Reader) -> Named:
    for name in PERSONAL_FIELDS:
        value = getattr(p.personal, name)
        if name == "gender" and value in Genders.values:
            value = str(Genders(value).label)
        yield f"personal {name}", _single("person", _(FIELDS[name]), "personal", value)
    yield "time_zone", _single("person", _("time zone"), "time_zone", p.time_zone)
    for name, value in sorted(p.custom_fields.items()):
        yield f"custom_fields {name}", _single("person", reader.label(name), "custom_fields", value)


def _memberships(p: Profile, _reader: Reader) -> Named:
    for segmentation, membership in sorted(p.memberships.items()):
        names = names_of(membership.segment)
        line = Line(names.segment, (shown(membership.since),))
        yield f"memberships {segmentation}", Facet("segments", names.segmentation, "memberships", (line,))


def _ledger(p: Profile, _reader: Reader) -> Named:
    totals = {
        _("Orders"): p.orders_count,
        _("Total of orders"): sum((m.orders_total for m in p.members), Decimal(0)),
        _("Points balance"): sum((m.points_balance for m in p.members), Decimal(0)),
        _("Promo codes"): sum(m.promo_codes_count for m in p.members),
        _("Last personal action"): p.last_action_at,
    }
    for label, value in totals.items():
        yield f"ledger {label}", _single("ledger", label, "members", value or None)
    registered = _single("customer", _("Registered"), "members", p.registered_at)
    yield "registered", replace(registered, policy=_("The earlier one (R33)."))
    ids = tuple(Line(str(m.maestra_id)) for m in sorted(p.members, key=lambda m: m.maestra_id))
    yield "members", Facet("customer", _("MaestraIDs"), "members", ids)
    yield "notes", _single("customer", _("Notes"), "notes", len(p.notes) or None)


def _single(group: str, label: str, field: str, value: Any) -> Facet:
    return Facet(group, label[:1].upper() + label[1:], field, () if value is None else (Line(shown(value)),))


def shown(value: Any) -> str:
    """A stored value for the eye, times in the reader's zone."""
    match value:
        case bool():
            return _("yes") if value else _("no")
        case datetime():
            return formats.date_format(timezone.localtime(value), "DATETIME_FORMAT")
        case date():
            return formats.date_format(value, "DATE_FORMAT")
        case Decimal():
            return formats.number_format(value, use_l10n=True)
        case list() | tuple():
            return ", ".join(map(str, value))
        case _:
            return str(value)


# --- What to look at first
# --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Remark:
    """A fact that must not be overlooked. `level`: danger, warning, info."""

    level: str
    text: str


def sign_in_remarks(profiles: Sequence[Profile], reader: Reader) -> Iterator[Remark]:
    """Who signs in with what."""
    for p in profiles:
        if p.access_contacts():
            words = {"id": p.maestra_id, "values": _values(p.access_contacts(), reader)}
            yield Remark("info", _("Customer %(id)s signs in with %(values)s.") % words)


def access_remarks(before: Sequence[Profile], after: Sequence[Profile], reader: Reader) -> Iterator[Remark]:
    """Who signs in with what, and whose data that opens after a merge."""
    yield from sign_in_remarks(before, reader)
    for p in after:
        others = [q for q in before if q.maestra_id in p.maestra_ids and not q.access_contacts()]
        for q in others if p.access_contacts() else ():
            words = {"id": q.maestra_id, "values": _values(p.access_contacts(), reader)}
            text = _(
                "Customer %(id)s does not sign in. Whoever signs in with %(values)s will see the orders, "
                "points and contacts of customer %(id)s too."
            )
            yield Remark("danger", text % words)


def _values(keys: Iterable[Any], reader: Reader) -> str:
    return ", ".join(reader.named(*key) for key in sorted(keys))


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


def _retires(line: Line, row: Row) -> bool:
    former = _("former")
    after = {one.text: one.badges for cell in row.after for one in cell.lines}
    return former in after[line.text] and former not in line.badges


def side_by_side(before: Sequence[Profile], after: Sequence[Profile], reader: Reader) -> dict[str, Any]:
    """What any page shows that sets profiles side by side."""
    comparison = compare(before, after, reader)
    return {
        "comparison": comparison,
        "access": list(access_remarks(before, after, reader)),
        "consent": consent_remarks(before, after),
        "losses": list(loss_remarks(comparison)),
    }
