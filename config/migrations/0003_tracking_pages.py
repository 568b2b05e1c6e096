"""Who may see and do what about activity: an Integrator sets up sites and looks after events that failed."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

GIVEN = ["view_site", "add_site", "change_site", "view_event", "view_failedevent", "change_failedevent"]
SEEN_BY_OFFICERS = ["view_forgottenmonth"]


def give(apps, schema_editor):
    # Permissions are otherwise made only after the last migration.
    create_permissions(installed.get_app_config("dedup"), verbosity=0, using=schema_editor.connection.alias)
    permissions = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="dedup")
    groups = apps.get_model("auth", "Group").objects
    for group in groups.filter(name="Integrator"):
        group.permissions.add(*permissions.filter(codename__in=GIVEN))
    for group in groups.filter(name="Privacy officer"):
        group.permissions.add(*permissions.filter(codename__in=SEEN_BY_OFFICERS))


class Migration(migrations.Migration):
    dependencies = [("config", "0002_staff_pages"), ("dedup", "0003_tracking")]
    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
