#!/usr/bin/env python
"""Selfsame's command line. Where no servers are named, it starts private ones (config/embedded.py)."""

import os
import sys

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from config.database import ensure_tables
from config.embedded import ensure_services

# Commands that touch no database: they neither need the services nor should leave any running.
WITHOUT_SERVICES = {
    "check",
    "collectstatic",
    "compilemessages",
    "diffsettings",
    "findstatic",
    "help",
    "makemessages",
    "makemigrations",
    "spectacular",
    "startapp",
    "texts",
    "version",
}


# Commands that a fresh clone may begin with: they find the tables made.
WITH_TABLES = {"changepassword", "check_integrity", "configure", "createsuperuser", "runserver"}


def needs_services(arguments: list[str]) -> bool:
    """Whether a command line talks to the database or the broker."""
    if not arguments or arguments[0].startswith("-") or {"--help", "-h", "--version"} & set(arguments):
        return False
    return arguments[0] not in WITHOUT_SERVICES or "--database" in arguments


def needs_tables(arguments: list[str]) -> bool:
    return needs_services(arguments) and arguments[0] in WITH_TABLES


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        if needs_services(sys.argv[1:]):
            ensure_services()
        if needs_tables(sys.argv[1:]):
            django.setup()
            ensure_tables()
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()
