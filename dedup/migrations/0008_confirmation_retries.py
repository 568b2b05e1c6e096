"""When a link or code that could not be sent is tried again. New columns, without a rewrite of the table."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("dedup", "0007_identified_after_undo")]
    operations = [
        migrations.AddField(
            model_name="confirmation",
            name="failures",
            field=models.SmallIntegerField(
                db_default=0, default=0, verbose_name="times it could not be sent"
            ),
        ),
        migrations.AddField(
            model_name="confirmation",
            name="retry_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="tried again"),
        ),
    ]
