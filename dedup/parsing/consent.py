"""What a record says of subscriptions and segments (R46, R51)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import lru_cache, partial
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from customers import normalise
from customers.models import Channels, Statuses
from customers.normalise import Invalid, trim
from customers.profile import Channel, SubscriptionStatus
from customers.setup.project_config import ProjectConfig
from dedup.engine.record import SentMembership, SentSubscription
from dedup.parsing import cells, schemas
from dedup.parsing.draft import RecordDraft, is_empty, objects, one_of, optional
from dedup.parsing.fields import (
    REMEMBERED,
    CellContext,
    CellReader,
    RecordField,
    Segmentations,
    Target,
    squeezed,
)
from dedup.parsing.schemas import Choices, ObjectSchema
from segments.references import NamedSegmentation

NOT_TO_CLEAR = _("It cannot be cleared. Leave the cell empty where nothing is known.")
NO_SUCH_SEGMENT = _("The segmentation has no segment of this name.")

SUBSCRIPTION = ObjectSchema(
    "RecordSubscription",
    {
        "channel": Choices(Channels.choices),
        "topic": schemas.nullable(schemas.TEXT),
        "status": Choices(Statuses.choices),
        "since": schemas.MOMENT,
    },
    required=frozenset({"channel", "status"}),
    is_list=True,
)
MEMBERSHIP = ObjectSchema(
    "RecordMembership",
    {
        "segmentation": schemas.TEXT,
        "segment": schemas.SEGMENT,
        "since": schemas.MOMENT,
    },
    required=frozenset({"segmentation", "segment"}),
    is_list=True,
)
_SUBSCRIPTION_KEYS = frozenset(SUBSCRIPTION.properties)
_MEMBERSHIP_KEYS = frozenset(MEMBERSHIP.properties)
_CHANNELS = frozenset(Channels.values)
_STATUSES = frozenset(SubscriptionStatus)
_CHANNEL_SPELLINGS = {
    Channels.EMAIL: ("email", "emails", "mail"),
    Channels.SMS: ("sms", "text", "phone", "mobilephone"),
    Channels.WEB_PUSH: ("webpush", "browserpush"),
    Channels.MOBILE_PUSH: ("mobilepush", "apppush", "push"),
    Channels.VIBER: ("viber",),
    Channels.CALL: ("call", "calls", "phonecall"),
}
_SUBSCRIBED = (
    *("issubscribedby{}", "issubscribedto{}", "subscribedby{}", "subscribedto{}", "{}subscribed"),
    *("is{}subscribed", "{}subscription", "subscription{}", "{}optin", "optin{}", "{}consent", "{}marketing"),
    *("{}marketingconsent", "accepts{}marketing", "{}marketingstatus", "{}marketingstate", "{}status"),
    *("{}subscriptionstatus", "{}permission"),
)
_SUBSCRIBED_SINCE = ("{}optintime", "{}optindate", "{}consentdate", "{}consentedat", "{}subscribedat")
_UNSUBSCRIBED = (
    *("{}optout", "{}optedout", "optoutof{}", "optedoutof{}", "hasoptedoutof{}", "{}unsubscribed", "donot{}"),
    *("unsubscribedfrom{}", "unsubscribedfromall{}", "unsubscribed{}", "unsubscribefrom{}", "no{}"),
)
# Where a company says of nothing else that people subscribe to it.
_NEWSLETTER = ("newsletter", "subscribed", "acceptsmarketing", "optin", "subscriptionstatus")
_OPTED_OUT = (
    *("optedout", "optout", "globaloptout", "unsubscribedfromall", "optedoutofall", "donotcontact"),
    *("blocklisted", "blacklisted", "gdproptout"),
)
SINCE = ".since"
_SEGMENT_SPELLINGS = ("{}", "{}segment", "segment{}", "segments{}")


class SubscriptionsField(RecordField):
    """Subscriptions to channels, or to topics of them. A column is one channel, `subscriptions.email`, or one
    topic of it, `subscriptions.email.news`, which cannot all be offered; or since when: with `.since` behind.
    In place of a status a cell may say since when the customer is subscribed.
    """

    def read(self, draft: RecordDraft, path: str, raw: Any) -> None:
        for at, item in objects(draft, path, raw, _SUBSCRIPTION_KEYS):
            channel = one_of(draft, f"{at}.channel", item.get("channel"), _CHANNELS)
            status = one_of(draft, f"{at}.status", item.get("status"), _STATUSES)
            topic = optional(draft, f"{at}.topic", normalise.topic, item.get("topic")) or ""
            since = _since(draft, at, item)
            if channel and status:
                sent = SentSubscription(Channel(channel, topic), SubscriptionStatus(status), since, at)
                _put_once(draft, at, draft.subscriptions, sent.channel, sent)

    def targets(self, config: ProjectConfig, segmentations: Segmentations) -> Iterable[Target]:  # noqa: ARG002
        for channel in Channels:
            label = gettext("Subscribed: %(channel)s") % {"channel": channel.label}
            spellings = _spelled(_SUBSCRIBED, channel)
            name, group = f"{self.name}.{channel.value}", gettext("Subscriptions")
            vague = _NEWSLETTER if channel is Channels.EMAIL else ()
            yield Target(name, label, group, spellings=spellings, vague_spellings=vague)
            label = gettext("Subscribed since when: %(channel)s") % {"channel": channel.label}
            spellings = _spelled(_SUBSCRIBED_SINCE, channel)
            yield Target(f"{name}{SINCE}", label, group, spellings=spellings)

    def cell_reader(self, part: str, column: str, context: CellContext) -> CellReader:
        channel = channel_of(part.removesuffix(SINCE))
        if part.endswith(SINCE):
            return partial(_read_since, column, channel, context)
        status_of = lru_cache(REMEMBERED)(partial(_status_or_date, context))
        sent = {status: SentSubscription(channel, status, path=column) for status in SubscriptionStatus}

        def read(draft: RecordDraft, cell: str | None) -> None:
            if cell is None:
                draft.fault(column, NOT_TO_CLEAR)
                return
            status = None if is_empty(cell) else draft.take(column, status_of, cell)
            if isinstance(status, datetime):
                _put_since(draft, column, sent[SubscriptionStatus.SUBSCRIBED], status)
            elif status:
                draft.subscriptions[channel] = sent[status]

        return read

    def rank(self, part: str) -> int:
        return 1 if part.endswith(SINCE) else 0

    def is_droppable(self, part: str) -> bool:  # noqa: ARG002
        return True


def _spelled(forms: Iterable[str], channel: Channels) -> tuple[str, ...]:
    return tuple(form.format(name) for name in _CHANNEL_SPELLINGS[channel] for form in forms)


def channel_of(part: str) -> Channel:
    name, _dot, topic = part.partition(".")
    return Channel(name, normalise.topic_compared(topic))


def _status_or_date(context: CellContext, cell: str) -> SubscriptionStatus | datetime | None:
    """What a cell says of a subscription; None where it says nothing. Raises `Invalid`."""
    try:
        return cells.subscription(cell)
    except Invalid as no_status:
        with suppress(Invalid):
            return context.instant(cell)
        raise no_status from None


def _put_since(draft: RecordDraft, column: str, sent: SentSubscription, at: datetime) -> None:
    if since := draft.moment(column, at):
        draft.subscriptions[sent.channel] = replace(sent, since=since)


def _read_since(
    column: str, channel: Channel, context: CellContext, draft: RecordDraft, cell: str | None
) -> None:
    """Since when the status of another column, or of the options, is the customer's."""
    sent = draft.subscriptions.get(channel)
    if cell is None:
        draft.fault(column, NOT_TO_CLEAR)
    elif sent and (at := draft.take(column, context.instant, cell)):
        _put_since(draft, column, sent, at)


class UnsubscribedField(RecordField):
    """Columns of files in which a yes means that the customer unsubscribed from a channel, and a no means
    nothing; a date says since when. What was subscribed to later than that stays.
    """

    def targets(self, config: ProjectConfig, segmentations: Segmentations) -> Iterable[Target]:  # noqa: ARG002
        for channel in Channels:
            label = gettext("Unsubscribed: %(channel)s") % {"channel": channel.label}
            vague = ("unsubscribed", "unsubscribedat") if channel is Channels.EMAIL else ()
            name, group = f"{self.name}.{channel.value}", gettext("Subscriptions")
            spellings = _spelled(_UNSUBSCRIBED, channel)
            yield Target(name, label, group, spellings=spellings, vague_spellings=vague)

    def cell_reader(self, part: str, column: str, context: CellContext) -> CellReader:
        sent = SentSubscription(Channel(part), SubscriptionStatus.UNSUBSCRIBED, path=column)

        def read(draft: RecordDraft, cell: str | None) -> None:
            refused = _refusal(draft, column, context, cell)
            before = draft.subscriptions.get(sent.channel)
            if isinstance(refused, datetime):
                if not (before and before.since and before.since > refused):
                    _put_since(draft, column, sent, refused)
            elif refused:
                draft.subscriptions[sent.channel] = sent

        return read

    def rank(self, part: str) -> int:  # noqa: ARG002
        return 2

    def is_droppable(self, part: str) -> bool:  # noqa: ARG002
        return False


class OptedOutField(RecordField):
    """A column of files in which a yes, or a date, means that the customer refuses everything (R53)."""

    def targets(self, config: ProjectConfig, segmentations: Segmentations) -> Iterable[Target]:  # noqa: ARG002
        label, group = gettext("Opted out of everything"), gettext("Subscriptions")
        yield Target(self.name, label, group, spellings=_OPTED_OUT)

    def cell_reader(self, part: str, column: str, context: CellContext) -> CellReader:  # noqa: ARG002
        def read(draft: RecordDraft, cell: str | None) -> None:
            if _refusal(draft, column, context, cell):
                draft.opts_out = True

        return read


def _refusal(draft: RecordDraft, column: str, context: CellContext, cell: str | None) -> datetime | bool:
    """Whether a cell says that something was refused, and when if it says so."""
    if cell is None:
        draft.fault(column, NOT_TO_CLEAR)
        return False
    if is_empty(cell) or (answer := cells.yes_or_no(cell)) is False:
        return False
    said = answer or draft.take(column, partial(_status_or_date, context), cell)
    return said if isinstance(said, datetime) else said in (True, SubscriptionStatus.UNSUBSCRIBED)


class SegmentsField(RecordField):
    """Segments into which the customer is put by hand, one of each static segmentation (R51)."""

    def read(self, draft: RecordDraft, path: str, raw: Any) -> None:
        for at, item in objects(draft, path, raw, _MEMBERSHIP_KEYS):
            segmentation = _segmentation(draft, f"{at}.segmentation", item.get("segmentation"))
            since = _since(draft, at, item)
            if segmentation is None:
                continue
            segment, is_known = _segment(draft, f"{at}.segment", segmentation, item.get("segment", ""))
            if is_known:
                sent = SentMembership(segmentation.id, segment, since, at)
                _put_once(draft, at, draft.memberships, segmentation.id, sent)

    def targets(self, config: ProjectConfig, segmentations: Segmentations) -> Iterable[Target]:  # noqa: ARG002
        """The static ones. Where there is one, it is what a column "Segment" means."""
        static = [name for name, segmentation in segmentations.items() if segmentation.is_static]
        plain = ("segment",) if len(static) == 1 else ()
        for name in static:
            label = gettext("Segment of %(segmentation)s") % {"segmentation": name}
            spellings = (*(form.format(squeezed(name)) for form in _SEGMENT_SPELLINGS), *plain)
            yield Target(f"{self.name}.{name}", label, gettext("Segments"), spellings=spellings)

    def cell_reader(self, part: str, column: str, context: CellContext) -> CellReader:  # noqa: ARG002
        return partial(_read_segment_cell, column, part)


def _segmentation(draft: RecordDraft, path: str, name: Any) -> NamedSegmentation | None:
    found = draft.context.segmentations.get(name) if isinstance(name, str) else None
    if found is None:
        draft.fault(path, _("There is no segmentation of this name."))
    elif not found.is_static:
        draft.fault(path, _("Its segments are calculated: nobody is put in or out by hand."))
        return None
    return found


def _segment(
    draft: RecordDraft, path: str, segmentation: NamedSegmentation, name: Any
) -> tuple[int | None, bool]:
    """The segment's ID, None to take the customer out of the segmentation, and whether it is known."""
    if name is None:
        return None, True
    found = segmentation.segments.get(name) if isinstance(name, str) else None
    if found is None:
        draft.fault(path, NO_SUCH_SEGMENT)
    return found, found is not None


def _put_once(draft: RecordDraft, path: str, into: dict[Any, Any], key: Any, sent: Any) -> None:
    if into.setdefault(key, sent) != sent:
        draft.fault(path, _("The same is said differently further up. Say it once."))


def _since(draft: RecordDraft, path: str, item: Mapping[str, Any]) -> datetime | None:
    raw = item.get("since")
    return None if raw is None or raw == "" else draft.moment(f"{path}.since", raw)


def _read_segment_cell(column: str, name: str, draft: RecordDraft, cell: str | None) -> None:
    """The segment by its system name, or as people write it: `Top gold` for `top_gold`. `%CLEAR%` takes the
    customer out of the segmentation.
    """
    segmentation = draft.context.segmentations.get(name)
    if segmentation is None or not segmentation.is_static:
        draft.fault(column, _("There is no such segmentation any more, or its segments are calculated."))
        return
    text = trim(cell or "")
    segment = segmentation.segments.get(text) or segmentation.segments.get(text.lower().replace(" ", "_"))
    if cell is not None and segment is None:
        if text:
            draft.fault(column, NO_SUCH_SEGMENT)
        return
    draft.memberships[segmentation.id] = SentMembership(segmentation.id, segment, path=column)
