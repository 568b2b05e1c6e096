"""Who may see and do what about imports: a Marketer imports files, everybody else sees how they went."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

GIVEN = ["view_import", "add_import", "change_import", "view_importmapping", "delete_importmapping"]
SEEN_BY = ("Viewer", "Integrator", "Privacy officer")


def give(apps, schema_editor):
    # Permissions are otherwise made only after the last migration.
    create_permissions(installed.get_app_config("dedup"), verbosity=0, using=schema_editor.connection.alias)
    permissions = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="dedup")
    groups = apps.get_model("auth", "Group").objects
    for group in groups.filter(name="Marketer"):
        group.permissions.add(*permissions.filter(codename__in=GIVEN))
    for group in groups.filter(name__in=SEEN_BY):
        group.permissions.add(*permissions.filter(codename="view_import"))


class Migration(migrations.Migration):
    dependencies = [("config", "0003_tracking_pages"), ("dedup", "0003_tracking")]
    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
