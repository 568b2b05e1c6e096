"""Timelines of a profile in pages: orders, activities, sessions and the like of all its MaestraIDs, the
newest first.

For a page the newest rows of each MaestraID are read by index and then sorted together. So a page costs the
same however many rows the tables have.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from customers.presentation.customer import Json, moment
from customers.storage.sql import fetch

Row = tuple[Any, ...]


class TimelineCursor(NamedTuple):
    """The last row of a page: its time and its number. The next page begins with the row after it."""

    at: datetime
    id: int


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """`next` is None on the last page."""

    items: list[Json]
    next: TimelineCursor | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """Rows of one sort in pages. `item` makes JSON of a row.

    `sql` has the parameters maestra_ids, at and id (of the cursor, or NULL) and limit. The last two columns
    of its rows are the row's cursor; `item` is given the others.
    """

    sql: str
    item: Callable[[Row], Json]

    def page(
        self, maestra_ids: Collection[int], limit: int, after: TimelineCursor | None = None
    ) -> TimelinePage:
        at, last = after or (None, None)
        rows = self.rows({"maestra_ids": list(maestra_ids), "at": at, "id": last, "limit": limit + 1})
        items = [self.item(row[:-2]) for row in rows[:limit]]
        return TimelinePage(items, TimelineCursor(*rows[limit - 1][-2:]) if len(rows) > limit else None)

    def rows(self, parameters: Mapping[str, Any]) -> list[Row]:
        """The rows of a page, and one more if there is another page."""
        return fetch(self.sql, parameters)


class SessionTimeline(Timeline):
    """Sessions, which are stored nowhere: they are made of the actions while these are read, the newest
    first.

    The actions of several devices lie mixed, so it shows only further back whether a session was read whole.
    As many actions are read as a page usually needs, and eight times as many where they were too few.
    """

    __slots__ = ()

    def rows(self, parameters: Mapping[str, Any]) -> list[Row]:
        """The rows of the statement without its first two columns: whether all actions were read, and whether
        the session is whole. Its last column, the ID, is NULL in the one row that it gives where there is no
        session. The session after the page only says that there is another page, so it need not be whole.
        """
        actions = ACTIONS_OF_A_SESSION * parameters["limit"]
        while True:
            rows = super().rows({**parameters, "actions": actions})
            sessions = [row for row in rows if row[-1] is not None]
            all_were_read, are_whole = rows[0][0], all(row[1] for row in sessions[:-1])
            if all_were_read or (len(sessions) == parameters["limit"] and are_whole):
                return [row[2:] for row in sessions]
            actions *= 8


# A page of one table. The LATERAL part reads the newest rows of each MaestraID, from the cursor on, by the
# index on (maestra_id, time, id); the outermost LIMIT takes the newest of all of them.
_LEDGER = """
SELECT {columns}, t.{time}, t.id
  FROM unnest(%(maestra_ids)s::bigint[]) AS m(id)
 CROSS JOIN LATERAL (
   SELECT * FROM {table} r
    WHERE r.maestra_id = m.id
      AND (%(at)s::timestamptz IS NULL OR (r.{time}, r.id) < (%(at)s::timestamptz, %(id)s::bigint))
    ORDER BY r.{time} DESC, r.id DESC LIMIT %(limit)s
 ) t {join}
 ORDER BY t.{time} DESC, t.id DESC LIMIT %(limit)s
"""
_DEVICE = "LEFT JOIN customers_identifier d ON d.id = t.device_id"
ACTIONS_OF_A_SESSION = 20
"""How many actions of a session are expected, and so read at first."""
# Sessions made of the newest actions. An action continues the session of its device unless more than 30
# minutes have passed since the action before it (R47).
#
# - actions: the newest `actions` of them, back from 30 minutes after the cursor. Those 30 minutes show which
#   sessions go on after the cursor: such a session was on a page before, and its end leaves it out here.
# - unread: older than `before` there may be actions that were not read; -infinity where all were.
# - linked, numbered: each action with whether it continues a session, then with the number of its session.
# - sessions: the actions of each session as one row.
#
# The first two columns are for `SessionTimeline`: whether all actions were read, and whether the session is
# whole, that is, starts too late for an unread action to belong to it. The LEFT JOIN gives at least one row,
# so that the first column is known where there is no session.
_SESSIONS = f"""
WITH actions AS (
  SELECT t.* FROM unnest(%(maestra_ids)s::bigint[]) AS m(id)
   CROSS JOIN LATERAL (
     SELECT id, maestra_id, device_id, occurred_at FROM customers_activity r
      WHERE r.maestra_id = m.id
        AND (%(at)s::timestamptz IS NULL OR r.occurred_at <= %(at)s::timestamptz + interval '30 minutes')
      ORDER BY r.occurred_at DESC, r.id DESC LIMIT %(actions)s
   ) t
   ORDER BY t.occurred_at DESC, t.id DESC LIMIT %(actions)s
), unread AS (
  SELECT CASE WHEN count(*) < %(actions)s THEN '-infinity' ELSE min(occurred_at) END AS before FROM actions
), linked AS (
  SELECT *, occurred_at - lag(occurred_at) OVER (PARTITION BY device_id ORDER BY occurred_at, id)
              <= interval '30 minutes' AS goes_on
    FROM actions
), numbered AS (
  SELECT *, count(*) FILTER (WHERE goes_on IS NOT TRUE)
              OVER (PARTITION BY device_id ORDER BY occurred_at, id) AS session
    FROM linked
), sessions AS (
  SELECT device_id, min(occurred_at) AS started_at, max(occurred_at) AS ended_at, count(*) AS actions,
         array_agg(DISTINCT maestra_id ORDER BY maestra_id) AS maestra_ids, max(id) AS id
    FROM numbered GROUP BY device_id, session
)
SELECT u.before = '-infinity', t.started_at > u.before + interval '30 minutes',
       d.value, t.started_at, t.ended_at, t.actions, t.maestra_ids, t.ended_at, t.id
  FROM unread u
  LEFT JOIN sessions t
    ON %(at)s::timestamptz IS NULL OR (t.ended_at, t.id) < (%(at)s::timestamptz, %(id)s::bigint)
  {_DEVICE}
 ORDER BY t.ended_at DESC, t.id DESC LIMIT %(limit)s
"""


# The newest actions of each session, which come as parallel arrays of device, first and last moment. `place`
# is the session's number in the arrays, from 1 on. A session without a device has a NULL device, hence IS NOT
# DISTINCT.
_ACTIONS = """
SELECT s.place, a.maestra_id, a.kind, a.occurred_at, s.device, a.url, a.title, a.properties::text
  FROM unnest(%s::text[], %s::timestamptz[], %s::timestamptz[])
         WITH ORDINALITY AS s(device, started_at, ended_at, place)
 CROSS JOIN LATERAL (
   SELECT r.* FROM customers_activity r LEFT JOIN customers_identifier d ON d.id = r.device_id
    WHERE r.maestra_id = ANY(%s::bigint[]) AND r.occurred_at BETWEEN s.started_at AND s.ended_at
      AND d.value IS NOT DISTINCT FROM s.device
    ORDER BY r.occurred_at DESC, r.id DESC LIMIT %s
 ) a
 ORDER BY s.place, a.occurred_at DESC, a.id DESC
"""


def _order(row: Row) -> Json:
    maestra_id, number, total, currency, placed_at, status, lines = row
    return {
        "maestra_id": maestra_id,
        "number": number,
        "total": f"{total:.2f}",
        "currency": currency,
        "placed_at": moment(placed_at),
        "status": status,
        "lines": json.loads(lines),
    }


def _activity(row: Row) -> Json:
    maestra_id, kind, occurred_at, device, url, title, properties = row
    return {
        "maestra_id": maestra_id,
        "kind": kind,
        "occurred_at": moment(occurred_at),
        "device_id": device,
        "url": url,
        "title": title,
        "properties": json.loads(properties),
    }


def _movement(row: Row) -> Json:
    maestra_id, number, amount, reason, at = row
    return {
        "maestra_id": maestra_id,
        "number": number,
        "amount": f"{amount.normalize():f}",
        "reason": reason,
        "at": moment(at),
    }


def _promo_code(row: Row) -> Json:
    maestra_id, code, issued_at = row
    return {"maestra_id": maestra_id, "code": code, "issued_at": moment(issued_at)}


def _session(row: Row) -> Json:
    device, started_at, ended_at, actions, maestra_ids = row
    return {
        "device_id": device,
        "started_at": moment(started_at),
        "ended_at": moment(ended_at),
        "actions_count": actions,
        "maestra_ids": maestra_ids,
    }


ORDERS = Timeline(
    _LEDGER.format(
        columns="t.maestra_id, t.number, t.total, t.currency, t.placed_at, t.status, t.lines::text",
        table="customers_order",
        time="placed_at",
        join="",
    ),
    _order,
)
ACTIVITIES = Timeline(
    _LEDGER.format(
        columns="t.maestra_id, t.kind, t.occurred_at, d.value, t.url, t.title, t.properties::text",
        table="customers_activity",
        time="occurred_at",
        join=_DEVICE,
    ),
    _activity,
)
POINTS = Timeline(
    _LEDGER.format(
        columns="t.maestra_id, t.number, t.amount, t.reason, t.at",
        table="customers_pointsmovement",
        time="at",
        join="",
    ),
    _movement,
)
PROMO_CODES = Timeline(
    _LEDGER.format(
        columns="t.maestra_id, t.code, t.issued_at", table="customers_promocode", time="issued_at", join=""
    ),
    _promo_code,
)
SESSIONS = SessionTimeline(_SESSIONS, _session)


def actions_of(sessions: Sequence[Json], limit: int) -> list[list[Json]]:
    """The newest actions of each of these sessions, at most `limit` of each, in one query."""
    if not sessions:
        return []
    columns = [[session[name] for session in sessions] for name in ("device_id", "started_at", "ended_at")]
    ids = sorted({maestra_id for session in sessions for maestra_id in session["maestra_ids"]})
    actions: list[list[Json]] = [[] for _ in sessions]
    for place, *row in fetch(_ACTIONS, [*columns, ids, limit]):
        actions[place - 1].append(_activity(tuple(row)))
    return actions
