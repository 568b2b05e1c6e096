"""Running several programs as one: when one of them ends, or a signal comes, all of them end."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

# Seconds that a program has to finish its work.
GRACE = 15
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):  # noqa: N818 - it is no error
    """A signal asked for the end."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Within it, Ctrl-C, a terminal that closes and a plain `kill` raise `Stopped`."""

    def stop(number: int, _frame: FrameType | None) -> None:
        # Further signals must not interrupt the stopping.
        for one in STOPPING:
            signal.signal(one, signal.SIG_IGN)
        raise Stopped(signal.Signals(number).name)

    before = {one: signal.signal(one, stop) for one in STOPPING}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


class Processes:
    """Programs by name, each with its output in a log file of that name."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: list[str], environment: Mapping[str, str]) -> None:
        """In a session of its own, so that a Ctrl-C reaches it through `stop` alone."""
        self.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.log(name).open("wb") as log:
            self.running[name] = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def ended(self) -> str | None:
        """The name of a program that is no longer running."""
        return next((name for name, process in self.running.items() if process.poll() is not None), None)

    def watch(self) -> str:
        """Wait until one of them ends, and give back its name."""
        while (name := self.ended()) is None:
            time.sleep(0.5)
        return name

    def stop(self) -> None:
        """Ask all of them to end, and end those that do not."""
        for process in self.running.values():
            process.terminate()
        deadline = time.monotonic() + GRACE
        for process in self.running.values():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
