"""Indexes for words of names in any order, and for parts of contacts.

They are made while the tables are in use, which takes about a minute for a million customers.
"""

import django.contrib.postgres.fields
import django.contrib.postgres.search
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import Func, Q, Value
from django.db.models.functions import Right

EMAIL_ID, PHONE_ID = 1, 2
WORDS = Func(
    Value(True),
    *("last_name", "first_name", "middle_name"),
    function="customers_name_words",
    output_field=django.contrib.postgres.fields.ArrayField(models.TextField()),
)
NAME_WORDS = Func(
    WORDS, function="array_to_tsvector", output_field=django.contrib.postgres.search.SearchVectorField()
)
DOMAIN = Func("value", Value("@"), Value(2), function="split_part", output_field=models.CharField())


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("customers", "0012_name_words")]

    operations = [
        AddIndexConcurrently("customer", GinIndex(NAME_WORDS, name="customer_name_words", fastupdate=False)),
        AddIndexConcurrently(
            "identifier",
            models.Index(DOMAIN, name="identifier_email_domain", condition=Q(kind=EMAIL_ID)),
        ),
        AddIndexConcurrently(
            "identifier",
            models.Index(Right("value", 4), name="identifier_phone_ending", condition=Q(kind=PHONE_ID)),
        ),
        RemoveIndexConcurrently("customer", "customer_last_first"),
        RemoveIndexConcurrently("customer", "customer_first_last"),
        # An index of expressions is of no use before there are statistics of it.
        migrations.RunSQL("ANALYZE customers_customer, customers_identifier", migrations.RunSQL.noop),
    ]
