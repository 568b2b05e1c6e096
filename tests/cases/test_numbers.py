"""Numbers as spreadsheets and programs leave them in IDs, cards, phones and amounts."""

from __future__ import annotations

import pytest

from tests.cases.conftest import Files
from tests.cases.making import number, text, workbook


def test_a_shortened_number_is_no_id_and_makes_no_two_strangers_one(files: Files) -> None:
    """R11: its last digits are lost."""
    done = files.send(
        "crm_id,first_name,mobile_phone,discount_card,session_key\n"
        "2.34567E+11,Jule,,,\n2.34567E+11,Mads,,,\n7.61E+10,Tove,,,\n3.1E+12,Ylva,,,\n"
        'S-1,Ines,4.15555E+09,,\nS-2,Otto,,1.2e+15,\nS-3,Nele,,,"4,5E+11"\nS-4,Arne,,,5E10\n'
    )
    assert done.outcomes == [*["validation_error"] * 7, "created"]
    assert all("shortened" in row["reason"] for row in done.rows[:7])


def test_a_shortened_number_is_dropped_where_others_tell_who_it_is(files: Files) -> None:
    """R11"""
    done = files.send("crm_id,mobile_phone\nS-1,4.15555E+09\n", drop_invalid=True)
    assert (done.outcomes, done.customer(crm_id="S-1")["mobile_phones"]) == (["created"], [])


def test_a_shortened_number_is_no_order_number(files: Files) -> None:
    """R57"""
    done = files.send("order_number,total,crm_id\n4.71E+11,5.00,O-1\n", kind="orders")
    assert done.outcomes == ["validation_error"]


@pytest.mark.parametrize(
    "error", ["#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#REF!", "#WERT!", "########", "#N/A", "Err:502"]
)
def test_errors_of_spreadsheets_are_nobody(files: Files, error: str) -> None:
    """R12"""
    done = files.send(f"crm_id,first_name,email\n{error},Ida,\n{error},Jon,\nE-1,{error},{error}\n")
    assert done.outcomes == ["validation_error", "validation_error", "created"]
    customer = done.customer(crm_id="E-1")
    assert (customer["personal"], customer["emails"]) == ({}, [])
    assert done.told["counts"]["blocked_value"] == 1


def test_whole_numbers_with_a_decimal_point_are_the_same_numbers(files: Files) -> None:
    done = files.send(
        "crm_id,mobile_phone,first_name\n81001.0,4155550711.0,Ole\n81001,4155550711,Ole\n81002.0,,Pia\n"
        "81002,,Pia\n"
    )
    assert done.outcomes == ["created", "unchanged", "created", "unchanged"]
    assert [phone["value"] for phone in done.customer(crm_id="81001")["mobile_phones"]] == ["+14155550711"]
    assert done.rows[2]["maestra_id"] == done.rows[3]["maestra_id"]


def test_a_point_is_kept_where_a_column_holds_other_things_too(files: Files) -> None:
    done = files.send("crm_id,first_name\n1.0,Ada\nB-2,Bob\n")
    assert done.customer(crm_id="1.0")["personal"] == {"first_name": "Ada"}


def test_an_apostrophe_before_digits_marks_text(files: Files) -> None:
    done = files.send("crm_id,first_name\n'6830011223349,Lene\n6830011223349,Lene\n'007,Bo\n")
    assert done.outcomes == ["created", "unchanged", "created"]
    assert done.customer(crm_id="007")["personal"] == {"first_name": "Bo"}


def test_the_null_of_a_database_is_empty_in_every_column(files: Files) -> None:
    done = files.send(
        "crm_id,first_name,email,birth_date,mobile_phone,VIP\n"
        "N-1,Ada,\\N,\\N,\\N,\\N\nN-2,Bob,NULL,0000-00-00,NULL,NULL\nN-3,Cleo,N/A,-,n/a,-\n"
        "N-4,Dov,#N/A,#N/A,#N/A,#N/A\n\\N,Eve,eve@example.com,,,\n"
    )
    assert done.outcomes == ["created"] * 5
    for crm_id, name in (("N-1", "Ada"), ("N-2", "Bob"), ("N-3", "Cleo"), ("N-4", "Dov")):
        customer = done.customer(crm_id=crm_id)
        assert (customer["personal"], customer["emails"]) == ({"first_name": name}, [])
        assert (customer["mobile_phones"], customer["custom_fields"]) == ([], {})
    assert done.customer(email="eve@example.com")["ids"] == {}


# --- Workbooks


def test_a_workbook_s_number_is_read_as_it_is_shown(files: Files) -> None:
    data = workbook(
        [text("crm_id"), text("discount_card"), text("first_name")],
        [number("5711", 1), number("138", 2), text("Ruth")],
        [text("005712"), number("139", 2), text("Sven")],
        [number("42", 3), text(""), text("Tora")],
        [number("2.9999999999999996"), text(""), text("Ulf")],
        [number("12345.0"), text(""), text("Vita")],
        formats=("000000", "0000 0000", '"K-"000'),
    )
    done = files.send(data, "people.xlsx")
    assert done.outcomes == ["created"] * 5
    names = [
        done.customer(crm_id=crm_id)["personal"]["first_name"]
        for crm_id in ("005711", "005712", "K-042", "3", "12345")
    ]
    assert names == ["Ruth", "Sven", "Tora", "Ulf", "Vita"]
    (card,) = done.customer(crm_id="005711")["discount_cards"]
    assert card["value"] == "00000138"


def test_digits_beyond_fifteen_are_lost_to_a_workbook(files: Files) -> None:
    """R11: of an ID; as an amount it is what it is."""
    data = workbook(
        [text("crm_id"), text("Spent")],
        [number("4.9000000000000122E+17"), text("")],
        [number("490000000000001300"), text("")],
        [number("1234567890123456"), text("")],
        [number("123456789012345"), number("1234567890123456")],
    )
    done = files.send(data, "people.xlsx")
    assert done.outcomes == [*["validation_error"] * 3, "created"]
    assert done.values("a_decimal", "123456789012345") == [1234567890123460]


def test_escaped_characters_of_a_workbook_are_put_back(files: Files) -> None:
    data = workbook(
        [text("crm_id"), text("Remark"), text("first_name")],
        [text("X-1"), text("One_x000D_\nTwo"), text("Vera_x000D_")],
        [text("X-2"), text("code _x005F_x000D_ stays"), text("W_x0000_")],
    )
    done = files.send(data, "people.xlsx")
    assert done.values("a_string", "X-1", "X-2") == ["One\nTwo", "code _x000D_ stays"]
    assert done.customer(crm_id="X-1")["personal"] == {"first_name": "Vera"}


# --- Amounts


def test_amounts_are_read_as_they_are_written_anywhere(files: Files) -> None:
    amounts = {
        "59.90 EUR": 59.9,
        "EUR 59.90": 59.9,
        "(59.90)": -59.9,
        "59.90-": -59.9,
        "-$59.90": -59.9,
        '"1,00,000.00"': 100000,
        '"1,234,567.5"': 1234567.5,
        "CHF 1'234.50": 1234.5,
        "5.99E1": 59.9,
        "1.234": 1.234,
        "N/A": None,
    }
    rows = "".join(f"A-{at},{amount}\n" for at, amount in enumerate(amounts))
    done = files.send(f"crm_id,Spent\n{rows}")
    assert done.values("a_decimal", *(f"A-{at}" for at in range(len(amounts)))) == list(amounts.values())


def test_beside_decimal_commas_a_point_may_mean_thousands(files: Files) -> None:
    done = files.send("crm_id;Spent\nP-1;59,90\nP-2;1.234\nP-3;1.234,50\nP-4;12.345\nP-5;R$ 9,90\nP-6;1.5\n")
    assert done.outcomes == [
        *("created", "validation_error", "created", "validation_error", "created", "created")
    ]
    assert done.values("a_decimal", "P-1", "P-3", "P-5", "P-6") == [59.9, 1234.5, 9.9, 1.5]


def test_so_it_may_in_an_order_s_total(files: Files) -> None:
    done = files.send("order_number;total;crm_id\nT-1;59,90;P-1\nT-2;1.234;P-1\n", kind="orders")
    assert done.outcomes == ["created", "validation_error"]


# --- Payment cards


@pytest.mark.parametrize("card", ["4111 1111 1111 1111", "5555-5555-5555-4444", "378282246310005"])
def test_the_number_of_a_payment_card_is_neither_taken_nor_kept(files: Files, card: str) -> None:
    """R10"""
    done = files.send(f"Customer,Card Number,Phone\nc1,{card},+14155550718\nc2,,+14155550719\n")
    assert done.outcomes == ["validation_error", "created"]
    assert "payment card" in done.rows[0]["reason"]
    failed = b"".join(files.shop.crm_import.client.get(f"/api/v1/imports/{done.told['id']}/failed/")).decode()
    assert card not in failed
    assert "+14155550718" in failed


def test_long_numbers_of_a_column_are_no_payment_cards_by_chance(files: Files) -> None:
    rows = "".join(f"58300112233{n:02},+14155550{n:03}\n" for n in range(10, 30))
    done = files.send(f"crm_id,mobile_phone\n{rows}")
    assert done.outcomes == ["created"] * 20


def test_a_phone_may_have_the_check_digit_of_a_card(german_files: Files) -> None:
    done = german_files.send("crm_id,Handy\nH-1,4915112345678\n")
    assert done.outcomes == ["created"]
