"""Clients at the same time, in a process of their own: HTTP requests over kept connections, or transactions.

Reads a job as JSON from standard input and writes what it measured as JSON to standard output:

    python -m tests.benchmarks.clients < job.json
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

from tests.benchmarks.bare import send

CLIENTS = 8
SUCCESS = (b"HTTP/1.1 200", b"HTTP/1.1 201")
Client = Callable[[Any], None]


class Http:
    """One kept connection. It does just what it must, not to measure itself."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.socket = self.connected()

    def connected(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def __call__(self, request: bytes) -> None:
        self.socket.sendall(request)
        head, _, body = self.received(b"").partition(b"\r\n\r\n")
        if not head.startswith(SUCCESS):
            raise RuntimeError(f"Refused: {head!r} {body!r}")
        fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:])
        missing = int(fields[b"content-length"]) - len(body)
        while missing > 0:
            missing -= len(self.chunk())
        if fields.get(b"connection") == b"close":
            self.socket.close()
            self.socket = self.connected()

    def received(self, data: bytes) -> bytes:
        while b"\r\n\r\n" not in data:
            data += self.chunk()
        return data

    def chunk(self) -> bytes:
        chunk = self.socket.recv(65536)
        if not chunk:
            raise RuntimeError("The server closed the connection")
        return chunk


class Bare:
    """One connection to the database."""

    def __init__(self, is_transaction: bool) -> None:
        self.connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=not is_transaction)

    def __call__(self, messages: list[str]) -> None:
        send(self.connection, messages)


def main() -> None:
    job = json.load(sys.stdin)
    clients = [client_of(job) for _ in range(CLIENTS)]
    work = iter([request.encode() for request in job["work"]] if job["kind"] == "http" else job["work"])
    begin, processor = time.perf_counter(), time.process_time()
    until = begin + job["seconds"]
    with ThreadPoolExecutor(CLIENTS) as pool:
        taken = [t for some in pool.map(lambda client: run(client, work, until), clients) for t in some]
    seconds, processor = time.perf_counter() - begin, time.process_time() - processor
    json.dump({"seconds": seconds, "processor": processor, "milliseconds": taken}, sys.stdout)


def client_of(job: dict[str, Any]) -> Client:
    return Http(job["port"]) if job["kind"] == "http" else Bare(job["is_transaction"])


def run(client: Client, work: Iterator[Any], until: float) -> list[float]:
    """The milliseconds of each piece of work one client did until the end."""
    taken = []
    for piece in work:
        start = time.perf_counter()
        client(piece)
        end = time.perf_counter()
        taken.append((end - start) * 1000)
        if end > until:
            break
    return taken


if __name__ == "__main__":
    main()
