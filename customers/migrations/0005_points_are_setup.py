"""Points and keys belong to the set-up too: a write to them gives it another version, but for the note that a key was
used.
"""

from django.db import migrations

POINT = "AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE"
KEY = "AFTER INSERT OR UPDATE OF point_id, prefix, digest, scopes, revoked_at OR DELETE OR TRUNCATE"


def noticed(model: str, when: str) -> migrations.RunSQL:
    name, table = f"{model}_setup_changed", f"customers_{model}"
    return migrations.RunSQL(
        [
            f"CREATE TRIGGER {name} {when} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION customers_setup_changed()"
        ],
        [f"DROP TRIGGER {name} ON {table}"],
    )


class Migration(migrations.Migration):
    dependencies = [("customers", "0004_staff_pages")]

    operations = [noticed("integrationpoint", POINT), noticed("apikey", KEY)]
