import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("segments", "0002_guarantees"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="segment",
            name="condition",
            field=models.JSONField(blank=True, null=True, verbose_name="condition"),
        ),
        migrations.CreateModel(
            name="Recalculation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ],
                        db_default="waiting",
                        default="waiting",
                        verbose_name="state",
                    ),
                ),
                ("actor", models.CharField(help_text="user:<user name> or system.", verbose_name="who")),
                (
                    "requested_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="asked for"
                    ),
                ),
                ("started_at", models.DateTimeField(blank=True, null=True, verbose_name="started")),
                ("finished_at", models.DateTimeField(blank=True, null=True, verbose_name="finished")),
                (
                    "due",
                    models.BigIntegerField(
                        blank=True,
                        help_text="Customers whose segment is not as it should be.",
                        null=True,
                        verbose_name="to change",
                    ),
                ),
                ("processed", models.BigIntegerField(db_default=0, default=0, verbose_name="changed so far")),
                ("entered", models.BigIntegerField(db_default=0, default=0, verbose_name="entered")),
                ("left", models.BigIntegerField(db_default=0, default=0, verbose_name="left")),
                (
                    "warnings",
                    models.JSONField(
                        blank=True,
                        db_default=[],
                        default=list,
                        help_text="Conditions that refer to something deleted.",
                        verbose_name="warnings",
                    ),
                ),
                ("error", models.CharField(blank=True, db_default="", default="", verbose_name="error")),
                (
                    "actor_user",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                (
                    "segmentation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="recalculations",
                        to="segments.segmentation",
                        verbose_name="segmentation",
                    ),
                ),
            ],
            options={
                "verbose_name": "recalculation",
                "verbose_name_plural": "recalculations",
                "indexes": [
                    models.Index(
                        models.F("segmentation"),
                        models.OrderBy(models.F("id"), descending=True),
                        name="recalculation_latest",
                    ),
                    models.Index(
                        condition=models.Q(("state__in", ("waiting", "running"))),
                        fields=["state"],
                        name="recalculation_unfinished",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["waiting", "running", "done", "failed"])),
                        name="recalculation_state",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "waiting")),
                        fields=("segmentation",),
                        name="recalculation_one_waiting",
                    ),
                ],
            },
        ),
    ]
