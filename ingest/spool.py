"""Where accepted events wait while Redis is away: a bounded SQLite file, on disk before the client is answered."""

from __future__ import annotations

import fcntl
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import orjson

from catchwater.event import Event, decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

PAGE = 500
"""Events that are drained at a time, at most."""

PAGE_BYTES = 4_000_000
"""And bytes of them: they all are in memory, here and in Redis."""


class SpoolFull(Exception):  # noqa: N818 - what it is
    """There is no room: the client must be told to come again later."""


class Spool:
    """Several ingest processes may share one. What one leaves behind when it dies, another drains."""

    def __init__(self, folder: Path, limit: int) -> None:
        """`limit` is the size of the file in bytes that is not exceeded by more than one batch."""
        folder.mkdir(parents=True, exist_ok=True)
        self._limit = limit
        self._lock_file = (folder / "drain.lock").open("w")
        self._one = threading.Lock()
        self._database = sqlite3.connect(
            folder / "spool.sqlite", timeout=10, check_same_thread=False, isolation_level=None
        )
        for statement in (
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=FULL",  # a commit is on disk: the answer 2xx depends on it
            "CREATE TABLE IF NOT EXISTS events (number INTEGER PRIMARY KEY, id TEXT, head BLOB, body BLOB)",
        ):
            self._database.execute(statement)
        self.executor = ThreadPoolExecutor(1, "spool")
        """Where to call the methods below from an asyncio program: they wait for the disk."""

    def put(self, events: Sequence[Event]) -> None:
        """These are on disk when this returns. Raises SpoolFull."""
        rows = [(event.id, fields[b"head"], fields[b"body"]) for event in events for fields in (encode(event),)]
        with self._one:
            if self._size() >= self._limit:
                raise SpoolFull(f"the spool holds {self._limit} bytes")
            try:
                self._database.execute("BEGIN IMMEDIATE")
                self._database.executemany("INSERT INTO events (id, head, body) VALUES (?, ?, ?)", rows)
                self._database.execute("COMMIT")
            except sqlite3.Error as error:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise SpoolFull(f"the spool cannot be written: {error}") from error

    def page(self) -> list[tuple[int, Event]]:
        """The oldest events, with their numbers."""
        with self._one:
            rows = self._database.execute("SELECT number, id, head, body FROM events ORDER BY number LIMIT ?", (PAGE,))
            return list(_until(PAGE_BYTES, rows))

    def forget(self, numbers: Sequence[int]) -> None:
        """These are in Redis now."""
        with self._one:
            self._database.execute(
                "DELETE FROM events WHERE number IN (SELECT value FROM json_each(?))", (orjson.dumps(numbers).decode(),)
            )

    def depth(self) -> int:
        """How many events wait here."""
        with self._one:
            return int(self._database.execute("SELECT count(*) FROM events").fetchone()[0])

    @contextmanager
    def draining(self) -> Iterator[bool]:
        """True for one process at a time: two that drain would only add everything twice."""
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        try:
            yield True
        finally:
            fcntl.flock(self._lock_file, fcntl.LOCK_UN)

    def close(self) -> None:
        self.executor.shutdown()
        self._database.close()
        self._lock_file.close()

    def _size(self) -> int:
        pages, free, size = (
            int(self._database.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * size


def _until(most: int, rows: Iterable[tuple[int, str, bytes, bytes]]) -> Iterator[tuple[int, Event]]:
    """The first rows as numbered events; none after their bodies are `most` bytes."""
    size = 0
    for number, id_, head, body in rows:
        yield number, decode({b"id": id_.encode(), b"head": head, b"body": body})
        size += len(body)
        if size >= most:
            return
