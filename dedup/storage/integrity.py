"""What must be true of the whole database, checked by reading all of it.

Constraints keep what they can with every write. This covers the rest: the ledgers and the history, which
carry no foreign keys, the counted facts, and what takes several tables to see. Each check is a query for what
breaks it. What follows from other rows can be put right from them: such a check has a repair, a statement.
"""

from __future__ import annotations

from dataclasses import dataclass

from customers.profile import WITH_PRIMARY
from customers.storage.sql import execute, fetch

LEDGERS = {
    "customers_order": "maestra_id",
    "customers_pointsmovement": "maestra_id",
    "customers_promocode": "maestra_id",
    "customers_activity": "maestra_id",
    "customers_change": "maestra_id",
    "customers_note": "maestra_id",
    "customers_identifier": "origin_id",
    "customers_claim": "origin_id",
    "customers_deviceuse": "origin_id",
    "dedup_event": "maestra_id",
    "dedup_failedevent": "maestra_id",
}
SHOWN = 5  # examples of each fault


@dataclass(frozen=True, slots=True)
class Fault:
    """A sentence that should be true, and MaestraIDs, values or imports of which it is not."""

    sentence: str
    examples: tuple[str, ...]


def _orphans(table: str, column: str) -> str:
    return f"""
    SELECT t.{column} FROM (SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL) t
     WHERE NOT EXISTS (SELECT FROM customers_customer c WHERE c.id = t.{column})
    """


COUNTED = """
  LEFT JOIN customers_customerfacts f ON f.customer_id = c.id
  LEFT JOIN (SELECT maestra_id, count(*) n, sum(total) total FROM customers_order GROUP BY 1) o
    ON o.maestra_id = c.id
  LEFT JOIN (SELECT maestra_id, count(*) n, sum(amount) total FROM customers_pointsmovement GROUP BY 1) p
    ON p.maestra_id = c.id
  LEFT JOIN (SELECT maestra_id, count(*) n FROM customers_promocode GROUP BY 1) k ON k.maestra_id = c.id
 WHERE (coalesce(f.orders_count, 0), coalesce(f.orders_total, 0)) <> (coalesce(o.n, 0), coalesce(o.total, 0))
    OR (coalesce(f.points_count, 0), coalesce(f.points_balance, 0))
       <> (coalesce(p.n, 0), coalesce(p.total, 0))
    OR coalesce(f.promo_codes_count, 0) <> coalesce(k.n, 0)
"""
FACTS = f"SELECT c.id FROM customers_customer c {COUNTED}"
COUNT_AGAIN = f"""
INSERT INTO customers_customerfacts AS f
  (customer_id, orders_count, orders_total, points_count, points_balance, promo_codes_count)
SELECT c.id, coalesce(o.n, 0), coalesce(o.total, 0), coalesce(p.n, 0), coalesce(p.total, 0), coalesce(k.n, 0)
  FROM customers_customer c {COUNTED}
    ON CONFLICT (customer_id) DO UPDATE SET
  orders_count = EXCLUDED.orders_count, orders_total = EXCLUDED.orders_total,
  points_count = EXCLUDED.points_count, points_balance = EXCLUDED.points_balance,
  promo_codes_count = EXCLUDED.promo_codes_count
"""
PRIMARIES = """
SELECT i.customer_id FROM customers_identifier i JOIN customers_identifierkind k ON k.id = i.kind_id
 WHERE i.customer_id IS NOT NULL AND k.category = ANY(%(with_primary)s)
 GROUP BY i.customer_id, i.kind_id HAVING count(*) FILTER (WHERE i.is_primary) <> 1
"""
ORIGINS = """
SELECT i.origin_id FROM customers_identifier i JOIN customers_customer c ON c.id = i.origin_id
 WHERE i.customer_id IS NOT NULL AND c.profile_id <> i.customer_id
"""
DROP_CLAIMS = """
DELETE FROM customers_claim c USING customers_identifier i
 WHERE i.id = c.identifier_id AND i.customer_id = c.customer_id
"""
CLAIMS = """
SELECT c.customer_id FROM customers_claim c JOIN customers_identifier i ON i.id = c.identifier_id
 WHERE i.customer_id = c.customer_id
"""
HOLDERS = """
SELECT customer_id FROM customers_identifier WHERE customer_id IS NOT NULL
UNION SELECT customer_id FROM customers_formeridentifier UNION SELECT customer_id FROM customers_claim
UNION SELECT customer_id FROM customers_paymentcard
"""
OF_PRIMARIES = f"""
SELECT h.customer_id FROM ({HOLDERS}) h JOIN customers_customer c ON c.id = h.customer_id WHERE NOT c.is_head
"""
ERASED = f"""
SELECT c.id FROM customers_customer c
 WHERE c.erased_at IS NOT NULL AND (
   num_nonnulls(c.last_name, c.first_name, c.middle_name, c.birth_date, c.gender, c.time_zone) > 0
   OR c.custom_fields <> '{{}}' OR c.is_identified
   OR c.id IN ({HOLDERS})
   OR EXISTS (SELECT FROM customers_subscription s WHERE s.customer_id = c.id)
   OR EXISTS (SELECT FROM customers_note n WHERE n.maestra_id = c.id)
   OR EXISTS (
     SELECT FROM customers_change h WHERE h.maestra_id = c.id AND h.at < c.erased_at AND h.data <> '[]'))
"""
FORMER = """
SELECT f.customer_id FROM customers_formeridentifier f
  LEFT JOIN customers_identifier i ON i.kind_id = f.kind_id AND i.value = f.value
 WHERE i.customer_id IS NULL OR (i.is_former AND i.retired_at < f.retired_at)
"""
# A pair that is held apart, whose two are one profile.
APART = """
SELECT p.low_id FROM dedup_apartpair p
  JOIN customers_customer a ON a.id = p.low_id JOIN customers_customer b ON b.id = p.high_id
 WHERE p.lifted_at IS NULL AND a.profile_id = b.profile_id
"""
UNANSWERED = """
SELECT key FROM dedup_idempotencykey WHERE status IS NULL AND created_at < now() - interval '1 hour'
"""
FORGET_UNANSWERED = """
DELETE FROM dedup_idempotencykey WHERE status IS NULL AND created_at < now() - interval '1 hour'
"""
IDENTIFIED = """
SELECT c.id FROM customers_customer c
 WHERE c.is_head AND c.erased_at IS NULL AND c.is_identified <> EXISTS (
   SELECT FROM customers_identifier i JOIN customers_identifierkind k ON k.id = i.kind_id
    WHERE i.customer_id = c.id AND NOT i.is_former AND k.category NOT IN ('device', 'mobile_device'))
"""
MARK_IDENTIFIED = f"""
UPDATE customers_customer SET is_identified = NOT is_identified WHERE id IN ({IDENTIFIED})
"""
JOURNAL = """
SELECT m.absorbed_id FROM dedup_merge m
  JOIN customers_customer a ON a.id = m.absorbed_id JOIN customers_customer s ON s.id = m.survivor_id
 WHERE m.undone_at IS NULL AND a.profile_id <> s.profile_id
UNION ALL
SELECT c.id FROM customers_customer c
 WHERE NOT c.is_head AND NOT EXISTS (
   SELECT FROM dedup_merge m WHERE m.undone_at IS NULL AND c.id = ANY(m.absorbed_ids))
"""
BEGINNINGS = """
SELECT c.id FROM customers_customer c
 WHERE c.erased_at IS NULL AND NOT EXISTS (SELECT FROM customers_change h WHERE h.maestra_id = c.id)
"""
ROWS_OF_CHUNKS = """
SELECT c.source_id FROM dedup_importchunk c JOIN dedup_import i ON i.id = c.source_id
  LEFT JOIN (SELECT source_id, chunk, sum(cardinality(lines)) n FROM dedup_importpiece GROUP BY 1, 2) p
    ON p.source_id = c.source_id AND p.chunk = c.number
 WHERE i.running_since IS NOT NULL AND coalesce(p.n, 0) <> c.size
"""
OUTCOMES = """
SELECT c.source_id FROM dedup_importchunk c
 WHERE CASE WHEN c.worked_at IS NULL THEN 0 ELSE c.size END <> ANY (ARRAY[cardinality(c.outcomes),
   cardinality(c.codes), cardinality(c.reasons), cardinality(c.maestra_ids)])
"""
ENDED_IN = """
SELECT r.maestra_id FROM dedup_importchunk c CROSS JOIN LATERAL unnest(c.maestra_ids) AS r(maestra_id)
 WHERE r.maestra_id IS NOT NULL
   AND NOT EXISTS (SELECT FROM customers_customer k WHERE k.id = r.maestra_id)
"""
FINISHED = """
SELECT i.id FROM dedup_import i
 WHERE i.state = 'finished'
   AND EXISTS (SELECT FROM dedup_importchunk c WHERE c.source_id = i.id AND c.worked_at IS NULL)
"""
FILES = """
SELECT i.id FROM dedup_import i
 WHERE i.running_since IS NULL AND i.finished_at IS NULL AND i.dry_run_id IS NULL
   AND NOT EXISTS (SELECT FROM dedup_importblock b WHERE b.source_id = i.id)
"""
TWICE = "SELECT uuid FROM customers_activity GROUP BY uuid HAVING count(*) > 1"
UNSEEN = """
SELECT a.uuid FROM customers_activity a
 WHERE NOT EXISTS (SELECT FROM dedup_seenevent s WHERE s.uuid = a.uuid)
   AND EXISTS (SELECT FROM dedup_event e WHERE e.uuid = a.uuid)
"""
CHECKS: dict[str, str] = {
    **{f"Every row of {t} names a MaestraID that exists.": _orphans(t, c) for t, c in LEDGERS.items()},
    "The counted facts of every MaestraID are those of its ledgers.": FACTS,
    "Whoever holds e-mails or phones has exactly one primary of each (R7).": PRIMARIES,
    "What a profile holds came to one of its MaestraIDs.": ORIGINS,
    "Nobody claims what they hold (R30).": CLAIMS,
    "Customers are marked as identified exactly where they hold more than devices.": IDENTIFIED,
    "The merge journal and the profiles agree (R46).": JOURNAL,
    "No event is in the activity ledger twice.": TWICE,
    "An event that waits although it is in the ledger is known to be repeated.": UNSEEN,
    "What is held or claimed stands under primary MaestraIDs (R1).": OF_PRIMARIES,
    "A former ID counts with whoever retired it last, where nobody holds it (R3).": FORMER,
    "Nothing is left of erased persons (R54).": ERASED,
    "No two that are held apart are one profile (R22, R46).": APART,
    "Every repeated request has its answer, or began within the hour.": UNANSWERED,
    "Every customer has a history from its first moment on.": BEGINNINGS,
    "Every chunk of an import has its rows.": ROWS_OF_CHUNKS,
    "Every row of a chunk that was worked, and of no other, has an outcome.": OUTCOMES,
    "Imported rows ended in customers that exist.": ENDED_IN,
    "Of a finished import all chunks are worked.": FINISHED,
    "The file of an import is there until its rows are staged.": FILES,
}
REPAIRS: dict[str, str] = {
    FACTS: COUNT_AGAIN,
    CLAIMS: DROP_CLAIMS,
    IDENTIFIED: MARK_IDENTIFIED,
    UNANSWERED: FORGET_UNANSWERED,
}
"""By check, what puts right from other rows what it found."""


def repair() -> list[str]:
    """Put right what follows from other rows; the sentences that are true again. Reads whole tables too."""
    return [sentence for sentence, sql in CHECKS.items() if sql in REPAIRS and execute(REPAIRS[sql])]


def faults() -> list[Fault]:
    """Everything that is not as it must be. Reads whole tables: minutes at millions of customers."""
    return [fault for sentence, sql in CHECKS.items() if (fault := _fault(sentence, sql))]


def _fault(sentence: str, sql: str) -> Fault | None:
    found = fetch(f"{sql} LIMIT {SHOWN}", {"with_primary": [c.value for c in WITH_PRIMARY]})
    examples = tuple(str(row[0]) for row in found)
    return Fault(sentence, examples) if examples else None
