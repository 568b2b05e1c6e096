"""An empty database for each test with real transactions, without Django's flush.

Flush truncates every table, a second or two on a durable server, several hundred times, and takes away what
migrations shipped, such as the roles. Deleting the few rows a test left takes milliseconds. The settings a
project is shipped with come back when they are truncated.
"""

from django.db import connection, transaction

SHIPPED = (
    "django_content_type",
    "django_migrations",
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
)
SETTINGS = "customers_projectsettings"


def empty() -> None:
    """Leave the tables as the migrations made them.

    The append-only tables refuse a delete, so triggers are off for it, which only a superuser may do.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        filled = tables_with_rows()
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table in filled:
            cursor.execute(f'DELETE FROM "{table}"')
        cursor.execute("SET LOCAL session_replication_role = origin")
        cursor.execute(f"TRUNCATE {SETTINGS}")


def tables_with_rows() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
            " AND relnamespace = 'public'::regnamespace AND relname <> ALL(%s) ORDER BY relname",
            [[*SHIPPED, SETTINGS]],
        )
        names = [name for (name,) in cursor.fetchall()]
        cursor.execute(" UNION ALL ".join(f"SELECT '{n}' WHERE EXISTS (SELECT FROM \"{n}\")" for n in names))
        return [name for (name,) in cursor.fetchall()]
