import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers import normalise
from customers.block_list import PATTERN_LIMIT, SHIPPED, BlockList, BlockListEntry, check_pattern
from customers.normalise import Invalid


def normalised(kind, raw):
    """The normalised value in the region US, None where there is none."""
    normaliser = {
        "email": normalise.email,
        "mobile_phone": lambda value: normalise.phone(value, "US"),
        "discount_card": normalise.discount_card,
        "device_id": normalise.device,
        "mobile_device_id": normalise.device,
    }.get(kind, normalise.identifier)
    try:
        return normaliser(raw)
    except Invalid:
        return None


def listing(*entries):
    return BlockList(entries, normalised)


def blocked(block_list, kind, raws):
    """Those of the values that are listed."""
    return [raw for raw in raws if block_list.blocks(kind, raw, normalised(kind, raw))]


def refusal(pattern):
    try:
        check_pattern(pattern)
    except Invalid as invalid:
        return invalid.message(str)
    return None


@pytest.fixture(scope="module")
def shipped():
    return BlockList(SHIPPED, normalised)


# --- Matching


def test_an_exact_value_is_compared_as_typed_and_normalised_without_case():
    phones = listing(BlockListEntry("mobile_phone", value="(415) 555-0122"))
    same = ["(415) 555-0122", "+14155550122", "415.555.0122", 4155550122]
    assert blocked(phones, "mobile_phone", [*same, "+14155550123"]) == same

    ids = listing(BlockListEntry("crm_id", value="No-Customer"))
    same = [
        "No-Customer",
        " no-customer\n",
        "NO-CUSTOMER",
        '"no-customer"',
        "(No-Customer)",
        "\ufeffno-customer",
    ]
    assert blocked(ids, "crm_id", [*same, "no-customer-2", "customer", "no customer"]) == same


def test_an_entry_counts_for_its_kind_and_a_general_one_for_every_kind():
    block_list = listing(
        BlockListEntry("crm_id", value="x1"),
        BlockListEntry("*", value="x2"),
        BlockListEntry("device_id", pattern="^x3"),
    )
    found = {
        kind: blocked(block_list, kind, ["x1", "x2", "x3"]) for kind in ("crm_id", "device_id", "website_id")
    }
    assert found == {"crm_id": ["x1", "x2"], "device_id": ["x2", "x3"], "website_id": ["x2"]}


def test_a_pattern_is_searched_for_anywhere_without_case():
    block_list = listing(
        BlockListEntry("email", pattern="@spam"),
        BlockListEntry("email", pattern="^bot"),
        BlockListEntry("email", pattern="bot$"),
    )
    raws = ["ann@SPAM.example.com", "Bot1@example.com", "ann@my.bot", "robot@example.com", "ann@example.com"]
    assert blocked(block_list, "email", raws) == raws[:3]


def test_patterns_that_all_begin_the_value_are_still_each_tried():
    block_list = listing(BlockListEntry("crm_id", pattern="^a|^b"), BlockListEntry("crm_id", pattern=r"\Ac"))
    assert blocked(block_list, "crm_id", ["a1", "b1", "c1", " c1", "1a"]) == ["a1", "b1", "c1", " c1"]


def test_a_value_that_cannot_be_normalised_is_blocked_as_typed():
    block_list = listing(BlockListEntry("email", value="none"), BlockListEntry("device_id", pattern="^0+$"))
    assert normalised("email", "NONE") is None
    assert block_list.blocks("email", "NONE", None)
    assert block_list.blocks("device_id", 0, None)


def test_an_empty_list_blocks_nothing():
    assert blocked(listing(), "email", ["test@test.com", "null", "", "0"]) == []


@given(st.none() | st.booleans() | st.floats() | st.lists(st.text()) | st.dictionaries(st.text(), st.text()))
def test_what_is_neither_text_nor_whole_number_is_left_to_the_normaliser(raw):
    assert not BlockList(SHIPPED, normalised).blocks("crm_id", raw, None)


@given(
    st.text(st.characters(exclude_categories=[])) | st.integers(),
    st.sampled_from(["email", "crm_id", "device_id"]),
)
def test_any_typed_value_has_an_answer(raw, kind):
    assert listing(BlockListEntry("*", pattern="^x+$"), BlockListEntry(kind, value="y")).blocks(
        kind, raw, None
    ) in (
        True,
        False,
    )


def test_an_endless_value_is_answered_at_once(shipped):
    started = time.perf_counter()
    assert not any(
        shipped.blocks("email", raw, None) for raw in ("0" * 1_000_000, " " * 1_000_000, 10**50_000)
    )
    assert time.perf_counter() - started < 0.2


# --- Entries


def test_an_entry_has_either_a_value_or_a_pattern():
    for fields in ({}, {"value": "a", "pattern": "a"}):
        with pytest.raises(Invalid, match="either a value or a pattern"):
            BlockListEntry("email", **fields)
    with pytest.raises(Invalid, match="not a valid regular expression"):
        BlockListEntry("email", pattern="(")


def test_patterns_that_could_take_too_long_are_refused():
    broken = "The pattern is not a valid regular expression. Try it on an example first."
    heavy = "The pattern is too complicated. Use fewer * and +, and begin it with ^ where you can."
    back = "The pattern may not look ahead or behind, or refer back to a group."
    expected = {
        "^0+$": None,
        "^test.*@": None,
        "test.*@": None,
        ".*test.*": None,
        r"^(?:\d{3}-)*\d+$": None,
        r"^\+?1?(?:0{7,}|1{7,})$": None,
        r"^(?:foo|bar)?\d{1,4}$": None,
        "[a-f0-9]{8}(?:-[a-f0-9]{4}){3}": None,
        "(a+)+$": heavy,
        "^(a|aa)+$": heavy,
        "^(a*)*b": heavy,
        "^(.*a){20}$": heavy,
        "a?" * 25 + "a" * 25: heavy,
        r"\d+\d+\d+$": heavy,
        ".*.*.*.*=": heavy,
        r"^(\d)\1+$": back,
        "^(?=a)": back,
        "^(?<!a)b": back,
        "(?i)a": "The pattern may not set flags or name groups. Case does not count anyway.",
        "^(?-i:a)": "The pattern may not set flags. Case does not count anyway.",
        "(?P<name>a)": "The pattern may not set flags or name groups. Case does not count anyway.",
        "(": broken,
        "*a": broken,
        "a{99999999999999999999}": broken,
        "[z-a]": broken,
        "a" * (PATTERN_LIMIT + 1): "The pattern is too long: at most 200 characters.",
    }
    assert {pattern: refusal(pattern) for pattern in expected} == expected


PIECES = st.sampled_from(
    ["a", "b", ".", "[ab]", "(a|b)", "(?:ab)", "(a+)", "a*", "b?", "{2,}", "+", "*", "?", "|", "^", "$"]
)


@given(st.lists(PIECES, max_size=8).map("".join), st.text("ab", max_size=60))
def test_a_pattern_that_is_accepted_is_fast(pattern, value):
    if pattern and refusal(pattern) is None:
        block_list = listing(BlockListEntry("crm_id", pattern=pattern))
        started = time.perf_counter()
        found = block_list.blocks("crm_id", value, None)
        assert time.perf_counter() - started < 0.5
        assert found == (re.search(pattern, value, re.IGNORECASE) is not None)


@given(st.text(max_size=30))
def test_any_text_as_a_pattern_is_accepted_or_refused(pattern):
    assert refusal(pattern) is None or refusal(pattern).endswith(".")


# --- The list as shipped


def test_the_shipped_list_blocks_the_usual_junk(shipped):
    junk = {
        "crm_id": [
            "null", "NULL", "(null)", '"null"', "None", "undefined", "NaN", "n/a", "N/A", "anonymous",
            "guest",
            "unknown", "not_available", "[object Object]", "true", "false", "0", 0, "-1", -1, "000", "id",
            "uuid",
            "distinctid", "distinct_id", '""', "''", "-", "{{ customer.id }}", "${id}", "*|EMAIL|*", "%%id%%",
            "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#REF!", "#WERT!", "#N/A", "#NV", "########", "Err:502",
            "\\N", "1111111",
        ],
        "device_id": [
            "00000000-0000-0000-0000-000000000000", "{00000000-0000-0000-0000-000000000000}", "0" * 32, "0",
            "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "undefined", "9774d56d682e549c", "02:00:00:00:00:00",
        ],
        "mobile_device_id": ["00000000-0000-0000-0000-000000000000", "9774D56D682E549C"],
        "email": [
            "test@test.com", " Test@Test.com ", "noreply@example.com", "no-reply@shop.example.com",
            "donotreply@example.com", "null", "none@none.com", "asdf@asdf.com", "n/a", "email",
        ],
        "mobile_phone": [
            "+10000000000", "0000000000", "(000) 000-0000", "+1 111 111 1111", "9999999999", "1234567890",
            "+11234567890", "123-456-7890", "unknown", "0", "+49 000000000", "+494444444444", "+376333333",
            "+441111111111",
        ],
        "discount_card": ["0", "0000", "none", "-", "null"],
    }  # fmt: skip
    assert {kind: blocked(shipped, kind, raws) for kind, raws in junk.items()} == junk


def test_the_shipped_list_leaves_real_values_alone(shipped):
    real = {
        "crm_id": ["301", "103", 7, "1", "user-1", "id-5", "guest-17", "null-1", "100", "001", "anonymous2",
        "a", "#1001", "111111", "11111112"],
        "device_id": ["7f3c9a52-1111-4222-8333-444455556666", "00000000-0000-0000-0000-000000000001", "d-1",
        "cookie"],
        "email": [
            "ann@example.com", "paul@example.com", "ivan@test.com", "test@maestra.io", "info@example.com",
            "reply@example.com", "noreplyson@example.com", "nonette@none.org", "null@example.com",
            "x@shop.test",
        ],
        "mobile_phone": [
            "+14155550122", "+1 555 123 1212", "+1 555 123 1111", "+1 (415) 111-1122", "+15550000000",
            "+447911123456", "+12345678901", "+14155550000", "+1 800 111 1234", "+14155555555", "+4949999999",
        ],
        "discount_card": ["7001", "1", "100000", "0000001"],
    }  # fmt: skip
    assert {kind: blocked(shipped, kind, raws) for kind, raws in real.items()} == {kind: [] for kind in real}


def test_the_shipped_list_knows_placeholders_for_names_and_leaves_names_alone(shipped):
    junk = ["N/A", "#N/A", "-", "...", "?", "undefined", "Unknown", "#NAME?", "\\N"]
    assert [name for name in junk if shipped.blocks_name(name)] == junk
    names = ["Null", "Guest", "Blank", "Card", "No", "True", "Void", "Nan\u00e9", "D'Arcy", "#1", "X"]
    assert [name for name in names if shipped.blocks_name(name)] == []


def test_the_shipped_list_names_nothing_twice():
    assert len(set(SHIPPED)) == len(SHIPPED)
    assert [entry for entry in SHIPPED if entry.value != entry.value.strip().lower()] == []
