"""What of a profile its pages set side by side, in the order of the page.

One generator per group of fields; each field is decided by the merge policy of the profile's own field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from customers.admin.wording import personal_value
from customers.presentation.masking import masked_hash
from customers.profile import PERSONAL_FIELDS, STRENGTH, Channel, Holding, Profile
from customers.words import CHANNELS, FIELDS, STATUSES
from dedup.admin.value_formatter import ValueFormatter, text_of
from dedup.wording import policy_sentence
from segments.profile_part import names_of


@dataclass(frozen=True, slots=True)
class CellLine:
    """One value in a cell. `badges` tell more of it; `mark` what becomes of it: kept, changed, lost."""

    text: str
    badges: tuple[str, ...] = ()
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Facet:
    """What the table shows of a field. `field` is the profile's, whose policy decides it."""

    group: str
    label: str
    field: str
    lines: tuple[CellLine, ...]
    policy: str = ""

    @property
    def sentence(self) -> str:
        return self.policy or policy_sentence(self.field)


Facets = dict[str, Facet]


FLAGS: Mapping[str, Callable[[Holding], Any]] = {
    gettext_noop("gives account access"): lambda h: h.gives_access,
    gettext_noop("primary"): lambda h: h.is_primary,
    gettext_noop("confirmed"): lambda h: h.confirmed_at,
    gettext_noop("awaiting confirmation"): lambda h: h.is_pending,
    gettext_noop("former"): lambda h: h.is_former,
}


def facets_of(p: Profile, formatter: ValueFormatter) -> Facets:
    return {
        key: facet
        for part in (_identifiers, _consent, _person, _memberships, _ledger)
        for key, facet in part(p, formatter)
        if facet.lines
    }


Named = Iterator[tuple[str, Facet]]


def _identifiers(p: Profile, formatter: ValueFormatter) -> Named:
    by_kind: dict[str, list[CellLine]] = {}
    order = {name: (STRENGTH[kind.category], name) for name, kind in formatter.config.kinds.items()}
    ranked = sorted(p.holdings.values(), key=lambda h: (h.is_former, not h.is_primary, h.since, h.value))
    for h in ranked:
        flags = tuple(_(word) for word, is_true in FLAGS.items() if is_true(h))
        by_kind.setdefault(h.kind, []).append(CellLine(formatter.value(h.kind, h.value), flags))
    for kind in sorted(by_kind, key=lambda name: order[name]):
        yield f"holdings {kind}", Facet("contacts", formatter.label(kind), "holdings", tuple(by_kind[kind]))
    claims = tuple(CellLine(formatter.named(*key)) for key in sorted(p.claims))
    yield "claims", Facet("contacts", _("Claims (held by another customer)"), "claims", claims)
    if formatter.sees_cards:
        cards = tuple(CellLine(masked_hash(card)) for card in sorted(p.cards))
        yield "cards", Facet("contacts", _("Payment cards"), "cards", cards)


def channel_name(channel: Channel) -> str:
    name = _(CHANNELS[channel.channel])
    return f"{name} ({channel.topic})" if channel.topic else name


def _consent(p: Profile, _formatter: ValueFormatter) -> Named:
    opted_out = (CellLine(text_of(p.opted_out_at)),) if p.opted_out_at else ()
    yield "opted_out_at", Facet("consent", _("Opted out of all communication"), "opted_out_at", opted_out)
    for channel, subscription in sorted(p.subscriptions.items()):
        line = CellLine(_(STATUSES[subscription.status.value]), (text_of(subscription.since),))
        key = f"subscriptions {channel.channel} {channel.topic}"
        yield key, Facet("consent", channel_name(channel), "subscriptions", (line,))


def _person(p: Profile, formatter: ValueFormatter) -> Named:
    for name in PERSONAL_FIELDS:
        value = personal_value(name, getattr(p.personal, name))
        yield f"personal {name}", _single("person", _(FIELDS[name]), "personal", value)
    yield "time_zone", _single("person", _("time zone"), "time_zone", p.time_zone)
    for name, value in sorted(p.custom_fields.items()):
        yield f"custom_fields {name}", _single("person", formatter.label(name), "custom_fields", value)


def _memberships(p: Profile, _formatter: ValueFormatter) -> Named:
    for segmentation, membership in sorted(p.memberships.items()):
        names = names_of(membership.segment)
        line = CellLine(names.segment, (text_of(membership.since),))
        label = _("Segmentation %(name)s") % {"name": names.segmentation}
        yield f"memberships {segmentation}", Facet("segments", label, "memberships", (line,))


def _ledger(p: Profile, _formatter: ValueFormatter) -> Named:
    totals = {
        _("Orders"): p.orders_count,
        _("Total of orders"): sum((m.orders_total for m in p.members), Decimal(0)),
        _("Points balance"): sum((m.points_balance for m in p.members), Decimal(0)),
        _("Promo codes"): sum(m.promo_codes_count for m in p.members),
        _("Last personal action"): p.last_action_at,
    }
    for label, value in totals.items():
        yield f"ledger {label}", _single("ledger", label, "members", value or None)
    # R33
    registered = _single("customer", _("Registered"), "members", p.registered_at)
    yield "registered", replace(registered, policy=_("The earliest date."))
    ids = tuple(CellLine(str(m.maestra_id)) for m in sorted(p.members, key=lambda m: m.maestra_id))
    yield "members", Facet("customer", _("MaestraIDs"), "members", ids)
    yield "notes", _single("customer", _("Notes"), "notes", len(p.notes) or None)


def _single(group: str, label: str, field: str, value: Any) -> Facet:
    return Facet(
        group, label[:1].upper() + label[1:], field, () if value is None else (CellLine(text_of(value)),)
    )
