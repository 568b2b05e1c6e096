"""Who used a device or plain identifier at the times of records that may have been told late (R59).

Activity leaves no trace with the device, so the ledger is asked: only for times before the last action of the
holder, and only for the first action on the device after each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from customers.profile import Key, Profile
from customers.setup.project_config import ProjectConfig
from customers.storage.sql import Question, Row, over
from dedup.engine.world import EarlierUse

TIMES = {"kind_id": "smallint", "value": "text", "customer_id": "bigint", "at": "timestamptz"}
# The user is of the latest use up to the time, the next action the first after it, of any MaestraID of the
# holder. Each is one look-up by index.
USES = """
SELECT u.kind_id, u.value, u.at, used.origin_id, u.customer_id, acted.at
  FROM {rows}
 CROSS JOIN LATERAL (
   SELECT id FROM customers_identifier WHERE kind_id = u.kind_id AND value = u.value LIMIT 1
 ) i
  LEFT JOIN LATERAL (
   SELECT origin_id FROM customers_deviceuse WHERE identifier_id = i.id AND since <= u.at
    ORDER BY since DESC, id DESC LIMIT 1
 ) used ON true
 CROSS JOIN LATERAL (
   SELECT min(next.occurred_at) AS at
     FROM customers_customer m
    CROSS JOIN LATERAL (
      SELECT occurred_at FROM customers_activity
       WHERE maestra_id = m.id AND occurred_at > u.at AND device_id = i.id
       ORDER BY occurred_at LIMIT 1
    ) next
    WHERE m.profile_id = u.customer_id
 ) acted
"""


def uses_asked(
    times: Iterable[tuple[Key, datetime]],
    holders: Mapping[Key, int | None],
    profiles: Mapping[int, Profile],
    config: ProjectConfig,
) -> Question | None:
    """What to ask about identifiers named at these times, None where all of them are later than whatever
    their holders did. `holders` leads from a value to its holder's primary MaestraID.
    """
    late = [
        (config.kinds[key.kind].id, key.value, holder.maestra_id, at)
        for key, at, holder in _held(times, holders, profiles)
        if at < _last_seen(holder, key)
    ]
    return over(USES, TIMES, sorted(late)) if late else None


def _held(
    times: Iterable[tuple[Key, datetime]], holders: Mapping[Key, int | None], profiles: Mapping[int, Profile]
) -> Iterator[tuple[Key, datetime, Profile]]:
    for key, at in times:
        primary_id = holders.get(key)
        if primary_id is not None and key in profiles[primary_id].holdings:
            yield key, at, profiles[primary_id]


def _last_seen(holder: Profile, key: Key) -> datetime:
    """Later than this the holder did not use the identifier."""
    used_at, acted_at = holder.holdings[key].last_used_at, holder.last_action_at
    return max(used_at, acted_at) if acted_at else used_at


def earlier_uses(rows: Iterable[Row], config: ProjectConfig) -> dict[tuple[Key, datetime], EarlierUse]:
    return {
        (Key(config.kinds_by_id[kind].name, value), at): EarlierUse(user, holder, next_at)
        for kind, value, at, user, holder, next_at in rows
    }
