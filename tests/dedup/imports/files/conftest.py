"""Files on disk, as the tests of what is read of them have them."""

from __future__ import annotations

import pytest

from customers.errors import SelfsameError
from dedup.imports.files.inspection import Chosen, FileRow, Inspected, inspect, rows


@pytest.fixture
def read(tmp_path):
    """What becomes of a file of these bytes."""

    def reading(data: bytes, name: str = "customers.csv", **options) -> tuple[Inspected, list[FileRow]]:
        path = tmp_path / "upload"
        path.write_bytes(data)
        inspected = inspect(path, name, Chosen(**options))
        return inspected, list(rows(path, inspected.format))

    return reading


@pytest.fixture
def refusal(read):
    def refusing(data: bytes, name: str = "customers.csv", **options) -> str:
        with pytest.raises(SelfsameError) as caught:
            read(data, name, **options)
        return f"{caught.value.code.value}: {caught.value.detail}"

    return refusing
