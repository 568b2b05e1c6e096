"""The web server as it is deployed: its processes are replaced, and lose no count."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from urllib.error import HTTPError

import pytest
from django.conf import settings

from config import gunicorn

TOKEN = "s3cret-token_of-a-link"


def test_a_new_process_gets_the_lowest_free_number():
    living = [SimpleNamespace(number=number) for number in (0, 1, 3)]
    server, worker = SimpleNamespace(WORKERS=dict(enumerate(living))), SimpleNamespace()
    gunicorn.pre_fork(server, worker)
    assert worker.number == 2


@contextmanager
def serving(port: int, folder: Path) -> Iterator[None]:
    options = ["--bind", f"127.0.0.1:{port}", "--max-requests", "5", "--max-requests-jitter", "0"]
    config = ["--config", "python:config.gunicorn", "config.wsgi"]
    given = {**os.environ, "PYTHONPATH": str(settings.BASE_DIR), "TMPDIR": str(folder)}
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *config, *options],
            cwd=folder,
            env=given,
            stdout=log,
            stderr=log,
        )
    try:
        yield
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


def get(port: int, path: str) -> str:
    """What the server answers, once it is there. One request waits while both processes make way at once."""
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
                return str(answer.read().decode())
        except HTTPError:
            raise
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def counted(metrics: str) -> float:
    """How many requests were answered."""
    lines = [line for line in metrics.splitlines() if line.startswith("django_http_requests_before_")]
    return float(lines[-1].split()[-1])


@pytest.mark.slow
def test_replaced_processes_go_on_counting_where_others_ended(tmp_path: Path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with serving(port, tmp_path):
        for _ in range(20):
            get(port, "/static/selfsame/icon.svg?who=ann@example.com")
        for path in (f"/r/{TOKEN}/", f"/confirm/{TOKEN}/"):
            with suppress(HTTPError):
                get(port, path)
        metrics = get(port, "/metrics")
        (folder,) = tmp_path.glob("selfsame-metrics-*")
        assert {file.stem[-2:] for file in folder.iterdir()} <= {"_0", "_1"}
    log = (tmp_path / "log").read_text()
    assert log.count("Booting worker") > 2
    assert "ann@example.com" not in log
    assert "GET /r/[token]/ 404" in log
    assert "GET /confirm/[token]/ 200" in log
    assert TOKEN not in log
    assert counted(metrics) == 22
    assert not folder.exists()
