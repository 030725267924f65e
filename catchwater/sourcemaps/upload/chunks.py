"""Chunks of an upload, each a file named for its SHA-1, until all of them are there.

They are few and go soon.

The protocol wants SHA-1: it names what the sender, who has the token, may overwrite anyway, and
guards nothing.
"""

from __future__ import annotations

import hashlib
import time
import zlib
from typing import IO, TYPE_CHECKING

from catchwater.errors import UploadError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CHUNK = 8 * 2**20
"""Bytes of one chunk, unpacked, at most; all but the last of a bundle have this size."""

ROOM = 2**30
"""Bytes of all chunks together."""

STORED_S = 3_600.0
"""Seconds that a chunk waits for the others of its bundle."""


class Chunks:
    """The chunks in a folder, which is theirs alone. Not for several threads at once."""

    def __init__(self, folder: Path, room: int = ROOM) -> None:
        self._folder = folder
        self._room = room

    def put(self, name: str, raw: bytes) -> None:
        """Store a chunk. Raises UploadError if its SHA-1 is not its name, or if there is no
        room.
        """
        found = _sha1(raw)
        if found != name:
            raise UploadError(
                400,
                f"a chunk of {len(raw):,} bytes is called {name[:60]!r}, but its SHA-1 is {found}",
            )
        if (self._folder / name).exists():
            return
        if sum(one.stat().st_size for one in self._folder.iterdir()) + len(raw) > self._room:
            raise UploadError(
                429, f"{self._room:,} bytes of unfinished uploads wait here: try again in an hour"
            )
        fresh = self._folder / f"{name}.new"
        fresh.write_bytes(raw)
        fresh.rename(self._folder / name)

    def missing(self, names: Sequence[str]) -> list[str]:
        """Those that are not here, once each."""
        return [name for name in dict.fromkeys(names) if not (self._folder / name).exists()]

    def join(self, names: Sequence[str], into: IO[bytes]) -> str:
        """Write chunks one after another. Returns the SHA-1 of it all.

        Raises FileNotFoundError if one is gone.
        """
        whole = hashlib.sha1(usedforsecurity=False)
        for name in names:
            raw = (self._folder / name).read_bytes()
            whole.update(raw)
            into.write(raw)
        into.seek(0)
        return whole.hexdigest()

    def drop(self, names: Sequence[str]) -> None:
        for name in names:
            (self._folder / name).unlink(missing_ok=True)

    def sweep(self, now: float | None = None) -> None:
        """Remove those that have waited for too long."""
        before = (time.time() if now is None else now) - STORED_S
        for one in list(self._folder.iterdir()):
            if one.stat().st_mtime < before:
                one.unlink(missing_ok=True)


def unpacked(packed: bytes) -> bytes:
    """A chunk that came as gzip. Raises UploadError if it is none, or larger than a chunk."""
    unpacker = zlib.decompressobj(31)
    try:
        raw = unpacker.decompress(packed, CHUNK + 1)
    except zlib.error as error:
        raise UploadError(400, f"a chunk of {len(packed):,} bytes is no gzip: {error}") from error
    if len(raw) > CHUNK:
        raise UploadError(413, f"a chunk unpacks to more than {CHUNK:,} bytes")
    if not unpacker.eof or unpacker.unused_data:
        raise UploadError(400, f"a chunk of {len(packed):,} bytes is no whole gzip file")
    return raw


def _sha1(raw: bytes) -> str:
    return hashlib.sha1(raw, usedforsecurity=False).hexdigest()
