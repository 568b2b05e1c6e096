"""The models load nothing that reads files: every process has them, and only workers read files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
LOADED = """
import sys
import config.settings
from django.apps import AppConfig, apps
before = set(sys.modules)
for entry in config.settings.INSTALLED_APPS:
    app = AppConfig.create(entry)
    app.apps = apps
    apps.app_configs[app.label] = app
apps.apps_ready = True
import dedup.models
print(*(set(sys.modules) - before))
"""
READERS = ("csv", "zipfile", "xml.parsers.expat", "customers.presentation.csv")


def test_the_models_load_no_reader_of_files():
    command = [sys.executable, "-c", LOADED]
    environment = {"DJANGO_SETTINGS_MODULE": "config.settings"}
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=ROOT, env={**os.environ, **environment}
    )
    loaded = done.stdout.split()
    assert "dedup.models.imports" in loaded
    ours = [name for name in loaded if name.startswith(("dedup.imports", "dedup.parsing"))]
    assert [*ours, *(name for name in READERS if name in loaded)] == []
