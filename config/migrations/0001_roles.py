"""The roles of staff, as groups of permissions. Afterwards they are the project's own, to be edited in the admin.

To merge two customers is to add a merge, to undo it is to change one; to opt a customer out is to change the customer,
to erase one is to delete it. Payment cards are seen by privacy officers only.
"""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

APPS = ("customers", "segments", "dedup")

VIEW = [
    *(
        f"customers.view_{model}"
        for model in [
            "customer",
            "customerfacts",
            "subscription",
            "note",
            "relation",
            "identifier",
            "identifierkind",
            "claim",
            "deviceuse",
            "order",
            "pointsmovement",
            "promocode",
            "activity",
            "operation",
            "change",
            "integrationpoint",
            "customfield",
            "blockedvalue",
            "projectsettings",
        ]
    ),
    "segments.view_segmentation",
    "segments.view_segment",
    "segments.view_membership",
    "dedup.view_merge",
    "dedup.view_apartpair",
    "dedup.view_reviewpair",
]


def every(model: str, *actions: str) -> list[str]:
    app, name = model.split(".")
    return [f"{app}.{action}_{name}" for action in actions or ("view", "add", "change")]


ROLES = {
    "Viewer": VIEW,
    "Marketer": [
        *VIEW,
        *every("dedup.merge"),
        *every("dedup.apartpair"),
        *every("dedup.reviewpair", "change"),
        *every("segments.segmentation"),
        *every("segments.segment"),
        *every("segments.membership"),
    ],
    "Integrator": [
        *VIEW,
        *every("customers.integrationpoint"),
        *every("customers.apikey"),
        *every("customers.identifierkind"),
        *every("customers.customfield"),
        *every("customers.blockedvalue", "view", "add", "change", "delete"),
        *every("customers.projectsettings", "view", "change"),
        *every("segments.segmentation"),
        *every("segments.segment"),
        *every("dedup.idempotencykey", "view"),
        *every("dedup.confirmation", "view"),
    ],
    "Privacy officer": [
        *VIEW,
        *every("customers.customer", "view", "change", "delete"),
        *every("customers.paymentcard", "view"),
        *every("customers.suppressedvalue", "view"),
        *every("dedup.confirmation", "view"),
    ],
}


def make_roles(apps, schema_editor):
    # Permissions are otherwise made only after the last migration.
    for label in APPS:
        create_permissions(installed.get_app_config(label), verbosity=0, using=schema_editor.connection.alias)
    known = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in apps.get_model("auth", "Permission").objects.select_related("content_type")
    }
    for name, permissions in ROLES.items():
        group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=name)
        group.permissions.add(*(known[permission] for permission in permissions))


class Migration(migrations.Migration):
    initial = True
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("customers", "0001_initial"),
        ("segments", "0001_initial"),
        ("dedup", "0001_initial"),
    ]
    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
