"""A device may come to the same customer again and again: each time is kept."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0005_points_are_setup"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="deviceuse", name="deviceuse_once_per_customer"),
        migrations.RenameField(model_name="deviceuse", old_name="first_at", new_name="since"),
        migrations.AlterField(
            model_name="deviceuse", name="since", field=models.DateTimeField(verbose_name="since")
        ),
        migrations.AddConstraint(
            model_name="deviceuse",
            constraint=models.UniqueConstraint(
                fields=("identifier", "since", "origin_id"), name="deviceuse_once"
            ),
        ),
    ]
