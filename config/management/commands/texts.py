"""The catalogue of the texts that people read, for translators, kept in step with the code."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from ast import literal_eval
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

FOLDERS = ("config", "customers", "dedup", "segments", "templates")
LOCALES = Path("config", "locale")
# The language of the sources, whose catalogue is the template of all others.
SOURCE = LOCALES / "en" / "LC_MESSAGES" / "django.po"
# Names of files without lines, which would change with every edit.
MAKE = ("makemessages", "--all", "--add-location", "file", "--no-obsolete", "--no-wrap", "--verbosity", "0")
# Changes each time.
DATE = re.compile(r'^"POT-Creation-Date: .*\n', re.MULTILINE)
KEY = re.compile(r'^(msgctxt|msgid|msgid_plural) ((?:".*"\n?)+)', re.MULTILINE)


class Command(BaseCommand):
    help = (
        "Bring the catalogue for translators, config/locale, up to date with the texts in code and "
        "templates; with --check, only say which are new or gone. Needs GNU gettext."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing; fail where it is stale")

    def handle(self, *, check: bool, **options: Any) -> None:
        before = texts(settings.BASE_DIR)
        with tempfile.TemporaryDirectory() as folder:
            gather(Path(folder))
            after = texts(Path(folder))
            if not check:
                shutil.copytree(Path(folder) / LOCALES, settings.BASE_DIR / LOCALES, dirs_exist_ok=True)
        self.compare(before, after)
        if check and after != before:
            raise CommandError("The catalogue is not up to date. Run: python manage.py texts")

    def compare(self, before: set[str], after: set[str]) -> None:
        for text in sorted(after - before):
            self.stdout.write(f"new: {text}")
        for text in sorted(before - after):
            self.stdout.write(f"gone: {text}")
        self.stdout.write(f"There are {len(after)} texts.")


def gather(folder: Path) -> None:
    """Make a copy of the code in a folder, with its catalogues brought up to date."""
    leave = shutil.ignore_patterns("__pycache__", "static")
    for name in FOLDERS:
        shutil.copytree(settings.BASE_DIR / name, folder / name, ignore=leave)
    shutil.copy(settings.BASE_DIR / "manage.py", folder)
    done = subprocess.run(
        [sys.executable, "manage.py", *MAKE], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CommandError(done.stderr.strip())
    for catalogue in (folder / LOCALES).glob("*/LC_MESSAGES/*.po"):
        catalogue.write_text(DATE.sub("", catalogue.read_text()))


def texts(root: Path) -> set[str]:
    """What the catalogue of the sources holds, each text with its context and its plural."""
    entries = (root / SOURCE).read_text().split("\n\n")
    return set(filter(None, map(text, entries)))


def text(entry: str) -> str:
    parts = (literal_eval(f"({quoted.strip()})") for _keyword, quoted in KEY.findall(entry))
    return " | ".join(filter(None, parts))
