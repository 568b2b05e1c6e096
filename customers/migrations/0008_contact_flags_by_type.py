"""The flags of a point by type of contact, so that another type needs no columns of its own.

Saved filters name a type of contact as the API does from now on.
"""

import django.contrib.postgres.fields
from django.db import migrations, models

TYPES = ("email", "mobile_phone", "discount_card")
LABELS = [("email", "E-mail"), ("mobile_phone", "Mobile phone"), ("discount_card", "Discount card")]
FLAGS = ("must_be_confirmed", "gives_access")


def listed(flag: str) -> str:
    chosen = ", ".join(f"CASE WHEN {name}_{flag} THEN '{name}' END" for name in TYPES)
    return f"UPDATE customers_integrationpoint SET {flag} = array_remove(ARRAY[{chosen}], NULL)"


def apart(flag: str) -> str:
    columns = ", ".join(f"{name}_{flag} = '{name}' = ANY({flag})" for name in TYPES)
    return f"UPDATE customers_integrationpoint SET {columns}"


def renamed(old: str, new: str) -> str:
    return rf"""
    UPDATE customers_savedfilter
       SET query = regexp_replace(query, '(^|&)contact=(no_|confirmed_|){old}(&|$)', '\1contact=\2{new}\3')
    """


def flag(name: str, verbose_name: str, help_text: str) -> migrations.AddField:
    field = django.contrib.postgres.fields.ArrayField(
        base_field=models.CharField(choices=LABELS),
        blank=True,
        db_default=[],
        default=list,
        help_text=help_text,
        size=None,
        verbose_name=verbose_name,
    )
    return migrations.AddField("integrationpoint", name, field)


class Migration(migrations.Migration):
    dependencies = [("customers", "0007_names")]

    operations = [
        flag(
            "must_be_confirmed",
            "contacts that must be confirmed",
            "They wait until the customer has confirmed them.",
        ),
        flag(
            "gives_access",
            "contacts that give account access",
            "Customers sign in with them, and no merge takes them away.",
        ),
        migrations.RunSQL([listed(name) for name in FLAGS], [apart(name) for name in FLAGS]),
        migrations.RunSQL(
            [renamed("phone", "mobile_phone"), renamed("card", "discount_card")],
            [renamed("mobile_phone", "phone"), renamed("discount_card", "card")],
        ),
        *(migrations.RemoveField("integrationpoint", f"{name}_{flag}") for flag in FLAGS for name in TYPES),
    ]
