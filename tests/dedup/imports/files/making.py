"""Files made for tests, and what reading them takes."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from openpyxl import Workbook

from dedup.imports.files.inspection import FileRow

ROOT = Path(__file__).parents[4]
LIMITED = """
import resource, sys
from pathlib import Path
from django.conf import settings
settings.configure(USE_I18N=False)
from customers.errors import SelfsameError
from dedup.imports.files.inspection import inspect, rows
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
path = Path(sys.argv[1])
try:
    found = inspect(path, path.name)
    count = sum(1 for row in rows(path, found.format) if row.fault is None)
except SelfsameError as error:
    count = error.code.value
print(count, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def megabytes_for(path: Path) -> tuple[str, int]:
    """What became of the file in a process of its own, and how much memory that took."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    count, megabytes = done.stdout.split()
    return count, int(megabytes)


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return packed.getvalue()


def lines_and_faults(found: list[FileRow]) -> list[tuple[int, str | None]]:
    return [(row.line, row.fault and row.fault.partition(".")[0]) for row in found]


def workbook(*table: Sequence[object], **more: Sequence[Sequence[object]]) -> bytes:
    book = Workbook()
    book.active.title = "Customers"
    for row in table:
        book.active.append(row)
    for title, sheet in more.items():
        for row in [book.create_sheet(title), *sheet][1:]:
            book[title].append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def made_by_hand(sheet: str, texts: str = "", styles: str = "", book: str = "") -> bytes:
    """A workbook with a namespace prefix, and other parts where the standard lets them be."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relation = '<Relationships xmlns="x">{}</Relationships>'
    one = '<Relationship Id="{}" Type="http://x/{}" Target="{}"/>'
    parts = one.format("r1", "worksheet", "/deep/one.xml") + one.format("r2", "sharedStrings", "texts.xml")
    return zipped(
        {
            "[Content_Types].xml": b"<Types/>",
            "_rels/.rels": relation.format(one.format("r1", "officeDocument", "deep/book.xml")).encode(),
            "deep/_rels/book.xml.rels": relation.format(parts + one.format("r3", "styles", "s.xml")).encode(),
            "deep/book.xml": f'<x:workbook xmlns:x="{main}" xmlns:r="{office}">{book}<x:sheets>'
            '<x:sheet name="Hidden" state="hidden" r:id="r9"/><x:sheet name="One" r:id="r1"/>'
            "</x:sheets></x:workbook>".encode(),
            "deep/texts.xml": f'<x:sst xmlns:x="{main}">{texts}</x:sst>'.encode(),
            "deep/s.xml": f'<x:styleSheet xmlns:x="{main}">{styles}</x:styleSheet>'.encode(),
            "deep/one.xml": f'{sheet[: sheet.find("<x:row")]}<x:worksheet xmlns:x="{main}"><x:sheetData>'
            f"{sheet[sheet.find('<x:row') :]}</x:sheetData></x:worksheet>".encode(),
        }
    )


HEADER_ROW = '<x:row><x:c t="inlineStr"><x:is><x:t>a</x:t></x:is></x:c></x:row>'
