"""Which column of a file is which field of a record.

A target is named like the field of a record in the API: `email`, `ids.crm_id`, `personal.birth_date`,
`subscriptions.email.news`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from customers.contact_types import CONTACT_NAMES
from customers.errors import invalid
from customers.profile import MAESTRA_ID, PAYMENT_CARD
from customers.setup.integration_points import Point
from customers.setup.project_config import ProjectConfig
from dedup.imports.columns.options import Options
from dedup.models import ImportKind
from dedup.parsing.fields import RecordField, Segmentations, Target, squeezed
from dedup.parsing.identifiers import CONFIRMED
from dedup.parsing.person import FULL_NAME
from dedup.parsing.records import IDENTIFIERS, IMPORTED, OF_CUSTOMERS, ORDER, SEGMENTS


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """The target of every column, None for a column that is not used."""

    targets: tuple[str | None, ...]

    def to_json(self, header: Sequence[str]) -> dict[str, str | None]:
        """By column name, so that it fits a file with the columns in another order."""
        return dict(zip(header, self.targets, strict=True))


def targets(kind: ImportKind, config: ProjectConfig, segmentations: Segmentations) -> tuple[Target, ...]:
    """All that the columns of a file of this kind can be mapped to, in the order to offer them.

    Subscriptions to a topic, `subscriptions.<channel>.<topic>`, are accepted too and cannot all be listed.
    """
    match kind:
        case ImportKind.CUSTOMERS:
            found = _of(OF_CUSTOMERS.values(), config, segmentations)
        case ImportKind.ORDERS:
            found = _of((ORDER, *OF_CUSTOMERS.values()), config, segmentations)
        case ImportKind.SEGMENT:
            found = [*_identifier_targets(config), *_of((SEGMENTS,), config, segmentations)]
        case ImportKind.MERGES:
            found = _merge_targets(config)
    return tuple(found)


def recognise(
    kind: ImportKind,
    header: Sequence[str],
    config: ProjectConfig,
    segmentations: Segmentations,
    point: Point | None = None,
) -> ColumnMapping:
    """The mapping that the column names suggest, every target once, but for a second e-mail and the like.
    Confirmations only where the `point` takes them.
    """
    offered = [target for target in targets(kind, config, segmentations) if _is_taken(target.name, point)]
    known, vague = _by_spelling(offered), _by_vague_spelling(offered)
    found = _of_tools(header, {target.name for target in offered})
    for guess, names in ((_exactly, known), (_loosely, known), (_exactly, vague), (_loosely, vague)):
        for at, name in enumerate(header):
            target = None if at in found else guess(name, names)
            if target and target not in found.values() and not _is_said(name, target, found.values()):
                found[at] = target
    several = {target.name for target in offered if not target.is_single}
    for at, name in enumerate(header):
        target = None if at in found else known.get(squeezed(_NUMBER.sub("", name)))
        if target in several and target in found.values() and _NUMBER.search(name):
            found[at] = target
    return ColumnMapping(tuple(found.get(at) for at in range(len(header))))


def look_alikes(
    kind: ImportKind,
    header: Sequence[str],
    mapping: ColumnMapping,
    config: ProjectConfig,
    segmentations: Segmentations,
) -> list[str]:
    """What is to be said of columns that are not used and look like contacts that others are mapped to."""
    offered = {target.name: target for target in targets(kind, config, segmentations)}
    chosen = dict(zip(mapping.targets, header, strict=True))
    detail = _(
        "The column “%(name)s” looks like %(target)s too and is not imported, because “%(first)s” is. Map it "
        "only if what stands in it is every customer's own."
    )
    return [
        detail % {"name": name, "target": offered[target].label, "first": chosen[target]}
        for name in unmapped(header, mapping)
        for target in CONTACT_NAMES
        if target in chosen and target in offered and _ends_like(name, offered[target])
    ]


def _ends_like(name: str, target: Target) -> bool:
    plain = squeezed(name)
    words = (*target.spellings, *target.vague_spellings)
    return any(plain.endswith(word) for word in words if len(word) > 2)


def read_mapping(  # noqa: PLR0917 - what a mapping is read against
    kind: ImportKind,
    header: Sequence[str],
    data: Mapping[str, Any],
    config: ProjectConfig,
    segmentations: Segmentations,
    point: Point | None = None,
) -> ColumnMapping:
    """A mapping chosen by hand, or saved, as {column: target}. Columns it does not name are not used.

    Raises `validation_error` naming each column at fault.
    """
    offered = {target.name: target for target in targets(kind, config, segmentations)}
    errors = [(name, _("The file has no such column.")) for name in data if name not in header]
    chosen = {name: data.get(name) or None for name in header}
    for name, target in chosen.items():
        if target is None:
            continue
        if not isinstance(target, str) or not (target in offered or _is_topic(target, offered)):
            errors.append((name, _("There is no such field to put the column into.")))
        elif not _is_taken(target, point):
            errors.append((name, _("Contacts of this type are not confirmed at this integration point.")))
    errors += _taken_twice(chosen, offered)
    if errors:
        raise invalid(*errors)
    return ColumnMapping(tuple(chosen[name] for name in header))


def unmapped(header: Sequence[str], mapping: ColumnMapping) -> tuple[str, ...]:
    """The columns that are not used."""
    return tuple(name for name, target in zip(header, mapping.targets, strict=True) if target is None)


def require_usable(kind: ImportKind, mapping: ColumnMapping, options: Options) -> None:
    """Raises `validation_error` where the columns cannot make a single record, saying what is missing."""
    chosen = {target for target in mapping.targets if target}
    missing = [] if kind is ImportKind.MERGES or any(map(identifies, chosen)) else [_NOBODY]
    match kind:
        case ImportKind.ORDERS:
            missing += [name for name in ("order.number", "order.total") if name not in chosen]
        case ImportKind.SEGMENT:
            if not options.segment and not any(target.startswith("segments.") for target in chosen):
                missing.append("segments")
        case ImportKind.MERGES:
            roles = {target.partition(".")[0] for target in chosen}
            missing += [role for role in (RESULTING, MERGED) if role not in roles]
    if missing:
        raise invalid(*(("mapping", _missing(name)) for name in missing))
    if options.newer_consents and not any(map(_is_consent_date, chosen)):
        raise invalid(("options.newer_consents", _("No column is mapped to the dates of the consents.")))


def _is_consent_date(target: str) -> bool:
    return target.startswith("subscriptions.") and target.endswith(".since")


def parted(target: str) -> tuple[str, str]:
    """The record's field of a target, and the rest: `ids` and `crm_id` of `ids.crm_id`."""
    field, _dot, part = target.partition(".")
    return field, part


def identifies(target: str) -> bool:
    """Whether a column of that target can tell who a row is about."""
    field, part = parted(target)
    return field in IMPORTED and IMPORTED[field].identifies(part)


RESULTING, MERGED = "resulting", "merged"
_NOBODY = "ids"


def _missing(name: str) -> str:
    return {
        _NOBODY: _("No column tells who the rows are about. Map an ID, an e-mail address or a phone."),
        "order.number": _("No column is mapped to the order number."),
        "order.total": _("No column is mapped to the order total."),
        "segments": _("Choose the segment, or map a column to a segmentation."),
        RESULTING: _("No column is mapped to the resulting customer."),
        MERGED: _("No column is mapped to the customers to merge."),
    }[name]


def _is_taken(target: str, point: Point | None) -> bool:
    """Whether the integration point takes such a value (R13)."""
    contact, flag = parted(target)
    return flag != CONFIRMED or point is None or contact in point.must_be_confirmed


def _is_topic(target: str, offered: Mapping[str, Target]) -> bool:
    channel = ".".join(target.split(".")[:2])
    return target.startswith("subscriptions.") and channel in offered and len(target) > len(channel) + 1


def _taken_twice(chosen: Mapping[str, Any], offered: Mapping[str, Target]) -> Iterator[tuple[str, str]]:
    first: dict[str, str] = {}
    for name, target in chosen.items():
        if not isinstance(target, str) or (target in offered and not offered[target].is_single):
            continue
        if target in first:
            detail = _("The columns “%(first)s” and “%(second)s” both go to %(target)s. Use one of them.")
            label = offered[target].label if target in offered else target
            yield name, detail % {"first": first[target], "second": name, "target": label}
        first.setdefault(target, name)


# --- What there is to choose


def _of(fields: Iterable[RecordField], config: ProjectConfig, segmentations: Segmentations) -> list[Target]:
    return [target for field in fields for target in field.targets(config, segmentations)]


def _identifier_targets(config: ProjectConfig) -> list[Target]:
    """By what a customer can be looked up; no flags of contacts."""
    return [target for target in _of(IDENTIFIERS.values(), config, {}) if identifies(target.name)]


_ROLE_SPELLINGS = {
    RESULTING: ("resulting", "result", "primary", "main", "master", "target", "winner", "surviving", "keep"),
    MERGED: (
        *("merged", "tomerge", "merge", "idstomerge", "idtomerge", "duplicate", "duplicates"),
        *("source", "loser", "absorbed", "old"),
    ),
}


def _merge_targets(config: ProjectConfig) -> list[Target]:
    """Who stays, one; and who is merged into them, any number, also several in one cell (R28)."""
    labels = {RESULTING: _("Resulting customer: %(kind)s"), MERGED: _("Customer to merge: %(kind)s")}
    kinds = [t for t in _identifier_targets(config) if t.name != PAYMENT_CARD]
    return [
        Target(
            f"{role}.{kind.name.removeprefix('ids.')}",
            labels[role] % {"kind": kind.label},
            _("Resulting customer") if role == RESULTING else _("Customers to merge"),
            is_single=role == RESULTING,
            spellings=tuple(_role_spellings(role, kind)),
        )
        for role in (RESULTING, MERGED)
        for kind in kinds
    ]


def _role_spellings(role: str, kind: Target) -> Iterator[str]:
    for word in _ROLE_SPELLINGS[role]:
        yield from (f"{word}{spelling}" for spelling in kind.spellings)
        if kind.name == f"ids.{MAESTRA_ID}":
            yield from (word, f"{word}id", f"{word}ids", f"{word}customer", f"{word}customerid")


# --- How columns are recognised

_BEFORE = ("customer", "client", "user", "contact", "person", "primary", "buyer", "subscriber", "member")
_AFTER = ("number", "no", "value", "address", "code")


_NUMBER = re.compile(r"\s*\(?\b[2-9]\b\)?|[2-9]$")
"""What tells a second column of a kind from the first: `E-mail 2 Address`, `email (2)`, `Email2`."""
_OF_TOOLS: tuple[tuple[frozenset[str], Mapping[str, str]], ...] = (
    # Shopify: the name of an order is its number.
    (frozenset({"financialstatus", "lineitemname"}), {"name": "order.number"}),
    # listmonk
    (frozenset({"uuid", "attributes", "status"}), {"status": "subscriptions.email"}),
    # Mailchimp: the times at which somebody subscribed and unsubscribed.
    (
        frozenset({"optintime", "unsubtime"}),
        {"unsubtime": "unsubscribed.email", "optintime": "subscriptions.email"},
    ),
)
"""Columns that the exports of some tools call by names that mean something else elsewhere, by other columns
that these exports have.
"""


def _of_tools(header: Sequence[str], offered: Container[str]) -> dict[int, str]:
    names = [squeezed(name) for name in header]
    return {
        at: meant[name]
        for signature, meant in _OF_TOOLS
        if signature.issubset(names)
        for at, name in enumerate(names)
        if name in meant and meant[name] in offered
    }


def _is_said(name: str, target: str, found: Collection[str]) -> bool:
    """Whether it is a full name, beside first or last name, and does not bear the target's own name."""
    return (
        name != target
        and target == f"personal.{FULL_NAME}"
        and not {"personal.first_name", "personal.last_name"}.isdisjoint(found)
    )


def _by_spelling(offered: Iterable[Target]) -> dict[str, str]:
    known: dict[str, str] = {}
    for target in offered:
        for spelling in (squeezed(target.name), *target.spellings, squeezed(target.label)):
            known.setdefault(spelling, target.name)
    return known


def _by_vague_spelling(offered: Iterable[Target]) -> dict[str, str]:
    return {spelling: target.name for target in offered for spelling in target.vague_spellings}


def _exactly(name: str, known: Mapping[str, str]) -> str | None:
    return known.get(squeezed(name)) or _topic(name, known)


def _loosely(name: str, known: Mapping[str, str]) -> str | None:
    """Without the word that says whose it is, or the one that says what every value is."""
    plain = squeezed(name)
    forms = [plain.removeprefix(word) for word in _BEFORE]
    forms += [form.removesuffix(word) for form in (plain, *forms) for word in _AFTER]
    return next((known[form] for form in forms if form in known), None)


_TOPIC_NAME = re.compile(r"(subscriptions\.\w+)\.(.+)")


def _topic(name: str, known: Mapping[str, str]) -> str | None:
    """`subscriptions.email.news`, and what follows the channel in "IsSubscribedByEmail: news"."""
    if match := _TOPIC_NAME.fullmatch(name):
        return f"{match[1]}.{match[2]}" if match[1] in known.values() else None
    channel, colon, topic = name.partition(":")
    target = known.get(squeezed(channel), "") if colon and topic.strip() else ""
    return f"{target}.{topic.strip()}" if target.startswith("subscriptions.") else None
