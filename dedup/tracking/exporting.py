"""For an export, a person's activity besides the ledger: events that wait or failed (R55)."""

from __future__ import annotations

import json
from collections.abc import Iterator

from customers.presentation.customer import Json
from customers.profile import DEVICES, Profile
from customers.setup.project_config import ProjectConfig
from customers.storage.sql import array, fetch

# Events that name the person, and events on the person's devices that name nobody.
UNRESOLVED = """
WITH events AS (
  SELECT id, kind, occurred_at, device_kind, device, maestra_id, url, title, properties, record,
         NULL AS reason
    FROM dedup_event
   UNION ALL
  SELECT id, kind, occurred_at, device_kind, device, maestra_id, url, title, properties, record, reason
    FROM dedup_failedevent
)
SELECT e.maestra_id, e.kind, e.occurred_at, e.device, e.url, e.title, e.properties::text, e.record::text,
       e.reason
  FROM events e
 WHERE e.maestra_id = ANY(%(ids)s::bigint[])
    OR e.maestra_id IS NULL AND (e.device_kind, e.device) IN (
      SELECT * FROM unnest(%(kinds)s::smallint[], %(devices)s::text[]))
 ORDER BY e.occurred_at DESC, e.id DESC
"""


def unresolved(profile: Profile, config: ProjectConfig) -> Iterator[Json]:
    """Events of the person that are not in the ledger yet, with the reason where they failed."""
    devices = [key for key, holding in profile.holdings.items() if holding.category in DEVICES]
    asked = {
        "ids": array("bigint", sorted(profile.maestra_ids)),
        "kinds": array("smallint", [config.kinds[key.kind].id for key in devices]),
        "devices": array("text", [key.value for key in devices]),
    }
    for maestra_id, kind, at, device, url, title, properties, record, reason in fetch(UNRESOLVED, asked):
        yield {
            "maestra_id": maestra_id,
            "kind": kind,
            "occurred_at": at,
            "device_id": device or None,
            "url": url,
            "title": title,
            "properties": json.loads(properties),
            "record": json.loads(record) if record else None,
            "failed_because": reason,
        }
