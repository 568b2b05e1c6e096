"""What is read of a body, and what is refused before it is built."""

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.api import json_body
from customers.api.json_body import DEEPEST, MOST_VALUES, read_json, refuse_excess
from customers.errors import SelfsameError

TEXTS = st.text('a"\\,[]{}:\n ü😀', max_size=6)
JSON = st.recursive(
    TEXTS | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


def size(value: Any) -> tuple[int, int]:
    """Commas and opening brackets as `json.dumps` writes them, and the depth."""
    match value:
        case dict() | list():
            inside = list(value.values() if isinstance(value, dict) else value)
            sizes = [size(item) for item in inside]
            marks = 1 + max(len(inside) - 1, 0) + sum(marks for marks, _depth in sizes)
            return marks, 1 + max((depth for _marks, depth in sizes), default=0)
    return 0, 0


@given(JSON, st.booleans())
def test_values_are_counted_exactly_whatever_their_texts_hold(value: Any, ensure_ascii: bool):
    raw = json.dumps(value, ensure_ascii=ensure_ascii).encode()
    marks, depth = size(value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_body, "MOST_VALUES", marks)
        patch.setattr(json_body, "DEEPEST", depth)
        refuse_excess(raw)
        for limit, exceeded in (("MOST_VALUES", marks - 1), ("DEEPEST", depth - 1)):
            if exceeded >= 0:
                with patch.context() as lower:
                    lower.setattr(json_body, limit, exceeded)
                    with pytest.raises(SelfsameError) as refused:
                        refuse_excess(raw)
                assert refused.value.status == 413


def test_a_wide_body_is_refused_before_it_is_built():
    raw = json.dumps({f"k{number:06d}": 0 for number in range(700_000)}).encode()
    tracemalloc.start()
    with pytest.raises(SelfsameError) as refused:
        read_json(raw)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refused.value.code.value == "too_large"
    assert most < 2 * len(raw)


@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_a_deep_body_is_refused(brackets: str):
    opening = '{"a":' if brackets == "{}" else "["
    deepest = opening * (DEEPEST - 1) + brackets + brackets[1] * (DEEPEST - 1)
    read_json(deepest.encode())
    with pytest.raises(SelfsameError) as refused:
        read_json(f"[{deepest}]".encode())
    assert refused.value.code.value == "too_large"


def test_as_many_values_as_are_allowed_are_read():
    assert len(read_json(json.dumps([0] * MOST_VALUES).encode())) == MOST_VALUES
    with pytest.raises(SelfsameError):
        read_json(json.dumps([0] * (MOST_VALUES + 1)).encode())


def test_a_large_body_is_read_as_a_small_one():
    value = {"text": "Zoë 😀, [1]" * 10_000}
    assert read_json(json.dumps(value).encode()) == value
