"""What the roles may see and do on a customer's pages.

Contacts: a Viewer sees them masked. An Integrator sees them masked and may have them shown one by one, each time
recorded: to look into data that came in wrong, not to read address books. A Marketer and a Privacy officer, who work
with people, see them as they are. The lists of raw rows show contacts plain, so they are not for those who see them
masked. Payment card hashes are masked for everybody, and shown even so to privacy officers only.

A Marketer edits customers, writes notes and takes lists away as files. A Privacy officer edits (people may have what is
wrong set right), writes notes, and sees who was shown what.
"""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

GIVEN = {
    "Integrator": ["reveal_contacts"],
    "Marketer": ["view_contacts", "edit_customer", "export_list", "add_note"],
    "Privacy officer": ["view_contacts", "edit_customer", "add_note", "view_reveal"],
}
PLAIN = ["view_identifier", "view_claim", "view_note", "view_relation", "view_change", "view_operation"]
TAKEN = {"Viewer": PLAIN, "Integrator": PLAIN}


def change_roles(apps, schema_editor):
    # Permissions are otherwise made only after the last migration.
    create_permissions(
        installed.get_app_config("customers"), verbosity=0, using=schema_editor.connection.alias
    )
    permissions = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="customers")
    for group in apps.get_model("auth", "Group").objects.filter(name__in={*GIVEN, *TAKEN}):
        group.permissions.add(*permissions.filter(codename__in=GIVEN.get(group.name, [])))
        group.permissions.remove(*permissions.filter(codename__in=TAKEN.get(group.name, [])))


class Migration(migrations.Migration):
    dependencies = [("config", "0001_roles"), ("customers", "0004_staff_pages")]
    operations = [migrations.RunPython(change_roles, migrations.RunPython.noop)]
