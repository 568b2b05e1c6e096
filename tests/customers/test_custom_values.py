"""What values of custom fields are accepted, and in which form they are stored (R11)."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.custom_values import CustomType, custom_value, decimal_number
from tests.customers.test_normalise import refused


def test_custom_values_by_type():
    accepted = [
        (CustomType.STRING, " size \r\n L ", "size \n L"),
        (CustomType.INTEGER, 42, 42),
        (CustomType.INTEGER, 42.0, 42),
        (CustomType.INTEGER, " -42 ", -42),
        (CustomType.INTEGER, 2**63 - 1, 2**63 - 1),
        (CustomType.DECIMAL, "59.90", Decimal("59.9")),
        (CustomType.DECIMAL, 59.9, Decimal("59.9")),
        (CustomType.DECIMAL, 0.1 + 0.2, Decimal("0.3")),
        (CustomType.DECIMAL, "+007", Decimal("7")),
        (CustomType.DECIMAL, -0.0, Decimal("0")),
        (CustomType.DECIMAL, 100, Decimal("100")),
        (CustomType.BOOLEAN, True, True),
        (CustomType.BOOLEAN, " False ", False),
        (CustomType.DATE, "1850-07-01", date(1850, 7, 1)),
        (CustomType.DATETIME, "2026-01-05T10:00:00Z", datetime(2026, 1, 5, 10, tzinfo=UTC)),
        (CustomType.LIST, ["red ", "blue", "red"], ("red", "blue")),
        (CustomType.LIST, [], ()),
    ]
    assert [(kind, raw, custom_value(raw, kind)) for kind, raw, _ in accepted] == accepted
    assert str(custom_value("100.00", CustomType.DECIMAL)) == "100"
    assert custom_value(True, CustomType.BOOLEAN) is True


def test_custom_values_of_another_type_are_refused():
    wrong = {
        CustomType.STRING: [1, True, ["a"], "", "x" * 1001, "a\x00"],
        CustomType.INTEGER: [True, 1.5, "1.0", "x", "", 2**63, float("inf"), None],
        CustomType.DECIMAL: [
            True,
            "1,5",
            "1e5",
            "0.12345678901",
            10**18,
            float("nan"),
            float("inf"),
            1e300,
            None,
        ],
        CustomType.BOOLEAN: [1, 0, "yes", "", None],
        CustomType.DATE: ["2026-02-30", "2026", 5, None],
        CustomType.DATETIME: ["2026-01-05", 5, None],
        CustomType.LIST: ["red", {"a": 1}, [1], [[]], [""], ["a"] * 101, None],
    }
    assert {
        kind: refused(lambda raw, k=kind: custom_value(raw, k), raws) for kind, raws in wrong.items()
    } == wrong


@given(st.decimals(allow_nan=False, allow_infinity=False, places=10, min_value=-(10**17), max_value=10**17))
def test_a_decimal_is_the_same_however_it_is_written(number):
    assert decimal_number(f"{number:f}") == number
    assert decimal_number(number) == number


@given(st.floats(min_value=-1e8, max_value=1e8))
def test_a_json_number_is_read_to_ten_places(number):
    assert float(decimal_number(json.loads(json.dumps(number)))) == pytest.approx(number, abs=1e-9)
