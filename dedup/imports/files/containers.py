"""What wraps a file: nothing, gzip, or a ZIP with one file. What unpacks to absurd size is refused."""

from __future__ import annotations

import gzip
import io
import os
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, BinaryIO, Protocol

from django.utils.translation import gettext as _

from dedup.imports.files.formats import Container, too_large, unreadable

RATIO_LIMIT = 200
"""How many times its size a file may unpack to. Lists of customers pack to a fifth, hardly to a fiftieth."""
UNPACKED_ALWAYS = 256 * 2**20
"""Bytes that may be unpacked whatever the ratio."""
WORKBOOK_LIMIT = 512 * 2**20
"""Bytes of a workbook inside another container: it is unpacked to the disk."""
DIRECTORY_LIMIT = 4 * 2**20
"""Bytes of a ZIP's list of files, which is read as a whole."""

_END = b"PK\x05\x06"
GZIP, ZIP = b"\x1f\x8b", (b"PK\x03\x04", _END)
_DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, NotImplementedError, struct.error)
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Unpacked(io.RawIOBase):
    """What comes out of a packed file, counted."""

    def __init__(self, content: _Readable, packed: int) -> None:
        self._content = content
        self._left = max(packed * RATIO_LIMIT, UNPACKED_ALWAYS)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        try:
            data = self._content.read(len(buffer))
        except _DAMAGED:
            raise unreadable(_damaged()) from None
        self._left -= len(data)
        if self._left < 0:
            raise too_large(_("The file unpacks to more than %(n)d times its size.") % {"n": RATIO_LIMIT})
        buffer[: len(data)] = data
        return len(data)


def _damaged() -> str:
    return str(_("The packed file is damaged or was cut off. Send it again."))


@contextmanager
def content(path: Path, container: Container) -> Iterator[BinaryIO]:
    """The bytes of the file itself, unpacked as they are read."""
    with ExitStack() as stack:
        file = stack.enter_context(path.open("rb"))
        if container == "plain":
            yield file
            return
        inner: _Readable = (
            _only(file, stack) if container == "zip" else stack.enter_context(gzip.GzipFile(fileobj=file))
        )
        unpacked = _Unpacked(inner, path.stat().st_size)
        yield stack.enter_context(io.BufferedReader(unpacked, 2**17))


@contextmanager
def seekable(path: Path, container: Container) -> Iterator[BinaryIO]:
    """The same where one must be able to go back and forth, as in a workbook."""
    with content(path, container) as file:
        if container == "plain":
            yield file
            return
        with tempfile.TemporaryFile() as spooled:
            while data := file.read(2**20):
                spooled.write(data)
                if spooled.tell() > WORKBOOK_LIMIT:
                    raise too_large(_("The workbook is too large to be packed once more. Send it unpacked."))
            spooled.seek(0)
            yield spooled


def _only(file: BinaryIO, stack: ExitStack) -> IO[bytes]:
    archive = stack.enter_context(opened_zip(file))
    try:
        return stack.enter_context(archive.open(only_member(archive)))
    except _DAMAGED:
        raise unreadable(_damaged()) from None


def opened_zip(file: BinaryIO) -> zipfile.ZipFile:
    """The ZIP, its list of files being of a size that can be read."""
    try:
        if _directory_size(file) > DIRECTORY_LIMIT:
            raise too_large(_("There are too many files in the ZIP file. Send one."))
        return zipfile.ZipFile(file)
    except _DAMAGED:
        raise unreadable(_damaged()) from None


def _directory_size(file: BinaryIO) -> int:
    """Bytes of the list of files, as the end of the ZIP tells, before anything of it is read."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - 66_000, 0))
    tail = file.read()
    file.seek(0)
    at = len(tail) - 22 if tail[-22:-18] == _END else tail.rfind(_END)
    if at < 0:
        return 0
    if tail[at - 20 : at - 16] == b"PK\x06\x07" and at >= 76:
        return int(struct.unpack_from("<Q", tail, at - 36)[0])
    return int(struct.unpack_from("<L", tail, at + 12)[0])


def only_member(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """The one file in the ZIP. What macOS adds does not count."""
    members = [m for m in archive.infolist() if not m.filename.startswith("__MACOSX/")]
    if len(members) != 1:
        names = ", ".join(m.filename[:60] for m in members[:3])
        detail = _("The ZIP file holds %(count)d files (%(names)s …). Pack one file alone.")
        raise unreadable(
            detail % {"count": len(members), "names": names} if members else _("The ZIP file is empty.")
        )
    [member] = members
    if member.is_dir() or "/" in member.filename or "\\" in member.filename or ".." in member.filename:
        raise unreadable(_("The ZIP file holds a folder. Pack the file alone."))
    if stat.S_ISLNK(member.external_attr >> 16):
        raise unreadable(_("The ZIP file holds a link instead of a file. Pack the file itself."))
    if member.flag_bits & 0x1:
        raise unreadable(_("The ZIP file is protected by a password. Pack it without one."))
    if member.compress_type not in _METHODS:
        raise unreadable(
            _("The ZIP file is packed by an unusual method. Pack it by the usual one (deflate).")
        )
    return member
