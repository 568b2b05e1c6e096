import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("customers", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="ApartPair",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("low_id", models.BigIntegerField(verbose_name="lower MaestraID")),
                ("high_id", models.BigIntegerField(verbose_name="higher MaestraID")),
                ("why", models.CharField(blank=True, db_default="", default="", verbose_name="why")),
                (
                    "at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="at"
                    ),
                ),
                ("lifted_at", models.DateTimeField(blank=True, null=True, verbose_name="lifted")),
            ],
            options={
                "verbose_name": "pair held apart",
                "verbose_name_plural": "pairs held apart",
                "indexes": [
                    models.Index(
                        condition=models.Q(("lifted_at__isnull", True)),
                        fields=["high_id"],
                        name="apartpair_high",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("low_id__lt", models.F("high_id"))), name="apartpair_order"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("lifted_at__isnull", True)),
                        fields=("low_id", "high_id"),
                        name="apartpair_active",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("scope", models.CharField(help_text="The API key, by its ID.", verbose_name="whose key")),
                ("key", models.CharField(verbose_name="key")),
                ("body_hash", models.CharField(verbose_name="hash of path and body")),
                ("status", models.SmallIntegerField(blank=True, null=True, verbose_name="HTTP status")),
                ("response", models.JSONField(blank=True, null=True, verbose_name="answer")),
                (
                    "maestra_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        db_default=[],
                        default=list,
                        size=None,
                        verbose_name="customers shown",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="created"
                    ),
                ),
            ],
            options={
                "verbose_name": "idempotency key",
                "verbose_name_plural": "idempotency keys",
                "indexes": [
                    models.Index(fields=["created_at"], name="idempotencykey_created_at"),
                    django.contrib.postgres.indexes.GinIndex(
                        fastupdate=True, fields=["maestra_ids"], name="idempotencykey_maestra_ids"
                    ),
                ],
                "constraints": [models.UniqueConstraint(fields=("scope", "key"), name="idempotencykey_once")],
            },
        ),
        migrations.CreateModel(
            name="ReviewPair",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("low_id", models.BigIntegerField(verbose_name="lower MaestraID")),
                ("high_id", models.BigIntegerField(verbose_name="higher MaestraID")),
                ("shared", models.JSONField(db_default=[], default=list, verbose_name="shared values")),
                ("vetoes", models.JSONField(db_default=[], default=list, verbose_name="why they stay apart")),
                (
                    "at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="last met"
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "To be reviewed"), ("seen", "Reviewed")],
                        db_default="open",
                        default="open",
                        verbose_name="status",
                    ),
                ),
            ],
            options={
                "verbose_name": "pair to review",
                "verbose_name_plural": "pairs to review",
                "indexes": [
                    models.Index(fields=["high_id"], name="reviewpair_high"),
                    models.Index(
                        models.OrderBy(models.F("at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("status", "open")),
                        name="reviewpair_open",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("low_id__lt", models.F("high_id"))), name="reviewpair_order"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["open", "seen"])), name="reviewpair_status"
                    ),
                    models.UniqueConstraint(fields=("low_id", "high_id"), name="reviewpair_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Confirmation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("maestra_id", models.BigIntegerField(verbose_name="MaestraID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("link", "Link by e-mail"), ("code", "Code by SMS")], verbose_name="kind"
                    ),
                ),
                ("digest", models.CharField(blank=True, null=True, verbose_name="digest")),
                (
                    "asked_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="asked for"
                    ),
                ),
                ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="sent")),
                ("expires_at", models.DateTimeField(blank=True, null=True, verbose_name="expires")),
                ("tries", models.SmallIntegerField(db_default=0, default=0, verbose_name="wrong tries")),
                ("used_at", models.DateTimeField(blank=True, null=True, verbose_name="used")),
                (
                    "identifier",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="confirmations",
                        to="customers.identifier",
                        verbose_name="contact",
                    ),
                ),
            ],
            options={
                "verbose_name": "confirmation",
                "verbose_name_plural": "confirmations",
                "indexes": [
                    models.Index(fields=["identifier", "maestra_id"], name="confirmation_of_contact"),
                    models.Index(
                        condition=models.Q(("sent_at__isnull", True)),
                        fields=["id"],
                        name="confirmation_to_send",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["link", "code"])), name="confirmation_kind"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "link")), fields=("digest",), name="confirmation_link"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Merge",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("survivor_id", models.BigIntegerField(verbose_name="resulting customer")),
                ("absorbed_id", models.BigIntegerField(verbose_name="merged customer")),
                (
                    "absorbed_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None, verbose_name="merged MaestraIDs"
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("matched_exactly", "A contact or ID matched"),
                            ("same_device", "The same device"),
                            ("payment_card", "The same payment card"),
                            ("api", "Asked for by API"),
                            ("admin", "By hand"),
                            ("both_confirmed", "Both confirmed the same contact"),
                        ],
                        verbose_name="reason",
                    ),
                ),
                ("criterion", models.CharField(blank=True, null=True, verbose_name="deciding criterion")),
                (
                    "priority_id",
                    models.BigIntegerField(blank=True, null=True, verbose_name="customer with priority"),
                ),
                (
                    "matched",
                    models.JSONField(db_default=[], default=list, verbose_name="values that matched"),
                ),
                ("before_survivor", models.JSONField(verbose_name="resulting customer before")),
                ("before_absorbed", models.JSONField(verbose_name="merged customer before")),
                ("result", models.JSONField(verbose_name="result")),
                (
                    "at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="at"
                    ),
                ),
                ("undone_at", models.DateTimeField(blank=True, null=True, verbose_name="undone")),
                (
                    "operation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="merges",
                        to="customers.operation",
                        verbose_name="operation",
                    ),
                ),
                (
                    "undone_by_operation",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="undone_merges",
                        to="customers.operation",
                        verbose_name="undone by operation",
                    ),
                ),
            ],
            options={
                "verbose_name": "merge",
                "verbose_name_plural": "merge journal",
                "indexes": [
                    models.Index(fields=["survivor_id", "id"], name="merge_survivor"),
                    django.contrib.postgres.indexes.GinIndex(fields=["absorbed_ids"], name="merge_absorbed"),
                    models.Index(models.OrderBy(models.F("at"), descending=True), name="merge_at"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("survivor_id", models.F("absorbed_id")), _negated=True),
                        name="merge_of_two",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "reason__in",
                                [
                                    "matched_exactly",
                                    "same_device",
                                    "payment_card",
                                    "api",
                                    "admin",
                                    "both_confirmed",
                                ],
                            )
                        ),
                        name="merge_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("undone_at__isnull", True), ("undone_by_operation__isnull", True)),
                            models.Q(("undone_at__isnull", False), ("undone_by_operation__isnull", False)),
                            _connector="OR",
                        ),
                        name="merge_undone_by_an_operation",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("undone_at__isnull", True)),
                        fields=("absorbed_id",),
                        name="merge_absorbed_once",
                    ),
                ],
            },
        ),
    ]
