"""How much a zip file claims to hold, before `zipfile` reads its whole directory into memory."""

from __future__ import annotations

import os
import struct
from typing import IO

from catchwater.errors import UploadError

FILES = 20_000
"""Files of a bundle; ten times what large sites have."""

DIRECTORY = 4 * 2**20
"""Bytes of the list of them."""

_END = struct.Struct("<4s4H2LH")
_MARK, _MARK64 = b"PK\5\6", b"PK\6\7"
_COMMENT = 65_535


def check_directory(file: IO[bytes]) -> None:
    """Raises UploadError for a file that has no directory of a zip at its end, or one that is
    too long.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _COMMENT - _END.size - 20))
    tail = file.read()
    file.seek(0)
    at = _end(tail)
    if at < 0:
        raise UploadError(
            400, f"this is no zip file: its {size:,} bytes have no directory at the end"
        )
    _, _, _, _, files, directory, _, _ = _END.unpack_from(tail, at)
    # The longer form is for what is larger than anything allowed here, and would override these
    # numbers.
    if files > FILES or directory > DIRECTORY or tail[:at][-20:].startswith(_MARK64):
        raise UploadError(
            413, f"the bundle has more than {FILES:,} files: upload its folders one by one"
        )


def _end(tail: bytes) -> int:
    """Where `zipfile` finds the end record: the last 22 bytes if they are one without a
    comment, else the last one.
    """
    last = len(tail) - _END.size
    if last >= 0 and tail.startswith(_MARK, last) and tail.endswith(b"\0\0"):
        return last
    at = tail.rfind(_MARK)
    return at if 0 <= at <= last else -1
