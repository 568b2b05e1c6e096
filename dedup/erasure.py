"""What an erasure and an export take from this app (R54, R55).

The merge journal keeps that a merge happened, when and why; its images go, and with them the possibility to
undo it. From the images of other people's merges only the person's values go: an undo would bring them back.
Images are searched as JSON, whatever their version.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from decimal import Decimal
from typing import Any

from customers.privacy import export
from customers.privacy.erasure import Eraser, Erasure, Links, SharedLife, register_eraser
from customers.privacy.redaction import image_without
from customers.profile import MAESTRA_ID, Key
from customers.storage.sql import as_json, execute, fetch
from dedup.api import idempotency
from dedup.imports.processing import redaction as imports
from dedup.imports.processing.keys import number_of
from dedup.storage.merge_journal import MERGES
from dedup.tracking.exporting import unresolved

# Merges that the person was part of. Such a merge names one of the person's MaestraIDs as survivor or
# absorbed, or its survivor had absorbed one of them before (companions), so that it was among the members of
# the result. OFFSET 0 keeps the planner from reading all images before it has narrowed the merges down to the
# near ones.
MERGES_OF_PERSON = """
WITH companions AS (
  SELECT survivor_id AS id FROM dedup_merge WHERE absorbed_ids && %(ids)s::bigint[]
  UNION SELECT unnest(%(ids)s::bigint[])
), near AS (
  SELECT m.id FROM companions c JOIN dedup_merge m ON m.survivor_id = c.id
  UNION SELECT id FROM dedup_merge WHERE absorbed_ids && %(ids)s::bigint[]
)
SELECT near.id, m.operation_id, m.undone_by_operation_id, m.members
  FROM near CROSS JOIN LATERAL (
    SELECT operation_id, undone_by_operation_id,
           jsonb_path_query_array(result, '$.members[*].maestra_id') AS members
      FROM dedup_merge WHERE id = near.id OFFSET 0
  ) m
 WHERE jsonb_path_exists(m.members, '$[*] ? (@ == $ids[*])', %(vars)s::jsonb)
"""
PARTNERS = """
SELECT low_id FROM dedup_apartpair WHERE high_id = ANY(%(ids)s)
UNION SELECT high_id FROM dedup_apartpair WHERE low_id = ANY(%(ids)s)
UNION SELECT low_id FROM dedup_reviewpair WHERE high_id = ANY(%(ids)s)
UNION SELECT high_id FROM dedup_reviewpair WHERE low_id = ANY(%(ids)s)
"""
BLANK_MERGES = """
UPDATE dedup_merge SET matched = '[]', before_survivor = '{}', before_absorbed = '{}', result = '{}'
 WHERE id = ANY(%s)
"""
# Merges of others whose images hold one of the person's values, under any key that is called `value`.
IMAGES_OF_OTHERS = """
SELECT id, matched, before_survivor, before_absorbed, result FROM dedup_merge
 WHERE (survivor_id = ANY(%(others)s) OR absorbed_ids && %(others)s::bigint[])
   AND jsonb_path_exists(
     jsonb_build_array(matched, before_survivor, before_absorbed, result),
     '$.**.value ? (@ == $texts[*])', %(vars)s::jsonb
   )
 ORDER BY id FOR UPDATE
"""
STORE_IMAGES = """
UPDATE dedup_merge m
   SET matched = u.matched, before_survivor = u.survivor, before_absorbed = u.absorbed, result = u.result
  FROM unnest(%s::bigint[], %s::jsonb[], %s::jsonb[], %s::jsonb[], %s::jsonb[])
       AS u(id, matched, survivor, absorbed, result)
 WHERE m.id = u.id
"""
DROP_PAIRS = "DELETE FROM {table} WHERE low_id = ANY(%(ids)s) OR high_id = ANY(%(ids)s)"
PAIRS = ("dedup_apartpair", "dedup_reviewpair")
# Two others who met over a value that nobody has any more need no review.
DROP_REVIEWS_OVER = """
DELETE FROM dedup_reviewpair
 WHERE (low_id = ANY(%(others)s) OR high_id = ANY(%(others)s))
   AND jsonb_path_exists(jsonb_build_array(shared, vetoes), '$.** ? (@ == $texts[*])', %(vars)s::jsonb)
"""
DROP_CONFIRMATIONS = """
DELETE FROM dedup_confirmation WHERE maestra_id = ANY(%(ids)s) OR identifier_id = ANY(%(rows)s)
"""
# Events that wait or failed: the person's own, those of the person's devices, and those that name the person.
DROP_EVENTS = """
DELETE FROM {table} e
 WHERE e.maestra_id = ANY(%(ids)s) OR e.named ?| %(texts)s::text[]
    OR (e.device_kind, e.device) IN (
      SELECT k.id, v.value FROM unnest(%(kinds)s::text[], %(texts)s::text[]) AS v(kind, value)
        JOIN customers_identifierkind k ON k.system_name = v.kind)
"""
EVENTS = ("dedup_event", "dedup_failedevent")
REPLIES_TO_OTHERS = """
SELECT id FROM dedup_idempotencykey
 WHERE maestra_ids && %(others)s::bigint[]
   AND jsonb_path_exists(response, '$.** ? (@ == $texts[*])', %(vars)s::jsonb)
"""


def links(maestra_ids: Collection[int]) -> Links:
    """The others whose data may show the person: those the person was once merged with, is held apart from,
    or shares a value with (R22, R46).
    """
    where = _where(maestra_ids)
    lives = [
        SharedLife(frozenset(json.loads(members)) - frozenset(maestra_ids), first, last)
        for _merge, first, last, members in fetch(MERGES_OF_PERSON, where)
        if last is not None
    ]
    partners = frozenset(row[0] for row in fetch(PARTNERS, where))
    return Links(partners.union(*(life.others for life in lives)), tuple(lives))


def erase(erasure: Erasure) -> None:
    """Take the person out of the merge journal, pairs, confirmations, events, stored replies and imports."""
    where = {
        **_where(erasure.maestra_ids),
        "others": sorted(erasure.others),
        "rows": list(erasure.rows),
        "vars": as_json({"ids": erasure.maestra_ids, "texts": erasure.texts}),
    }
    execute(BLANK_MERGES, [[merge for merge, *_facts in fetch(MERGES_OF_PERSON, where)]])
    _redact_images_of_others(erasure, where)
    for table in PAIRS:
        execute(DROP_PAIRS.format(table=table), where)
    execute(DROP_REVIEWS_OVER, where)
    execute(DROP_CONFIRMATIONS, where)
    _drop_events(erasure)
    idempotency.forget(erasure.maestra_ids, [row[0] for row in fetch(REPLIES_TO_OTHERS, where)])
    _redact_imports(erasure)


def _redact_imports(erasure: Erasure) -> None:
    keys = {*erasure.person.keys, *(Key(MAESTRA_ID, str(maestra_id)) for maestra_id in erasure.maestra_ids)}
    numbers = sorted(map(number_of, keys))
    imports.remember(numbers)
    imports.forget(numbers, erasure.maestra_ids)


def _redact_images_of_others(erasure: Erasure, where: dict[str, Any]) -> None:
    keys = erasure.person.keys
    redacted = []
    for row, *texts in fetch(IMAGES_OF_OTHERS, where):
        images = (json.loads(text, parse_float=Decimal) for text in texts)
        redacted.append((row, *(as_json(image_without(image, keys)) for image in images)))
    execute(STORE_IMAGES, [list(column) for column in zip(*redacted, strict=True)] or [[]] * 5)


def _drop_events(erasure: Erasure) -> None:
    keys = sorted(erasure.person.keys)
    where = {
        "ids": erasure.maestra_ids,
        "kinds": [key.kind for key in keys],
        "texts": [key.value for key in keys],
    }
    for table in EVENTS:
        execute(DROP_EVENTS.format(table=table), where)


def _where(maestra_ids: Collection[int]) -> dict[str, Any]:
    ids = sorted(maestra_ids)
    return {"ids": ids, "vars": as_json({"ids": ids})}


register_eraser(Eraser(erase, links))
export.register_exported_section("merges", export.timeline(MERGES.page))
export.register_exported_section("unresolved_activities", unresolved)
