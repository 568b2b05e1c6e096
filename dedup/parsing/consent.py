"""What a record says of subscriptions and segments (R46, R51)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache, partial
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from customers import normalise
from customers.models import Channels, Statuses
from customers.normalise import trim
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
    Channels.EMAIL: ("email", "mail"),
    Channels.SMS: ("sms", "text", "phone", "mobilephone"),
    Channels.WEB_PUSH: ("webpush", "browserpush"),
    Channels.MOBILE_PUSH: ("mobilepush", "apppush", "push"),
    Channels.VIBER: ("viber",),
    Channels.CALL: ("call", "calls", "phonecall"),
}
_SUBSCRIBED = (
    *("issubscribedby{}", "issubscribedto{}", "subscribedby{}", "subscribedto{}", "{}subscribed"),
    *("is{}subscribed", "{}subscription", "subscription{}", "{}optin", "optin{}", "{}consent", "{}marketing"),
)
_SEGMENT_SPELLINGS = ("{}", "{}segment", "segment{}", "segments{}")


class SubscriptionsField(RecordField):
    """Subscriptions to channels, or to topics of them. A column is one channel, `subscriptions.email`, or one
    topic of it, `subscriptions.email.news`; topics cannot all be offered.
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
            spellings = tuple(s.format(name) for name in _CHANNEL_SPELLINGS[channel] for s in _SUBSCRIBED)
            name = f"{self.name}.{channel.value}"
            yield Target(name, label, gettext("Subscriptions"), spellings=spellings)

    def cell_reader(self, part: str, column: str, context: CellContext) -> CellReader:  # noqa: ARG002
        name, _dot, topic = part.partition(".")
        channel = Channel(name, normalise.topic_compared(topic))
        status_of = lru_cache(REMEMBERED)(cells.subscription)
        sent = {status: SentSubscription(channel, status, path=column) for status in SubscriptionStatus}

        def read(draft: RecordDraft, cell: str | None) -> None:
            if cell is None:
                draft.fault(column, NOT_TO_CLEAR)
            elif status := status_of(cell):
                draft.subscriptions[channel] = sent[status]
            elif not is_empty(cell):
                names = ", ".join(SubscriptionStatus)
                draft.fault(column, _("Write yes or no, or one of: %(names)s."), names=names)

        return read

    def is_droppable(self, part: str) -> bool:  # noqa: ARG002
        return True


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
