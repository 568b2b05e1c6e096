"""Headers, encodings and rows as exports, mergers of files and people leave them."""

from __future__ import annotations

from django.test import Client

from tests.cases.conftest import Files


def values(customer: dict[str, list[dict[str, str]]], name: str) -> list[str]:
    return [contact["value"] for contact in customer[name]]


def test_column_names_in_mid_file_are_left_out(files: Files) -> None:
    """Two exports were put behind each other, with their byte order marks."""
    part = "\ufeffcrm_id,first_name\n{},{}\n"
    done = files.send(part.format("C-1", "Uma") + part.format("C-2", "Ute") + "crm_id,first_name \nC-3,Udo\n")
    assert done.outcomes == ["created"] * 3
    (warning,) = done.told["warnings"]
    assert "3, 5" in warning


def test_columns_of_one_name_are_asked_about_and_told_apart_by_position(files: Files) -> None:
    data = b"crm_id,email,email,first_name,first_name\nD-1,d1@example.com,d2@example.com,Do,Dora\n"
    status, problem = files.post(data)
    assert (status, problem["errors"][0]["path"]) == (400, "options.duplicate_headers")
    done = files.send(data, duplicate_headers="position")
    assert done.mapping == {
        "crm_id": "ids.crm_id",
        "email": "email",
        "email (2)": "email",
        "first_name": "personal.first_name",
        "first_name (2)": None,
    }
    customer = done.customer(crm_id="D-1")
    assert values(customer, "emails") == ["d1@example.com", "d2@example.com"]
    assert customer["emails"][0]["is_primary"]


def test_lines_above_the_header_are_asked_about_and_skipped(files: Files) -> None:
    data = b"Customer report 2026;;\nMade by;Kim;\n\ncrm_id;email;first_name\nPR-1;pr.one@example.com;Pia\n"
    status, problem = files.post(data)
    assert (status, problem["errors"][0]["path"]) == (400, "options.header_row")
    assert "4" in problem["errors"][0]["message"]
    done = files.send(data, header_row=4)
    assert (done.outcomes, done.rows[0]["line"]) == (["created"], 5)
    assert done.customer(crm_id="PR-1")["personal"] == {"first_name": "Pia"}


def test_a_title_without_any_separator_is_asked_about_too(files: Files) -> None:
    data = b"Report of today\n\ncrm_id;email\nPR-1;pr.one@example.com\nPR-2;pr.two@example.com\n"
    assert files.post(data)[1]["errors"][0]["path"] == "options.header_row"
    assert files.send(data, header_row=3).outcomes == ["created", "created"]


def test_a_line_that_is_not_there_is_no_header(files: Files) -> None:
    status, problem = files.post(b"crm_id,email\n1,a@example.com\n", header_row=9)
    assert (status, problem["errors"][0]["path"]) == (400, "options.header_row")


def test_the_encoding_of_old_macs_is_told_from_that_of_windows(files: Files) -> None:
    text = "crm_id;first_name;last_name\nM-1;Zoë;Müller\nM-2;Jürgen;Groß\nM-3;René;Köhler\n"
    done = files.send(text.encode("mac-roman"))
    assert any("Mac Roman" in warning for warning in done.told["warnings"])
    assert done.customer(crm_id="M-1")["personal"] == {"first_name": "Zoë", "last_name": "Müller"}
    assert done.customer(crm_id="M-2")["personal"] == {"first_name": "Jürgen", "last_name": "Groß"}


def test_windows_stays_windows(files: Files) -> None:
    done = files.send("crm_id;last_name\nM-1;Müller\nM-2;Žižka\nM-3;Groß\n".encode("cp1252"))
    assert done.customer(crm_id="M-1")["personal"] == {"last_name": "Müller"}


def test_a_cell_may_hold_several_values_of_what_there_may_be_several(files: Files) -> None:
    done = files.send(
        "crm_id,email,mobile_phone,session_key\n"
        "G-1,g1@example.com ::: g2@example.com,+1 415-555-0781 ::: +1 415-555-0782,s1|s2\n"
        'G-2,"g3@example.com; g4@example.com",,\n'
        'G-3,"g5@example.com, g6@example.com",,\n'
        'G-4,"g7@example.com\ng8@example.com",,\n'
    )
    assert done.outcomes == ["created"] * 4
    assert [values(done.customer(crm_id=f"G-{n}"), "emails") for n in range(1, 5)] == [
        [f"g{n}@example.com", f"g{n + 1}@example.com"] for n in (1, 3, 5, 7)
    ]
    first = done.customer(crm_id="G-1")
    assert values(first, "mobile_phones") == ["+14155550781", "+14155550782"]
    assert sorted(first["ids"]["session_key"]) == ["s1", "s2"]


def test_the_values_of_a_list_may_stand_in_quotation_marks(files: Files) -> None:
    done = files.send('crm_id,Tags\nQ-1,"""vip"",""x, y"""\nQ-2,"a; b, c"\nQ-3,"[""a; b"", ""c""]"\n')
    assert done.values("a_list", "Q-1", "Q-2", "Q-3") == [["vip", "x, y"], ["a", "b, c"], ["a; b", "c"]]


def test_a_remark_beside_a_phone_is_no_part_of_it(german_files: Files) -> None:
    """R5"""
    done = german_files.send(
        "crm_id;mobile_phone;first_name\nR-1;0151 1234567 Mama;Ina\nR-2;0170 7654321 (Frau);Jan\n"
        "R-3;0171 765 oder;Kim\nR-4;+49 000 000000;Lea\n"
    )
    assert done.outcomes == [*["validation_error"] * 3, "created"]
    assert done.customer(crm_id="R-4")["mobile_phones"] == []


def test_a_name_in_capitals_clears_nothing(files: Files) -> None:
    """R42"""
    files.shop.website.register(crm_id="L-1", last_name="Lee", birth_date="1990-01-31")
    done = files.send("crm_id,last_name\nL-1,LEE\n")
    assert done.outcomes == ["unchanged"]
    files.send("crm_id,last_name\nL-1,Loh\n")
    assert done.customer(crm_id="L-1")["personal"] == {"last_name": "Loh"}


def test_the_list_of_customers_comes_back_unchanged(files: Files, admin_client: Client) -> None:
    """As the admin exports it, guarded against formulas, with several contacts and lists in a cell."""
    fields = {
        "a_list": ["a, b", "c;d", "e"],
        "a_decimal": "12.50",
        "a_boolean": True,
        "a_date": "2024-02-29",
        "a_datetime": "2024-01-05T09:00:00+00:00",
        "a_string": "'quoted",
    }
    website = files.shop.website
    website.register(
        crm_id="E-1",
        email=["ex.one@example.com", "ex.two@example.com"],
        mobile_phone=["+14155550861", "+14155550862"],
        first_name="=Rita",
        last_name="-Tank",
        birth_date="1990-01-31",
        gender="female",
        custom_fields=fields,
    )
    website.register(
        crm_id="E-2", email="ex.three@example.com", first_name="foo;=1+1;x", last_name="=2+3,foo"
    )
    website.register(crm_id="E-3", discount_card="'5830", custom_fields={"a_list": ["x", "y"]})
    answer = admin_client.get("/admin/customers/customer/export/")
    data = b"".join(answer)
    assert b"E-1" in data
    done = files.send(data)
    assert done.outcomes == ["unchanged"] * 3, done.rows
