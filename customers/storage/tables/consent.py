"""Subscriptions to channels and their topics. The opt-out is a single value of the customer's row."""

from __future__ import annotations

from collections.abc import Mapping

from customers.changes import Erased, SubscriptionChanged, Unmerged
from customers.profile import Channel, Subscription
from customers.storage.batch import Batch, RecordChanges
from customers.storage.columns import SUBSCRIPTION
from customers.storage.sql import Row, Script, Table
from customers.storage.tables.base import Handlers, Lineage, TableRows

CHANNEL = {"customer_id": "bigint", "channel": "text", "topic": "text"}
SUBSCRIPTIONS = Table("customers_subscription", {**CHANNEL, **SUBSCRIPTION.types})
DROP_ALL_OF = "DELETE FROM customers_subscription WHERE customer_id = ANY(%s)"
DROP = """
DELETE FROM customers_subscription s USING {rows}
 WHERE s.customer_id = u.customer_id AND s.channel = u.channel AND s.topic = u.topic
"""
SUBSCRIBE = f"""
INSERT INTO {SUBSCRIPTIONS.name} ({SUBSCRIPTIONS.columns}) SELECT * FROM {{rows}}
ON CONFLICT ({", ".join(CHANNEL)}) DO UPDATE SET {SUBSCRIPTION.replaced()}
"""


class SubscriptionRows(TableRows):
    """`emptied` are customers whose subscriptions are taken away before the batch gives any."""

    def __init__(self, lineage: Lineage) -> None:
        super().__init__(lineage)
        self.emptied: set[int] = set()
        self.subscriptions: dict[tuple[int, Channel], Subscription | None] = {}

    def handlers(self) -> Handlers:
        return {SubscriptionChanged: self._changed, Unmerged: self._unmerged, Erased: self._erased}

    def _changed(self, c: SubscriptionChanged, _: RecordChanges) -> None:
        self.subscriptions[c.customer, c.channel] = c.after

    def _unmerged(self, c: Unmerged, _: RecordChanges) -> None:
        for profile in (c.restored, c.remaining):
            self._replace(profile.maestra_id, profile.subscriptions)

    def _erased(self, c: Erased, _: RecordChanges) -> None:
        for maestra_id in c.maestra_ids:
            self._replace(maestra_id, {})

    def _replace(self, customer: int, subscriptions: Mapping[Channel, Subscription]) -> None:
        for key in [key for key in self.subscriptions if key[0] == customer]:
            del self.subscriptions[key]
        self.emptied.add(customer)
        self.subscriptions.update({(customer, channel): sub for channel, sub in subscriptions.items()})

    def write(self, script: Script, _: Batch) -> None:
        if self.emptied:
            script.execute(DROP_ALL_OF, [sorted(self.emptied)])
        ended: list[Row] = []
        new: list[Row] = []
        old: list[Row] = []
        for (customer, channel), subscription in sorted(self.subscriptions.items(), key=lambda item: item[0]):
            key = (customer, channel.channel, channel.topic)
            if subscription is None:
                ended.append(key)
            else:
                is_new = customer in self.lineage.created
                (new if is_new else old).append((*key, *SUBSCRIPTION.row(subscription)))
        script.with_rows(DROP, CHANNEL, ended)
        script.insert(SUBSCRIPTIONS, new)
        script.with_rows(SUBSCRIBE, SUBSCRIPTIONS.types, old)
