"""Settings of gunicorn: `gunicorn --config python:config.gunicorn config.wsgi`. Its options override them."""

import os
import shutil
import tempfile
from contextlib import suppress
from ctypes import CDLL
from itertools import count
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger as GunicornLogger  # type: ignore[import-untyped]

from config.logs import without_token

bind = "0.0.0.0:8000"
workers = 2
threads = 4

# After so many requests another process takes its place, so that lost memory does not add up. The jitter
# keeps the processes from ending at the same time.
max_requests = 20_000
max_requests_jitter = 2_000

# It is stopped by a signal and started anew, so it needs no control socket.
control_socket_disable = True

accesslog = "-"


class Logger(GunicornLogger):  # type: ignore[misc]  # it is Any
    """Logs paths without the tokens that are in some."""

    def atoms(self, *given: Any) -> dict[str, Any]:
        atoms: dict[str, Any] = super().atoms(*given)
        return atoms | {"U": without_token(str(atoms["U"] or ""))}


logger_class = Logger
# Paths without their queries, which may be searches for a person.
access_log_format = "%(h)s %(m)s %(U)s %(s)s %(B)s bytes %(D)s us %({x-request-id}o)s"

# Processes show that they are alive by touching a file, which must not wait for a slow disk.
if Path("/dev/shm").is_dir():
    worker_tmp_dir = "/dev/shm"

# The folder in which every process counts in files of its own; /metrics adds them up.
METRICS = "PROMETHEUS_MULTIPROC_DIR"


M_MMAP_THRESHOLD = -3
LARGE = 256 * 1024
"""Bytes."""


def on_starting(_server: Any) -> None:
    """The counts of a server begin at zero."""
    os.environ[METRICS] = tempfile.mkdtemp(prefix="selfsame-metrics-")


def pre_fork(server: Any, worker: Any) -> None:
    """Give a new process the lowest number that no living one has."""
    taken = {other.number for other in server.WORKERS.values()}
    worker.number = next(number for number in count() if number not in taken)


def post_fork(_server: Any, worker: Any) -> None:
    count_by_number(worker)
    give_memory_back()


def give_memory_back() -> None:
    """Have glibc map large blocks by themselves, so that they return to the system when they are freed. By
    default it raises its threshold with the first large body, and from then on keeps such blocks in the heap
    of each thread.
    """
    with suppress(OSError, AttributeError):  # another C library, which does not have this
        CDLL("libc.so.6").mallopt(M_MMAP_THRESHOLD, LARGE)


def count_by_number(worker: Any) -> None:
    """Name the files of metrics by that number: by process ID there would be more and more of them."""
    from prometheus_client import values  # noqa: PLC0415 - it looks for the folder when it is imported

    values.ValueClass = values.MultiProcessValue(lambda: worker.number)  # type: ignore[no-untyped-call]


def on_exit(_server: Any) -> None:
    shutil.rmtree(os.environ[METRICS], ignore_errors=True)
