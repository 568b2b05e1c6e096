"""A database full of customers, made by the server itself.

The rows are such as operations leave, without their deciding: a customer has an e-mail, a phone, an ID and a
device, a subscription, every third one an order and every fifth activities, and each a line of history.
"""

from __future__ import annotations

from django.db import connection, transaction

from customers.storage.sql import draw_ids
from tests.benchmarks.people import project

STEP = 50_000
PHONES = 7_000_000
"""Telephone numbers count on from here."""
NAMES = ("Lee", "Kim", "Novak", "Garcia", "Silva", "Meyer", "Rossi", "Dubois")
STATEMENTS = (
    """
    INSERT INTO customers_customer (id, profile_id, registered_at, point_id, last_name, first_name,
      is_identified)
    SELECT n, n, now() - n * interval '10 seconds', %(point)s,
           (%(names)s::text[])[1 + n %% 8] || n / 8, 'Ann' || n %% 5000, true
      FROM generate_series(%(first)s::bigint, %(last)s::bigint) n
    """,
    """
    INSERT INTO customers_identifier (kind_id, value, raw, customer_id, origin_id, since, is_primary,
      is_unique_kind, point_id)
    SELECT k.id, v.value, v.value, n, n, now(), v.is_primary, k.category = 'unique', %(point)s
      FROM generate_series(%(first)s::bigint, %(last)s::bigint) n
     CROSS JOIN LATERAL (
       VALUES ('email', 'known' || n || '@example.com', true), ('mobile_phone', '+1415' || n + {base}, true),
              ('crm_id', 'known-' || n, false), ('device_id', 'browser-' || n, false)
     ) v (kind, value, is_primary)
      JOIN customers_identifierkind k ON k.system_name = v.kind
    """,
    """
    INSERT INTO customers_deviceuse (identifier_id, origin_id, since)
    SELECT i.id, i.origin_id, i.since FROM customers_identifier i
     WHERE i.kind_id = 4 AND i.customer_id BETWEEN %(first)s AND %(last)s
    """,
    """
    INSERT INTO customers_subscription (customer_id, channel, topic, status, since)
    SELECT n, 'email', '', 'subscribed', now() FROM generate_series(%(first)s::bigint, %(last)s::bigint) n
    """,
    """
    INSERT INTO customers_order (number, maestra_id, total, currency, placed_at, status, lines)
    SELECT 'A-' || n, n, 10, 'USD', now(), 'paid', '[]'
      FROM generate_series(%(first)s::bigint, %(last)s::bigint, 3) n
    """,
    """
    INSERT INTO customers_customerfacts (customer_id, orders_count, orders_total, last_action_at)
    SELECT n, 1, 10, now() - n * interval '1 second'
      FROM generate_series(%(first)s::bigint, %(last)s::bigint, 3) n
    """,
    """
    INSERT INTO customers_activity (uuid, maestra_id, kind, occurred_at)
    SELECT gen_random_uuid(), n, 'page_view', now() - v * interval '1 day'
      FROM generate_series(%(first)s::bigint, %(last)s::bigint, 5) n, generate_series(1, 5) v
    """,
    """
    INSERT INTO customers_change (operation_id, maestra_id, at, data)
    SELECT %(operation)s, n, now(), '[{{"kind": "created", "registered_at": "2026-01-01T00:00:00+00:00"}}]'
      FROM generate_series(%(first)s::bigint, %(last)s::bigint) n
    """,
)
OPERATION = """
INSERT INTO customers_operation (id, kind, actor, point_id, at) VALUES (%s, 'batch', 'system', %s, now())
"""


def full_name(maestra_id: int) -> str:
    """Of a customer that `fill` made."""
    return f"Ann{maestra_id % 5000} {NAMES[maestra_id % 8]}{maestra_id // 8}"


def fill(customers: int) -> range:
    """So many more customers; their MaestraIDs. Ends with the statistics a running server would have."""
    ids = draw_ids("customers_customer", customers)
    made = range(ids[0], ids[-1] + 1)
    for first in made[::STEP]:
        _fill(first, min(first + STEP, made.stop) - 1)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return made


def _fill(first: int, last: int) -> None:
    point = project().point.id
    operation = draw_ids("customers_operation", 1)[0]
    values = {"first": first, "last": last, "point": point, "operation": operation, "names": list(NAMES)}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(OPERATION, [operation, point])
        for statement in STATEMENTS:
            cursor.execute(statement.format(base=PHONES), values)
