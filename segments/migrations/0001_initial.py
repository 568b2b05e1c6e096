import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("customers", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Segmentation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "system_name",
                    models.CharField(
                        help_text="How the API and the set-up file call it. It can never be changed.",
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z][a-z0-9_]{0,62}$",
                                "Use small letters, digits and underscores, beginning with a letter, 63 characters at most.",
                            )
                        ],
                        verbose_name="system name",
                    ),
                ),
                ("name", models.CharField(verbose_name="name")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("static", "Static: members are put in and out"),
                            ("calculated", "Calculated: members meet a condition"),
                        ],
                        db_default="static",
                        default="static",
                        verbose_name="kind",
                    ),
                ),
            ],
            options={
                "verbose_name": "segmentation",
                "verbose_name_plural": "segmentations",
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("system_name__regex", "^[a-z][a-z0-9_]{0,62}$")),
                        name="segmentation_system_name",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["static", "calculated"])), name="segmentation_kind"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Segment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "system_name",
                    models.CharField(
                        help_text="How the API and the set-up file call it. It can never be changed.",
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z][a-z0-9_]{0,62}$",
                                "Use small letters, digits and underscores, beginning with a letter, 63 characters at most.",
                            )
                        ],
                        verbose_name="system name",
                    ),
                ),
                ("name", models.CharField(verbose_name="name")),
                (
                    "segmentation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="segments",
                        to="segments.segmentation",
                        verbose_name="segmentation",
                    ),
                ),
            ],
            options={
                "verbose_name": "segment",
                "verbose_name_plural": "segments",
                "ordering": ["segmentation", "id"],
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("since", models.DateTimeField(verbose_name="since")),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to="customers.customer",
                        verbose_name="customer",
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to="segments.segment",
                        verbose_name="segment",
                    ),
                ),
                (
                    "segmentation",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to="segments.segmentation",
                        verbose_name="segmentation",
                    ),
                ),
            ],
            options={
                "verbose_name": "membership",
                "verbose_name_plural": "memberships",
            },
        ),
        migrations.AddConstraint(
            model_name="segment",
            constraint=models.CheckConstraint(
                condition=models.Q(("system_name__regex", "^[a-z][a-z0-9_]{0,62}$")),
                name="segment_system_name",
            ),
        ),
        migrations.AddConstraint(
            model_name="segment",
            constraint=models.UniqueConstraint(
                fields=("segmentation", "system_name"), name="segment_in_segmentation"
            ),
        ),
        migrations.AddConstraint(
            model_name="segment",
            constraint=models.UniqueConstraint(fields=("id", "segmentation"), name="segment_id_segmentation"),
        ),
        migrations.AddIndex(
            model_name="membership",
            index=models.Index(fields=["segment", "customer"], name="membership_of_segment"),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.UniqueConstraint(
                fields=("customer", "segmentation"), name="membership_one_segment"
            ),
        ),
    ]
