"""How many events Redis has confirmed to each ingest process, on this machine's disk: so what Redis
loses by falling back is named even when the process that knew of it has ended.

One file a process, which holds its own count and those of processes that it has inherited. It is
written once a second, without waiting for the disk: the count may be a second old when its process
is killed, so of its events at least the loss is told that came before.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import orjson

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MOST = 200
"""Ended processes that are remembered. Redis forgets each after a day."""

LONGEST = 100_000
"""Bytes of a file, at most."""


class Counts(Protocol):
    """Where Redis's own counts are: an EventProducer."""

    async def added_by(self, senders: Sequence[str]) -> list[int | None]: ...


class ConfirmedCounts:
    """The count of this process, and those of processes that have ended."""

    def __init__(self, folder: Path, sender: str) -> None:
        """`folder` is the machine's own, shared by its ingest processes."""
        self._folder = folder / "confirmed"
        self._sender = sender
        self._counts: dict[str, int] = {}
        self._written = b""
        self._file: int | None = None
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file = self._made()

    def save(self, confirmed: int) -> None:
        """Best effort: on a disk that fails, losses are told only while this process lives."""
        if confirmed:
            self._counts[self._sender] = confirmed
        self._write()

    async def lost(self, store: Counts) -> int:
        """How many events Redis has lost that it had confirmed to processes that have ended, since
        this was asked last. Raises UnavailableError.
        """
        self._inherit()
        gone = [sender for sender in self._counts if sender != self._sender]
        counts = await store.added_by(gone) if gone else []
        return sum(map(self._compare, gone, counts))

    def close(self) -> None:
        """The file stays, for others."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _made(self) -> int | None:
        """The own file. It gets its name once it is locked, or another process would inherit it."""
        new = self._folder / f".{self._sender}"
        file = _locked(new)
        new.rename(self._folder / self._sender)
        return file

    def _inherit(self) -> None:
        """Take over the files of processes that have ended."""
        if self._file is None:
            return
        with suppress(OSError):
            for path in self._folder.iterdir():
                if path.name[0] == "." or path.name == self._sender:
                    continue
                if (other := _locked(path)) is not None:
                    self._take(path, other)

    def _take(self, path: Path, other: int) -> None:
        """Written before the other is deleted: killed in between, nothing is forgotten."""
        try:
            self._counts = dict([*(_read(other) | self._counts).items()][-MOST:])
            self._write()
            path.unlink(missing_ok=True)
        finally:
            os.close(other)

    def _compare(self, sender: str, count: int | None) -> int:
        """What is lost of one. Where Redis does not know it (after a day, or in another Redis),
        nothing can be said any more.
        """
        confirmed = self._counts.pop(sender)
        if count is None:
            return 0
        self._counts[sender] = min(count, confirmed)
        return max(0, confirmed - count)

    def _write(self) -> None:
        content = orjson.dumps(self._counts)
        if self._file is not None and content != self._written:
            with suppress(OSError):
                os.pwrite(self._file, content, 0)
                os.ftruncate(self._file, len(content))
                self._written = content


def _locked(path: Path) -> int | None:
    """A descriptor of the file, locked; None when another process has it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _read(descriptor: int) -> dict[str, int]:
    """Counts by process; none from a file that is torn."""
    try:
        found = orjson.loads(os.pread(descriptor, LONGEST, 0))
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
