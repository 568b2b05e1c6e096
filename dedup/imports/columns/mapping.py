"""Which column of a file is which field of a record.

A target is named like the field of a record in the API: `email`, `ids.crm_id`, `personal.birth_date`,
`subscriptions.email.news`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as Lookup
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from customers.errors import invalid
from customers.models import Channels
from customers.profile import (
    CONTACTS,
    EMAIL,
    MAESTRA_ID,
    MOBILE_PHONE,
    PAYMENT_CARD,
    PERSONAL_FIELDS,
    Category,
)
from customers.setup.integration_points import Point
from customers.setup.project_config import ProjectConfig
from dedup.imports.columns.options import Options
from dedup.models import ImportKind
from segments.naming import NamedSegmentation

__all__ = ["ImportKind", "Mapping", "Options", "Target", "read_mapping", "recognise", "targets", "unmapped"]


@dataclass(frozen=True, slots=True)
class Target:
    """What a column can be mapped to. Where `is_single` is not set, several columns may go to it. `spellings`
    are the column names it is recognised by, without case, spaces and punctuation.
    """

    name: str
    label: str
    group: str
    is_single: bool = True
    spellings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mapping:
    """The target of every column, None for a column that is not used."""

    targets: tuple[str | None, ...]

    def to_json(self, header: Sequence[str]) -> dict[str, str | None]:
        """By column name, so that it fits a file with the columns in another order."""
        return dict(zip(header, self.targets, strict=True))


Segmentations = Lookup[str, NamedSegmentation]


def targets(kind: ImportKind, config: ProjectConfig, segmentations: Segmentations) -> tuple[Target, ...]:
    """All that the columns of a file of this kind can be mapped to, in the order to offer them.

    Subscriptions to a topic, `subscriptions.<channel>.<topic>`, are accepted too and cannot all be listed.
    """
    match kind:
        case ImportKind.CUSTOMERS:
            found = _customer_targets(config, segmentations)
        case ImportKind.ORDERS:
            found = [*_order_targets(), *_customer_targets(config, segmentations)]
        case ImportKind.SEGMENT:
            found = [*_identifier_targets(config), *_segment_targets(segmentations)]
        case ImportKind.MERGES:
            found = _merge_targets(config)
    return tuple(found)


def recognise(
    kind: ImportKind,
    header: Sequence[str],
    config: ProjectConfig,
    segmentations: Segmentations,
    point: Point | None = None,
) -> Mapping:
    """The mapping that the column names suggest, every target once. Confirmations only where the `point`
    takes them.
    """
    offered = targets(kind, config, segmentations)
    names = {target.name for target in offered if _is_taken(target.name, point)}
    known = _by_spelling(target for target in offered if target.name in names)
    found: dict[int, str] = {}
    for guess in (_exactly, _loosely):
        for at, name in enumerate(header):
            target = None if at in found else guess(name, known)
            if target and target not in found.values():
                found[at] = target
    return Mapping(tuple(found.get(at) for at in range(len(header))))


def read_mapping(  # noqa: PLR0917 - what a mapping is read against
    kind: ImportKind,
    header: Sequence[str],
    data: Lookup[str, Any],
    config: ProjectConfig,
    segmentations: Segmentations,
    point: Point | None = None,
) -> Mapping:
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
    return Mapping(tuple(chosen[name] for name in header))


def unmapped(header: Sequence[str], mapping: Mapping) -> tuple[str, ...]:
    """The columns that are not used."""
    return tuple(name for name, target in zip(header, mapping.targets, strict=True) if target is None)


def require_usable(kind: ImportKind, mapping: Mapping, options: Options) -> None:
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


def identifies(target: str) -> bool:
    """Whether a column of that target can tell who a row is about."""
    return target.startswith("ids.") or target in _IDENTIFYING


RESULTING, MERGED = "resulting", "merged"
_NOBODY = "ids"
_CONTACT_FLAGS = ("is_confirmed", "is_primary")


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
    contact, _dot, flag = target.partition(".")
    return flag != "is_confirmed" or point is None or contact in point.must_be_confirmed


def _is_topic(target: str, offered: Lookup[str, Target]) -> bool:
    channel = ".".join(target.split(".")[:2])
    return target.startswith("subscriptions.") and channel in offered and len(target) > len(channel) + 1


def _taken_twice(chosen: Lookup[str, Any], offered: Lookup[str, Target]) -> Iterator[tuple[str, str]]:
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


def _customer_targets(config: ProjectConfig, segmentations: Segmentations) -> list[Target]:
    return [
        *_identifier_targets(config),
        *_flag_targets(),
        *_personal_targets(),
        *_subscription_targets(),
        *_segment_targets(segmentations),
        *_custom_field_targets(config),
        Target("occurred_at", _("Time of the record"), _("Other"), spellings=("occurredat", "timestamp")),
    ]


_IDENTIFIER_SPELLINGS = {
    MAESTRA_ID: ("maestraid",),
    "email": ("email", "emailaddress", "mail", "mailaddress", "eaddress"),
    "mobile_phone": (
        *("mobilephone", "mobile", "cellphone", "cell", "phone", "phonenumber", "telephone", "tel", "msisdn"),
        *("mobilenumber", "phonemobile", "handy"),
    ),
    "discount_card": ("discountcard", "card", "cardnumber", "loyaltycard", "bonuscard", "clubcard"),
    "device_id": ("deviceid", "device", "deviceuuid", "cookieid", "cookie"),
    "mobile_device_id": ("mobiledeviceid", "mobiledevice", "mobiledeviceuuid", "appdevice"),
    PAYMENT_CARD: ("paymentcardhash", "paymentcard", "cardhash", "creditcardhash"),
}


def _identifier_targets(config: ProjectConfig) -> list[Target]:
    """IDs first; of a unique kind a row has one value, of the others it may have several (R2–R10)."""
    ids = [Target(f"ids.{MAESTRA_ID}", "MaestraID", _("IDs"), spellings=_IDENTIFIER_SPELLINGS[MAESTRA_ID])]
    others = []
    for kind in config.kinds.values():
        label = config.labels.get(kind.name, kind.name)
        if kind.category in (Category.UNIQUE, Category.IDENTIFIER):
            spellings = (_squeezed(kind.name), _squeezed(label))
            is_single = kind.category is Category.UNIQUE
            ids.append(Target(f"ids.{kind.name}", label, _("IDs"), is_single, spellings))
        else:
            group = _("Contacts") if kind.category in CONTACTS else _("Devices and cards")
            others.append(Target(kind.name, label, group, False, _IDENTIFIER_SPELLINGS[kind.name]))
    cards = Target(
        PAYMENT_CARD,
        _("Payment card hash"),
        _("Devices and cards"),
        False,
        _IDENTIFIER_SPELLINGS[PAYMENT_CARD],
    )
    return [*ids, *others, cards]


_IDENTIFYING = frozenset(
    {*(category.value for category in CONTACTS), "device_id", "mobile_device_id", PAYMENT_CARD}
)


def _flag_targets() -> list[Target]:
    """What may be said of the first contact of a type."""
    spoken = {EMAIL: _("E-mail"), MOBILE_PHONE: _("Mobile phone"), "discount_card": _("Discount card")}
    confirmed = [
        Target(
            f"{contact}.is_confirmed",
            _("%(contact)s is confirmed") % {"contact": label},
            _("Contacts"),
            spellings=tuple(
                spelling.format(name)
                for name in _IDENTIFIER_SPELLINGS[contact]
                for spelling in ("is{}confirmed", "{}confirmed", "{}isconfirmed", "confirmed{}", "{}verified")
            ),
        )
        for contact, label in spoken.items()
    ]
    primary = [
        Target(
            f"{contact}.is_primary",
            _("%(contact)s is the primary one") % {"contact": spoken[contact]},
            _("Contacts"),
            spellings=tuple(f"is{name}primary" for name in _IDENTIFIER_SPELLINGS[contact]),
        )
        for contact in (EMAIL, MOBILE_PHONE)
    ]
    return [*confirmed, *primary]


_PERSONAL_SPELLINGS = {
    "last_name": ("lastname", "surname", "familyname", "namelast", "lname", "secondname", "nachname"),
    "first_name": ("firstname", "givenname", "forename", "namefirst", "fname", "christianname", "vorname"),
    "middle_name": ("middlename", "namemiddle", "mname", "patronymic", "middleinitial"),
    "birth_date": ("birthdate", "dateofbirth", "dob", "birthday", "bday", "birth", "born", "bornon"),
    "gender": ("gender", "sex"),
}
_TIME_ZONE_SPELLINGS = ("timezone", "tz", "timezoneid", "ianatimezone", "ianatz")


def _personal_targets() -> list[Target]:
    labels = {
        "last_name": _("Last name"),
        "first_name": _("First name"),
        "middle_name": _("Middle name"),
        "birth_date": _("Birth date"),
        "gender": _("Gender"),
    }
    group = _("Person")
    return [
        *(
            Target(f"personal.{name}", labels[name], group, spellings=_PERSONAL_SPELLINGS[name])
            for name in PERSONAL_FIELDS
        ),
        Target("time_zone", _("Time zone"), group, spellings=_TIME_ZONE_SPELLINGS),
    ]


_CHANNEL_SPELLINGS = {
    "email": ("email", "mail"),
    "sms": ("sms", "text", "phone", "mobilephone"),
    "web_push": ("webpush", "browserpush"),
    "mobile_push": ("mobilepush", "apppush", "push"),
    "viber": ("viber",),
    "call": ("call", "calls", "phonecall"),
}
_SUBSCRIBED = (
    *("issubscribedby{}", "issubscribedto{}", "subscribedby{}", "subscribedto{}", "{}subscribed"),
    *("is{}subscribed", "{}subscription", "subscription{}", "{}optin", "optin{}", "{}consent", "{}marketing"),
)


def _subscription_targets() -> list[Target]:
    return [
        Target(
            f"subscriptions.{channel}",
            _("Subscribed: %(channel)s") % {"channel": label},
            _("Subscriptions"),
            spellings=tuple(s.format(name) for name in _CHANNEL_SPELLINGS[channel] for s in _SUBSCRIBED),
        )
        for channel, label in Channels.choices
    ]


def _segment_targets(segmentations: Segmentations) -> list[Target]:
    """The static ones: nobody is put into the others by hand (R51). Where there is one, it is what a column
    "Segment" means.
    """
    static = [name for name, segmentation in segmentations.items() if segmentation.is_static]
    plain = ("segment",) if len(static) == 1 else ()
    return [
        Target(
            f"segments.{name}",
            _("Segment of %(segmentation)s") % {"segmentation": name},
            _("Segments"),
            spellings=(
                *(s.format(_squeezed(name)) for s in ("{}", "{}segment", "segment{}", "segments{}")),
                *plain,
            ),
        )
        for name in static
    ]


def _custom_field_targets(config: ProjectConfig) -> list[Target]:
    return [
        Target(
            f"custom_fields.{name}",
            config.labels.get(name, name),
            _("Custom fields"),
            spellings=(_squeezed(name), _squeezed(config.labels.get(name, name))),
        )
        for name in config.custom_fields
    ]


_ORDER_SPELLINGS = {
    "number": ("ordernumber", "orderid", "orderno", "number", "order", "ordercode"),
    "total": ("ordertotal", "total", "amount", "orderamount", "sum", "ordersum", "totalprice", "price"),
    "currency": ("currency", "ordercurrency", "currencycode"),
    "placed_at": (
        *("placedat", "orderplacedat", "orderdate", "ordertime", "date", "datetime", "createdat"),
        *("orderdatetime", "ordered", "orderedat", "orderedon", "time"),
    ),
    "status": ("orderstatus", "status", "orderstate"),
    "lines": ("orderlines", "lines", "items", "orderitems"),
}


def _order_targets() -> list[Target]:
    labels = {
        "number": _("Order number"),
        "total": _("Order total"),
        "currency": _("Currency"),
        "placed_at": _("Time of the order"),
        "status": _("Order status"),
        "lines": _("Order lines (JSON)"),
    }
    return [
        Target(f"order.{name}", label, _("Order"), spellings=_ORDER_SPELLINGS[name])
        for name, label in labels.items()
    ]


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


def _squeezed(name: str) -> str:
    """The letters and digits alone, in lower case: E-mail, E_MAIL and Email are one."""
    return re.sub(r"[\W_]+", "", name).casefold()


def _by_spelling(offered: Iterable[Target]) -> dict[str, str]:
    known: dict[str, str] = {}
    for target in offered:
        for spelling in (_squeezed(target.name), *target.spellings, _squeezed(target.label)):
            known.setdefault(spelling, target.name)
    return known


def _exactly(name: str, known: Lookup[str, str]) -> str | None:
    return known.get(_squeezed(name)) or _topic(name, known)


def _loosely(name: str, known: Lookup[str, str]) -> str | None:
    """Without the word that says whose it is, or the one that says what every value is."""
    squeezed = _squeezed(name)
    forms = [squeezed.removeprefix(word) for word in _BEFORE]
    forms += [form.removesuffix(word) for form in (squeezed, *forms) for word in _AFTER]
    return next((known[form] for form in forms if form in known), None)


_TOPIC_NAME = re.compile(r"(subscriptions\.\w+)\.(.+)")


def _topic(name: str, known: Lookup[str, str]) -> str | None:
    """`subscriptions.email.news`, and what follows the channel in "IsSubscribedByEmail: news"."""
    if match := _TOPIC_NAME.fullmatch(name):
        return f"{match[1]}.{match[2]}" if match[1] in known.values() else None
    channel, colon, topic = name.partition(":")
    target = known.get(_squeezed(channel), "") if colon and topic.strip() else ""
    return f"{target}.{topic.strip()}" if target.startswith("subscriptions.") else None
