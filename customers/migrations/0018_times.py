"""How young values are: when a record last changed them, or last named an identifier.

Columns without a default, which touch no row. What is stored already has no times: it counts as being as old
as the registration of its customer, or an identifier as its own beginning.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0017_former_identifiers"),
    ]

    operations = [
        migrations.AddField(
            model_name="customer",
            name="personal_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="personal data changed"),
        ),
        migrations.AddField(
            model_name="customer",
            name="time_zone_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="time zone changed"),
        ),
        migrations.AddField(
            model_name="customer",
            name="custom_fields_at",
            field=models.JSONField(blank=True, null=True, verbose_name="custom fields changed"),
        ),
        migrations.AddField(
            model_name="identifier",
            name="used_at",
            field=models.DateTimeField(
                blank=True,
                help_text="By a record of its holder, where that is not the one it came with.",
                null=True,
                verbose_name="last named",
            ),
        ),
    ]
