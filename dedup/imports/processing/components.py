"""Cutting rows into chunks that cannot collide: rows that share a number are in one chunk, directly or by way
of others.

Pure, and bounded in memory: a few bytes a row, and of the numbers only what a bucket holds. Numbers are put
into buckets on disk by their value, so that a number's rows are together in one of them.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

BUCKETS = 128
IN_MEMORY = 16_384
"""Numbers of a bucket that are held before they are written to its file."""


class Components:
    """Which rows hang together. Rows are counted from 0, in the order of the file."""

    def __init__(self, folder: Path) -> None:
        self.parents = array("i")
        self.buckets = [_Bucket(folder / f"{number}.keys") for number in range(BUCKETS)]

    def add(self, numbers: Iterable[int]) -> None:
        """The next row, with the numbers it shares or not."""
        row = len(self.parents)
        self.parents.append(row)
        for number in numbers:
            self.buckets[number % BUCKETS].add(number, row)

    def joined(self) -> array[int]:
        """For each row the first row of its component."""
        for bucket in self.buckets:
            last: dict[int, int] = {}
            for number, row in bucket.entries():
                before = last.get(number)
                if before is not None:
                    self._union(before, row)
                last[number] = row
            bucket.drop()
        for row in range(len(self.parents)):
            self.parents[row] = self.parents[self.parents[row]]
        return self.parents

    def _union(self, one: int, other: int) -> None:
        """The lower row leads, so that a row's leader comes before it."""
        one, other = self._leader(one), self._leader(other)
        if one != other:
            self.parents[max(one, other)] = min(one, other)

    def _leader(self, row: int) -> int:
        parents = self.parents
        while (parent := parents[row]) != row:
            parents[row] = parents[parent]
            row = parent
        return row


class _Bucket:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.numbers, self.rows = array("q"), array("i")

    def add(self, number: int, row: int) -> None:
        self.numbers.append(number)
        self.rows.append(row)
        if len(self.rows) >= IN_MEMORY:
            self._write()

    def _write(self) -> None:
        with self.path.open("ab") as file:
            self.numbers.tofile(file)
            self.rows.tofile(file)
        self.numbers, self.rows = array("q"), array("i")

    def entries(self) -> Iterator[tuple[int, int]]:
        """Numbers with their rows, in the order of the rows."""
        if self.path.exists():
            with self.path.open("rb") as file:
                while (numbers := _read(file, "q")) and (rows := _read(file, "i")):
                    yield from zip(numbers, rows, strict=True)
        yield from zip(self.numbers, self.rows, strict=True)

    def drop(self) -> None:
        self.numbers, self.rows = array("q"), array("i")
        self.path.unlink(missing_ok=True)


def _read(file: object, kind: str) -> array[int]:
    found = array(kind)
    found.frombytes(file.read(IN_MEMORY * found.itemsize))  # type: ignore[attr-defined]
    return found


@dataclass(frozen=True, slots=True)
class Chunk:
    """`after` is the chunk that has to be done before: both hold rows of a component too large for one."""

    number: int
    size: int
    after: int | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """The chunks, and for each row the number of its chunk."""

    chunks: list[Chunk]
    chunk_of: Sequence[int]


def cut(leaders: Sequence[int], size: int, *, largest: int) -> Cut:
    """Chunks of about `size` rows, in the order of the file; a component of more than `largest` rows is cut
    into a chain.
    """
    return _Cutter(leaders, size, largest).cut()


class _Cutter:
    """Fills one chunk after the other with whole components, the one whose first row comes first first."""

    def __init__(self, leaders: Sequence[int], size: int, largest: int) -> None:
        self.leaders = leaders
        self.size, self.largest = size, max(size, largest)
        self.sizes: list[int] = []
        self.after: dict[int, int] = {}
        self.open: int | None = None
        self.chain: dict[int, int] = {}

    def cut(self) -> Cut:
        counts = _counts(self.leaders)
        chunk_of = array("i", bytes(4 * len(self.leaders)))
        for row, leader in enumerate(self.leaders):
            if counts[leader] > self.largest:
                chunk_of[row] = self._link(leader)
            elif row == leader:
                chunk_of[row] = self._place(counts[leader])
            else:
                chunk_of[row] = chunk_of[leader]
        chunks = [Chunk(number, size, self.after.get(number)) for number, size in enumerate(self.sizes)]
        return Cut(chunks, chunk_of)

    def _place(self, count: int) -> int:
        """The chunk that takes the next component."""
        if self.open is None or self.sizes[self.open] + count > self.size:
            self.open = self._new()
        self.sizes[self.open] += count
        return self.open

    def _link(self, leader: int) -> int:
        """The chunk of the chain that takes the component's next row."""
        link = self.chain.get(leader)
        if link is None or self.sizes[link] == self.largest:
            self.chain[leader] = new = self._new()
            if link is not None:
                self.after[new] = link
            link = new
        self.sizes[link] += 1
        return link

    def _new(self) -> int:
        self.sizes.append(0)
        return len(self.sizes) - 1


def _counts(leaders: Sequence[int]) -> array[int]:
    counts = array("i", bytes(4 * len(leaders)))
    for leader in leaders:
        counts[leader] += 1
    return counts
