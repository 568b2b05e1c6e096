"""Headings of the exports of usual tools and of people, and what their columns are recognised as."""

from __future__ import annotations

import pytest

from tests.cases.conftest import Files

OFFICE = "+1 415 555 0800"


def mapped(files: Files, header: str, cells: str, **given: str) -> dict[str, str]:
    done = files.send(f"{header}\n{cells}\n", **given)
    assert done.outcomes == ["created"], done.rows
    return {name: target for name, target in done.mapping.items() if target}


@pytest.mark.parametrize(
    "header", ["Phone,Mobile", "Mobile,Phone", "Tel,Handy", "Telephone,MSISDN", "Phone,Cell"]
)
def test_two_colleagues_of_one_office_phone_stay_two(files: Files, header: str) -> None:
    """The column that says whose the phone is wins, wherever it stands."""
    is_first = header.startswith("Mobile")
    rows = [
        (crm_id, name, *((own, OFFICE) if is_first else (OFFICE, own)))
        for crm_id, name, own in (("C-1", "Aldo", "+1 415 555 0801"), ("C-2", "Bea", "+1 415 555 0802"))
    ]
    done = files.send(f"crm_id,First Name,{header}\n" + "".join(f"{','.join(row)}\n" for row in rows))
    assert done.outcomes == ["created", "created"]
    phones = [done.customer(crm_id=crm_id)["mobile_phones"] for crm_id in ("C-1", "C-2")]
    assert [[p["value"] for p in held] for held in phones] == [["+14155550801"], ["+14155550802"]]
    (warning,) = done.told["warnings"]
    assert header.split(",")[1 if is_first else 0] in warning


def test_a_phone_alone_is_the_phone(files: Files) -> None:
    assert mapped(files, "crm_id,Phone", "P-1,+14155550803")["Phone"] == "mobile_phone"


def test_a_german_file(german_files: Files) -> None:
    found = mapped(
        german_files,
        "Kundennummer;Anrede;Vorname;Nachname;E-Mail;Telefon;Handy;Geburtsdatum;Geschlecht;Newsletter",
        "K-7;Frau;Uta;Winter;uta.w@example.com;030 7654321;0151 76543210;31.12.1991;weiblich;ja",
    )
    assert found == {
        "Kundennummer": "ids.crm_id",
        "Vorname": "personal.first_name",
        "Nachname": "personal.last_name",
        "E-Mail": "email",
        "Handy": "mobile_phone",
        "Geburtsdatum": "personal.birth_date",
        "Geschlecht": "personal.gender",
        "Newsletter": "subscriptions.email",
    }
    customer = german_files.shop.crm_import.lookup(crm_id="K-7").customer
    assert customer["personal"]["gender"] == "female"
    assert [s["status"] for s in customer["subscriptions"]] == ["subscribed"]


def test_an_address_book(files: Files) -> None:
    found = mapped(
        files,
        "First Name,Last Name,E-mail Address,E-mail 2 Address,Home Phone,Business Phone,Mobile Phone,"
        "Birthday",
        "Olga,Dahl,od.one@example.com,od.two@example.com,+14155550101,+14155550102,+14155550813,12/31/1991",
    )
    assert found == {
        "First Name": "personal.first_name",
        "Last Name": "personal.last_name",
        "E-mail Address": "email",
        "E-mail 2 Address": "email",
        "Mobile Phone": "mobile_phone",
        "Birthday": "personal.birth_date",
    }
    customer = files.shop.crm_import.lookup(email="od.two@example.com").customer
    assert [e["value"] for e in customer["emails"]] == ["od.one@example.com", "od.two@example.com"]


def test_a_shop_s_customers_with_their_full_names(files: Files) -> None:
    found = mapped(
        files,
        "Name,Username,Last Active,Date Registered,Email,Orders,Total Spend,AOV,City,Postal Code",
        "Wanda Wu,wanda,2025-01-05,2024-01-05 10:00:00,wa.one@example.com,3,59.90,19.97,Reno,01234",
    )
    assert (found["Name"], found["Email"]) == ("personal.full_name", "email")
    customer = files.shop.crm_import.lookup(email="wa.one@example.com").customer
    assert customer["personal"] == {"first_name": "Wanda", "last_name": "Wu"}


def test_another_shop_s_customers(files: Files) -> None:
    found = mapped(
        files,
        "ID,Name,Email,Group,Phone,ZIP,Customer Since,Web Site,Date of Birth,Gender",
        '7,"Mats Mohn",mm.one@example.com,General,+14155550819,01234,"Jan 5, 2024 10:00:00 AM",Main,'
        '"Dec 31, 1991",Male',
    )
    assert found == {
        "Name": "personal.full_name",
        "Email": "email",
        "Phone": "mobile_phone",
        "Date of Birth": "personal.birth_date",
        "Gender": "personal.gender",
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Ann Lee", {"first_name": "Ann", "last_name": "Lee"}),
        ("Ann Marie Lee", {"first_name": "Ann Marie", "last_name": "Lee"}),
        ('"Lee, Ann"', {"first_name": "Ann", "last_name": "Lee"}),
        ("Jan van der Berg", {"first_name": "Jan", "last_name": "van der Berg"}),
        ("Madonna", {"first_name": "Madonna"}),
        ("N/A", {}),
    ],
)
def test_a_full_name_is_split_by_a_rule(files: Files, name: str, expected: dict[str, str]) -> None:
    done = files.send(f"crm_id,Name\nF-1,{name}\n")
    assert done.customer(crm_id="F-1")["personal"] == expected


def test_a_full_name_beside_its_parts_is_left_out(files: Files) -> None:
    found = mapped(files, "crm_id,Name,First Name,Last Name", "F-2,Ann Lee,Ann,Lee")
    assert "Name" not in found


def test_an_export_of_orders_calls_their_number_name(files: Files) -> None:
    done = files.send(
        "Name,Email,Financial Status,Currency,Total,Created at,Lineitem quantity,Lineitem name,Phone,Id\n"
        "#3001,shp.one@example.com,paid,EUR,59.90,2024-01-05 10:00:00 +0100,1,Boots,,6830001\n"
        "#3002,shp.two@example.com,paid,EUR,10.00,2024-01-06 10:00:00 +0100,1,Laces,,6830002\n",
        kind="orders",
    )
    assert done.outcomes == ["created", "created"]
    assert (done.mapping["Name"], done.mapping["Id"]) == ("order.number", None)
