"""Who sets segments up may delete them too."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

GIVEN = ["delete_segment", "delete_segmentation"]


def give(apps, schema_editor):
    # Permissions are otherwise made only after the last migration.
    create_permissions(
        installed.get_app_config("segments"), verbosity=0, using=schema_editor.connection.alias
    )
    permissions = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="segments")
    for group in apps.get_model("auth", "Group").objects.filter(name__in=("Marketer", "Integrator")):
        group.permissions.add(*permissions.filter(codename__in=GIVEN))


class Migration(migrations.Migration):
    dependencies = [("config", "0004_import_pages"), ("segments", "0001_initial")]
    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
