import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
import django.db.models.lookups
from django.conf import settings
from django.db import migrations, models

import customers.models.history


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Customer",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False, verbose_name="MaestraID")),
                (
                    "is_head",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.lookups.Exact(models.F("id"), models.F("profile")),
                        output_field=models.BooleanField(),
                        verbose_name="is primary",
                    ),
                ),
                ("points_at_head", models.BooleanField(db_default=True, default=True, editable=False)),
                ("registered_at", models.DateTimeField(verbose_name="registered")),
                ("last_name", models.CharField(blank=True, null=True, verbose_name="last name")),
                ("first_name", models.CharField(blank=True, null=True, verbose_name="first name")),
                ("middle_name", models.CharField(blank=True, null=True, verbose_name="middle name")),
                ("birth_date", models.DateField(blank=True, null=True, verbose_name="birth date")),
                (
                    "gender",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("male", "Male"),
                            ("female", "Female"),
                            ("other", "Other"),
                            ("unknown", "Unknown"),
                        ],
                        null=True,
                        verbose_name="gender",
                    ),
                ),
                ("time_zone", models.CharField(blank=True, null=True, verbose_name="time zone")),
                (
                    "custom_fields",
                    models.JSONField(blank=True, db_default={}, default=dict, verbose_name="custom fields"),
                ),
                ("opted_out_at", models.DateTimeField(blank=True, null=True, verbose_name="opted out")),
                (
                    "is_identified",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="Holds something other than devices and payment card hashes.",
                        verbose_name="identified",
                    ),
                ),
                ("erased_at", models.DateTimeField(blank=True, null=True, verbose_name="erased")),
                (
                    "profile",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="members",
                        to="customers.customer",
                        verbose_name="profile",
                    ),
                ),
            ],
            options={
                "verbose_name": "customer",
                "verbose_name_plural": "customers",
            },
        ),
        migrations.CreateModel(
            name="SuppressedValue",
            fields=[
                ("digest", models.CharField(primary_key=True, serialize=False, verbose_name="digest")),
                ("at", models.DateTimeField(verbose_name="erased")),
            ],
            options={
                "verbose_name": "suppressed value",
                "verbose_name_plural": "suppression list",
            },
        ),
        migrations.CreateModel(
            name="BlockedValue",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "type",
                    models.CharField(
                        db_default="*",
                        default="*",
                        help_text="The system name of an identifier kind, or * for every kind.",
                        verbose_name="identifier kind",
                    ),
                ),
                (
                    "value",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Compared without case, as typed and as normalised.",
                        verbose_name="value",
                    ),
                ),
                (
                    "pattern",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="A regular expression, instead of a value.",
                        verbose_name="pattern",
                    ),
                ),
            ],
            options={
                "verbose_name": "blocked value",
                "verbose_name_plural": "block list",
                "ordering": ["type", "value", "pattern"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("value", ""), ("pattern", ""), _connector="XOR"),
                        name="blockedvalue_value_or_pattern",
                    ),
                    models.UniqueConstraint(fields=("type", "value", "pattern"), name="blockedvalue_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="CustomField",
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
                    "type",
                    models.CharField(
                        choices=[
                            ("string", "Text"),
                            ("integer", "Whole number"),
                            ("decimal", "Decimal number"),
                            ("boolean", "Yes or no"),
                            ("date", "Date"),
                            ("datetime", "Date and time"),
                            ("list", "List of texts"),
                        ],
                        db_default="string",
                        default="string",
                        verbose_name="type",
                    ),
                ),
                (
                    "merge",
                    models.CharField(
                        choices=[("priority", "Keep the priority customer's"), ("larger", "Keep the larger")],
                        db_default="priority",
                        default="priority",
                        help_text="Only of numbers the larger can be kept.",
                        verbose_name="when customers merge",
                    ),
                ),
            ],
            options={
                "verbose_name": "custom field",
                "verbose_name_plural": "custom fields",
                "ordering": ["system_name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("system_name__regex", "^[a-z][a-z0-9_]{0,62}$")),
                        name="customfield_system_name",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "type__in",
                                ["string", "integer", "decimal", "boolean", "date", "datetime", "list"],
                            )
                        ),
                        name="customfield_type",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("merge", "priority"),
                            models.Q(("merge", "larger"), ("type__in", ("integer", "decimal"))),
                            _connector="OR",
                        ),
                        name="customfield_only_numbers_keep_the_larger",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="IdentifierKind",
            fields=[
                ("id", models.SmallAutoField(primary_key=True, serialize=False)),
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
                    "category",
                    models.CharField(
                        choices=[
                            ("email", "E-mail"),
                            ("mobile_phone", "Mobile phone"),
                            ("discount_card", "Discount card"),
                            ("unique", "Unique identifier"),
                            ("identifier", "Identifier"),
                            ("device", "Device"),
                            ("mobile_device", "Mobile device"),
                        ],
                        help_text="A customer has one current value of a unique identifier and keeps its former ones; of other identifiers it may have several, and they move to the newest customer.",
                        verbose_name="category",
                    ),
                ),
                (
                    "do_not_merge_different",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="Two customers whose current values differ are never merged, and a former value finds nobody.",
                        verbose_name="do not merge customers with different IDs",
                    ),
                ),
                (
                    "is_unique",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.lookups.Exact(
                            models.F("category"), models.Value("unique")
                        ),
                        output_field=models.BooleanField(),
                        verbose_name="is unique",
                    ),
                ),
            ],
            options={
                "verbose_name": "identifier kind",
                "verbose_name_plural": "identifier kinds",
                "ordering": ["id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("system_name__regex", "^[a-z][a-z0-9_]{0,62}$")),
                        name="identifierkind_system_name",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("system_name__in", ("maestra_id", "payment_card_hash")), _negated=True
                        ),
                        name="identifierkind_name_not_reserved",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                (
                                    "category__in",
                                    ["email", "mobile_phone", "discount_card", "device", "mobile_device"],
                                ),
                                ("id__lt", 100),
                            ),
                            models.Q(("category__in", ["unique", "identifier"]), ("id__gte", 100)),
                            _connector="OR",
                        ),
                        name="identifierkind_category",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("do_not_merge_different", False), ("category", "unique"), _connector="OR"
                        ),
                        name="identifierkind_only_unique_ones_forbid_merges",
                    ),
                    models.UniqueConstraint(fields=("id", "is_unique"), name="identifierkind_id_is_unique"),
                ],
            },
        ),
        migrations.CreateModel(
            name="IntegrationPoint",
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
                            ("website", "Website"),
                            ("app", "App"),
                            ("point_of_sale", "Point of sale"),
                            ("call_centre", "Call centre"),
                            ("crm", "CRM"),
                            ("file_import", "File import"),
                            ("admin", "Admin"),
                        ],
                        verbose_name="kind",
                    ),
                ),
                (
                    "is_enabled",
                    models.BooleanField(
                        db_default=True,
                        default=True,
                        help_text="The keys of a disabled point are refused.",
                        verbose_name="enabled",
                    ),
                ),
                (
                    "personal_actions",
                    models.BooleanField(
                        db_default=True,
                        default=True,
                        help_text="The customer does them, as against an import or a back-office edit.",
                        verbose_name="records are personal actions",
                    ),
                ),
                (
                    "lookup_by",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(),
                        blank=True,
                        default=list,
                        help_text="System names of the identifier kinds by which an upsert finds customers, in this order. Empty: MaestraID, unique identifiers, then other identifiers.",
                        size=None,
                        verbose_name="look up by",
                    ),
                ),
                (
                    "email_must_be_confirmed",
                    models.BooleanField(
                        db_default=False, default=False, verbose_name="e-mails must be confirmed"
                    ),
                ),
                (
                    "email_gives_access",
                    models.BooleanField(
                        db_default=False, default=False, verbose_name="e-mails give account access"
                    ),
                ),
                (
                    "mobile_phone_must_be_confirmed",
                    models.BooleanField(
                        db_default=False, default=False, verbose_name="mobile phones must be confirmed"
                    ),
                ),
                (
                    "mobile_phone_gives_access",
                    models.BooleanField(
                        db_default=False, default=False, verbose_name="mobile phones give account access"
                    ),
                ),
                (
                    "discount_card_must_be_confirmed",
                    models.BooleanField(
                        db_default=False, default=False, verbose_name="discount cards must be confirmed"
                    ),
                ),
                (
                    "discount_card_gives_access",
                    models.BooleanField(
                        db_default=False, default=False, verbose_name="discount cards give account access"
                    ),
                ),
                (
                    "default_scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("write", "Write customers, orders and points"),
                                ("read", "Read customers, explain and preview"),
                                ("merge", "Merge and undo"),
                                ("import", "Import files"),
                                ("privacy", "Export, opt out and erase"),
                                ("track", "Send activity"),
                            ]
                        ),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="scopes of new keys",
                    ),
                ),
            ],
            options={
                "verbose_name": "integration point",
                "verbose_name_plural": "integration points",
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("system_name__regex", "^[a-z][a-z0-9_]{0,62}$")),
                        name="integrationpoint_system_name",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "website",
                                    "app",
                                    "point_of_sale",
                                    "call_centre",
                                    "crm",
                                    "file_import",
                                    "admin",
                                ],
                            )
                        ),
                        name="integrationpoint_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("lookup_by__contains", ["payment_card_hash"]), _negated=True),
                        name="integrationpoint_lookup_by",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "default_scopes__contained_by",
                                ["write", "read", "merge", "import", "privacy", "track"],
                            )
                        ),
                        name="integrationpoint_default_scopes",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Identifier",
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
                        db_collation="C", help_text="Normalised; what is compared.", verbose_name="value"
                    ),
                ),
                ("raw", models.CharField(verbose_name="as typed")),
                (
                    "origin_id",
                    models.BigIntegerField(blank=True, null=True, verbose_name="came to MaestraID"),
                ),
                ("since", models.DateTimeField(blank=True, null=True, verbose_name="since")),
                ("is_former", models.BooleanField(db_default=False, default=False, verbose_name="former")),
                ("retired_at", models.DateTimeField(blank=True, null=True, verbose_name="retired")),
                ("is_primary", models.BooleanField(db_default=False, default=False, verbose_name="primary")),
                (
                    "was_primary_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="was primary until"),
                ),
                (
                    "must_be_confirmed",
                    models.BooleanField(db_default=False, default=False, verbose_name="must be confirmed"),
                ),
                ("confirmed_at", models.DateTimeField(blank=True, null=True, verbose_name="confirmed")),
                (
                    "gives_access",
                    models.BooleanField(db_default=False, default=False, verbose_name="gives account access"),
                ),
                (
                    "is_unique_kind",
                    models.BooleanField(
                        db_default=False, default=False, editable=False, verbose_name="of a unique kind"
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        help_text="The primary MaestraID of the holder, or nobody.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="identifiers",
                        to="customers.customer",
                        verbose_name="held by",
                    ),
                ),
                (
                    "kind",
                    models.ForeignKey(
                        db_constraint=False,
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
                "verbose_name": "identifier",
                "verbose_name_plural": "identifiers",
            },
        ),
        migrations.AddField(
            model_name="customer",
            name="point",
            field=models.ForeignKey(
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
        migrations.CreateModel(
            name="Claim",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at_head", models.BooleanField(db_default=True, default=True, editable=False)),
                ("origin_id", models.BigIntegerField(verbose_name="came to MaestraID")),
                (
                    "raw",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Empty: as the identifier.",
                        verbose_name="as typed",
                    ),
                ),
                ("since", models.DateTimeField(verbose_name="since")),
                (
                    "gives_access",
                    models.BooleanField(
                        db_default=False, default=False, verbose_name="would give account access"
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="claims",
                        to="customers.customer",
                        verbose_name="claimed by",
                    ),
                ),
                (
                    "identifier",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="claims",
                        to="customers.identifier",
                        verbose_name="identifier",
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
                "verbose_name": "claim",
                "verbose_name_plural": "claims",
            },
        ),
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(blank=True, db_default="", default="", verbose_name="name")),
                (
                    "prefix",
                    models.CharField(
                        help_text="Enough of the key to tell it from others.", verbose_name="begins with"
                    ),
                ),
                ("digest", models.CharField(editable=False, unique=True, verbose_name="digest")),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("write", "Write customers, orders and points"),
                                ("read", "Read customers, explain and preview"),
                                ("merge", "Merge and undo"),
                                ("import", "Import files"),
                                ("privacy", "Export, opt out and erase"),
                                ("track", "Send activity"),
                            ]
                        ),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="scopes",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created",
                    ),
                ),
                ("revoked_at", models.DateTimeField(blank=True, null=True, verbose_name="revoked")),
                (
                    "last_used_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="last used"),
                ),
                (
                    "point",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="keys",
                        to="customers.integrationpoint",
                        verbose_name="integration point",
                    ),
                ),
            ],
            options={
                "verbose_name": "API key",
                "verbose_name_plural": "API keys",
                "ordering": ["point", "id"],
            },
        ),
        migrations.CreateModel(
            name="Note",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("maestra_id", models.BigIntegerField(verbose_name="MaestraID")),
                ("at", models.DateTimeField(verbose_name="at")),
                ("reason", models.CharField(verbose_name="reason")),
                ("kind", models.CharField(verbose_name="identifier kind")),
                ("value", models.CharField(verbose_name="value")),
                ("related", models.BigIntegerField(blank=True, null=True, verbose_name="other customer")),
                ("decided_by", models.CharField(blank=True, null=True, verbose_name="decided by")),
            ],
            options={
                "verbose_name": "note",
                "verbose_name_plural": "notes",
                "indexes": [
                    models.Index(fields=["maestra_id"], name="note_maestra_id"),
                    models.Index(
                        condition=models.Q(("related__isnull", False)),
                        fields=["related"],
                        name="note_related",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Operation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(verbose_name="kind")),
                (
                    "actor",
                    models.CharField(
                        help_text="key:<beginning of the key>, user:<user name> or system.",
                        verbose_name="who",
                    ),
                ),
                (
                    "at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="at"
                    ),
                ),
                (
                    "xid",
                    customers.models.history.TransactionIdField(
                        db_default=customers.models.history.CurrentTransactionId(),
                        editable=False,
                        verbose_name="transaction",
                    ),
                ),
                (
                    "position",
                    models.BigIntegerField(
                        editable=False,
                        help_text="Place in the feed, without gaps; given once every earlier transaction has ended.",
                        null=True,
                        verbose_name="position",
                    ),
                ),
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
                "verbose_name": "operation",
                "verbose_name_plural": "operations",
            },
        ),
        migrations.CreateModel(
            name="Change",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("maestra_id", models.BigIntegerField(verbose_name="MaestraID")),
                ("at", models.DateTimeField(verbose_name="at")),
                ("data", models.JSONField(db_default=[], default=list, verbose_name="entries")),
                ("erased_at", models.DateTimeField(blank=True, null=True, verbose_name="erased")),
                (
                    "operation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="changes",
                        to="customers.operation",
                        verbose_name="operation",
                    ),
                ),
            ],
            options={
                "verbose_name": "change",
                "verbose_name_plural": "change history",
            },
        ),
        migrations.CreateModel(
            name="Order",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(verbose_name="number")),
                ("maestra_id", models.BigIntegerField(verbose_name="MaestraID")),
                ("total", models.DecimalField(decimal_places=2, max_digits=18, verbose_name="total")),
                (
                    "currency",
                    models.CharField(blank=True, db_default="", default="", verbose_name="currency"),
                ),
                ("placed_at", models.DateTimeField(verbose_name="placed")),
                ("status", models.CharField(blank=True, db_default="", default="", verbose_name="status")),
                ("lines", models.JSONField(blank=True, db_default=[], default=list, verbose_name="lines")),
            ],
            options={
                "verbose_name": "order",
                "verbose_name_plural": "orders",
                "indexes": [
                    models.Index(
                        models.F("maestra_id"),
                        models.OrderBy(models.F("placed_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="order_of_customer",
                    )
                ],
                "constraints": [models.UniqueConstraint(fields=("number",), name="order_number")],
            },
        ),
        migrations.CreateModel(
            name="PaymentCard",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at_head", models.BooleanField(db_default=True, default=True, editable=False)),
                ("hash", models.CharField(db_collation="C", verbose_name="hash")),
                ("origin_id", models.BigIntegerField(verbose_name="came to MaestraID")),
                ("since", models.DateTimeField(verbose_name="since")),
                (
                    "customer",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payment_cards",
                        to="customers.customer",
                        verbose_name="customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "payment card",
                "verbose_name_plural": "payment cards",
            },
        ),
        migrations.CreateModel(
            name="PointsMovement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(blank=True, null=True, verbose_name="number")),
                ("maestra_id", models.BigIntegerField(verbose_name="MaestraID")),
                ("amount", models.DecimalField(decimal_places=2, max_digits=18, verbose_name="amount")),
                ("reason", models.CharField(blank=True, db_default="", default="", verbose_name="reason")),
                ("at", models.DateTimeField(verbose_name="at")),
            ],
            options={
                "verbose_name": "points movement",
                "verbose_name_plural": "points movements",
                "indexes": [
                    models.Index(
                        models.F("maestra_id"),
                        models.OrderBy(models.F("at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="pointsmovement_of_customer",
                    )
                ],
                "constraints": [models.UniqueConstraint(fields=("number",), name="pointsmovement_number")],
            },
        ),
        migrations.CreateModel(
            name="ProjectSettings",
            fields=[
                (
                    "id",
                    models.SmallIntegerField(
                        db_default=1, default=1, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "default_region",
                    models.CharField(
                        db_default="US",
                        default="US",
                        help_text="The country of phone numbers that name none.",
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Z]{2}$", "A country code of two capital letters, such as US."
                            )
                        ],
                        verbose_name="default region",
                    ),
                ),
                (
                    "shared_device_limit",
                    models.SmallIntegerField(
                        db_default=5,
                        default=5,
                        help_text="A device that more identified customers than this have used joins nobody any more.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(1000),
                        ],
                        verbose_name="shared device limit",
                    ),
                ),
                (
                    "suppression_list",
                    models.BooleanField(
                        db_default=True,
                        default=True,
                        help_text="Keep keyed hashes of an erased person's values, so that no file brings the person back.",
                        verbose_name="suppression list",
                    ),
                ),
                ("version", models.BigIntegerField(db_default=0, editable=False, verbose_name="version")),
            ],
            options={
                "verbose_name": "project settings",
                "verbose_name_plural": "project settings",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="projectsettings_one_row"),
                    models.CheckConstraint(
                        condition=models.Q(("default_region__regex", "^[A-Z]{2}$")),
                        name="projectsettings_region",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("shared_device_limit__range", (1, 1000))),
                        name="projectsettings_shared_device_limit",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PromoCode",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(verbose_name="code")),
                ("maestra_id", models.BigIntegerField(verbose_name="MaestraID")),
                ("issued_at", models.DateTimeField(verbose_name="issued")),
            ],
            options={
                "verbose_name": "promo code",
                "verbose_name_plural": "promo codes",
                "indexes": [
                    models.Index(
                        models.F("maestra_id"),
                        models.OrderBy(models.F("issued_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="promocode_of_customer",
                    )
                ],
                "constraints": [models.UniqueConstraint(fields=("code",), name="promocode_code")],
            },
        ),
        migrations.CreateModel(
            name="Relation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("maestra_id", models.BigIntegerField(verbose_name="MaestraID")),
                ("related_id", models.BigIntegerField(verbose_name="related MaestraID")),
                ("kind", models.CharField(verbose_name="identifier kind")),
                ("value", models.CharField(verbose_name="value")),
                ("decided_by", models.CharField(blank=True, null=True, verbose_name="decided by")),
                (
                    "kept",
                    models.BooleanField(
                        help_text="The contact stayed with, or came to, this customer.",
                        verbose_name="holds it",
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
            ],
            options={
                "verbose_name": "related customer",
                "verbose_name_plural": "related customers",
                "indexes": [models.Index(fields=["related_id"], name="relation_related_id")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("maestra_id", "related_id", "kind", "value"),
                        name="relation_contact_and_direction",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("maestra_id", models.F("related_id")), _negated=True),
                        name="relation_of_two",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Subscription",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("email", "E-mail"),
                            ("sms", "SMS"),
                            ("web_push", "Web push"),
                            ("mobile_push", "Mobile push"),
                            ("viber", "Viber"),
                            ("call", "Call"),
                        ],
                        verbose_name="channel",
                    ),
                ),
                ("topic", models.CharField(blank=True, db_default="", default="", verbose_name="topic")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("subscribed", "Subscribed"),
                            ("awaiting_confirmation", "Awaiting confirmation"),
                            ("unsubscribed", "Unsubscribed"),
                        ],
                        verbose_name="status",
                    ),
                ),
                ("since", models.DateTimeField(verbose_name="since")),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="subscriptions",
                        to="customers.customer",
                        verbose_name="customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "subscription",
                "verbose_name_plural": "subscriptions",
            },
        ),
        migrations.CreateModel(
            name="CustomerFacts",
            fields=[
                (
                    "customer",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="facts",
                        serialize=False,
                        to="customers.customer",
                        verbose_name="customer",
                    ),
                ),
                ("orders_count", models.IntegerField(db_default=0, default=0, verbose_name="orders")),
                (
                    "orders_total",
                    models.DecimalField(
                        db_default=0,
                        decimal_places=2,
                        default=0,
                        max_digits=20,
                        verbose_name="total of orders",
                    ),
                ),
                (
                    "points_count",
                    models.IntegerField(db_default=0, default=0, verbose_name="point movements"),
                ),
                (
                    "points_balance",
                    models.DecimalField(
                        db_default=0,
                        decimal_places=2,
                        default=0,
                        max_digits=20,
                        verbose_name="points balance",
                    ),
                ),
                (
                    "promo_codes_count",
                    models.IntegerField(db_default=0, default=0, verbose_name="promo codes"),
                ),
                (
                    "last_action_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="last personal action"),
                ),
            ],
            options={
                "verbose_name": "customer facts",
                "verbose_name_plural": "customer facts",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("orders_count__gte", 0), ("points_count__gte", 0), ("promo_codes_count__gte", 0)
                        ),
                        name="customerfacts_counts",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DeviceUse",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("origin_id", models.BigIntegerField(verbose_name="MaestraID")),
                ("first_at", models.DateTimeField(verbose_name="first")),
                (
                    "identifier",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="uses",
                        to="customers.identifier",
                        verbose_name="device",
                    ),
                ),
            ],
            options={
                "verbose_name": "device use",
                "verbose_name_plural": "device uses",
                "indexes": [models.Index(fields=["origin_id"], name="deviceuse_origin_id")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("identifier", "origin_id"), name="deviceuse_once_per_customer"
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="identifier",
            constraint=models.CheckConstraint(
                condition=models.Q(("at_head", True)), name="identifier_at_head"
            ),
        ),
        migrations.AddConstraint(
            model_name="identifier",
            constraint=models.UniqueConstraint(fields=("kind", "value"), name="identifier_one_row_per_value"),
        ),
        migrations.AddConstraint(
            model_name="identifier",
            constraint=models.CheckConstraint(
                condition=models.Q(("value", ""), _negated=True), name="identifier_value_not_empty"
            ),
        ),
        migrations.AddConstraint(
            model_name="identifier",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("customer__isnull", False), ("origin_id__isnull", False), ("since__isnull", False)
                    ),
                    models.Q(
                        ("confirmed_at__isnull", True),
                        ("customer__isnull", True),
                        ("gives_access", False),
                        ("is_former", False),
                        ("is_primary", False),
                        ("must_be_confirmed", False),
                        ("origin_id__isnull", True),
                        ("was_primary_at__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="identifier_held_or_free",
            ),
        ),
        migrations.AddConstraint(
            model_name="identifier",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("is_former", False), ("retired_at__isnull", True)),
                    models.Q(("is_former", True), ("is_unique_kind", True), ("retired_at__isnull", False)),
                    _connector="OR",
                ),
                name="identifier_only_unique_ones_retire",
            ),
        ),
        migrations.AddConstraint(
            model_name="identifier",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_primary", False), ("kind__in", (1, 2)), _connector="OR"),
                name="identifier_primary",
            ),
        ),
        migrations.AddConstraint(
            model_name="identifier",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("confirmed_at__isnull", True), ("gives_access", False), ("must_be_confirmed", False)
                    ),
                    ("kind__in", (1, 2, 3)),
                    _connector="OR",
                ),
                name="identifier_only_contacts_have_flags",
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                condition=models.Q(("erased_at__isnull", True), ("is_head", True), ("is_identified", True)),
                fields=["id"],
                name="customer_identified",
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                models.OrderBy(models.F("registered_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="customer_registered_at",
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Lower("last_name"), "text_pattern_ops"
                ),
                name="customer_last_name",
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Lower("first_name"), "text_pattern_ops"
                ),
                name="customer_first_name",
            ),
        ),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.UniqueConstraint(fields=("id", "is_head"), name="customer_id_is_head"),
        ),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.CheckConstraint(
                condition=models.Q(("points_at_head", True)), name="customer_points_at_head"
            ),
        ),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.CheckConstraint(
                condition=models.Q(("id__gt", 0)), name="customer_maestra_id_is_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("last_name", ""), _negated=True),
                    models.Q(("first_name", ""), _negated=True),
                    models.Q(("middle_name", ""), _negated=True),
                    models.Q(("gender", ""), _negated=True),
                    models.Q(("time_zone", ""), _negated=True),
                ),
                name="customer_unknown_is_null",
            ),
        ),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.CheckConstraint(
                condition=models.Q(("gender__in", ["male", "female", "other", "unknown"])),
                name="customer_gender",
            ),
        ),
        migrations.AddConstraint(
            model_name="claim",
            constraint=models.CheckConstraint(condition=models.Q(("at_head", True)), name="claim_at_head"),
        ),
        migrations.AddConstraint(
            model_name="claim",
            constraint=models.UniqueConstraint(
                fields=("identifier", "origin_id"), name="claim_once_per_origin"
            ),
        ),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("scopes__contained_by", ["write", "read", "merge", "import", "privacy", "track"])
                ),
                name="apikey_scopes",
            ),
        ),
        migrations.AddIndex(
            model_name="operation",
            index=models.Index(
                condition=models.Q(("position__isnull", True)),
                fields=["xid"],
                name="operation_without_position",
            ),
        ),
        migrations.AddIndex(
            model_name="operation",
            index=models.Index(models.OrderBy(models.F("at"), descending=True), name="operation_at"),
        ),
        migrations.AddConstraint(
            model_name="operation",
            constraint=models.UniqueConstraint(fields=("position",), name="operation_position"),
        ),
        migrations.AddIndex(
            model_name="change",
            index=models.Index(
                models.F("maestra_id"),
                models.OrderBy(models.F("at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="change_of_customer",
            ),
        ),
        migrations.AddConstraint(
            model_name="paymentcard",
            constraint=models.CheckConstraint(
                condition=models.Q(("at_head", True)), name="paymentcard_at_head"
            ),
        ),
        migrations.AddConstraint(
            model_name="paymentcard",
            constraint=models.UniqueConstraint(
                fields=("hash", "origin_id"), name="paymentcard_once_per_origin"
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.UniqueConstraint(
                fields=("customer", "channel", "topic"), name="subscription_key"
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("channel__in", ["email", "sms", "web_push", "mobile_push", "viber", "call"])
                ),
                name="subscription_channel",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["subscribed", "awaiting_confirmation", "unsubscribed"])),
                name="subscription_status",
            ),
        ),
        # Partitioned, which Django cannot say: 0003 makes the table.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="Activity",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("uuid", models.UUIDField(verbose_name="UUID")),
                        ("maestra_id", models.BigIntegerField(verbose_name="MaestraID")),
                        ("kind", models.CharField(verbose_name="kind")),
                        ("occurred_at", models.DateTimeField(verbose_name="occurred")),
                        (
                            "device_id",
                            models.BigIntegerField(
                                blank=True,
                                help_text="ID of the identifier.",
                                null=True,
                                verbose_name="device",
                            ),
                        ),
                        ("url", models.CharField(blank=True, db_default="", default="", verbose_name="URL")),
                        (
                            "title",
                            models.CharField(blank=True, db_default="", default="", verbose_name="title"),
                        ),
                        (
                            "properties",
                            models.JSONField(
                                blank=True, db_default={}, default=dict, verbose_name="properties"
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "activity",
                        "verbose_name_plural": "activities",
                        "indexes": [
                            models.Index(
                                models.F("maestra_id"),
                                models.OrderBy(models.F("occurred_at"), descending=True),
                                models.OrderBy(models.F("id"), descending=True),
                                name="activity_of_customer",
                            )
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("uuid", "occurred_at"), name="activity_exactly_once"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("kind", ""), _negated=True), name="activity_kind"
                            ),
                        ],
                    },
                ),
            ],
        ),
    ]
