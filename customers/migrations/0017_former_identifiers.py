"""Unique IDs that several customers had: the table is empty until one is registered anew."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0016_personal_actions_by_kind"),
    ]

    operations = [
        migrations.CreateModel(
            name="FormerIdentifier",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at_head", models.BooleanField(db_default=True, default=True, editable=False)),
                (
                    "value",
                    models.CharField(
                        db_collation="C", help_text="Normalised, as it is compared.", verbose_name="value"
                    ),
                ),
                ("raw", models.CharField(verbose_name="as entered")),
                ("origin_id", models.BigIntegerField(verbose_name="recorded under MaestraID")),
                ("since", models.DateTimeField(verbose_name="since")),
                ("retired_at", models.DateTimeField(verbose_name="retired")),
                (
                    "customer",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="former_identifiers",
                        to="customers.customer",
                        verbose_name="customer",
                    ),
                ),
                (
                    "kind",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.identifierkind",
                        verbose_name="kind",
                    ),
                ),
                (
                    "point",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.integrationpoint",
                        verbose_name="integration point",
                    ),
                ),
            ],
            options={
                "verbose_name": "former identifier",
                "verbose_name_plural": "former identifiers",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("at_head", True)), name="formeridentifier_at_head"
                    ),
                    models.UniqueConstraint(
                        fields=("kind", "value", "origin_id"), name="former_once_per_origin"
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            "ALTER TABLE customers_formeridentifier ADD CONSTRAINT formeridentifier_of_head FOREIGN KEY"
            " (customer_id, at_head) REFERENCES customers_customer (id, is_head) DEFERRABLE INITIALLY DEFERRED",
            "ALTER TABLE customers_formeridentifier DROP CONSTRAINT formeridentifier_of_head",
        ),
    ]
