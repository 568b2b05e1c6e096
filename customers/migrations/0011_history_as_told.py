"""The change history is read in the order in which it was told.

Without a lock that keeps others from writing. Until the new index is there, the earlier one serves.
"""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("customers", "0010_more_junk"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="change",
            index=models.Index(models.F("maestra_id"), models.F("id").desc(), name="change_as_told"),
        ),
        RemoveIndexConcurrently(model_name="change", name="change_of_customer"),
    ]
