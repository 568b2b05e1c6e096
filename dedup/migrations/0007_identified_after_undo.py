"""Customers who came back from an undone merge and hold an ID are marked as identified.

Only those are looked at, by the journal. There is nothing to take back.
"""

from django.db import migrations

MARK = """
UPDATE customers_customer c SET is_identified = true
 WHERE c.is_head AND c.erased_at IS NULL AND NOT c.is_identified
   AND c.id IN (
     SELECT survivor_id FROM dedup_merge WHERE undone_at IS NOT NULL
     UNION SELECT absorbed_id FROM dedup_merge WHERE undone_at IS NOT NULL)
   AND EXISTS (
     SELECT FROM customers_identifier i JOIN customers_identifierkind k ON k.id = i.kind_id
      WHERE i.customer_id = c.id AND NOT i.is_former AND k.category NOT IN ('device', 'mobile_device'))
"""


class Migration(migrations.Migration):
    dependencies = [("dedup", "0006_messages_of_customer")]

    operations = [migrations.RunSQL(MARK, migrations.RunSQL.noop)]
