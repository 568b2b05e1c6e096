"""Dates and times as programs write them, and what stands for none."""

from __future__ import annotations

import pytest

from tests.cases.conftest import Files


def test_a_birth_date_may_have_a_midnight_beside_it(files: Files) -> None:
    written = [
        *("12/31/1990 12:00:00 AM", "1990-12-31T00:00:00+01:00", "Dec 31 1990 12:00AM"),
        *("1990-12-31 00:00:00 UTC", "31.12.1990 0:00", "1990-12-31T00:00:00.000Z", "31 Dec 1990"),
    ]
    rows = "".join(f"B-{at}\t{text}\n" for at, text in enumerate(written))
    done = files.send(f"crm_id\tbirth_date\n{rows}", "people.tsv")
    found = [done.customer(crm_id=f"B-{at}")["personal"]["birth_date"] for at in range(len(written))]
    assert found == ["1990-12-31"] * len(written)


def test_another_time_is_no_birth_date(files: Files) -> None:
    done = files.send("crm_id\tbirth_date\nB-1\t1990-12-31 08:15\n", "people.tsv")
    assert done.outcomes == ["validation_error"]


def test_what_stands_for_no_date_is_none(files: Files) -> None:
    written = [
        *("0000-00-00", "00/00/0000", "00.00.0000", "0000-00-00 00:00:00", "-", "--", "N/A", "#N/A", "\\N"),
        *(
            "NULL",
            "null",
            "None",
            "NaT",
            "0001-01-01T00:00:00",
            "01/01/0001",
            "0",
            "#VALUE!",
            "########",
            "?",
        ),
    ]
    rows = "".join(f"B-{at}\t{text}\t{text}\t{text}\n" for at, text in enumerate(written))
    done = files.send(f"crm_id\tbirth_date\tJoined on\tSeen at\n{rows}", "people.tsv")
    assert done.outcomes == ["created"] * len(written)
    for at in range(len(written)):
        customer = done.customer(crm_id=f"B-{at}")
        assert (customer["personal"], customer["custom_fields"]) == ({}, {})


def test_a_birthday_without_its_year_is_left_out_and_told(files: Files) -> None:
    done = files.send("crm_id,birthday,first_name\nB-1,12/31,Ada\nB-2,Dec 31,Bea\nB-3,31.12.,Cora\n")
    assert done.outcomes == ["created"] * 3
    assert done.told["counts"]["invalid_value"] == 3
    assert done.customer(crm_id="B-1")["personal"] == {"first_name": "Ada"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-05 10:00:00 +0100", "2024-01-05T09:00:00+00:00"),
        ("2024-01-05 10:00:00 UTC", "2024-01-05T10:00:00+00:00"),
        ('"Fri, 05 Jan 2024 10:00:00 +0100"', "2024-01-05T09:00:00+00:00"),
        ("2024-01-05T10:00:00[Europe/Berlin]", "2024-01-05T09:00:00+00:00"),
        ("2024-01-05T10:00:00+01:00[Europe/Berlin]", "2024-01-05T09:00:00+00:00"),
        ('"Jan 5, 2024 10:00:00 AM"', "2024-01-05T10:00:00+00:00"),
        ("Fri Jan 05 2024 10:00:00 GMT+0100 (Central European Time)", "2024-01-05T09:00:00+00:00"),
        ("1704445200", "2024-01-05T09:00:00+00:00"),
        ("1704445200000", "2024-01-05T09:00:00+00:00"),
        ('"13/01/2024, 10:00:00"', "2024-01-13T10:00:00+00:00"),
        ('"05/01/2024, 10:00:00"', None),
        ("2024-01-05 10:00:00 XYZ", None),
    ],
)
def test_a_time_is_read_with_its_offset_or_zone(files: Files, text: str, expected: str | None) -> None:
    done = files.send(f"crm_id,Seen at\nT-1,{text}\n")
    if expected is None:
        assert done.outcomes == ["validation_error"]
    else:
        assert done.values("a_datetime", "T-1") == [expected]


def test_orders_come_with_their_times(files: Files) -> None:
    done = files.send(
        "order_number,total,currency,placed_at,email\n"
        "#2001,59.90,EUR,2024-01-05 10:00:00 +0100,ord.one@example.com\n"
        "#2002,10.00,EUR,2024-01-06 10:00:00 +0100,ord.two@example.com\n",
        kind="orders",
    )
    assert done.outcomes == ["created", "created"]
    maestra_id = done.customer(email="ord.one@example.com")["maestra_id"]
    (order,) = files.shop.crm_import.get(f"customers/{maestra_id}/orders/").body["results"]
    assert order["placed_at"] == "2024-01-05T09:00:00+00:00"
