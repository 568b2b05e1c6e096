"""Finds the links and codes sent for a customer. Made beside the running service."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("dedup", "0005_wording")]
    operations = [
        AddIndexConcurrently(
            model_name="confirmation",
            index=models.Index(fields=["maestra_id"], name="confirmation_of_customer"),
        ),
    ]
