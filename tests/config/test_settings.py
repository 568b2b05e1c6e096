import os
import subprocess
import sys
from pathlib import Path

import pytest

from config import installation
from config.settings import BASE_DIR, REQUIRED_IN_PRODUCTION, faults

KEY = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bD1fH3jL5nP7rT9vX1zC3eG5"
SAFE = {
    "SECRET_KEY": KEY,
    "SELFSAME_HASH_KEY": KEY[::-1],
    "ALLOWED_HOSTS": "id.example.com",
    "DATABASE_URL": "postgres://selfsame:secret@database/selfsame",
    "REDIS_URL": "redis://redis:6379/0",
    "EMAIL_URL": "smtp+tls://user:secret@mail:587",
}


def manage(*arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "DATA_DIR") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE_DIR,
        env=inherited | env,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("DEBUG", "SELFSAME_SMS_SENDER", *SAFE):
        monkeypatch.delenv(name, raising=False)
    for name, value in SAFE.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_a_safe_production_has_no_faults(environ: pytest.MonkeyPatch):
    assert faults() == []


@pytest.mark.parametrize("name", sorted(REQUIRED_IN_PRODUCTION))
def test_production_wants_everything_said_that_is_unsafe_to_guess(environ: pytest.MonkeyPatch, name: str):
    environ.delenv(name)
    assert faults() == [f"set {name}: {REQUIRED_IN_PRODUCTION[name]}"]


@pytest.mark.parametrize("key", ["short", "a" * 60, "django-insecure-" + KEY])
def test_production_refuses_keys_that_can_be_guessed(environ: pytest.MonkeyPatch, key: str):
    environ.setenv("SECRET_KEY", key)
    assert faults() == [f"set SECRET_KEY: {REQUIRED_IN_PRODUCTION['SECRET_KEY']}"]


PRINTED = "dedup.confirmation.sms.print_to_console"


@pytest.mark.parametrize(
    ("name", "value"), [("DEBUG", "true"), ("ALLOWED_HOSTS", "*"), ("SELFSAME_SMS_SENDER", PRINTED)]
)
def test_production_refuses_debug_any_host_and_printed_codes(
    environ: pytest.MonkeyPatch, name: str, value: str
):
    environ.setenv(name, value)
    (fault,) = faults()
    assert name in fault


def test_an_unsafe_production_does_not_start_and_says_why():
    done = manage("migrate", env={"DATABASE_URL": SAFE["DATABASE_URL"]})
    assert done.returncode == 1
    assert "set SECRET_KEY" in done.stderr
    assert "SELFSAME_ENV=development" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_deployment_check_of_a_safe_production_finds_nothing():
    done = manage("check", "--deploy", "--fail-level", "DEBUG", env=SAFE)
    assert (done.returncode, done.stdout) == (0, "System check identified no issues (0 silenced).\n"), (
        done.stderr
    )


@pytest.mark.parametrize(
    ("variables", "environment"),
    [
        ({}, "development"),
        ({"DATABASE_URL": "postgres://db.example.com/selfsame"}, "production"),
        ({"REDIS_URL": "redis://cache:6379/0"}, "production"),
        (
            {"DATABASE_URL": "postgres://me@127.0.0.1:5432/selfsame", "REDIS_URL": "redis://localhost"},
            "development",
        ),
        ({"DATABASE_URL": "postgres://db/selfsame", "SELFSAME_ENV": "development"}, "development"),
        ({"SELFSAME_ENV": "production"}, "production"),
    ],
)
def test_naming_a_server_elsewhere_means_production(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], environment: str
):
    for name in ("SELFSAME_ENV", "DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert installation.environment() == environment


def test_data_dir_stands_in_the_checkout_unless_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATA_DIR", "elsewhere")
    assert installation.data_dir() == Path.cwd() / "elsewhere"
    monkeypatch.delenv("DATA_DIR")
    assert installation.data_dir() == BASE_DIR / ".data"
