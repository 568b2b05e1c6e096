"""Rows that share a value are in one chunk, or follow each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.imports.processing import components
from dedup.imports.processing.components import Chunk, Components, Cut, cut

ROWS = st.lists(st.lists(st.integers(-9, 9), max_size=3), max_size=40)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("buckets")


def leaders_of(rows: list[list[int]], folder: Path) -> list[int]:
    found = Components(folder)
    for numbers in rows:
        found.add(numbers)
    return list(found.joined())


def naive_leaders(rows: list[list[int]]) -> list[int]:
    """The same, by looking again and again."""
    leaders = list(range(len(rows)))
    changed = True
    while changed:
        changed = False
        for one, numbers in enumerate(rows):
            for other, others in enumerate(rows):
                if set(numbers) & set(others) and leaders[one] != leaders[other]:
                    leaders[one] = leaders[other] = min(leaders[one], leaders[other])
                    changed = True
    return leaders


@settings(deadline=None)
@given(ROWS)
def test_a_row_is_led_by_the_first_of_those_it_hangs_together_with(
    folder: Path, rows: list[list[int]]
) -> None:
    assert leaders_of(rows, folder) == naive_leaders(rows)


def test_numbers_that_do_not_fit_into_memory_are_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(components, "IN_MEMORY", 3)
    rows = [[n % 5] for n in range(40)]
    assert leaders_of(rows, tmp_path) == [n % 5 for n in range(40)]
    assert list(tmp_path.iterdir()) == []


@settings(deadline=None)
@given(ROWS, st.integers(1, 6), st.integers(0, 6))
def test_chunks_never_share_a_component_unless_they_follow_each_other(
    folder: Path, rows: list[list[int]], size: int, largest: int
) -> None:
    leaders = leaders_of(rows, folder)
    found = cut(leaders, size, largest=largest)
    assert [chunk.size for chunk in found.chunks] == sizes(found)
    before = {chunk.number: chunk.after for chunk in found.chunks}
    for leader in set(leaders):
        chunks = list(dict.fromkeys(c for c, of in zip(found.chunk_of, leaders, strict=True) if of == leader))
        assert [before[chunk] for chunk in chunks[1:]] == chunks[:-1]
        assert all(found.chunks[chunk].size <= max(size, largest) for chunk in chunks)


def sizes(found: Cut) -> list[int]:
    return [list(found.chunk_of).count(chunk.number) for chunk in found.chunks]


def test_small_components_fill_a_chunk_and_a_large_one_becomes_a_chain() -> None:
    leaders = [0, 1, 2, 2, 2, 2, 2, 7]
    found = cut(leaders, 2, largest=0)
    assert list(found.chunk_of) == [0, 0, 1, 1, 2, 2, 3, 4]
    assert found.chunks == [Chunk(0, 2), Chunk(1, 2), Chunk(2, 2, 1), Chunk(3, 1, 2), Chunk(4, 1)]
