"""What each tab of a profile shows, each in a fixed number of queries, whatever the profile's size."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from customers.admin.contacts import contact_of, groups
from customers.admin.identity_graph import drawn
from customers.admin.profile_registry import ProfileTab, ShownProfile, register_tab
from customers.admin.wording import history_kind_label, personal_value
from customers.history import reading as change_history
from customers.history_kinds import HISTORY_KINDS, kinds_about
from customers.history_kinds.base import HistoryTopic
from customers.models import Change, Customer, IntegrationPoint
from customers.presentation.customer import note_text
from customers.presentation.masking import masked_hash
from customers.presentation.names import full_name
from customers.profile import BY_HAND, PERSONAL_FIELDS, Note
from customers.queries import timelines
from customers.queries.cursors import decoded, encoded
from customers.queries.related import related_customers
from customers.queries.timelines import Timeline, TimelinePage
from customers.words import CHANNELS, FIELDS, STATUSES, customer_label, why_held, why_priority

Context = dict[str, Any]
P = TypeVar("P", bound=tuple[Any, ...])

SUMMARY, PER_PAGE, SESSIONS, ACTIONS = 10, 50, 10, 30
STORY_LIMIT = 200


# --- Personal info


def personal(shown: ShownProfile) -> Context:
    """Personal data, notes, and customers who gave the same contacts."""
    return {
        "personal": _personal_fields(shown),
        "custom_fields": _custom_fields(shown),
        "notes": _notes(shown),
        "related": _related(shown),
        "may_note": shown.may("customers.add_note"),
    }


def _personal_fields(shown: ShownProfile) -> list[tuple[str, Any]]:
    values = {name: personal_value(name, value) for name, value in shown.profile.personal.present().items()}
    values["time_zone"] = shown.profile.time_zone
    return [(_(FIELDS[name]), values.get(name)) for name in (*PERSONAL_FIELDS, "time_zone")]


def _custom_fields(shown: ShownProfile) -> list[tuple[str, Any]]:
    fields = shown.profile.custom_fields
    return [(shown.config.labels.get(name, name), as_text(fields[name])) for name in sorted(fields)]


def as_text(value: Any) -> str:
    match value:
        case bool():
            return _("yes") if value else _("no")
        case list():
            return ", ".join(map(str, value))
        case Decimal():
            return f"{value:f}"
        case _:
            return str(value)


def _notes(shown: ShownProfile) -> list[Context]:
    notes = sorted(shown.profile.notes, key=lambda n: n.at, reverse=True)
    authors = _authors([n for n in notes if n.reason == BY_HAND])
    return [
        {
            "at": note.at,
            "text": note_text(
                replace(note, value=shown.masking.value(note.kind, note.value)), shown.config.labels
            ),
            "related": note.related,
            "author": authors.get((note.maestra_id, note.at)),
        }
        for note in notes
    ]


def _authors(notes: Collection[Note]) -> dict[tuple[int, datetime], str]:
    """Who wrote notes, as the history has it."""
    if not notes:
        return {}
    changes = Change.objects.filter(
        maestra_id__in={n.maestra_id for n in notes}, at__in=[n.at for n in notes], operation__kind="note"
    )
    rows = changes.values_list("maestra_id", "at", "operation__actor")
    return {(maestra_id, at): actor.removeprefix("user:") for maestra_id, at, actor in rows}


def _related(shown: ShownProfile) -> list[Context]:
    """Customer by customer, with the reason for each contact they have in common (R30)."""
    found: dict[int, list[Context]] = {}
    for relation in related_customers(shown.profile):
        found.setdefault(relation["maestra_id"], []).append(_contested(shown, relation))
    names = {row.pk: full_name(row) for row in Customer.objects.filter(pk__in=found)} if found else {}
    return [{"maestra_id": pk, "name": names.get(pk), "contests": found[pk]} for pk in found]


def _contested(shown: ShownProfile, relation: Mapping[str, Any]) -> Context:
    kind, other, decided_by = relation["type"], relation["maestra_id"], relation["decided_by"]
    words = {
        "value": f"{shown.config.labels.get(kind, kind)} {shown.masking.value(kind, relation['value'])}",
        "customer": other,
    }
    if relation["is_kept"]:
        because = why_priority(decided_by) if decided_by else ""
        text = _("This customer holds %(value)s.")
        text_because = _("This customer holds %(value)s, because %(because)s.")
    else:
        because = why_held(decided_by, customer_label(other)) if decided_by else ""
        text = _("Customer %(customer)s holds %(value)s.")
        text_because = _("Customer %(customer)s holds %(value)s, because %(because)s.")
    sentence = (text_because if because else text) % {**words, "because": because}
    return {
        "text": sentence,
        "is_kept": relation["is_kept"],
        "decided_by": decided_by,
        "at": relation["at"],
    }


# --- Identifiers


def identifiers(shown: ShownProfile) -> Context:
    points = point_names()
    held = [h for h in shown.profile.holdings.values() if not h.is_former]
    former = [h for h in shown.profile.holdings.values() if h.is_former]
    claims = sorted(shown.profile.claims.values(), key=lambda c: (c.kind, c.since))
    return {
        "groups": list(groups(shown, held, points)),
        "former": list(groups(shown, former, points)),
        "claims": [contact_of(shown, claim, points) for claim in claims],
        "cards": _cards(shown),
        "may_reveal": shown.may("customers.reveal_contacts"),
        "several": len(shown.maestra_ids) > 1,
        **lately(shown, kinds_about(HistoryTopic.IDENTIFIERS)),
    }


def point_names() -> dict[int, str]:
    return dict(IntegrationPoint.objects.values_list("pk", "name"))


def _cards(shown: ShownProfile) -> list[tuple[str, int]]:
    """Masked, and only for those who may see even that (R10)."""
    if not shown.may("customers.view_paymentcard"):
        return []
    return [(masked_hash(card), origin) for card, origin in sorted(shown.profile.cards.items())]


def lately(shown: ShownProfile, kinds: Collection[str]) -> Context:
    """The latest entries of these kinds, and where to read them all."""
    page = change_history.history(
        shown.maestra_ids, labels=shown.config.labels, kinds=kinds, limit=SUMMARY, masking=shown.masking
    )
    more = "&".join(f"kind={kind}" for kind in kinds)
    return {"entries": page.items, "all_entries": f"{shown.address('history')}?{more}"}


# --- Subscriptions


def subscriptions(shown: ShownProfile) -> Context:
    rows = [
        {
            "channel": _(CHANNELS[channel]),
            "topic": topic,
            "status": subscription.status.value,
            "status_name": _(STATUSES[subscription.status]),
            "since": subscription.since,
        }
        for (channel, topic), subscription in sorted(shown.profile.subscriptions.items())
    ]
    return {
        "subscriptions": rows,
        "opted_out_at": shown.profile.opted_out_at,
        **lately(shown, kinds_about(HistoryTopic.CONSENT)),
    }


# --- Orders and loyalty


def orders(shown: ShownProfile) -> Context:
    members = shown.profile.members
    return {
        "orders": page_of(shown, timelines.ORDERS, "orders"),
        "points": page_of(shown, timelines.POINTS, "points"),
        "promo_codes": page_of(shown, timelines.PROMO_CODES, "codes"),
        "orders_count": shown.profile.orders_count,
        "orders_total": sum((m.orders_total for m in members), Decimal(0)),
        "points_balance": sum((m.points_balance for m in members), Decimal(0)),
        "promo_codes_count": sum(m.promo_codes_count for m in members),
    }


def page_of(shown: ShownProfile, timeline: Timeline, name: str, limit: int = PER_PAGE) -> Context:
    """A page of a timeline; `name` is the parameter of the address that says where it begins."""
    after = place(shown, name, timelines.TimelineCursor)
    page: TimelinePage = timeline.page(shown.maestra_ids, limit, after)
    return {
        "items": page.items,
        "next": page.next and encoded(page.next),
        "name": name,
        "is_first": not after,
    }


def place(shown: ShownProfile, name: str, kind: Callable[..., P]) -> P | None:
    """Where a page begins, as its address says; an address that was tampered with shows the first one."""
    try:
        return decoded(shown.request.GET.get(name, ""), kind)
    except ValueError:
        return None


# --- Activity


def activity(shown: ShownProfile) -> Context:
    page = page_of(shown, timelines.SESSIONS, "sessions", SESSIONS)
    actions = timelines.actions_of(page["items"], ACTIONS)
    sessions = [
        {
            **session,
            "minutes": _minutes(session),
            "actions": [_masked(shown, action) for action in found],
            "more": session["actions_count"] - len(found),
        }
        for session, found in zip(page["items"], actions, strict=True)
    ]
    return {"sessions": {**page, "items": sessions}, "registered_at": shown.profile.registered_at}


def _masked(shown: ShownProfile, action: Mapping[str, Any]) -> dict[str, Any]:
    """An action; pages' addresses and titles may have contacts in them."""
    texts = {name: shown.masking.text(action[name]) for name in ("url", "title")}
    return {**action, **texts}


def _minutes(session: Mapping[str, Any]) -> int:
    began, ended = (datetime.fromisoformat(session[name]) for name in ("started_at", "ended_at"))
    return round((ended - began).total_seconds() / 60)


# --- Change history


def history(shown: ShownProfile) -> Context:
    """The change history of all MaestraIDs, by kind and date (R40)."""
    asked = shown.request.GET
    kinds = [kind for kind in asked.getlist("kind") if kind in HISTORY_KINDS]
    page = change_history.history(
        shown.maestra_ids,
        labels=shown.config.labels,
        kinds=kinds,
        since=midnight(asked.get("since", "")),
        until=midnight(asked.get("until", ""), days=1),
        after=place(shown, "after", change_history.HistoryCursor),
        limit=PER_PAGE,
        masking=shown.masking,
    )
    return {
        "entries": [_with_sides(shown, item) for item in page.items],
        "next": page.next and encoded(page.next),
        "kinds": [(name, _(kind.label), name in kinds) for name, kind in HISTORY_KINDS.items()],
        "chosen": len(kinds),
        "since": asked.get("since", ""),
        "until": asked.get("until", ""),
        "is_filtered": bool(kinds or asked.get("since") or asked.get("until")),
        "several": len(shown.maestra_ids) > 1,
        "points": dict(IntegrationPoint.objects.values_list("system_name", "name")),
    }


def midnight(text: str, days: int = 0) -> datetime | None:
    """The beginning of a day in the reader's zone, so many days later; None for what is no date."""
    try:
        found = parse_date(text)
        if found is None:
            return None
        start = datetime.combine(found + timedelta(days=days), time())
        return timezone.make_aware(start).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _with_sides(shown: ShownProfile, item: Context) -> Context:
    """An entry with before and after, line by line."""
    before, after = item["data"].get("before"), item["data"].get("after")
    rows = _rows(before, after, shown.config.labels) if isinstance(before or after, dict) else []
    return {**item, "kind_name": history_kind_label(item["kind"]), "rows": rows}


WORDS: Mapping[str, str] = {
    **FIELDS,
    "is_primary": gettext_noop("primary"),
    "is_former": gettext_noop("former"),
    "is_confirmed": gettext_noop("confirmed"),
    "is_pending": gettext_noop("awaiting confirmation"),
    "is_claim": gettext_noop("claimed"),
    "gives_account_access": gettext_noop("account access"),
    "status": gettext_noop("status"),
    "since": gettext_noop("since"),
    "segment": gettext_noop("segment"),
    "total": gettext_noop("total"),
    "currency": gettext_noop("currency"),
    "placed_at": gettext_noop("placed"),
}


def _rows(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, labels: Mapping[str, str]
) -> list[Context]:
    old, new = before or {}, after or {}
    return [
        {
            "name": _(WORDS[name]) if name in WORDS else labels.get(name, name),
            "before": _side(name, old),
            "after": _side(name, new),
            "differs": old.get(name) != new.get(name),
        }
        for name in {**old, **new}
    ]


def _side(name: str, side: Mapping[str, Any]) -> str:
    value = side.get(name)
    if value is None:
        return "–"
    if name in ("since", "placed_at"):
        return timezone.localtime(datetime.fromisoformat(value)).strftime("%Y-%m-%d %H:%M")
    return _(STATUSES[value]) if name == "status" and value in STATUSES else as_text(value)


# --- Identity graph


def graph(shown: ShownProfile) -> Context:
    """How this person came together: which MaestraIDs and identifiers, joined by what and when."""
    page = change_history.history(
        shown.maestra_ids,
        labels=shown.config.labels,
        kinds=kinds_about(HistoryTopic.ORIGIN),
        limit=STORY_LIMIT,
        masking=shown.masking,
    )
    story = [{**item, "kind_name": history_kind_label(item["kind"])} for item in reversed(page.items)]
    return {"picture": drawn(shown, story), "story": story, "is_cut": page.next is not None}


TABS = (
    ProfileTab(
        "personal", gettext_lazy("Personal info"), "admin/customers/tabs/personal.html", personal, order=10
    ),
    ProfileTab(
        "identifiers",
        gettext_lazy("Identifiers"),
        "admin/customers/tabs/identifiers.html",
        identifiers,
        order=20,
    ),
    ProfileTab(
        "subscriptions",
        gettext_lazy("Subscriptions"),
        "admin/customers/tabs/subscriptions.html",
        subscriptions,
        order=30,
    ),
    ProfileTab(
        "orders", gettext_lazy("Orders and loyalty"), "admin/customers/tabs/orders.html", orders, order=50
    ),
    ProfileTab(
        "activity", gettext_lazy("Activity"), "admin/customers/tabs/activity.html", activity, order=60
    ),
    ProfileTab(
        "history", gettext_lazy("Change history"), "admin/customers/tabs/history.html", history, order=70
    ),
    ProfileTab("graph", gettext_lazy("Identity graph"), "admin/customers/tabs/graph.html", graph, order=80),
)
for tab in TABS:
    register_tab(tab)
