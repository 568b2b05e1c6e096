"""A condition in words: what a marketer reads beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from customers.contact_types import CONTACT_TYPES
from customers.models import Channels, Genders, Statuses
from customers.normalise import CustomType
from segments import conditions as of
from segments.conditions import Ask, Mode, Node, Op, State
from segments.readers import Period, Refers
from segments.references import Setup

Words = Mapping[str, Promise]

OPS: Words = {
    Op.AT_LEAST: gettext_lazy("at least"),
    Op.AT_MOST: gettext_lazy("at most"),
    Op.EXACTLY: gettext_lazy("exactly"),
}
CONTACTS: Words = {
    of.ANY_CONTACT: gettext_lazy("a contact of any type"),
    **{type_.name: gettext_lazy(type_.with_article) for type_ in CONTACT_TYPES},
}
CONTACT_SENTENCES: Words = {
    State.HELD: gettext_lazy("has %(contact)s"),
    State.CONFIRMED: gettext_lazy("has %(contact)s that is confirmed"),
    State.PENDING: gettext_lazy("has %(contact)s that awaits its confirmation"),
    State.GIVES_ACCESS: gettext_lazy("has %(contact)s that gives account access"),
}
PERSONAL: Words = {
    "last_name": gettext_lazy("last name"),
    "first_name": gettext_lazy("first name"),
    "middle_name": gettext_lazy("middle name"),
    "birth_date": gettext_lazy("birth date"),
    "gender": gettext_lazy("gender"),
    "time_zone": gettext_lazy("time zone"),
}
ASKS: Words = {
    Ask.KNOWN: gettext_lazy("is known"),
    Ask.IS: gettext_lazy("is"),
    Ask.CONTAINS: gettext_lazy("contains"),
    Ask.STARTS_WITH: gettext_lazy("starts with"),
    Ask.AT_LEAST: gettext_lazy("is at least"),
    Ask.AT_MOST: gettext_lazy("is at most"),
}
DATE_ASKS: Words = {
    Ask.IS: gettext_lazy("is"),
    Ask.AT_LEAST: gettext_lazy("is on or after"),
    Ask.AT_MOST: gettext_lazy("is on or before"),
}


def sentence(node: Node, setup: Setup) -> str:
    """The condition as what a customer does or has: “has placed at least 3 orders”."""
    if isinstance(node, of.Group):
        return _group(node, setup)
    return SENTENCES[type(node)](node, setup)


def _group(group: of.Group, setup: Setup) -> str:
    inside = [_inside(inner, setup) for inner in group.conditions]
    match group.mode:
        case Mode.ALL:
            return _(" and ").join(inside)
        case Mode.ANY:
            return _(" or ").join(inside)
        case Mode.NONE if len(inside) == 1:
            return _("not: %(condition)s") % {"condition": inside[0]}
        case Mode.NONE:
            return _("none of: %(conditions)s") % {"conditions": "; ".join(inside)}


def _inside(node: Node, setup: Setup) -> str:
    """In brackets where another group would otherwise run into it."""
    text = sentence(node, setup)
    return f"({text})" if isinstance(node, of.Group) and len(node.conditions) > 1 else text


def period_words(period: Period | None) -> str:
    """With a space before it; nothing where there is no period."""
    match period:
        case None:
            return ""
        case Period(last_days=int(days)):
            return " " + ngettext("in the last day", "in the last %(days)s days", days) % {"days": days}
        case Period(earlier_than_days=int(days)):
            return " " + ngettext("more than a day ago", "more than %(days)s days ago", days) % {"days": days}
        case Period(since=date(), until=date()):
            return " " + _("from %(since)s to %(until)s") % _days(period)
        case Period(since=date()):
            return " " + _("since %(since)s") % _days(period)
        case _:
            return " " + _("until %(until)s") % _days(period)


def _days(period: Period) -> dict[str, str]:
    ends = {"since": period.since, "until": period.until}
    return {name: day.isoformat() for name, day in ends.items() if day}


def _contact(c: of.Contact, _setup: Setup) -> str:
    return str(CONTACT_SENTENCES[c.state]) % {"contact": CONTACTS[c.contact]}


def _identified(_c: of.Identified, _setup: Setup) -> str:
    return _("is identified")


def _identifier(c: of.Identifier, setup: Setup) -> str:
    return _("has an identifier: %(kind)s") % {"kind": setup.label(Refers.IDENTIFIER_KIND, c.kind)}


def _subscribed(c: of.Subscribed, _setup: Setup) -> str:
    words = {"status": Statuses(c.status).label, "channel": Channels(c.channel).label, "topic": c.topic}
    if c.topic is None:
        return _("has a subscription to %(channel)s: %(status)s") % words
    if not c.topic:
        return _("has a subscription to %(channel)s without a topic: %(status)s") % words
    return _("has a subscription to %(channel)s, topic “%(topic)s”: %(status)s") % words


def _opted_out(_c: of.OptedOut, _setup: Setup) -> str:
    return _("has opted out of everything")


def _compared(c: Any) -> dict[str, Any]:
    words = {"op": OPS[c.op], "value": f"{c.value:,}"}
    return {**words, "period": period_words(getattr(c, "period", None))}


def _orders_count(c: of.OrdersCount, _setup: Setup) -> str:
    text = ngettext(
        "placed %(op)s %(value)s order%(period)s", "placed %(op)s %(value)s orders%(period)s", c.value
    )
    return text % _compared(c)


def _orders_total(c: of.OrdersTotal, _setup: Setup) -> str:
    return _("placed orders for %(op)s %(value)s in all%(period)s") % _compared(c)


def _last_order(c: of.LastOrder, _setup: Setup) -> str:
    return _("placed the last order%(period)s") % {"period": period_words(c.period)}


def _activity_count(c: of.ActivityCount, _setup: Setup) -> str:
    what = _("activity “%(kind)s”") % {"kind": c.kind} if c.kind else _("any activity")
    page = " " + _("on pages with “%(page)s” in their address") % {"page": c.page} if c.page else ""
    words = {**_compared(c), "what": what, "page": page}
    text = ngettext(
        "did %(what)s%(page)s %(op)s once%(period)s",
        "did %(what)s%(page)s %(op)s %(value)s times%(period)s",
        c.value,
    )
    return text % words


def _last_action(c: of.LastAction, _setup: Setup) -> str:
    return _("was last active%(period)s") % {"period": period_words(c.period)}


def _points_balance(c: of.PointsBalance, _setup: Setup) -> str:
    return _("has %(op)s %(value)s reward points") % _compared(c)


def _promo_codes_count(c: of.PromoCodesCount, _setup: Setup) -> str:
    text = ngettext("has %(op)s %(value)s promo code", "has %(op)s %(value)s promo codes", c.value)
    return text % _compared(c)


def _custom(c: of.Custom, setup: Setup) -> str:
    custom_type = setup.custom_types.get(c.field)
    asks = {**ASKS, **DATE_ASKS} if custom_type in (CustomType.DATE, CustomType.DATETIME) else ASKS
    words = {"field": setup.label(Refers.CUSTOM_FIELD, c.field), "ask": asks[Ask(c.op)]}
    if c.op == Ask.KNOWN:
        return _("%(field)s %(ask)s") % words
    return _("%(field)s %(ask)s %(value)s") % {**words, "value": _value(c.value)}


def _value(value: object) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return f"“{value}”" if isinstance(value, str) else str(value)


def _gender(c: of.Gender, _setup: Setup) -> str:
    return _("has the gender: %(gender)s") % {"gender": Genders(c.gender).label}


def _known(c: of.Known, _setup: Setup) -> str:
    return _("has a known %(field)s") % {"field": PERSONAL[c.field]}


def _birthday(c: of.Birthday, _setup: Setup) -> str:
    if not c.days:
        return _("has a birthday today")
    text = ngettext("has a birthday today or tomorrow", "has a birthday within %(days)s days", c.days)
    return text % {"days": c.days}


def _age(c: of.Age, _setup: Setup) -> str:
    text = ngettext("is %(op)s %(value)s year old", "is %(op)s %(value)s years old", c.value)
    return text % _compared(c)


def _registered(c: of.Registered, _setup: Setup) -> str:
    return _("registered%(period)s") % {"period": period_words(c.period)}


def _registered_through(c: of.RegisteredThrough, setup: Setup) -> str:
    return _("registered through %(point)s") % {"point": setup.label(Refers.POINT, c.point)}


def _in_segment(c: of.InSegment, setup: Setup) -> str:
    return _("is in segment %(segment)s") % {"segment": setup.label(Refers.SEGMENT, c.segment)}


SENTENCES: Mapping[type, Callable[[Any, Setup], str]] = {
    of.Contact: _contact,
    of.Identified: _identified,
    of.Identifier: _identifier,
    of.Subscribed: _subscribed,
    of.OptedOut: _opted_out,
    of.OrdersCount: _orders_count,
    of.OrdersTotal: _orders_total,
    of.LastOrder: _last_order,
    of.ActivityCount: _activity_count,
    of.LastAction: _last_action,
    of.PointsBalance: _points_balance,
    of.PromoCodesCount: _promo_codes_count,
    of.Custom: _custom,
    of.Gender: _gender,
    of.Known: _known,
    of.Birthday: _birthday,
    of.Age: _age,
    of.Registered: _registered,
    of.RegisteredThrough: _registered_through,
    of.InSegment: _in_segment,
}
