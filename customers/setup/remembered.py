"""What a process remembers of the set-up: good for one version of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """One value, made when it is first asked for, and again for another version.

    Threads may make it at the same time; each gets one that holds.
    """

    def __init__(self) -> None:
        self._held: tuple[int, T] | None = None

    def of(self, version: int, make: Callable[[], T]) -> T:
        held = self._held
        if held is None or held[0] != version:
            held = self._held = version, make()
        return held[1]
