"""Pieces of uploads that wait for the rest: files named by the SHA-1 of what is in them, as sentry-cli has it."""

from __future__ import annotations

import hashlib
import re
import time
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

SIZE = 8 * 2**20
"""Bytes of a chunk, unpacked."""

ROOM = 2 * 2**30
"""Bytes of all chunks that wait."""

PATIENCE = 3600.0
"""Seconds that a chunk waits for the rest of its upload."""

_NAME = re.compile("[0-9a-f]{40}")


class Wrong(Exception):  # noqa: N818 - the client's mistake
    """A chunk that is not what it says. Its text says why."""


class Full(Exception):  # noqa: N818 - a state
    """Too much waits already."""


def is_name(text: object) -> bool:
    return isinstance(text, str) and _NAME.fullmatch(text) is not None


class Chunks:
    """Chunks in a folder of this process's own."""

    def __init__(self, folder: Path, room: int = ROOM) -> None:
        self._folder = folder
        self._room = room

    def missing(self, names: Sequence[str]) -> list[str]:
        return [name for name in names if not (self._folder / name).exists()]

    def keep(self, name: str, data: bytes, *, packed: bool) -> None:
        """Keep a chunk. Raises Wrong, or Full."""
        if not is_name(name):
            raise Wrong(f"{name[:80]!r} is no SHA-1 in hexadecimal")
        found = _unpacked(data) if packed else data
        if len(found) > SIZE:
            raise Wrong(f"chunk {name} has more than {SIZE:,} bytes")
        if hashlib.sha1(found, usedforsecurity=False).hexdigest() != name:
            raise Wrong(f"chunk {name} holds something else: its SHA-1 differs")
        if self._waiting() + len(found) > self._room:
            raise Full(f"more than {self._room:,} bytes of unfinished uploads wait; they go after an hour")
        part = self._folder / f"{name}.part"
        part.write_bytes(found)
        part.replace(self._folder / name)

    def joined(self, names: Sequence[str], checksum: str) -> Path:
        """One file of these chunks, in order. Raises Wrong if it is not what `checksum` says."""
        whole = self._folder / f"{checksum}.whole"
        digest = hashlib.sha1(usedforsecurity=False)
        with whole.open("wb") as stream:
            for name in names:
                data = (self._folder / name).read_bytes()
                digest.update(data)
                stream.write(data)
        if digest.hexdigest() != checksum:
            whole.unlink()
            raise Wrong(f"the chunks do not make up {checksum}")
        return whole

    def forget(self, names: Iterable[str]) -> None:
        for name in names:
            (self._folder / name).unlink(missing_ok=True)

    def _waiting(self) -> int:
        """Bytes that wait, without those that have waited for too long: these go."""
        oldest, waiting = time.time() - PATIENCE, 0
        for path in self._folder.iterdir():
            told = path.stat()
            if told.st_mtime < oldest:
                path.unlink(missing_ok=True)
            else:
                waiting += told.st_size
        return waiting


def _unpacked(data: bytes) -> bytes:
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        found = unpacker.decompress(data, SIZE + 1)
    except zlib.error as error:
        raise Wrong(f"a chunk that was to be gzip is not: {error}") from error
    if len(found) <= SIZE and not unpacker.eof:
        raise Wrong("a chunk of gzip ends too early")
    return found
