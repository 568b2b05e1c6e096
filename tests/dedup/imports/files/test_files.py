"""A file on disk becomes rows with their line numbers, or says where and what is wrong. No database."""

from __future__ import annotations

import gzip
import io
import stat
import struct
import zipfile
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customers.presentation.csv import csv_lines
from dedup.imports.files import containers, delimited, encodings
from dedup.imports.files.inspection import FileFormat, rows
from dedup.parsing.cell_times import day_first_in
from tests.dedup.imports.files.making import lines_and_faults, megabytes_for, zipped

# --- Delimited text


def test_a_plain_file_is_read_with_the_line_of_every_row(read):
    inspected, found = read(b"name,city\nAnn,Rome\n\nBob,Oslo\n")

    assert inspected.format == FileFormat("plain", "delimited", "utf-8", ",")
    assert inspected.header == ("name", "city")
    assert inspected.first_rows == (("Ann", "Rome"), ("Bob", "Oslo"))
    assert inspected.warnings == ()
    assert found == [(2, ("Ann", "Rome"), None), (4, ("Bob", "Oslo"), None)]


def test_a_format_survives_being_stored():
    file_format = FileFormat("zip", "xlsx", sheet="Kunden")
    assert FileFormat.from_json(file_format.to_json()) == file_format


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_is_one(read, line_end):
    _inspected, found = read(line_end.join(["a,b", "1,2", '"x', 'y",4', "5,6"]).encode())
    assert found == [(2, ("1", "2"), None), (3, (f"x{line_end}y", "4"), None), (5, ("5", "6"), None)]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
def test_the_encoding_is_found(read, encoding):
    _inspected, found = read("Name\tStadt\nMüller\tKöln\nJosé\tMálaga\nZoë\tParis\n".encode(encoding))
    assert [row.cells for row in found] == [("Müller", "Köln"), ("José", "Málaga"), ("Zoë", "Paris")]


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("cp1252", "Schäfer Weiß Müller Groß Jürgen"),
        ("cp1252", "Jørgensen Ærø Kjær Ågård Søren"),
        ("cp1252", "Núñez García Íñigo Peña Ordóñez"),
        ("cp1252", "François Hélène Benoît Noël Müller"),
        ("cp1252", "Smith Jones José"),
        ("cp1250", "Dvořák Černý Růžička Šťastný"),
        ("cp1250", "Łukasz Wałęsa Żaneta Gdańsk"),
        ("cp1250", "Szűcs Erdős Győrffy Kovács"),
        ("cp1250", "Smith Jones Łukasz"),
        ("cp1251", "Иванов Анна Соловьёв"),
        ("cp1251", "Smith Jones Ольга"),
        ("cp1253", "Παπαδόπουλος Γιώργος"),
        ("cp1254", "Yıldız Şahin Öztürk Çelik"),
    ],
)
def test_a_code_page_is_told_by_its_words(read, encoding, words):
    inspected, found = read("\n".join(["name,x", *(f"{word},1" for word in words.split())]).encode(encoding))

    assert [row.cells[0] for row in found] == words.split()
    assert inspected.format.encoding == encoding
    assert "not UTF-8" in inspected.warnings[0]


def test_a_name_far_down_decides_on_the_encoding(read):
    inspected, found = read(b"name,x\n" + b"Smith,1\n" * 20_000 + "Müller,1\n".encode("cp1252"))
    assert inspected.format.encoding == "cp1252"
    assert found[-1].cells == ("Müller", "1")


def test_the_encoding_and_the_delimiter_can_be_set(read):
    inspected, found = read("a~b\n1~Ü\n".encode("cp850"), encoding="IBM850", delimiter="~")
    assert inspected.format == FileFormat("plain", "delimited", "cp850", "~", whole_numbers=(0,))
    assert found == [(2, ("1", "Ü"), None)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be"])
def test_a_byte_order_mark_counts_beside_an_encoding_that_was_set(read, encoding):
    data = '"a","b"\n1,2\n'.encode("utf-8-sig" if encoding == "utf-8" else "utf-16")
    assert read(data, encoding=encoding)[0].header == ("a", "b")


def test_every_encoding_to_choose_is_known_by_its_name():
    assert [encodings.known(name) for name in encodings.CHOICES] == list(encodings.CHOICES)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^", "~", ":", "\x1f"])
def test_the_delimiter_is_found(read, delimiter):
    data = f'name{delimiter}total\n"Smith, Ann; x"{delimiter}12\nBob{delimiter}5\n'
    inspected, found = read(data.encode())
    assert inspected.format.delimiter == delimiter
    assert [row.cells for row in found] == [("Smith, Ann; x", "12"), ("Bob", "5")]


def test_decimal_commas_do_not_make_the_comma_the_delimiter(read):
    inspected, _found = read(b"name;total\nAnn;1,50\nBob;2,75\n")
    assert inspected.format.delimiter == ";"


def test_the_line_that_tells_spreadsheets_the_delimiter_is_no_row(read):
    inspected, found = read(b"sep=|\na|b\n1|2\n")
    assert inspected.header == ("a", "b")
    assert found == [(3, ("1", "2"), None)]


def test_one_column_is_a_table_too(read):
    inspected, found = read(b"email\nann@example.com\nbob@example.com\n")
    assert inspected.header == ("email",)
    assert [row.cells for row in found] == [("ann@example.com",), ("bob@example.com",)]


def test_column_names_are_trimmed_and_numbered_where_they_are_missing(read):
    inspected, found = read(b" a ,,c,\n1,2,3,\n")
    assert inspected.header == ("a", "Column 2", "c")
    assert found == [(2, ("1", "2", "3"), None)]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "The file is empty."),
        (b"\n \n\n", "The file is empty."),
        (b"a,b\n", "no rows"),
        (b"a,b\n\n,\n", "no rows"),
        (b"a,b,a\n1,2,3\n", "columns 1 and 3 have the same name, “a”"),
        (b'{"a": 1}', "This is JSON"),
        (b"<!DOCTYPE html><table>", "web page"),
        (b"%PDF-1.7", "a PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old Excel workbook"),
        (bytes(range(256)) * 40, "This is no text"),
        (b'a,"b\n1,2\n', "The header cannot be read"),
        (("x" * 300 + ",b\n1,2\n").encode(), "name of column 1 is too long"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_the_reason(refusal, data, reason):
    message = refusal(data)
    assert message.startswith("validation_error")
    assert reason in message


def test_more_columns_than_any_table_has_are_too_many(refusal):
    header = ",".join(f"c{n}" for n in range(1001))
    assert refusal(f"{header}\n1\n".encode()).startswith("too_large")


@pytest.mark.parametrize(
    "options", [{"encoding": "rot13"}, {"encoding": "klingon"}, {"delimiter": "ab"}, {"delimiter": "a"}]
)
def test_an_encoding_or_delimiter_that_is_none_is_refused(refusal, options):
    assert next(iter(options)) in refusal(b"a,b\n1,2\n", **options)


def test_a_ragged_row_fails_alone_and_says_what_was_expected(read):
    _inspected, found = read(b"a,b\n1,2\n3\n4,5,6\n7,8,\n9,10\n")
    assert lines_and_faults(found) == [
        (2, None),
        (3, "The row has 1 cells where the header has 2 columns"),
        (4, "The row has 3 cells where the header has 2 columns"),
        (5, None),
        (6, None),
    ]


def test_a_quotation_mark_that_is_never_closed_swallows_no_rows(read):
    _inspected, found = read(b'a,b\n1,2\n"3,4\n5,6\n7,8\n')
    assert lines_and_faults(found) == [
        (2, None),
        (3, "A quotation mark opens a cell in this row and is never closed"),
        (4, None),
        (5, None),
    ]


def test_of_a_row_that_cannot_be_read_its_line_is_shown(read):
    _inspected, found = read(b'a,b\n"An\0n" Smith,2\n3,4\n')
    assert found[0].cells == ('"An\ufffdn" Smith,2',)


def test_a_quotation_mark_closed_in_another_row_swallows_no_rows(read):
    _inspected, found = read(b'a,b\n"3,4\n5,6\n"7",8\n9,10\n')
    assert lines_and_faults(found)[0] == (2, "A quotation mark stands inside a quoted cell")
    assert [row.cells for row in found[1:]] == [("5", "6"), ("7", "8"), ("9", "10")]


def test_an_open_quotation_mark_before_a_million_lines_costs_one_row(read):
    _inspected, found = read(b'a,b\n1,"\n' + b"1,2\n" * 60_000)
    assert lines_and_faults(found[:2]) == [
        (2, "A quotation mark opens a cell in this row and is never closed"),
        (3, None),
    ]
    assert len(found) == 60_001
    assert found[-1].line == 60_002


def test_a_row_of_lines_without_end_fails(read, monkeypatch):
    monkeypatch.setattr(delimited, "ROW_LIMIT", 2000)
    monkeypatch.setattr(delimited, "BLOCK", 1000)
    _inspected, found = read(b"a,b\n" + b'"x\ny",' * 1000 + b"\n1,2\n")
    assert "longer than 2000 characters" in found[0].fault
    assert found[0].line == 2
    assert found[-1].cells == ("1", "2")


def test_nul_bytes_and_bytes_of_another_encoding_fail_their_row_and_name_the_byte(read):
    good = "Müller,Köln\n".encode() * 5
    inspected, found = read(b"a,b\n" + good + b"M\xfcller,x\n" + b"a\0b,x\n1,2\n")
    assert [row.fault is None for row in found] == [True] * 5 + [False, False, True]
    assert found[5].line == 7
    assert "Cell 1, character 2: the byte 0xFC is not UTF-8" in found[5].fault
    assert found[5].cells == ("M\ufffdller", "x")
    assert "Cell 1 holds a NUL byte" in found[6].fault
    assert "\0" not in "".join(found[6].cells)
    assert inspected.warnings == ("Some bytes of the file are not UTF-8. The rows they are in will fail.",)


def test_half_a_character_of_utf_16_fails_its_row(read):
    data = "a,b\n1,2\n3,4\n".encode("utf-16-le")
    _inspected, found = read(
        data + b"\x00\xd8,\x005\x00\n\x00" + "6,7\n".encode("utf-16-le"), encoding="utf-16-le"
    )
    assert [row.fault is None for row in found] == [True, True, False, True]


def test_a_cell_or_line_that_is_too_long_fails_its_row(read):
    long, longer = b"x" * 200_000, b"x" * 3_000_000
    _inspected, found = read(b"a,b\n1," + long + b"\n3,4\n5," + longer + b"\n7,8\n")
    assert lines_and_faults(found) == [
        (2, "A cell of the row is longer than 131072 characters"),
        (3, None),
        (4, "The line is longer than 1048576 characters"),
        (5, None),
    ]


def test_the_first_rows_prove_the_order_of_day_and_month(read):
    assert day_first_in(read(b"born,x\n1/2/1990,1\n1/31/1990,1\n")[0].first_rows) is False
    assert day_first_in(read(b"born,x\n1/2/1990,1\n31/1/1990,1\n")[0].first_rows) is True
    assert day_first_in(read(b"born,x\n1/2/1990,1\n1990-01-31,1\n")[0].first_rows) is None
    assert day_first_in(read(b"born,x\n31/1/1990,1\n1/31/1990,1\n")[0].first_rows) is None
    assert day_first_in(read(b"born,x\n31/1/1990,1\n" + b"1/31/1990,1\n" * 11)[0].first_rows) is False


def test_a_first_line_that_looks_like_data_is_warned_of(read):
    inspected, _found = read(b"ann@example.com,Ann\nbob@example.com,Bob\n")
    assert inspected.warnings == ("The first line looks like data. It must hold the names of the columns.",)


CELLS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=8))
def test_what_is_written_safely_comes_back_as_it_was(tmp_path_factory, table):
    path = tmp_path_factory.mktemp("roundtrip") / "file.csv"
    path.write_text(
        "".join(csv_lines([["a", "b", "c"], ["x", "x", "x"], *table])), encoding="utf-8", newline=""
    )
    file_format = FileFormat("plain", "delimited", "utf-8-sig", ",")
    found = [list(row.cells) for row in rows(path, file_format)]
    assert found == [["x", "x", "x"], *(row for row in table if any(row))]


# --- Containers


TABLE = b"a,b\n" + b"1,2\n" * 50


@pytest.mark.parametrize(
    ("container", "pack"),
    [
        ("gzip", gzip.compress),
        ("zip", lambda data: zipped({"customers.csv": data, "__MACOSX/._customers.csv": b"x"})),
    ],
)
def test_a_packed_file_is_read_as_the_file_in_it(read, container, pack):
    inspected, found = read(pack(TABLE))
    assert inspected.format == FileFormat(container, "delimited", "utf-8", ",", whole_numbers=(0, 1))
    assert len(found) == 50


def linked() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        info = zipfile.ZipInfo("customers.csv")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    return packed.getvalue()


def encrypted() -> bytes:
    data = bytearray(zipped({"customers.csv": TABLE}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (zipped({"a.csv": TABLE, "b.csv": TABLE}), "holds 2 files (a.csv, b.csv"),
        (zipped({}), "The ZIP file is empty"),
        (zipped({"folder/a.csv": TABLE}), "holds a folder"),
        (zipped({"../a.csv": TABLE}), "holds a folder"),
        (zipped({"/a.csv": TABLE}), "holds a folder"),
        (linked(), "holds a link"),
        (encrypted(), "protected by a password"),
        (zipped({"a.csv": TABLE}, zipfile.ZIP_LZMA), "unusual method"),
        (zipped({"a.csv": TABLE})[:-30], "damaged or was cut off"),
        (gzip.compress(TABLE)[:-12], "damaged or was cut off"),
        (gzip.compress(gzip.compress(TABLE)), "packed twice"),
        (gzip.compress(zipped({"a.csv": TABLE})), "packed twice"),
        (zipped({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}), "OpenDocument"),
        (
            zipped({"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>"}),
            "another kind of Office file",
        ),
    ],
    ids=map(str, count()),  # the packed bytes tell the time
)
def test_a_packed_file_that_is_not_one_table_is_refused_with_the_reason(refusal, data, reason):
    message = refusal(data)
    assert message.startswith("validation_error")
    assert reason in message


def test_a_file_that_unpacks_to_absurd_size_is_refused(refusal, monkeypatch):
    monkeypatch.setattr(containers, "UNPACKED_ALWAYS", 100_000)
    assert refusal(gzip.compress(b"a,b\n" + b"\n" * 10_000_000)).startswith("too_large")


def test_a_list_of_files_is_not_read_where_it_is_too_long(refusal):
    data = bytearray(zipped({"customers.csv": TABLE}))
    struct.pack_into("<L", data, len(data) - 10, 5 * 2**20)
    assert refusal(bytes(data)).startswith("too_large")


def test_content_counts_and_not_the_name(read):
    inspected, found = read(TABLE, "customers.xlsx")
    assert len(found) == 50
    assert inspected.warnings == (
        "The file is called an Excel workbook and is delimited text. It was read as that.",
    )


# --- Memory


def test_a_cell_of_100_mb_takes_no_memory(tmp_path):
    path = tmp_path / "cell.csv"
    with path.open("wb") as file:
        file.write(b'a,b\n1,2\n3,"')
        for _ in range(100):
            file.write(b"x" * 2**20)
        file.write(b'"\n5,6\n')
    count, megabytes = megabytes_for(path)
    assert count == "2"
    assert megabytes < 30


def test_any_number_of_faulty_rows_take_no_memory(tmp_path):
    path = tmp_path / "faulty.csv"
    path.write_bytes(b"a,b\n1,2\n" + b'"x" y,1\n' * 40_000 + b"1\n" * 40_000)
    count, megabytes = megabytes_for(path)
    assert count == "1"
    assert megabytes < 30
