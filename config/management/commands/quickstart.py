"""From nothing to a running Selfsame with a shop to play with, in one command and for one machine."""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
import time
import urllib.request
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import fasteners
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from config import embedded
from config.processes import Processes, Stopped, stoppable
from dedup.demo import story
from dedup.models import Site

HOST = "127.0.0.1"
# Seconds until the web server has to answer.
PATIENCE = 60
# User names and the role of each; the last one may do everything.
STAFF = {
    "viewer": "Viewer",
    "marketer": "Marketer",
    "integrator": "Integrator",
    "privacy": "Privacy officer",
    "admin": None,
}

PRODUCTION = (
    "quickstart is for development: it makes demo data and logins. docs/operating.md tells how to run in "
    "production; for a development machine set SELFSAME_ENV=development."
)
SUMMARY = """
Selfsame is running. Ctrl-C stops all of it.

  Shop    {url}/static/demo/shop.html   (a page with the tracker)
  Admin   {url}/admin/
  API     {url}/api/v1/docs/

  Logins  {logins}

  Key     {key}
          (of the website; every point's key is in {keys})

  Try it: who has Paul's phone?

curl -s {url}/api/v1/customers/lookup/ \\
  -H 'Authorization: Api-Key {key}' \\
  -H 'Content-Type: application/json' \\
  -d '{{"mobile_phone": "{phone}"}}'

  Logs, with the mails and texts to customers, are in {logs}
"""


class Command(BaseCommand):
    help = (
        "Start everything on this machine: database, demo shop, staff users, web server, worker and beat. "
        "Run again, it goes on with what is there."
    )
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="the port of the web server (8000)")

    def handle(self, *, port: int, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError(PRODUCTION)
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
        lock = fasteners.InterProcessLock(settings.DATA_DIR / "quickstart.lock")
        if not lock.acquire(blocking=False):
            raise CommandError(f"quickstart is running already with the data in {settings.DATA_DIR}.")
        processes = Processes(settings.DATA_DIR / "logs")
        try:
            with stoppable():
                self.run(port, processes)
        except Stopped:
            self.stdout.write("Stopping …")
        finally:
            processes.stop()
            connection.close()
            embedded.stop_services()
            lock.release()

    def run(self, port: int, processes: Processes) -> None:
        """Prepare everything, serve, and return only if a signal or a program's end breaks in."""
        refuse_taken(port)
        keys, logins = self.prepare(port)
        self.stdout.write("Starting web server, worker and beat …")
        for name, command in programs(port).items():
            processes.start(name, command, environment(port))
        wait_until_it_answers(port, processes)
        self.stdout.write(summary(port, keys, logins, processes.logs))
        fail(processes, processes.watch())

    def prepare(self, port: int) -> tuple[Path, dict[str, str]]:
        """The database with the demo shop and its staff: where the keys are, and the logins."""
        self.stdout.write("Preparing the database …")
        call_command("migrate", interactive=False, verbosity=0)
        self.stdout.write("Setting up the demo shop …")
        keys = settings.DATA_DIR / "keys.json"
        call_command("configure", str(story.SETUP), keys=str(keys), verbosity=0)
        Site.objects.filter(key=story.SITE_KEY).update(origins=[address(port)])
        if story.play():
            self.stdout.write("Its customers came and went.")
        logins = make_staff(settings.DATA_DIR / "logins.json")
        connection.close()
        return keys, logins


def address(port: int) -> str:
    return f"http://{HOST}:{port}"


def refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            advice = f"Stop what uses it, or take another: quickstart --port {port + 1}"
            raise CommandError(f"Port {port} cannot be used: {error.args[-1]}. {advice}") from None


def make_staff(path: Path) -> dict[str, str]:
    """A user for each role. Passwords are random, and kept for the owner of DATA_DIR to read."""
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    logins = {name: make_user(name, role, kept.get(name)) for name, role in STAFF.items()}
    path.touch(mode=0o600)
    path.write_text(json.dumps(logins, indent=2))
    return logins


def make_user(name: str, role: str | None, password: str | None) -> str:
    """The user's password: the kept one while it works, else a new one."""
    user, _ = User.objects.get_or_create(username=name)
    if password is None or not user.check_password(password):
        password = secrets.token_urlsafe(9)
        user.set_password(password)
    user.is_staff, user.is_active, user.is_superuser = True, True, role is None
    user.save()
    user.groups.set(Group.objects.filter(name=role))
    return password


def programs(port: int) -> dict[str, list[str]]:
    python = [sys.executable, "-m"]
    celery = [*python, "celery", "--app", "config.celery"]
    gunicorn = [*python, "gunicorn", "--config", "python:config.gunicorn", "config.wsgi"]
    return {
        "web": [*gunicorn, "--bind", f"{HOST}:{port}"],
        "worker": [*celery, "worker", "--concurrency", "1", "--loglevel", "WARNING"],
        "beat": [*celery, "beat", "--loglevel", "WARNING"],
    }


def environment(port: int) -> dict[str, str]:
    """What the programs run in: the services as found or started, and links that lead here."""
    here = {"PUBLIC_URL": address(port), "PYTHONUNBUFFERED": "1", "C_FORCE_ROOT": "1"}
    path = os.pathsep.join(filter(None, (str(settings.BASE_DIR), os.environ.get("PYTHONPATH"))))
    return {**here, **os.environ, "PYTHONPATH": path}


def wait_until_it_answers(port: int, processes: Processes) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if name := processes.ended():
            fail(processes, name)
        try:
            with urllib.request.urlopen(f"{address(port)}/readyz/", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise CommandError(f"The web server does not answer. Its log is {processes.log('web')}.")


def fail(processes: Processes, name: str) -> None:
    end = processes.log(name).read_text(errors="replace").strip()[-2000:]
    raise CommandError(f"The {name} process ended by itself. Its log, {processes.log(name)}, ends:\n{end}")


def summary(port: int, keys: Path, logins: dict[str, str], logs: Path) -> str:
    width = max(map(len, logins))
    return SUMMARY.format(
        url=address(port),
        logins="\n          ".join(f"{name:{width}}  {password}" for name, password in logins.items()),
        key=json.loads(keys.read_text())["website"],
        keys=keys,
        phone=story.PAUL_PHONE,
        logs=logs,
    )
