"""What a process remembers holds for one version of the set-up."""

from __future__ import annotations

from itertools import count

from customers.setup.remembered import Remembered


def test_it_is_made_once_for_each_version() -> None:
    remembered: Remembered[int] = Remembered()
    made = count(1)
    asked = [remembered.of(version, lambda: next(made)) for version in (7, 7, 8, 8, 7)]
    assert asked == [1, 1, 2, 2, 3]
