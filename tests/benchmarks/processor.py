"""Processor time of other processes, where Linux tells it (`/proc`)."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from django.db import connection

TICKS = os.sysconf("SC_CLK_TCK")
PARENT, USER, SYSTEM = 1, 11, 12
"""Places in `/proc/<pid>/stat`, counted after the name."""


def spent(master: int) -> dict[str, float]:
    """Seconds that gunicorn's workers and the backends of this database have taken so far."""
    return {"gunicorn": seconds(children(master)), "PostgreSQL": seconds(backends())}


def seconds(pids: Iterable[int]) -> float:
    found = (stat(pid) for pid in pids)
    return sum(int(fields[USER]) + int(fields[SYSTEM]) for fields in found if fields) / TICKS


def stat(pid: int) -> list[str]:
    """Empty for a process that is not, or is not on this machine."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def children(master: int) -> list[int]:
    pids = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
    return [pid for pid in pids if (fields := stat(pid)) and int(fields[PARENT]) == master]


def backends() -> list[int]:
    """Of the database of the run, but for the one that asks."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        pids = [pid for (pid,) in cursor.fetchall()]
    return [pid for pid in pids if is_postgres(pid)]


def is_postgres(pid: int) -> bool:
    """The server may be on another machine, where the number is another process's."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().startswith("postgres")
    except OSError:
        return False
