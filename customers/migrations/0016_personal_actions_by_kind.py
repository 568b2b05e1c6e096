"""The kind of an integration point says whether its records are personal actions, where nobody else does.

Only the default of the column goes; points that exist keep their switch.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0015_keys_may_do_something")]

    operations = [
        migrations.AlterField(
            model_name="integrationpoint",
            name="personal_actions",
            field=models.BooleanField(
                default=None,
                help_text="On where customers act themselves, as on a website; off for imports and back-office tools.",
                verbose_name="counts as customer activity",
            ),
        ),
    ]
