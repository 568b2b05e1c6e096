"""The pytest plugin that gives the tests their services before the settings load.

Servers named in the environment are used as they are. Otherwise the controller of a run owns a PostgreSQL and
a Redis in a scratch DATA_DIR of its own, which its workers inherit; it stops them and removes the directory.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from config import embedded

PREFIX = "selfsame-tests-"


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    """A wrapper, so that it comes before pytest-django reads the settings."""
    os.environ.setdefault("SELFSAME_ENV", "development")
    # pytest-django drops the test database, which a pool's idle connections would prevent.
    os.environ["DATABASE_POOL_SIZE"] = "0"
    if is_controller():
        sweep()
        scratch = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        scratch.chmod(0o711)
        os.environ["DATA_DIR"] = str(scratch / "data")
        early_config.add_cleanup(partial(clean_up, scratch))
        embedded.ensure_services(durable=False)
    return (yield)


def clean_up(scratch: Path) -> None:
    home = embedded.Home(scratch / "data")
    for service in (embedded.Postgres(home), embedded.Redis(home)):
        service.stop()
    for folder in (home.folder, scratch):
        shutil.rmtree(folder, ignore_errors=True)


def sweep() -> None:
    """Clean up after runs that were killed and could not do it."""
    for scratch in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(FileNotFoundError):
            controller = int(scratch.name.removeprefix(PREFIX).split("-")[0])
            if scratch.stat().st_uid == os.geteuid() and not psutil.pid_exists(controller):
                clean_up(scratch)


def is_controller() -> bool:
    return "PYTEST_XDIST_WORKER" not in os.environ
