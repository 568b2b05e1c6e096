"""Conflicts by day, reviewed ones too, for the dashboard."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dedup", "0003_tracking"),
    ]

    operations = [
        migrations.AddIndex("reviewpair", models.Index(fields=["at"], name="reviewpair_at")),
    ]
