"""For commands that need the tables of the database to be there."""

import sys

import fasteners
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from config import embedded
from config.installation import data_dir


def ensure_tables() -> None:
    """Migrate the embedded database, one process at a time. Any other database is migrated by whoever runs
    it: raises ImproperlyConfigured where that was not done, or where the database does not answer.
    """
    try:
        if not is_behind():
            return
        if not embedded.is_embedded():
            raise ImproperlyConfigured("The database lacks tables. First run: python manage.py migrate")
        with fasteners.InterProcessLock(data_dir() / "migrate.lock"):
            if is_behind():
                sys.stderr.write("Preparing the database …\n")
                call_command("migrate", interactive=False, verbosity=0)
    except OperationalError as error:
        raise ImproperlyConfigured(f"The database does not answer: {error}".strip()) from None
    finally:
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]  # of the stubs' base class


def is_behind() -> bool:
    """Whether there are migrations to be applied."""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
