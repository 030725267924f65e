"""How many events Redis has confirmed to each ingest process, on this machine's disk: so what Redis
loses by falling back is named even when the process that knew of it has ended.

A file a process. It is written once a second, without waiting for the disk: the count may be a
second old when its process is killed, so of its events at least the loss is told that came before.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

DIGITS = 20


class Counts(Protocol):
    """Where Redis's own counts are: an EventProducer."""

    async def added_by(self, senders: Sequence[str]) -> list[int | None]: ...


class ConfirmedCounts:
    """The count of this process, and those of processes that have ended."""

    def __init__(self, folder: Path, sender: str) -> None:
        """`folder` is the machine's own, shared by its ingest processes."""
        self._folder = folder / "confirmed"
        self._sender = sender
        self._files: dict[str, int] = {}
        """File descriptors by sender, locked: each is looked after by one process."""
        self._saved = 0
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._take(sender)

    def save(self, confirmed: int) -> None:
        """Best effort: on a disk that fails, losses are told only while this process lives."""
        if confirmed != self._saved and self._sender in self._files:
            with suppress(OSError):
                self._write(self._sender, confirmed)
                self._saved = confirmed

    async def lost(self, store: Counts) -> int:
        """How many events Redis has lost that it had confirmed to processes that have ended, since
        this was asked last. Raises UnavailableError.
        """
        self._adopt()
        gone = [sender for sender in self._files if sender != self._sender]
        counts = await store.added_by(gone) if gone else []
        return sum(map(self._compare, gone, counts))

    def close(self) -> None:
        """The files stay, for others."""
        for descriptor in self._files.values():
            os.close(descriptor)
        self._files.clear()

    def _adopt(self) -> None:
        """Take the files that nobody looks after."""
        with suppress(OSError):
            for path in self._others():
                self._take(path.name)

    def _others(self) -> Iterator[Path]:
        return (path for path in self._folder.iterdir() if path.name not in self._files)

    def _take(self, sender: str) -> None:
        descriptor = os.open(self._folder / sender, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
        else:
            self._files[sender] = descriptor

    def _compare(self, sender: str, count: int | None) -> int:
        """What is lost of one. Where Redis does not know it (after a day, or in another Redis),
        nothing can be said any more.
        """
        confirmed = self._read(sender)
        if count is None:
            (self._folder / sender).unlink(missing_ok=True)
            os.close(self._files.pop(sender))
            return 0
        if count < confirmed:
            self._write(sender, count)
        return max(0, confirmed - count)

    def _read(self, sender: str) -> int:
        digits = os.pread(self._files[sender], DIGITS, 0)
        return int(digits) if digits.isdigit() else 0

    def _write(self, sender: str, count: int) -> None:
        os.pwrite(self._files[sender], b"%0*d" % (DIGITS, count), 0)
