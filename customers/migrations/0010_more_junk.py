"""The entries that the block list is shipped with from here on, for projects that have the earlier ones."""

from django.db import migrations, models

from customers.block_list import NAMES, SHIPPED

ADDED_PATTERNS = ("^#", "^err:", "^(?:0{7,}", r"^\+(?:[17]")
"""How the patterns begin that were not shipped before."""


def add_entries(apps, _editor):
    blocked = apps.get_model("customers", "BlockedValue")
    blocked.objects.bulk_create(
        [
            blocked(type=entry.type, value=entry.value, pattern=entry.pattern)
            for entry in SHIPPED
            if entry.type == NAMES or entry.value == r"\n" or entry.pattern.startswith(ADDED_PATTERNS)
        ],
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [("customers", "0009_wording")]

    operations = [
        # Going back leaves the entries: the earlier release reads them, and people may have edited them.
        migrations.RunPython(add_entries, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="blockedvalue",
            name="type",
            field=models.CharField(
                db_default="*",
                default="*",
                help_text="The system name of an identifier kind, * for every kind, or personal for names.",
                verbose_name="identifier kind",
            ),
        ),
    ]
