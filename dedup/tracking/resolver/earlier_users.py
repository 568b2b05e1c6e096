"""Late events: they arrive when the device is somebody else's already, or is known to have been used by
somebody else in between (R8, R59).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from customers.storage.sql import ask, over
from dedup.tracking.holders import Holder, StoredValue
from dedup.tracking.resolver.attribution import Attribution
from dedup.tracking.resolver.batch import WaitingEvent

# Who used the device `identifier` at the moment `at`, with the profile they belong to now. Uses that began
# before sort first (false < true), and among them the latest. Without any, the nearest of the others is the
# earliest use of all. Erased customers get nothing.
USER_AT = """
 CROSS JOIN LATERAL (
   SELECT origin_id FROM customers_deviceuse WHERE identifier_id = {identifier}
    ORDER BY since > {at}, abs(extract(epoch FROM {at} - since)), id DESC LIMIT 1
 ) used
  JOIN customers_customer c ON c.id = used.origin_id AND c.erased_at IS NULL
"""
USERS_AT_THE_TIME = f"""
SELECT u.event_id, used.origin_id, c.profile_id
  FROM {{rows}} {USER_AT.format(identifier="u.identifier_id", at="u.at")}
"""
LATE = {"event_id": "bigint", "identifier_id": "bigint", "at": "timestamptz"}


class LateEvent(NamedTuple):
    """An event that happened before the present holder last came to use its device; `identifier_id` is the
    row of the device.
    """

    event_id: int
    identifier_id: int
    at: datetime


def reassign_late(
    events: Sequence[WaitingEvent], holders: Mapping[StoredValue, Holder], attribution: Attribution
) -> None:
    """Give late events to whoever used the device at the time. An event from before the first user goes to
    the first user: had it come in time, it would belong to the anonymous customer who became them (R48).
    """
    late = list(_late(events, holders, attribution))
    if not late:
        return
    (rows,) = ask([over(USERS_AT_THE_TIME, LATE, late)])
    for event_id, origin_id, primary_id in rows:
        attribution.assign([event_id], origin_id, primary_id)
        attribution.counted.discard(event_id)


def _late(
    events: Sequence[WaitingEvent], holders: Mapping[StoredValue, Holder], attribution: Attribution
) -> Iterator[LateEvent]:
    for event in events:
        holder = holders.get(event.device) if event.device and event.is_plain else None
        if holder and event.id in attribution.origin_ids and event.occurred_at < holder.since:
            yield LateEvent(event.id, holder.identifier_id, event.occurred_at)
