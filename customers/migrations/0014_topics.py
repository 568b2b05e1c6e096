"""Topics are trimmed and without case: what was stored under several spellings becomes one subscription, the
one with the later date, and of one date the refusal.

Only topics that are spelt otherwise are touched; there are few, however many customers there are. It cannot
be taken back, as the spellings are not kept: going back leaves the topics as they are.
"""

from django.db import migrations

from customers.normalise import topic_compared

TOPICS = "SELECT DISTINCT topic FROM customers_subscription WHERE topic <> ''"
# Of the rows that become one, all but the one that stays.
DROP = """
DELETE FROM customers_subscription WHERE id IN (
  SELECT id FROM (
    SELECT s.id, row_number() OVER (
             PARTITION BY s.customer_id, s.channel, t.new
             ORDER BY s.since DESC, s.status = 'unsubscribed' DESC, s.id DESC) AS place
      FROM customers_subscription s
      JOIN (SELECT * FROM unnest(%(old)s::text[], %(new)s::text[]) AS t(old, new)
            UNION SELECT new, new FROM unnest(%(new)s::text[]) AS t(new)) AS t ON t.old = s.topic
  ) ranked WHERE place > 1)
"""
RENAME = """
UPDATE customers_subscription s SET topic = t.new
  FROM unnest(%(old)s::text[], %(new)s::text[]) AS t(old, new) WHERE s.topic = t.old
"""


def unite(apps, schema_editor):  # noqa: ARG001
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(TOPICS)
        topics = [topic for (topic,) in cursor.fetchall()]
        pairs = [(topic, topic_compared(topic)) for topic in topics if topic != topic_compared(topic)]
        if pairs:
            old, new = map(list, zip(*pairs, strict=True))
            cursor.execute(DROP, {"old": old, "new": new})
            cursor.execute(RENAME, {"old": old, "new": new})


class Migration(migrations.Migration):
    dependencies = [("customers", "0013_search")]

    operations = [migrations.RunPython(unite, migrations.RunPython.noop)]
