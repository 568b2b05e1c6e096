"""No key without a scope. Those there are could do nothing; they are revoked, so that nobody wonders."""

from django.db import migrations, models
from django.db.models import Q

import customers.models.setup


class Migration(migrations.Migration):
    dependencies = [("customers", "0014_topics")]

    operations = [
        migrations.RunSQL(
            "UPDATE customers_apikey SET revoked_at = now() WHERE scopes = '{}' AND revoked_at IS NULL",
            migrations.RunSQL.noop,
        ),
        migrations.AddConstraint(
            "apikey",
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=False) | ~Q(scopes=[]), name="apikey_may_do_something"
            ),
        ),
        migrations.AlterField(
            "projectsettings",
            "default_region",
            models.CharField(
                db_default="US",
                default="US",
                help_text="The country of phone numbers without a country code.",
                validators=[customers.models.setup.is_region],
                verbose_name="default country",
            ),
        ),
    ]
